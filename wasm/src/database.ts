/**
 * A Berkeley DB database (DB of libdb 5.3): one file, opened, read, written and
 * closed.
 */
import type { DatabaseRecord, RecordBatch } from "./batch.ts";
import { Cursor } from "./cursor.ts";
import { Engine, NULL, type Pointer } from "./engine.ts";
import { BerkeleyDBError, codeOf, DB_NOTFOUND, ENGINE_TRAP } from "./error.ts";
import { checkFileHeader, HEADER_SIZE } from "./file-header.ts";
import type { FileSystem } from "./file-system.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { checkBytes, checkFileId, checkOptions, type DatabaseType, FILE_ID_LENGTH, type OpenOptions } from "./options.ts";
import { engineModule, platform } from "./platform.ts";
import { type DatabaseStat, readStat, STAT_FIELDS } from "./stat.ts";

/** bdb.h, enum bdb_option. */
const SET = { pageSize: 1, byteOrder: 2, cacheSize: 3, hashElements: 4, fillFactor: 5, flags: 6, minimumKeys: 7 } as const;
const LORDER = { little: 1234, big: 4321 } as const;
const DB_TYPE = { btree: 1, hash: 2, unknown: 5 } as const;

const DB_CREATE = 0x1;
const DB_EXCL = 0x4;
const DB_RDONLY = 0x400;
const DB_TRUNCATE = 0x20000;
const DB_DUP = 0x10;
const DB_DUPSORT = 0x2;
const DB_FAST_STAT = 0x1;
const DB_NOSYNC = 0x1;
const DB_NOOVERWRITE = 20;

const DEFAULT_MODE = 0o600;
const DEFAULT_PAGE_SIZE = 4096;
const DEFAULT_CACHE_SIZE = 1 << 20;

/** The name, in a file system of its own, of a database that is given as bytes. */
const BYTES_NAME = "database";

/**
 * What `put` does where the key is there already: "replace" its records,
 * refuse to "insert" (DB_NOOVERWRITE), or add a "duplicate" (DB->put with no
 * flag; only where the database has duplicates).
 */
export type PutMode = "replace" | "insert" | "duplicate";

/** Where a database is: a path in the file system, or the bytes of the file. */
export type DatabaseSource = string | Uint8Array;

/**
 * An open database. Made by `Database.open`; closing it is the caller's duty
 * (`using` does it). Every function throws a `BerkeleyDBError` with libdb's
 * code, and a `TypeError` once the database is closed.
 *
 * Keys and data are byte strings from 0 bytes up, of 2 GiB less 64 KiB together
 * in one call at most: more is a `RangeError`. Those that go in stay the
 * caller's and are not kept; those that come out are copies, and the caller's.
 * libdb keeps pages in memory: what was put is in the file after `sync` or
 * `close`. Nothing keeps a second program from the same file.
 */
export class Database implements Disposable {
  /** The path as given to `open`, or undefined for a database given as bytes. */
  readonly path: string | undefined;
  readonly type: DatabaseType;
  /** Whether a key may have several records, and in which order it has them. */
  readonly duplicates: "unsorted" | "sorted" | false;
  readonly #fileSystem: FileSystem;
  readonly #cursors = new Set<Cursor>();
  #engine: Engine | undefined;

  private constructor(engine: Engine, fileSystem: FileSystem, type: DatabaseType, duplicates: "unsorted" | "sorted" | false) {
    this.#engine = engine;
    this.#fileSystem = fileSystem;
    this.duplicates = duplicates;
    this.path = engine.path;
    this.type = type;
  }

