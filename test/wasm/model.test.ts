/**
 * Database and Cursor against a Map, by random commands (fast-check): whatever
 * comes out of the one comes out of the other.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Cursor,
  Database,
  type DatabaseRecord,
  type DatabaseType,
  type FileSystem,
  MemoryFileSystem,
  nodeFileSystem,
  type PutMode,
  RecordBatch,
} from "berkeley-db-js";
import fc from "fast-check";
import { bytesOf, compare, maybeTextOf, pairsOf, textOf } from "../support/bytes.ts";
import { TYPES } from "../support/databases.ts";
import { byKey, type Duplicates, type Pair, RecordModel } from "../support/model.ts";
import { temporaryFolder } from "../support/temp.ts";

interface Model {
  readonly records: RecordModel;
  /** Where the cursor is: at a record, at the place of one that is gone, or nowhere. */
  position: { readonly key: string; readonly data: string; readonly gone: boolean } | undefined;
}

/** The real thing. */
class Subject {
  readonly type: DatabaseType;
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  readonly #cacheSize: number;
  database: Database;
  cursor: Cursor;

  constructor(type: DatabaseType, duplicates: Duplicates, pageSize: number, cacheSize: number, path: string, fileSystem: FileSystem) {
    this.type = type;
    this.#path = path;
    this.#fileSystem = fileSystem;
    this.#cacheSize = cacheSize;
    this.database = Database.open(path, { type, duplicates, pageSize, cacheSize, truncate: true, fileSystem });
    this.cursor = this.database.cursor();
  }

