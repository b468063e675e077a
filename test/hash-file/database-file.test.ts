/**
 * Records read page by page, without the engine: the same as the engine's, and
 * an error or an answer for every damaged file.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { BerkeleyDBError, Database, MemoryFileSystem } from "berkeley-db-js";
import { checkDatabase } from "#src/hash-file/check.js";
import { DatabaseFile } from "#src/hash-file/database-file.js";
import { HashFileError } from "#src/hash-file/error.js";
import { visitKeys } from "#src/hash-file/hash-reader.js";
import { compare, textOf } from "../support/bytes.ts";
import { corruptFixtures, databaseFixtures } from "../support/fixtures.ts";

type TextRecord = [key: string, data: string];

/** The records of a file as text, one byte a character. */
function recordsOf(bytes: Uint8Array): TextRecord[] {
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("db", bytes);
  const file = fileSystem.open("db", { write: false }, 0);
  const records: TextRecord[] = [];
  new DatabaseFile(file).visitRecords((keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
    records.push([textOf(keyBytes.subarray(keyStart, keyEnd)), textOf(dataBytes.subarray(dataStart, dataEnd))]);
  });
  assert.deepEqual(fileSystem.readFile("db"), new Uint8Array(bytes), "written to");
  return records;
}

/** As text by `visitKeys`, which reads hash files of version 4 and later. */
function keysOf(bytes: Uint8Array): string[] {
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("db", bytes);
  const keys: string[] = [];
  visitKeys(fileSystem.open("db", { write: false }, 0), (buffer, start, end) => keys.push(textOf(buffer.subarray(start, end))));
  return keys;
}

function engineRecords(bytes: Uint8Array): TextRecord[] {
  using database = Database.open(bytes, { readOnly: true });
  return Array.from(database, ([key, data]) => [textOf(key), textOf(data)]);
}

/** By key; duplicates of a key stay in their order. */
function byKey(records: readonly TextRecord[]): TextRecord[] {
  return [...records].sort(([a], [b]) => compare(a, b));
}

suite("real files", () => {
  for (const { name, path, type, version, byteOrder, pageSize, records } of databaseFixtures()) {
    test(name, () => {
      const bytes = readFileSync(path);
      const found = recordsOf(bytes);
      assert.deepEqual(byKey(found), byKey(records.map(([key, data]) => [textOf(key), textOf(data)])));
      // In the engine's order, where the engine may read it.
      if (type === "btree" || version === 8 || version === 9) assert.deepEqual(found, engineRecords(bytes));
      if (type === "hash" && version > 2)
        assert.deepEqual(
          keysOf(bytes),
          found.map(([key]) => key),
        );
      const fileSystem = new MemoryFileSystem();
      fileSystem.writeFile("db", bytes);
      const file = new DatabaseFile(fileSystem.open("db", { write: false }, 0));
      assert.deepEqual(
        { type: file.layout.type, version: file.layout.version, byteOrder: file.layout.byteOrder, pageSize: file.layout.pageSize },
        { type, version, byteOrder, pageSize },
      );
      assert.deepEqual(
        Array.from(file.records(), ({ key, data }) => [textOf(key), textOf(data)]),
        found,
      );
    });
  }
});

suite("made here", () => {
  for (const type of ["hash", "btree"] as const)
    for (const byteOrder of ["little", "big"] as const) {
      for (const pageSize of [512, 4096, 65536]) {
        for (const duplicates of [false, "unsorted", "sorted"] as const) {
          test(`${type}, ${byteOrder}-endian, pages of ${pageSize} bytes, duplicates ${duplicates}: long keys, long data, empty ones, deleted ones`, () => {
            const database = Database.open(new Uint8Array(), { type, create: true, byteOrder, pageSize, duplicates });
            for (let i = 0; i < 400; i++) {
              const key = Buffer.from(`${i}`.repeat(i % 50 === 0 ? 3000 : 1 + (i % 7)));
              database.put(key, Buffer.alloc((i * 37) % 700, i), "replace");
              // Some fill their page, and get a tree of their own.
              const more = duplicates === false || i % 3 !== 0 ? 0 : i % 30 === 0 ? 400 : 2;
              for (let n = 0; n < more; n++) database.put(key, Buffer.from(`${(n * 7919) % 1000} more`), "duplicate");
              if (duplicates !== false && i % 40 === 0) database.put(key, Buffer.alloc(9000, "long"), "duplicate");
            }
            database.put(Buffer.alloc(0), Buffer.alloc(0));
            for (let i = 1; i < 400; i += 3) database.delete(Buffer.from(`${i}`.repeat(1 + (i % 7))));
            const bytes = database.toBytes();
            database.close();
            const records = recordsOf(bytes);
            assert.deepEqual(records, engineRecords(bytes));
            assert.ok(records.length > 200);
          });
        }
      }
    }
});

