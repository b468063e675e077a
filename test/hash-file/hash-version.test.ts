/**
 * A version 9 hash file becomes one of another version, and nothing else does.
 */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Database, MemoryFileSystem, nodeFileSystem, readFileHeader } from "berkeley-db-js";
import { setHashVersion } from "#src/hash-file/hash-version.js";
import { pairsOf } from "../support/bytes.ts";
import { corruptFixtures, databaseFixtures } from "../support/fixtures.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });

function change(bytes: Uint8Array, version: number): Uint8Array {
  const files = new MemoryFileSystem();
  files.writeFile("m", bytes);
  const file = files.open("m", { write: true }, 0);
  try {
    setHashVersion(file, version);
  } finally {
    file.close();
  }
  return files.readFile("m");
}

const records = (bytes: Uint8Array): [string, string][] => {
  using database = Database.open(bytes, { readOnly: true });
  return pairsOf(database);
};

suite("files of the libraries themselves", () => {
  for (const fixture of databaseFixtures()) {
    const bytes = new Uint8Array(readFileSync(fixture.path));
    const canBe = fixture.type === "hash" && (fixture.version === 8 || fixture.version === 9);
    test(`${fixture.name} ${canBe ? "becomes another version" : "is refused, and stays as it is"}`, () => {
      if (!canBe) {
        const path = join(folder, `${fixture.name}.db`);
        copyFileSync(fixture.path, path);
        const file = nodeFileSystem.open(path, { write: true }, 0);
        assert.throws(() => setHashVersion(file, 8), TypeError);
        file.close();
        assert.ok(readFileSync(path).equals(Buffer.from(bytes)));
        return;
      }
      for (const version of [7, 8]) assert.equal(readFileHeader(change(bytes, version))?.version, version);
      const eight = change(bytes, 8);
      assert.equal(eight.length, bytes.length);
      assert.deepEqual(records(eight), records(bytes));
      assert.deepEqual(Database.verify(eight), []);
    });
  }

  for (const fixture of corruptFixtures()) {
    test(`${fixture.name}: an error or a file, never a crash`, () => {
      const bytes = new Uint8Array(readFileSync(fixture.path));
      try {
        assert.equal(change(bytes, 8).length, bytes.length);
      } catch (error) {
        assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
      }
    });
  }
});

test("a file larger than what is read at a time", () => {
  const database = Database.open(new Uint8Array(), { type: "hash", create: true });
  for (let i = 0; i < 6000; i++) database.put(Buffer.from(`key ${i}`), Buffer.alloc(500, 0x0d));
  const nine = database.toBytes();
  database.close();
  assert.ok(nine.length > 3 << 20);
  const eight = change(nine, 8);
  const bucketPages = (bytes: Uint8Array, type: number): number => {
    let count = 0;
    for (let page = 4096; page < bytes.length; page += 4096) if (bytes[page + 25] === type) count += 1;
    return count;
  };
  assert.equal(bucketPages(eight, 13), 0);
  assert.equal(bucketPages(eight, 2), bucketPages(nine, 13));
  assert.deepEqual(records(eight), records(nine));
  assert.deepEqual(Database.verify(eight), []);
});
