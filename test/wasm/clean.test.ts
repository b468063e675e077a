/**
 * A file depends on what was done to it and on nothing else, and holds its
 * records and nothing else. What a file is judged by is independent of the
 * engine: the page mask of the tests, and the native tools where they are.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  BerkeleyDBError,
  Database,
  type DatabaseType,
  MemoryFileSystem,
  type OpenOptions,
  type PutMode,
  RecordBatch,
} from "berkeley-db-js";
import fc from "fast-check";
import { bytesOf, pairsOf, textOf } from "../support/bytes.ts";
import { BYTE_ORDERS, readAll, TYPES } from "../support/databases.ts";
import { byKey, type Duplicates, RecordModel } from "../support/model.ts";
import { needs } from "../support/native.ts";
import { assertVerified, dump } from "../support/native-db.ts";
import { residueOffsets } from "../support/page-mask.ts";
import { temporaryFolder } from "../support/temp.ts";

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536] as const;

interface Settings {
  readonly type: DatabaseType;
  readonly byteOrder: "little" | "big";
  readonly pageSize: number;
  readonly duplicates: Duplicates;
  readonly fileId: Uint8Array;
  readonly cacheSize: number;
}

type Operation =
  | { readonly kind: "put"; readonly key: number; readonly size: number; readonly mode: PutMode }
  | { readonly kind: "delete"; readonly key: number }
  | { readonly kind: "replaceAt"; readonly key: number; readonly size: number }
  | { readonly kind: "deleteAt"; readonly key: number }
  | { readonly kind: "fill"; readonly count: number; readonly size: number }
  | { readonly kind: "compact" | "sync" | "reopen" };

const settings: fc.Arbitrary<Settings> = fc.record({
  type: fc.constantFrom(...TYPES),
  byteOrder: fc.constantFrom(...BYTE_ORDERS),
  pageSize: fc.constantFrom(...PAGE_SIZES),
  duplicates: fc.constantFrom<Duplicates>(false, "unsorted", "sorted"),
  fileId: fc.uint8Array({ minLength: 20, maxLength: 20 }),
  cacheSize: fc.constantFrom(20480, 1 << 20),
});

/** In percent of a page: small ones mostly, those about the limit for staying on the page, and longer than a page. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.integer({ min: 10, max: 30 }) },
  fc.integer({ min: 90, max: 250 }),
);
const key = fc.nat(30);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      key,
      size,
      mode: fc.constantFrom<PutMode>("replace", "insert", "duplicate"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("replaceAt" as const), key, size }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("deleteAt" as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fill" as const), count: fc.integer({ min: 1, max: 200 }), size: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("compact" as const, "sync" as const, "reopen" as const) }) },
);

/** A database, the model that it must follow, and every data that it ever held. */
class Run {
  readonly files = new MemoryFileSystem();
  readonly model: RecordModel;
  /** What marks each data apart, and so can be looked for in the file. */
  readonly markers: string[] = [];
  readonly #settings: Settings;
  #database: Database;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.model = new RecordModel(settings.duplicates);
    this.#database = Database.open("a", { ...settings, create: true, fileSystem: this.files });
  }

  /**
   * Every fifth key is longer than a page; but not among the duplicates of a
   * hash file, where libdb 5.3.28 itself, native as here, can lose the pages of
   * a long key as its records grow in number.
   */
  #key(number: number): string {
    const mayBeLong = this.#settings.type === "btree" || this.#settings.duplicates === false;
    return mayBeLong && number % 5 === 4 ? `long key ${number} `.padEnd(this.#settings.pageSize + number * 7, "k") : `key ${number}`;
  }

  /** Begins with its marker, which no other data has. */
  #data(percent: number): string {
    const marker = `<${this.markers.length.toString(36)}>secret`;
    this.markers.push(marker);
    return marker.padEnd(Math.floor((percent * this.#settings.pageSize) / 100), "s");
  }

  #put(key: string, data: string, mode: PutMode): void {
    const database = this.#database;
    if (mode === "duplicate" && !this.model.duplicates) return;
    if (this.model.put(key, data, mode)) database.put(bytesOf(key), bytesOf(data), mode);
    else assert.throws(() => database.put(bytesOf(key), bytesOf(data), mode), { code: "DB_KEYEXIST" });
  }

  apply(op: Operation): void {
    switch (op.kind) {
      case "put":
        return this.#put(this.#key(op.key), this.#data(op.size), op.mode);
      case "delete":
        assert.equal(this.#database.delete(bytesOf(this.#key(op.key))), this.model.delete(this.#key(op.key)));
        return;
      case "replaceAt":
        return this.#atKey(this.#key(op.key), (cursor, list) => {
          // Sorted duplicates may only be replaced by what sorts the same: nothing else.
          if (this.model.duplicates === "sorted") return;
          const data = this.#data(op.size);
          cursor.replace(bytesOf(data));
          list[0] = data;
        });
      case "deleteAt":
        return this.#atKey(this.#key(op.key), (cursor, list) => {
          cursor.delete();
          list.shift();
        });
      case "fill": {
        const batch = new RecordBatch();
        for (let i = 0; i < op.count; i++) {
          const [key, data] = [`filling ${i}`, this.#data(op.size)];
          if (this.model.put(key, data, "insert")) batch.append(bytesOf(key), bytesOf(data));
        }
        assert.deepEqual(this.#database.putMany(batch, "insert"), new Uint32Array());
        return;
      }
      case "compact":
        this.#database.compact();
        return;
      case "sync":
        this.#database.sync();
        return;
      case "reopen":
        this.#database.close();
        this.#database = Database.open("a", { fileSystem: this.files, cacheSize: this.#settings.cacheSize });
    }
  }

  #atKey(key: string, action: (cursor: ReturnType<Database["cursor"]>, list: string[]) => void): void {
    using cursor = this.#database.cursor();
    const list = this.model.dataOf(key);
    assert.equal(cursor.set(bytesOf(key)) !== undefined, list !== undefined);
    if (list === undefined) return;
    action(cursor, list);
    if (list.length === 0) this.model.delete(key);
  }

  /** @returns the bytes of the closed file. */
  finish(): Uint8Array {
    this.#database.close();
    return this.files.readFile("a");
  }
}

