/**
 * Cursor: every movement and every change, in hash and btree files.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cursor, Database, type DatabaseRecord, type DatabaseType, type OpenOptions } from "berkeley-db-js";
import { bytesOf, pairsOf, textOf } from "../support/bytes.ts";
import { overBoth, TYPES } from "../support/databases.ts";

const b = bytesOf;

function filled(type: DatabaseType, records: readonly (readonly [string, string])[], options: OpenOptions = {}): Database {
  const database = Database.open(new Uint8Array(), { type, ...options });
  for (const [key, data] of records) database.put(b(key), b(data), options.duplicates ? "duplicate" : "replace");
  return database;
}

/** A record as text. */
function show(record: DatabaseRecord | undefined): string | undefined {
  return record && `${textOf(record[0])}=${textOf(record[1])}`;
}

/** What a movement returns until it returns nothing. */
function walk(move: () => DatabaseRecord | undefined): string[] {
  const seen: string[] = [];
  for (let record = move(); record !== undefined; record = move()) seen.push(show(record) ?? "");
  return seen;
}

const DUPLICATES = [
  ["a", "1"],
  ["b", "1"],
  ["b", "2"],
  ["b", "3"],
  ["c", "1"],
] as const;

/** The keys in the order of the file, which is no order at all in a hash file. */
function keyOrder(database: Database): string[] {
  return [...new Set(pairsOf(database).map(([key]) => key))];
}

