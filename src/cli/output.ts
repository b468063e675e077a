/**
 * Bytes to standard output.
 */
import { once } from "node:events";
import { fstatSync, writeSync } from "node:fs";

/** Bytes are gathered up to this many before they are written. */
const GATHER = 1 << 16;
const STANDARD_OUTPUT = 1;
/** How long to wait for the reader of a pipe that does not wait by itself, in milliseconds. */
const PAUSE = 2;

/** Standard output could not be written: its reader went away (EPIPE), or there was no room. */
export class OutputError extends Error {}

/** Whether somebody sees it. Only of a device is the stream asked, which Node has to make first. */
export function isShown(): boolean {
  return fstatSync(STANDARD_OUTPUT).isCharacterDevice() && process.stdout.isTTY;
}

/** Standard output for much output: gathered, and no faster than the reader reads. */
export class Output {
  #stream: NodeJS.WriteStream | undefined;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #failure: OutputError | undefined;

  /** Takes bytes, which must not change afterwards. */
  write(bytes: Uint8Array | string): void {
    const chunk = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  get isFull(): boolean {
    return this.#length >= GATHER;
  }

  /** Hands on what is gathered, without waiting. */
  push(): void {
    this.#write();
  }

  /**
   * Writes what is gathered; resolves when there is room for more.
   * @throws {OutputError}
   */
  async flush(): Promise<void> {
    const full = this.#write();
    if (full !== undefined) await once(full, "drain").catch(() => {});
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Writes what is gathered and returns when its reader has taken it: for what
   * cannot wait for a turn of the event loop, and is too much to be kept.
   * @throws {OutputError}
   */
  flushNow(): void {
    if (this.#failure !== undefined) throw this.#failure;
    // What was written before goes first.
    if (this.#stream !== undefined && this.#stream.writableLength > 0) {
      this.#write();
      return;
    }
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#length = 0;
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.length; ) from += this.#writeSome(chunk, from);
    }
  }

  /** @returns how many bytes were written. */
  #writeSome(bytes: Uint8Array, from: number): number {
    try {
      return writeSync(STANDARD_OUTPUT, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
        return 0;
      }
      this.#failure = new OutputError("standard output", { cause: error });
      throw this.#failure;
    }
  }

  /** Returns the stream if it is full. */
  #write(): NodeJS.WriteStream | undefined {
    if (this.#length === 0 || this.#failure !== undefined) return undefined;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#length = 0;
    const stream = this.#open();
    return stream.write(bytes) ? undefined : stream;
  }

  /** Node makes the stream when it is asked for, which takes a while. */
  #open(): NodeJS.WriteStream {
    if (this.#stream === undefined) {
      this.#stream = process.stdout;
      this.#stream.on("error", (error) => {
        this.#failure ??= new OutputError("standard output", { cause: error });
      });
    }
    return this.#stream;
  }
}
