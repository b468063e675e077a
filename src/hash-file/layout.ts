/**
 * How the pages of a database file are laid out, from its first page.
 *
 * Layouts: dbinc/db_page.h of libdb 5.3 (DBMETA, HMETA, BTMETA, PAGE), the
 * same in versions 7 (Berkeley DB 3.1) to 10 (18.1); db_page.h of 3.0
 * (version 6) and of 2.7 (HASHHDR, versions 4 and 5), whose pages differ in
 * the first one alone. 1.85 is another thing: see old-hash-walk.ts.
 */
import { type FileHandle, type FileHeader, readFileHeader } from "berkeley-db-js";
import { HashFileError } from "./error.ts";
import { foreignMessage } from "./foreign-kind.ts";

/** PAGE.type. */
export const PageType = {
  invalid: 0,
  hashUnsorted: 2,
  btreeInternal: 3,
  recnoInternal: 4,
  btreeLeaf: 5,
  recnoLeaf: 6,
  overflow: 7,
  hashMeta: 8,
  btreeMeta: 9,
  duplicateLeaf: 12,
  hash: 13,
} as const;

/** HITEM.type: the first byte of an item on a page of a hash file. */
export const ItemType = { inline: 1, duplicates: 2, offPage: 3, offPageDuplicates: 4 } as const;

/** Offsets in every page, in bytes. */
export const PageField = { number: 8, previous: 12, next: 16, entries: 20, lowest: 22, level: 24, type: 25 } as const;

/** Where the first page has what; versions 7 to 10, and btree files but for what is hash's. */
const META = {
  encryption: 24,
  metaFlags: 26,
  free: 28,
  lastPage: 32,
  flags: 48,
  fileId: 52,
  maxBucket: 72,
  highMask: 76,
  lowMask: 80,
  fillFactor: 84,
  elements: 88,
  hashCheck: 92,
  spares: 96,
} as const;

type HashMeta = Omit<typeof META, "encryption" | "metaFlags" | "lastPage">;
type MetaOffsets = { readonly [K in keyof HashMeta]: number };

/** Version 6. */
const META_3_0: MetaOffsets = {
  free: 28,
  flags: 32,
  fileId: 36,
  maxBucket: 56,
  highMask: 60,
  lowMask: 64,
  fillFactor: 68,
  elements: 72,
  hashCheck: 76,
  spares: 80,
};

/** Versions 4 and 5. */
const META_2: MetaOffsets = {
  free: 28,
  maxBucket: 32,
  highMask: 36,
  lowMask: 40,
  fillFactor: 44,
  elements: 48,
  hashCheck: 52,
  flags: 56,
  spares: 60,
  fileId: 188,
};

const BTREE = { minimumKeys: 76, root: 88 } as const;

const META_SIZE = 512;
const FILE_ID_LENGTH = 20;
const FLAG_CHECKSUM = 0x01;
/** DBMETA_PART_RANGE, DBMETA_PART_CALLBACK. */
const FLAGS_PARTITIONED = 0x06;
const HASH_FLAG = { duplicates: 0x01, databases: 0x02, sorted: 0x04 } as const;
const BTREE_FLAG = {
  duplicates: 0x01,
  recno: 0x02,
  recordNumbers: 0x04,
  /** BTM_FIXEDLEN, BTM_RENUMBER. */
  ofRecno: 0x18,
  databases: 0x20,
  sorted: 0x40,
  compressed: 0x80,
} as const;

/** Flags in versions 8 and 9; a later one may have more. */
const KNOWN_HASH_FLAGS = 0x07;
const KNOWN_BTREE_FLAGS = 0xff;

const HEADER_LENGTH = 26;
const HEADER_LENGTH_WITH_CHECKSUM = 32;
/** Larger files are not read: 64 GiB, of pages of which a note is kept of each. No map is so large; a file with a hole in it may be. */
const MOST_BYTES = 2 ** 36;

