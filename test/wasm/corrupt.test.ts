/**
 * Damaged files: a reader comes to an end, with a coded error or without one,
 * and never writes. Each is read in a process that is killed if it takes too
 * long: nothing else stops code that goes round for ever.
 */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Database } from "berkeley-db-js";
import { bytesOf, sha256 } from "../support/bytes.ts";
import { runChild } from "../support/child.ts";
import { corruptFixtures, databaseFixture, fixturesFolder } from "../support/fixtures.ts";
import type { Outcome } from "../support/read-through.ts";
import { temporaryFolder } from "../support/temp.ts";

/** Milliseconds for everything that a reader can ask, six databases one after another, and for Node to start. */
const LIMIT = 10_000;

/**
 * What becomes of each: refused by `Database.open`, or the codes that reading
 * it gives. One is read as an empty database: nothing on the pages that its
 * header leads to says otherwise. `verify` tells.
 */
const EXPECTED: Readonly<Record<string, "refused" | "read" | readonly string[]>> = {
  "01-zero-length": "refused",
  "02-truncated-mid-page": "refused",
  "03-truncated-at-page-boundary": "refused",
  "04-bad-magic": "refused",
  "05-wrong-page-size": "read",
  "06-page-size-not-power-of-two": "refused",
  "07-next-pgno-self": ["EINVAL"],
  "08-next-pgno-cycle": ["EINVAL"],
  "09-item-offset-out-of-page": ["EINVAL"],
  "10-overflow-length-too-large": ["EINVAL"],
  "11-random-bytes": "refused",
  "12-absurd-max-bucket": "refused",
  "13-absurd-spares": "refused",
  "14-text-file": "refused",
  "15-gzip": "refused",
};

function readThrough(path: string, how: string): Outcome {
  const { stdout, stderr, status, signal } = runChild(new URL("./corrupt.child.js", import.meta.url), [path, how], LIMIT);
  assert.deepEqual({ stderr, status, signal }, { stderr: "", status: 0, signal: null });
  return JSON.parse(stdout) as Outcome;
}

test("every damaged file has its expectation", () => {
  assert.deepEqual(
    corruptFixtures().map(({ name }) => name),
    Object.keys(EXPECTED),
  );
});

for (const fixture of corruptFixtures()) {
  for (const how of ["path", "bytes"]) {
    test(`${fixture.name}, by its ${how}: ${fixture.broken}`, (t) => {
      const path = join(temporaryFolder(t), "a");
      copyFileSync(fixture.path, path);
      chmodSync(path, 0o600);
      const { errors, records } = readThrough(path, how);
      assert.equal(sha256(readFileSync(path)), fixture.sha256, "the file was written to");
      const expected = EXPECTED[fixture.name];
      if (expected === "refused") assert.deepEqual(errors, { open: "EINVAL" });
      else if (expected === "read") assert.deepEqual([errors, records], [{}, 0]);
      else assert.deepEqual([...new Set(Object.values(errors))], expected);
    });
  }

  test(`${fixture.name}: verify finds it`, () => {
    const problems = Database.verify(new Uint8Array(readFileSync(fixture.path)));
    assert.notDeepEqual(problems, []);
    for (const problem of problems) assert.match(problem, /^(BDB\d+ |the page at \d+ is damaged: )/);
  });
}

/** A copy of a fixture with bytes changed at offsets. */
function doctored(t: Parameters<typeof temporaryFolder>[0], name: string, changes: readonly (readonly [number, ...number[]])[]): string {
  const bytes = new Uint8Array(readFileSync(databaseFixture(name).path));
  for (const [at, ...values] of changes) bytes.set(values, at);
  const path = join(temporaryFolder(t), "a");
  writeFileSync(path, bytes);
  return path;
}

test("a btree whose root names itself as its child", (t) => {
  const { path: original } = databaseFixture("btree9-db5.3.28-le-map");
  const bytes = readFileSync(original);
  const root = bytes.readUInt32LE(88);
  const page = root * 4096;
  assert.equal(bytes[page + 25], 3, "the root is an internal page");
  const entries = bytes.readUInt16LE(page + 20);
  const changes = Array.from({ length: entries }, (_, i) => [page + bytes.readUInt16LE(page + 26 + 2 * i) + 4, root, 0, 0, 0] as const);
  const { errors } = readThrough(doctored(t, "btree9-db5.3.28-le-map", changes), "path");
  assert.notDeepEqual(errors, {});
});

test("a btree leaf that is followed by itself", (t) => {
  const bytes = readFileSync(databaseFixture("btree9-db5.3.28-le-map").path);
  const leaf = [1, 2, 3, 4].find((number) => bytes[number * 4096 + 25] === 5);
  assert.ok(leaf !== undefined);
  const { errors } = readThrough(doctored(t, "btree9-db5.3.28-le-map", [[leaf * 4096 + 16, leaf, 0, 0, 0]]), "path");
  assert.notDeepEqual(errors, {});
});

