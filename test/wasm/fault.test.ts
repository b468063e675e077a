/**
 * A file system that fails, at every operation in turn: the failure comes out
 * as a coded error with its cause, never as a trap or a success, close() still
 * works, and what a later sync reports as done is done.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BerkeleyDBError, Database, type FileSystem, MemoryFileSystem, type OpenOptions } from "berkeley-db-js";
import { bytesOf, pairsOf, textOf } from "../support/bytes.ts";
import { TYPES } from "../support/databases.ts";
import { FailingFileSystem } from "../support/failing-file-system.ts";
import { byKey } from "../support/model.ts";

const RECORDS = 120;

/** So small that pages go out and come back all the time. */
const CACHE = 20480;

/** Data of a few lengths, some on pages of their own. */
function dataOf(i: number): Uint8Array {
  return bytesOf(`data ${i} `.padEnd(i % 10 === 0 ? 6000 : 10 + (i % 7) * 40, "d"));
}

const settings = (type: "hash" | "btree", fileSystem: FailingFileSystem): OpenOptions => ({
  type,
  fileSystem,
  cacheSize: CACHE,
  pageSize: 1024,
});

/**
 * Makes, fills, changes, walks and closes a database, and opens it again.
 * @returns the first failure: what comes after it, at the latest from close(), is of its making.
 */
function scenario(type: "hash" | "btree", fileSystem: FailingFileSystem): unknown {
  let first: unknown;
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      const error = firstOf(thrown);
      assert.ok(error instanceof BerkeleyDBError, String(error));
      assert.notEqual(error.code, "ENGINE_TRAP");
      first ??= error;
    }
  };
  let database: Database | undefined;
  attempt(() => {
    database = Database.open("a", { ...settings(type, fileSystem), create: true });
    for (let i = 0; i < RECORDS; i++) database.put(bytesOf(`key ${i}`), dataOf(i));
    database.sync();
    for (let i = 0; i < RECORDS; i += 3) database.delete(bytesOf(`key ${i}`));
    for (let i = 1; i < RECORDS; i += 3) database.get(bytesOf(`key ${i}`));
    for (const _ of database);
    database.stat();
    database.compact();
  });
  attempt(() => database?.close());
  if (first !== undefined) return first;
  attempt(() => {
    using again = Database.open("a", { readOnly: true, fileSystem, cacheSize: CACHE });
    for (const _ of again);
  });
  return first;
}

/** What `using` makes of a failure that the failure of close() follows: the first of them. */
function firstOf(error: unknown): unknown {
  return error instanceof Error && error.name === "SuppressedError" && "suppressed" in error ? firstOf(error.suppressed) : error;
}

/** How many operations a run without failures takes. */
function operationsOf(type: "hash" | "btree"): number {
  const files = new FailingFileSystem(new MemoryFileSystem(), "EIO");
  assert.equal(scenario(type, files), undefined);
  return files.operations;
}

/** Every position, or of a long run about this many. */
function positions(total: number, most: number): number[] {
  const stride = Math.max(1, Math.ceil(total / most));
  return Array.from({ length: Math.ceil(total / stride) }, (_, i) => i * stride);
}

