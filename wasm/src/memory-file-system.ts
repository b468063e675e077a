/**
 * Files in memory: for tests, for browsers, and for databases that come and go
 * as bytes.
 */
import type { FileHandle, FileStatus, FileSystem, OpenFlags } from "./file-system.ts";

const SYSTEM_ERRORS = {
  ENOENT: "no such file or directory",
  EEXIST: "file already exists",
  EBADF: "bad file descriptor",
} as const;

/** An error shaped like those of `node:fs`. */
function systemError(code: keyof typeof SYSTEM_ERRORS, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${SYSTEM_ERRORS[code]}, ${operation} '${path}'`), { code, syscall: operation, path });
}

class MemoryFile {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  size = 0;
  mode: number;

  constructor(mode: number) {
    this.mode = mode;
  }

  resize(size: number): void {
    if (size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.bytes.length * 2, 4096));
      grown.set(this.bytes.subarray(0, this.size));
      this.bytes.fill(0);
      this.bytes = grown;
    } else if (size < this.size) {
      this.bytes.fill(0, size, this.size);
    }
    this.size = size;
  }
}

/** A flat set of named files. Its paths are names: a slash means nothing. */
export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, MemoryFile>();

  /**
   * @returns a copy of the bytes of a file; the caller owns it.
   * @throws {Error} ENOENT.
   */
  readFile(path: string): Uint8Array<ArrayBuffer> {
    const file = this.#file(path, "open");
    return file.bytes.slice(0, file.size);
  }

  /** Makes or replaces a file with a copy of the bytes. */
  writeFile(path: string, bytes: Uint8Array, mode = 0o600): void {
    const file = new MemoryFile(mode);
    file.resize(bytes.length);
    file.bytes.set(bytes);
    this.#files.set(path, file);
  }

  /** The names of the files, in the order in which they were made. */
  list(): string[] {
    return [...this.#files.keys()];
  }

  /** The mode that a file was made with. */
  mode(path: string): number {
    return this.#file(path, "stat").mode;
  }

  open(path: string, flags: OpenFlags, mode: number): FileHandle {
    let file = this.#files.get(path);
    if (file === undefined) {
      if (!flags.create) throw systemError("ENOENT", "open", path);
      file = new MemoryFile(mode);
      this.#files.set(path, file);
    } else if (flags.create && flags.exclusive) {
      throw systemError("EEXIST", "open", path);
    }
    if (flags.truncate) file.resize(0);
    return new MemoryFileHandle(file, path, flags.write);
  }

  stat(path: string): FileStatus {
    return { size: this.#file(path, "stat").size, isFile: true };
  }

  rename(from: string, to: string): void {
    const file = this.#file(from, "rename");
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  unlink(path: string): void {
    this.#file(path, "unlink");
    this.#files.delete(path);
  }

  #file(path: string, operation: string): MemoryFile {
    const file = this.#files.get(path);
    if (file === undefined) throw systemError("ENOENT", operation, path);
    return file;
  }
}

class MemoryFileHandle implements FileHandle {
  readonly #path: string;
  readonly #writable: boolean;
  #file: MemoryFile | undefined;

  constructor(file: MemoryFile, path: string, writable: boolean) {
    this.#file = file;
    this.#path = path;
    this.#writable = writable;
  }

  read(bytes: Uint8Array, offset: number): number {
    const file = this.#open("read");
    const part = file.bytes.subarray(Math.min(offset, file.size), Math.min(offset + bytes.length, file.size));
    bytes.set(part);
    return part.length;
  }

  write(bytes: Uint8Array, offset: number): void {
    const file = this.#open("write", true);
    if (bytes.length === 0) return;
    if (offset + bytes.length > file.size) file.resize(offset + bytes.length);
    file.bytes.set(bytes, offset);
  }

  truncate(size: number): void {
    this.#open("ftruncate", true).resize(size);
  }

  sync(): void {
    this.#open("fsync");
  }

  size(): number {
    return this.#open("fstat").size;
  }

  close(): void {
    this.#open("close");
    this.#file = undefined;
  }

  #open(operation: string, writing = false): MemoryFile {
    if (this.#file === undefined || (writing && !this.#writable)) throw systemError("EBADF", operation, this.#path);
    return this.#file;
  }
}
