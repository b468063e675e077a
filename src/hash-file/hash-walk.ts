/**
 * The records of a hash file of version 4 to 10, in the order of libdb's
 * cursor: bucket by bucket, and of each bucket page by page.
 *
 * Layout: dbinc/db_page.h of libdb 5.3 (PAGE, HKEYDATA, HDUPLICATE, HOFFPAGE,
 * HOFFDUP).
 */
import { visitDuplicates } from "./btree-walk.ts";
import { damaged, HashFileError } from "./error.ts";
import { bucketPages, FIRST_WITH_ALL_PAGES, type HashLayout, ItemType, PageField, PageType } from "./layout.ts";
import { type PageReader, u16, u32 } from "./page-reader.ts";
import type { VisitItem, VisitRecord } from "./visit.ts";

const EMPTY = Buffer.alloc(0);
/** HOFFPAGE and HOFFDUP. */
const OFF_PAGE = { page: 4, length: 8, size: 12 } as const;
const OFF_PAGE_DUPLICATES_SIZE = 8;
/** From this version on duplicates that are many are a btree. */
const FIRST_WITH_DUPLICATE_TREES = 7;

export interface HashWalkOptions {
  /** Data are not read: the records have none. */
  readonly keysOnly?: boolean;
  /**
   * Called with the damage where a bucket cannot be read to its end; the walk
   * goes on with the next one. Default: it ends, and throws.
   */
  readonly onDamage?: ((damage: HashFileError) => void) | undefined;
  /** Called for each page of a bucket, before its records. */
  readonly onBucketPage?: ((page: number, bucket: number, isSorted: boolean) => void) | undefined;
}

/** Calls `visit` for each record; yields after each page of a bucket. */
export class HashWalk {
  readonly #reader: PageReader;
  readonly #layout: HashLayout;
  readonly #visit: VisitRecord;
  readonly #options: HashWalkOptions;
  /** The key of the record that is being read. */
  #keyBytes: Buffer = EMPTY;
  #keyStart = 0;
  #keyEnd = 0;

  constructor(reader: PageReader, layout: HashLayout, visit: VisitRecord, options: HashWalkOptions = {}) {
    this.#reader = reader;
    this.#layout = layout;
    this.#visit = visit;
    this.#options = options;
  }

  *steps(): Generator<void, void, undefined> {
    // The first page is nobody's bucket.
    this.#reader.take(0);
    for (const [bucket, first] of bucketPages(this.#layout, this.#layout.version < FIRST_WITH_ALL_PAGES)) {
      let page = first;
      let previous = 0;
      // A bucket on the first page is damage, not a bucket without pages.
      do {
        const next = this.#tryPage(page, previous, bucket);
        previous = page;
        page = next;
        yield;
      } while (page !== 0);
    }
  }

  /** The next page of the chain, 0 at its end. */
  #tryPage(number: number, previous: number, bucket: number): number {
    const { onDamage } = this.#options;
    if (onDamage === undefined) return this.#hashPage(number, previous, bucket);
    try {
      return this.#hashPage(number, previous, bucket);
    } catch (error) {
      if (!(error instanceof HashFileError)) throw error;
      onDamage(error);
      return 0;
    }
  }

  #hashPage(number: number, previous: number, bucket: number): number {
    const page = this.#reader.take(number, previous);
    const type = page[PageField.type];
    const { pageSize, headerLength, isLittleEndian } = this.#layout;
    // A bucket that never held anything.
    if (type === PageType.invalid && previous === 0 && u32(page, PageField.number, isLittleEndian) === 0) return 0;
    if (type !== PageType.hash && type !== PageType.hashUnsorted) throw damaged(number, `of type ${type}, not of a hash bucket`);
    this.#reader.checkNumber(page, number);
    if (u32(page, PageField.previous, isLittleEndian) !== previous) throw damaged(number, "says that it follows another page");
    const entries = u16(page, PageField.entries, isLittleEndian);
    const index = headerLength + 2 * entries;
    if (entries % 2 !== 0 || index > pageSize) throw damaged(number, `${entries} items`);
    this.#options.onBucketPage?.(number, bucket, type === PageType.hash);
    let end = pageSize;
    for (let i = 0; i < entries; i += 2) {
      const key = u16(page, headerLength + 2 * i, isLittleEndian);
      const data = u16(page, headerLength + 2 * i + 2, isLittleEndian);
      if (key >= end || data >= key || data < index) throw damaged(number, `item ${i} lies outside`);
      this.#record(number, page, key, end, data);
      end = data;
    }
    return u32(page, PageField.next, isLittleEndian);
  }

  /** @param key where its item begins; it ends at `end`, and the item of its data, which begins at `data`, ends where it begins. */
  #record(number: number, page: Buffer, key: number, end: number, data: number): void {
    if (page[key] === ItemType.inline) {
      this.#keyBytes = page;
      this.#keyStart = key + 1;
      this.#keyEnd = end;
    } else if (page[key] === ItemType.offPage && end - key === OFF_PAGE.size) {
      this.#keyBytes = this.#overflow(number, page, key);
      this.#keyStart = 0;
      this.#keyEnd = this.#keyBytes.length;
    } else {
      throw damaged(number, `a key of type ${page[key]}`);
    }
    const type = page[data];
    if (type === ItemType.inline) {
      this.#visit(this.#keyBytes, this.#keyStart, this.#keyEnd, page, data + 1, key);
    } else if (type === ItemType.offPage && key - data === OFF_PAGE.size) {
      const bytes = this.#options.keysOnly ? EMPTY : this.#overflow(number, page, data);
      this.#visit(this.#keyBytes, this.#keyStart, this.#keyEnd, bytes, 0, bytes.length);
    } else if (type === ItemType.duplicates) {
      this.#duplicates(number, page, data + 1, key);
    } else if (type === ItemType.offPageDuplicates && key - data === OFF_PAGE_DUPLICATES_SIZE) {
      if (this.#layout.version < FIRST_WITH_DUPLICATE_TREES)
        throw new HashFileError(`page ${number}: duplicates on pages of their own are not read in version ${this.#layout.version}`, number);
      visitDuplicates(this.#reader, number, u32(page, data + OFF_PAGE.page, this.#layout.isLittleEndian), this.#visitData);
    } else {
      throw damaged(number, `data of type ${type}`);
    }
  }

  readonly #visitData: VisitItem = (bytes, start, end) => this.#visit(this.#keyBytes, this.#keyStart, this.#keyEnd, bytes, start, end);

  /** Each stands between its length and its length. */
  #duplicates(number: number, page: Buffer, start: number, end: number): void {
    const { isLittleEndian } = this.#layout;
    for (let at = start; at < end; ) {
      const length = at + 4 <= end ? u16(page, at, isLittleEndian) : end;
      if (at + length + 4 > end || u16(page, at + 2 + length, isLittleEndian) !== length) throw damaged(number, "a duplicate lies outside");
      this.#visitData(page, at + 2, at + 2 + length);
      at += length + 4;
    }
  }

  #overflow(number: number, page: Buffer, item: number): Buffer {
    const { isLittleEndian } = this.#layout;
    return this.#reader.overflow(
      number,
      u32(page, item + OFF_PAGE.page, isLittleEndian),
      u32(page, item + OFF_PAGE.length, isLittleEndian),
    );
  }
}
