/**
 * A walk over every page of a database that finds what reading does not trip
 * over: records where no lookup finds them, and pages that nothing leads to.
 */
import type { FileHandle } from "berkeley-db-js";
import { isAsWritten } from "./checksum.ts";
import { DatabaseFile, type Layout } from "./database-file.ts";
import { damaged, HashFileError, tooMuchDamage } from "./error.ts";
import { type HashLayout, PageField, PageType } from "./layout.ts";
import type { OldHashLayout } from "./old-hash-layout.ts";
import { u16, u32 } from "./page-reader.ts";
import { PageSet } from "./page-set.ts";
import { unusedSpace } from "./unused-space.ts";
import { newKeys, type VisitRecord, type WalkedPages } from "./visit.ts";

/** What the usual hash function makes of libdb's test text; in versions 5 and later. */
export const USUAL_HASH_CHECK = 0x5e688dd1;
const FNV_PRIME = 16777619;
/** Of so many pages is told. */
const MOST_TOLD = 1000;

export interface Checked {
  readonly layout: Layout;
  /** Those that could be read. */
  readonly records: number;
}

/**
 * Checks an open file, which stays the caller's and is never written to.
 * @param onProblem called with each problem; those of one page in a row.
 * @throws {HashFileError} no database that is read here, or damaged in its first page.
 */
export function checkDatabase(file: FileHandle, onProblem: (problem: HashFileError) => void): Checked {
  const database = new DatabaseFile(file);
  const { layout } = database;
  const check = layout.type === "btree" ? new BtreeCheck(onProblem) : new BucketCheck(layout, onProblem);
  let records = 0;
  const isNew = newKeys();
  const visit: VisitRecord = (keyBytes: Buffer, keyStart, keyEnd) => {
    records += 1;
    if (isNew(keyBytes, keyStart, keyEnd)) check.key(keyBytes, keyStart, keyEnd);
  };
  const onBucketPage = check instanceof BucketCheck ? check.page : undefined;
  let problems = 0;
  const found = (problem: HashFileError): void => {
    problems += 1;
    onProblem(problem);
  };
  const reader = database.visitRecords(visit, { onDamage: found, onBucketPage });
  checkPages(reader, layout, checkFreePages(reader, layout, found), found);
  // libdb divides by it.
  if (layout.type === "btree" && layout.minimumKeys === 0) found(damaged(0, "says that a page holds 0 keys at least"));
  // 1.85 counts its records without fail; the others do not.
  if (problems === 0 && layout.version === 2 && records !== (layout as OldHashLayout).keys)
    found(damaged(0, `says that there are ${(layout as OldHashLayout).keys} records; there are ${records}`));
  return { layout, records };
}

/**
 * What has to hold before libdb may be given a file to change: it believes
 * what it reads, and where a chain leads to a page of another kind, or a free
 * page is in use, it writes over other records, and over its own memory. A
 * record that no lookup finds does no such harm. And no page may have a
 * checksum, which keeps unused space from being cleared.
 * @param file stays the caller's.
 * @throws {HashFileError} the first damage, or that there are checksums, and what to do about it.
 */
export function checkBeforeChange(file: FileHandle): void {
  const fail = (problem: HashFileError): never => {
    const advice = 'it is left as it is; put back a sound copy, or make it anew ("tsmap verify" lists what is damaged)';
    throw new HashFileError(`${problem.message}: ${advice}`, problem.page);
  };
  const database = new DatabaseFile(file);
  if (database.layout.hasChecksums)
    throw new HashFileError('a file with checksums, in which old values would stay: "tsmap convert" makes one without');
  checkFreePages(
    database.visitRecords(() => {}, { onDamage: fail }),
    database.layout,
    fail,
  );
}

/** Each key of a hash file has to be in the bucket that a lookup looks in, and to be in order on a sorted page. */
class BucketCheck {
  readonly #layout: Pick<HashLayout, "maxBucket"> & Partial<HashLayout>;
  readonly #onProblem: (problem: HashFileError) => void;
  readonly #hasUsualHash: boolean;
  #page = 0;
  #bucket = 0;
  #isSorted = false;
  /** Of the page's last key; undefined before the first. */
  #last: { readonly bytes: Buffer; readonly isLong: boolean } | undefined;
  #toldOf = 0;

  constructor(
    layout: Pick<HashLayout, "maxBucket" | "version" | "hashCheck"> & Partial<HashLayout>,
    onProblem: (problem: HashFileError) => void,
  ) {
    this.#layout = layout;
    this.#onProblem = onProblem;
    this.#hasUsualHash = layout.version >= 5 && layout.hashCheck === USUAL_HASH_CHECK;
  }

  readonly page = (page: number, bucket: number, isSorted: boolean): void => {
    this.#page = page;
    this.#bucket = bucket;
    this.#isSorted = isSorted;
    this.#last = undefined;
  };

  key(bytes: Buffer, start: number, end: number): void {
    // One is enough of a page.
    if (this.#page === this.#toldOf) return;
    if (this.#hasUsualHash && this.#bucketOf(bytes, start, end) !== this.#bucket) {
      this.#tell(`a key that belongs to bucket ${this.#bucketOf(bytes, start, end)} is in bucket ${this.#bucket}`);
    } else if (this.#isSorted) {
      // A long key comes in memory of its own.
      const isLong = start === 0 && end === bytes.length;
      if (this.#last !== undefined && compareOnPage(this.#last, bytes, start, end, isLong) > 0) this.#tell("its keys are not in order");
      this.#last = { bytes: Buffer.from(bytes.subarray(start, end)), isLong };
    }
  }

  #tell(what: string): void {
    this.#toldOf = this.#page;
    this.#onProblem(damaged(this.#page, what));
  }

  #bucketOf(bytes: Buffer, start: number, end: number): number {
    const { maxBucket, highMask = 0, lowMask = 0 } = this.#layout;
    const hash = fnv1(bytes, start, end);
    const bucket = (hash & highMask) >>> 0;
    return bucket > maxBucket ? (bucket & lowMask) >>> 0 : bucket;
  }
}

