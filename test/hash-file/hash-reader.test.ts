/**
 * Keys read page by page, without the engine: the same as the engine's, and an
 * error or a right answer for every damaged file.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { BerkeleyDBError, Database, MemoryFileSystem } from "berkeley-db-js";
import { visitKeys } from "#src/hash-file/hash-reader.js";
import { HashFileError } from "#src/hash-file/layout.js";
import { compare, textOf } from "../support/bytes.ts";
import { corruptFixtures, databaseFixtures } from "../support/fixtures.ts";

/** The keys of a file as text, one byte a character. */
function keysOf(bytes: Uint8Array): string[] {
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("db", bytes);
  const file = fileSystem.open("db", { write: false }, 0);
  const keys: string[] = [];
  visitKeys(file, (buffer, start, end) => keys.push(textOf(buffer.subarray(start, end))));
  assert.deepEqual(fileSystem.readFile("db"), new Uint8Array(bytes), "written to");
  return keys;
}

function engineKeys(bytes: Uint8Array): string[] {
  using database = Database.open(bytes, { readOnly: true });
  return Array.from(database, ([key]) => textOf(key));
}

const isReadable = (version: number): boolean => version >= 7 && version <= 10;

suite("real files", () => {
  for (const { name, path, type, version, records } of databaseFixtures()) {
    test(name, () => {
      const bytes = readFileSync(path);
      if (type !== "hash" || !isReadable(version) || name.includes("-dup")) {
        const isLarge = name.includes("-dup");
        const refuse = (): unknown => keysOf(bytes);
        if (isLarge && type === "hash") assert.throws(refuse, /duplicates on pages of their own/);
        else assert.throws(refuse, (error) => error instanceof HashFileError && /version|btree|not a Berkeley DB file/.test(error.message));
        return;
      }
      assert.deepEqual(keysOf(bytes).sort(compare), records.map(([key]) => textOf(key)).sort(compare));
      // In the engine's order, where the engine may read it.
      if (version === 8 || version === 9) assert.deepEqual(keysOf(bytes), engineKeys(bytes));
    });
  }
});

suite("made here", () => {
  for (const byteOrder of ["little", "big"] as const) {
    for (const pageSize of [512, 4096, 65536]) {
      test(`${byteOrder}-endian, pages of ${pageSize} bytes: long keys, long data, empty ones, small sets of duplicates`, () => {
        for (const duplicates of [false, "unsorted"] as const) {
          const database = Database.open(new Uint8Array(), { type: "hash", create: true, byteOrder, pageSize, duplicates });
          for (let i = 0; i < 400; i++) {
            const key = Buffer.from(`${i}`.repeat(i % 50 === 0 ? 3000 : 1 + (i % 7)));
            database.put(key, Buffer.alloc((i * 37) % 700), "replace");
            if (duplicates && i % 3 === 0) database.put(key, Buffer.from("more"), "duplicate");
          }
          database.put(Buffer.alloc(0), Buffer.alloc(0));
          for (let i = 0; i < 400; i += 3) database.delete(Buffer.from(`${i}`));
          const bytes = database.toBytes();
          database.close();
          let keys: string[];
          try {
            keys = keysOf(bytes);
          } catch (error) {
            // A set that is too large for its page is a btree of its own.
            assert.ok(duplicates && pageSize === 512 && /duplicates on pages/.test(String(error)), String(error));
            continue;
          }
          assert.deepEqual(keys, engineKeys(bytes));
          assert.ok(keys.length > 200);
        }
      });
    }
  }
});

suite("damaged files", () => {
  for (const { name, path, broken } of corruptFixtures()) {
    test(`${name}: ${broken}`, () => {
      let keys: string[];
      try {
        keys = keysOf(readFileSync(path));
      } catch (error) {
        assert.ok(error instanceof HashFileError, String(error));
        return;
      }
      // Its damage is no matter of its keys.
      assert.match(name, /overflow-length|item-offset|truncated|wrong-page-size|spares|max-bucket/, `${keys.length} keys`);
    });
  }

  test("thousands of mutations: an error that names the damage, or keys; no other error, and no end that does not come", () => {
    const random = generator(20_251_123);
    const seeds = databaseFixtures().filter(({ type, version, size }) => type === "hash" && isReadable(version) && size <= 1 << 17);
    assert.ok(seeds.length > 10);
    const outcomes = { read: 0, refused: 0 };
    const until = performance.now() + 3000;
    for (let round = 0; performance.now() < until; round++) {
      const bytes = readFileSync((seeds[round % seeds.length] as (typeof seeds)[number]).path);
      mutate(bytes, random);
      const cut = random(10) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
      try {
        keysOf(cut);
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
      assert.deepEqual(keysOf(bytes), engineKeys(bytes), `round ${round}`);
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
