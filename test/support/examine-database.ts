/**
 * What has to hold of any file at all, damaged as it may be: an answer, or an
 * error that names the damage; every reader gives the same one, soon, with
 * little memory, and writes nothing.
 */
import assert from "node:assert/strict";
import { BerkeleyDBError, Database, MemoryFileSystem, readFileHeader } from "berkeley-db-js";
import { checkDatabase } from "#src/hash-file/check.js";
import { DatabaseFile } from "#src/hash-file/database-file.js";
import { HashFileError } from "#src/hash-file/error.js";
import { convert } from "#src/map-file/convert.js";
import { inspect } from "#src/map-file/inspection.js";
import { scrub } from "#src/map-file/scrub.js";
import { verify } from "#src/map-file/verification.js";
import { compare, pairsOf } from "./bytes.ts";
import type { Mutation } from "./mutations.ts";
import { processorTime } from "./processor-time.ts";

/** Milliseconds of a processor that no call may take. */
const MOST_TIME = 2000;
/** The most bytes of records for each byte of the file; a key counts once for all of its duplicates. */
const MOST_BYTES = 2;

type Examined = Pick<Mutation, "what" | "bytes">;
type TextRecord = [key: string, data: string];

/** What a reader makes of a file. */
interface Answer {
  readonly records: TextRecord[];
  /** Why it stopped. */
  readonly damage: string | undefined;
}

/** Refuses to be written to. */
function open(fileSystem: MemoryFileSystem): ReturnType<MemoryFileSystem["open"]> {
  return fileSystem.open("db", { write: false }, 0);
}

function holding(bytes: Uint8Array): MemoryFileSystem {
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("db", bytes);
  return fileSystem;
}

/** What `action` returns, or the message with which it refuses: nothing else may come out of it. */
function attempt<T>(name: string, { what }: Examined, action: () => T): { readonly value: T } | { readonly refusal: string } {
  const start = processorTime();
  try {
    return { value: action() };
  } catch (error) {
    if (!(error instanceof HashFileError) && !(error instanceof BerkeleyDBError))
      throw new Error(`${name}: ${what}: ${(error as Error).stack}`, { cause: error });
    assert.match(error.message, /\S/, `${name}: ${what}`);
    return { refusal: error.message };
  } finally {
    const time = processorTime() - start;
    assert.ok(time < MOST_TIME, `${name}: ${what}: ${Math.round(time)} ms`);
  }
}

function read(fileSystem: MemoryFileSystem, mutation: Examined): Answer {
  const records: TextRecord[] = [];
  let bytes = 0;
  let lastKey: Buffer | undefined;
  let lastStart = -1;
  const result = attempt("read", mutation, () =>
    new DatabaseFile(open(fileSystem)).visitRecords((key: Buffer, keyStart, keyEnd, data: Buffer, dataStart, dataEnd) => {
      records.push([key.toString("latin1", keyStart, keyEnd), data.toString("latin1", dataStart, dataEnd)]);
      if (key !== lastKey || keyStart !== lastStart) bytes += keyEnd - keyStart;
      bytes += dataEnd - dataStart;
      lastKey = key;
      lastStart = keyStart;
    }),
  );
  assert.ok(bytes <= MOST_BYTES * mutation.bytes.length, `${mutation.what}: ${bytes} bytes of records`);
  return { records, damage: "refusal" in result ? result.refusal : undefined };
}

function isSame(a: readonly TextRecord[], b: readonly TextRecord[]): boolean {
  return a.length === b.length && a.every(([key, data], i) => key === b[i]?.[0] && data === b[i]?.[1]);
}

function sorted(records: readonly TextRecord[]): TextRecord[] {
  return [...records].sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
}

type SeenName = "read" | "refused" | "sound" | "scrubbed" | "converted" | "verified" | "byEngine";

/** Counts of what was seen, so that a run in which nothing came to pass is no success. */
export const seen: Record<SeenName, number> = { read: 0, refused: 0, sound: 0, scrubbed: 0, converted: 0, verified: 0, byEngine: 0 };

