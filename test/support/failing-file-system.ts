/**
 * A file system in which the nth operation fails.
 */
import type { FileHandle, FileStatus, FileSystem, OpenFlags } from "berkeley-db-js";

export class FailingFileSystem implements FileSystem {
  /** Operations so far, those on open files included. */
  operations: number = 0;
  /** The errors that were thrown. */
  readonly thrown: Error[] = [];
  /** What is failed: from the first of these operations to before the second. */
  failFrom: number = Number.POSITIVE_INFINITY;
  failUntil: number = Number.POSITIVE_INFINITY;
  readonly #files: FileSystem;
  readonly #code: string;

  constructor(files: FileSystem, code: string) {
    this.#files = files;
    this.#code = code;
  }

  open(path: string, flags: OpenFlags, mode: number): FileHandle {
    this.#count("open");
    const file = this.#files.open(path, flags, mode);
    const counted =
      <A extends unknown[], R>(name: string, action: (...args: A) => R) =>
      (...args: A): R => {
        this.#count(name);
        return action(...args);
      };
    return {
      read: counted("read", (bytes: Uint8Array, offset: number) => file.read(bytes, offset)),
      write: counted("write", (bytes: Uint8Array, offset: number) => file.write(bytes, offset)),
      truncate: counted("truncate", (size: number) => file.truncate(size)),
      sync: counted("sync", () => file.sync()),
      size: counted("size", () => file.size()),
      // As with the operating system's, a file is closed whatever close() reports.
      close: () => {
        file.close();
        this.#count("close");
      },
    };
  }

  stat(path: string): FileStatus {
    this.#count("stat");
    return this.#files.stat(path);
  }

  rename(from: string, to: string): void {
    this.#count("rename");
    this.#files.rename(from, to);
  }

  unlink(path: string): void {
    this.#count("unlink");
    this.#files.unlink(path);
  }

  #count(operation: string): void {
    const number = this.operations++;
    if (number < this.failFrom || number >= this.failUntil) return;
    const error = Object.assign(new Error(`${this.#code}: injected into ${operation}, operation ${number}`), { code: this.#code });
    this.thrown.push(error);
    throw error;
  }
}
