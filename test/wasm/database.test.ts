/**
 * Database: every function, in hash and btree files, over both file systems.
 */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  BerkeleyDBError,
  Database,
  type DatabaseType,
  type FileHandle,
  type FileSystem,
  MemoryFileSystem,
  nodeFileSystem,
  type OpenFlags,
  type OpenOptions,
  RecordBatch,
} from "berkeley-db-js";
import { bytesOf, maybeTextOf, pairsOf, sha256, sortedPairs, textOf } from "../support/bytes.ts";
import { BYTE_ORDERS, memoryPlace, overBoth, type Place, readAll, TYPES } from "../support/databases.ts";
import { isRoot, NOBODY } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const b = bytesOf;

function make(place: Place, type: DatabaseType, options: OpenOptions = {}): Database {
  return Database.open(place.at("a"), { type, create: true, fileSystem: place.fileSystem, ...options });
}

function reopen(place: Place, options: OpenOptions = {}): Database {
  return Database.open(place.at("a"), { fileSystem: place.fileSystem, ...options });
}

interface Expected {
  readonly code: string;
  readonly operation: string;
  readonly path?: string | undefined;
  readonly detail?: RegExp;
  readonly cause?: string;
}

/** A BerkeleyDBError with all of its properties. */
function failure({ code, operation, path, detail = /^$/, cause }: Expected): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof BerkeleyDBError, String(error));
    assert.ok(error instanceof Error);
    assert.equal(error.name, "BerkeleyDBError");
    assert.equal(error.code, code);
    assert.equal(error.operation, operation);
    assert.equal(error.path, path);
    assert.match(error.detail, detail);
    if (path !== undefined) assert.ok(error.message.startsWith(`${path}: `), error.message);
    assert.equal((error.cause as { code?: string } | undefined)?.code, cause);
    return true;
  };
}