test("an overflow page that is followed by itself", (t) => {
  const bytes = readFileSync(databaseFixture("v9-db5.3.28-le-binary").path);
  const changes = Array.from({ length: bytes.length / 4096 }, (_, number) => number)
    .filter((number) => bytes[number * 4096 + 25] === 7)
    .flatMap((number) => [[number * 4096 + 16, number, 0, 0, 0] as const, [number * 4096 + 22, 0, 0] as const]);
  assert.ok(changes.length > 0);
  const { errors } = readThrough(doctored(t, "v9-db5.3.28-le-binary", changes), "path");
  assert.notDeepEqual(errors, {});
});

test("a first page that says that it is another", (t) => {
  for (const type of [0, 5, 9, 13]) {
    const { errors } = readThrough(doctored(t, "v8-db4.1.25-be-sasldb", [[25, type]]), "path");
    assert.deepEqual(errors, { open: "EINVAL" });
  }
});

test("a group of buckets behind the end of the file, the last of them not", (t) => {
  const { errors } = readThrough(doctored(t, "v9-db5.3.28-le-residue", [[96 + 4 * 2, 0, 0, 1, 0]]), "path");
  assert.deepEqual(errors, { open: "EINVAL" });
});

test("masks by which a key is in a bucket that is not there: libdb would seek the logarithm of its number without end", (t) => {
  for (const [high, low] of [
    [0xff, 0xff],
    [0x01, 0xff],
    [0xff, 0x00],
  ] as const) {
    const masks = [76, ...new Array<number>(4).fill(high), ...new Array<number>(4).fill(low)] as const;
    const { errors } = readThrough(doctored(t, "v9-db5.3.28-le-residue", [masks as [number, ...number[]]]), "path");
    assert.deepEqual(errors, { open: "EINVAL" });
  }
  const bytes = new Uint8Array(readFileSync(`${fixturesFolder}fuzz/database/masks-of-all-bits`));
  assert.throws(() => Database.open(bytes), { code: "EINVAL", message: /damaged: masks 4294967295 and 4294967295 for \d+ buckets/ });
});

test("a first page that counts more pages than there are", (t) => {
  const pages = databaseFixture("v9-db5.3.28-le-map").size / 4096;
  const last = (number: number): Outcome => readThrough(doctored(t, "v9-db5.3.28-le-map", [[32, number, 0, 0, 0]]), "path");
  assert.deepEqual(last(pages + 1).errors, { open: "EINVAL" });
  assert.deepEqual(last(pages), { records: 200, errors: {} }, "as DB->upgrade leaves it");
});

test("a first page that says that the rest is encrypted", (t) => {
  const { errors } = readThrough(doctored(t, "v9-db5.3.28-le-map", [[24, 1]]), "path");
  assert.deepEqual(errors, { open: "EINVAL" });
});

test("a file that libdb gives up is closed without another error, so that `using` tells the first", () => {
  const bytes = new Uint8Array(readFileSync(`${fixturesFolder}fuzz/database/given-up-by-libdb`));
  const read = (): void => {
    using database = Database.open(bytes, { readOnly: true });
    for (const _ of database);
  };
  assert.throws(read, { name: "BerkeleyDBError", code: "DB_RUNRECOVERY" });
});

test("pages that libdb makes in its memory as it reads are not written as a file is closed", () => {
  const bytes = new Uint8Array(readFileSync(`${fixturesFolder}fuzz/database/bucket-beyond-the-end`));
  const database = Database.open(bytes, { readOnly: true });
  assert.throws(() => database.count(), { code: "EINVAL" });
  database.close();
});

test("nothing is put on a page that has its room outside itself: libdb would write over its own memory", () => {
  const bytes = new Uint8Array(readFileSync(`${fixturesFolder}fuzz/database/room-outside-the-page`));
  const database = Database.open(bytes);
  const put = (): void => {
    for (let i = 0; i < 12; i++) database.put(bytesOf(`Tr0ub4dor-26zXq ${i} `), new Uint8Array(30 * i));
  };
  assert.throws(put, { code: "EINVAL", message: /the page at 3072 is damaged: it has no room where it says that it has/ });
  database.close();
  using reader = Database.open(bytes, { readOnly: true });
  assert.equal(reader.count(), 11, "what is read does not go by it");
});

test("a btree file that says that its pages hold 0 keys at least is refused: libdb would divide by that", () => {
  const bytes = new Uint8Array(readFileSync(`${fixturesFolder}fuzz/database/pages-of-0-keys`));
  assert.throws(() => Database.open(bytes, { readOnly: true }), { code: "EINVAL", message: /damaged: pages of 0 keys at least/ });
});

test("damage at random: nothing but coded errors, and an end", () => {
  const seed = String(Math.floor(Math.random() * 2 ** 31));
  const { stdout, stderr, status, signal } = runChild(new URL("./corrupt-fuzz.child.js", import.meta.url), [seed, "150"], 120_000);
  assert.deepEqual({ stderr, status, signal }, { stderr: "", status: 0, signal: null }, `seed ${seed}`);
  const { files, refused, read } = JSON.parse(stdout) as Record<string, number>;
  assert.ok(files === 150 && (refused ?? 0) > 5 && (read ?? 0) > 20, stdout);
});