const FIRST_WITH_LAST_PAGE = 8;
const FIRST_WITH_PARTITIONS = 9;
/** From here on every bucket has its page in the file. */
export const FIRST_WITH_ALL_PAGES = 6;
const OLDEST_BTREE = 8;
const NEWEST = 10;

/** What all kinds of file have. */
export interface PageLayout extends FileHeader {
  readonly isLittleEndian: boolean;
  /** Pages in the file, the first one included. */
  readonly pages: number;
  readonly hasChecksums: boolean;
  /** Bytes before the index of items, or before the data of an overflow page. */
  readonly headerLength: number;
  /** Whether a key may have several records, and in which order it has them. */
  readonly duplicates: "unsorted" | "sorted" | false;
  /** 20 bytes; empty for a file of 1.85, which has none. */
  readonly fileId: Uint8Array;
  /** The first page of the list of free ones; 0 for none. */
  readonly free: number;
  /** The number of the last page, as the file says it; undefined before version 8. */
  readonly lastPage: number | undefined;
}

export interface HashLayout extends PageLayout {
  readonly type: "hash";
  /** The number of the highest bucket, from 0. */
  readonly maxBucket: number;
  readonly highMask: number;
  readonly lowMask: number;
  /** Keys a bucket, as asked for when the file was made; 0 for none. */
  readonly fillFactor: number;
  /** Records, as the file says it: with what was said to be expected when the file was made. */
  readonly elements: number;
  /** The hash of a text that does not change: which hash function the file was made with. */
  readonly hashCheck: number;
  /** The page on which a bucket begins. */
  firstPage(bucket: number): number;
}

export interface BtreeLayout extends PageLayout {
  readonly type: "btree";
  readonly root: number;
  readonly minimumKeys: number;
  /** Whether records can be found by their number (DB_RECNUM). */
  readonly hasRecordNumbers: boolean;
}

/**
 * Reads the layout of an open file, which stays the caller's.
 * @throws {HashFileError} it is no hash file of version 4 to 10, or its first page contradicts itself or the file's size.
 */
export function readHashLayout(file: FileHandle): HashLayout {
  const layout = readLayout(file);
  if (layout.type !== "hash") throw new HashFileError(`a Berkeley DB ${layout.type} file, not a hash file`);
  return layout;
}

/**
 * As `readHashLayout`, for a hash or a btree file.
 * @throws {HashFileError}
 */
export function readLayout(file: FileHandle): HashLayout | BtreeLayout {
  const bytes = new Uint8Array(META_SIZE);
  const meta = bytes.subarray(0, file.read(bytes, 0));
  const header = readHeader(meta);
  if (header.version < 4) throw new HashFileError("a file of Berkeley DB 1.85");
  // A page is no shorter; what is cut off of the first one reads as zeros.
  const pages = countPages(header, bytes, file.size());
  return header.type === "hash" ? hashLayout(header, bytes, pages) : btreeLayout(header, bytes, pages);
}

/**
 * What a file is by its first bytes.
 * @param meta its first 512 bytes, or all of it.
 * @throws {HashFileError} it is no hash or btree file of Berkeley DB, or of a version that is not known.
 */
export function readHeader(meta: Uint8Array): FileHeader {
  const header = readFileHeader(meta);
  if (header === undefined) throw new HashFileError(foreignMessage(meta));
  const { type, version } = header;
  const isKnown = type === "hash" ? version === 2 || (version >= 4 && version <= NEWEST) : version >= OLDEST_BTREE && version <= NEWEST;
  if (!isKnown) {
    const known = type === "hash" ? `2 and 4 to ${NEWEST}` : `${OLDEST_BTREE} to ${NEWEST}`;
    throw new HashFileError(`a ${type} file of version ${version}: only ${known} can be read`);
  }
  return header;
}