for (const type of TYPES) {
  overBoth(`${type}: what was put is there, and after reopening too`, (place) => {
    {
      using database = make(place, type);
      assert.equal(database.type, type);
      assert.equal(database.path, place.at("a"));
      assert.equal(database.duplicates, false);
      database.put(b("one"), b("1"));
      database.put(b("two"), b("2"));
      database.put(b("one"), b("changed"));
      assert.equal(maybeTextOf(database.get(b("one"))), "changed");
      assert.equal(database.get(b("three")), undefined);
      assert.equal(database.has(b("two")), true);
      assert.equal(database.has(b("three")), false);
    }
    using database = reopen(place);
    assert.equal(database.type, type);
    assert.deepEqual(sortedPairs(pairsOf(database)), [
      ["one", "changed"],
      ["two", "2"],
    ]);
    assert.equal(database.delete(b("one")), true);
    assert.equal(database.delete(b("one")), false);
    assert.equal(database.get(b("one")), undefined);
    assert.equal(database.count(), 1);
  });

  overBoth(`${type}: empty keys, empty data, NUL and every other byte`, (place) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const records: [Uint8Array, Uint8Array][] = [
      [b(""), b("of the empty key")],
      [b("empty"), b("")],
      [b("\0"), b("\0\0")],
      [b("a\0b"), all],
      [all, b("a\0")],
    ];
    {
      using database = make(place, type);
      for (const [key, data] of records) database.put(key, data);
    }
    using database = reopen(place);
    for (const [key, data] of records) assert.deepEqual(database.get(key), data);
    assert.deepEqual(sortedPairs(pairsOf(database)), sortedPairs(pairsOf(records)));
    assert.equal(database.delete(b("")), true);
    assert.equal(database.get(b("")), undefined);
    assert.equal(database.count(), 4);
  });

  overBoth(`${type}: keys and data longer than a page`, (place) => {
    const long = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 8)) & 0xff);
    const records: [Uint8Array, Uint8Array][] = [
      [b("data"), long(1_000_000, 7)],
      [long(10_000, 3), b("key")],
      [long(20_000, 5), long(30_000, 11)],
      [b("one byte off a page"), long(4096 - 26 + 1, 13)],
    ];
    {
      using database = make(place, type);
      for (const [key, data] of records) database.put(key, data);
      assert.ok(database.stat().overflowPages > 250);
    }
    using database = reopen(place);
    for (const [key, data] of records) assert.deepEqual(database.get(key), data);
    database.put(b("data"), b("short"));
    assert.equal(maybeTextOf(database.get(b("data"))), "short");
    assert.equal(database.count(), 4);
  });

  overBoth(`${type}: "insert" refuses a key that is there`, (place) => {
    using database = make(place, type);
    database.put(b("key"), b("first"), "insert");
    assert.throws(
      () => database.put(b("key"), b("second"), "insert"),
      failure({ code: "DB_KEYEXIST", operation: "DB->put", path: place.at("a") }),
    );
    assert.equal(maybeTextOf(database.get(b("key"))), "first");
  });

  overBoth(`${type}: unsorted duplicates keep the order in which they came`, (place) => {
    {
      using database = make(place, type, { duplicates: "unsorted" });
      assert.equal(database.duplicates, "unsorted");
      for (const data of ["3", "1", "2", "1"]) database.put(b("key"), b(data), "duplicate");
      database.put(b("other"), b("x"), "duplicate");
    }
    using database = reopen(place);
    assert.equal(database.duplicates, "unsorted");
    const ofKey = (): string[] => pairsOf(database).flatMap(([key, data]) => (key === "key" ? [data] : []));
    assert.deepEqual(ofKey(), ["3", "1", "2", "1"]);
    assert.equal(maybeTextOf(database.get(b("key"))), "3");
    assert.throws(() => database.put(b("key"), b("4"), "insert"), { code: "DB_KEYEXIST" });
    database.put(b("key"), b("only"), "replace");
    assert.deepEqual(ofKey(), ["only"]);
    database.put(b("key"), b("again"), "duplicate");
    assert.equal(database.count(), 3);
    assert.equal(database.delete(b("key")), true);
    assert.deepEqual(pairsOf(database), [["other", "x"]]);
  });

  overBoth(`${type}: sorted duplicates are in the order of their bytes, each once`, (place) => {
    {
      using database = make(place, type, { duplicates: "sorted" });
      assert.equal(database.duplicates, "sorted");
      for (const data of ["b", "\xff", "ab", "", "a"]) database.put(b("key"), b(data), "duplicate");
      assert.throws(
        () => database.put(b("key"), b("ab"), "duplicate"),
        failure({ code: "DB_KEYEXIST", operation: "DB->put", path: place.at("a"), detail: /^BDB0696 / }),
      );
    }
    using database = reopen(place);
    assert.equal(database.duplicates, "sorted");
    assert.deepEqual(
      pairsOf(database).map(([, data]) => data),
      ["", "a", "ab", "b", "\xff"],
    );
    assert.throws(() => database.put(b("key"), b("c"), "insert"), { code: "DB_KEYEXIST" });
    database.put(b("key"), b("only"), "replace");
    assert.deepEqual(pairsOf(database), [["key", "only"]]);
  });

  overBoth(`${type}: so many duplicates of a key that they have pages of their own`, (place) => {
    for (const duplicates of ["unsorted", "sorted"] as const) {
      using database = make(place, type, { duplicates, truncate: true, pageSize: 512 });
      const data = Array.from({ length: 500 }, (_, i) => `data ${String((i * 7919) % 500).padStart(3, "0")}`);
      for (const text of data) database.put(b("key"), b(text), "duplicate");
      const expected = duplicates === "sorted" ? data.toSorted() : data;
      assert.deepEqual(
        pairsOf(database).map(([, text]) => text),
        expected,
      );
      assert.ok(database.stat().duplicatePages > 0);
    }
  });

  overBoth(`${type}: putMany stores a batch, and tells which keys were refused`, (place) => {
    using database = make(place, type);
    const batch = new RecordBatch();
    for (const [key, data] of [
      ["a", "1"],
      ["b", "2"],
      ["a", "3"],
      ["", ""],
      ["", "4"],
    ] as const) {
      batch.append(b(key), b(data));
    }
    assert.deepEqual(database.putMany(batch, "insert"), new Uint32Array([2, 4]));
    const first = [
      ["", ""],
      ["a", "1"],
      ["b", "2"],
    ];
    assert.deepEqual(sortedPairs(pairsOf(database)), first);
    assert.deepEqual(database.putMany(batch, "insert"), new Uint32Array([0, 1, 2, 3, 4]));
    assert.deepEqual(sortedPairs(pairsOf(database)), first);
    assert.deepEqual(database.putMany(batch), new Uint32Array());
    assert.deepEqual(sortedPairs(pairsOf(database)), [
      ["", "4"],
      ["a", "3"],
      ["b", "2"],
    ]);
    batch.clear();
    assert.deepEqual(database.putMany(batch), new Uint32Array());
    assert.equal(database.count(), 3);
  });

  overBoth(`${type}: putMany of duplicates`, (place) => {
    for (const duplicates of ["unsorted", "sorted"] as const) {
      using database = make(place, type, { duplicates, truncate: true });
      const batch = new RecordBatch();
      for (const data of ["2", "1", "2"]) batch.append(b("key"), b(data));
      assert.throws(() => database.putMany(batch), TypeError);
      assert.deepEqual(database.putMany(batch, "duplicate"), new Uint32Array(duplicates === "sorted" ? [2] : []));
      assert.deepEqual(
        pairsOf(database).map(([, data]) => data),
        duplicates === "sorted" ? ["1", "2"] : ["2", "1", "2"],
      );
      assert.deepEqual(database.putMany(batch, "insert"), new Uint32Array([0, 1, 2]));
    }
  });

  overBoth(`${type}: a batch gives the bytes that the same puts give`, (place) => {
    const records = Array.from({ length: 3000 }, (_, i) => [b(`key ${(i * 7919) % 3000}`), b(`data ${i}`.repeat(i % 9))] as const);
    const batch = new RecordBatch(0);
    for (const [key, data] of records) batch.append(key, data);
    for (const name of ["a", "b"]) {
      using database = Database.open(place.at(name), { type, create: true, fileSystem: place.fileSystem });
      if (name === "a") database.putMany(batch);
      else for (const [key, data] of records) database.put(key, data);
    }
    assert.equal(sha256(readAll(place.fileSystem, place.at("a"))), sha256(readAll(place.fileSystem, place.at("b"))));
  });

  overBoth(`${type}: the settings of a new file`, (place) => {
    for (const byteOrder of BYTE_ORDERS) {
      for (const pageSize of [512, 4096, 65536]) {
        const fileId = Uint8Array.from({ length: 20 }, (_, i) => i + 1);
        const settings = type === "hash" ? { fillFactor: 10, hashElements: 100 } : { minimumKeys: 4 };
        make(place, type, { byteOrder, pageSize, fileId, truncate: true, ...settings }).close();
        const bytes = readAll(place.fileSystem, place.at("a"));
        const view = new DataView(bytes.buffer);
        assert.equal(view.getUint32(12, byteOrder === "little"), type === "hash" ? 0x061561 : 0x053162);
        assert.equal(view.getUint32(16, byteOrder === "little"), 9);
        assert.equal(view.getUint32(20, byteOrder === "little"), pageSize);
        assert.deepEqual(bytes.slice(52, 72), fileId);
        using database = reopen(place, { readOnly: true });
        const stat = database.stat();
        assert.equal(stat.pageSize, pageSize);
        assert.equal(stat.pages, bytes.length / pageSize);
        if (type === "hash") assert.deepEqual([stat.fillFactor, stat.buckets], [10, 16]);
        else assert.equal(stat.minimumKeys, 4);
      }
    }
  });

  overBoth(`${type}: an existing file keeps its settings, whatever is asked for`, (place) => {
    make(place, type, { byteOrder: "big", pageSize: 1024, fileId: new Uint8Array(20).fill(5) }).close();
    const before = readAll(place.fileSystem, place.at("a"));
    reopen(place, { byteOrder: "little", pageSize: 8192, fileId: new Uint8Array(20).fill(6), type, create: true }).close();
    assert.deepEqual(readAll(place.fileSystem, place.at("a")), before);
  });

  overBoth(`${type}: stat counts what is there`, (place) => {
    using database = make(place, type, { duplicates: "unsorted" });
    for (let i = 0; i < 1000; i++) database.put(b(`key ${i % 500}`), b(`data ${i}`), "duplicate");
    const fast = database.stat({ fast: true });
    assert.deepEqual([fast.type, fast.version, fast.duplicates, fast.pageSize], [type, 9, "unsorted", 4096]);
    const stat = database.stat();
    assert.deepEqual([stat.keys, stat.records], [500, 1000]);
    assert.ok(stat.bytesFree > 0);
    if (type === "hash") {
      assert.ok((stat.buckets ?? 0) > 1 && stat.bucketOverflows !== undefined);
      assert.deepEqual([stat.levels, stat.leafPages], [undefined, undefined]);
    } else {
      assert.deepEqual([stat.levels, stat.internalPages], [2, 1]);
      assert.deepEqual([stat.buckets, stat.fillFactor], [undefined, undefined]);
      assert.equal(stat.pages, 1 + (stat.internalPages ?? 0) + (stat.leafPages ?? 0));
    }
    database.sync();
    assert.equal(stat.pages * 4096, readAll(place.fileSystem, place.at("a")).length);
  });

  overBoth(`${type}: compact gives pages back`, (place) => {
    using database = make(place, type);
    for (let i = 0; i < 2000; i++) database.put(b(`key ${i}`), b("x".repeat(100)));
    database.sync();
    const before = readAll(place.fileSystem, place.at("a")).length;
    for (let i = 0; i < 2000; i++) if (i % 10 !== 0) database.delete(b(`key ${i}`));
    const given = database.compact();
    database.sync();
    const after = readAll(place.fileSystem, place.at("a")).length;
    assert.ok(given > 0, `${given} pages`);
    assert.equal(before - after, given * 4096);
    assert.equal(database.count(), 200);
    for (let i = 0; i < 2000; i += 10) assert.ok(database.has(b(`key ${i}`)));
  });

  overBoth(`${type}: sync puts everything in the file`, (place) => {
    using database = make(place, type);
    for (let i = 0; i < 100; i++) database.put(b(`key ${i}`), b(`data ${i}`));
    database.sync();
    using other = Database.open(readAll(place.fileSystem, place.at("a")));
    assert.deepEqual(pairsOf(other), pairsOf(database));
    assert.equal(other.count(), 100);
  });

  overBoth(`${type}: setFileId`, (place) => {
    const fileId = Uint8Array.from({ length: 20 }, (_, i) => 255 - i);
    using database = make(place, type, { byteOrder: "big" });
    database.setFileId(fileId);
    database.sync();
    assert.deepEqual(readAll(place.fileSystem, place.at("a")).slice(52, 72), fileId);
  });

  overBoth(`${type}: open for reading, nothing can be changed and the file is not touched`, (place) => {
    {
      using database = make(place, type, { duplicates: "unsorted" });
      database.put(b("key"), b("data"));
    }
    const before = readAll(place.fileSystem, place.at("a"));
    using database = reopen(place, { readOnly: true });
    const path = place.at("a");
    const batch = new RecordBatch();
    batch.append(b("key"), b("data"));
    const refused = (operation: string): Expected => ({ code: "EACCES", operation, path, detail: /read-only/ });
    assert.throws(() => database.put(b("key"), b("x"), "duplicate"), failure(refused("DB->put")));
    assert.throws(() => database.delete(b("key")), failure(refused("DB->del")));
    assert.throws(() => database.compact(), failure(refused("DB->compact")));
    assert.throws(() => database.setFileId(new Uint8Array(20)), failure(refused("DB->set_file_id")));
    assert.throws(() => database.putMany(batch, "duplicate"), BerkeleyDBError);
    const cursor = database.cursor();
    cursor.first();
    assert.throws(() => cursor.delete(), failure(refused("DBcursor->del")));
    assert.throws(() => cursor.replace(b("x")), failure(refused("DBcursor->put")));
    assert.throws(() => cursor.put(b("x"), b("x")), failure(refused("DBcursor->put")));
    database.sync();
    assert.equal(database.stat().records, 1);
    assert.equal(database.count(), 1);
    assert.deepEqual(pairsOf(database), [["key", "data"]]);
    database.close();
    assert.deepEqual(readAll(place.fileSystem, place.at("a")), before);
  });

  test(`${type}: open for reading, the file system is asked for nothing but reading`, () => {
    const memory = new MemoryFileSystem();
    Database.open("a", { type, create: true, fileSystem: memory }).close();
    const asked: string[] = [];
    using database = Database.open("a", {
      readOnly: true,
      fileSystem: {
        open(path, flags, mode) {
          asked.push(...Object.entries(flags).flatMap(([name, value]) => (value === true ? [name] : [])));
          return memory.open(path, flags, mode);
        },
        stat: (path) => memory.stat(path),
        rename: () => assert.fail(),
        unlink: () => assert.fail(),
      },
    });
    assert.deepEqual([...database], []);
    database.stat();
    database.close();
    assert.deepEqual(asked, []);
  });

  test(`${type}: a database of bytes`, () => {
    const database = Database.open(new Uint8Array(), { type });
    assert.equal(database.path, undefined);
    database.put(b("key"), b("data"));
    const bytes = database.toBytes();
    database.put(b("key"), b("later"));
    database.close();
    const last = database.toBytes();
    assert.throws(() => database.get(b("key")), TypeError);
    using first = Database.open(bytes);
    assert.equal(maybeTextOf(first.get(b("key"))), "data");
    first.put(b("key"), b("changed"));
    using again = Database.open(bytes);
    assert.equal(maybeTextOf(again.get(b("key"))), "data", "the bytes given are copied");
    using second = Database.open(last);
    assert.equal(maybeTextOf(second.get(b("key"))), "later");
  });

  test(`${type}: bytes that come out are copies, and those that go in are not kept`, () => {
    using database = Database.open(new Uint8Array(), { type });
    const key = b("key");
    const data = b("data");
    database.put(key, data);
    key.fill(0);
    data.fill(0);
    const got = database.get(b("key"));
    got?.fill(0);
    assert.equal(maybeTextOf(database.get(b("key"))), "data");
    for (const [k, d] of database) {
      k.fill(0);
      d.fill(0);
    }
    assert.deepEqual(pairsOf(database), [["key", "data"]]);
  });

  test(`${type}: a cache larger or smaller than the file makes no difference to its bytes`, () => {
    const bytes = [20480, 1 << 20, 64 << 20].map((cacheSize) => {
      using database = Database.open(new Uint8Array(), { type, cacheSize });
      for (let i = 0; i < 5000; i++) database.put(b(`key ${(i * 7919) % 5000}`), b(`data ${i}`));
      return sha256(database.toBytes());
    });
    assert.equal(new Set(bytes).size, 1);
  });
}

