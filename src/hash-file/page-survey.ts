/**
 * What each page of a database is used for, how full it is, and what is left in
 * its unused space.
 */
import type { Layout } from "./database-file.ts";
import { PageField, PageType } from "./layout.ts";
import type { OldHashLayout } from "./old-hash-layout.ts";
import { u16, u32 } from "./page-reader.ts";
import { type Stretch, unusedSpace } from "./unused-space.ts";
import type { WalkedPages } from "./visit.ts";

/**
 * "chained": of a bucket whose first page is full. "internal": of a btree,
 * above its leaves. "bitmap": of 1.85, which pages are in use. "unused": made
 * and not needed yet, or given up without a note.
 */
export type PageKind = "meta" | "bucket" | "chained" | "overflow" | "leaf" | "internal" | "duplicates" | "bitmap" | "free" | "unused";

export interface PageUse {
  readonly page: number;
  readonly kind: PageKind;
  /** Items on the page: two a record. */
  readonly items: number;
  /** Bytes of the page that mean something, its header included. */
  readonly used: number;
  /** Where its unused space is. */
  readonly unused: Stretch;
  /** Bytes of unused space that are not zero. */
  readonly residue: number;
}

/**
 * Calls `visit` for each page of a file in turn.
 * @param pages of a walk over all records, which has noted the pages that it reached.
 * @param visit the bytes are a view of the page, good during the call.
 */
export function surveyPages(pages: WalkedPages, layout: Layout, visit: (use: PageUse, bytes: Uint8Array) => void): void {
  const survey = layout.version === 2 ? surveyOldPage : surveyPage;
  for (let number = 0; number < layout.pages; number++) {
    const page = bufferOf(pages.peek(number));
    const { kind, items, unused } = survey(page, number, pages.wasTaken(number), layout);
    const [from, to] = unused;
    visit({ page: number, kind, items, used: layout.pageSize - (to - from), unused, residue: countBytes(page, from, to) }, page);
  }
}

/** In a page of 1.85 a smaller number is no place, but a mark. */
const LEAST_OFFSET = 4;

type Survey = Pick<PageUse, "kind" | "items" | "unused">;

const KINDS: Readonly<Record<number, PageKind>> = {
  [PageType.btreeInternal]: "internal",
  [PageType.recnoInternal]: "internal",
  [PageType.btreeLeaf]: "leaf",
  [PageType.recnoLeaf]: "duplicates",
  [PageType.duplicateLeaf]: "duplicates",
  [PageType.overflow]: "overflow",
};

function surveyPage(page: Buffer, number: number, wasReached: boolean, layout: Layout): Survey {
  const { isLittleEndian, pageSize, headerLength } = layout;
  // Before version 6 the first page does not say what it is.
  if (number === 0) return { kind: "meta", items: 0, unused: layout.version < 6 ? [512, pageSize] : unusedSpace(page, layout) };
  const type = page[PageField.type] as number;
  const items = u16(page, PageField.entries, isLittleEndian);
  if (type === PageType.invalid) {
    // A bucket that never held anything has not even a number; a free page has.
    const kind = u32(page, PageField.number, isLittleEndian) !== 0 ? "free" : wasReached ? "bucket" : "unused";
    return { kind, items: 0, unused: [headerLength, pageSize] };
  }
  // In a hash file it is then as if it had never been written to; in a btree file there are no such pages.
  if (!wasReached) return { kind: "unused", items: 0, unused: [layout.type === "hash" ? 0 : headerLength, pageSize] };
  const isChained = u32(page, PageField.previous, isLittleEndian) !== 0;
  const kind = KINDS[type] ?? (isChained ? "chained" : "bucket");
  return { kind, items: kind === "overflow" ? 0 : items, unused: unusedSpace(page, layout) };
}

/** A page of 1.85: its numbers, how much is free, where that ends; then what is free. */
function surveyOldPage(page: Buffer, number: number, wasReached: boolean, layout: Layout): Survey {
  const { headerPages, bitmapPages, maxBucket, firstPage, isLittleEndian, pageSize } = layout as OldHashLayout;
  if (number < headerPages) return { kind: "meta", items: 0, unused: [number === 0 ? 512 : 0, pageSize] };
  if (bitmapPages.includes(number)) return { kind: "bitmap", items: 0, unused: [pageSize, pageSize] };
  if (!wasReached) return { kind: "unused", items: 0, unused: [0, pageSize] };
  const items = u16(page, 0, isLittleEndian);
  const from = 2 * (items + 3);
  const to = from <= pageSize ? lowestOld(page, items, isLittleEndian) : 0;
  // A page that was never written to has not even its numbers.
  const isBlank = items === 0 && page[4] === 0 && page[5] === 0;
  const unused: Stretch = isBlank ? [0, pageSize] : from <= to ? [from, to] : [0, 0];
  const isFirst = isFirstPage(number, maxBucket, firstPage);
  return { kind: isFirst ? "bucket" : isLong(page, items, isLittleEndian) ? "overflow" : "chained", items, unused };
}

/** Whether a bucket begins on the page: those of a doubling lie in one piece. */
function isFirstPage(number: number, maxBucket: number, firstPage: (bucket: number) => number): boolean {
  for (let first = 0, last = 0; first <= maxBucket; first = last + 1, last = 2 * first - 1) {
    const place = first + (number - firstPage(first));
    if (place >= first && place <= Math.min(last, maxBucket)) return true;
  }
  return false;
}

/** Where the first byte of all items is, by the page's numbers but for the one that says so. */
function lowestOld(page: Buffer, items: number, isLittleEndian: boolean): number {
  const number = (index: number): number => u16(page, 2 * index, isLittleEndian);
  let lowest = page.length;
  for (let i = 1; i <= items; i += 2) {
    const mark = number(i + 1);
    // The name of the next page; nothing follows it.
    if (mark === 0) break;
    lowest = Math.min(lowest, number(i), mark < LEAST_OFFSET ? page.length : mark);
    // A long pair has the rest of the page: the last of its numbers is where its data begin, if they do here.
    if (mark < LEAST_OFFSET) {
      const data = number(items);
      return data < LEAST_OFFSET ? lowest : Math.min(lowest, data);
    }
  }
  return lowest;
}

/** The mark behind the first place says that the page is of a long pair. */
function isLong(page: Buffer, items: number, isLittleEndian: boolean): boolean {
  const mark = u16(page, 4, isLittleEndian);
  return items > 0 && mark > 0 && mark < 4;
}

const ZEROS = Buffer.alloc(1 << 16);

/** Bytes that are not zero. */
function countBytes(page: Buffer, from: number, to: number): number {
  if (page.compare(ZEROS, 0, to - from, from, to) === 0) return 0;
  let count = 0;
  for (let at = from; at < to; at++) if (page[at] !== 0) count++;
  return count;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