function runAll(settings: Settings, operations: readonly Operation[]): Run {
  const run = new Run(settings);
  for (const op of operations) run.apply(op);
  return run;
}

/** What must hold of a file without any other program. */
function assertClean(bytes: Uint8Array, fileId: Uint8Array): void {
  assert.deepEqual(residueOffsets(bytes), [], "unused bytes that are not zero");
  assert.deepEqual(bytes.slice(52, 72), fileId);
  assert.deepEqual(Database.verify(bytes), []);
}

test("after any operations: the model's records, sound, clean, no deleted secret, and the same bytes a second time", (t) => {
  const folder = temporaryFolder(t);
  const done: { readonly path: string; readonly run: Run; readonly type: DatabaseType }[] = [];
  fc.assert(
    fc.property(settings, fc.array(operation, { minLength: 1, maxLength: 60, size: "max" }), (given, operations) => {
      const run = runAll(given, operations);
      const bytes = run.finish();
      const path = join(folder, `${done.length}`);
      writeFileSync(path, bytes);
      done.push({ path, run, type: given.type });

      assertClean(bytes, given.fileId);
      const text = textOf(bytes);
      const live = run.model.pairs();
      const alive = new Set(live.map(([, data]) => data.slice(0, data.indexOf(">") + 1)));
      for (const marker of run.markers) {
        if (!alive.has(marker.slice(0, marker.indexOf(">") + 1))) assert.ok(!text.includes(marker), `${marker} is still in the file`);
      }
      using database = Database.open(bytes, { readOnly: true });
      const found = pairsOf(database);
      assert.deepEqual(given.type === "btree" ? found : byKey(found), live);
      assert.ok(Buffer.from(runAll(given, operations).finish()).equals(bytes), "the second time the bytes differ");
    }),
    { numRuns: 200 },
  );
  if (!needs(t, "db5.3_verify", "db5.3_dump")) return;
  assertVerified(done.map(({ path }) => path));
  for (const { path, run, type } of done) {
    const found = dump(path);
    assert.deepEqual(type === "btree" ? found : byKey(found), run.model.pairs(), path);
  }
});

