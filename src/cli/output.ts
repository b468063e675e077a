/**
 * Bytes to standard output.
 */
import { once } from "node:events";

/** Bytes are gathered up to this many before they are written. */
const GATHER = 1 << 16;

/** Standard output could not be written: its reader went away (EPIPE), or there was no room. */
export class OutputError extends Error {}

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
