/**
 * A database file read page by page, without the engine: hash files of version
 * 2 (Berkeley DB 1.85) and 4 to 10, and btree files. Nothing is ever written, a
 * damaged file gives an error that names the page, and a file of any size takes
 * the same memory, but for a byte a page and the longest record.
 */
import type { FileHandle, FileHeader } from "berkeley-db-js";
import { walkBtree } from "./btree-walk.ts";
import { type HashFileError, tooMuchDamage } from "./error.ts";
import { HashWalk } from "./hash-walk.ts";
import { type BtreeLayout, type HashLayout, readHeader, readLayout } from "./layout.ts";
import { OldHashWalk } from "./old-hash.ts";
import { type OldHashLayout, readOldHashLayout } from "./old-hash-layout.ts";
import { PageReader } from "./page-reader.ts";
import { newKeys, type VisitRecord, type WalkedPages } from "./visit.ts";

export interface StoredRecord {
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

export interface WalkOptions {
  /** Long data of hash files of version 4 and later are not read: such records have none. */
  readonly keysOnly?: boolean;
  /** Called with damage, where the walk can go on behind it. Default: the walk ends, and throws. */
  readonly onDamage?: ((damage: HashFileError) => void) | undefined;
  /** Called for each page of a bucket of a hash file of version 4 and later, before its records. */
  readonly onBucketPage?: ((page: number, bucket: number, isSorted: boolean) => void) | undefined;
}

export type Layout = HashLayout | OldHashLayout | BtreeLayout;

/** Of a file that is damaged in more places the rest is not read: it would tell nobody anything. */
const MOST_DAMAGE = 1000;

/** Ends a walk. */
class TooMuchDamage extends Error {}

export class DatabaseFile {
  readonly layout: Layout;
  readonly #file: FileHandle;

  /**
   * @param file stays the caller's, and open for as long as records are read.
   * @throws {HashFileError} it is no database that is read here, or damaged in its first page.
   */
  constructor(file: FileHandle) {
    this.#file = file;
    this.layout = isOld(file) ? readOldHashLayout(file) : readLayout(file);
  }

  get header(): FileHeader {
    return this.layout;
  }

  /**
   * Calls `visit` for each record, in the order of libdb's cursor.
   * @returns the pages, with a note of those that were reached.
   * @throws {HashFileError} damage; the records before it have been visited.
   */
  visitRecords(visit: VisitRecord, options: WalkOptions = {}): WalkedPages {
    const reader = new PageReader(this.#file, this.layout);
    const { onDamage } = options;
    let count = 0;
    const limited = (damage: HashFileError): void => {
      count += 1;
      if (count > MOST_DAMAGE) throw new TooMuchDamage();
      onDamage?.(damage);
    };
    try {
      const steps = this.#steps(reader, visit, onDamage === undefined ? options : { ...options, onDamage: limited });
      while (steps.next().done !== true) {
        // Each step visits.
      }
    } catch (error) {
      if (!(error instanceof TooMuchDamage)) throw error;
      onDamage?.(tooMuchDamage(MOST_DAMAGE));
    }
    return reader;
  }

  /** The records in the same order, as copies that are the caller's; the records of one key may share its copy. */
  *records(): Generator<StoredRecord, void, undefined> {
    let found: StoredRecord[] = [];
    let key = new Uint8Array();
    const isNew = newKeys();
    const copy: VisitRecord = (keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
      if (isNew(keyBytes, keyStart, keyEnd)) key = new Uint8Array(keyBytes.subarray(keyStart, keyEnd));
      found.push({ key, data: new Uint8Array(dataBytes.subarray(dataStart, dataEnd)) });
    };
    for (const _ of this.#steps(new PageReader(this.#file, this.layout), copy, {})) {
      yield* found;
      found = [];
    }
    yield* found;
  }

  #steps(reader: PageReader, visit: VisitRecord, options: WalkOptions): Generator<void, void, undefined> {
    const { layout } = this;
    if (layout.type === "btree") return walkBtree(reader, layout, visit, options);
    if (layout.version === 2) return new OldHashWalk(reader, layout as OldHashLayout, visit, options).steps();
    return new HashWalk(reader, layout as HashLayout, visit, options).steps();
  }
}

/** Whether it is a file of 1.85. */
function isOld(file: FileHandle): boolean {
  const bytes = new Uint8Array(512);
  return readHeader(bytes.subarray(0, file.read(bytes, 0))).version === 2;
}