/** @param number says which of the readers that take long are asked too. */
export function examine(mutation: Examined, number: number): void {
  const { what, bytes } = mutation;
  const fileSystem = holding(bytes);
  const { records, damage } = read(fileSystem, mutation);
  if (damage === undefined) seen.read += 1;
  else seen.refused += 1;

  const inspection = attempt("inspect", mutation, () => inspect(open(fileSystem)));
  if (damage === undefined) {
    assert.ok("value" in inspection, `${what}: inspect refuses what can be read`);
    assert.deepEqual(inspection.value.damage, [], what);
    assert.equal(inspection.value.content.records, records.length, what);
  } else if ("value" in inspection) {
    assert.ok(inspection.value.damage.length > 0, `${what}: inspect finds nothing: ${damage}`);
  }

  const problems: string[] = [];
  const check = attempt("check", mutation, () => checkDatabase(open(fileSystem), (problem) => problems.push(problem.message)));
  const isSound = "value" in check && problems.length === 0;
  if (damage !== undefined) assert.ok(!isSound, `${what}: is sound, but not read: ${damage}`);
  if (isSound) seen.sound += 1;

  if (isSound || number % 16 === 0) examineScrub(mutation, fileSystem, records, isSound);
  if (number % 16 === 2) examineVerification(mutation, fileSystem, isSound);
  if (number % 16 === 1) examineConvert(mutation, fileSystem, records, damage);
  if (isSound && number % 4 === 0) examineEngine(mutation, records);
  assert.ok(Buffer.from(fileSystem.readFile("db")).equals(bytes), `${what}: written to`);
}

/** What is scrubbed has the same records; what is refused leaves nothing. */
function examineScrub(mutation: Examined, fileSystem: MemoryFileSystem, records: readonly TextRecord[], isSound: boolean): void {
  const result = attempt("scrub", mutation, () => scrub("db", "scrubbed", { fileSystem }));
  if ("refusal" in result) {
    assert.deepEqual(fileSystem.list(), ["db"], mutation.what);
    // Of a page of a btree file without a single byte libdb minds just that.
    assert.ok(
      !result.refusal.startsWith("cannot be scrubbed") || result.refusal.includes("totally zeroed page"),
      `${mutation.what}: ${result.refusal}`,
    );
    return;
  }
  assert.ok(isSound, `${mutation.what}: scrubbed, though damaged`);
  seen.scrubbed += 1;
  const bytes = fileSystem.readFile("scrubbed");
  const after = read(holding(bytes), { ...mutation, bytes });
  assert.ok(
    after.damage === undefined && isSame(after.records, records),
    `${mutation.what}: scrubbing changed the records: ${after.damage}`,
  );
  fileSystem.unlink("scrubbed");
}

/** With libdb, which is given damaged files too. */
function examineVerification(mutation: Examined, fileSystem: MemoryFileSystem, isSound: boolean): void {
  const result = attempt("verify", mutation, () => verify("db", { fileSystem }));
  if (!("value" in result)) {
    // What is no database any more cannot be verified.
    assert.ok(!isSound && !result.refusal.startsWith("damaged: "), `${mutation.what}: is not verified: ${JSON.stringify(result)}`);
    return;
  }
  const { problems } = result.value;
  assert.equal(problems.filter(({ by }) => by === "walk").length === 0, isSound, mutation.what);
  for (const { message } of problems) assert.match(message, /^[^\n]*\S[^\n]*$/, mutation.what);
  seen.verified += 1;
}

const FORMATS = [
  { byteOrder: "big", hashVersion: 8, pageSize: 4096 },
  { byteOrder: "little", hashVersion: 9, pageSize: 512 },
] as const;

function examineConvert(
  mutation: Examined,
  fileSystem: MemoryFileSystem,
  records: readonly TextRecord[],
  damage: string | undefined,
): void {
  const format = FORMATS[mutation.bytes.length % 3 === 0 ? 0 : 1];
  const result = attempt("convert", mutation, () => convert("db", "converted", { format, mode: 0o600, fileSystem }));
  if ("refusal" in result) {
    assert.deepEqual(fileSystem.list(), ["db"], mutation.what);
    return;
  }
  assert.equal(damage, undefined, `${mutation.what}: converted, though damaged`);
  seen.converted += 1;
  const bytes = fileSystem.readFile("converted");
  assert.ok(bytes.length < 64 * mutation.bytes.length + (1 << 22), `${mutation.what}: converted to ${bytes.length} bytes`);
  const after = read(holding(bytes), { ...mutation, bytes });
  assert.ok(isSame(sorted(after.records), sorted(records)), `${mutation.what}: converting changed the records: ${after.damage}`);
}

/** What libdb verifies and what is sound here, both read alike. */
function examineEngine(mutation: Examined, records: readonly TextRecord[]): void {
  const { what, bytes } = mutation;
  const header = readFileHeader(bytes);
  if (header === undefined || !(header.version === 9 || (header.type === "hash" && header.version === 8))) return;
  const verified = attempt("verify", mutation, () => Database.verify(bytes));
  if ("refusal" in verified || verified.value.length > 0) return;
  const result = attempt("engine", mutation, () => {
    using database = Database.open(bytes, { readOnly: true });
    return pairsOf(database);
  });
  assert.ok("value" in result, `${what}: libdb verifies it and does not read it: ${JSON.stringify(result)}`);
  assert.ok(isSame(result.value, records), `${what}: libdb reads other records`);
  seen.byEngine += 1;
}