test("count and iteration of an empty database", () => {
  for (const type of TYPES) {
    using database = Database.open(new Uint8Array(), { type });
    assert.equal(database.count(), 0);
    assert.deepEqual([...database], []);
    assert.deepEqual([...database.records("backward")], []);
    assert.equal(database.compact(), 0);
    assert.deepEqual([database.stat().keys, database.stat().records], [0, 0]);
    assert.equal(database.delete(b("")), false);
  }
});

test("records backward are those forward, reversed", () => {
  for (const type of TYPES) {
    using database = Database.open(new Uint8Array(), { type, duplicates: "unsorted" });
    for (let i = 0; i < 5000; i++) database.put(b(`key ${i % 1700}`), b(`data ${i}`.repeat(1 + (i % 40))), "duplicate");
    const forward = pairsOf(database);
    assert.equal(forward.length, 5000);
    assert.deepEqual(pairsOf(database.records("backward")), forward.toReversed());
  }
});

test("an iteration that is left early closes its cursor", () => {
  using database = Database.open(new Uint8Array(), { type: "hash" });
  database.put(b("key"), b("data"));
  for (let i = 0; i < 10_000; i++) {
    for (const [key] of database) {
      assert.equal(textOf(key), "key");
      break;
    }
  }
  database.close();
});

