/**
 * The keys of a hash file, read page by page without the engine: nothing is
 * written, a damaged file gives an error that names the page, and a file of
 * any size takes the same memory.
 */
import type { FileHandle } from "berkeley-db-js";
import { HashFileError, type HashLayout, ItemType, PageField, PageType, readHashLayout } from "./layout.ts";

/** Pages are read this many bytes at a time, and this many of such stretches are kept. */
const STRETCH = 1 << 18;
const KEPT = 64;

/** Pages of a file by number. */
class Pages {
  readonly #file: FileHandle;
  readonly #layout: HashLayout;
  /** By their place in the file; the one that was read last is the last. */
  readonly #stretches = new Map<number, Buffer>();

  constructor(file: FileHandle, layout: HashLayout) {
    this.#file = file;
    this.#layout = layout;
  }

  /** A view of a page, good until pages of many other places were asked for. */
  get(page: number): Buffer {
    const { pageSize } = this.#layout;
    const at = page * pageSize;
    const index = Math.floor(at / STRETCH);
    let stretch = this.#stretches.get(index);
    if (stretch === undefined) stretch = this.#read(index);
    const from = at - index * STRETCH;
    if (from + pageSize > stretch.length) throw new HashFileError(`damaged: the file ends before page ${page}`);
    return stretch.subarray(from, from + pageSize);
  }

  /** Memory for a stretch: that of the one that was read first, where enough are kept. */
  #room(): Buffer {
    const [oldest] = this.#stretches.size < KEPT ? [] : this.#stretches;
    if (oldest === undefined) return Buffer.allocUnsafeSlow(STRETCH);
    this.#stretches.delete(oldest[0]);
    return Buffer.from(oldest[1].buffer);
  }

  #read(index: number): Buffer {
    const bytes = this.#room();
    const stretch = bytes.subarray(0, this.#file.read(bytes, index * STRETCH));
    this.#stretches.set(index, stretch);
    return stretch;
  }
}

/**
 * Calls `visit` for the key of each record, in the order of libdb's cursor:
 * bucket by bucket, and of each bucket page by page. A key with several records
 * comes several times.
 * @param file stays the caller's, and open.
 * @param visit gets a buffer and where in it the key begins and ends; the buffer is a view that is good during the call.
 * @throws {HashFileError} the file is no hash file of version 7 to 10, or damaged; the keys before the damage have been visited.
 */
export function visitKeys(file: FileHandle, visit: (bytes: Buffer, start: number, end: number) => void): void {
  new Walk(file, visit).run();
}

class Walk {
  readonly #layout: HashLayout;
  readonly #pages: Pages;
  readonly #visit: (bytes: Buffer, start: number, end: number) => void;
  /** One for each page of the file: a chain that comes back to a page has no end. */
  readonly #seen: Uint8Array;

  constructor(file: FileHandle, visit: (bytes: Buffer, start: number, end: number) => void) {
    this.#layout = readHashLayout(file);
    this.#pages = new Pages(file, this.#layout);
    this.#visit = visit;
    this.#seen = new Uint8Array(this.#layout.pages);
  }

