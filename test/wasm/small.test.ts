/**
 * The parts of berkeley-db-js that need no engine: file headers, batches and
 * errors.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { RecordBatch, readFileHeader } from "berkeley-db-js";
import fc from "fast-check";
import { BerkeleyDBError, codeName, errnoOf } from "#wasm/error.js";
import { checkFileHeader } from "#wasm/file-header.js";
import { bytesOf, pairsOf } from "../support/bytes.ts";
import { databaseFixtures } from "../support/fixtures.ts";

for (const { name, path, type, version, byteOrder, pageSize } of databaseFixtures()) {
  test(`readFileHeader: ${name}`, () => {
    assert.deepEqual(readFileHeader(new Uint8Array(readFileSync(path)).subarray(0, 512)), { type, version, byteOrder, pageSize });
  });
}

test("readFileHeader: of anything else, undefined; it throws for nothing", () => {
  assert.equal(readFileHeader(new Uint8Array(0)), undefined);
  assert.equal(readFileHeader(new Uint8Array(512)), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      readFileHeader(bytes);
    }),
  );
});

test("checkFileHeader: passes, or throws a BerkeleyDBError, whatever the bytes and the size", () => {
  const start = new Uint8Array(512);
  new DataView(start.buffer).setUint32(12, 0x061561);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 496 }), fc.nat(100_000), (bytes, size) => {
      const header = start.slice();
      header.set(bytes, 16);
      try {
        checkFileHeader(header, size, "DB->open", "path");
      } catch (error) {
        assert.ok(error instanceof BerkeleyDBError);
        assert.match(error.code, /^(EINVAL|DB_OLD_VERSION)$/);
        assert.ok(error.message.startsWith("path: "));
      }
    }),
  );
});

test("RecordBatch: what was appended, in its order, however large", () => {
  const record = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }));
  fc.assert(
    fc.property(fc.nat(100), fc.array(record, { maxLength: 50 }), (capacity, records) => {
      const batch = new RecordBatch(capacity);
      for (let round = 0; round < 2; round++) {
        for (const [key, data] of records) batch.append(key, data);
        assert.equal(batch.count, records.length);
        assert.equal(
          batch.byteLength,
          records.reduce((sum, [key, data]) => sum + 8 + key.length + data.length, 0),
        );
        assert.deepEqual(pairsOf(batch), pairsOf(records));
        batch.clear();
        assert.deepEqual([batch.count, batch.byteLength, [...batch]], [0, 0, []]);
      }
    }),
  );
});

test("RecordBatch: reserve is room for the caller to write to", () => {
  const batch = new RecordBatch(4);
  const at = batch.reserve(3, 4);
  batch.bytes.set(bytesOf("keydata"), at);
  batch.append(bytesOf("k"), bytesOf("d"));
  assert.deepEqual(pairsOf(batch), [
    ["key", "data"],
    ["k", "d"],
  ]);
});

test("RecordBatch: nothing is left of records that were forgotten, or moved as it grew", () => {
  const batch = new RecordBatch(32);
  const small = batch.bytes;
  batch.append(bytesOf("key"), bytesOf("secret"));
  batch.append(bytesOf("key"), bytesOf("secret").subarray(0, 6));
  assert.notEqual(batch.bytes, small);
  assert.deepEqual(small, new Uint8Array(32));
  batch.clear();
  assert.ok(batch.bytes.every((byte) => byte === 0));
});

test("codes: numbers of libdb and of wasi-libc have names, others are told apart", () => {
  assert.deepEqual([-30994, -30988, -30987, -30970].map(codeName), ["DB_KEYEXIST", "DB_NOTFOUND", "DB_OLD_VERSION", "DB_VERIFY_BAD"]);
  assert.deepEqual([2, 28, 44, 51].map(codeName), ["EACCES", "EINVAL", "ENOENT", "ENOSPC"]);
  assert.deepEqual([-1, 9999].map(codeName), ["UNKNOWN_-1", "UNKNOWN_9999"]);
});

test("RecordBatch: a length that no record has is refused, and harms no other", () => {
  const batch = new RecordBatch();
  batch.append(bytesOf("key"), bytesOf("data"));
  for (const length of [Number.NaN, -1, 0.5, 2 ** 32, Number.POSITIVE_INFINITY]) {
    assert.throws(() => batch.reserve(length, 2), RangeError);
    assert.throws(() => batch.reserve(2, length), RangeError);
  }
  assert.deepEqual([batch.count, pairsOf(batch)], [1, [["key", "data"]]]);
});

test("codes: an error of the file system comes back with its own code; anything else is EIO", () => {
  for (const code of ["EACCES", "EEXIST", "EISDIR", "EMFILE", "ENOENT", "ENOSPC", "EROFS", "EDQUOT", "EXDEV"]) {
    assert.equal(codeName(errnoOf(Object.assign(new Error(), { code }))), code);
    // As that of another realm is: no Error of ours.
    assert.equal(codeName(errnoOf({ code })), code);
  }
  for (const other of [
    new Error("x"),
    Object.assign(new Error(), { code: "ERR_INVALID_ARG_TYPE" }),
    "text",
    undefined,
    null,
    { code: "toString" },
    { code: 7 },
  ]) {
    assert.equal(codeName(errnoOf(other)), "EIO");
  }
});

test("BerkeleyDBError: a message of the path, what happened and what libdb said, of which only the first lines", () => {
  const error = new BerkeleyDBError("what happened", { code: "EIO", operation: "DB->put", path: "a", detail: "1\n2\n3\n4\n5", cause: 7 });
  assert.equal(error.message, "a: what happened (1; 2; 3; and 2 more)");
  assert.deepEqual([error.code, error.operation, error.path, error.detail, error.cause], ["EIO", "DB->put", "a", "1\n2\n3\n4\n5", 7]);
  const bare = new BerkeleyDBError("what happened", { code: "EIO", operation: "DB->put" });
  assert.equal(bare.message, "what happened");
  assert.deepEqual([bare.path, bare.detail, "cause" in bare], [undefined, "", false]);
});
