/**
 * A file handle for the engine alone, which has the file to itself while it is
 * open for writing. libdb writes and reads page by page; this gathers pages
 * that follow each other into one write, and answers for the pages that were
 * never written, which libdb reads before it uses them, without asking the
 * system.
 */
import type { FileHandle } from "./file-system.ts";

const GATHER = 1 << 20;
/** The smallest page of libdb: it writes nothing smaller. */
const GRAIN = 512;

export class BufferedFile implements FileHandle {
  readonly #file: FileHandle;
  #gathered: Uint8Array | undefined;
  #gatheredOffset = 0;
  #gatheredLength = 0;
  /** How much of #gathered has ever held something. */
  #gatheredMost = 0;
  /** The size, with what is gathered. */
  #size: number;
  /** From here on only grains marked in #written are other than zeros. */
  readonly #knownFrom: number;
  #written = new Uint8Array(4096);

  constructor(file: FileHandle) {
    this.#file = file;
    this.#size = file.size();
    this.#knownFrom = this.#size;
  }

  read(bytes: Uint8Array, offset: number): number {
    if (offset >= this.#size) return 0;
    const length = Math.min(bytes.length, this.#size - offset);
    if (this.#isHole(offset, length)) {
      bytes.fill(0, 0, length);
      return length;
    }
    this.#flush();
    return this.#file.read(bytes, offset);
  }

  write(bytes: Uint8Array, offset: number): void {
    if (bytes.length === 0) return;
    if (this.#gatheredOffset + this.#gatheredLength !== offset || this.#gatheredLength + bytes.length > GATHER) this.#flush();
    if (bytes.length > GATHER) {
      this.#file.write(bytes, offset);
    } else {
      this.#gathered ??= new Uint8Array(GATHER);
      if (this.#gatheredLength === 0) this.#gatheredOffset = offset;
      this.#gathered.set(bytes, this.#gatheredLength);
      this.#gatheredLength += bytes.length;
      this.#gatheredMost = Math.max(this.#gatheredMost, this.#gatheredLength);
    }
    this.#markWritten(offset, bytes.length);
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  truncate(size: number): void {
    this.#flush();
    this.#file.truncate(size);
    this.#size = size;
  }

  sync(): void {
    this.#flush();
    this.#file.sync();
  }

  size(): number {
    return this.#size;
  }

  close(): void {
    try {
      this.#flush();
    } finally {
      this.#gathered?.fill(0, 0, this.#gatheredMost);
      this.#file.close();
    }
  }

  #markWritten(offset: number, length: number): void {
    const end = Math.ceil((offset + length) / GRAIN);
    if (end > this.#written.length) {
      const grown = new Uint8Array(Math.max(end, this.#written.length * 2));
      grown.set(this.#written);
      this.#written = grown;
    }
    this.#written.fill(1, Math.floor(offset / GRAIN), end);
  }

  #isHole(offset: number, length: number): boolean {
    if (offset < this.#knownFrom) return false;
    const end = Math.ceil((offset + length) / GRAIN);
    for (let grain = Math.floor(offset / GRAIN); grain < end; grain++) {
      if (this.#written[grain] === 1) return false;
    }
    return true;
  }

  /** What could not be written stays gathered: libdb, which holds it for written, can then try again. */
  #flush(): void {
    const length = this.#gatheredLength;
    if (length === 0 || this.#gathered === undefined) return;
    this.#file.write(this.#gathered.subarray(0, length), this.#gatheredOffset);
    this.#gatheredLength = 0;
  }
}
