/**
 * Source text of maps: what the parser finds is what a naive reading finds, in
 * whatever chunks the text comes, and a map that is built of it has the records
 * that a simple model has. The first line of an input is options of makemap.
 */
import assert from "node:assert/strict";
import { Database, MemoryFileSystem, RecordBatch } from "berkeley-db-js";
import { HashFileError } from "#src/hash-file/error.js";
import { targetFormat } from "#src/hash-file/file-format.js";
import type { SourceDiagnostic } from "#src/makemap/diagnostic.js";
import { MapBuilder } from "#src/makemap/map-builder.js";
import { type SourceOptions, SourceParser } from "#src/makemap/source-parser.js";
import { readMap } from "#src/map-file/read-map.js";
import { bytesOf, pairsOf, textOf } from "../../support/bytes.ts";
import { byKey, type Pair, RecordModel } from "../../support/model.ts";
import { chunksOf, randomOf, splitHead } from "../oracle.ts";
import type { Note, Target } from "../target.ts";

interface Options extends SourceOptions {
  readonly type: "hash" | "btree";
  readonly duplicates: "refuse" | "replace" | "keep";
}

function optionsOf(head: string): Options {
  const words = head.split(" ");
  const byteOf = (letter: string): number | undefined => {
    const word = words.find((one) => one.startsWith(letter));
    return word === undefined ? undefined : (word.charCodeAt(2) || 0) & 0xff;
  };
  return {
    // An option of the space cannot be written as one of these words.
    delimiterByte: words.includes("space") ? 0x20 : byteOf("-t") || undefined,
    commentByte: byteOf("-D"),
    allowEmptyValue: words.includes("-e"),
    keepCase: words.includes("-f"),
    includeNul: words.includes("-N"),
    type: words.includes("btree") ? "btree" : "hash",
    duplicates: words.includes("-d") ? "keep" : words.includes("-r") ? "replace" : "refuse",
  };
}

interface Found {
  readonly records: readonly (readonly [line: number, key: string, value: string])[];
  readonly problems: readonly (readonly [line: number, problem: string, key: string | undefined])[];
  readonly lines: number;
}

function parse(chunks: Iterable<Uint8Array>, options: SourceOptions): Found {
  const parser = new SourceParser(options);
  const sink = { batch: new RecordBatch(64), lines: [] as number[], diagnostics: [] as SourceDiagnostic[] };
  for (const chunk of chunks) parser.write(chunk, sink);
  parser.end(sink);
  const records = Array.from(sink.batch, ([key, value], i) => [sink.lines[i] as number, textOf(key), textOf(value)] as const);
  return { records, problems: sink.diagnostics.map(problemOf), lines: parser.line };
}

function problemOf({ line, problem, key }: SourceDiagnostic): readonly [number, string, string | undefined] {
  return [line, problem, key && textOf(key)];
}

/** makemap.c as it reads: fgets(), strchr(), and a walk over a C string. */
function parseNaively(text: string, options: SourceOptions): Found {
  const { delimiterByte, allowEmptyValue = false, keepCase = false, includeNul = false } = options;
  const comment = String.fromCharCode(options.commentByte ?? 0x23);
  const isDelimiter = (char: string): boolean =>
    delimiterByte === undefined ? /[ \t\n\v\f\r]/.test(char) : char.charCodeAt(0) === delimiterByte;
  const nul = includeNul ? "\0" : "";
  const records: (readonly [number, string, string])[] = [];
  const problems: (readonly [number, string, string | undefined])[] = [];
  let lines = 0;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const piece = text.slice(at, Math.min(at + 1023, newline < 0 ? text.length : newline + 1));
    at += piece.length;
    lines += 1;
    const isAtEnd = at === text.length && piece.length < 1023 && !piece.endsWith("\n");
    const [string = ""] = piece.split("\0");
    if (!string.includes("\n") && !isAtEnd) {
      problems.push([lines, "line-too-long", undefined]);
      continue;
    }
    const line = string.replace("\n", "");
    if (line === "" || line.startsWith(comment)) continue;
    if (delimiterByte === undefined && isDelimiter(line.charAt(0))) {
      problems.push([lines, "leading-space", undefined]);
      continue;
    }
    let keyEnd = 0;
    while (keyEnd < line.length && !isDelimiter(line.charAt(keyEnd))) keyEnd += 1;
    let value = keyEnd;
    while (value < line.length && isDelimiter(line.charAt(value))) value += 1;
    const key = keepCase ? line.slice(0, keyEnd) : line.slice(0, keyEnd).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    if (value === line.length && !allowEmptyValue) problems.push([lines, "no-value", key]);
    else records.push([lines, key + nul, line.slice(value) + nul]);
  }
  return { records, problems, lines };
}

