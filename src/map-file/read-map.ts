/**
 * Any map: a database of any version that is read here, or the source text that
 * a map is made from.
 */
import { type FileHandle, type FileSystem, RecordBatch, readFileHeader } from "berkeley-db-js";
import { openStandardInput, readingFileSystem } from "../files/read-whole.ts";
import { DatabaseFile, type StoredRecord } from "../hash-file/database-file.ts";
import { HashFileError } from "../hash-file/error.ts";
import { foreignKind, TEXT } from "../hash-file/foreign-kind.ts";
import { readHeader } from "../hash-file/layout.ts";
import type { SourceDiagnostic } from "../makemap/diagnostic.ts";
import { type SourceOptions, SourceParser } from "../makemap/source-parser.ts";

const BEGINNING = 4096;
const STRETCH = 1 << 18;
const DATABASE_SUFFIX = ".db";
const NUL = 0x00;
const NEWLINE = 0x0a;

export interface ReadMapOptions extends SourceOptions {
  /** What a second record of a key in a source text is: refused (the default), the one that counts (-r), or one more (-d). */
  readonly duplicates?: "refuse" | "replace" | "keep";
  /** What stands for standard input in place of a path, as "-" does on a command line. Default: nothing. */
  readonly standardInput?: string;
  /**
   * Called with each record of a source text that counts, as it is read; none is kept then, but
   * the keys where duplicates are refused. Not with "replace", where nobody knows before the end.
   */
  readonly onSourceRecord?: ((record: SourceRecord) => void) | undefined;
  /** Default: the operating system's files; of them pipes and terminals are read into memory. */
  readonly fileSystem?: FileSystem;
}

/** What a source text says, as makemap would store it. */
export interface SourceText {
  readonly kind: "source";
  readonly records: readonly SourceRecord[];
  /** What makemap would complain of. */
  readonly diagnostics: readonly SourceDiagnostic[];
}

export interface SourceRecord extends StoredRecord {
  /** From 1. */
  readonly line: number;
}

/** A database that is open. */
export interface OpenDatabase {
  readonly kind: "database";
  readonly file: DatabaseFile;
}

/**
 * Opens a map, hands it over and closes it.
 * @param path a file that is no database, and whose name does not end in ".db", is taken for source text.
 * @param use what it returns is returned; the map is good during the call.
 * @throws {HashFileError} neither a database that is read here, nor text.
 * @throws {Error} of the file system.
 */
export function withMap<T>(path: string, options: ReadMapOptions, use: (map: OpenDatabase | SourceText) => T): T {
  const { fileSystem = readingFileSystem, standardInput } = options;
  const file = path === standardInput ? openStandardInput() : fileSystem.open(path, { write: false }, 0);
  try {
    return use(openMap(path, file, options));
  } finally {
    file.close();
  }
}

/**
 * The records of a map of either kind, as copies: of a database in the order of
 * the file, of a text in that of its lines.
 */
export function readMap(path: string, options: ReadMapOptions = {}): StoredRecord[] {
  return withMap(path, options, (map) => [...recordsOf(map)]);
}

function recordsOf(map: OpenDatabase | SourceText): Iterable<StoredRecord> {
  return map.kind === "database" ? map.file.records() : map.records;
}

function openMap(path: string, file: FileHandle, options: ReadMapOptions): OpenDatabase | SourceText {
  const beginning = new Uint8Array(BEGINNING);
  const first = beginning.subarray(0, file.read(beginning, 0));
  if (isDatabase(path, first)) return { kind: "database", file: new DatabaseFile(file) };
  return readSource(file, options);
}

/**
 * Whether a file is a database rather than a source text.
 * @param first bytes that it begins with.
 * @param nuls "allowed": a text may hold NULs, for one who looks for such mistakes.
 * @throws {HashFileError} neither of them, by the first bytes or by the name.
 */
