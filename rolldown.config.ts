/**
 * What is published: the compiled modules, put together into few files, which
 * Node loads in half of the time; docs/dependencies.md has the figures. The
 * programs are CommonJS, which it loads soonest, with berkeley-db-js in them;
 * the library is for `import`, and has none of it.
 */
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type OutputOptions, type Plugin, type RolldownOptions } from "rolldown";

/** Of a file with other characters V8 has two bytes for each of it. They stand in strings and comments, where an escape is as good. */
function inAscii(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Of a module of Node that is imported Node asks for all that is in it, the
 * streams of node:fs too, and loads them; of one that is got it does not.
 */
function withBuiltinsGot(code: string): string {
  return code.replaceAll(
    /^import (?:\* as (\w+)|\{ (.*) \}) from ("node:[\w/]+");$/gm,
    (_, all: string | undefined, names = "", name: string) =>
      `const ${all ?? `{ ${names.replaceAll(" as ", ": ")} }`} = process.getBuiltinModule(${name});`,
  );
}

/** What makes a file load sooner, and is in no source. */
const quick: Plugin = {
  name: "quick",
  generateBundle({ format }, files) {
    for (const file of Object.values(files)) {
      if (file.type !== "chunk") continue;
      file.code = inAscii(format === "es" ? withBuiltinsGot(file.code) : file.code);
    }
  },
};

/** Entries, and what several of them share, or load later, in files beside them. */
function bundle(folder: string, entries: readonly string[], output: OutputOptions, alias: Record<string, string> = {}): RolldownOptions {
  return {
    input: Object.fromEntries(entries.map((name) => [name, `./${folder}.build/src/${name}.js`])),
    platform: "node",
    external: (name) => /^[^./]/.test(name) && alias[name] === undefined,
    resolve: { alias },
    // What one module loads late another may have at once.
    checks: { ineffectiveDynamicImport: false },
    plugins: [quick],
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
