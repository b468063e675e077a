/**
 * Real files of Berkeley DB 1.85 to 18.1: those that 5.3 can read are read to
 * the last record, the others are refused before libdb could harm them.
 */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BerkeleyDBError, Database } from "berkeley-db-js";
import { pairsOf, sha256 } from "../support/bytes.ts";
import { type DatabaseFixture, databaseFixtures } from "../support/fixtures.ts";
import { byKey } from "../support/model.ts";
import { needs, runNative } from "../support/native.ts";
import { maskDatabase, residueOffsets } from "../support/page-mask.ts";
import { temporaryFolder } from "../support/temp.ts";

const fixtures = databaseFixtures();
const isReadable = ({ type, version }: DatabaseFixture): boolean => version === 9 || (type === "hash" && version === 8);

function bytesOfFile(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}

test("there are readable files and others, of every version", () => {
  assert.deepEqual([...new Set(fixtures.map(({ type, version }) => `${type} ${version}`))].sort(), [
    "btree 9",
    "hash 10",
    "hash 2",
    "hash 5",
    "hash 6",
    "hash 7",
    "hash 8",
    "hash 9",
  ]);
});

for (const fixture of fixtures.filter(isReadable)) {
  test(`${fixture.name} is read as it is, and not changed`, () => {
    const expected = pairsOf(fixture.records);
    using database = Database.open(fixture.path, { readOnly: true });
    assert.equal(database.type, fixture.type);
    const duplicates = { "insertion order": "unsorted", sorted: "sorted", none: false }[fixture.duplicates ?? "none"];
    assert.equal(database.duplicates, duplicates);
    assert.deepEqual(byKey(pairsOf(database)), expected);
    if (fixture.type === "btree") assert.deepEqual(pairsOf(database), expected);
    assert.deepEqual(pairsOf(database.records("backward")), pairsOf(database).toReversed());
    assert.equal(database.count(), fixture.records.length);
    const stat = database.stat();
    assert.deepEqual([stat.version, stat.pageSize, stat.pages], [fixture.version, fixture.pageSize, fixture.size / fixture.pageSize]);
    for (const [key, data] of fixture.records) {
      const first = fixture.records.find(([other]) => Buffer.compare(other, key) === 0);
      assert.deepEqual(database.get(key), first?.[1] ?? data);
    }
    database.close();
    assert.deepEqual(Database.verify(fixture.path), []);
    assert.equal(sha256(bytesOfFile(fixture.path)), fixture.sha256);
  });

  test(`${fixture.name}, copied, can be changed and stays what it is`, (t) => {
    const path = join(temporaryFolder(t), "a");
    copyFileSync(fixture.path, path);
    chmodSync(path, 0o600);
    const key = Uint8Array.of(1, 2, 3);
    {
      using database = Database.open(path);
      for (const [present] of fixture.records.slice(0, 50)) database.delete(present);
      database.put(key, Uint8Array.of(4));
    }
    const header = new DataView(bytesOfFile(path).buffer);
    assert.equal(header.getUint32(16, fixture.byteOrder === "little"), fixture.version);
    assert.deepEqual(Database.verify(path), []);
    using database = Database.open(path, { readOnly: true });
    const gone = new Set(pairsOf(fixture.records.slice(0, 50)).map(([name]) => name));
    const left = pairsOf(fixture.records).filter(([name]) => !gone.has(name));
    assert.deepEqual(byKey(pairsOf(database)), byKey([...left, ["\x01\x02\x03", "\x04"]]));
  });
}

for (const fixture of fixtures.filter((one) => !isReadable(one))) {
  test(`${fixture.name} is refused, and not changed`, (t) => {
    const path = join(temporaryFolder(t), "a");
    copyFileSync(fixture.path, path);
    chmodSync(path, 0o600);
    for (const source of [path, bytesOfFile(path)]) {
      for (const options of [{}, { readOnly: true }, { type: "hash", create: true }] as const) {
        assert.throws(
          () => Database.open(source, options),
          (error: unknown) =>
            error instanceof BerkeleyDBError &&
            error.code === "DB_OLD_VERSION" &&
            error.operation === "DB->open" &&
            error.message.includes(`version ${fixture.version} `),
        );
      }
      assert.notDeepEqual(Database.verify(source), []);
    }
    assert.equal(sha256(bytesOfFile(path)), fixture.sha256);
  });
}

/** db_upgrade knows versions 4 to 8, in the byte order of the machine that it was compiled for: here little-endian. */
for (const fixture of fixtures.filter(({ version, byteOrder }) => [5, 6, 7].includes(version) && byteOrder === "little")) {
  test(`${fixture.name} can be read once it is upgraded`, () => {
    const upgraded = Database.upgrade(bytesOfFile(fixture.path));
    assert.ok(upgraded !== undefined);
    // libdb stores the number of pages where that of the last page belongs, here as in its own db_upgrade.
    const pages = upgraded.length / fixture.pageSize;
    assert.deepEqual(Database.verify(upgraded), [`BDB0552 Page 0: last_pgno is not correct: ${pages} != ${pages - 1}`]);
    using database = Database.open(upgraded);
    assert.equal(database.stat().version, 9);
    assert.deepEqual(byKey(pairsOf(database)), pairsOf(fixture.records));
  });

  test(`${fixture.name} is upgraded to what db5.3_upgrade makes of it`, (t) => {
    if (!needs(t, "db5.3_upgrade")) return;
    const path = join(temporaryFolder(t), "a");
    copyFileSync(fixture.path, path);
    chmodSync(path, 0o600);
    assert.equal(runNative("db5.3_upgrade", [path]).status, 0);
    const upgraded = Database.upgrade(bytesOfFile(fixture.path)) ?? new Uint8Array();
    assert.ok(Buffer.from(maskDatabase(upgraded)).equals(maskDatabase(bytesOfFile(path))));
  });

  test(`${fixture.name} is upgraded in its place`, (t) => {
    const path = join(temporaryFolder(t), "a");
    copyFileSync(fixture.path, path);
    chmodSync(path, 0o600);
    assert.equal(Database.upgrade(path), undefined);
    using database = Database.open(path, { readOnly: true });
    assert.equal(database.count(), fixture.records.length);
  });
}

for (const fixture of fixtures.filter(
  ({ version, byteOrder }) => version === 2 || version === 10 || ([5, 6, 7].includes(version) && byteOrder === "big"),
)) {
  test(`${fixture.name} cannot be upgraded`, () => {
    assert.throws(() => Database.upgrade(bytesOfFile(fixture.path)), BerkeleyDBError);
  });
}

test("an upgrade, like any writer, clears nothing of the pages that it does not write", () => {
  // What a user is told to do for a clean file: copy the records to a new one.
  const residue = fixtures.find(({ name }) => name === "v7-db3.1.17-le-residue");
  assert.ok(residue !== undefined);
  using database = Database.open(Database.upgrade(bytesOfFile(residue.path)) ?? new Uint8Array(), { readOnly: true });
  using copy = Database.open(new Uint8Array(), { type: "hash" });
  for (const [key, data] of database) copy.put(key, data);
  assert.deepEqual(residueOffsets(copy.toBytes()), []);
  assert.deepEqual(byKey(pairsOf(copy)), pairsOf(residue.records));
});
