/**
 * read(2), from where a file stands, for what may be a pipe or a terminal.
 */
import { readSync } from "node:fs";

/** How long to wait for what feeds a pipe that does not wait by itself, in milliseconds. */
const PAUSE = 2;

/**
 * Reads what is there, into `bytes` from this place on; once more where a signal came in between.
 * @returns how many bytes were read; 0 at the end.
 * @throws {Error} of the file system.
 */
export function readSome(descriptor: number, bytes: Uint8Array, from: number): number {
  for (;;) {
    try {
      return readSync(descriptor, bytes, from, bytes.length - from, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
      else if (code !== "EINTR") throw error;
    }
  }
}
