/**
 * The same source is the same file in whatever pieces it comes, through
 * whatever way it goes, and with whatever cache: for sources of many batches,
 * with lines that are wrong and keys that come twice. Folders, users, umasks
 * and processes are in same-bytes.test.ts.
 */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import * as fc from "fast-check";
import { MapBuilder, type MapBuilderOptions } from "#src/makemap/map-builder.js";
import { bytesOf, sha256, textOf } from "../support/bytes.ts";
import { residueOffsets } from "../support/page-mask.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });

interface Built {
  readonly hash: string;
  readonly said: readonly string[];
  readonly records: number;
}

/** @param chunks the source, in the pieces that it comes in. */
function build(chunks: Iterable<Uint8Array>, options: Omit<MapBuilderOptions, "onDiagnostic">): Built {
  const file = join(folder, "m.db");
  const said: string[] = [];
  const builder = new MapBuilder(file, {
    ...options,
    onDiagnostic: ({ problem, line, key }) => said.push(`${line} ${problem} ${key === undefined ? "" : textOf(key)}`),
  });
  try {
    for (const chunk of chunks) builder.write(chunk);
    builder.commit();
  } finally {
    builder.abandon();
  }
  const bytes = new Uint8Array(readFileSync(file));
  assert.deepEqual(residueOffsets(bytes), []);
  rmSync(file);
  return { hash: sha256(bytes), said, records: builder.records };
}

function* pieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  // A copy of each that is spoilt afterwards: a chunk is the caller's again when write() returns.
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    const chunk = bytes.slice(at, at + size);
    yield chunk;
    chunk.fill(0x58);
    at += size;
  }
}

function sourceOf(count: number): Uint8Array {
  let text = "";
  for (let i = 0; i < count; i++) {
    const n = (i * 7919) % 1_000_003;
    text += `User${n}@Example.com\tsmtp:[10.0.${n % 256}.${n % 199}] ${"p".repeat(n % 61)}\n`;
    if (i % 997 === 13) text += ` a blank first ${i}\n`;
    if (i % 1009 === 17) text += `user${n}@example.com\tonce more\n`;
    if (i % 1511 === 5) text += `no-value${i}\n\n# a comment\n`;
    if (i % 2003 === 7) text += `toolong${i}\t${"l".repeat(1500)}\n`;
  }
  return bytesOf(text);
}

suite("pieces, -v and the cache are no matter", () => {
  // Some batches long: a batch is stored, and joins the file id, 128 KiB at a time.
  const source = sourceOf(8000);

  for (const type of ["hash", "btree"] as const) {
    for (const duplicates of ["refuse", "replace", "keep"] as const) {
      test(`${type}, duplicates: ${duplicates}`, () => {
        const expected = build([source], { type, duplicates, sourceSize: source.length });
        assert.ok(expected.said.length > 0 && expected.records > 7000);
        const size = fc.oneof(
          fc.integer({ min: 100, max: 3000 }),
          fc.integer({ min: 1, max: 1 << 20 }),
          fc.constantFrom(1023, 1024, 65_536),
        );
        const sizes = fc.array(size, { minLength: 1, maxLength: 8 });
        const settings = fc.record({
          onRecord: fc.constantFrom(undefined, () => {}),
          cacheSize: fc.constantFrom(undefined, 0, 1 << 20, 1 << 24),
          sourceSize: fc.constantFrom(undefined, 0, source.length),
        });
        const property = fc.property(sizes, settings, (list, options) => {
          assert.deepEqual(build(pieces(source, list), { ...options, type, duplicates }), expected);
        });
        fc.assert(property, { numRuns: 12, interruptAfterTimeLimit: 2500 });
      });
    }
  }

  test("byte by byte", () => {
    const short = source.subarray(0, 40_000);
    assert.deepEqual(build(pieces(short, [1]), { type: "hash" }), build([short], { type: "hash" }));
  });
});

suite("a cache that holds a part of the file alone", () => {
  // Pages are written, thrown out and read again while the file grows.
  const source = sourceOf(60_000);

  for (const type of ["hash", "btree"] as const) {
    for (const format of [
      { byteOrder: "little", hashVersion: 9, pageSize: 4096 },
      { byteOrder: "big", hashVersion: 8, pageSize: 4096 },
      { byteOrder: "big", hashVersion: 9, pageSize: 512 },
    ] as const) {
      test(`${type}, ${format.byteOrder}-endian, pages of ${format.pageSize} bytes`, () => {
        const small = build([source], { type, format, cacheSize: 0 });
        assert.deepEqual(build([source], { type, format, sourceSize: source.length }), small);
      });
    }
  }
});
