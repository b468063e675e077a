/**
 * A file that is open, and stays the one that it is: whoever may write to its
 * folder can put a link, or another file, in its place at any moment.
 */
import * as fs from "node:fs";
import type { FileHandle, FileSystem, OpenFlags } from "berkeley-db-js";
import { keptOpen } from "./handles.ts";

/** What says which file it is. */
export type FileIdentity = Pick<fs.Stats, "dev" | "ino">;

const REPLACED = "ERR_FILE_REPLACED";

/** Between a look at a file and the next another one took its place. */
export function replacedError(path: string): Error {
  const message = "another file has taken its place meanwhile";
  return Object.assign(new Error(message), { code: REPLACED, syscall: "open", path });
}

export function isReplacedError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === REPLACED;
}

export class HeldFile {
  readonly path: string;
  /** Whoever opens the path gets this file, whatever is there; other paths are the file system's. */
  readonly fileSystem: FileSystem;
  /** The file, which stays open when this is closed. */
  readonly handle: FileHandle;
  readonly #handle: FileHandle;
  #isOpen = true;

  /** @param handle is this object's to close. */
  constructor(path: string, handle: FileHandle, others: FileSystem) {
    this.path = path;
    this.#handle = handle;
    this.handle = keptOpen(handle);
    this.fileSystem = {
      open: (name, flags, mode) => {
        if (name !== path) return others.open(name, flags, mode);
        if (flags.truncate) handle.truncate(0);
        return this.handle;
      },
      stat: (name) => (name === path ? { size: handle.size(), isFile: true } : others.stat(name)),
      rename: (from, to) => others.rename(from, to),
      unlink: (name) => others.unlink(name),
    };
  }

  /** Undefined where the file system, which is not the operating system's, has no numbers for its files. */
  status(): fs.Stats | undefined {
    const { descriptor } = this.#handle;
    return descriptor === undefined ? undefined : fs.fstatSync(descriptor);
  }

  chmod(mode: number): void {
    const { descriptor } = this.#handle;
    if (descriptor === undefined) fs.chmodSync(this.path, mode);
    else fs.fchmodSync(descriptor, mode);
  }

  /** Whether the system lets it be done. */
  tryChown(uid: number, gid: number): boolean {
    const { descriptor } = this.#handle;
    try {
      if (descriptor === undefined) fs.lchownSync(this.path, uid, gid);
      else fs.fchownSync(descriptor, uid, gid);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
      return false;
    }
  }

  sync(): void {
    this.#handle.sync();
  }

  /** Whether its name stands for another one now. */
  isReplaced(): boolean {
    const own = this.status();
    const found = fs.lstatSync(this.path, { throwIfNoEntry: false });
    return own !== undefined && found !== undefined && !isSame(found, own);
  }

  /** A second time does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#handle.close();
    } catch {
      // It is closed all the same; and it was read, or is on the disc already, or is about to go.
    }
  }
}

/**
 * Makes an empty file.
 * @throws {Error} EEXIST where there is one, or a link; and what the file system throws.
 */
export function makeFile(path: string, mode: number, fileSystem: FileSystem): HeldFile {
  return new HeldFile(path, fileSystem.open(path, { write: true, create: true, exclusive: true }, mode), fileSystem);
}

/**
 * Opens a file that was looked at before.
 * @throws {Error} another one is there now; and what the file system throws.
 */
export function openKnown(
  path: string,
  known: FileIdentity | undefined,
  flags: Pick<OpenFlags, "write">,
  fileSystem: FileSystem,
): HeldFile {
  const file = new HeldFile(path, fileSystem.open(path, flags, 0), fileSystem);
  try {
    const status = file.status();
    if (status === undefined || (known !== undefined && isSame(status, known))) return file;
    throw replacedError(path);
  } catch (error) {
    file.close();
    throw error;
  }
}

function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