test("libraryVersion", () => {
  assert.equal(Database.libraryVersion, "5.3.28");
});

overBoth("open: what is not there", (place) => {
  const path = place.at("none");
  assert.throws(
    () => Database.open(path, { fileSystem: place.fileSystem }),
    failure({ code: "ENOENT", operation: "DB->open", path, cause: "ENOENT" }),
  );
  assert.throws(
    () => Database.open(path, { fileSystem: place.fileSystem, readOnly: true }),
    failure({ code: "ENOENT", operation: "DB->open", path, cause: "ENOENT" }),
  );
  assert.throws(() => place.fileSystem.stat(path), { code: "ENOENT" });
});

overBoth("open: create, exclusive and truncate", (place) => {
  const { fileSystem } = place;
  const path = place.at("a");
  const create = { type: "hash", create: true, fileSystem } as const;
  {
    using database = Database.open(path, { ...create, exclusive: true });
    database.put(b("key"), b("data"));
  }
  const before = readAll(fileSystem, path);
  for (const options of [{}, { truncate: true }]) {
    assert.throws(
      () => Database.open(path, { ...create, ...options, exclusive: true }),
      failure({ code: "EEXIST", operation: "DB->open", path }),
    );
    assert.deepEqual(readAll(fileSystem, path), before);
  }
  Database.open(path, create).close();
  assert.deepEqual(readAll(fileSystem, path), before);
  {
    using database = Database.open(path, { type: "btree", truncate: true, fileSystem });
    assert.equal(database.type, "btree");
    assert.equal(database.count(), 0);
  }
  using database = Database.open(path, { fileSystem });
  assert.equal(database.type, "btree");
});

