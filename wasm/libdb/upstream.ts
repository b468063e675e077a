/**
 * The pin: which source of libdb is built, and what must come of it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Upstream {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** The tarball that Debian's source package holds. */
  readonly tarball: { readonly name: string; readonly sha256: string; readonly debianSourcePackage: string };
  /** The folder at the root of the tarball. */
  readonly folder: string;
  /** SHA-256 over the files that are compiled, so that another tarball of the same release serves as well. */
  readonly filesSha256: string;
  /** SHA-256 of the engine.wasm that these inputs give with the pinned compiler. */
  readonly engineSha256: string;
}

export function readUpstream(libdbFolder: string): Upstream {
  return JSON.parse(readFileSync(join(libdbFolder, "upstream.json"), "utf8")) as Upstream;
}