/** As many combinations as there are, so that none depends on chance. */
test("every page size, byte order, type and kind of duplicates is clean after splits and deletes", (t) => {
  const folder = temporaryFolder(t);
  const paths: string[] = [];
  for (const type of TYPES) {
    for (const byteOrder of BYTE_ORDERS) {
      for (const pageSize of PAGE_SIZES) {
        for (const duplicates of [false, "unsorted", "sorted"] as const) {
          const name = `${type} ${byteOrder} ${pageSize} ${duplicates}`;
          const fileId = bytesOf(name.padEnd(20).slice(0, 20));
          using database = Database.open(new Uint8Array(), { type, byteOrder, pageSize, duplicates, fileId });
          const count = pageSize < 4096 ? 300 : 600;
          const mode = duplicates ? "duplicate" : "replace";
          for (let i = 0; i < count; i++) database.put(bytesOf(`key ${i}`), bytesOf(`DOOMED ${i} `.padEnd(20 + (i % 7) * 30, "x")));
          for (let i = 0; i < count; i++) database.put(bytesOf("one key"), bytesOf(`DOOMED duplicate ${i}`), mode);
          for (let i = 0; i < 8; i++)
            database.put(bytesOf(`big ${i}`.padEnd(pageSize * (i % 2) + 10, "k")), bytesOf("DOOMED ".repeat(pageSize / 4)));
          for (let i = 0; i < count; i++) if (i % 3 !== 0) database.delete(bytesOf(`key ${i}`));
          database.delete(bytesOf("one key"));
          for (let i = 0; i < 8; i += 3) database.delete(bytesOf(`big ${i}`.padEnd(pageSize * (i % 2) + 10, "k")));
          const bytes = database.toBytes();
          assert.deepEqual(residueOffsets(bytes), [], name);
          assert.deepEqual(Database.verify(bytes), [], name);
          const text = textOf(bytes);
          const found = new Set(Array.from(text.matchAll(/DOOMED (\d+) /g), ([, number]) => Number(number)));
          const kept = Array.from({ length: count / 3 }, (_, i) => 3 * i);
          assert.deepEqual(
            [...found].sort((a, b) => a - b),
            kept,
            name,
          );
          assert.ok(!text.includes("DOOMED duplicate"), name);
          const path = join(folder, name.replaceAll(" ", "-"));
          writeFileSync(path, bytes);
          paths.push(path);
        }
      }
    }
  }
  assert.equal(paths.length, 96);
  if (!needs(t, "db5.3_verify")) return;
  assertVerified(paths);
});

test("a deleted or changed secret is nowhere in the file, nor in what sync left of it", () => {
  for (const type of TYPES) {
    for (const secret of ["short secret", `long secret ${"abcdefgh".repeat(1000)}`]) {
      const files = new MemoryFileSystem();
      const database = Database.open("a", { type, create: true, fileSystem: files });
      const holds = (): boolean => {
        database.sync();
        return textOf(files.readFile("a")).includes(secret.slice(0, 12));
      };
      for (let i = 0; i < 500; i++) database.put(bytesOf(`user ${i}`), bytesOf(`other ${i}`));
      database.put(bytesOf("key"), bytesOf(secret));
      assert.ok(holds(), "the search would find it");
      database.put(bytesOf("key"), bytesOf("changed"));
      assert.ok(!holds(), `${type}: changed`);
      database.put(bytesOf(secret), bytesOf("as a key"));
      assert.ok(holds());
      database.delete(bytesOf(secret));
      assert.ok(!holds(), `${type}: deleted`);
      database.put(bytesOf("key"), bytesOf(secret));
      assert.ok(holds());
      database.delete(bytesOf("key"));
      database.close();
      assert.ok(!textOf(files.readFile("a")).includes(secret.slice(0, 12)), `${type}: closed`);
    }
  }
});