/**
 * The order of keys on a sorted page. Where one begins with the other libdb puts
 * the longer one first (__ham_getindex_sorted), unless one of them is not on the
 * page: then it depends on which was there before (__db_moff).
 * @param isLong whether the second one is on pages of its own.
 */
function compareOnPage(
  key: { readonly bytes: Buffer; readonly isLong: boolean },
  bytes: Buffer,
  start: number,
  end: number,
  isLong: boolean,
): number {
  const common = Math.min(key.bytes.length, end - start);
  const order = key.bytes.compare(bytes, start, start + common, 0, common);
  return order !== 0 || key.isLong || isLong ? order : end - start - key.bytes.length;
}

/** The hash function of libdb, __ham_func5: FNV-1 with the offset 0. */
function fnv1(bytes: Buffer, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash, FNV_PRIME) ^ (bytes[at] as number);
  return hash >>> 0;
}

/** The keys of a btree are in order from leaf to leaf. */
class BtreeCheck {
  readonly #onProblem: (problem: HashFileError) => void;
  #last: Buffer | undefined;
  #hasTold = false;

  constructor(onProblem: (problem: HashFileError) => void) {
    this.#onProblem = onProblem;
  }

  key(bytes: Buffer, start: number, end: number): void {
    if (this.#hasTold) return;
    if (this.#last !== undefined && this.#last.compare(bytes, start, end) > 0) {
      this.#hasTold = true;
      this.#onProblem(damaged(0, "the keys of the tree are not in order"));
    }
    this.#last = Buffer.from(bytes.subarray(start, end));
  }
}

/** The list of free pages, which the first page begins. Returns them. */
function checkFreePages(reader: WalkedPages, layout: Layout, onProblem: (problem: HashFileError) => void): PageSet {
  const free = new PageSet(layout.pages);
  for (let number = layout.free; number !== 0; ) {
    const fault = faultOfFree(number, free, reader, layout);
    if (fault !== undefined) {
      onProblem(damaged(number, fault));
      break;
    }
    free.add(number);
    number = u32(reader.peek(number), PageField.next, layout.isLittleEndian);
  }
  return free;
}

function faultOfFree(number: number, free: PageSet, reader: WalkedPages, layout: Layout): string | undefined {
  if (number >= layout.pages) return "free, and beyond the end of the file";
  if (free.has(number)) return "twice in the list of free pages";
  if (reader.wasTaken(number)) return "free, and in use";
  const type = reader.peek(number)[PageField.type];
  // Version 5 and older do not mark them.
  return layout.version >= 6 && type !== PageType.invalid ? `free, and of type ${type}` : undefined;
}

/** What the walk over the records does not see of the pages. */
function checkPages(reader: WalkedPages, layout: Layout, free: PageSet, onProblem: (problem: HashFileError) => void): void {
  if (layout.version === 2) return;
  const faultOf = (number: number, page: Uint8Array): string | undefined => {
    if (number === 0 || free.has(number)) return undefined;
    return reader.wasTaken(number) ? faultOfLowest(page, layout) : faultOfUnreached(page, layout);
  };
  for (let number = 0, told = 0; number < layout.pages; number++) {
    const page = reader.peek(number);
    const fault =
      layout.hasChecksums && !isAsWritten(page, number, layout) ? "its checksum is not that of its bytes" : faultOf(number, page);
    if (fault === undefined) continue;
    told += 1;
    onProblem(told > MOST_TOLD ? tooMuchDamage(MOST_TOLD) : damaged(number, fault));
    if (told > MOST_TOLD) return;
  }
}

/** Where its items begin is what a page is filled by, though it is not read by it. */
function faultOfLowest(page: Uint8Array, layout: Layout): string | undefined {
  const type = page[PageField.type];
  const entries = u16(page, PageField.entries, layout.isLittleEndian);
  if (type === PageType.overflow || type === PageType.invalid || entries === 0) return undefined;
  const lowest = u16(page, PageField.lowest, layout.isLittleEndian);
  const [, found] = unusedSpace(page, layout);
  return lowest === found ? undefined : `says that its items begin at byte ${lowest}; they begin at ${found}`;
}

const WITH_RECORDS: readonly number[] = [PageType.hash, PageType.hashUnsorted, PageType.btreeLeaf];
/** In a hash file they are what libdb may have given up; in a btree file it gives up none. */
const OF_TREES: readonly number[] = [PageType.btreeInternal, PageType.recnoInternal, PageType.duplicateLeaf, PageType.recnoLeaf];

/** A page with items that no bucket and no tree leads to: records that are lost. */
function faultOfUnreached(page: Uint8Array, layout: Layout): string | undefined {
  const type = page[PageField.type] as number;
  const holdsItems = WITH_RECORDS.includes(type) || (layout.type === "btree" && OF_TREES.includes(type));
  return holdsItems && u16(page, PageField.entries, layout.isLittleEndian) > 0 ? "holds items, and nothing leads to it" : undefined;
}
