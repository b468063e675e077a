/**
 * Whether a directory can hold a map such that sendmail finds in it what it
 * finds in the map. Keys and values there are strings of UTF-8 that are not
 * empty (RFC 4517, Directory String), and keys are compared by caseIgnoreMatch:
 * case and the number of blanks make no difference (RFC 4518).
 */
import { isUtf8 } from "node:buffer";
import type { VisitRecord } from "../hash-file/visit.ts";
import { endOf } from "./ldif.ts";
import { RecordCounter } from "./map-kind.ts";

/** "clash": the directory would take the key for that of another record. */
export type DirectoryProblem = "no-key" | "no-value" | "inner-nul" | "not-utf8" | "clash";

export interface DirectoryFinding {
  readonly problem: DirectoryProblem;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

/** Reads the records of a map once more, from the first to the last. */
export type ReadRecords = (visit: VisitRecord) => void;

export interface DirectoryAnswer {
  readonly records: RecordCounter;
  /** The first one. */
  readonly finding: DirectoryFinding | undefined;
}

/**
 * Keeps no record, and of keys those alone that a directory compares otherwise.
 * @param read called up to three times.
 */
export function checkForDirectory(read: ReadRecords): DirectoryAnswer {
  const records = new RecordCounter();
  let finding: DirectoryFinding | undefined;
  let hasUnusual = false;
  read((keyBytes: Buffer, keyStart, keyEnd, dataBytes: Buffer, dataStart, dataEnd) => {
    records.add(keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd);
    if (finding !== undefined) return;
    const key = keyBytes.subarray(keyStart, endOf(keyBytes, keyStart, keyEnd));
    const data = dataBytes.subarray(dataStart, endOf(dataBytes, dataStart, dataEnd));
    const problem = problemOf(key, data);
    if (problem !== undefined) finding = { problem, key: Buffer.from(key), data: Buffer.from(data) };
    hasUnusual ||= !isUsual(key);
  });
  if (finding === undefined && (hasUnusual || records.keyNuls === "some")) finding = findClash(read, records.keyNuls === "some");
  return { records, finding };
}

function problemOf(key: Uint8Array, data: Uint8Array): DirectoryProblem | undefined {
  if (key.length === 0) return "no-key";
  if (data.length === 0) return "no-value";
  if (key.includes(0) || data.includes(0)) return "inner-nul";
  return isUtf8(key) && isUtf8(data) ? undefined : "not-utf8";
}

const BLANK = 0x20;
const TILDE = 0x7e;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/** Whether a directory compares it as it stands, which can be told at a glance. */
function isUsual(key: Uint8Array): boolean {
  for (const byte of key) if (byte <= BLANK || byte > TILDE || (byte >= UPPER_A && byte <= UPPER_Z)) return false;
  return true;
}

/** As caseIgnoreMatch compares it. */
export function comparedKey(key: string): string {
  return key
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\t-\r\x85\p{Z}]+/gu, " ")
    .replace(/[\p{Cc}\p{Cf}\u{fffc}]|\p{Variation_Selector}|\u{34f}/gu, "")
    .replace(/ +/g, " ")
    .replace(/^ | $/g, "");
}

/** Two keys of which at least one is unusual, or ends in a NUL where not all do. */
function findClash(read: ReadRecords, nulsDiffer: boolean): DirectoryFinding | undefined {
  let finding: DirectoryFinding | undefined;
  const unusual = new Set<string>();
  const visit =
    (onKey: (compared: string, isUnusual: boolean) => boolean): VisitRecord =>
    (keyBytes: Buffer, keyStart, keyEnd, dataBytes: Buffer, dataStart, dataEnd) => {
      if (finding !== undefined) return;
      const end = endOf(keyBytes, keyStart, keyEnd);
      const key = keyBytes.subarray(keyStart, end);
      const text = key.toString();
      const usual = isUsual(key);
      if (onKey(usual ? text : comparedKey(text), !usual || (nulsDiffer && end < keyEnd)))
        finding = { problem: "clash", key: Buffer.from(key), data: Buffer.from(dataBytes.subarray(dataStart, dataEnd)) };
    };
  read(
    skipDuplicates(
      visit((compared, isUnusual) => {
        if (!isUnusual) return false;
        const isThere = unusual.has(compared);
        unusual.add(compared);
        return isThere;
      }),
    ),
  );
  read(visit((compared, isUnusual) => !isUnusual && unusual.has(compared)));
  return finding;
}

/**
 * Passes on the first of several records with a key, which stand together in a
 * database: the one that sendmail finds. Values in the directory are
 * SINGLE-VALUE, and of two entries for a key sendmail takes none (-1).
 * @param onDuplicate called for each of the others.
 */
export function skipDuplicates(visit: VisitRecord, onDuplicate: () => void = () => {}): VisitRecord {
  let last = Buffer.alloc(256);
  let length = -1;
  return (keyBytes: Buffer, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
    if (keyEnd - keyStart === length && last.compare(keyBytes, keyStart, keyEnd, 0, length) === 0) {
      onDuplicate();
      return;
    }
    length = keyEnd - keyStart;
    if (length > last.length) last = Buffer.alloc(2 * length);
    keyBytes.copy(last, 0, keyStart, keyEnd);
    visit(keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd);
  };
}