  reopen(): void {
    this.database.close();
    this.database = Database.open(this.#path, { fileSystem: this.#fileSystem, cacheSize: this.#cacheSize });
    this.cursor = this.database.cursor();
  }

  finish(): string[] {
    this.database.close();
    return Database.verify(this.#path, { fileSystem: this.#fileSystem });
  }
}

type Command = fc.Command<Model, Subject>;

function command(
  name: string,
  run: (model: Model, subject: Subject) => void,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return { check, run, toString: () => name };
}

function show(record: DatabaseRecord | undefined): Pair | undefined {
  return record && [textOf(record[0]), textOf(record[1])];
}

/** The records in the order of the file: that of a btree is known; a hash file is asked for its own. */
function order(model: Model, subject: Subject): Pair[] {
  if (subject.type === "btree") return model.records.pairs();
  const keys = [...new Set(pairsOf(subject.database).map(([key]) => key))];
  return keys.flatMap((key) => (model.records.dataOf(key) ?? []).map((data): Pair => [key, data]));
}

/** A record was put or deleted: the cursor is where that can be told, or is made anew. */
function settle(model: Model, subject: Subject, key: string): void {
  const { position, records } = model;
  if (position === undefined || position.key !== key) return;
  if (!position.gone && records.duplicates !== "unsorted" && records.dataOf(key) === undefined) {
    model.position = { ...position, gone: true };
    return;
  }
  // What a cursor sees of a key that was put again, or has records alike, is libdb's own business.
  renew(model, subject);
}

/**
 * A record stays on its page, marked as deleted, as long as a cursor stands on
 * it, and there libdb, native as here, takes it for the only one of its key
 * (DB_NOOVERWRITE), or leaves it out with the others (DB->stat).
 */
function leaveGone(model: Model, subject: Subject): void {
  if (model.position?.gone) renew(model, subject);
}

function renew(model: Model, subject: Subject): void {
  subject.cursor.close();
  subject.cursor = subject.database.cursor();
  model.position = undefined;
}

function moved(model: Model, record: DatabaseRecord | undefined, expected: Pair | undefined): void {
  assert.deepEqual(show(record), expected);
  if (expected !== undefined) model.position = { key: expected[0], data: expected[1], gone: false };
}

/** The record one step from the position; for one that is gone, its neighbour. */
function neighbour(model: Model, all: readonly Pair[], step: 1 | -1): Pair | undefined {
  const { position } = model;
  if (position === undefined) return step === 1 ? all[0] : all.at(-1);
  const index = all.findIndex(([key, data]) => key === position.key && data === position.data);
  if (index >= 0) return all[index + step];
  const compareTo = ([key, data]: Pair): number => compare(key, position.key) || compare(data, position.data);
  return step === 1 ? all.find((pair) => compareTo(pair) > 0) : all.findLast((pair) => compareTo(pair) < 0);
}

const put = (key: string, data: string, mode: PutMode): Command =>
  command(
    `put ${key.slice(0, 8)} ${data.length} ${mode}`,
    (model, subject) => {
      leaveGone(model, subject);
      if (model.records.put(key, data, mode)) subject.database.put(bytesOf(key), bytesOf(data), mode);
      else assert.throws(() => subject.database.put(bytesOf(key), bytesOf(data), mode), { code: "DB_KEYEXIST" });
      settle(model, subject, key);
    },
    (model) => mode !== "duplicate" || model.records.duplicates !== false,
  );

const putMany = (pairs: readonly Pair[], mode: PutMode): Command =>
  command(
    `putMany ${pairs.length} ${mode}`,
    (model, subject) => {
      leaveGone(model, subject);
      const batch = new RecordBatch();
      const refused: number[] = [];
      pairs.forEach(([key, data], index) => {
        batch.append(bytesOf(key), bytesOf(data));
        if (!model.records.put(key, data, mode)) refused.push(index);
      });
      assert.deepEqual([...subject.database.putMany(batch, mode)], refused);
      for (const [key] of pairs) settle(model, subject, key);
    },
    (model) => (mode === "duplicate") === (model.records.duplicates !== false) || mode === "insert",
  );

const remove = (key: string): Command =>
  command(`delete ${key.slice(0, 8)}`, (model, subject) => {
    assert.equal(subject.database.delete(bytesOf(key)), model.records.delete(key));
    settle(model, subject, key);
  });

const get = (key: string): Command =>
  command(`get ${key.slice(0, 8)}`, (model, subject) => {
    assert.equal(maybeTextOf(subject.database.get(bytesOf(key))), model.records.get(key));
    assert.equal(subject.database.has(bytesOf(key)), model.records.get(key) !== undefined);
  });

const ends = (move: "first" | "last"): Command =>
  command(move, (model, subject) => {
    const all = order(model, subject);
    moved(model, subject.cursor[move](), move === "first" ? all[0] : all.at(-1));
  });

const step = (move: "next" | "previous"): Command =>
  command(move, (model, subject) => {
    const all = order(model, subject);
    const { position, records } = model;
    // A hash file does not say where what is gone has been; of records alike it cannot be told which one it is.
    if (subject.type === "hash" && position?.gone) return;
    if (position && (records.dataOf(position.key) ?? []).filter((other) => other === position.data).length > 1) return;
    moved(model, subject.cursor[move](), neighbour(model, all, move === "next" ? 1 : -1));
  });

const current = (): Command =>
  command(
    "current",
    (model, subject) => {
      const { position } = model;
      assert.deepEqual(show(subject.cursor.current()), position?.gone ? undefined : [position?.key, position?.data]);
    },
    (model) => model.position !== undefined,
  );

const set = (key: string): Command =>
  command(`set ${key.slice(0, 8)}`, (model, subject) => {
    const data = model.records.get(key);
    moved(model, subject.cursor.set(bytesOf(key)), data === undefined ? undefined : [key, data]);
  });

const setRange = (key: string): Command =>
  command(`setRange ${key.slice(0, 8)}`, (model, subject) => {
    const all = model.records.pairs();
    const found = all.find(([other]) => (subject.type === "btree" ? compare(other, key) >= 0 : other === key));
    moved(model, subject.cursor.setRange(bytesOf(key)), found);
  });

const setBoth = (key: string, data: string): Command =>
  command(`setBoth ${key.slice(0, 8)}`, (model, subject) => {
    const there = model.records.dataOf(key)?.includes(data) === true;
    moved(model, subject.cursor.setBoth(bytesOf(key), bytesOf(data)), there ? [key, data] : undefined);
  });

const countHere = (): Command =>
  command(
    "cursor count",
    (model, subject) => assert.equal(subject.cursor.count(), model.records.dataOf(model.position?.key ?? "")?.length),
    (model) => model.position?.gone === false,
  );

const removeHere = (): Command =>
  command(
    "cursor delete",
    (model, subject) => {
      const { position, records } = model;
      assert.equal(subject.cursor.delete(), position?.gone === false);
      if (position === undefined || position.gone) return;
      const list = records.dataOf(position.key) ?? [];
      list.splice(list.indexOf(position.data), 1);
      if (list.length === 0) records.delete(position.key);
      model.position = { ...position, gone: true };
    },
    // Of records alike it cannot be told which one goes.
    (model) => model.position !== undefined && model.records.duplicates !== "unsorted",
  );

const replaceHere = (data: string): Command =>
  command(
    `cursor replace ${data.length}`,
    (model, subject) => {
      const { position, records } = model;
      if (position === undefined) return;
      subject.cursor.replace(bytesOf(data));
      records.put(position.key, data, "replace");
      model.position = { ...position, data };
    },
    (model) => model.position?.gone === false && model.records.duplicates === false,
  );

const whole = (name: string, run: (subject: Subject) => void): Command =>
  command(name, (model, subject) => {
    leaveGone(model, subject);
    run(subject);
    if (name !== "sync") model.position = undefined;
    const found = pairsOf(subject.database);
    assert.deepEqual(subject.type === "btree" ? found : byKey(found), model.records.pairs());
    assert.deepEqual(pairsOf(subject.database.records("backward")), found.toReversed());
    assert.equal(subject.database.count(), found.length);
    const stat = subject.database.stat();
    assert.deepEqual([stat.keys, stat.records], [model.records.keyCount, found.length]);
  });

/** Few keys, so that they meet. */
const shortKey = fc.oneof(
  fc.nat(12).map((i) => `key ${i}`),
  fc.constantFrom("\0", "\xff"),
);
const emptyKey = fc.constant("");
/** Of several pages. */
const longKey = fc.constantFrom("long 1 ".padEnd(1500, "k"), "long 2 ".padEnd(700, "k"));

/**
 * What libdb 5.3.28 itself, native as here, gets right. In a hash file it can
 * store a long key twice where another key is its beginning, as the empty one
 * is of all; and among duplicates it can lose the pages of a long key.
 */
function keysFor(type: DatabaseType, duplicates: Duplicates): fc.Arbitrary<string> {
  const long = { weight: 1, arbitrary: longKey };
  const empty = { weight: 1, arbitrary: emptyKey };
  const short = { weight: 6, arbitrary: shortKey };
  if (type === "btree") return fc.oneof(short, empty, long);
  return duplicates === false ? fc.oneof(short, long) : fc.oneof(short, empty);
}

const data = fc.oneof(
  { weight: 5, arbitrary: fc.nat(9).map((i) => `${i}`.repeat(1 + i)) },
  { weight: 1, arbitrary: fc.constantFrom("", "m".repeat(200), "l".repeat(3000)) },
);

function commands(key: fc.Arbitrary<string>): fc.Arbitrary<Iterable<Command>> {
  const mode = fc.constantFrom<PutMode>("replace", "insert", "duplicate");
  const pairs = fc.array(fc.tuple(key, data), { maxLength: 30 });
  return fc.commands(
    [
      fc.tuple(key, data, mode).map((args) => put(...args)),
      fc.tuple(key, data, mode).map((args) => put(...args)),
      fc.tuple(pairs, mode).map((args) => putMany(...args)),
      key.map(remove),
      key.map(get),
      fc.constantFrom(ends("first"), ends("last")),
      fc.constantFrom(step("next"), step("previous")),
      fc.constant(current()),
      key.map(set),
      key.map(setRange),
      fc.tuple(key, data).map((args) => setBoth(...args)),
      fc.constant(countHere()),
      fc.constant(removeHere()),
      data.map(replaceHere),
      fc.constantFrom(
        whole("reopen", (subject) => subject.reopen()),
        whole("sync", (subject) => subject.database.sync()),
        whole("compact", (subject) => {
          assert.throws(() => subject.database.compact(), TypeError);
          subject.cursor.close();
          subject.database.compact();
          subject.cursor = subject.database.cursor();
        }),
      ),
    ],
    { maxCommands: 80, size: "max" },
  );
}

function runModel(type: DatabaseType, duplicates: Duplicates, path: string, fileSystem: FileSystem, numRuns: number): void {
  fc.assert(
    fc.property(
      commands(keysFor(type, duplicates)),
      fc.constantFrom(512, 1024, 4096),
      fc.constantFrom(20480, 1 << 20),
      (list, pageSize, cacheSize) => {
        const subject = new Subject(type, duplicates, pageSize, cacheSize, path, fileSystem);
        try {
          fc.modelRun(() => ({ model: { records: new RecordModel(duplicates), position: undefined }, real: subject }), list);
          assert.deepEqual(subject.finish(), []);
        } finally {
          subject.database.close();
        }
      },
    ),
    { numRuns },
  );
}

for (const type of TYPES) {
  for (const duplicates of [false, "unsorted", "sorted"] as const) {
    const what = `${type}, ${duplicates === false ? "no" : duplicates} duplicates`;
    test(`${what}: does what the model does, in memory`, () => runModel(type, duplicates, "a", new MemoryFileSystem(), 120));
    test(`${what}: does what the model does, in a file`, (t) =>
      runModel(type, duplicates, join(temporaryFolder(t), "a"), nodeFileSystem, 15));
  }
}
