/**
 * The header of a hash file of Berkeley DB 1.85: big-endian whatever the pages
 * are (HASHHDR, hash.h of 1.85).
 */
import type { FileHandle, FileHeader } from "berkeley-db-js";
import { HashFileError } from "./error.ts";
import { checkSize, isPageSize, type PageLayout, readHeader } from "./layout.ts";

/** HASHHDR: offsets in bytes, all big-endian. */
const HEADER = {
  freedPage: 36,
  maxBucket: 40,
  highMask: 44,
  lowMask: 48,
  fillFactor: 52,
  keys: 56,
  headerPages: 60,
  hashCheck: 64,
} as const;
const SPARES = 68;
const BITMAPS = 196;
const CACHED = 32;
const HEADER_SIZE = 260;

/** A page's name: the number of the doubling above, its place below. */
const SPLIT_SHIFT = 11;
const SPLIT_MASK = 0x7ff;

export interface OldHashLayout extends PageLayout {
  readonly type: "hash";
  readonly version: 2;
  readonly maxBucket: number;
  readonly fillFactor: number;
  /** As the file says it. */
  readonly keys: number;
  readonly hashCheck: number;
  /** Pages of the header. */
  readonly headerPages: number;
  /** The pages that say which others are in use. */
  readonly bitmapPages: readonly number[];
  firstPage(bucket: number): number;
  /** The page that has a name of 16 bits. */
  namedPage(name: number): number;
}

/** @throws {HashFileError} it is no hash file of 1.85, or its header contradicts itself or the file's size. */
export function readOldHashLayout(file: FileHandle): OldHashLayout {
  const bytes = new Uint8Array(512);
  const header = readHeader(bytes.subarray(0, file.read(bytes, 0)));
  if (header.version !== 2) throw new HashFileError("not a hash file of Berkeley DB 1.85");
  if (!isPageSize(header.pageSize)) throw new HashFileError(`damaged: a page size of ${header.pageSize} bytes`, 0);
  const size = file.size();
  checkSize(size);
  if (size < HEADER_SIZE || size % header.pageSize !== 0)
    throw new HashFileError(`damaged: ${size} bytes is no whole number of pages of ${header.pageSize}`);
  return oldHashLayout(header, new DataView(bytes.buffer), size / header.pageSize);
}

function oldHashLayout(header: FileHeader, view: DataView, pages: number): OldHashLayout {
  const field = (offset: number): number => view.getUint32(offset);
  const maxBucket = field(HEADER.maxBucket);
  const headerPages = field(HEADER.headerPages);
  if (headerPages === 0 || headerPages > pages) throw new HashFileError(`damaged: a header of ${headerPages} pages of ${pages}`, 0);
  const spare = (index: number): number => field(SPARES + 4 * index);
  const firstPage = (bucket: number): number => bucket + headerPages + (bucket === 0 ? 0 : spare(31 - Math.clz32(bucket)));
  const namedPage = (name: number): number => firstPage(2 ** (name >> SPLIT_SHIFT) - 1) + (name & SPLIT_MASK);
  const bitmaps = Array.from({ length: CACHED }, (_, i) => view.getUint16(BITMAPS + 2 * i)).filter((name) => name !== 0);
  return {
    ...header,
    type: "hash",
    version: 2,
    isLittleEndian: header.byteOrder === "little",
    pages,
    hasChecksums: false,
    headerLength: 2,
    duplicates: false,
    fileId: new Uint8Array(),
    free: 0,
    lastPage: undefined,
    maxBucket,
    fillFactor: field(HEADER.fillFactor),
    keys: field(HEADER.keys),
    hashCheck: field(HEADER.hashCheck),
    headerPages,
    bitmapPages: bitmaps.map(namedPage),
    firstPage,
    namedPage,
  };
}