for (const type of TYPES) {
  test(`${type}: first, last, next and previous`, () => {
    using database = filled(type, [
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
    ]);
    using cursor = database.cursor();
    const all = pairsOf(database).map(([key, data]) => `${key}=${data}`);
    assert.equal(all.length, 3);
    if (type === "btree") assert.deepEqual(all, ["a=1", "b=2", "c=3"]);
    assert.deepEqual(
      walk(() => cursor.next()),
      all,
    );
    assert.equal(cursor.next(), undefined);
    assert.equal(show(cursor.current()), all[2], "at the end the cursor stays");
    assert.deepEqual(
      walk(() => cursor.previous()),
      all.toReversed().slice(1),
    );
    assert.equal(show(cursor.last()), all[2]);
    assert.equal(show(cursor.previous()), all[1]);
    assert.equal(show(cursor.first()), all[0]);
    assert.equal(show(cursor.next()), all[1]);
    using backward = database.cursor();
    assert.deepEqual(
      walk(() => backward.previous()),
      all.toReversed(),
    );
  });

  test(`${type}: an empty database`, () => {
    using database = filled(type, []);
    using cursor = database.cursor();
    for (const move of ["first", "last", "next", "previous", "nextKey", "previousKey"] as const)
      assert.equal(cursor[move](), undefined, move);
    assert.equal(cursor.set(b("a")), undefined);
    assert.equal(cursor.setRange(b("a")), undefined);
    assert.equal(cursor.setBoth(b("a"), b("1")), undefined);
  });

  test(`${type}: a cursor that is nowhere yet`, () => {
    using database = filled(type, DUPLICATES, { duplicates: "unsorted" });
    using cursor = database.cursor();
    for (const call of [
      () => cursor.current(),
      () => cursor.nextDuplicate(),
      () => cursor.previousDuplicate(),
      () => cursor.delete(),
      () => cursor.replace(b("x")),
      () => cursor.insertAfter(b("x")),
      () => cursor.insertBefore(b("x")),
      () => cursor.count(),
    ]) {
      assert.throws(call, { name: "BerkeleyDBError", code: "EINVAL" }, String(call));
    }
    assert.equal(database.count(), 5);
  });

  test(`${type}: set, setBoth, and where they leave the cursor when nothing is found`, () => {
    using database = filled(type, DUPLICATES, { duplicates: "unsorted" });
    using cursor = database.cursor();
    assert.equal(show(cursor.set(b("b"))), "b=1");
    assert.equal(cursor.set(b("x")), undefined);
    assert.equal(show(cursor.current()), "b=1");
    assert.equal(show(cursor.setBoth(b("b"), b("3"))), "b=3");
    assert.equal(cursor.setBoth(b("b"), b("4")), undefined);
    assert.equal(cursor.setBoth(b("x"), b("1")), undefined);
    assert.equal(show(cursor.current()), "b=3");
  });

  test(`${type}: duplicates, forward and backward`, () => {
    for (const duplicates of ["unsorted", "sorted"] as const) {
      using database = filled(type, DUPLICATES, { duplicates });
      using cursor = database.cursor();
      assert.equal(show(cursor.set(b("b"))), "b=1");
      assert.equal(cursor.count(), 3);
      assert.deepEqual(
        walk(() => cursor.nextDuplicate()),
        ["b=2", "b=3"],
      );
      assert.deepEqual(
        walk(() => cursor.previousDuplicate()),
        ["b=2", "b=1"],
      );
      const keys = keyOrder(database);
      cursor.first();
      const firsts = [show(cursor.current()), ...walk(() => cursor.nextKey())];
      assert.deepEqual(
        firsts,
        keys.map((key) => `${key}=1`),
      );
      cursor.last();
      const lasts = [show(cursor.current()), ...walk(() => cursor.previousKey())];
      assert.deepEqual(
        lasts,
        keys.toReversed().map((key) => (key === "b" ? "b=3" : `${key}=1`)),
      );
      cursor.set(b("a"));
      assert.equal(cursor.nextDuplicate(), undefined);
      assert.equal(cursor.count(), 1);
    }
  });

  test(`${type}: replace`, () => {
    using database = filled(type, DUPLICATES, { duplicates: "unsorted" });
    using cursor = database.cursor();
    cursor.setBoth(b("b"), b("2"));
    cursor.replace(b("changed, and longer"));
    assert.equal(show(cursor.current()), "b=changed, and longer");
    cursor.set(b("b"));
    assert.deepEqual([show(cursor.current()), ...walk(() => cursor.nextDuplicate())], ["b=1", "b=changed, and longer", "b=3"]);
    cursor.set(b("c"));
    cursor.replace(new Uint8Array(10_000).fill(7));
    assert.equal(cursor.current()?.[1].length, 10_000);
    cursor.replace(b(""));
    assert.equal(show(cursor.current()), "c=");
  });

  test(`${type}: a replacement must not change the order of sorted duplicates`, () => {
    using database = filled(type, DUPLICATES, { duplicates: "sorted" });
    using cursor = database.cursor();
    cursor.setBoth(b("b"), b("2"));
    assert.throws(() => cursor.replace(b("9")), { code: "EINVAL" });
    cursor.replace(b("2"));
    assert.throws(() => cursor.insertAfter(b("x")), { code: "EINVAL" });
    assert.throws(() => cursor.insertBefore(b("x")), { code: "EINVAL" });
    assert.equal(database.count(), 5);
  });

  test(`${type}: insertBefore, insertAfter and put in first and last place`, () => {
    using database = filled(type, DUPLICATES, { duplicates: "unsorted" });
    using cursor = database.cursor();
    cursor.setBoth(b("b"), b("2"));
    cursor.insertBefore(b("before"));
    assert.equal(show(cursor.current()), "b=before");
    cursor.setBoth(b("b"), b("2"));
    cursor.insertAfter(b("after"));
    assert.equal(show(cursor.current()), "b=after");
    cursor.put(b("b"), b("first"), "first");
    assert.equal(show(cursor.current()), "b=first");
    cursor.put(b("b"), b("last"));
    assert.equal(show(cursor.current()), "b=last");
    cursor.put(b("new"), b("x"));
    assert.equal(show(cursor.current()), "new=x");
    cursor.set(b("b"));
    assert.deepEqual(
      [show(cursor.current()), ...walk(() => cursor.nextDuplicate())].map((text) => text?.slice(2)),
      ["first", "1", "before", "2", "after", "3", "last"],
    );
  });

  test(`${type}: put without duplicates replaces`, () => {
    using database = filled(type, [["a", "1"]]);
    using cursor = database.cursor();
    cursor.put(b("a"), b("2"));
    cursor.put(b("a"), b("3"), "first");
    assert.deepEqual(pairsOf(database), [["a", "3"]]);
    assert.throws(() => cursor.insertAfter(b("4")), { code: "EINVAL" });
    assert.throws(() => cursor.insertBefore(b("4")), { code: "EINVAL" });
  });

  test(`${type}: delete leaves the cursor between its neighbours`, () => {
    using database = filled(type, DUPLICATES, { duplicates: "unsorted" });
    const all = pairsOf(database).map(([key, data]) => `${key}=${data}`);
    using cursor = database.cursor();
    const at = all.indexOf("b=2");
    cursor.setBoth(b("b"), b("2"));
    assert.equal(cursor.delete(), true);
    assert.equal(cursor.current(), undefined);
    assert.equal(cursor.delete(), false);
    assert.throws(() => cursor.replace(b("x")), { code: /^DB_(NOTFOUND|KEYEMPTY)$/ });
    assert.equal(show(cursor.next()), all[at + 1]);
    assert.equal(show(cursor.previous()), all[at - 1]);
    assert.equal(database.count(), 4);
  });

  test(`${type}: a walk that deletes everything sees everything`, () => {
    for (const move of ["next", "previous"] as const) {
      using database = filled(
        type,
        Array.from({ length: 1000 }, (_, i) => [`key ${i}`, `data ${i}`] as const),
        { pageSize: 512 },
      );
      using cursor = database.cursor();
      const seen = new Set(
        walk(() => {
          const record = cursor[move]();
          if (record !== undefined) assert.equal(cursor.delete(), true);
          return record;
        }),
      );
      assert.equal(seen.size, 1000);
      assert.equal(database.count(), 0);
      assert.deepEqual([...database], []);
    }
  });

  test(`${type}: cursors follow what other cursors change`, () => {
    using database = filled(type, [
      ["a", "1"],
      ["b", "2"],
    ]);
    using one = database.cursor();
    using two = database.cursor();
    one.set(b("a"));
    two.set(b("a"));
    one.replace(b("changed"));
    assert.equal(show(two.current()), "a=changed");
    one.delete();
    assert.equal(two.current(), undefined);
    database.put(b("b"), b("through the database"));
    assert.equal(show(two.set(b("b"))), "b=through the database");
  });

  test(`${type}: records from where the cursor is`, () => {
    const records = Array.from({ length: 300 }, (_, i) => [`key ${String(i).padStart(3, "0")}`, "x".repeat(i * 10)] as const);
    using database = filled(type, records);
    const all = pairsOf(database);
    using cursor = database.cursor();
    const middle = all[150];
    assert.ok(middle);
    cursor.set(b(middle[0]));
    assert.deepEqual(pairsOf(cursor.records()), all.slice(151));
    cursor.set(b(middle[0]));
    assert.deepEqual(pairsOf(cursor.records("backward")), all.slice(0, 150).toReversed());
    cursor.last();
    assert.deepEqual([...cursor.records()], []);
    cursor.first();
    assert.deepEqual([...cursor.records("backward")], []);
  });

  test(`${type}: records longer than what is fetched at once`, () => {
    const sizes = [10, 65_520, 65_528, 65_536, 200_000, 1, 70_000, 40_000, 40_000];
    using database = filled(type, []);
    for (const [i, size] of sizes.entries()) database.put(b(`${i}`), new Uint8Array(size).fill(i + 1));
    const forward = [...database];
    assert.equal(forward.length, sizes.length);
    for (const [key, data] of forward) {
      const i = Number(textOf(key));
      assert.equal(data.length, sizes[i]);
      assert.ok(data.every((byte) => byte === i + 1));
    }
    assert.deepEqual([...database.records("backward")], forward.toReversed());
  });

  test(`${type}: close, twice, and a hundred cursors`, () => {
    using database = filled(type, [["a", "1"]]);
    const cursors = Array.from({ length: 100 }, () => database.cursor());
    for (const cursor of cursors) assert.equal(show(cursor.first()), "a=1");
    for (const cursor of cursors.slice(0, 50)) {
      cursor.close();
      cursor.close();
      assert.throws(() => cursor.first(), { name: "TypeError", message: /the cursor is closed/ });
      assert.throws(() => cursor.put(b("x"), b("y")), TypeError);
      assert.throws(() => cursor.delete(), TypeError);
      assert.throws(() => cursor.count(), TypeError);
      assert.throws(() => cursor.records().next(), TypeError);
    }
    database.close();
    for (const cursor of cursors) cursor.close();
  });

  overBoth(`${type}: a database closed with a cursor at a deleted record is whole, and the record is gone`, (place) => {
    const path = place.at("a");
    {
      using database = Database.open(path, { type, create: true, fileSystem: place.fileSystem });
      database.put(b("a"), b("1"));
      database.put(b("b"), b("2"));
      const cursor = database.cursor();
      cursor.set(b("a"));
      cursor.delete();
    }
    assert.deepEqual(Database.verify(path, { fileSystem: place.fileSystem }), []);
    using database = Database.open(path, { readOnly: true, fileSystem: place.fileSystem });
    assert.deepEqual(pairsOf(database), [["b", "2"]]);
  });
}

