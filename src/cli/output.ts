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
  readonly #stream: NodeJS.WriteStream;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #failure: OutputError | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.on("error", (error) => {
      this.#failure ??= new OutputError("standard output", { cause: error });
    });
  }

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
  push(): boolean {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#length = 0;
    return bytes.length === 0 || this.#failure !== undefined || this.#stream.write(bytes);
  }

  /**
   * Writes what is gathered; resolves when there is room for more.
   * @throws {OutputError}
   */
  async flush(): Promise<void> {
    if (!this.push()) await once(this.#stream, "drain").catch(() => {});
    if (this.#failure !== undefined) throw this.#failure;
  }
}
