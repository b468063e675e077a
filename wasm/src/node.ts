/**
 * berkeley-db-js in Node: the same names, with the operating system's files,
 * and the engine found and compiled at its first use.
 * @module berkeley-db-js
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { nodeFileSystem } from "./node-file-system.ts";
import { platform } from "./platform.ts";

// By its public name: this code may have been put into another file.
const { resolve } = createRequire(import.meta.url);

platform.fileSystem = nodeFileSystem;
platform.compile = () => new WebAssembly.Module(readFileSync(resolve("berkeley-db-js/engine.wasm")));

export * from "./index.ts";
export { nodeFileSystem } from "./node-file-system.ts";