overBoth("open: truncate makes a database of what was none, and leaves no second file", (place) => {
  const { fileSystem } = place;
  const file = fileSystem.open(place.at("a"), { write: true, create: true }, 0o640);
  file.write(new Uint8Array(100_000).fill(7), 0);
  file.close();
  assert.throws(() => Database.open(place.at("a"), { type: "hash", create: true, fileSystem }), { code: "EINVAL" });
  {
    using database = Database.open(place.at("a"), { type: "hash", truncate: true, fileSystem });
    database.put(b("key"), b("data"));
  }
  assert.equal(fileSystem.stat(place.at("a")).size, 12288);
  assert.deepEqual(Database.verify(place.at("a"), { fileSystem }), []);
});

overBoth("open: of another type", (place) => {
  make(place, "hash").close();
  assert.throws(
    () => reopen(place, { type: "btree" }),
    failure({ code: "EINVAL", operation: "DB->open", path: place.at("a"), detail: /unexpected file type or format/ }),
  );
});

overBoth("open: what is no database", (place) => {
  const { fileSystem } = place;
  for (const content of [new Uint8Array(0), b("text"), new Uint8Array(4096), new Uint8Array(12288).fill(0x61)]) {
    const file = fileSystem.open(place.at("a"), { write: true, create: true, truncate: true }, 0o600);
    file.write(content, 0);
    file.close();
    for (const options of [{}, { readOnly: true }]) {
      assert.throws(() => reopen(place, options), failure({ code: "EINVAL", operation: "DB->open", path: place.at("a") }));
      if (content.length > 0) assert.throws(() => Database.open(content, options), failure({ code: "EINVAL", operation: "DB->open" }));
    }
    assert.deepEqual(readAll(fileSystem, place.at("a")), content);
    assert.notDeepEqual(Database.verify(place.at("a"), { fileSystem }), []);
    assert.notDeepEqual(Database.verify(content), []);
  }
  assert.throws(
    () => Database.open(new Uint8Array(), { type: "hash", readOnly: true }),
    failure({ code: "EINVAL", operation: "DB->open" }),
  );
});

