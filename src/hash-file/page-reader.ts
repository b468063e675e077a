/**
 * The pages of a database file by number, each at most once, and what stands on
 * a chain of overflow pages.
 *
 * A chain or a tree that comes back to a page has no end; so a page that is
 * reached twice is damage, and whatever the pages say, a walk over a file takes
 * no more steps than it has pages.
 */
import type { FileHandle } from "berkeley-db-js";
import { damaged, HashFileError } from "./error.ts";
import { PageField, type PageLayout, PageType } from "./layout.ts";
import { PageSet } from "./page-set.ts";

/**
 * Pages are read in stretches of this many bytes, or of a page where that is
 * longer: the pages of a bucket are anywhere in the file. So many bytes of them
 * are kept.
 */
const STRETCH = 1 << 14;
const KEPT = 1 << 24;

export class PageReader {
  readonly layout: PageLayout;
  readonly #file: FileHandle;
  /** By their place in the file; the one that was read last is the last. */
  readonly #stretches = new Map<number, Buffer>();
  readonly #taken: PageSet;
  readonly #noted: PageSet;
  readonly #stretch: number;

  /** @param file stays the caller's, and open. */
  constructor(file: FileHandle, layout: PageLayout) {
    this.#file = file;
    this.layout = layout;
    this.#taken = new PageSet(layout.pages);
    this.#noted = new PageSet(layout.pages);
    this.#stretch = Math.max(STRETCH, layout.pageSize);
  }

  /**
   * A view of a page, whether it was taken or not.
   * @param from the page that leads there, for errors.
   */
  peek(page: number, from = 0): Buffer {
    const { pageSize, pages } = this.layout;
    if (page >= pages) throw damaged(from, `leads to page ${page} of ${pages} pages`);
    const at = page * pageSize;
    const index = Math.floor(at / this.#stretch);
    const stretch = this.#stretches.get(index) ?? this.#read(index);
    const start = at - index * this.#stretch;
    if (start + pageSize > stretch.length) throw new HashFileError(`damaged: the file ends before page ${page}`);
    return stretch.subarray(start, start + pageSize);
  }

  /**
   * A view of a page, which has not been taken before.
   * @param from the page that leads there, for errors.
   * @throws {HashFileError} it has, or lies outside of the file.
   */
  take(page: number, from = 0): Buffer {
    const bytes = this.peek(page, from);
    if (this.#taken.has(page)) throw damaged(page, `reached twice, from page ${from} now`);
    this.#taken.add(page);
    return bytes;
  }

  wasTaken(page: number): boolean {
    return this.#taken.has(page) || this.#noted.has(page);
  }

  /**
   * Notes the pages of a chain of overflow pages that is not read. Others may
   * lead to it too: the long key of an internal page can be that of a leaf.
   * @param from the page that names the chain, for errors.
   */
  noteOverflow(from: number, first: number): void {
    for (let number = first, before = from; number !== 0 && !this.#noted.has(number); ) {
      const page = this.#overflowPage(number, this.peek(number, before));
      this.#noted.add(number);
      before = number;
      number = u32(page, PageField.next, this.layout.isLittleEndian);
    }
  }

  /**
   * What stands on a chain of overflow pages: a long key or long data.
   * @param from the page that names the chain, for errors.
   * @returns the caller's own.
   */
  overflow(from: number, first: number, length: number): Buffer {
    const { pageSize, headerLength, isLittleEndian, pages } = this.layout;
    if (length > pages * pageSize) throw damaged(from, `an item of ${length} bytes`);
    const parts: Buffer[] = [];
    let done = 0;
    for (let number = first, before = from; number !== 0; ) {
      const page = this.#overflowPage(number, this.take(number, before));
      const part = u16(page, PageField.lowest, isLittleEndian);
      if (headerLength + part > pageSize || done + part > length) throw damaged(number, `${part} bytes of a long item`);
      parts.push(Buffer.from(page.subarray(headerLength, headerLength + part)));
      done += part;
      before = number;
      number = u32(page, PageField.next, isLittleEndian);
    }
    if (done !== length) throw damaged(from, `an item of ${length} bytes, of which ${done} are there`);
    return Buffer.concat(parts);
  }

  #overflowPage(number: number, page: Buffer): Buffer {
    if (page[PageField.type] !== PageType.overflow) throw damaged(number, `of type ${page[PageField.type]}, not of a long item`);
    this.checkNumber(page, number);
    return page;
  }

  /** Every page of a kind that has a header says which one it is. */
  checkNumber(page: Buffer, number: number): void {
    const said = u32(page, PageField.number, this.layout.isLittleEndian);
    if (said !== number) throw damaged(number, `says that it is page ${said}`);
  }

  #read(index: number): Buffer {
    if (this.#stretches.size * this.#stretch >= KEPT) {
      const [oldest] = this.#stretches.keys();
      this.#stretches.delete(oldest as number);
    }
    const { pages, pageSize } = this.layout;
    const at = index * this.#stretch;
    const bytes = Buffer.allocUnsafeSlow(Math.min(this.#stretch, pages * pageSize - at));
    const stretch = bytes.subarray(0, this.#file.read(bytes, at));
    this.#stretches.set(index, stretch);
    return stretch;
  }
}

export function u16(page: Uint8Array, offset: number, isLittleEndian: boolean): number {
  const low = page[isLittleEndian ? offset : offset + 1] as number;
  const high = page[isLittleEndian ? offset + 1 : offset] as number;
  return low | (high << 8);
}

export function u32(page: Uint8Array, offset: number, isLittleEndian: boolean): number {
  const low = u16(page, isLittleEndian ? offset : offset + 2, isLittleEndian);
  const high = u16(page, isLittleEndian ? offset + 2 : offset, isLittleEndian);
  return high * 0x10000 + low;
}
