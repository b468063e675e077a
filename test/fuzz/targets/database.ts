/**
 * Database files, by the readers of pages and by the engine: what
 * support/examine-database.ts says, and the engine comes to an end too, whatever
 * the file, with a coded error or without one; what both read is the same.
 *
 * Of the engine V8 sees nothing. Which kinds of pages it asks for one after the
 * other, and what it says, stands for its coverage.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  BerkeleyDBError,
  Database,
  type FileHandle,
  type FileSystem,
  MemoryFileSystem,
  type OpenFlags,
  readFileHeader,
} from "berkeley-db-js";
import { checkBeforeChange, checkDatabase } from "#src/hash-file/check.js";
import { DatabaseFile } from "#src/hash-file/database-file.js";
import { HashFileError } from "#src/hash-file/error.js";
import { verify } from "#src/map-file/verification.js";
import { pairsOf } from "../../support/bytes.ts";
import { examine } from "../../support/examine-database.ts";
import { databaseFixtures } from "../../support/fixtures.ts";
import { damage } from "../../support/mutations.ts";
import { processorTime } from "../../support/processor-time.ts";
import { readThrough } from "../../support/read-through.ts";
import { assertSilent, CANARY, randomOf, shapeOf } from "../oracle.ts";
import type { Note, Target } from "../target.ts";

/** Milliseconds of a processor for all that the engine is asked. */
const MOST_TIME = 5000;
const PAGE_TYPE = 25;
/** Bytes: large files say no more than small ones, and take longer. */
const MOST_SEED = 1 << 16;
/** Bytes of a file that is written to: a damaged one may say that its pages are anywhere. */
const DISK = 1 << 22;

/** Notes the pages that are read, by their kinds. */
class WatchedFileSystem extends MemoryFileSystem implements FileSystem {
  note: Note = () => {};

  override open(path: string, flags: OpenFlags, mode: number): FileHandle {
    const file = super.open(path, flags, mode);
    let before = "open";
    let reads = 0;
    const read = (bytes: Uint8Array, offset: number): number => {
      const length = file.read(bytes, offset);
      const kind = length > PAGE_TYPE ? String(bytes[PAGE_TYPE]) : "short";
      this.note(`engine: ${before} ${kind}`);
      before = offset === 0 ? `first ${kind}` : kind;
      reads += 1;
      if ((reads & (reads - 1)) === 0) this.note(`engine: ${reads} reads`);
      return length;
    };
    return {
      read,
      write: (bytes, offset) => file.write(bytes, offset),
      truncate: (size) => file.truncate(size),
      sync: () => file.sync(),
      size: () => file.size(),
      close: () => file.close(),
    };
  }
}

/** Has no room for more. */
class SmallDisk extends MemoryFileSystem implements FileSystem {
  override open(path: string, flags: OpenFlags, mode: number): FileHandle {
    const file = super.open(path, flags, mode);
    return {
      read: (bytes, offset) => file.read(bytes, offset),
      write: (bytes, offset) => {
        if (offset + bytes.length > DISK) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
        file.write(bytes, offset);
      },
      truncate: (size) => file.truncate(Math.min(size, DISK)),
      sync: () => file.sync(),
      size: () => file.size(),
      close: () => file.close(),
    };
  }
}

type Records = readonly (readonly [string, string])[];

/** What it reads, or why it does not. */
function byEngine(fileSystem: FileSystem): Records | BerkeleyDBError {
  try {
    using database = Database.open("db", { readOnly: true, fileSystem });
    return pairsOf(database);
  } catch (error) {
    if (!(error instanceof BerkeleyDBError)) throw error;
    return error;
  }
}

function byWalker(fileSystem: FileSystem): Records | HashFileError {
  const records: [string, string][] = [];
  try {
    new DatabaseFile(fileSystem.open("db", { write: false }, 0)).visitRecords((key: Buffer, keyStart, keyEnd, data: Buffer, start, end) => {
      records.push([key.toString("latin1", keyStart, keyEnd), data.toString("latin1", start, end)]);
    });
    return records;
  } catch (error) {
    if (!(error instanceof HashFileError)) throw error;
    return error;
  }
}

function isSound(fileSystem: FileSystem): boolean {
  let problems = 0;
  checkDatabase(fileSystem.open("db", { write: false }, 0), () => {
    problems += 1;
  });
  return problems === 0;
}

function tell({ code, operation, detail, message }: BerkeleyDBError, note: Note): void {
  assertSilent(`${message} ${detail}`, "the engine");
  assert.match(code, /^[A-Z_0-9]+$/, "an error of the engine has no code");
  note(`engine: ${operation} ${code} ${[...new Set(detail.match(/BDB\d+/g))].join(" ")}`);
}

function examineEngine(bytes: Uint8Array, note: Note): void {
  const fileSystem = new WatchedFileSystem();
  fileSystem.writeFile("db", bytes);
  const walked = byWalker(fileSystem);
  if (walked instanceof Error) {
    assertSilent(walked.message, "the walker");
    note(`walker: ${shapeOf(walked.message)}`);
  }
  fileSystem.note = note;
  const read = byEngine(fileSystem);
  if (read instanceof Error) tell(read, note);
  assert.ok(Buffer.from(fileSystem.readFile("db")).equals(bytes), "the engine has written to a file that it reads");
  if (!(walked instanceof Error) && isOfEngine(bytes)) {
    // The walker goes by less than the engine does; but its check has to find what the engine minds.
    if (read instanceof Error) assert.ok(!isSound(fileSystem), `a sound file is refused by the engine: ${read.message}`);
    else assert.deepEqual(read, walked, "the walker and the engine read different records");
  }
  note(`both: ${walked instanceof Error ? "refused" : "read"} ${read instanceof Error ? "refused" : "read"}`);
}

