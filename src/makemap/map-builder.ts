/**
 * Builds a map from its source text, all or nothing.
 *
 * The text comes in as chunks and is not kept; the file grows beside the map
 * that it will replace.
 */
import type { Hash } from "node:crypto";
import {
  BerkeleyDBError,
  Database,
  type DatabaseType,
  type FileHandle,
  type FileSystem,
  nodeFileSystem,
  type PutMode,
  RecordBatch,
  readFileHeader,
} from "berkeley-db-js";
import { buildCacheSize } from "../files/build-cache.ts";
import { type FileId, fileIdOf, isOfContent } from "../files/file-id.ts";
import { withoutSync } from "../files/handles.ts";
import { nodeCrypto } from "../files/late.ts";
import { type NewFile, Replacement } from "../files/replacement.ts";
import { checkBeforeChange } from "../hash-file/check.ts";
import { DatabaseFile } from "../hash-file/database-file.ts";
import { type FileFormat, targetFormat } from "../hash-file/file-format.ts";
import { setHashVersionOf } from "../hash-file/hash-version.ts";
import type { SourceDiagnostic } from "./diagnostic.ts";
import { creationType, type MapType } from "./map-type.ts";
import { type SourceOptions, SourceParser, type SourceSink } from "./source-parser.ts";

/** makemap sets it for every hash map; it stands in the file. */
const HASH_ELEMENTS = 4096;
/** makemap's mode of a new map. */
const MAP_MODE = 0o640;
/** Records are handed to the engine some of these bytes at a time. */
const BATCH = 1 << 18;
/** A map of short lines takes up to so many bytes for each byte of source. */
const FILE_PER_SOURCE = 3;

export interface MapBuilderOptions extends SourceOptions {
  readonly type: MapType;
  /** What a second record of a key is: refused (the default), the one that counts (-r), or one more (-d). */
  readonly duplicates?: "refuse" | "replace" | "keep";
  /** -o: add to the map that is there. */
  readonly append?: boolean;
  /** Of a new file. Default: that of this host. */
  readonly format?: FileFormat;
  /** Default: "content", derived from the records. A map that is added to keeps its own. */
  readonly fileId?: FileId;
  /** How many bytes of source are to be expected: sizes the cache. Default: many. */
  readonly sourceSize?: number | undefined;
  /** -c: bytes of cache, in place of what the size of the source calls for. */
  readonly cacheSize?: number | undefined;
  readonly inPlace?: boolean;
  /** Who is to own the file (O TrustedUser). */
  readonly owner?: number | undefined;
  /** How files are opened, read and written. They are the operating system's all the same: names, modes and owners go through `node:fs`. */
  readonly fileSystem?: FileSystem;
  /** Made in place of what would replace the file; in the file system. */
  readonly newFile?: NewFile;
  /** Called with each record before it is stored (-v). The arguments are views, good during the call. */
  readonly onRecord?: ((key: Uint8Array, value: Uint8Array, line: number) => void) | undefined;
  /** Called with what is wrong with the source, in the order of its lines, after the records before it. */
  readonly onDiagnostic: (diagnostic: SourceDiagnostic) => void;
}

/** A failure to store a record or to finish the file; `line` and `key` where there is a record to name. */
export class MapWriteError extends Error {
  readonly line: number | undefined;
  readonly key: Uint8Array | undefined;

  constructor(cause: unknown, record?: { readonly line: number; readonly key: Uint8Array }) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "MapWriteError";
    this.line = record?.line;
    this.key = record?.key;
  }
}

/**
 * Until `commit` the old map is untouched. `abandon` is owed after a failure,
 * and harmless at any time.
 */
export class MapBuilder {
  readonly #options: MapBuilderOptions;
  readonly #parser: SourceParser;
  readonly #replacement: NewFile;
  readonly #database: Database;
  readonly #hashVersion: number;
  readonly #identity: Hash | undefined;
  readonly #batch = new RecordBatch(BATCH + 4096);
  readonly #lines: number[] = [];
  #diagnostics: SourceDiagnostic[] = [];
  #records = 0;
  /** Why nothing more can be done. */
  #over: string | undefined;

