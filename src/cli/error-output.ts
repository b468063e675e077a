/**
 * Messages to standard error. That they cannot be written is no reason to stop,
 * unless their reader went away.
 */
import { once } from "node:events";
import { strerror } from "../files/strerror.ts";
import { OutputError } from "./output.ts";
import { shownLine } from "./printable.ts";
import { EX_SIGPIPE } from "./sysexits.ts";

let stream: NodeJS.WriteStream | undefined;
let failure: unknown;

/** Standard error, whose failures are kept here. */
export function errorStream(): NodeJS.WriteStream {
  if (stream === undefined) {
    stream = process.stderr;
    stream.on("error", (error) => {
      failure ??= error;
    });
  }
  return stream;
}

/** Writes a message of one line, without waiting. What is of others in it does nothing to a terminal; anybody else gets it as it is. */
export function say(message: string | Uint8Array): void {
  write(errorStream().isTTY === true ? shownLine(message) : message);
}

/** Writes a text of several lines, in which the newlines are ours. */
export function sayText(text: string): void {
  write(errorStream().isTTY === true ? text.split("\n").map(shownLine).join("\n") : text);
}

function write(message: string | Uint8Array): void {
  if (failure !== undefined) return;
  try {
    errorStream().write(message);
  } catch (error) {
    // A file is written to at once.
    failure = error;
  }
}

/**
 * Resolves when there is room for more, so that messages do not pile up before
 * a slow reader.
 * @throws {OutputError} the reader went away.
 */
export async function messagesRead(): Promise<void> {
  if (failure === undefined && stream?.writableNeedDrain) await once(stream, "drain").catch(() => {});
  if ((failure as NodeJS.ErrnoException | undefined)?.code === "EPIPE") throw new OutputError("standard error", { cause: failure });
}

/**
 * Says that standard output could not be written. A reader that goes away, as
 * `head` does, is no news.
 * @returns the exit code: for news `otherwise`.
 */
export function sayOutputFailure(program: string, { cause }: OutputError, otherwise: number): number {
  if ((cause as NodeJS.ErrnoException).code === "EPIPE") return EX_SIGPIPE;
  say(`${program}: standard output: ${strerror(cause)}\n`);
  return otherwise;
}
