/**
 * What is published: the compiled modules, put together into few files. Node
 * takes a third of a millisecond to load a module, and there are two hundred.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { defineConfig, type RolldownOptions } from "rolldown";

const modules = "./.build/src/";

/** Entries, and what several of them share, or load later, in files beside them. */
function bundle(name: string, entries: readonly string[]): RolldownOptions {
  return {
    input: Object.fromEntries(entries.map((file) => [file.replace(/\.js$/, ""), modules + file])),
    platform: "node",
    // Dependencies stay dependencies.
    external: /^[^./]/,
    output: {
      dir: "dist",
      chunkFileNames: `shared/${name}-[name].js`,
    },
  };
}

/** src/cli/tsmap.ts loads a command by its name, from the file of that name. */
function commands(): string[] {
  const folder = "cli/tsmap/";
  const isCommand = (name: string): boolean =>
    name.endsWith(".js") && /^export (async )?function run\(/m.test(readFileSync(modules + folder + name, "utf8"));
  return readdirSync(modules + folder)
    .filter(isCommand)
    .map((name) => folder + name);
}

// Their names follow the modules: what was renamed would stay.
rmSync("dist/shared", { recursive: true, force: true });

export default defineConfig([
  bundle("library", ["index.js", "artifacts/index.js"]),
  // Each program is started by itself, and has all of its own.
  bundle("tsmakemap", ["cli/tsmakemap.js"]),
  bundle("tssaslpasswd", ["cli/tssaslpasswd.js"]),
  bundle("tssasldblist", ["cli/tssasldblist.js"]),
  bundle("tsmap", ["cli/tsmap.js", ...commands()]),
]);
