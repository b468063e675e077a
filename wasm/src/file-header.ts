/**
 * The first page of a database file, read before libdb sees the file.
 *
 * libdb 5.3 empties a version 7 hash file by opening it, even to read, and can
 * be led to walk for ever by a damaged header. Layout: dbinc/db_page.h
 * (DBMETA, HMETA, BTMETA) of libdb 5.3.
 */
import { BerkeleyDBError } from "./error.ts";

const HASH_MAGIC = 0x061561;
const BTREE_MAGIC = 0x053162;
/** What every page of a database file is at least as long as, and what its header fits into. */
export const HEADER_SIZE = 512;

/** Where the first page names its cipher. */
const ENCRYPTION = 24;
/** Where a page says what it is, and what the first one is. */
const PAGE_TYPE = 25;
const META_TYPE = { hash: 8, btree: 9 } as const;
/** DBMETA.last_pgno, BTMETA.minkey, HMETA.max_bucket, .high_mask, .low_mask, .spares[32]. */
const LAST_PAGE = 32;
const MINIMUM_KEYS = 76;
const MAX_BUCKET = 72;
const HIGH_MASK = 76;
const LOW_MASK = 80;
const SPARES = 96;

const READABLE = { hash: [8, 9], btree: [9] } as const;

export interface FileHeader {
  readonly type: "hash" | "btree";
  readonly byteOrder: "little" | "big";
  /** 2 for Berkeley DB 1.85, 5 for 2.x, 6 for 3.0, 7 for 3.1 to 4.0, 8 for 4.1 to 4.5, 9 for 4.6 to 5.3, 10 for 6.x and 18.1 (hash). */
  readonly version: number;
  /** Bytes. */
  readonly pageSize: number;
}

/**
 * @param bytes the first 512 bytes of the file.
 * @returns undefined where they are not the header of a Berkeley DB hash or btree file.
 */
export function readFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < 72) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // 1.85 has its magic at 0, and its header is big-endian whatever the pages are.
  if (view.getUint32(0) === HASH_MAGIC) {
    return {
      type: "hash",
      byteOrder: view.getUint32(8) === 1234 ? "little" : "big",
      version: view.getUint32(4),
      pageSize: view.getUint32(12),
    };
  }
  for (const little of [true, false]) {
    const magic = view.getUint32(12, little);
    if (magic !== HASH_MAGIC && magic !== BTREE_MAGIC) continue;
    return {
      type: magic === HASH_MAGIC ? "hash" : "btree",
      byteOrder: little ? "little" : "big",
      version: view.getUint32(16, little),
      pageSize: view.getUint32(20, little),
    };
  }
  return undefined;
}

/**
 * Refuses what libdb 5.3 must not be given.
 * @param bytes the first 512 bytes of the file, fewer if it is shorter.
 * @param size of the whole file, in bytes.
 * @throws {BerkeleyDBError} `DB_OLD_VERSION` for a version that 5.3 cannot read,
 *   `EINVAL` for what is no database file, or one whose header contradicts its size.
 */
export function checkFileHeader(bytes: Uint8Array, size: number, operation: string, path: string | undefined): void {
  const refuse = (code: string, summary: string): BerkeleyDBError => new BerkeleyDBError(summary, { code, operation, path });
  const header = readFileHeader(bytes);
  if (header === undefined) throw refuse("EINVAL", "not a Berkeley DB hash or btree file");
  const { type, version, pageSize } = header;
  if (!(READABLE[type] as readonly number[]).includes(version)) {
    throw refuse("DB_OLD_VERSION", `a version ${version} ${type} file, which Berkeley DB 5.3 ${versionHazard(type, version)}`);
  }
  if (bytes[ENCRYPTION] !== 0) throw refuse("EINVAL", "encrypted, or damaged: this build of Berkeley DB has no encryption");
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
    throw refuse("EINVAL", `damaged: a page size of ${pageSize} bytes`);
  if (bytes[PAGE_TYPE] !== META_TYPE[type]) throw refuse("EINVAL", `damaged: a first page of type ${bytes[PAGE_TYPE]}`);
  if (bytes.length < HEADER_SIZE || size % pageSize !== 0) {
    throw refuse("EINVAL", `damaged: ${size} bytes is no whole number of pages of ${pageSize}`);
  }
  const pages = size / pageSize;
  const field = numbers(bytes, header);
  const lastPage = field(LAST_PAGE);
  // One more than it should be is what DB->upgrade stores.
  if (lastPage > pages) throw refuse("EINVAL", `damaged: ${pages} pages of ${lastPage + 1}`);
  if (type === "hash") checkBuckets(field, pages, refuse);
  // libdb divides by it.
  else if (field(MINIMUM_KEYS) === 0) throw refuse("EINVAL", "damaged: pages of 0 keys at least");
}

function numbers(bytes: Uint8Array, { byteOrder }: FileHeader): (offset: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return (offset) => view.getUint32(offset, byteOrder === "little");
}

function versionHazard(type: string, version: number): string {
  if (type === "hash" && version === 7) return "would empty by opening it: it reads an upgraded copy";
  if (version < 9) return "cannot read: it reads an upgraded copy";
  return "cannot read: Berkeley DB 6 or later wrote it";
}

/** Every bucket must lie within the file: libdb would otherwise grow the file, or walk, without end. */
function checkBuckets(field: (offset: number) => number, pages: number, refuse: (code: string, summary: string) => BerkeleyDBError): void {
  const maxBucket = field(MAX_BUCKET);
  checkMasks(maxBucket, field(HIGH_MASK), field(LOW_MASK), refuse);
  // Buckets come in groups that each double their number; the pages of a group lie in one piece.
  for (let group = 0, bucket = 0; ; group++) {
    const page = bucket + field(SPARES + 4 * group);
    if (page >= pages) throw refuse("EINVAL", `damaged: bucket ${bucket} on page ${page} of ${pages}`);
    if (bucket === maxBucket) return;
    bucket = Math.min(2 ** (group + 1) - 1, maxBucket);
  }
}

/**
 * A key is in the bucket `hash & high_mask`, or, where there is none of that
 * number, `hash & low_mask` (__ham_call_hash). With other masks libdb looks for
 * buckets that are not there: of a number of 2^31 or more it seeks the
 * logarithm without end, and asks for no page meanwhile. It splits a bucket
 * into itself, too. What they have to be is what its own verify asks for
 * (__ham_vrfy_meta); of one bucket there are files with either low_mask.
 */
function checkMasks(maxBucket: number, high: number, low: number, refuse: (code: string, summary: string) => BerkeleyDBError): void {
  const mask = 2 ** (32 - Math.clz32(maxBucket)) - 1;
  if (high !== mask || (low !== mask >>> 1 && !(mask === 0 && low === 0xffff_ffff)))
    throw refuse("EINVAL", `damaged: masks ${high} and ${low} for ${maxBucket + 1} buckets`);
}
