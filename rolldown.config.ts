/**
 * What is published: the compiled modules, put together into few files, since
 * Node takes a third of a millisecond to load a module, and there are two
 * hundred. The programs are CommonJS, which it loads soonest, with
 * berkeley-db-js in them; the library is for `import`, and has none of it.
 */
import { rmSync } from "node:fs";
import { defineConfig, type OutputOptions, type RolldownOptions } from "rolldown";

const modules = "./.build/src/";

/** Entries, and what several of them share, or load later, in files beside them. */
function bundle(entries: readonly string[], output: OutputOptions, inlined?: string): RolldownOptions {
  return {
    input: Object.fromEntries(entries.map((file) => [file.replace(/\.js$/, ""), modules + file])),
    platform: "node",
    external: (name) => /^[^./]/.test(name) && name !== inlined,
    output: { dir: "dist", ...output },
  };
}

/** Each program is started by itself, and has all of its own. */
function program(name: string): RolldownOptions {
  const [entryFileNames, chunkFileNames] = ["[name].cjs", `cli/shared/${name}-[name].cjs`];
  return bundle([`cli/${name}.js`], { format: "cjs", entryFileNames, chunkFileNames }, "berkeley-db-js");
}

// The names of what is shared follow the modules: what was renamed would stay.
for (const folder of ["dist/shared", "dist/cli/shared"]) rmSync(folder, { recursive: true, force: true });

export default defineConfig([
  bundle(["index.js", "artifacts/index.js"], { chunkFileNames: "shared/[name].js" }),
  program("tsmakemap"),
  program("tssaslpasswd"),
  program("tssasldblist"),
  program("tsmap"),
]);
