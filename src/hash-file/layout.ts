/**
 * How the pages of a hash file are laid out, from its first page.
 *
 * Layout: dbinc/db_page.h of libdb 5.3 (DBMETA, HMETA, PAGE); the same in
 * versions 7 (Berkeley DB 3.1) to 10 (18.1).
 */
import { type FileHandle, type FileHeader, readFileHeader } from "berkeley-db-js";

/** A file that is no hash file, or one that is damaged; the message names the damage and its page. */
export class HashFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "HashFileError";
  }
}

/** PAGE.type. */
export const PageType = { invalid: 0, hashUnsorted: 2, overflow: 7, hashMeta: 8, hash: 13 } as const;

/** HITEM.type: the first byte of an item on a page. */
export const ItemType = { inline: 1, duplicates: 2, offPage: 3, offPageDuplicates: 4 } as const;

/** Offsets in every page, in bytes. */
export const PageField = { number: 8, next: 16, entries: 20, lowest: 22, type: 25 } as const;

const META = { encryption: 24, flags: 26, maxBucket: 72, spares: 96 } as const;
const META_SIZE = 512;
const FLAG_CHECKSUM = 0x01;

const HEADER_LENGTH = 26;
const HEADER_LENGTH_WITH_CHECKSUM = 32;

const OLDEST = 7;
const NEWEST = 10;

export interface HashLayout extends FileHeader {
  readonly isLittleEndian: boolean;
  /** Pages in the file, the first one included. */
  readonly pages: number;
  readonly hasChecksums: boolean;
  /** Bytes before the index of items, or before the data of an overflow page. */
  readonly headerLength: number;
  /** The number of the highest bucket, from 0. */
  readonly maxBucket: number;
  /** The page on which a bucket begins. */
  firstPage(bucket: number): number;
}

/**
 * Reads the layout of an open file, which stays the caller's.
 * @throws {HashFileError} it is no hash file of version 7 to 10, or its first page contradicts itself or the file's size.
 */
export function readHashLayout(file: FileHandle): HashLayout {
  const bytes = new Uint8Array(META_SIZE);
  const length = file.read(bytes, 0);
  const header = readFileHeader(bytes.subarray(0, length));
  if (header === undefined) throw new HashFileError("not a Berkeley DB file");
  if (header.type !== "hash") throw new HashFileError(`a Berkeley DB ${header.type} file, not a hash file`);
  const { pageSize, version } = header;
  if (version < OLDEST || version > NEWEST)
    throw new HashFileError(`a hash file of version ${version}: only ${OLDEST} to ${NEWEST} can be read`);
  if (bytes[META.encryption] !== 0) throw new HashFileError("encrypted, or damaged on page 0");
  if (bytes[PageField.type] !== PageType.hashMeta) throw new HashFileError(`damaged: page 0 is of type ${bytes[PageField.type]}`);
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
    throw new HashFileError(`damaged: a page size of ${pageSize} bytes`);
  const size = file.size();
  if (size % pageSize !== 0) throw new HashFileError(`damaged: ${size} bytes is no whole number of pages of ${pageSize}`);
  return makeLayout(header, bytes, size / pageSize);
}

function makeLayout(header: FileHeader, meta: Uint8Array, pages: number): HashLayout {
  const view = new DataView(meta.buffer, meta.byteOffset, meta.length);
  const isLittleEndian = header.byteOrder === "little";
  const hasChecksums = ((meta[META.flags] as number) & FLAG_CHECKSUM) !== 0;
  const maxBucket = view.getUint32(META.maxBucket, isLittleEndian);
  // As many as its pages: a bucket has one.
  if (maxBucket >= pages) throw new HashFileError(`damaged: ${maxBucket + 1} buckets on ${pages} pages`);
  return {
    ...header,
    isLittleEndian,
    pages,
    hasChecksums,
    headerLength: hasChecksums ? HEADER_LENGTH_WITH_CHECKSUM : HEADER_LENGTH,
    maxBucket,
    // Buckets come in groups that each double their number; spares[] says how far the group lies from its place.
    firstPage: (bucket) => bucket + view.getUint32(META.spares + 4 * (32 - Math.clz32(bucket)), isLittleEndian),
  };
}
