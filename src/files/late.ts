/**
 * Modules of Node that are loaded when somebody needs them: together they would
 * be a quarter of the time in which the library loads. (What src/artifacts
 * needs it needs at once, and it is loaded by itself.)
 */
import { getBuiltinModule } from "./own-process.ts";

export const nodeCrypto = (): typeof import("node:crypto") => getBuiltinModule("node:crypto");

export const nodeNet = (): typeof import("node:net") => getBuiltinModule("node:net");
