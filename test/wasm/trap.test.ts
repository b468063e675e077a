/**
 * A module that traps: the handle is dead from then on, everything else is
 * not. The module is the engine with one function made to trap.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { BerkeleyDBError, Database, loadEngine, MemoryFileSystem, RecordBatch } from "berkeley-db-js";
import { bytesOf, textOf } from "../support/bytes.ts";
import { FailingFileSystem } from "../support/failing-file-system.ts";
import { rootFolder } from "../support/fixtures.ts";
import { trapIn } from "../support/wasm-module.ts";

const engine = new Uint8Array(readFileSync(`${rootFolder}wasm/dist/engine.wasm`));
const key = bytesOf("key");
const data = bytesOf("data");

after(() => loadEngine(engine));

function trapped(operation: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof BerkeleyDBError);
    assert.equal(error.code, "ENGINE_TRAP");
    assert.equal(error.operation, operation);
    assert.equal(error.path, "a");
    assert.ok(error.cause instanceof WebAssembly.RuntimeError);
    return true;
  };
}

test("after a trap every call fails, and close does not", async () => {
  await loadEngine(trapIn(engine, "bdb_put"));
  const files = new MemoryFileSystem();
  const database = Database.open("a", { type: "btree", create: true, fileSystem: files });
  const cursor = database.cursor();
  assert.equal(database.get(key), undefined);
  assert.throws(() => database.put(key, data), trapped("DB->put"));

  const batch = new RecordBatch();
  batch.append(key, data);
  const calls: [string, () => unknown][] = [
    ["DB->get", () => database.get(key)],
    ["DB->get", () => database.has(key)],
    ["DB->put", () => database.put(key, data)],
    ["DB->put", () => database.putMany(batch)],
    ["DB->del", () => database.delete(key)],
    ["DB->cursor", () => database.cursor()],
    ["DB->cursor", () => [...database]],
    ["DBcursor->get", () => database.count()],
    ["DB->stat", () => database.stat()],
    ["DB->stat", () => database.stat({ fast: true })],
    ["DB->set_file_id", () => database.setFileId(new Uint8Array(20))],
    ["DB->sync", () => database.sync()],
    ["DBcursor->get", () => cursor.first()],
    ["DBcursor->get", () => [...cursor.records()]],
    ["DBcursor->put", () => cursor.put(key, data)],
    ["DBcursor->del", () => cursor.delete()],
    ["DBcursor->count", () => cursor.count()],
  ];
  for (const [operation, call] of calls) assert.throws(call, trapped(operation), operation);
  assert.throws(() => cursor.close(), trapped("DBcursor->close"));
  assert.throws(() => database.compact(), trapped("DB->compact"));

  database.close();
  database.close();
  assert.throws(() => database.get(key), TypeError);
  assert.throws(() => cursor.first(), TypeError);
  cursor.close();
});

test("a trap harms no other database, and closes the files", async () => {
  await loadEngine(trapIn(engine, "bdb_delete"));
  const files = new MemoryFileSystem();
  using other = Database.open("b", { type: "hash", create: true, fileSystem: files });
  let open = 0;
  const counting = new FailingFileSystem(
    {
      open(path, flags, mode) {
        const file = files.open(path, flags, mode);
        open += 1;
        return Object.assign(Object.create(file) as typeof file, {
          read: file.read.bind(file),
          write: file.write.bind(file),
          truncate: file.truncate.bind(file),
          sync: file.sync.bind(file),
          size: file.size.bind(file),
          close: () => {
            open -= 1;
            file.close();
          },
        });
      },
      stat: (path) => files.stat(path),
      rename: (from, to) => files.rename(from, to),
      unlink: (path) => files.unlink(path),
    },
    "EIO",
  );
  const database = Database.open("a", { type: "hash", create: true, fileSystem: counting });
  assert.ok(open > 0);
  assert.throws(() => database.delete(key), trapped("DB->del"));
  assert.equal(open, 0);
  other.put(key, data);
  assert.equal(textOf(other.get(key) ?? new Uint8Array()), "data");
});

for (const [name, operation] of [
  ["bdb_create", "db_create"],
  ["bdb_open", "DB->open"],
  ["bdb_type", "DB->get_type"],
] as const) {
  test(`a trap in ${name}`, async () => {
    await loadEngine(trapIn(engine, name));
    assert.throws(() => Database.open("a", { type: "hash", create: true, fileSystem: new MemoryFileSystem() }), trapped(operation));
  });
}

test("a trap in DB->close is told, and the database is closed", async () => {
  await loadEngine(trapIn(engine, "bdb_close"));
  const database = Database.open("a", { type: "hash", create: true, fileSystem: new MemoryFileSystem() });
  assert.throws(() => database.close(), trapped("DB->close"));
  database.close();
  assert.throws(() => database.get(key), TypeError);
});

test("a trap in DB->verify is a problem of the file; in DB->upgrade it is told", async () => {
  await loadEngine(engine);
  const files = new MemoryFileSystem();
  Database.open("a", { type: "hash", create: true, fileSystem: files }).close();
  await loadEngine(trapIn(engine, "bdb_verify"));
  assert.deepEqual(Database.verify("a", { fileSystem: files }), [
    "the verification stopped in the middle: what the file says leads libdb out of its memory",
  ]);
  await loadEngine(trapIn(engine, "bdb_upgrade"));
  assert.throws(() => Database.upgrade("a", { fileSystem: files }), trapped("DB->upgrade"));
});