test("open: a folder, and a folder that is not there", (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "folder"));
  const path = join(folder, "folder");
  assert.throws(() => Database.open(path), failure({ code: "EISDIR", operation: "DB->open", path, cause: "EISDIR" }));
  assert.throws(
    () => Database.open(path, { type: "hash", truncate: true }),
    failure({ code: "EISDIR", operation: "DB->open", path, detail: /^.*$/, cause: "EISDIR" }),
  );
  const inside = join(folder, "none", "a");
  assert.throws(
    () => Database.open(inside, { type: "hash", create: true }),
    failure({ code: "ENOENT", operation: "DB->open", path: inside, detail: /^.*$/, cause: "ENOENT" }),
  );
});

test("open: a file of whose permissions we have none", (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "a");
  writeFileSync(path, "x");
  chmodSync(path, 0);
  chmodSync(folder, 0o755);
  // Root may read everything, and be somebody else meanwhile.
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    assert.throws(() => Database.open(path), failure({ code: "EACCES", operation: "DB->open", path, cause: "EACCES" }));
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test("open: a file system that refuses is told with its code and its error", () => {
  const fileSystem = memoryPlace().fileSystem;
  for (const code of ["EACCES", "EROFS", "EMFILE", "ELOOP"]) {
    const cause = Object.assign(new Error(`${code}: refused`), { code });
    const refusing = {
      open: (): never => {
        throw cause;
      },
      stat: (path: string) => fileSystem.stat(path),
      rename: () => assert.fail(),
      unlink: () => assert.fail(),
    };
    assert.throws(
      () => Database.open("a", { type: "hash", create: true, fileSystem: refusing }),
      (error: unknown) => error instanceof BerkeleyDBError && error.code === code && error.cause === cause,
    );
  }
});

test("open: a file is made with the mode asked for, 0600 if none is", (t) => {
  const folder = temporaryFolder(t);
  for (const [name, options, mode] of [
    ["default", {}, 0o600],
    ["group", { mode: 0o640 }, 0o640],
    ["all", { mode: 0o644 }, 0o644],
  ] as const) {
    Database.open(join(folder, name), { type: "hash", create: true, ...options }).close();
    assert.equal(statSync(join(folder, name)).mode & 0o7777, mode);
    Database.open(join(folder, name), { type: "hash", truncate: true, mode: 0o666 }).close();
    assert.equal(statSync(join(folder, name)).mode & 0o7777, mode, "a file that is there keeps its own");
  }
});

test("open: a DB_CONFIG beside the file, or in the current folder, is not read", (t) => {
  const folder = temporaryFolder(t);
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(folder);
  mkdirSync("elsewhere");
  writeFileSync("DB_CONFIG", "set_data_dir elsewhere\nset_cachesize nonsense\n");
  Database.open("a", { type: "hash", create: true }).close();
  assert.ok(existsSync("a") && !existsSync("elsewhere/a"));
});

test("options that cannot be", () => {
  const { fileSystem } = memoryPlace();
  const wrong: [object, ErrorConstructor][] = [
    [{ type: "heap" }, TypeError],
    [{ create: true }, TypeError],
    [{ truncate: true }, TypeError],
    [{ type: "hash", readOnly: true, create: true }, TypeError],
    [{ type: "hash", readOnly: true, truncate: true }, TypeError],
    [{ type: "hash", create: true, byteOrder: "middle" }, TypeError],
    [{ type: "hash", create: true, duplicates: true }, TypeError],
    [{ type: "hash", create: true, duplicates: "any" }, TypeError],
    [{ type: "hash", create: true, pageSize: 256 }, RangeError],
    [{ type: "hash", create: true, pageSize: 131072 }, RangeError],
    [{ type: "hash", create: true, pageSize: 5000 }, RangeError],
    [{ type: "hash", create: true, pageSize: 512.5 }, TypeError],
    [{ type: "hash", create: true, pageSize: "4096" }, TypeError],
    [{ type: "hash", create: true, pageSize: Number.NaN }, TypeError],
    [{ type: "hash", create: true, cacheSize: 20479 }, RangeError],
    [{ type: "hash", create: true, cacheSize: 2 ** 31 }, RangeError],
    [{ type: "hash", create: true, mode: -1 }, RangeError],
    [{ type: "hash", create: true, mode: 0o10000 }, RangeError],
    [{ type: "hash", create: true, hashElements: -1 }, RangeError],
    [{ type: "hash", create: true, fillFactor: 2 ** 32 }, RangeError],
    [{ type: "hash", create: true, hashElements: 2 ** 31 + 1, fillFactor: 1 }, RangeError],
    [{ type: "hash", create: true, hashElements: 2 ** 32 - 1, fillFactor: 1 }, RangeError],
    [{ type: "btree", create: true, minimumKeys: 1 }, RangeError],
    [{ type: "hash", create: true, fileId: "x" }, TypeError],
    [{ type: "hash", create: true, fileId: new Uint8Array(19) }, RangeError],
  ];
  for (const [options, kind] of wrong) {
    assert.throws(() => Database.open("a", { ...options, fileSystem }), kind, JSON.stringify(options));
    assert.throws(() => fileSystem.stat("a"), { code: "ENOENT" }, JSON.stringify(options));
  }
  assert.throws(() => Database.open("", { fileSystem }), TypeError);
  assert.throws(() => Database.open("a\0b", { type: "hash", create: true, fileSystem }), TypeError);
  assert.throws(() => Database.open(undefined as unknown as string), TypeError);
  assert.throws(() => Database.open([] as unknown as Uint8Array), TypeError);
  assert.throws(() => Database.open(new Uint8Array()), TypeError);
  assert.throws(() => Database.verify(null as unknown as string), TypeError);
  assert.throws(() => Database.upgrade(7 as unknown as string), TypeError);
});

test("arguments that cannot be", () => {
  using database = Database.open(new Uint8Array(), { type: "btree" });
  const cursor = database.cursor();
  const bytes = b("x");
  for (const wrong of ["text", undefined, null, 7, [1], new ArrayBuffer(1)] as unknown as Uint8Array[]) {
    for (const call of [
      () => database.get(wrong),
      () => database.has(wrong),
      () => database.put(wrong, bytes),
      () => database.put(bytes, wrong),
      () => database.delete(wrong),
      () => database.setFileId(wrong),
      () => cursor.set(wrong),
      () => cursor.setRange(wrong),
      () => cursor.setBoth(wrong, bytes),
      () => cursor.setBoth(bytes, wrong),
      () => cursor.put(wrong, bytes),
      () => cursor.put(bytes, wrong),
      () => cursor.replace(wrong),
      () => cursor.insertAfter(wrong),
      () => cursor.insertBefore(wrong),
      () => new RecordBatch().append(wrong, bytes),
      () => new RecordBatch().append(bytes, wrong),
    ]) {
      // An argument left out is the same as undefined, which `set` has no use for either.
      assert.throws(call, TypeError, `${call} of ${String(wrong)}`);
    }
  }
  assert.throws(() => database.put(bytes, bytes, "append" as "insert"), TypeError);
  assert.throws(() => database.put(bytes, bytes, "duplicate"), TypeError);
  assert.throws(() => database.putMany(new RecordBatch(), "duplicate"), TypeError);
  assert.throws(() => database.putMany(new RecordBatch(), "append" as "insert"), TypeError);
  assert.throws(() => database.setFileId(new Uint8Array(21)), RangeError);
  assert.equal(database.count(), 0);
});

test("toBytes of a database in a file", (t) => {
  using inFile = Database.open(join(temporaryFolder(t), "a"), { type: "hash", create: true });
  assert.throws(() => inFile.toBytes(), TypeError);
  using inMemory = Database.open("a", { type: "hash", create: true, fileSystem: new MemoryFileSystem() });
  assert.throws(() => inMemory.toBytes(), TypeError);
});

test("after close every call is a TypeError, and closing again is nothing", () => {
  for (const type of TYPES) {
    const database = Database.open("a", { type, create: true, fileSystem: new MemoryFileSystem() });
    database.put(b("key"), b("data"));
    const cursor = database.cursor();
    cursor.first();
    const iteration = database.records();
    iteration.next();
    const ahead = cursor.records();
    database.close();
    database.close();
    database[Symbol.dispose]();
    const batch = new RecordBatch();
    batch.append(b("x"), b("y"));
    for (const call of [
      () => database.get(b("key")),
      () => database.has(b("key")),
      () => database.put(b("key"), b("data")),
      () => database.putMany(batch),
      () => database.delete(b("key")),
      () => database.cursor(),
      () => database.records().next(),
      () => [...database],
      () => database.count(),
      () => database.stat(),
      () => database.stat({ fast: true }),
      () => database.compact(),
      () => database.setFileId(new Uint8Array(20)),
      () => database.sync(),
      () => cursor.first(),
      () => cursor.last(),
      () => cursor.next(),
      () => cursor.previous(),
      () => cursor.nextDuplicate(),
      () => cursor.previousDuplicate(),
      () => cursor.nextKey(),
      () => cursor.previousKey(),
      () => cursor.current(),
      () => cursor.set(b("key")),
      () => cursor.setRange(b("key")),
      () => cursor.setBoth(b("key"), b("data")),
      () => cursor.replace(b("x")),
      () => cursor.insertBefore(b("x")),
      () => cursor.insertAfter(b("x")),
      () => cursor.put(b("x"), b("y")),
      () => cursor.delete(),
      () => cursor.count(),
      () => ahead.next(),
    ]) {
      assert.throws(call, TypeError, String(call));
    }
    assert.equal(database.type, type);
    assert.equal(database.path, "a");
    cursor.close();
    cursor[Symbol.dispose]();
  }
});

test("upgrade of what is no older version", () => {
  using database = Database.open(new Uint8Array(), { type: "hash" });
  database.put(b("key"), b("data"));
  const bytes = database.toBytes();
  const upgraded = Database.upgrade(bytes);
  assert.deepEqual(upgraded, bytes);
  assert.throws(() => Database.upgrade(b("text")), BerkeleyDBError);
  assert.throws(() => Database.upgrade(new Uint8Array()), BerkeleyDBError);
  assert.throws(
    () => Database.upgrade("none", { fileSystem: new MemoryFileSystem() }),
    failure({ code: "ENOENT", operation: "DB->upgrade", path: "none", detail: /^.*$/, cause: "ENOENT" }),
  );
});

overBoth("verify only reads, and names what it cannot read", (place) => {
  make(place, "hash").close();
  const { fileSystem } = place;
  const asked: boolean[] = [];
  const watching: FileSystem = {
    open(path, flags, mode) {
      asked.push(flags.write);
      return fileSystem.open(path, flags, mode);
    },
    stat: (path) => fileSystem.stat(path),
    rename: () => assert.fail(),
    unlink: () => assert.fail(),
  };
  assert.deepEqual(Database.verify(place.at("a"), { fileSystem: watching }), []);
  assert.ok(asked.length > 0 && !asked.includes(true));
  const path = place.at("none");
  assert.throws(
    () => Database.verify(path, { fileSystem }),
    failure({ code: "ENOENT", operation: "DB->verify", path, detail: /^.*$/, cause: "ENOENT" }),
  );
});

test("nodeFileSystem is the default for a path", (t) => {
  const path = join(temporaryFolder(t), "a");
  Database.open(path, { type: "hash", create: true }).close();
  assert.equal(nodeFileSystem.stat(path).size, 12288);
});

test("a file system that calls the database which is calling it is told so, and nothing is harmed", () => {
  const inner = new MemoryFileSystem();
  let database: Database | undefined;
  const told: unknown[] = [];
  const callBack = (what: (database: Database) => void): void => {
    try {
      if (database !== undefined) what(database);
    } catch (error) {
      told.push(error);
    }
  };
  const fileSystem = {
    open: (path: string, flags: OpenFlags, mode: number): FileHandle => {
      const file = inner.open(path, flags, mode);
      return {
        read: (bytes, offset) => {
          callBack((one) => one.get(bytesOf("key 1")));
          callBack((one) => one.close());
          return file.read(bytes, offset);
        },
        write: (bytes, offset) => {
          callBack((one) => one.put(bytesOf("from within"), bytesOf("x")));
          file.write(bytes, offset);
        },
        truncate: (size) => file.truncate(size),
        sync: () => file.sync(),
        size: () => file.size(),
        close: () => file.close(),
      };
    },
    stat: (path: string) => inner.stat(path),
    unlink: (path: string) => inner.unlink(path),
    rename: (from: string, to: string) => inner.rename(from, to),
  };
  database = Database.open("a", { type: "btree", create: true, pageSize: 512, cacheSize: 20480, fileSystem });
  for (let round = 0; round < 2; round++) for (let i = 0; i < 500; i++) database.put(bytesOf(`key ${i}`), bytesOf(`value ${round} ${i}`));
  database.close();
  assert.ok(told.length > 10, `${told.length}`);
  for (const error of told) assert.match(String(error), /^TypeError: the database is called from within its own FileSystem$/);
  using closed = Database.open("a", { readOnly: true, fileSystem: inner });
  assert.equal(closed.count(), 500);
  assert.equal(textOf(closed.get(bytesOf("key 499")) ?? bytesOf("")), "value 1 499");
});

test("open: whatever a file system throws is an error of ours, and its cause", () => {
  const { fileSystem } = memoryPlace();
  for (const thrown of [undefined, null, "text", { code: "ENOSPC" }]) {
    const throwing = {
      open: fileSystem.open.bind(fileSystem),
      stat: (): never => {
        throw thrown;
      },
      unlink: fileSystem.unlink.bind(fileSystem),
      rename: fileSystem.rename.bind(fileSystem),
    };
    assert.throws(
      () => Database.open("a", { type: "hash", create: true, fileSystem: throwing }),
      (error) =>
        error instanceof BerkeleyDBError &&
        error.code === (typeof thrown === "object" && thrown !== null ? "ENOSPC" : "EIO") &&
        error.cause === thrown,
    );
  }
});