function countPages({ type, pageSize, version, byteOrder }: FileHeader, meta: Uint8Array, size: number): number {
  if (version >= 6 && meta[META.encryption] !== 0) throw new HashFileError("encrypted, or damaged on page 0", 0);
  const metaType = type === "hash" ? PageType.hashMeta : PageType.btreeMeta;
  if (version >= 6 && meta[PageField.type] !== metaType) throw new HashFileError(`damaged: page 0 is of type ${meta[PageField.type]}`, 0);
  if (!isPageSize(pageSize)) throw new HashFileError(`damaged: a page size of ${pageSize} bytes`, 0);
  checkSize(size);
  if (size % pageSize !== 0) throw new HashFileError(`damaged: ${size} bytes is no whole number of pages of ${pageSize}`);
  // The number of partitions counts for nothing without one of the flags.
  if (version >= FIRST_WITH_PARTITIONS && ((meta[META.metaFlags] as number) & FLAGS_PARTITIONED) !== 0)
    throw new HashFileError("a partitioned database: its records are in other files");
  const pages = size / pageSize;
  const lastPage = lastPageOf(meta, version, byteOrder === "little");
  // One more than it should be is what DB->upgrade stores.
  if (lastPage !== undefined && lastPage !== pages - 1 && lastPage !== pages)
    throw new HashFileError(`damaged: ${pages} pages of ${pageSize} bytes, where page 0 says ${lastPage + 1}`, 0);
  return pages;
}

/** @throws {HashFileError} a file is too large. */
export function checkSize(size: number): void {
  if (size > MOST_BYTES) throw new HashFileError(`${size} bytes: larger than any file that is read here`);
}

/** The number of the last page, as the file says it; files of older versions do not. */
function lastPageOf(meta: Uint8Array, version: number, isLittleEndian: boolean): number | undefined {
  return version >= FIRST_WITH_LAST_PAGE ? numbersOf(meta, isLittleEndian)(META.lastPage) : undefined;
}

/** Whether a page can have this many bytes: a power of two from 512 to 65536. */
export function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65536 && (size & (size - 1)) === 0;
}

/** A reader of the numbers in the first page. */
function numbersOf(meta: Uint8Array, isLittleEndian: boolean): (offset: number) => number {
  const view = new DataView(meta.buffer, meta.byteOffset, meta.length);
  return (offset) => view.getUint32(offset, isLittleEndian);
}

function pageLayout(header: FileHeader, meta: Uint8Array, pages: number, offsets: MetaOffsets): Omit<PageLayout, "duplicates"> {
  const isLittleEndian = header.byteOrder === "little";
  const hasChecksums = header.version >= 7 && ((meta[META.metaFlags] as number) & FLAG_CHECKSUM) !== 0;
  const field = numbersOf(meta, isLittleEndian);
  return {
    ...header,
    isLittleEndian,
    pages,
    hasChecksums,
    headerLength: hasChecksums ? HEADER_LENGTH_WITH_CHECKSUM : HEADER_LENGTH,
    fileId: meta.slice(offsets.fileId, offsets.fileId + FILE_ID_LENGTH),
    free: field(offsets.free),
    lastPage: lastPageOf(meta, header.version, isLittleEndian),
  };
}

function hashLayout(header: FileHeader, meta: Uint8Array, pages: number): HashLayout {
  const { version, byteOrder } = header;
  const offsets = version >= 7 ? META : version === 6 ? META_3_0 : META_2;
  const field = numbersOf(meta, byteOrder === "little");
  const flags = field(offsets.flags);
  if ((flags & HASH_FLAG.databases) !== 0 && version >= 6) throw severalDatabases();
  checkFlags(version, flags, KNOWN_HASH_FLAGS);
  const maxBucket = field(offsets.maxBucket);
  // As many as its pages: a bucket has one; until it is written to, an older library's has none.
  if (maxBucket >= pages && version >= FIRST_WITH_ALL_PAGES)
    throw new HashFileError(`damaged: ${maxBucket + 1} buckets on ${pages} pages`, 0);
  const [highMask, lowMask] = [field(offsets.highMask), field(offsets.lowMask)];
  if (!areMasksOf(maxBucket, highMask, lowMask))
    throw new HashFileError(`damaged: masks ${highMask} and ${lowMask} for ${maxBucket + 1} buckets`, 0);
  const spare = (index: number): number => field(offsets.spares + 4 * index);
  return {
    ...pageLayout(header, meta, pages, offsets),
    type: "hash",
    duplicates: (flags & HASH_FLAG.duplicates) === 0 ? false : (flags & HASH_FLAG.sorted) !== 0 ? "sorted" : "unsorted",
    maxBucket,
    highMask,
    lowMask,
    fillFactor: field(offsets.fillFactor),
    elements: field(offsets.elements),
    hashCheck: field(offsets.hashCheck),
    // Buckets come in groups that each double their number; spares[] says how far the group lies from its place.
    firstPage:
      version >= 6
        ? (bucket) => bucket + spare(32 - Math.clz32(bucket))
        : (bucket) => bucket + 1 + (bucket === 0 ? 0 : spare(31 - Math.clz32(bucket))),
  };
}

