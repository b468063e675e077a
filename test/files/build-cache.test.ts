import assert from "node:assert/strict";
import { availableMemory } from "node:process";
import { test } from "node:test";
import { buildCacheSize } from "#src/files/build-cache.js";

const MEGABYTE = 1 << 20;

test("the cache is as large as the file may be, from a megabyte up", () => {
  assert.equal(buildCacheSize(10 * MEGABYTE), 10 * MEGABYTE);
  assert.equal(buildCacheSize(10 * MEGABYTE + 0.5), 10 * MEGABYTE);
  assert.equal(buildCacheSize(1), MEGABYTE);
  assert.equal(buildCacheSize(0), MEGABYTE);
});

test("it takes no more than half of the memory that is left, whatever the file", () => {
  for (const expected of [undefined, Number.POSITIVE_INFINITY, 1e15]) {
    const size = buildCacheSize(expected);
    assert.ok(size <= 0x7fff_ffff && size <= availableMemory(), `${size}`);
    assert.ok(Number.isInteger(size) && size >= MEGABYTE, `${size}`);
  }
});

test("what the user asks for counts, within what libdb takes", () => {
  assert.equal(buildCacheSize(1, 5 * MEGABYTE), 5 * MEGABYTE);
  assert.equal(buildCacheSize(1e15, 5 * MEGABYTE), 5 * MEGABYTE);
  assert.equal(buildCacheSize(undefined, -1), MEGABYTE);
  assert.equal(buildCacheSize(undefined, 1e15), 0x7fff_ffff);
});