test("btree: setRange finds the first key that is not before; nothing behind the last", () => {
  using database = filled("btree", [
    ["b", "1"],
    ["d", "2"],
    ["dd", "3"],
  ]);
  using cursor = database.cursor();
  const range = (key: string): string | undefined => show(cursor.setRange(b(key)));
  assert.deepEqual(["", "a", "b", "ba", "c", "d", "d\0", "dd"].map(range), ["b=1", "b=1", "b=1", "d=2", "d=2", "d=2", "dd=3", "dd=3"]);
  assert.equal(range("de"), undefined);
  assert.equal(range("\xff"), undefined);
  assert.equal(range("c"), "d=2");
  assert.equal(show(cursor.next()), "dd=3");
});

test("hash: setRange finds the key itself alone", () => {
  using database = filled("hash", [["b", "1"]]);
  using cursor: Cursor = database.cursor();
  assert.equal(show(cursor.setRange(b("b"))), "b=1");
  assert.equal(cursor.setRange(b("a")), undefined);
});

test("btree: keys are in the order of their bytes", () => {
  const keys = ["", "\0", "\0\0", "a", "a\0", "aa", "b", "\x7f", "\x80", "\xff", "\xff\xff"];
  using database = filled(
    "btree",
    keys.toReversed().map((key) => [key, ""] as const),
  );
  assert.deepEqual(
    pairsOf(database).map(([key]) => key),
    keys,
  );
});
