/**
 * Builds a database from records, all or nothing: the file grows beside the one
 * that it will replace. The same records, in the same order, give the same bytes.
 */
import type { Hash } from "node:crypto";
import { Database, type DatabaseType, type FileSystem, nodeFileSystem, type PutMode, RecordBatch } from "berkeley-db-js";
import { buildCacheSize } from "../files/build-cache.ts";
import { type FileId, fileIdOf, isOfContent } from "../files/file-id.ts";
import { withoutSync } from "../files/handles.ts";
import { nodeCrypto } from "../files/late.ts";
import { Replacement } from "../files/replacement.ts";
import type { FileFormat } from "../hash-file/file-format.ts";
import { setHashVersionOf } from "../hash-file/hash-version.ts";

/** That of a map which makemap makes. */
const NEW_FILE_MODE = 0o640;
/** Records are handed to the engine some of these bytes at a time. */
const BATCH = 1 << 18;

export interface DatabaseBuilderOptions {
  readonly type: DatabaseType;
  /** The byte order, the page size, and of a hash file its version. */
  readonly format: FileFormat;
  /** Whether a key may have several records, and in which order it has them. Default false. */
  readonly duplicates?: "unsorted" | "sorted" | false;
  /**
   * Without duplicates: what becomes of a second record of a key: it counts
   * (the default), or is refused. With them a record is refused that is there
   * already among sorted ones, or, with "refuse", any second one of a key.
   */
  readonly again?: "replace" | "refuse";
  /** Default: "content", derived from the records. */
  readonly fileId?: FileId;
  /** How many records a hash file is to hold (h_nelem). */
  readonly hashElements?: number | undefined;
  /** Records a bucket of a hash file is to hold (h_ffactor). */
  readonly fillFactor?: number | undefined;
  /** The least number of keys on a btree page (bt_minkey). */
  readonly minimumKeys?: number | undefined;
  /** How many bytes the file may come to: sizes the cache. Default: many. */
  readonly expectedSize?: number | undefined;
  /** Permission bits of a new file, cut by the umask. Default 0o640; a file that is there keeps its own. */
  readonly mode?: number;
  /** A file that is there gets that mode too. */
  readonly setMode?: boolean;
  readonly inPlace?: boolean;
  readonly fileSystem?: FileSystem;
  /** Called with the tag of each record that is refused, in their order. */
  readonly onRefused?: (tag: number) => void;
}

/** Until `commit` the old file is untouched. `abandon` is owed after a failure, and harmless at any time. */
export class DatabaseBuilder {
  readonly #options: DatabaseBuilderOptions;
  readonly #replacement: Replacement;
  readonly #database: Database;
  readonly #identity: Hash | undefined;
  readonly #batch = new RecordBatch(BATCH + 4096);
  readonly #putMode: PutMode;
  readonly #tags: number[] = [];
  #stored = 0;
  #isFinished = false;

  /**
   * @param file resolved: not a link.
   * @throws {BerkeleyDBError | Error} nothing can be made there.
   */
  constructor(file: string, options: DatabaseBuilderOptions) {
    const { fileSystem = nodeFileSystem, mode = NEW_FILE_MODE, inPlace = false, fileId = "content", duplicates = false } = options;
    this.#options = options;
    this.#putMode = options.again === "refuse" ? "insert" : duplicates === false ? "replace" : "duplicate";
    this.#replacement = new Replacement(file, { fileSystem, mode, setMode: options.setMode ?? false, inPlace });
    try {
      this.#database = this.#open();
    } catch (error) {
      this.#replacement.abandon();
      throw error;
    }
    const { type, format } = options;
    if (isOfContent(fileId))
      this.#identity = nodeCrypto().createHash("sha256").update(`${type} ${duplicates} ${format.byteOrder} ${format.pageSize}\n`);
  }

  /** Records stored so far, and those that replaced another. */
  get records(): number {
    return this.#stored;
  }

  /**
   * Adds a record, whose bytes are copied.
   * @param tag what `onRefused` is to be told: its number, or its line.
   * @throws {BerkeleyDBError}
   */
  add(key: Uint8Array, data: Uint8Array, tag: number): void {
    this.#batch.append(key, data);
    this.#tags.push(tag);
    if (this.#batch.byteLength >= BATCH) this.#store();
  }

  /**
   * Makes the new file whole, beside the old one.
   * @throws {BerkeleyDBError | Error}
   */
  finish(): void {
    if (this.#isFinished) return;
    this.#store();
    const { fileId = "content", format, type } = this.#options;
    this.#database.setFileId(fileIdOf(fileId, () => (this.#identity as Hash).digest()));
    this.#database.close();
    // The engine writes version 9.
    const { path, fileSystem } = this.#replacement;
    if (type === "hash" && format.hashVersion !== 9) setHashVersionOf(path, format.hashVersion, fileSystem);
    this.#isFinished = true;
  }

  /**
   * Puts the new file in the place of the old one.
   * @throws {BerkeleyDBError | Error} the old one is there still.
   */
  commit(): void {
    this.finish();
    this.#replacement.commit();
  }

  /** Gives up: the old file stays, and nothing is left beside it. */
  abandon(): void {
    this.#batch.clear();
    try {
      this.#database.close({ sync: false });
    } catch {
      // The file is about to go.
    }
    this.#replacement.abandon();
  }

  #open(): Database {
    const { type, format, duplicates = false, expectedSize, hashElements, fillFactor, minimumKeys } = this.#options;
    return Database.open(this.#replacement.path, {
      type,
      create: true,
      truncate: true,
      byteOrder: format.byteOrder,
      pageSize: format.pageSize,
      duplicates,
      cacheSize: buildCacheSize(expectedSize),
      fileSystem: withoutSync(this.#replacement.fileSystem),
      ...(type === "hash" && hashElements !== undefined ? { hashElements } : {}),
      ...(type === "hash" && fillFactor !== undefined ? { fillFactor } : {}),
      ...(type === "btree" && minimumKeys !== undefined ? { minimumKeys } : {}),
    });
  }

  #store(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    this.#identity?.update(batch.view());
    const refused = this.#database.putMany(batch, this.#putMode);
    this.#stored += batch.count - refused.length;
    for (const index of refused) this.#options.onRefused?.(this.#tags[index] as number);
    this.#tags.length = 0;
    batch.clear();
  }
}