test("a file of native makemap's kind, with residue, is clean page by page as it is changed", () => {
  // Only what is written can be cleared: a change of every record reaches every page that holds one.
  const files = new MemoryFileSystem();
  const options: OpenOptions = { type: "hash", create: true, fileSystem: files };
  {
    using database = Database.open("a", options);
    for (let i = 0; i < 200; i++) database.put(bytesOf(`key ${i}`), bytesOf("x"));
  }
  const dirty = files.readFile("a");
  // Between the index and the lowest item of a bucket page.
  for (let page = 1; page < dirty.length / 4096; page++) dirty.set(bytesOf("RESIDUE"), page * 4096 + 26 + 2 * 300);
  assert.equal(residueOffsets(dirty).length, 10);
  files.writeFile("a", dirty);
  {
    using database = Database.open("a", { fileSystem: files });
    for (let i = 0; i < 200; i++) database.put(bytesOf(`key ${i}`), bytesOf("y"));
  }
  assert.deepEqual(residueOffsets(readAll(files, "a")), []);
});

/** The memory of each engine that is made meanwhile. It is not to be reached from outside: what is instantiated is watched. */
function watchMemories(action: (memories: readonly WebAssembly.Memory[]) => void): void {
  const { Instance } = WebAssembly;
  const memories: WebAssembly.Memory[] = [];
  class Watched extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      memories.push(this.exports["memory"] as WebAssembly.Memory);
    }
  }
  WebAssembly.Instance = Watched;
  try {
    action(memories);
  } finally {
    WebAssembly.Instance = Instance;
  }
}

const isClear = (memory: WebAssembly.Memory | undefined): boolean =>
  memory !== undefined && Buffer.from(memory.buffer).every((byte) => byte === 0);

test("the memory of a closed database holds no record", () => {
  watchMemories((memories) => {
    for (const type of TYPES) {
      const database = Database.open(new Uint8Array(), { type });
      database.put(bytesOf("key"), bytesOf("SECRET DATA"));
      const memory = memories.at(-1);
      assert.ok(memory !== undefined && Buffer.from(memory.buffer).includes("SECRET DATA"));
      database.close();
      assert.ok(isClear(memory));
    }
  });
});

test("nor does that of a verification, of an upgrade, and of a database that cannot be opened", () => {
  for (const type of TYPES) {
    const database = Database.open(new Uint8Array(), { type });
    for (let i = 0; i < 500; i++) database.put(bytesOf(`key ${i}`), bytesOf(`SECRET DATA ${i}`));
    const bytes = database.toBytes();
    database.close();
    const damaged = new Uint8Array(bytes);
    // The type of the second page.
    damaged[4096 + 25] = 99;
    watchMemories((memories) => {
      const ends = (what: () => void): void => {
        const before = memories.length;
        what();
        assert.ok(memories.length > before && memories.slice(before).every(isClear));
      };
      ends(() => assert.deepEqual(Database.verify(bytes), []));
      ends(() => assert.notDeepEqual(Database.verify(damaged), []));
      ends(() => Database.upgrade(bytes));
      ends(() => assert.throws(() => Database.open(bytes, { type: type === "hash" ? "btree" : "hash" }), BerkeleyDBError));
    });
  }
});

test("refused puts leave the file as it was", () => {
  for (const type of TYPES) {
    using database = Database.open(new Uint8Array(), { type });
    for (let i = 0; i < 100; i++) database.put(bytesOf(`key ${i}`), bytesOf(`data ${i}`));
    const before = database.toBytes();
    for (let i = 0; i < 100; i++) assert.throws(() => database.put(bytesOf(`key ${i}`), bytesOf("x"), "insert"), BerkeleyDBError);
    assert.ok(Buffer.from(database.toBytes()).equals(before));
  }
});