/**
 * By which bits of its hash a key finds its bucket: one less than the power of
 * two above the last bucket, and half of it (__ham_vrfy_meta). Of one bucket
 * some releases write the lower one as 0, some as -1.
 */
function areMasksOf(maxBucket: number, high: number, low: number): boolean {
  const mask = 2 ** (32 - Math.clz32(maxBucket)) - 1;
  return high === mask && (low === mask >>> 1 || (mask === 0 && low === 0xffff_ffff));
}

/** libdb opens no file with flags that it does not know. */
function checkFlags(version: number, flags: number, known: number): void {
  if ((version === 8 || version === 9) && (flags & ~known) !== 0) throw new HashFileError(`damaged: page 0: flags ${flags}`, 0);
}

function btreeLayout(header: FileHeader, meta: Uint8Array, pages: number): BtreeLayout {
  const field = numbersOf(meta, header.byteOrder === "little");
  const flags = field(META.flags);
  if ((flags & BTREE_FLAG.databases) !== 0) throw severalDatabases();
  checkFlags(header.version, flags, KNOWN_BTREE_FLAGS);
  if ((flags & BTREE_FLAG.recordNumbers) !== 0 && (flags & BTREE_FLAG.duplicates) !== 0)
    throw new HashFileError("damaged: page 0: record numbers, and duplicates, which a file cannot have both", 0);
  if ((flags & BTREE_FLAG.recno) !== 0) throw new HashFileError("a recno file: its records have no keys");
  if ((flags & BTREE_FLAG.ofRecno) !== 0) throw new HashFileError(`damaged: page 0: flags ${flags}, of a recno file`, 0);
  if ((flags & BTREE_FLAG.compressed) !== 0) throw new HashFileError("a btree file with compression, which is not read here");
  return {
    ...pageLayout(header, meta, pages, META),
    type: "btree",
    duplicates: (flags & BTREE_FLAG.duplicates) === 0 ? false : (flags & BTREE_FLAG.sorted) !== 0 ? "sorted" : "unsorted",
    root: field(BTREE.root),
    minimumKeys: field(BTREE.minimumKeys),
    hasRecordNumbers: (flags & BTREE_FLAG.recordNumbers) !== 0,
  };
}

/**
 * The buckets and their first pages, in their order.
 * @param mayEndEarly whether a bucket may lie beyond the end of the file: it then holds nothing.
 */
export function* bucketPages(
  { maxBucket, firstPage, pages }: Pick<HashLayout, "maxBucket" | "firstPage" | "pages">,
  mayEndEarly: boolean,
): Generator<[bucket: number, page: number], void, undefined> {
  for (let bucket = 0; bucket <= maxBucket; bucket++) {
    const page = firstPage(bucket);
    if (page < pages || !mayEndEarly) yield [bucket, page];
    // The pages of a group lie in one piece: the rest of it is beyond the end too.
    else bucket = 2 ** (32 - Math.clz32(bucket)) - 1;
  }
}

function severalDatabases(): HashFileError {
  return new HashFileError("a file of several databases (subdatabases), which is not read here");
}
