/**
 * The port through which the engine, and what is built on it, reaches files.
 *
 * Every function throws an `Error` whose `code` is the POSIX name of the
 * failure ("ENOENT"), as those of `node:fs` do, and is synchronous. A signal
 * that comes in between is none.
 */

/** How a file is opened. */
export interface OpenFlags {
  /** For writing as well as reading. */
  readonly write: boolean;
  /** Make the file, with the mode given, where there is none. */
  readonly create?: boolean;
  /** With `create`: fail with EEXIST where there is one. */
  readonly exclusive?: boolean;
  /** Cut an existing file to nothing. */
  readonly truncate?: boolean;
}

/** What a name stands for. */
export interface FileStatus {
  /** Bytes. */
  readonly size: number;
  readonly isFile: boolean;
}

/** An open file. It keeps no position: every access names its offset in bytes. */
export interface FileHandle {
  /** The operating system's number for it, while it is open and where it has one: what a name stands for can change, and this does not. */
  readonly descriptor?: number | undefined;
  /**
   * Reads into the whole of `bytes`, fewer only at the end of the file.
   * @returns how many bytes were read.
   */
  read(bytes: Uint8Array, offset: number): number;
  /** Writes all of `bytes`; a gap before them reads as zeros. The bytes are the caller's again on return. */
  write(bytes: Uint8Array, offset: number): void;
  /** Sets the size in bytes. */
  truncate(size: number): void;
  /** Returns when what was written is on the disc. */
  sync(): void;
  /** The size in bytes. */
  size(): number;
  close(): void;
}

/** A place where files are. Paths are as the caller wrote them. */
export interface FileSystem {
  /** @param mode permission bits of a file that is made, cut by the umask where there is one. */
  open(path: string, flags: OpenFlags, mode: number): FileHandle;
  /** Does not follow a link. */
  stat(path: string): FileStatus;
  /** Replaces what has the name `to`, in one step. */
  rename(from: string, to: string): void;
  unlink(path: string): void;
}