/** Whether the engine reads files of this version at all. */
function isOfEngine(bytes: Uint8Array): boolean {
  const header = readFileHeader(bytes);
  return header !== undefined && (header.version === 9 || (header.type === "hash" && header.version === 8));
}

function examineOthers(bytes: Uint8Array, note: Note): void {
  const { errors } = readThrough(() => Database.open(bytes, { readOnly: true }));
  for (const [name, code] of Object.entries(errors)) note(`engine: ${name} ${code}`);
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("db", bytes);
  try {
    for (const { message } of verify("db", { fileSystem }).problems) {
      assertSilent(message, "verify");
      note(`verify: ${shapeOf(message)}`);
    }
  } catch (error) {
    // No file system fails here: what libdb minds is a problem of the file.
    if (!(error instanceof HashFileError)) throw error;
    assertSilent(error.message, "verify");
  }
}

/** What may be changed can be changed, and again: a change of what is damaged is nobody's promise. */
function examineWriting(bytes: Uint8Array, note: Note): void {
  const fileSystem = new SmallDisk();
  fileSystem.writeFile("db", bytes);
  const mayBeChanged = isChangeable(fileSystem);
  const isVerified = Database.verify(bytes).length === 0;
  note(`writing: ${mayBeChanged} ${isVerified}`);
  if (!isOfEngine(bytes) || (!mayBeChanged && !isVerified)) return;
  let database: Database | undefined;
  let failures = 0;
  const attempt = (what: () => void): void => {
    try {
      what();
    } catch (error) {
      if (!(error instanceof BerkeleyDBError)) throw error;
      failures += 1;
      tell(error, note);
    }
  };
  attempt(() => {
    database = Database.open("db", { fileSystem });
    for (let i = 0; i < 12; i++) database.put(Buffer.from(`${CANARY} ${i} `), Buffer.alloc(i * 30));
    for (const key of Array.from(database, ([one]) => one).slice(0, 8)) database.delete(key);
    database.sync();
  });
  attempt(() => database?.close());
  if (mayBeChanged && failures === 0) assert.ok(isChangeable(fileSystem), "the engine has damaged a file that may be changed");
}

function isChangeable(fileSystem: FileSystem): boolean {
  try {
    checkBeforeChange(fileSystem.open("db", { write: false }, 0));
    return true;
  } catch (error) {
    if (!(error instanceof HashFileError)) throw error;
    return false;
  }
}

/** A small file with all kinds of pages, whose records have the word in them. */
function makeSeed(type: "hash" | "btree", byteOrder: "little" | "big", duplicates: "sorted" | "unsorted" | false): Uint8Array {
  const database = Database.open(new Uint8Array(), { type, create: true, byteOrder, pageSize: 512, duplicates });
  for (let i = 0; i < 12; i++) {
    database.put(Buffer.from(`${CANARY} ${i} `.repeat(i === 7 ? 20 : 1)), Buffer.from(`${CANARY}!`.repeat(i === 3 ? 40 : 1)));
    for (let n = 0; n < (i === 5 && duplicates !== false ? 30 : 0); n++)
      database.put(Buffer.from(`${CANARY} ${i} `), Buffer.from(`${CANARY} ${n}`), "duplicate");
  }
  database.delete(Buffer.from(`${CANARY} 9 `));
  const bytes = database.toBytes();
  database.close();
  return bytes;
}

/** Keys, or sorted duplicates, that are too long for the pages above the leaves, which have them on pages of their own. */
function makeLongSeed(type: "hash" | "btree", byteOrder: "little" | "big"): Uint8Array {
  const duplicates = type === "hash" && "sorted";
  const database = Database.open(new Uint8Array(), { type, create: true, byteOrder, pageSize: 512, duplicates });
  for (let i = 0; i < 20; i++) {
    const long = Buffer.from(`${CANARY} ${i} `.padEnd(type === "hash" ? 300 : 150, "."));
    if (type === "hash") database.put(Buffer.from(CANARY), long, "duplicate");
    else database.put(long, Buffer.from(`${CANARY}!`));
  }
  const bytes = database.toBytes();
  database.close();
  return bytes;
}

export const target: Target = {
  name: "database",
  longest: 1 << 17,
  batch: 16,
  dictionary: [
    CANARY,
    "\x61\x15\x06\x00",
    "\x00\x06\x15\x61",
    "\x62\x31\x05\x00",
    "\x00\x05\x31\x62",
    "\x09\x00\x00\x00",
    "\x00\x00\x00\x08",
  ],
  *seeds(): Iterable<Uint8Array> {
    for (const type of ["hash", "btree"] as const)
      for (const byteOrder of ["little", "big"] as const)
        for (const duplicates of ["sorted", "unsorted", false] as const) yield makeSeed(type, byteOrder, duplicates);
    for (const type of ["hash", "btree"] as const) for (const byteOrder of ["little", "big"] as const) yield makeLongSeed(type, byteOrder);
    // Of all versions, with long items and without.
    for (const { name, size, path } of databaseFixtures())
      if (/-(?:authinfo|binary)$/.test(name) && size <= MOST_SEED) yield new Uint8Array(readFileSync(path));
  },
  change: (input, random) => damage(input, random),
  run(bytes, note) {
    const random = randomOf(bytes);
    const start = processorTime();
    examineEngine(bytes, note);
    if (random(8) === 0) examineOthers(bytes, note);
    if (random(8) === 0) examineWriting(bytes, note);
    const time = processorTime() - start;
    assert.ok(time < MOST_TIME, `the engine takes long: ${Math.round(time)} ms`);
    examine({ what: "input", bytes }, random(64));
  },
};
