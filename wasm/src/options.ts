/**
 * The options of `Database.open`, in the field's words, and their checks.
 */
import type { FileSystem } from "./file-system.ts";

/** The access methods that are here: DB_HASH and DB_BTREE. */
export type DatabaseType = "hash" | "btree";

export type ByteOrder = "little" | "big";

export interface OpenOptions {
  /** The access method. Needed to make a database; for an existing one it must be what the file says, if given. */
  readonly type?: DatabaseType;
  /** Permission bits of a file that is made, cut by the umask. Default 0o600. */
  readonly mode?: number;
  /** Make the database where there is none (DB_CREATE). */
  readonly create?: boolean;
  /** With `create`: fail with EEXIST where there is one (DB_EXCL). */
  readonly exclusive?: boolean;
  /** Begin with an empty database whatever the file held (DB_TRUNCATE). */
  readonly truncate?: boolean;
  /** Open for reading; the file is then opened so that it cannot be written (DB_RDONLY). */
  readonly readOnly?: boolean;
  /** Of a new file (DB->set_lorder). Default "little"; an existing file keeps its own. */
  readonly byteOrder?: ByteOrder;
  /** Bytes, a power of two from 512 to 65536, of a new file (DB->set_pagesize). Default 4096. */
  readonly pageSize?: number;
  /** Bytes of page cache, at least 20480 (DB->set_cachesize), of which no more is taken than is filled. Default 1048576. */
  readonly cacheSize?: number;
  /** How many keys a new hash file is meant to hold (DB->set_h_nelem); with fillFactor, at most 2147483648 buckets of them. */
  readonly hashElements?: number;
  /** Keys a bucket of a new hash file is to hold (DB->set_h_ffactor). */
  readonly fillFactor?: number;
  /** The least number of keys on a btree page, from 2 (DB->set_bt_minkey). */
  readonly minimumKeys?: number;
  /**
   * What a new file does with a second record of the same key: DB_DUP,
   * DB_DUPSORT or neither (the default). An existing file is refused (EINVAL)
   * where it cannot do what is asked for.
   */
  readonly duplicates?: "unsorted" | "sorted" | false;
  /** 20 bytes that identify a new file to libdb, in place of inode, device, process and time. Default zeros. */
  readonly fileId?: Uint8Array;
  /** Where `path` is. Default: the operating system's files in Node, none elsewhere. */
  readonly fileSystem?: FileSystem;
}

/** Length of a file id in bytes (DB_FILE_ID_LEN). */
export const FILE_ID_LENGTH = 20;

const UINT32_MAX = 0xffff_ffff;
/** libdb doubles the number of buckets until it is enough, and never ends beyond this one: 32 bits have no more. */
const MOST_BUCKETS = 0x8000_0000;

/** @throws {TypeError | RangeError} what the caller got wrong. */
export function checkOptions(options: OpenOptions): void {
  const { type, pageSize, duplicates, fileId, byteOrder } = options;
  if (type !== undefined && type !== "hash" && type !== "btree") throw new TypeError('type: "hash" or "btree"');
  if ((options.create || options.truncate) && type === undefined) throw new TypeError("type: needed to make a database");
  if (options.readOnly && (options.create || options.truncate)) throw new TypeError("readOnly: contradicts create and truncate");
  if (byteOrder !== undefined && byteOrder !== "little" && byteOrder !== "big") throw new TypeError('byteOrder: "little" or "big"');
  if (duplicates !== undefined && duplicates !== false && duplicates !== "unsorted" && duplicates !== "sorted") {
    throw new TypeError('duplicates: "unsorted", "sorted" or false');
  }
  checkRange("mode", options.mode, 0, 0o7777);
  checkRange("pageSize", pageSize, 512, 65536);
  if (pageSize !== undefined && (pageSize & (pageSize - 1)) !== 0) throw new RangeError(`pageSize: ${pageSize} is no power of two`);
  checkRange("cacheSize", options.cacheSize, 20480, 0x7fff_ffff);
  checkRange("hashElements", options.hashElements, 0, UINT32_MAX);
  checkRange("fillFactor", options.fillFactor, 0, UINT32_MAX);
  checkBuckets(options);
  checkRange("minimumKeys", options.minimumKeys, 2, UINT32_MAX);
  if (fileId !== undefined) checkFileId(fileId);
}

function checkBuckets({ hashElements = 0, fillFactor = 0 }: OpenOptions): void {
  if (fillFactor > 0 && hashElements / fillFactor > MOST_BUCKETS)
    throw new RangeError(`hashElements: ${hashElements} by a fillFactor of ${fillFactor} is more than ${MOST_BUCKETS} buckets`);
}

export function checkFileId(fileId: Uint8Array): void {
  checkBytes("fileId", fileId);
  if (fileId.length !== FILE_ID_LENGTH) throw new RangeError(`fileId: ${fileId.length} bytes, not ${FILE_ID_LENGTH}`);
}

export function checkBytes(name: string, value: unknown): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name}: a Uint8Array, not ${value === null ? "null" : typeof value}`);
}

function checkRange(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined) return;
  if (!Number.isInteger(value)) throw new TypeError(`${name}: a whole number`);
  if (value < least || value > most) throw new RangeError(`${name}: ${value} is not between ${least} and ${most}`);
}
