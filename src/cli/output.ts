/**
 * Text and bytes to standard output and standard error.
 */
import { once } from "node:events";

/** Bytes are gathered up to this many before they are written. */
const GATHER = 1 << 16;

/** Standard output for much output: gathered, and no faster than the reader reads. */
export class Output {
  readonly #stream: NodeJS.WriteStream;
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
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

  /** Writes what is gathered; resolves when there is room for more. */
  async flush(): Promise<void> {
    if (this.#length === 0) return;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#length = 0;
    if (!this.#stream.write(bytes)) await once(this.#stream, "drain");
  }
}

/** A reader that goes away, as `head` does, ends the program quietly. */
export function endOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.kill(process.pid, "SIGPIPE");
  });
}
