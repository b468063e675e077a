/**
 * Standard input as chunks, and what can be known of its size beforehand.
 */
import { fstatSync, type Stats } from "node:fs";
import { isatty } from "node:tty";
import { readSome, readSomeAsync } from "../files/read-some.ts";
import { turn } from "../files/turn.ts";

const CHUNK = 1 << 18;
/** What is known of a terminal: nobody types more. */
const TYPED = 1 << 16;

export interface Input {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes, where standard input is a file, a terminal, or ends within its first chunks. */
  readonly size: number | undefined;
}

/** Standard input could not be read. */
export class InputError extends Error {}

/**
 * Opens standard input. Of a pipe the first chunk is read, and whether it is
 * the last, unless every line is to be dealt with as it comes.
 * @throws {InputError} here, and while the chunks are read.
 */
export async function openInput(lineByLine: boolean): Promise<Input> {
  const status = statInput();
  const chunks = readInput(status.isFIFO() || status.isSocket() || isatty(0));
  if (status.isFile()) return { chunks, size: status.size };
  if (isatty(0)) return { chunks, size: TYPED };
  if (lineByLine) return { chunks, size: undefined };
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  const second = first.done === true ? first : await iterator.next();
  const size = second.done === true ? (first.done === true ? 0 : first.value.length) : undefined;
  return { chunks: replay(first, second, iterator), size };
}

function statInput(): Stats {
  try {
    return fstatSync(0);
  } catch (error) {
    throw new InputError("standard input", { cause: error });
  }
}

/**
 * Past process.stdin, whose buffers keep pieces of what came through a pipe,
 * and which reads files in small pieces or takes them for empty.
 * @param mayWait whether it may be long until there is something to read; meanwhile, and between chunks, signals have their turn.
 */
async function* readInput(mayWait: boolean): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const length = mayWait ? await readSomeAsync(0, chunk, 0) : readSome(0, chunk, 0);
      if (length === 0) return;
      yield chunk.subarray(0, length);
      await turn();
    }
  } catch (error) {
    throw new InputError("standard input", { cause: error });
  }
}

async function* replay(
  first: IteratorResult<Uint8Array>,
  second: IteratorResult<Uint8Array>,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (first.done === true) return;
  yield first.value;
  for (let next = second; next.done !== true; next = await iterator.next()) yield next.value;
}
