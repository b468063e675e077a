/**
 * The names of a SASL database's records, for a listing: read without the
 * engine, which is faster and cannot write.
 */
import { type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { visitKeys } from "../hash-file/hash-reader.ts";
import { LONGEST_PART } from "./name.ts";

const NUL = 0x00;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Where the parts of a key are in a buffer that is good during the call. */
export interface KeyParts {
  readonly bytes: Buffer;
  readonly start: number;
  /** The NUL behind the user. */
  readonly userEnd: number;
  /** The NUL behind the realm. */
  readonly realmEnd: number;
  readonly end: number;
}

export interface ListingVisitor {
  /** Called for each record, in the order of the file. The same object every time. */
  readonly onRecord: (parts: KeyParts) => void;
  /** Called for each key that is none: not two NULs in it, or a part of more than 16383 bytes. */
  readonly onMalformedKey: (key: Uint8Array) => void;
}

/**
 * Lists a database.
 * @throws {HashFileError} it is no hash file, or damaged; the records before the damage have been visited.
 * @throws {Error} of `node:fs`.
 */
export function listSasldb(
  path: string,
  visitor: ListingVisitor,
  { fileSystem = nodeFileSystem }: { readonly fileSystem?: FileSystem } = {},
): void {
  const file = fileSystem.open(path, { write: false }, 0);
  const parts: Writable<KeyParts> = { bytes: Buffer.alloc(0), start: 0, userEnd: 0, realmEnd: 0, end: 0 };
  try {
    visitKeys(file, (bytes: Buffer, start, end) => {
      if (!split(bytes, start, end, parts)) return visitor.onMalformedKey(bytes.subarray(start, end));
      return visitor.onRecord(parts);
    });
  } finally {
    file.close();
  }
}

/** Whether it is a key, whose parts are then set. Byte by byte: for keys so short that is the fastest. */
function split(bytes: Buffer, start: number, end: number, parts: Writable<KeyParts>): boolean {
  let userEnd = -1;
  let realmEnd = -1;
  for (let i = start; i < end; i++) {
    if (bytes[i] !== NUL) continue;
    if (realmEnd >= 0) return false;
    if (userEnd < 0) userEnd = i;
    else realmEnd = i;
  }
  if (realmEnd < 0) return false;
  parts.bytes = bytes;
  parts.start = start;
  parts.userEnd = userEnd;
  parts.realmEnd = realmEnd;
  parts.end = end;
  return userEnd - start <= LONGEST_PART && realmEnd - userEnd - 1 <= LONGEST_PART && end - realmEnd - 1 <= LONGEST_PART;
}
