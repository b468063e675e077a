/**
 * Changes to inputs: of bytes, of lines, by the words of a dictionary, and by
 * parts of other inputs.
 */
import type { Random } from "../support/random.ts";

/** Another input, or the same where a change does not fit. */
type Change = (input: Buffer, mutator: Mutator) => Buffer;

/** Lengths about which buffers end: fgets() of makemap, tokens of sendmail, keys. */
const LENGTHS = [1, 2, 3, 8, 16, 64, 251, 256, 257, 1000, 1021, 1022, 1023, 1024, 2046, 4096];
const BYTES = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x23, 0x25, 0x27, 0x3a, 0x3d, 0x5c, 0x7f, 0x80, 0xa0, 0xc3, 0xff];
const NUMBERS = [
  "0",
  "1",
  "-1",
  "255",
  "256",
  "512",
  "65535",
  "65536",
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "1e9",
  "00",
];
const NEWLINE = 0x0a;
const MOST_CHANGES = 6;

export class Mutator {
  readonly random: Random;
  readonly #dictionary: readonly Buffer[];
  readonly #longest: number;
  #others: readonly Uint8Array[] = [];

  constructor(random: Random, { dictionary, longest }: { readonly dictionary: readonly string[]; readonly longest: number }) {
    this.random = random;
    this.#dictionary = dictionary.map((text) => Buffer.from(text, "latin1"));
    this.#longest = longest;
  }

  /**
   * A changed copy.
   * @param others inputs that parts may be taken from.
   * @param own a change of the target's own, which may do nothing.
   */
  mutate(input: Uint8Array, others: readonly Uint8Array[], own?: (input: Uint8Array, random: Random) => Uint8Array | undefined): Buffer {
    this.#others = others;
    let result: Buffer = Buffer.from(input);
    for (let count = 1 + this.random(this.random(3) === 0 ? MOST_CHANGES : 2); count > 0; count--) {
      const changed = own !== undefined && this.random(5) > 0 ? own(result, this.random) : undefined;
      result = changed === undefined ? this.any(CHANGES)(result, this) : Buffer.from(changed);
    }
    return result.subarray(0, this.#longest);
  }

  any<T>(list: readonly T[]): T {
    return list[this.random(list.length)] as T;
  }

  /** A stretch of an input, short more often than long. */
  stretch(input: Uint8Array): [start: number, end: number] {
    const start = this.random(input.length + 1);
    const most = this.random(3) === 0 ? input.length : 8;
    return [start, Math.min(input.length, start + this.random(most + 1))];
  }

  word(): Buffer {
    return this.#dictionary.length === 0 ? Buffer.from([this.any(BYTES)]) : this.any(this.#dictionary);
  }

  other(): Uint8Array {
    return this.#others.length === 0 ? this.word() : this.any(this.#others);
  }
}

function replace(input: Buffer, start: number, end: number, by: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, start), by, input.subarray(end)]);
}

/** Where lines begin, and the end. */
function linesOf(input: Buffer): number[] {
  const starts = [0];
  for (let at = input.indexOf(NEWLINE); at >= 0; at = input.indexOf(NEWLINE, at + 1)) starts.push(at + 1);
  return starts;
}

function line(input: Buffer, { random }: Mutator): [start: number, end: number] {
  const starts = linesOf(input);
  const index = random(starts.length);
  return [starts[index] as number, starts[index + 1] ?? input.length];
}

const setByte: Change = (input, mutator) => {
  const at = mutator.random(input.length);
  if (input.length > 0) input[at] = mutator.random(2) === 0 ? mutator.any(BYTES) : mutator.random(256);
  return input;
};

const flipBit: Change = (input, { random }) => {
  const at = random(input.length);
  if (input.length > 0) input[at] = (input[at] as number) ^ (1 << random(8));
  return input;
};

const insertWord: Change = (input, mutator) => {
  const at = mutator.random(input.length + 1);
  return replace(input, at, at, mutator.word());
};

const insertBytes: Change = (input, { random }) => {
  const at = random(input.length + 1);
  return replace(input, at, at, Buffer.from(Array.from({ length: 1 + random(random(4) === 0 ? 8 : 1) }, () => random(256))));
};

const overwriteByWord: Change = (input, mutator) => {
  const [start, end] = mutator.stretch(input);
  return replace(input, start, end, mutator.word());
};

const remove: Change = (input, mutator) => {
  const [start, end] = mutator.stretch(input);
  return replace(input, start, end, Buffer.alloc(0));
};

const repeat: Change = (input, mutator) => {
  const [start, end] = mutator.stretch(input);
  const times = mutator.random(4) === 0 ? 1 + mutator.random(40) : 1;
  return replace(input, end, end, Buffer.concat(new Array<Buffer>(times).fill(input.subarray(start, end))));
};

/** A byte so often that a buffer is just full, or just not. */
const insertRun: Change = (input, mutator) => {
  const at = mutator.random(input.length + 1);
  const length = Math.max(0, mutator.any(LENGTHS) + mutator.random(3) - 1);
  return replace(input, at, at, Buffer.alloc(length, mutator.random(2) === 0 ? 0x78 : mutator.any(BYTES)));
};

const removeLine: Change = (input, mutator) => {
  const [start, end] = line(input, mutator);
  return replace(input, start, end, Buffer.alloc(0));
};

const moveLine: Change = (input, mutator) => {
  const [start, end] = line(input, mutator);
  const copy = Buffer.from(input.subarray(start, end));
  const rest = mutator.random(2) === 0 ? input : replace(input, start, end, Buffer.alloc(0));
  const at = mutator.any(linesOf(rest));
  return replace(rest, at, at, copy);
};

const otherNumber: Change = (input, mutator) => {
  const numbers = [...input.toString("latin1").matchAll(/\d+/g)];
  const number = mutator.any(numbers);
  if (number === undefined) return input;
  const near = String(Number(number[0]) + mutator.random(3) - 1);
  const by = mutator.random(2) === 0 ? mutator.any(NUMBERS) : near;
  return replace(input, number.index, number.index + number[0].length, Buffer.from(by));
};

/** The beginning of one and the end of another. */
const splice: Change = (input, mutator) => {
  const other = mutator.other();
  return Buffer.concat([input.subarray(0, mutator.random(input.length + 1)), other.subarray(mutator.random(other.length + 1))]);
};

const insertPart: Change = (input, mutator) => {
  const other = mutator.other();
  const [start, end] = mutator.stretch(other);
  const at = mutator.random(input.length + 1);
  return replace(input, at, at, other.subarray(start, end));
};

/** Those that are there more than once are made more often. */
const CHANGES: readonly Change[] = [
  ...[setByte, flipBit, insertBytes, insertWord, insertWord, insertWord, overwriteByWord, overwriteByWord, remove, remove, repeat],
  ...[insertRun, removeLine, moveLine, moveLine, otherNumber, splice, insertPart],
];
