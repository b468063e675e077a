/**
 * Modules of Node that are loaded when somebody needs them: together they would
 * be a quarter of the time in which the library loads.
 */
import { createRequire } from "node:module";
import { execPath } from "./own-process.ts";

/** Where from is no matter: what is of Node is found from anywhere, also in a bundle that knows no `import.meta`. */
const load = createRequire(execPath);

export const crypto = (): typeof import("node:crypto") => load("node:crypto");

export const net = (): typeof import("node:net") => load("node:net");
