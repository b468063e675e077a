/**
 * The file of a SASL database: opened to be read, or changed all or nothing.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { BerkeleyDBError, Database, type FileSystem, nodeFileSystem, RecordBatch } from "berkeley-db-js";
import { type FileId, fileIdOf } from "../files/file-id.ts";
import { withFileLock } from "../files/file-lock.ts";
import { isSameState, stateOf } from "../files/file-state.ts";
import { withoutSync } from "../files/handles.ts";
import { nodeCrypto } from "../files/late.ts";
import { MemoryFile } from "../files/memory-file.ts";
import { type NewFile, putBack, Replacement } from "../files/replacement.ts";
import { resolveFolder, resolveLinks } from "../files/shared-folder.ts";
import { checkBeforeChange } from "../hash-file/check.ts";
import { DatabaseFile } from "../hash-file/database-file.ts";
import { HashFileError } from "../hash-file/error.ts";
import { type FileFormat, targetFormat } from "../hash-file/file-format.ts";
import { setHashVersionOf } from "../hash-file/hash-version.ts";
import { type HashLayout, readHashLayout } from "../hash-file/layout.ts";
import { clearUnusedSpace } from "../hash-file/unused-space.ts";
import { SasldbError } from "./error.ts";
import { keysOf } from "./keys.ts";
import { Sasldb } from "./sasldb.ts";

/** Permission bits of a new file: Cyrus SASL's are 0660, cut by the umask. */
const MODE = 0o640;
/** How often a change is made anew because a program that takes no lock was faster. */
const TRIES = 5;

export interface UpdateOptions {
  /** Of a new file. Default: that of this host. A file that is there keeps its own. */
  readonly format?: FileFormat;
  /** Of a new file. Default: "content", derived from the names of its records. */
  readonly fileId?: FileId;
  /** Keep the file itself and write into it, instead of replacing it. */
  readonly inPlace?: boolean;
  /** How files are opened, read and written. They are the operating system's all the same: names, modes and owners go through `node:fs`. */
  readonly fileSystem?: FileSystem;
  /** Called with the path of the lock where another program keeps it for a while. */
  readonly onWait?: (lock: string) => void;
}

/**
 * Reads a database of any version into memory, without the engine near the
 * file, which some versions would suffer from. It is the caller's to close.
 * @throws {SasldbError}
 */
export function openSasldb(path: string, { fileSystem = nodeFileSystem }: { readonly fileSystem?: FileSystem } = {}): Sasldb {
  return named(path, path, () => {
    const file = fileSystem.open(path, { write: false }, 0);
    try {
      return new Sasldb(copyInMemory(new DatabaseFile(file)));
    } finally {
      file.close();
    }
  });
}

function copyInMemory(file: DatabaseFile): Database {
  if (file.layout.type !== "hash") throw new HashFileError(`a Berkeley DB ${file.layout.type} file, not a hash file`);
  const batch = new RecordBatch();
  file.visitRecords((keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
    batch.append(keyBytes.subarray(keyStart, keyEnd), dataBytes.subarray(dataStart, dataEnd));
  });
  const database = Database.open(new Uint8Array(), { type: "hash", create: true });
  // Of several records with a key a lookup finds the first.
  database.putMany(batch, "insert");
  batch.clear();
  return database;
}

/**
 * Changes a database, or makes it where there is none: all or nothing, with
 * no residue of what was there, one process at a time. What is new is
 * written beside the file and takes its place when `change` has returned.
 * @param change synchronous. It is called once more with a fresh state where a program that
 *   takes no lock, such as a server at an OTP login, changed the file meanwhile.
 * @returns what `change` returned.
 * @throws {SasldbError | LockedError} and what `change` throws; the file is then as it was.
 */
