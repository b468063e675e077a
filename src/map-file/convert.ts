/**
 * A database with the same records, made anew: in another byte order, version or
 * page size, or of another type.
 */
import { type DatabaseType, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import type { FileId } from "../files/file-id.ts";
import { DatabaseFile, type Layout } from "../hash-file/database-file.ts";
import { HashFileError } from "../hash-file/error.ts";
import type { FileFormat } from "../hash-file/file-format.ts";
import { DatabaseBuilder } from "./database-builder.ts";
import { commit, type Pending } from "./pending.ts";

export interface ConvertOptions {
  readonly format: FileFormat;
  /** Default: that of the file. */
  readonly type?: DatabaseType | undefined;
  /** Default: "content", derived from the records. */
  readonly fileId?: FileId;
  /** Permission bits. Of a new file they are cut by the umask. */
  readonly mode: number;
  /** Write into the file that is there: it may have other names. */
  readonly inPlace?: boolean;
  readonly fileSystem?: FileSystem;
}

/** What was expected of a file when it was made, above what it holds: more is not believed. */
const MOST_EXPECTED = 1 << 20;
/** The engine takes no smaller number of keys a page, nor one for which the page is too small. */
const LEAST_KEYS = 2;
const PAGE_PER_KEY = 32;
const MOST_OVERFULL = 4;
/** Cache for each byte of the file that is read. */
const CACHE_PER_BYTE = 2;

/**
 * Converts a file, which is only read; all or nothing.
 * @param target the file to make or to replace, which may be the same; resolved: not a link.
 * @returns how many records it has.
 * @throws {HashFileError} the file is none that is read here, or damaged; the target is then as it was.
 * @throws {BerkeleyDBError | Error} of the engine and the file system.
 */
export function convert(path: string, target: string, options: ConvertOptions): number {
  return commit(prepareConversion(path, target, options));
}

/** As `convert`, up to the moment in which the new file takes its place. */
export function prepareConversion(path: string, target: string, options: ConvertOptions): Pending<number> {
  const { fileSystem = nodeFileSystem, format, mode, inPlace = false, fileId = "content" } = options;
  const file = fileSystem.open(path, { write: false }, 0);
  try {
    const database = new DatabaseFile(file);
    const { layout } = database;
    const records = count(database);
    const builder = new DatabaseBuilder(target, {
      type: options.type ?? layout.type,
      format,
      duplicates: layout.duplicates,
      fileId,
      mode,
      setMode: true,
      inPlace,
      fileSystem,
      expectedSize: file.size() * CACHE_PER_BYTE,
      again: layout.duplicates === false ? "refuse" : "replace",
      onRefused: () => {
        throw new HashFileError("damaged: a key, or one of its duplicates, is there twice");
      },
      ...hints(layout, records, format.pageSize),
    });
    try {
      database.visitRecords((keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
        builder.add(keyBytes.subarray(keyStart, keyEnd), dataBytes.subarray(dataStart, dataEnd), 0);
      });
      builder.finish();
    } catch (error) {
      builder.abandon();
      throw error;
    }
    return { result: records, commit: () => builder.commit(), abandon: () => builder.abandon() };
  } finally {
    file.close();
  }
}

/** Reads everything once, so that a damaged file is found before anything is made. */
function count(database: DatabaseFile): number {
  let records = 0;
  database.visitRecords(() => {
    records += 1;
  });
  return records;
}

/** What the maker of the file had asked for, as far as it can be true. */
function hints(layout: Layout, records: number, pageSize: number): { hashElements?: number; fillFactor?: number; minimumKeys?: number } {
  if (layout.type === "btree") {
    const { minimumKeys } = layout;
    return minimumKeys >= LEAST_KEYS && minimumKeys * PAGE_PER_KEY <= pageSize ? { minimumKeys } : {};
  }
  if (layout.version < 7 || !("elements" in layout)) return {};
  const { elements, fillFactor, maxBucket } = layout;
  const expected = elements - records;
  // As many buckets as they would fill were made with the file: it has no fewer now.
  const isBelievable = expected <= MOST_EXPECTED && (fillFactor === 0 || expected <= fillFactor * (maxBucket + 1));
  return {
    ...(expected > 0 && isBelievable && { hashElements: expected }),
    // More records would have made more buckets: this many times as many leave room for duplicates of a key.
    ...(fillFactor > 0 && records <= MOST_OVERFULL * fillFactor * (maxBucket + 1) && { fillFactor }),
  };
}