  /**
   * Opens a database, or makes one (DB->open).
   * @param source the path of the file; or the bytes of one, which are copied
   *   (see `toBytes`), of 0 bytes to make one in memory.
   * @throws {BerkeleyDBError} `ENOENT`, `EEXIST`, `EACCES`, …; `DB_OLD_VERSION`
   *   for a hash file of version 7 or less, or of 10; `EINVAL` for what is no
   *   database, or one of another type.
   * @throws {TypeError | RangeError} options that cannot be.
   */
  static open(source: DatabaseSource, options: OpenOptions = {}): Database {
    checkOptions(options);
    const { fileSystem, name, path } = locate(source, options.fileSystem);
    // An empty file is no database, and libdb would speak of a flag.
    if (options.readOnly && isEmpty(source)) checkFileHeader(new Uint8Array(), 0, "DB->open", path);
    if (options.create && options.exclusive && exists(fileSystem, name)) {
      throw new BerkeleyDBError("file already exists", { code: "EEXIST", operation: "DB->open", path });
    }
    const isNew = options.truncate || isEmpty(source) || (options.create && !exists(fileSystem, name));
    if (isNew && options.type === undefined) throw new TypeError("type: needed to make a database");
    if (!isNew) refuseUnreadable(fileSystem, name, path);

    const engine = new Engine(engineModule(), fileSystem, path, options.readOnly);
    try {
      return Database.#openWith(engine, fileSystem, name, options, isNew === true);
    } catch (error) {
      try {
        if (!engine.isDead) engine.guard("DB->close", (e) => e.bdb_close(DB_NOSYNC));
      } finally {
        engine.wipe();
      }
      throw error;
    }
  }

  static #openWith(engine: Engine, fileSystem: FileSystem, name: string, options: OpenOptions, isNew: boolean): Database {
    engine.call("db_create", [], (e) => e.bdb_create());
    const set = (operation: string, option: number, value: number): number => engine.call(operation, [], (e) => e.bdb_set(option, value));
    const cacheSize = options.cacheSize ?? DEFAULT_CACHE_SIZE;
    set("DB->set_cachesize", SET.cacheSize, cacheSize);
    if (isNew) {
      set("DB->set_pagesize", SET.pageSize, options.pageSize ?? DEFAULT_PAGE_SIZE);
      set("DB->set_lorder", SET.byteOrder, LORDER[options.byteOrder ?? "little"]);
      if (options.hashElements !== undefined) set("DB->set_h_nelem", SET.hashElements, options.hashElements);
      if (options.fillFactor !== undefined) set("DB->set_h_ffactor", SET.fillFactor, options.fillFactor);
      if (options.minimumKeys !== undefined) set("DB->set_bt_minkey", SET.minimumKeys, options.minimumKeys);
    }
    if (options.duplicates) set("DB->set_flags", SET.flags, options.duplicates === "sorted" ? DB_DUPSORT : DB_DUP);

