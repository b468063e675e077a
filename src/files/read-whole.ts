/**
 * What can be read once and in order alone, a pipe or a terminal, as a file that
 * can be read anywhere: it is read into memory.
 */
import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { readSome } from "./read-some.ts";

/** What is read of it, in bytes. */
const MOST = 1 << 30;
/** Of a text that somebody has written, or has had written: a manifest, a key, a configuration. */
export const MOST_TEXT: number = 1 << 26;
const FIRST = 1 << 16;
const STANDARD_INPUT = 0;

/** Bytes as a file that is open for reading. */
class FileInMemory implements FileHandle {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(bytes: Uint8Array, offset: number): number {
    const found = this.#bytes.subarray(offset, offset + bytes.length);
    bytes.set(found);
    return found.length;
  }

  write(): never {
    throw failure("EBADF", "write");
  }

  truncate(): never {
    throw failure("EBADF", "ftruncate");
  }

  sync(): void {}

  size(): number {
    return this.#bytes.length;
  }

  close(): void {}
}

function failure(code: "EBADF" | "EFBIG", syscall: string): Error {
  const text = code === "EBADF" ? "bad file descriptor" : "file too large";
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { code, syscall });
}

/** It can be read once: whoever asks again gets the same. */
let standardInput: Uint8Array | undefined;

/**
 * Standard input, from where it stands to its end.
 * @throws {Error} of the file system; EFBIG for more than 1 GiB.
 */
export function openStandardInput(): FileHandle {
  standardInput ??= readAll(STANDARD_INPUT);
  return new FileInMemory(standardInput);
}

/**
 * The operating system's files, for those who read: a pipe or a terminal is read
 * to its end when it is opened. EFBIG is thrown for more than 1 GiB.
 */
export const readingFileSystem: FileSystem = {
  ...nodeFileSystem,
  open(path, flags, mode) {
    const status = statSync(path, { throwIfNoEntry: false });
    const isFile = status === undefined || !(status.isFIFO() || status.isSocket() || status.isCharacterDevice());
    if (isFile || flags.write) return nodeFileSystem.open(path, flags, mode);
    // A socket, which it may be, cannot be opened by a name.
    if (path === "/dev/stdin") return openStandardInput();
    const descriptor = openSync(path, constants.O_RDONLY);
    try {
      return new FileInMemory(readAll(descriptor));
    } finally {
      closeSync(descriptor);
    }
  },
};

/**
 * A file, whatever it is, to its end; a device may have none.
 * @param file its path, or its number where it is open.
 * @throws {Error} of the file system; EFBIG for more bytes than `most`, which are not read.
 */
export function readWhole(file: string | number, most: number = MOST): Buffer {
  const descriptor = typeof file === "number" ? file : openSync(file, "r");
  try {
    const { buffer, byteOffset, length } = readAll(descriptor, most);
    return Buffer.from(buffer, byteOffset, length);
  } finally {
    if (descriptor !== file) closeSync(descriptor);
  }
}

function readAll(descriptor: number, most: number = MOST): Uint8Array {
  const { size } = fstatSync(descriptor);
  // One byte more, to see that it is the end.
  let bytes = new Uint8Array(Math.max(FIRST, Math.min(size, most) + 1));
  let length = 0;
  for (;;) {
    const count = readSome(descriptor, bytes, length);
    if (count === 0) return bytes.subarray(0, length);
    length += count;
    if (length > most) throw failure("EFBIG", "read");
    if (length < bytes.length) continue;
    const longer = new Uint8Array(Math.min(2 * length, most + 1));
    longer.set(bytes);
    // It may be of a password.
    bytes.fill(0);
    bytes = longer;
  }
}
