/**
 * The records of a map, for reading (makemap -u).
 */
import { BerkeleyDBError, Database, type DatabaseRecord, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import type { MapType } from "./map-type.ts";

export interface OpenMapOptions {
  /** -d: refuse a map that keeps no duplicates, as DB->open() does where it is told of them. */
  readonly withDuplicates?: boolean;
  readonly fileSystem?: FileSystem;
}

/**
 * Opens a map for reading alone. A map of type "implicit" is a hash file or,
 * failing that, a btree file.
 * @throws {BerkeleyDBError}
 */
export function openMap(file: string, type: MapType, options: OpenMapOptions = {}): Database {
  const { withDuplicates = false, fileSystem = nodeFileSystem } = options;
  const open = (only: "hash" | "btree"): Database =>
    Database.open(file, { type: only, readOnly: true, fileSystem, duplicates: withDuplicates ? "unsorted" : false });
  if (type !== "implicit") return open(type);
  try {
    return open("hash");
  } catch (error) {
    if (!(error instanceof BerkeleyDBError) || error.code !== "EINVAL") throw error;
    return open("btree");
  }
}

const NUL = 0x00;
const NEWLINE = 0x0a;

/** A record as one line: the key, the delimiter and the value, each up to its first NUL as printf() has it. */
export function dumpLine([key, value]: DatabaseRecord, delimiterByte: number): Uint8Array {
  const k = upToNul(key);
  const v = upToNul(value);
  const line = new Uint8Array(k.length + v.length + 2);
  line.set(k);
  line[k.length] = delimiterByte;
  line.set(v, k.length + 1);
  line[line.length - 1] = NEWLINE;
  return line;
}

function upToNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(NUL);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