/** Lines that say the records once more. */
function examineAgain({ records }: Found, { keepCase = false }: SourceOptions): void {
  const sayable = records.map(([, key, value]) => [key.replace(/\0$/, ""), value.replace(/\0$/, "")] as const).filter(isSayable);
  const text = sayable.map(([key, value]) => `${key}\t${value}\n`).join("");
  const again = parse([bytesOf(text)], { keepCase });
  assert.deepEqual(
    again.records.map(([, key, value]) => [key, value]),
    sayable,
    "records are others when they are written as a text",
  );
}

function isSayable([key, value]: readonly [string, string]): boolean {
  return /^[^#\s][^\s]*$/.test(latin1Blanks(key)) && /^[^\s]/.test(latin1Blanks(value)) && key.length + value.length < 1021;
}

/** A no-break space is a blank to JavaScript alone. */
function latin1Blanks(text: string): string {
  return text.replaceAll("\xa0", "x");
}

function examineMap(text: Uint8Array, options: Options, found: Found): void {
  const fileSystem = new MemoryFileSystem();
  const told: SourceDiagnostic[] = [];
  const { type, duplicates } = options;
  const model = new RecordModel(duplicates === "keep" ? "unsorted" : false);
  const mode = duplicates === "refuse" ? "insert" : duplicates === "replace" ? "replace" : "duplicate";
  const expected = [...found.problems];
  for (const [line, key, value] of found.records) {
    const bare = options.includeNul ? key.slice(0, -1) : key;
    if (!model.put(key, value, mode)) expected.push([line, "duplicate-key", bare]);
  }
  const builder = new MapBuilder("m.db", {
    ...options,
    format: targetFormat("native"),
    sourceSize: text.length,
    fileSystem,
    onDiagnostic: (diagnostic) => told.push({ ...diagnostic, ...(diagnostic.key && { key: diagnostic.key.slice() }) }),
  });
  for (const chunk of chunksOf(text, randomOf(text))) builder.write(chunk);
  builder.commit();
  assert.deepEqual(
    told.map(problemOf),
    expected.sort(([a], [b]) => a - b),
    "the map builder tells of other problems",
  );
  assert.deepEqual(fileSystem.list(), ["m.db"], "something is left beside the map");
  using database = Database.open("m.db", { type, readOnly: true, fileSystem });
  const byEngine = pairsOf(database);
  assert.deepEqual(byKey(byEngine as Pair[]), model.pairs(), "the map has other records");
  assert.deepEqual(
    readMap("m.db", { fileSystem }).map(({ key, data }) => [textOf(key), textOf(data)]),
    byEngine,
    "the walker reads other records than the engine",
  );
}

/** The text itself, where a map is asked for. */
function examineText(text: Uint8Array, options: Options, { records }: Found, note: Note): void {
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("m", text);
  try {
    const model = readMap("m", { ...options, duplicates: "keep", fileSystem });
    assert.deepEqual(
      model.map(({ key, data }) => [textOf(key), textOf(data)]),
      records.map(([, key, value]) => [key, value]),
      "the text has other records as a map",
    );
  } catch (error) {
    if (!(error instanceof HashFileError)) throw error;
    note(`no text: ${error.message.replace(/\d+/g, "N")}`);
  }
}

export const target: Target = {
  name: "map-source",
  longest: 6000,
  dictionary: [
    ..." |\t|\r\n|\n|\0|#|:|;|a|A|key|Key|KEY|value|\xa0|\xe9|\xff|\v|\f|\x85|a b\n|a\tb\n|A c\n|#x\n".split("|"),
    ...[
      "-N ",
      "-e ",
      "-f ",
      "-d ",
      "-r ",
      "-t: ",
      "-tx ",
      "-D; ",
      "-Dk ",
      "space ",
      "btree ",
      "|",
      "x".repeat(1020),
      `${"y".repeat(1022)}\n`,
    ],
  ],
  *seeds(): Iterable<Uint8Array> {
    for (const head of ["", "-N btree -d", "-e -f -r -t: -D;"])
      yield bytesOf(`${head}\nauthinfo:\t"U:root" "P:12345"\n# remark\nKey value\nkey:other\nend`);
  },
  run(input, note) {
    const [head, text] = splitHead(input);
    const options = optionsOf(head);
    const found = parse([text], options);
    assert.deepEqual(found, parseNaively(textOf(text), options), "the parser finds something else than makemap's own way");
    assert.deepEqual(parse(chunksOf(text, randomOf(input)), options), found, "the parser finds something else in chunks");
    examineAgain(found, options);
    examineText(text, options, found, note);
    examineMap(text, options, found);
  },
};
