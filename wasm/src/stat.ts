/**
 * What DB->stat tells of a database (bdb.h, enum bdb_stat).
 */
import type { DatabaseType } from "./options.ts";

/** How many numbers the engine hands over. */
export const STAT_FIELDS = 17;

export interface DatabaseStat {
  readonly type: DatabaseType;
  /** Of the file format: 8 or 9. */
  readonly version: number;
  readonly duplicates: "unsorted" | "sorted" | false;
  /** Distinct keys. */
  readonly keys: number;
  readonly records: number;
  /** Pages of the file, used or free. */
  readonly pages: number;
  /** Bytes. */
  readonly pageSize: number;
  readonly freePages: number;
  /** Pages of long keys and data. */
  readonly overflowPages: number;
  /** Pages of keys with many records. */
  readonly duplicatePages: number;
  /** Unused bytes on the pages that hold records. */
  readonly bytesFree: number;
  /** Keys a bucket, as asked for when the file was made; 0 for none. Hash. */
  readonly fillFactor?: number;
  /** Hash. */
  readonly buckets?: number;
  /** Pages chained to the first one of their bucket. Hash. */
  readonly bucketOverflows?: number;
  /** Btree. */
  readonly minimumKeys?: number;
  /** Btree. */
  readonly levels?: number;
  /** Btree. */
  readonly internalPages?: number;
  /** Btree. */
  readonly leafPages?: number;
}

const FLAG_DUP = 0x1;
const HASH_FLAG_DUPSORT = 0x4;
const BTREE_FLAG_DUPSORT = 0x40;

export function readStat(type: DatabaseType, field: (index: number) => number): DatabaseStat {
  const flags = field(1);
  const sorted = (flags & (type === "hash" ? HASH_FLAG_DUPSORT : BTREE_FLAG_DUPSORT)) !== 0;
  const common = {
    type,
    version: field(0),
    duplicates: (flags & FLAG_DUP) === 0 ? (false as const) : sorted ? ("sorted" as const) : ("unsorted" as const),
    keys: field(2),
    records: field(3),
    pages: field(4),
    pageSize: field(5),
    freePages: field(6),
    overflowPages: field(7),
    duplicatePages: field(8),
    bytesFree: field(9),
  };
  return type === "hash"
    ? { ...common, fillFactor: field(10), buckets: field(11), bucketOverflows: field(12) }
    : { ...common, minimumKeys: field(13), levels: field(14), internalPages: field(15), leafPages: field(16) };
}
