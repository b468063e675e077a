/**
 * Where the build reads and writes. This file runs from wasm/.build/tools.
 */
import { fileURLToPath } from "node:url";

const fromHere = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** wasm/libdb: the pin, the configuration and the shim. */
export const libdbFolder: string = fromHere("../../libdb/");
/** wasm/.build: the fetched source and compiled objects, kept between builds. */
export const cacheFolder: string = fromHere("../");
/** wasm/dist: what is published. */
export const outputFolder: string = fromHere("../../dist/");
