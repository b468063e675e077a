/**
 * A position among the records of a database (DBC of libdb).
 */
import { type DatabaseRecord, unpackRecords } from "./batch.ts";
import { type Engine, NULL, type Pointer } from "./engine.ts";
import { DB_KEYEMPTY, DB_NOTFOUND } from "./error.ts";
import { checkBytes } from "./options.ts";

const Flag = {
  DB_AFTER: 1,
  DB_BEFORE: 3,
  DB_CURRENT: 6,
  DB_FIRST: 7,
  DB_GET_BOTH: 8,
  DB_KEYFIRST: 13,
  DB_KEYLAST: 14,
  DB_LAST: 15,
  DB_NEXT: 16,
  DB_NEXT_DUP: 17,
  DB_NEXT_NODUP: 18,
  DB_PREV: 23,
  DB_PREV_DUP: 24,
  DB_PREV_NODUP: 25,
  DB_SET: 26,
  DB_SET_RANGE: 27,
} as const;

/** For the calls that take no key or no data. */
const NONE = new Uint8Array();

/** Bytes of records that an iteration fetches at once. */
const FETCH = 65536;

/** How a `Cursor` reaches its database; internal. */
export interface CursorOwner {
  /** @throws where the database is closed. */
  engine(operation: string): Engine;
  forget(cursor: Cursor): void;
}

/**
 * Made by `Database.cursor`. Every function throws `BerkeleyDBError`, and a
 * `TypeError` once the cursor or its database is closed. The bytes that go in
 * stay the caller's; those that come out are copies.
 */
export class Cursor implements Disposable {
  readonly #owner: CursorOwner;
  #handle: Pointer | undefined;

  /** @internal */
  constructor(owner: CursorOwner, handle: Pointer) {
    this.#owner = owner;
    this.#handle = handle;
  }

