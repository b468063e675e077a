/**
 * Importing the package compiles nothing: the engine is compiled once, for the
 * first database.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

test("the engine is compiled when the first database is opened, and once", async (t) => {
  let compiled = 0;
  const { Module } = WebAssembly;
  WebAssembly.Module = class extends Module {
    constructor(bytes: BufferSource) {
      super(bytes);
      compiled += 1;
    }
  };
  t.after(() => {
    WebAssembly.Module = Module;
  });
  const { Database } = await import("berkeley-db-js");
  assert.equal(compiled, 0);
  for (let i = 0; i < 2; i++) {
    Database.open(new Uint8Array(), { type: "hash", create: true }).close();
    assert.equal(compiled, 1);
  }
});
