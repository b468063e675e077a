/**
 * The functions that the engine imports (wasm/libdb/shim/host.h), over a
 * `FileSystem`. Nothing that is thrown passes through libdb: it becomes an
 * errno, and the error is kept to be the cause of what libdb then returns.
 */
import { BufferedFile } from "./buffered-file.ts";
import { errnoOf } from "./error.ts";
import type { FileHandle, FileSystem } from "./file-system.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { ReadOnlyFileSystem } from "./read-only-file-system.ts";

const HOST_WRITE = 0x1;
const HOST_CREATE = 0x2;
const HOST_EXCLUSIVE = 0x4;
const HOST_TRUNCATE = 0x8;

/** The folder of libdb's temporary files, which stay in memory. */
const HOST_SCRATCH = "\u0001scratch/";

const ENOENT = 44;
const ENOSYS = 52;

export class Host {
  readonly imports: Record<string, Record<string, (...args: number[]) => number>>;
  /** The last system error that was turned into an errno. */
  lastError: unknown;
  /** What closing a file failed with: libdb, which goes round for ever when it is told, is not. */
  closeError: unknown;
  /** The module's memory; set when the module is there. */
  memory: { readonly buffer: ArrayBufferLike } | undefined;

  readonly #fileSystem: FileSystem;
  readonly #isReadOnly: boolean;
  readonly #scratch = new MemoryFileSystem();
  readonly #files: (FileHandle | undefined)[] = [];

  /** @param isReadOnly what libdb writes is dropped. */
  constructor(fileSystem: FileSystem, isReadOnly = false) {
    this.#fileSystem = isReadOnly ? new ReadOnlyFileSystem(fileSystem) : fileSystem;
    this.#isReadOnly = isReadOnly;
    const fail = (): number => ENOSYS;
    this.imports = {
      host: {
        open: (path: number, length: number, flags: number, mode: number) => this.#guard(() => this.#open(path, length, flags, mode)),
        close: (file: number) => this.#guard(() => this.#close(file)),
        read: (file: number, at: number, length: number, offset: number) =>
          this.#guard(() => this.#file(file).read(this.#bytes(at, length), offset)),
        write: (file: number, at: number, length: number, offset: number) =>
          this.#guard(() => {
            this.#file(file).write(this.#bytes(at, length), offset);
            return length;
          }),
        truncate: (file: number, size: number) => this.#guard(() => void this.#file(file).truncate(size)),
        sync: (file: number) => this.#guard(() => void this.#file(file).sync()),
        size: (file: number) => this.#guard(() => this.#file(file).size()),
        stat: (path: number, length: number) =>
          this.#guard(() => this.#on(this.#text(path, length), (files, name) => files.stat(name).size)),
        unlink: (path: number, length: number) =>
          this.#guard(() => this.#on(this.#text(path, length), (files, name) => void files.unlink(name))),
        rename: (from: number, fromLength: number, to: number, toLength: number) =>
          this.#guard(() => void this.#fileSystem.rename(this.#text(from, fromLength), this.#text(to, toLength))),
      },
      // The C library's stdio, which libdb would print with if it had no call-back. It has one.
      wasi_snapshot_preview1: { fd_write: fail, fd_seek: fail, fd_fdstat_get: fail },
    };
  }

  /** Closes what a module that trapped left open. */
  abandon(): void {
    for (const file of this.#files.splice(0)) {
      try {
        file?.close();
      } catch {
        // The module is dead; the first error is the one that counts.
      }
    }
  }

  #open(path: number, length: number, flags: number, mode: number): number {
    const write = (flags & HOST_WRITE) !== 0;
    const openFlags = {
      write,
      create: (flags & HOST_CREATE) !== 0,
      exclusive: (flags & HOST_EXCLUSIVE) !== 0,
      truncate: (flags & HOST_TRUNCATE) !== 0,
    };
    const handle = this.#on(this.#text(path, length), (files, name) => files.open(name, openFlags, mode));
    let free = this.#files.indexOf(undefined);
    if (free < 0) free = this.#files.length;
    // What is not written is not gathered, nor kept account of.
    this.#files[free] = write && !this.#isReadOnly ? buffered(handle) : handle;
    return free;
  }

  #close(file: number): void {
    const handle = this.#file(file);
    this.#files[file] = undefined;
    try {
      handle.close();
    } catch (error) {
      this.closeError ??= error;
    }
  }

  #on<T>(name: string, action: (files: FileSystem, name: string) => T): T {
    return action(name.startsWith(HOST_SCRATCH) ? this.#scratch : this.#fileSystem, name);
  }

  #file(file: number): FileHandle {
    const handle = this.#files[file];
    if (handle === undefined) throw Object.assign(new Error(`EBADF: file ${file}`), { code: "EBADF" });
    return handle;
  }

  #bytes(at: number, length: number): Uint8Array {
    if (this.memory === undefined) throw new Error("called before there was a module");
    // An address beyond 2 GiB comes out of the module as a negative number.
    return new Uint8Array(this.memory.buffer, at >>> 0, length);
  }

  #text(at: number, length: number): string {
    return new TextDecoder().decode(this.#bytes(at, length));
  }

  #guard(action: () => unknown): number {
    try {
      const result = action();
      return typeof result === "number" ? result : 0;
    } catch (error) {
      const errno = errnoOf(error);
      // libdb looks for files that need not be there: that is the cause of nothing else.
      if (errno !== ENOENT || this.lastError === undefined) this.lastError = error;
      return -errno;
    }
  }
}

/** It looks at the file's size; a file that cannot be looked at is nobody's to close later. */
function buffered(handle: FileHandle): FileHandle {
  try {
    return new BufferedFile(handle);
  } catch (error) {
    handle.close();
    throw error;
  }
}