suite("damaged files", () => {
  for (const { name, path, broken } of corruptFixtures()) {
    test(`${name}: ${broken}`, () => {
      assert.throws(() => recordsOf(readFileSync(path)), HashFileError);
    });
  }

  test("thousands of mutations: an error that names the damage, or records; no other error, and no end that does not come", () => {
    const random = generator(20_251_123);
    const seeds = databaseFixtures().filter(({ size }) => size <= 1 << 17);
    assert.ok(seeds.length > 10);
    const outcomes = { read: 0, refused: 0 };
    const until = performance.now() + 3000;
    for (let round = 0; performance.now() < until; round++) {
      const bytes = readFileSync((seeds[round % seeds.length] as (typeof seeds)[number]).path);
      mutate(bytes, random);
      const cut = random(10) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
      try {
        recordsOf(cut);
        outcomes.read += 1;
      } catch (error) {
        assert.ok(error instanceof HashFileError, `round ${round}: ${(error as Error).stack}`);
        outcomes.refused += 1;
      }
    }
    assert.ok(outcomes.read > 50 && outcomes.refused > 50, JSON.stringify(outcomes));
  });

  test("what the reader reads of a file that the engine verifies, the engine reads too", () => {
    const random = generator(7);
    const seeds = databaseFixtures().filter(({ name }) => /^v9-.*-(map|sasldb)$/.test(name) && !name.includes("ps65536"));
    let compared = 0;
    const until = performance.now() + 2000;
    for (let round = 0; performance.now() < until; round++) {
      const bytes = readFileSync((seeds[round % seeds.length] as (typeof seeds)[number]).path);
      bytes[random(bytes.length)] = random(256);
      if (!isSound(bytes)) continue;
      compared += 1;
      assert.deepEqual(recordsOf(bytes), engineRecords(bytes), `round ${round}`);
    }
    assert.ok(compared > 10, `${compared} compared`);
  });
});

function isSound(bytes: Uint8Array): boolean {
  try {
    return Database.verify(bytes).length === 0;
  } catch (error) {
    assert.ok(error instanceof BerkeleyDBError);
    return false;
  }
}

/** A few bytes, most of them where a page says what it is. */
function mutate(bytes: Uint8Array, random: (below: number) => number): void {
  for (let count = 1 + random(4); count > 0; count--) {
    const page = random(2) === 0 ? 0 : Math.floor(random(bytes.length) / 512) * 512;
    const at = random(3) === 0 ? random(bytes.length) : page + random(page === 0 ? 160 : 60);
    if (at < bytes.length) bytes[at] = random(4) === 0 ? 0xff : random(256);
  }
}

/** The same numbers in every run (a linear congruential generator). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("on a sorted page of a hash file an empty key may stand before long keys, or behind", () => {
  for (const isFirst of [true, false]) {
    const database = Database.open(new Uint8Array(), { type: "hash", create: true, pageSize: 512 });
    const empty = (): void => database.put(new Uint8Array(), Buffer.from("x"));
    if (isFirst) empty();
    for (let i = 0; i < 20; i++) database.put(Buffer.alloc(1000, 97 + i), Buffer.from("v"));
    if (!isFirst) empty();
    for (let i = 0; i < 300; i++) database.put(Buffer.from(`${i}`), Buffer.from(`v${i}`));
    const bytes = database.toBytes();
    assert.equal(textOf(database.get(new Uint8Array()) ?? new Uint8Array()), "x");
    database.close();
    const problems: string[] = [];
    const fileSystem = new MemoryFileSystem();
    fileSystem.writeFile("db", bytes);
    checkDatabase(fileSystem.open("db", { write: false }, 0), ({ message }) => problems.push(message));
    assert.deepEqual(problems, []);
  }
});