export async function updateSasldb<T>(path: string, change: (database: Sasldb) => T, options: UpdateOptions = {}): Promise<T> {
  const target = targetOf(path);
  const work = (): { readonly result: T } | "overtaken" => named(path, target, () => tryUpdate(target, change, options));
  for (let tries = 1; tries <= TRIES; tries++) {
    const outcome = await lock(path, target, work, options);
    if (outcome !== "overtaken") return outcome.result;
  }
  throw new SasldbError(path, "EBUSY", "another program keeps changing it");
}

async function lock<T>(path: string, target: string, work: () => T, { onWait }: UpdateOptions): Promise<T> {
  try {
    return await withFileLock(target, work, { onWait });
  } catch (error) {
    throw error instanceof CallersOwn ? error.error : renamed(path, target, error);
  }
}

/** What a database in memory is like. */
export type MakeOptions = Pick<UpdateOptions, "format" | "fileId">;

/**
 * Makes a database in memory.
 * @returns the bytes of its file; the caller owns them.
 * @throws what `fill` throws.
 */
export async function makeSasldb(fill: (database: Sasldb) => Promise<void>, options: MakeOptions = {}): Promise<Uint8Array> {
  const file = new MemoryFile();
  const database = create(file, options);
  try {
    await fill(new Sasldb(database));
    setFileId(database, options);
    database.close();
  } catch (error) {
    discard(database);
    throw error;
  }
  const { hashVersion } = formatOf(options);
  if (hashVersion !== 9) setHashVersionOf(file.path, hashVersion, file.fileSystem);
  return file.bytes();
}

/** Follows links, as the original does; one that leads nowhere is replaced. */
function targetOf(path: string): string {
  return named(path, path, () => {
    try {
      return resolveLinks(path);
    } catch (error) {
      if (errno(error) !== "ENOENT") throw error;
      return resolveFolder(path);
    }
  });
}

/** One try: "overtaken" where the file was changed by somebody else meanwhile, and is left as it is. */
function tryUpdate<T>(target: string, change: (database: Sasldb) => T, options: UpdateOptions): { readonly result: T } | "overtaken" {
  const { fileSystem = nodeFileSystem, inPlace = false } = options;
  const found = stateOf(target);
  // A device must not be replaced by a file.
  if (found !== undefined && !found.isFile) throw new HashFileError("not a regular file");
  if (found !== undefined) fs.accessSync(target, fs.constants.R_OK | fs.constants.W_OK);
  putBack(target, fileSystem, (path) => isSound(path, fileSystem));
  const before = stateOf(target);
  // An empty file is one that is to become a database.
  const layout = before === undefined || before.size === 0n ? undefined : readLayout(target, fileSystem);
  // A file with other names has to stay that file.
  const replacement = new Replacement(target, { fileSystem, mode: MODE, inPlace: inPlace || (before?.nlink ?? 1n) > 1n });
  let database: Database | undefined;
  try {
    database = layout === undefined ? create(replacement, options) : openCopy(replacement, layout);
    const sasldb = new Sasldb(database);
    const result = callersOwn(replacement.path, () => change(sasldb));
    // What it would do later would not be in the file.
    if (isThenable(result)) {
      // Nor is anybody told how it ends.
      result.then(undefined, () => {});
      throw new TypeError("change: has to be synchronous");
    }
    if (layout === undefined) setFileId(database, options);
    database.close();
    if (layout !== undefined && sasldb.changes === 0) {
      replacement.abandon();
      return { result };
    }
    const version = layout?.version ?? formatOf(options).hashVersion;
    if (version !== 9) setHashVersionOf(replacement.path, version, replacement.fileSystem);
    if (!isSameState(before, stateOf(target))) {
      replacement.abandon();
      return "overtaken";
    }
    replacement.commit();
    return { result };
  } catch (error) {
    discard(database);
    replacement.abandon();
    // A copy of what somebody was writing to is no whole file.
    if (error instanceof HashFileError && !isSameState(before, stateOf(target))) return "overtaken";
    throw replacementNamed(error, replacement.path, target);
  }
}

/** Closes a database whose file is about to go. */
function discard(database: Database | undefined): void {
  try {
    database?.close({ sync: false });
  } catch {
    // The reason why it goes is the one to tell.
  }
}