for (const type of TYPES) {
  for (const [code, most] of [
    ["ENOSPC", 200],
    // libdb tries 100 times what fails with EIO.
    ["EIO", 50],
  ] as const) {
    test(`${type}: ${code} from every operation on`, () => {
      const total = operationsOf(type);
      assert.ok(total > 50, `${total} operations`);
      for (const position of positions(total, most)) {
        const files = new FailingFileSystem(new MemoryFileSystem(), code);
        files.failFrom = position;
        const error = scenario(type, files);
        const where = `operation ${position}, ${files.thrown[0]?.message}, gave ${String(error)}`;
        assert.ok(error instanceof BerkeleyDBError, where);
        // The second is libdb's word for a database whose pages it can no longer trust.
        assert.ok(error.code === code || error.code === "DB_RUNRECOVERY", where);
        assert.ok(files.thrown.includes(error.cause as Error), where);
      }
    });

    test(`${type}: one ${code} at every operation is told, or harms nothing`, () => {
      let told = 0;
      for (const position of positions(operationsOf(type), 200)) {
        const memory = new MemoryFileSystem();
        const files = new FailingFileSystem(memory, code);
        files.failFrom = position;
        files.failUntil = position + 1;
        const error = scenario(type, files);
        const where = `operation ${position}, ${files.thrown[0]?.message}, gave ${String(error)}`;
        assert.equal(files.thrown.length, 1, where);
        if (error !== undefined) {
          assert.ok(error instanceof BerkeleyDBError && error.cause === files.thrown[0], where);
          told += 1;
          continue;
        }
        using database = Database.open("a", { fileSystem: memory });
        const kept = Array.from({ length: RECORDS }, (_, i) => i).filter((i) => i % 3 !== 0);
        const expected = kept.map((i): [string, string] => [`key ${i}`, textOf(dataOf(i))]);
        assert.deepEqual(byKey(pairsOf(database)), byKey(expected), where);
      }
      assert.ok(told > 0);
    });
  }

  test(`${type}: after a failure the database can be closed, and is closed then`, () => {
    for (const code of ["ENOSPC", "EIO"]) {
      const files = new FailingFileSystem(new MemoryFileSystem(), code);
      const database = Database.open("a", { ...settings(type, files), create: true });
      files.failFrom = files.operations;
      assert.throws(() => {
        for (let i = 0; i < RECORDS; i++) database.put(bytesOf(`key ${i}`), dataOf(i));
        database.sync();
      }, BerkeleyDBError);
      assert.throws(() => database.close(), BerkeleyDBError, "what was put is not in the file");
      database.close();
      assert.throws(() => database.get(bytesOf("key 1")), TypeError);
    }
  });

  test(`${type}: a sync that succeeds after one that failed has left nothing out`, () => {
    for (let position = 0; position < 60; position++) {
      const memory = new MemoryFileSystem();
      const files = new FailingFileSystem(memory, "ENOSPC");
      const database = Database.open("a", { ...settings(type, files), create: true });
      const put = (i: number): void => database.put(bytesOf(`key ${i}`), dataOf(i));
      for (let i = 0; i < 20; i++) put(i);
      files.failFrom = files.operations + position;
      files.failUntil = files.failFrom + 3;
      let failures = 0;
      let recoverable = true;
      const attempt = (action: () => void): void => {
        try {
          action();
        } catch (error) {
          assert.ok(error instanceof BerkeleyDBError);
          failures += 1;
          if (error.code === "DB_RUNRECOVERY") recoverable = false;
        }
      };
      const stored = new Set<number>();
      for (let i = 0; i < 20; i++) stored.add(i);
      for (let i = 20; i < RECORDS && failures === 0; i++) {
        attempt(() => {
          put(i);
          stored.add(i);
        });
      }
      for (let tries = 0; tries < 5; tries++) attempt(() => database.sync());
      if (!recoverable) continue;
      // The space is there again.
      files.failFrom = Number.POSITIVE_INFINITY;
      database.sync();
      database.close();
      using again = Database.open(memory.readFile("a"));
      const found = new Map(pairsOf(again));
      for (const i of stored) assert.equal(found.get(`key ${i}`)?.length, dataOf(i).length, `position ${position}, key ${i}`);
    }
  });

  test(`${type}: a database that could not be made leaves nothing behind that is taken for one`, () => {
    const probe = new FailingFileSystem(new MemoryFileSystem(), "ENOSPC");
    Database.open("a", { type, create: true, fileSystem: probe }).close();
    for (let position = 0; position < probe.operations; position++) {
      const memory = new MemoryFileSystem();
      const files = new FailingFileSystem(memory, "ENOSPC");
      files.failFrom = position;
      assert.throws(() => Database.open("a", { type, create: true, fileSystem: files }).close(), BerkeleyDBError, `operation ${position}`);
      if (!memory.list().includes("a")) continue;
      try {
        using database = Database.open("a", { fileSystem: memory });
        assert.deepEqual([...database], []);
      } catch (error) {
        assert.ok(error instanceof BerkeleyDBError && error.code === "EINVAL", String(error));
      }
    }
  });

  test(`${type}: reading fails at every operation, and the next reader is none the worse`, () => {
    const memory = new MemoryFileSystem();
    {
      using database = Database.open("a", { type, create: true, fileSystem: memory, pageSize: 1024 });
      for (let i = 0; i < RECORDS; i++) database.put(bytesOf(`key ${i}`), dataOf(i));
    }
    const read = (files: FailingFileSystem): [string, string][] => {
      using database = Database.open("a", { readOnly: true, fileSystem: files, cacheSize: CACHE });
      return pairsOf(database);
    };
    const whole = new FailingFileSystem(memory, "EIO");
    const records = read(whole);
    assert.equal(records.length, RECORDS);
    for (let position = 0; position < whole.operations; position++) {
      const files = new FailingFileSystem(memory, "EIO");
      files.failFrom = position;
      assert.throws(
        () => read(files),
        (thrown: unknown) => {
          const error = firstOf(thrown);
          return error instanceof BerkeleyDBError && error.code === "EIO" && files.thrown.includes(error.cause as Error);
        },
        `operation ${position}`,
      );
    }
    assert.deepEqual(read(new FailingFileSystem(memory, "EIO")), records);
  });

  test(`${type}: verify tells a failure of the file system from damage`, () => {
    const memory = new MemoryFileSystem();
    {
      using database = Database.open("a", { type, create: true, fileSystem: memory });
      for (let i = 0; i < RECORDS; i++) database.put(bytesOf(`key ${i}`), dataOf(i));
    }
    const whole = new FailingFileSystem(memory, "EIO");
    assert.deepEqual(Database.verify("a", { fileSystem: whole }), []);
    for (let position = 0; position < whole.operations; position++) {
      const files = new FailingFileSystem(memory, "EIO");
      files.failFrom = position;
      let problems: string[] | undefined;
      try {
        problems = Database.verify("a", { fileSystem: files });
      } catch (error) {
        assert.ok(error instanceof BerkeleyDBError && files.thrown.includes(error.cause as Error), `operation ${position}`);
      }
      // All is read by then.
      if (problems !== undefined) assert.match(files.thrown[0]?.message ?? "", /injected into close/, `operation ${position}`);
    }
  });

  test(`${type}: an upgrade that fails says so`, () => {
    const memory = new MemoryFileSystem();
    {
      using database = Database.open("a", { type, create: true, fileSystem: memory });
      for (let i = 0; i < RECORDS; i++) database.put(bytesOf(`key ${i}`), dataOf(i));
    }
    const whole = new FailingFileSystem(memory, "EIO");
    Database.upgrade("a", { fileSystem: whole });
    for (let position = 0; position < whole.operations; position++) {
      const files = new FailingFileSystem(memory, "EIO");
      files.failFrom = position;
      assert.throws(() => Database.upgrade("a", { fileSystem: files }), { name: "BerkeleyDBError", code: "EIO" }, `operation ${position}`);
    }
    using database = Database.open("a", { fileSystem: memory });
    assert.equal(byKey(pairsOf(database)).length, RECORDS);
  });
}

test("a file whose size is not to be had is closed", () => {
  const memory = new MemoryFileSystem();
  let open = 0;
  const fileSystem: FileSystem = {
    stat: (path) => memory.stat(path),
    rename: (from, to) => memory.rename(from, to),
    unlink: (path) => memory.unlink(path),
    open(path, flags, mode) {
      const file = memory.open(path, flags, mode);
      open += 1;
      return {
        read: (bytes, offset) => file.read(bytes, offset),
        write: (bytes, offset) => file.write(bytes, offset),
        truncate: (size) => file.truncate(size),
        sync: () => file.sync(),
        size: () => {
          throw Object.assign(new Error("EIO: i/o error, fstat"), { code: "EIO" });
        },
        close: () => {
          open -= 1;
          file.close();
        },
      };
    },
  };
  assert.throws(() => Database.open("a", { type: "hash", create: true, fileSystem }), { code: "EIO" });
  assert.equal(open, 0);
});
