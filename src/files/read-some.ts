/**
 * read(2), from where a file stands, for what may be a pipe or a terminal.
 */
import { read, readSync } from "node:fs";

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
      const reason = reasonOf(error);
      if (reason === "end") return 0;
      if (reason === "nothing yet") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

/** The same, while which signals have their turn. */
export async function readSomeAsync(descriptor: number, bytes: Uint8Array, from: number): Promise<number> {
  for (;;) {
    try {
      return await new Promise<number>((resolve, reject) => {
        read(descriptor, bytes, from, bytes.length - from, null, (error, count) => (error === null ? resolve(count) : reject(error)));
      });
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === "end") return 0;
      if (reason === "nothing yet") await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

/**
 * Why a read has read nothing, where that is no failure.
 * @throws {unknown} the error, where it is.
 */
function reasonOf(error: unknown): "end" | "nothing yet" | "signal" {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EOF":
      return "end";
    case "EAGAIN":
      return "nothing yet";
    case "EINTR":
      return "signal";
    default:
      throw error;
  }
}