  /**
   * @param file of the map, resolved: not a link.
   * @throws {BerkeleyDBError | HashFileError | Error} what is there cannot be added to, or nothing can be made there.
   */
  constructor(file: string, options: MapBuilderOptions) {
    const { fileSystem = nodeFileSystem, append = false, format = targetFormat("native"), owner, inPlace = false } = options;
    this.#options = options;
    this.#parser = new SourceParser(options);
    const existing = append ? checkAppend(file, options.type, fileSystem) : undefined;
    this.#replacement = options.newFile ?? new Replacement(file, { fileSystem, mode: MAP_MODE, owner, inPlace });
    try {
      this.#hashVersion = append ? this.#copyOld() : format.hashVersion;
      this.#database = this.#open(existing ?? creationType(options.type), append, format);
    } catch (error) {
      this.#replacement.abandon();
      throw error;
    }
    const { fileId = "content" } = options;
    this.#identity = !append && isOfContent(fileId) ? this.#beginIdentity(format) : undefined;
  }

  /** Records stored or replaced so far. */
  get records(): number {
    return this.#records;
  }

  /** Lines read so far. */
  get lines(): number {
    return this.#parser.line;
  }

  /**
   * Reads a chunk of the source.
   * @throws {MapWriteError} the database could not take a record.
   * @throws {TypeError} it has failed before, or is over.
   */
  write(chunk: Uint8Array): void {
    this.#step(() => {
      // In parts, so that a batch stays within its bounds whatever the chunk.
      for (let at = 0; at < chunk.length; at += BATCH / 4) {
        this.#parser.write(chunk.subarray(at, at + BATCH / 4), this.#sink());
        if (this.#batch.byteLength >= BATCH / 2 || this.#options.onRecord !== undefined || this.#diagnostics.length > 0) this.#flush();
      }
    });
  }

  /**
   * Stores what is left, and puts the new map in the place of the old one.
   * @throws {MapWriteError}
   */
  commit(): void {
    this.#step(() => {
      this.#parser.end(this.#sink());
      this.#flush();
      try {
        this.#setFileId();
        this.#database.close();
        this.#setVersion();
        this.#replacement.commit();
      } catch (error) {
        throw new MapWriteError(error);
      }
    });
    this.#over = "is committed";
  }

  /** What has failed half way is not gone on with. */
  #step(work: () => void): void {
    if (this.#over !== undefined) throw new TypeError(`the map ${this.#over}`);
    try {
      work();
    } catch (error) {
      this.#over = "has failed";
      throw error;
    }
  }

  /** Gives up: the old map stays, and nothing is left beside it. */
  abandon(): void {
    this.#over ??= "is abandoned";
    this.#batch.clear();
    try {
      this.#database.close({ sync: false });
    } catch {
      // The file is about to go.
    }
    this.#replacement.abandon();
  }

  /** What DB->put() does with no flag depends on the file, and so does a map that is added to. */
  #putMode(): PutMode {
    if ((this.#options.duplicates ?? "refuse") === "refuse") return "insert";
    return this.#database.duplicates === false ? "replace" : "duplicate";
  }

  #sink(): SourceSink {
    return { batch: this.#batch, lines: this.#lines, diagnostics: this.#diagnostics };
  }

  /** @returns the version of what was copied: another run may have put it there since somebody looked. */
  #copyOld(): number {
    this.#replacement.copyOld();
    checkBeforeChange(this.#replacement.handle);
    return versionOf(this.#replacement.handle);
  }

  #open(type: "hash" | "btree", append: boolean, format: FileFormat): Database {
    const { sourceSize, cacheSize, duplicates } = this.#options;
    const common = {
      type,
      cacheSize: buildCacheSize(sourceSize && sourceSize * FILE_PER_SOURCE, cacheSize),
      fileSystem: withoutSync(this.#replacement.fileSystem),
    };
    const keep = duplicates === "keep" ? ("unsorted" as const) : false;
    if (append) return Database.open(this.#replacement.path, { ...common, duplicates: keep });
    return Database.open(this.#replacement.path, {
      ...common,
      create: true,
      truncate: true,
      byteOrder: format.byteOrder,
      pageSize: format.pageSize,
      duplicates: keep,
      ...(type === "hash" ? { hashElements: HASH_ELEMENTS } : {}),
    });
  }

  /** The id stands for the records, in their order, and for how they are stored. */
  #beginIdentity(format: FileFormat): Hash {
    const { type, duplicates = "refuse" } = this.#options;
    return nodeCrypto()
      .createHash("sha256")
      .update(`${creationType(type)} ${duplicates} ${format.byteOrder} ${format.pageSize}\n`);
  }

  #flush(): void {
    const { onRecord } = this.#options;
    if (onRecord !== undefined) this.#flushOneByOne(onRecord);
    else this.#store();
    for (const diagnostic of this.#diagnostics) this.#options.onDiagnostic(diagnostic);
    this.#diagnostics = [];
    this.#lines.length = 0;
    this.#batch.clear();
  }

  /** What is wrong with the records joins what the parser found, in the order of the lines. */
  #store(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    this.#identity?.update(batch.view());
    let refused: Uint32Array;
    try {
      refused = this.#database.putMany(batch, this.#putMode());
    } catch (error) {
      throw new MapWriteError(error);
    }
    this.#records += batch.count - refused.length;
    if (refused.length === 0) return;
    const keys = keysAt(batch, refused);
    const nul = this.#options.includeNul ? 1 : 0;
    refused.forEach((index, i) => {
      const key = keys[i] as Uint8Array;
      this.#diagnostics.push({ problem: "duplicate-key", line: this.#lines[index] as number, key: key.subarray(0, key.length - nul) });
    });
    this.#diagnostics.sort((a, b) => a.line - b.line);
  }

  /** For -v: each record is shown, then stored, and what is wrong is told between the two lines that it stands between. */
  #flushOneByOne(onRecord: NonNullable<MapBuilderOptions["onRecord"]>): void {
    const found = this.#diagnostics;
    this.#diagnostics = [];
    this.#identity?.update(this.#batch.view());
    const nul = this.#options.includeNul ? 1 : 0;
    let next = 0;
    const tellBefore = (line: number): void => {
      while (next < found.length && (found[next] as SourceDiagnostic).line < line)
        this.#options.onDiagnostic(found[next++] as SourceDiagnostic);
    };
    let index = 0;
    for (const [key, value] of this.#batch) {
      const line = this.#lines[index++] as number;
      tellBefore(line);
      onRecord(key.subarray(0, key.length - nul), value.subarray(0, value.length - nul), line);
      try {
        this.#database.put(key, value, this.#putMode());
        this.#records += 1;
      } catch (error) {
        const named = { line, key: key.slice(0, key.length - nul) };
        if (!(error instanceof BerkeleyDBError) || error.code !== "DB_KEYEXIST") throw new MapWriteError(error, named);
        this.#options.onDiagnostic({ problem: "duplicate-key", ...named });
      }
    }
    tellBefore(Number.POSITIVE_INFINITY);
  }

  #setFileId(): void {
    const { fileId = "content", append = false } = this.#options;
    if (append && isOfContent(fileId)) return;
    this.#database.setFileId(fileIdOf(fileId, () => (this.#identity as Hash).digest()));
  }

  /** The engine writes version 9. */
  #setVersion(): void {
    if (this.#database.type !== "hash" || this.#hashVersion === 9) return;
    setHashVersionOf(this.#replacement.path, this.#hashVersion, this.#replacement.fileSystem);
  }
}

/** The type of the map that is there. */
function checkAppend(file: string, type: MapType, fileSystem: FileSystem): DatabaseType {
  const database = Database.open(file, { readOnly: true, fileSystem, ...(type === "implicit" ? {} : { type }) });
  database.close();
  const handle = fileSystem.open(file, { write: false }, 0);
  try {
    // Far longer than it says: nobody wants it copied to find that out.
    new DatabaseFile(handle);
  } finally {
    handle.close();
  }
  return database.type;
}

function versionOf(file: FileHandle): number {
  const bytes = new Uint8Array(512);
  file.read(bytes, 0);
  return readFileHeader(bytes)?.version ?? 9;
}

/** Copies of the keys at these ascending indexes. */
function keysAt(batch: RecordBatch, indexes: Uint32Array): Uint8Array[] {
  const keys: Uint8Array[] = [];
  let index = 0;
  for (const [key] of batch) {
    if (index === indexes[keys.length]) keys.push(key.slice());
    index += 1;
  }
  return keys;
}
