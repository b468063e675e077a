/**
 * What is no hash or btree file is told for what it is, where somebody can tell.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { HashFileError } from "#src/hash-file/error.js";
import { readHeader } from "#src/hash-file/layout.js";

/** A first page with a number at a place, in either byte order. */
function withNumber(number: number, at: number, order: "BE" | "LE"): Buffer {
  const bytes = Buffer.alloc(512);
  bytes[`writeUInt32${order}`](number, at);
  return bytes;
}

const KINDS: readonly (readonly [string, Uint8Array])[] = [
  ["not a Berkeley DB file, but empty", Buffer.alloc(0)],
  ["not a Berkeley DB file, but compressed with gzip: decompress it first", gzipSync("text")],
  ["not a Berkeley DB file, but an SQLite database", Buffer.from("SQLite format 3\0".padEnd(512, "\0"))],
  ["not a Berkeley DB file, but text", Buffer.from('AuthInfo:relay "U:u"\n')],
  ["not a Berkeley DB file", Buffer.alloc(512)],
  ...(["BE", "LE"] as const).flatMap((order) => [
    ["not a Berkeley DB file, but a GDBM database", withNumber(0x13579ace, 0, order)] as const,
    ["not a Berkeley DB file, but an LMDB database", withNumber(0xbeefc0de, 16, order)] as const,
    ["a Berkeley DB queue file: only hash and btree files can be read", withNumber(0x042253, 12, order)] as const,
    ["a Berkeley DB heap file: only hash and btree files can be read", withNumber(0x074582, 12, order)] as const,
  ]),
];

test("what a file is that is none of Berkeley DB, or of another of its methods", () => {
  for (const [message, bytes] of KINDS) assert.throws(() => readHeader(bytes), new HashFileError(message));
});
