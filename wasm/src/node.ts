/**
 * berkeley-db-js in Node: the same names, with the operating system's files,
 * and the engine found and compiled at its first use.
 * @module berkeley-db-js
 */
import { readFileSync } from "node:fs";
import { nodeFileSystem } from "./node-file-system.ts";
import { platform } from "./platform.ts";

platform.fileSystem = nodeFileSystem;
platform.compile = () => new WebAssembly.Module(readFileSync(new URL("./engine.wasm", import.meta.url)));

export * from "./index.ts";
export { nodeFileSystem } from "./node-file-system.ts";