export function isDatabase(path: string, first: Uint8Array, nuls: "allowed" | "refused" = "refused"): boolean {
  try {
    readHeader(first.subarray(0, 512));
    return true;
  } catch (error) {
    const kind = foreignKind(first);
    const mayBeText = first.length === 0 || kind === TEXT || (kind === undefined && nuls === "allowed" && !hasKnownHeader(first));
    if (path.endsWith(DATABASE_SUFFIX)) throw error;
    if (mayBeText) return false;
    const nul = first.indexOf(NUL);
    // Of what is known by its beginning that is told alone.
    if (nul < 0 || kind !== undefined || hasKnownHeader(first) || !(error instanceof HashFileError)) throw error;
    throw new HashFileError(`${error.message}, nor text: a NUL in line ${lineOf(first, nul)}`);
  }
}

function lineOf(bytes: Uint8Array, at: number): number {
  return bytes.subarray(0, at).reduce((line, byte) => (byte === NEWLINE ? line + 1 : line), 1);
}

/** A Berkeley DB file of a version that is not read here. */
function hasKnownHeader(first: Uint8Array): boolean {
  return readFileHeader(first.subarray(0, 512)) !== undefined;
}

function readSource(file: FileHandle, options: ReadMapOptions): SourceText {
  const parser = new SourceParser(options);
  const sink = { batch: new RecordBatch(), lines: [] as number[], diagnostics: [] as SourceDiagnostic[] };
  const { duplicates = "refuse", onSourceRecord } = options;
  const kept =
    duplicates === "replace" || onSourceRecord === undefined ? new KeptRecords(duplicates) : new PassedRecords(duplicates, onSourceRecord);
  const take = (): void => {
    let i = 0;
    for (const [key, data] of sink.batch) {
      const line = sink.lines[i++] as number;
      kept.add({ key: key.slice(), data: data.slice(), line });
    }
    sink.batch.clear();
    sink.lines.length = 0;
  };
  const stretch = new Uint8Array(STRETCH);
  for (let at = 0, length = 1; length > 0; at += length) {
    length = file.read(stretch, at);
    if (length > 0) parser.write(stretch.subarray(0, length), sink);
    take();
  }
  parser.end(sink);
  take();
  const diagnostics = [...sink.diagnostics, ...kept.refused].sort((a, b) => a.line - b.line);
  return { kind: "source", records: kept.records(), diagnostics };
}

/** What becomes of several records with a key, where all are kept to the end. */
class KeptRecords {
  readonly refused: SourceDiagnostic[] = [];
  readonly #duplicates: "refuse" | "replace" | "keep";
  readonly #all: SourceRecord[] = [];
  /** Where in all of them the record of a key is. */
  readonly #places = new Map<string, number>();

  constructor(duplicates: "refuse" | "replace" | "keep") {
    this.#duplicates = duplicates;
  }

  add(record: SourceRecord): void {
    const place = this.#duplicates === "keep" ? undefined : this.#place(record.key);
    if (place === undefined) this.#all.push(record);
    else if (this.#duplicates === "replace") this.#all[place] = record;
    else this.refused.push({ problem: "duplicate-key", line: record.line, key: record.key });
  }

  records(): readonly SourceRecord[] {
    return this.#all;
  }

  /** Undefined for a new key, which is noted. */
  #place(key: Uint8Array): number | undefined {
    const text = textOf(key);
    const place = this.#places.get(text);
    if (place === undefined) this.#places.set(text, this.#all.length);
    return place;
  }
}

/** The same, where they are handed on. */
class PassedRecords {
  readonly refused: SourceDiagnostic[] = [];
  readonly #keys: Set<string> | undefined;
  readonly #onRecord: (record: SourceRecord) => void;

  constructor(duplicates: "refuse" | "keep", onRecord: (record: SourceRecord) => void) {
    this.#keys = duplicates === "refuse" ? new Set() : undefined;
    this.#onRecord = onRecord;
  }

  add(record: SourceRecord): void {
    const text = this.#keys && textOf(record.key);
    if (text !== undefined && this.#keys?.has(text)) {
      this.refused.push({ problem: "duplicate-key", line: record.line, key: record.key });
      return;
    }
    if (text !== undefined) this.#keys?.add(text);
    this.#onRecord(record);
  }

  records(): readonly SourceRecord[] {
    return [];
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
