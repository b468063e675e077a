/**
 * What is published: the compiled modules, put together into few files, which
 * Node loads in half of the time; docs/dependencies.md has the figures. The
 * programs are CommonJS, which it loads soonest, with berkeley-db-js in them;
 * the library is for `import`, and has none of it.
 */
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type OutputOptions, type RolldownOptions } from "rolldown";

/** Entries, and what several of them share, or load later, in files beside them. */
function bundle(folder: string, entries: readonly string[], output: OutputOptions, alias: Record<string, string> = {}): RolldownOptions {
  return {
    input: Object.fromEntries(entries.map((name) => [name, `./${folder}.build/src/${name}.js`])),
    platform: "node",
    external: (name) => /^[^./]/.test(name) && alias[name] === undefined,
    resolve: { alias },
    // What one module loads late another may have at once.
    checks: { ineffectiveDynamicImport: false },
    output: { dir: `${folder}dist`, ...output },
  };
}

const BERKELEY_DB = { "berkeley-db-js": resolve("wasm/.build/src/node.js") };

/** Each program is started by itself, and has all of its own. */
function program(name: string): RolldownOptions {
  const [entryFileNames, chunkFileNames] = ["[name].cjs", `cli/shared/${name}-[name].cjs`];
  return bundle("", [`cli/${name}`], { format: "cjs", entryFileNames, chunkFileNames }, BERKELEY_DB);
}

// The names of what is shared follow the modules: what was renamed would stay.
for (const folder of ["dist/shared", "dist/cli/shared", "wasm/dist/shared"]) rmSync(folder, { recursive: true, force: true });

export default defineConfig([
  bundle("wasm/", ["index", "node"], { chunkFileNames: "shared/[name].js" }),
  bundle("", ["index", "artifacts/index"], { chunkFileNames: "shared/[name].js" }),
  program("tsmakemap"),
  program("tssaslpasswd"),
  program("tssasldblist"),
  program("tsmap"),
]);