  /** The first record, or undefined in an empty database. DBC->get(DB_FIRST). */
  first(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_FIRST, NONE, NONE);
  }

  /** The last record. DBC->get(DB_LAST). */
  last(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_LAST, NONE, NONE);
  }

  /** The record after this one, the first if there was none yet; undefined at the end. DBC->get(DB_NEXT). */
  next(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_NEXT, NONE, NONE);
  }

  /** The record before this one, the last if there was none yet. DBC->get(DB_PREV). */
  previous(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_PREV, NONE, NONE);
  }

  /** The next record of the same key. DBC->get(DB_NEXT_DUP). */
  nextDuplicate(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_NEXT_DUP, NONE, NONE);
  }

  /** The previous record of the same key. DBC->get(DB_PREV_DUP). */
  previousDuplicate(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_PREV_DUP, NONE, NONE);
  }

  /** The first record of the next key. DBC->get(DB_NEXT_NODUP). */
  nextKey(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_NEXT_NODUP, NONE, NONE);
  }

  /** The last record of the previous key. DBC->get(DB_PREV_NODUP). */
  previousKey(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_PREV_NODUP, NONE, NONE);
  }

  /** The record that the cursor is at; undefined if it was deleted. DBC->get(DB_CURRENT). */
  current(): DatabaseRecord | undefined {
    return this.#get(Flag.DB_CURRENT, NONE, NONE);
  }

  /** The first record of this key, or undefined, and the cursor stays. DBC->get(DB_SET). */
  set(key: Uint8Array): DatabaseRecord | undefined {
    return this.#get(Flag.DB_SET, key, NONE);
  }

  /**
   * In a btree the first record whose key is this one or greater; in a hash
   * file, which has no order, the same as `set`. DBC->get(DB_SET_RANGE).
   */
  setRange(key: Uint8Array): DatabaseRecord | undefined {
    return this.#get(Flag.DB_SET_RANGE, key, NONE);
  }

  /** The record with this key and this data. DBC->get(DB_GET_BOTH). */
  setBoth(key: Uint8Array, data: Uint8Array): DatabaseRecord | undefined {
    return this.#get(Flag.DB_GET_BOTH, key, data);
  }

  /** Replaces the data of the record at the cursor. DBC->put(DB_CURRENT). */
  replace(data: Uint8Array): void {
    this.#put(Flag.DB_CURRENT, NONE, data);
  }

  /** Adds a duplicate in front of the record at the cursor, in a database of unsorted duplicates. DBC->put(DB_BEFORE). */
  insertBefore(data: Uint8Array): void {
    this.#put(Flag.DB_BEFORE, NONE, data);
  }

  /** Adds a duplicate behind the record at the cursor, in a database of unsorted duplicates. DBC->put(DB_AFTER). */
  insertAfter(data: Uint8Array): void {
    this.#put(Flag.DB_AFTER, NONE, data);
  }

  /**
   * Puts a record and moves to it: replaces in a database without duplicates,
   * otherwise adds it as the last or the first of its key.
   * DBC->put(DB_KEYLAST or DB_KEYFIRST).
   */
  put(key: Uint8Array, data: Uint8Array, place: "first" | "last" = "last"): void {
    this.#put(place === "first" ? Flag.DB_KEYFIRST : Flag.DB_KEYLAST, key, data);
  }

  /** Deletes the record at the cursor, which stays where it was. Returns whether there was one. DBC->del. */
  delete(): boolean {
    const [engine, handle] = this.#open("DBcursor->del");
    return engine.call("DBcursor->del", [DB_KEYEMPTY, DB_NOTFOUND], (e) => e.bdb_cursor_delete(handle)) === 0;
  }

  /** How many records have the key of the one at the cursor. DBC->count. */
  count(): number {
    const [engine, handle] = this.#open("DBcursor->count");
    engine.call("DBcursor->count", [], (e) => e.bdb_cursor_count(handle));
    return engine.resultLength();
  }

  /**
   * The records from here to the end, or to the beginning. They are fetched
   * some 64 KiB at a time: a change in between may go unseen.
   */
  *records(direction: "forward" | "backward" = "forward"): Generator<DatabaseRecord, void, undefined> {
    const flags = direction === "forward" ? Flag.DB_NEXT : Flag.DB_PREV;
    for (;;) {
      const [engine, handle] = this.#open("DBcursor->get");
      const code = engine.call("DBcursor->get", [DB_NOTFOUND], (e) => e.bdb_cursor_get_many(handle, flags, FETCH));
      if (code === DB_NOTFOUND) return;
      yield* unpackRecords(engine.resultData());
    }
  }

  /** Closes the cursor; a second time does nothing. DBC->close. */
  close(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    this.#owner.forget(this);
    this.#owner.engine("DBcursor->close").call("DBcursor->close", [], (e) => e.bdb_cursor_close(handle));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal Its database is closed, and has closed it. */
  detach(): void {
    this.#handle = undefined;
  }

  #get(flags: number, key: Uint8Array, data: Uint8Array): DatabaseRecord | undefined {
    const operation = "DBcursor->get";
    const [engine, handle] = this.#open(operation);
    checkBytes("key", key);
    checkBytes("data", data);
    return engine.withBytes([key, data], 0, (keyAt = NULL, dataAt = NULL) => {
      const code = engine.call(operation, [DB_NOTFOUND, DB_KEYEMPTY], (e) =>
        e.bdb_cursor_get(handle, keyAt, key.length, dataAt, data.length, flags),
      );
      return code === 0 ? [engine.resultKey(), engine.resultData()] : undefined;
    });
  }

  #put(flags: number, key: Uint8Array, data: Uint8Array): void {
    const operation = "DBcursor->put";
    const [engine, handle] = this.#open(operation);
    checkBytes("key", key);
    checkBytes("data", data);
    engine.withBytes([key, data], 0, (keyAt = NULL, dataAt = NULL) =>
      engine.call(operation, [], (e) => e.bdb_cursor_put(handle, keyAt, key.length, dataAt, data.length, flags)),
    );
  }

  #open(operation: string): [Engine, Pointer] {
    if (this.#handle === undefined) throw new TypeError(`${operation}: the cursor is closed`);
    return [this.#owner.engine(operation), this.#handle];
  }
}
