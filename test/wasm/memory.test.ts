/**
 * The module's memory: beyond 2 GiB an address comes out of it as a negative
 * number; and of what was never used nothing is touched.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Database, MemoryFileSystem } from "berkeley-db-js";
import { Engine, type Pointer } from "#wasm/engine.js";
import { bytesOf } from "../support/bytes.ts";
import { rootFolder } from "../support/fixtures.ts";

const module = new WebAssembly.Module(readFileSync(`${rootFolder}wasm/dist/engine.wasm`));
const HASH = 2;
const CREATE = 0x1;
const CACHE_SIZE = 3;

test("records, pages and paths beyond 2 GiB are what they are below", () => {
  const files = new MemoryFileSystem();
  const engine = new Engine(module, files, "a");
  const { exports } = engine;
  engine.call("db_create", [], (e) => e.bdb_create());
  engine.call("set", [], (e) => e.bdb_set(CACHE_SIZE, 1 << 20));
  // Only what is written to is taken from the machine: of these, some bytes.
  for (const length of [0x3fff_0000, 0x3fff_0000, 0x10_0000]) assert.notEqual(exports.bdb_allocate(length), 0);
  assert.ok(exports.bdb_memory_end() < 0, "not beyond 2 GiB");

  engine.withPath("a", (path) => {
    assert.ok(path > 0x7fff_ffff);
    engine.call("open", [], (e) => e.bdb_open(path, HASH, CREATE, 0o600));
  });
  const [key, data] = [bytesOf("key"), bytesOf("data".repeat(10_000))];
  const put = (at: Pointer, dataAt: Pointer): number => engine.call("put", [], (e) => e.bdb_put(at, key.length, dataAt, data.length, 0));
  engine.withBytes([key, data], 0, put);
  engine.withBytes([key], 0, (at) => engine.call("get", [], (e) => e.bdb_get(at, key.length)));
  assert.deepEqual(engine.resultData(), new Uint8Array(data));
  engine.call("close", [], (e) => e.bdb_close(0));

  using database = Database.open("a", { fileSystem: files });
  assert.deepEqual(database.get(key), new Uint8Array(data));
});

test("a large cache that stays empty takes no memory", () => {
  const before = process.memoryUsage().rss;
  using database = Database.open(new Uint8Array(), { type: "hash", cacheSize: 0x7fff_ffff });
  database.put(bytesOf("key"), bytesOf("data"));
  database.close();
  assert.ok(process.memoryUsage().rss - before < 64 << 20, `${process.memoryUsage().rss - before} bytes`);
});
