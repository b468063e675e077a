/**
 * What this package takes from the place that it runs in: the compiled engine
 * and the default file system. The entry for Node sets both; in a browser
 * `loadEngine` sets the first.
 */
import type { FileSystem } from "./file-system.ts";

interface Platform {
  module: WebAssembly.Module | undefined;
  /** Compiles the engine at its first use, where that can be done synchronously. */
  compile: (() => WebAssembly.Module) | undefined;
  fileSystem: FileSystem | undefined;
}

export const platform: Platform = { module: undefined, compile: undefined, fileSystem: undefined };

/** @throws {TypeError} where the engine has to be loaded first. */
export function engineModule(): WebAssembly.Module {
  platform.module ??= platform.compile?.();
  if (platform.module === undefined) throw new TypeError('await loadEngine(fetch("…/engine.wasm")) before the first database is opened');
  return platform.module;
}

/**
 * Loads the engine where it cannot be found by itself, as in a browser.
 * In Node there is no need to call it.
 * @param source the bytes of `berkeley-db-js/engine.wasm`, a response with them, or the compiled module.
 */
export async function loadEngine(source: Uint8Array<ArrayBuffer> | Response | Promise<Response> | WebAssembly.Module): Promise<void> {
  if (source instanceof WebAssembly.Module) platform.module = source;
  else if (source instanceof Uint8Array) platform.module = await WebAssembly.compile(source);
  else platform.module = await WebAssembly.compile(await (await source).arrayBuffer());
}