function isSound(path: string, fileSystem: FileSystem): boolean {
  try {
    return Database.verify(path, { fileSystem }).length === 0;
  } catch {
    return false;
  }
}

function formatOf({ format = targetFormat("native") }: UpdateOptions): FileFormat {
  return format;
}

function create({ path, fileSystem: files }: NewFile, options: UpdateOptions): Database {
  const { byteOrder, pageSize } = formatOf(options);
  const fileSystem = withoutSync(files);
  return Database.open(path, { type: "hash", create: true, truncate: true, byteOrder, pageSize, fileSystem });
}

/** A copy without what other programs left in unused space: residue of this user's last password among it. */
function openCopy(replacement: Replacement, layout: HashLayout): Database {
  replacement.copyOld((stretch) => {
    for (let at = 0; at + layout.pageSize <= stretch.length; at += layout.pageSize) {
      clearUnusedSpace(stretch.subarray(at, at + layout.pageSize), layout);
    }
  });
  checkBeforeChange(replacement.handle);
  return Database.open(replacement.path, { type: "hash", fileSystem: withoutSync(replacement.fileSystem) });
}

function setFileId(database: Database, options: UpdateOptions): void {
  database.setFileId(fileIdOf(options.fileId ?? "content", () => nameDigest(database, options)));
}

/** Of the names alone: the id outlives the passwords. */
function nameDigest(database: Database, options: UpdateOptions): Uint8Array {
  const { byteOrder, hashVersion, pageSize } = formatOf(options);
  const hash = nodeCrypto().createHash("sha256").update(`sasldb ${byteOrder} ${hashVersion} ${pageSize}\n`);
  for (const key of keysOf(database)) hash.update(key).update("\0\0");
  return hash.digest();
}

/** @throws {HashFileError | BerkeleyDBError} it is no hash file that libdb 5.3 may be given. */
function readLayout(path: string, fileSystem: FileSystem): HashLayout {
  const file = fileSystem.open(path, { write: false }, 0);
  try {
    const layout = readHashLayout(file);
    if (layout.version !== 8 && layout.version !== 9)
      throw new HashFileError(`a hash file of version ${layout.version}, which Berkeley DB 5.3 cannot change`);
    return layout;
  } finally {
    file.close();
  }
}

/** What the caller's own code has thrown, on its way to the caller. */
class CallersOwn {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** @param path of the database that it works with, whose failures are ours. */
function callersOwn<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof BerkeleyDBError && error.path === path) throw error;
    throw new CallersOwn(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Runs it; its failures name the file as the caller does, but for those of the caller's own code. */
function named<T>(path: string, target: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof CallersOwn ? error : renamed(path, target, error);
  }
}

function renamed(path: string, target: string, error: unknown): unknown {
  if (error instanceof HashFileError) return new SasldbError(path, "EINVAL", error.message, error);
  if (error instanceof BerkeleyDBError) {
    const message = error.message.startsWith(`${error.path}: `) ? error.message.slice(`${error.path}: `.length) : error.message;
    return new SasldbError(path, error.code, message.replaceAll(target, path), error);
  }
  const code = errno(error);
  if (code === undefined) return error;
  // Node's messages name code, call and files too: "ENOENT: no such file or directory, open 'x'".
  return new SasldbError(path, code, (error as Error).message.replace(/^[A-Z]+: |, \w+(?: '.*')?$/gs, ""), error);
}

/** libdb speaks of the file that it was given, and of one of its own beside it. */
function replacementNamed(error: unknown, path: string, target: string): unknown {
  if (!(error instanceof BerkeleyDBError)) return error;
  const { code, operation, cause } = error;
  const message = error.message.replaceAll(join(dirname(path), `__db.${basename(path)}`), target).replaceAll(path, target);
  return new BerkeleyDBError(message.replace(`${target}: `, ""), { code, operation, path: target, cause });
}

function errno(error: unknown): string | undefined {
  return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
