/**
 * What this package takes from the place that it runs in: the compiled engine
 * and the default file system. The entry for Node sets both; in a browser
 * `loadEngine` sets the first.
 */
import type { FileSystem } from "./file-system.ts";

/**
 * A compiled WebAssembly.Module. TypeScript knows that name only with the
 * types of the DOM, which those who use this package need not have.
 */
export type EngineModule = object;

interface Platform {
  module: EngineModule | undefined;
  /** Compiles the engine at its first use, where that can be done synchronously. */
  compile: (() => EngineModule) | undefined;
  fileSystem: FileSystem | undefined;
}

export const platform: Platform = { module: undefined, compile: undefined, fileSystem: undefined };

/** @throws {TypeError} where the engine has to be loaded first. */
export function engineModule(): EngineModule {
  platform.module ??= platform.compile?.();
  if (platform.module === undefined) throw new TypeError('await loadEngine(fetch("…/engine.wasm")) before the first database is opened');
  return platform.module;
}

/** What of a `Response` is needed. */
export interface BytesSource {
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * Loads the engine where it cannot be found by itself, as in a browser.
 * In Node there is no need to call it.
 * @param source the bytes of `berkeley-db-js/engine.wasm`, a `Response` with them, or the compiled `WebAssembly.Module`.
 */
export async function loadEngine(source: Uint8Array<ArrayBuffer> | EngineModule | BytesSource | Promise<BytesSource>): Promise<void> {
  const given = await source;
  if (given instanceof WebAssembly.Module) platform.module = given;
  else if (given instanceof Uint8Array) platform.module = await WebAssembly.compile(given as Uint8Array<ArrayBuffer>);
  else platform.module = await WebAssembly.compile(await (given as BytesSource).arrayBuffer());
}
