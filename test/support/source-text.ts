/**
 * Arbitraries for fast-check: map source that is about what makemap is
 * particular about, and the options it is read with.
 */
import * as fc from "fast-check";
import type { SourceOptions } from "#src/makemap/source-parser.js";

const PIECES = [
  "a",
  "A",
  "b",
  "K",
  "key",
  " ",
  "  ",
  "\t",
  "\v",
  "\f",
  "\r",
  "\r\n",
  "#",
  ":",
  ";",
  "x",
  "v w",
  "\xe9",
  "\xa0",
  "\x85",
  "\xff",
  '"',
];

/** Lengths about those of makemap's buffer. */
const run = fc
  .tuple(fc.constantFrom("x", "y", " ", "#", ":"), fc.oneof(fc.integer({ min: 1016, max: 1027 }), fc.integer({ min: 2040, max: 2050 })))
  .map(([char, length]) => char.repeat(length));

const piece = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 12, arbitrary: fc.constant("\n") },
  { weight: 2, arbitrary: fc.constant("\0") },
  { weight: 1, arbitrary: run },
);

/** One byte, one character. */
export const sourceText: fc.Arbitrary<string> = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));

/** Whole records with few keys, so that there are duplicates. */
export const recordLines: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(fc.constantFrom("a", "A", "b", "key:x", "Key:x", "long".repeat(40)), fc.constantFrom("1", "2", "v w", "", "x".repeat(900))),
    {
      maxLength: 40,
    },
  )
  .map((records) => records.map(([key, value]) => `${key}\t${value}\n`).join(""));

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

export const sourceOptions: fc.Arbitrary<SourceOptions> = fc.record({
  commentByte: maybe(fc.constantFrom(0, 0x3b, 0x61, 0x20)),
  delimiterByte: maybe(fc.constantFrom(0x3a, 0x20, 0x09, 0x78, 0xe9)),
  allowEmptyValue: fc.boolean(),
  keepCase: fc.boolean(),
  includeNul: fc.boolean(),
});