  run(): void {
    const { maxBucket } = this.#layout;
    for (let bucket = 0; bucket <= maxBucket; bucket++) {
      for (let page = this.#layout.firstPage(bucket); page !== 0; page = this.#hashPage(page));
    }
  }

  /** Visits the keys of a page; returns the next page of its chain, 0 at the end. */
  #hashPage(number: number): number {
    const page = this.#take(number);
    const type = page[PageField.type];
    // A bucket that never held anything.
    if (type === PageType.invalid && u32(page, PageField.number, this.#layout) === 0) return 0;
    if (type !== PageType.hash && type !== PageType.hashUnsorted) throw damaged(number, `of type ${type}, not of a hash bucket`);
    this.#checkNumber(page, number);
    const { pageSize, headerLength, isLittleEndian } = this.#layout;
    const entries = u16(page, PageField.entries, isLittleEndian);
    const index = headerLength + 2 * entries;
    if (entries % 2 !== 0 || index > pageSize) throw damaged(number, `${entries} items`);
    let end = pageSize;
    for (let i = 0; i < entries; i += 2) {
      const key = u16(page, headerLength + 2 * i, isLittleEndian);
      const data = u16(page, headerLength + 2 * i + 2, isLittleEndian);
      if (key >= end || data >= key || data < index) throw damaged(number, `item ${i} lies outside`);
      this.#record(number, page, key, end, data);
      end = data;
    }
    return u32(page, PageField.next, this.#layout);
  }

  /** @param key where its item begins; it ends at `end`, and the item of its data, which begins at `data`, ends where it begins. */
  #record(number: number, page: Buffer, key: number, end: number, data: number): void {
    const records = page[data] === ItemType.duplicates ? this.#duplicates(number, page, data + 1, key) : 1;
    if (page[data] === ItemType.offPageDuplicates)
      throw new HashFileError(`page ${number}: duplicates on pages of their own cannot be read`);
    if (page[key] === ItemType.inline) {
      for (let i = 0; i < records; i++) this.#visit(page, key + 1, end);
    } else if (page[key] === ItemType.offPage && end - key === 12) {
      const bytes = this.#overflow(number, u32(page, key + 4, this.#layout), u32(page, key + 8, this.#layout));
      for (let i = 0; i < records; i++) this.#visit(bytes, 0, bytes.length);
    } else {
      throw damaged(number, `a key of type ${page[key]}`);
    }
  }

  /** How many there are: each stands between its length and its length. */
  #duplicates(number: number, page: Buffer, start: number, end: number): number {
    const { isLittleEndian } = this.#layout;
    let count = 0;
    for (let at = start; at < end; count++) {
      const length = at + 4 <= end ? u16(page, at, isLittleEndian) : end;
      if (at + length + 4 > end) throw damaged(number, "a duplicate lies outside");
      at += length + 4;
    }
    return count;
  }

  /** What stands on a chain of overflow pages. */
  #overflow(from: number, first: number, length: number): Buffer {
    const { pageSize, headerLength, isLittleEndian, pages } = this.#layout;
    if (length > pages * pageSize) throw damaged(from, `a key of ${length} bytes`);
    const bytes = Buffer.alloc(length);
    let done = 0;
    for (let number = first; number !== 0; ) {
      const page = this.#take(number);
      if (page[PageField.type] !== PageType.overflow) throw damaged(number, `of type ${page[PageField.type]}, not of a long key`);
      this.#checkNumber(page, number);
      const part = u16(page, PageField.lowest, isLittleEndian);
      if (headerLength + part > pageSize || done + part > length) throw damaged(number, `${part} bytes of a long key`);
      page.copy(bytes, done, headerLength, headerLength + part);
      done += part;
      number = u32(page, PageField.next, this.#layout);
    }
    if (done !== length) throw damaged(from, `a key of ${length} bytes, of which ${done} are there`);
    return bytes;
  }

  #take(number: number): Buffer {
    if (number >= this.#layout.pages) throw new HashFileError(`damaged: page ${number} of ${this.#layout.pages} pages`);
    if (this.#seen[number] === 1) throw damaged(number, "reached twice");
    this.#seen[number] = 1;
    return this.#pages.get(number);
  }

  #checkNumber(page: Buffer, number: number): void {
    const said = u32(page, PageField.number, this.#layout);
    if (said !== number) throw damaged(number, `says that it is page ${said}`);
  }
}

function damaged(page: number, what: string): HashFileError {
  return new HashFileError(`damaged: page ${page}: ${what}`);
}

function u16(page: Buffer, offset: number, isLittleEndian: boolean): number {
  const low = page[isLittleEndian ? offset : offset + 1] as number;
  const high = page[isLittleEndian ? offset + 1 : offset] as number;
  return low | (high << 8);
}

function u32(page: Buffer, offset: number, { isLittleEndian }: HashLayout): number {
  return isLittleEndian ? page.readUInt32LE(offset) : page.readUInt32BE(offset);
}
