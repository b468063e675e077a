/**
 * Unpacks the source tarball in memory and keeps the files that the build
 * reads: the C sources, the headers generated for another platform without a
 * configure script (build_android), and the licence.
 */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { parseTar } from "nanotar";
import xz from "xz-decompress";
import { BuildFailure } from "./failure.ts";
import type { Upstream } from "./upstream.ts";

/** Paths relative to the root of the source tree, and their bytes. */
export type SourceTree = ReadonlyMap<string, Uint8Array>;

/** @throws {BuildFailure} no tarball of this release. */
export async function unpackSource(upstream: Upstream, tarball: Uint8Array): Promise<SourceTree> {
  const wanted = /^(src\/.*\.(c|h|incl)|build_android\/(db|db_int|clib_port)\.h|LICENSE)$/;
  const files = new Map<string, Uint8Array>();
  for (const entry of parseTar(await decompress(upstream, tarball))) {
    const path = entry.name.replace(/^\.\//, "").replace(/^[^/]*\//, "");
    if (entry.data !== undefined && wanted.test(path) && !/^src\/(os_windows|os_qnx|os_vxworks)\//.test(path)) {
      files.set(path, entry.data);
    }
  }
  const found = treeSha256(files);
  if (found !== upstream.filesSha256) {
    throw new BuildFailure(
      `the tarball is not the source of ${upstream.name} ${upstream.version}: the files to compile have the SHA-256 ${found}, not ${upstream.filesSha256}`,
      `Use the unchanged tarball of that release (${upstream.tarball.name}).`,
    );
  }
  return files;
}

async function decompress(upstream: Upstream, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
    return await readAll(new xz.XzReadableStream(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()));
  } catch (error) {
    throw new BuildFailure(
      `the source of ${upstream.name} cannot be unpacked: ${(error as Error).message}`,
      `It must be a .tar.gz or .tar.xz of the release, such as ${upstream.tarball.name}.`,
      { cause: error },
    );
  }
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    chunks.push(value);
  }
}

function treeSha256(files: SourceTree): string {
  const hash = createHash("sha256");
  for (const path of [...files.keys()].sort()) {
    const bytes = files.get(path) ?? new Uint8Array();
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}
