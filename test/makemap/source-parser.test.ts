/**
 * The parser takes whatever comes, in whatever chunks: what it finds depends on
 * the text alone.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordBatch } from "berkeley-db-js";
import * as fc from "fast-check";
import type { SourceDiagnostic } from "#src/makemap/diagnostic.js";
import { type SourceOptions, SourceParser } from "#src/makemap/source-parser.js";
import { bytesOf, textOf } from "../support/bytes.ts";
import { timeLimit } from "../support/full.ts";
import { sourceOptions, sourceText } from "../support/source-text.ts";

interface Found {
  readonly records: readonly (readonly [line: number, key: string, value: string])[];
  readonly diagnostics: readonly (readonly [line: number, problem: string, key: string | undefined])[];
  readonly lines: number;
}

function parse(chunks: Iterable<Uint8Array>, options: SourceOptions = {}): Found {
  const parser = new SourceParser(options);
  const sink = { batch: new RecordBatch(64), lines: [] as number[], diagnostics: [] as SourceDiagnostic[] };
  for (const chunk of chunks) {
    // The chunk is the caller's again, who may use it for something else.
    const lent = chunk.slice();
    parser.write(lent, sink);
    lent.fill(0x21);
  }
  parser.end(sink);
  const records = Array.from(sink.batch, ([key, value], i) => [sink.lines[i] as number, textOf(key), textOf(value)] as const);
  const diagnostics = sink.diagnostics.map(({ line, problem, key }) => [line, problem, key && textOf(key)] as const);
  return { records, diagnostics, lines: parser.line };
}

const parseText = (text: string, options?: SourceOptions): Found => parse([bytesOf(text)], options);

function split(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = lengths.length === 0 ? bytes.length : (lengths[i % lengths.length] as number);
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

test("any split of the text gives the same", () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1015, max: 1030 })), { minLength: 1, maxLength: 12 });
  const property = fc.property(sourceText, sourceOptions, lengths, (text, options, some) => {
    const bytes = bytesOf(text);
    assert.deepEqual(parse(split(bytes, some), options), parse([bytes], options));
  });
  fc.assert(property, { numRuns: 3000, interruptAfterTimeLimit: timeLimit(4000) });
});

test("byte by byte is the same as at once", () => {
  const property = fc.property(sourceText, sourceOptions, (text, options) => {
    const bytes = bytesOf(text);
    assert.deepEqual(parse(split(bytes, [1]), options), parse([bytes], options));
  });
  fc.assert(property, { numRuns: 1000, interruptAfterTimeLimit: 3000 });
});

test("empty chunks change nothing", () => {
  const none = new Uint8Array();
  assert.deepEqual(parse([none, bytesOf("a"), none, bytesOf(" b\nc"), none, none, bytesOf(" d"), none]), parseText("a b\nc d"));
});

test("whatever comes, each line is a record, or is reported, or is empty or a comment", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 5000 }), sourceOptions, (bytes, options) => {
    const { records, diagnostics, lines } = parse([bytes], options);
    const seen = [...records, ...diagnostics].map(([line]) => line);
    assert.equal(new Set(seen).size, seen.length);
    for (const line of seen) assert.ok(line >= 1 && line <= lines);
    assert.deepEqual(
      records.map(([line]) => line),
      records.map(([line]) => line).sort((a, b) => a - b),
    );
    const nul = options.includeNul === true ? "\0" : "";
    for (const [, key, value] of records) {
      assert.ok(key.endsWith(nul) && value.endsWith(nul));
      assert.ok(!key.slice(0, key.length - nul.length).includes("\0") && !value.slice(0, value.length - nul.length).includes("\0"));
      assert.ok(key.length + value.length - 2 * nul.length <= 1023);
      if (options.keepCase !== true) assert.doesNotMatch(key, /[A-Z]/);
      if (options.allowEmptyValue !== true) assert.notEqual(value, nul);
    }
  });
  fc.assert(property, { numRuns: 2000, interruptAfterTimeLimit: timeLimit(4000) });
});

test("every byte but NUL and newline, as delimiter, in keys and in values", () => {
  for (let byte = 1; byte < 256; byte++) {
    if (byte === 0x0a) continue;
    const char = String.fromCharCode(byte);
    const isSpace = " \t\v\f\r".includes(char);
    const folded = /[A-Z]/.test(char) ? char.toLowerCase() : char;
    assert.deepEqual(parseText(`k${char}x v\n`).records, [isSpace ? [1, "k", `x v`] : [1, `k${folded}x`, "v"]], `byte ${byte} in a key`);
    assert.deepEqual(parseText(`k v${char}w\n`).records, [[1, "k", `v${char}w`]], `byte ${byte} in a value`);
    assert.deepEqual(parseText(`k v${char}`).records, [[1, "k", `v${char}`]], `byte ${byte} at the end`);
    if (char === "k" || char === "v" || char === "#") continue;
    assert.deepEqual(parseText(`k${char}${char}v\n`, { delimiterByte: byte }).records, [[1, "k", "v"]], `byte ${byte} as delimiter`);
  }
});

test("a line of 1022 bytes is the longest; one that is too long counts for each piece, and its end is a line", () => {
  const line = (length: number): string => `k ${"x".repeat(length - 2)}`;
  assert.deepEqual(
    parseText(`${line(1022)}\nl w\n`).records.map(([at, key]) => [at, key]),
    [
      [1, "k"],
      [2, "l"],
    ],
  );
  const { records, diagnostics, lines } = parseText(`${line(1023)}Tail here\nl w\n`);
  assert.deepEqual(diagnostics, [[1, "line-too-long", undefined]]);
  assert.deepEqual(records, [
    [2, "tail", "here"],
    [3, "l", "w"],
  ]);
  assert.equal(lines, 3);
});

test("a NUL hides the end of its line, and cuts a last line that has none", () => {
  assert.deepEqual(parseText("a\0b c\nd e\n"), { records: [[2, "d", "e"]], diagnostics: [[1, "line-too-long", undefined]], lines: 2 });
  assert.deepEqual(parseText("a b\0c").records, [[1, "a", "b"]]);
});