    let flags = 0;
    if (options.readOnly) flags |= DB_RDONLY;
    // libdb makes a new file beside its place and renames it; an empty file, which may be locked or linked, it has to be told to use.
    if (isNew && exists(fileSystem, name)) flags |= DB_TRUNCATE;
    if (isNew) flags |= DB_CREATE;
    if (options.exclusive && options.create) flags |= DB_EXCL;
    const type = DB_TYPE[options.type ?? "unknown"];
    engine.withPath(name, (path) => engine.call("DB->open", [], (e) => e.bdb_open(path, type, flags, options.mode ?? DEFAULT_MODE)));
    const opened = engine.guard("DB->get_type", (e) => e.bdb_type()) === DB_TYPE.hash ? "hash" : "btree";
    const database = new Database(engine, fileSystem, opened, fastStat(engine, opened).duplicates);
    if (isNew) database.setFileId(options.fileId ?? new Uint8Array(FILE_ID_LENGTH));
    return database;
  }

  /**
   * The problems of a database file, each in libdb's words; none if it is sound
   * (DB->verify). The file is only read. Not every damage is found: see the
   * README.
   * @throws {BerkeleyDBError} where the file cannot be read at all.
   */
  static verify(source: DatabaseSource, options: { readonly fileSystem?: FileSystem } = {}): string[] {
    const { fileSystem, name, path } = locateFile(source, options.fileSystem);
    const engine = new Engine(engineModule(), fileSystem, path, true);
    let failure: BerkeleyDBError;
    try {
      const code = engine.withPath(name, (at) => engine.guard("DB->verify", (e) => e.bdb_verify(at, 0)));
      if (code === 0) return [];
      failure = engine.failure("DB->verify", code);
    } catch (error) {
      // libdb verifies trees by recursion, and by what it reads.
      if (!(error instanceof BerkeleyDBError) || error.code !== ENGINE_TRAP) throw error;
      return ["the verification stopped in the middle: what the file says leads libdb out of its memory"];
    } finally {
      engine.wipe();
    }
    // A damaged page can lead libdb to any code; a failure of the file system is no damage.
    if (failure.cause !== undefined || failure.code === "ENOMEM") throw failure;
    const lines = failure.detail.split("\n");
    // What comes last is the code in words, behind the name of the file.
    const problems = lines.length > 1 && lines.at(-1)?.startsWith(`${name}: `) ? lines.slice(0, -1) : lines;
    return failure.detail === "" ? [failure.message] : problems;
  }

  /**
   * Rewrites a file of an older version in place to what 5.3 reads
   * (DB->upgrade): hash from version 4, btree from 6, in little-endian byte
   * order alone. A failure leaves the file in an unknown state: work on a copy.
   * @returns the upgraded bytes where the source was bytes.
   */
  static upgrade(source: DatabaseSource, options: { readonly fileSystem?: FileSystem } = {}): Uint8Array | undefined {
    const { fileSystem, name, path } = locateFile(source, options.fileSystem);
    const engine = new Engine(engineModule(), fileSystem, path);
    try {
      engine.withPath(name, (at) => engine.call("DB->upgrade", [], (e) => e.bdb_upgrade(at, 0)));
    } finally {
      engine.wipe();
    }
    return typeof source === "string" ? undefined : (fileSystem as MemoryFileSystem).readFile(name);
  }

  /** The version of libdb that this is: "5.3.28" (db_version). */
  static get libraryVersion(): string {
    const text = new Engine(engineModule(), new MemoryFileSystem(), undefined).version;
    return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text;
  }

  /** The data of the first record with this key, or undefined (DB->get). */
  get(key: Uint8Array): Uint8Array | undefined {
    const engine = this.#open("DB->get");
    checkBytes("key", key);
    return engine.withBytes([key], 0, (at = NULL) => {
      const code = engine.call("DB->get", [DB_NOTFOUND], (e) => e.bdb_get(at, key.length));
      return code === 0 ? engine.resultData() : undefined;
    });
  }

  /** Whether there is a record with this key (DB->exists). */
  has(key: Uint8Array): boolean {
    const data = this.get(key);
    // Nobody else would.
    data?.fill(0);
    return data !== undefined;
  }

  /**
   * Stores a record (DB->put).
   * @throws {BerkeleyDBError} `DB_KEYEXIST` for an "insert" of a key that is there,
   *   or for a "duplicate" that is there already among sorted ones.
   */
  put(key: Uint8Array, data: Uint8Array, mode: PutMode = "replace"): void {
    const engine = this.#open("DB->put");
    checkBytes("key", key);
    checkBytes("data", data);
    const flags = this.#putFlags(mode);
    if (mode === "replace" && this.duplicates !== false) this.delete(key);
    engine.withBytes([key, data], 0, (keyAt = NULL, dataAt = NULL) =>
      engine.call("DB->put", [], (e) => e.bdb_put(keyAt, key.length, dataAt, data.length, flags)),
    );
  }

  /**
   * Stores a batch of records in their order: the fast way to store many.
   * Refused keys do not stop it; any other failure does, with the records
   * before it stored.
   * @param mode as for `put`, but a "replace" among duplicates is not possible.
   * @returns the indexes, in the batch, of the records that `DB_KEYEXIST` refused.
   */
  putMany(batch: RecordBatch, mode: PutMode = "replace"): Uint32Array {
    const engine = this.#open("DB->put");
    if (mode === "replace" && this.duplicates !== false) throw new TypeError('putMany: "replace" in a database with duplicates');
    const flags = this.#putFlags(mode);
    return engine.withBytes([batch.view()], 4 * batch.count, (at = NULL, refused = NULL) => {
      engine.call("DB->put", [], (e) => e.bdb_put_many(at, batch.byteLength, flags === 0 ? DB_KEYLAST : flags, refused));
      const indexes = new Uint32Array(engine.resultLength());
      for (let i = 0; i < indexes.length; i++) indexes[i] = engine.uint32(refused, i);
      return indexes;
    });
  }

  /** Deletes all records with this key; returns whether there were any (DB->del). */
  delete(key: Uint8Array): boolean {
    const engine = this.#open("DB->del");
    checkBytes("key", key);
    return engine.withBytes([key], 0, (at = NULL) => engine.call("DB->del", [DB_NOTFOUND], (e) => e.bdb_delete(at, key.length)) === 0);
  }

  /** A new cursor, before the first record (DB->cursor). Closing the database closes it too. */
  cursor(): Cursor {
    const engine = this.#open("DB->cursor");
    const handle = engine.withBytes([], 4, (at = NULL) => {
      engine.call("DB->cursor", [], (e) => e.bdb_cursor_open(at));
      return engine.uint32(at) as Pointer;
    });
    const cursor = new Cursor({ engine: (operation) => this.#open(operation), forget: (gone) => this.#cursors.delete(gone) }, handle);
    this.#cursors.add(cursor);
    return cursor;
  }

  /** All records in the order of the file: of the keys in a btree, of the buckets in a hash file. See `Cursor.records`. */
  *records(direction: "forward" | "backward" = "forward"): Generator<DatabaseRecord, void, undefined> {
    const cursor = this.cursor();
    try {
      yield* cursor.records(direction);
    } finally {
      cursor.close();
    }
  }

  [Symbol.iterator](): Generator<DatabaseRecord, void, undefined> {
    return this.records();
  }

  /** The number of records, counted by a walk through the file. */
  count(): number {
    const engine = this.#open("DBcursor->get");
    engine.call("DBcursor->get", [], (e) => e.bdb_count());
    return engine.resultLength();
  }

  /**
   * What the file is made of (DB->stat). As in libdb, a walk over a database
   * that is open for writing also stores the numbers of keys and records in
   * the file's first page.
   * @param fast leave out what takes a walk: those numbers are then what the file says (DB_FAST_STAT).
   */
  stat({ fast = false }: { readonly fast?: boolean } = {}): DatabaseStat {
    const engine = this.#open("DB->stat");
    return fast ? fastStat(engine, this.type) : stat(engine, this.type, 0);
  }

  /**
   * Moves records to fewer pages and gives free pages at the end back to the
   * file system (DB->compact with DB_FREE_SPACE).
   * @returns how many pages were given back.
   * @throws {TypeError} while a cursor is open, or an iteration not at its end:
   *   in a hash file libdb would move the records from under it.
   */
  compact(): number {
    const engine = this.#open("DB->compact");
    if (this.#cursors.size > 0) throw new TypeError("DB->compact: a cursor is open");
    engine.call("DB->compact", [], (e) => e.bdb_compact());
    return engine.resultLength();
  }

  /**
   * Sets the file id in the first page.
   * @param fileId 20 bytes.
   */
  setFileId(fileId: Uint8Array): void {
    const engine = this.#open("DB->set_file_id");
    checkFileId(fileId);
    engine.withBytes([fileId], 0, (at = NULL) => engine.call("DB->set_file_id", [], (e) => e.bdb_set_file_id(at)));
  }

  /** Writes everything to the file and waits until it is on the disc (DB->sync). */
  sync(): void {
    this.#open("DB->sync").call("DB->sync", [], (e) => e.bdb_sync());
  }

  /**
   * The file as it stands, of a database that was given as bytes: a copy.
   * @throws {TypeError} for a database that has a path.
   */
  toBytes(): Uint8Array {
    if (this.path !== undefined || !(this.#fileSystem instanceof MemoryFileSystem))
      throw new TypeError("toBytes: the database is in a file");
    if (this.#engine !== undefined) this.sync();
    return this.#fileSystem.readFile(BYTES_NAME);
  }

  /**
   * Writes everything and closes the file; a second time does nothing
   * (DB->close). Nothing is thrown after a trap, or where libdb has given the
   * database up (`DB_RUNRECOVERY`). Whatever is thrown, the database is closed afterwards and the
   * memory that held its pages is overwritten.
   * @param sync false to drop what is not in the file yet, which leaves the
   *   file in an unknown state: for a file that is about to go (DB_NOSYNC).
   */
  close({ sync = true }: { readonly sync?: boolean } = {}): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    engine.checkIdle();
    // Then it has been told, and closing has nothing to add to it.
    const isTold = engine.isDead || engine.hasGivenUp;
    try {
      if (engine.isDead) return;
      let failure: unknown;
      for (const cursor of [...this.#cursors]) {
        try {
          cursor.close();
        } catch (error) {
          failure ??= error;
        }
      }
      engine.call("DB->close", [], (e) => e.bdb_close(sync ? 0 : DB_NOSYNC));
      if (failure !== undefined) throw failure;
    } catch (error) {
      if (!isTold) throw error;
    } finally {
      this.#engine = undefined;
      for (const cursor of this.#cursors) cursor.detach();
      this.#cursors.clear();
      engine.wipe();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #putFlags(mode: PutMode): number {
    if (mode !== "replace" && mode !== "insert" && mode !== "duplicate") throw new TypeError('mode: "replace", "insert" or "duplicate"');
    if (mode === "duplicate" && this.duplicates === false) throw new TypeError('mode: "duplicate" in a database without duplicates');
    return mode === "insert" ? DB_NOOVERWRITE : 0;
  }

  #open(operation: string): Engine {
    if (this.#engine === undefined) throw new TypeError(`${operation}: the database is closed`);
    return this.#engine;
  }
}

/** DB->put with no flag is DBC->put(DB_KEYLAST), which is what a batch needs to be told. */
const DB_KEYLAST = 14;

function stat(engine: Engine, type: DatabaseType, flags: number): DatabaseStat {
  return engine.withBytes([], 4 * STAT_FIELDS, (at = NULL) => {
    engine.call("DB->stat", [], (e) => e.bdb_stat(at, flags));
    return readStat(type, (index) => engine.uint32(at, index));
  });
}

function fastStat(engine: Engine, type: DatabaseType): DatabaseStat {
  return stat(engine, type, DB_FAST_STAT);
}

function locate(
  source: DatabaseSource,
  given: FileSystem | undefined,
): { readonly fileSystem: FileSystem; readonly name: string; readonly path: string | undefined } {
  if (typeof source === "string") {
    const fileSystem = given ?? platform.fileSystem;
    if (fileSystem === undefined) throw new TypeError("fileSystem: needed here to open a database by its path");
    if (source === "") throw new TypeError("path: empty");
    return { fileSystem, name: source, path: source };
  }
  checkBytes("source", source);
  const memory = new MemoryFileSystem();
  if (source.length > 0) memory.writeFile(BYTES_NAME, source);
  return { fileSystem: memory, name: BYTES_NAME, path: undefined };
}

/** As `locate`, but no bytes are an empty file, and not a database to be made. */
function locateFile(source: DatabaseSource, given: FileSystem | undefined): ReturnType<typeof locate> {
  const place = locate(source, given);
  if (isEmpty(source)) (place.fileSystem as MemoryFileSystem).writeFile(place.name, new Uint8Array());
  return place;
}

function isEmpty(source: DatabaseSource): boolean {
  return typeof source !== "string" && source.length === 0;
}

function exists(fileSystem: FileSystem, name: string): boolean {
  try {
    fileSystem.stat(name);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw openFailure(error, name);
  }
}

/** @throws {BerkeleyDBError} for what libdb must not be given, and for a file that cannot be read. */
function refuseUnreadable(fileSystem: FileSystem, name: string, path: string | undefined): void {
  const bytes = new Uint8Array(HEADER_SIZE);
  let length: number;
  let size: number;
  try {
    const file = fileSystem.open(name, { write: false }, 0);
    try {
      size = file.size();
      length = file.read(bytes, 0);
    } finally {
      file.close();
    }
  } catch (error) {
    throw openFailure(error, name);
  }
  checkFileHeader(bytes.subarray(0, length), size, "DB->open", path);
}

function openFailure(error: unknown, path: string): BerkeleyDBError {
  const code = codeOf(error) ?? "EIO";
  // Node's messages name code, call and path too: "ENOENT: no such file or directory, open 'x'".
  const message = (error as { message?: unknown } | null | undefined)?.message;
  const summary = typeof message === "string" ? message.replace(/^[A-Z]+: |, \w+ '.*'$/gs, "") : String(error);
  return new BerkeleyDBError(summary, { code, operation: "DB->open", path, cause: error });
}
