/**
 * The same files, for reading alone. libdb makes pages in its memory that a
 * damaged file lacks, also as it reads, and wants to write them in the end,
 * wherever they would be: that is dropped, and is no error.
 */
import type { FileHandle, FileStatus, FileSystem, OpenFlags } from "./file-system.ts";

export class ReadOnlyFileSystem implements FileSystem {
  readonly #files: FileSystem;

  constructor(files: FileSystem) {
    this.#files = files;
  }

  open(path: string, flags: OpenFlags, mode: number): FileHandle {
    if (flags.create || flags.truncate) throw readOnlyError();
    const file = this.#files.open(path, { ...flags, write: false }, mode);
    return {
      read: (bytes, offset) => file.read(bytes, offset),
      write: () => {},
      truncate: () => {},
      sync: () => {},
      size: () => file.size(),
      close: () => file.close(),
    };
  }

  stat(path: string): FileStatus {
    return this.#files.stat(path);
  }

  rename(): void {
    throw readOnlyError();
  }

  unlink(): void {
    throw readOnlyError();
  }
}

function readOnlyError(): Error {
  return Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
}
