/**
 * Lines with places: the same records and the same refusals as SourceParser.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecordBatch } from "berkeley-db-js";
import * as fc from "fast-check";
import { type SourceLine, scanSource } from "#src/authinfo/lint/source-lines.js";
import type { SourceDiagnostic } from "#src/makemap/diagnostic.js";
import { type SourceOptions, SourceParser } from "#src/makemap/source-parser.js";
import { bytesOf, textOf } from "../../support/bytes.ts";
import { timeLimit } from "../../support/full.ts";
import { sourceOptions, sourceText } from "../../support/source-text.ts";

type Row = readonly [piece: number, what: string, key: string, value: string];

const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

function bySourceParser(bytes: Uint8Array, options: SourceOptions): Row[] {
  const parser = new SourceParser(options);
  const sink = { batch: new RecordBatch(64), lines: [] as number[], diagnostics: [] as SourceDiagnostic[] };
  parser.write(bytes, sink);
  parser.end(sink);
  const records = Array.from(sink.batch, ([key, value], i): Row => [sink.lines[i] as number, "record", textOf(key), textOf(value)]);
  const refused = sink.diagnostics.map((diagnostic): Row => {
    const key = "key" in diagnostic && diagnostic.key !== undefined ? textOf(diagnostic.key) : "";
    return [diagnostic.line, diagnostic.problem, key, ""];
  });
  return [...records, ...refused].sort(([a], [b]) => a - b);
}

const PROBLEMS: Partial<Record<SourceLine["kind"], SourceDiagnostic["problem"]>> = {
  "leading-blank": "leading-space",
  "no-value": "no-value",
  "too-long": "line-too-long",
  nul: "line-too-long",
};

function byScanner(bytes: Uint8Array, options: SourceOptions): Row[] {
  const nul = options.includeNul === true ? "\0" : "";
  const key = ({ start, keyEnd }: SourceLine): string => {
    const text = textOf(bytes.subarray(start, keyEnd));
    return options.keepCase === true ? text : lower(text);
  };
  return scanSource(bytes, options).flatMap((line): Row[] => {
    if (line.kind === "record") return [[line.piece, "record", key(line) + nul, textOf(bytes.subarray(line.valueStart, line.end)) + nul]];
    const problem = PROBLEMS[line.kind];
    return problem === undefined ? [] : [[line.piece, problem, line.kind === "no-value" ? key(line) : "", ""]];
  });
}

describe("the lines of a source text", () => {
  it("give the records and the refusals that SourceParser gives", () => {
    const property = fc.property(sourceText, sourceOptions, (text, options) => {
      const bytes = bytesOf(text);
      assert.deepEqual(byScanner(bytes, options), bySourceParser(bytes, options));
    });
    fc.assert(property, { numRuns: 5000, interruptAfterTimeLimit: timeLimit(5000) });
  });

  it("are those of an editor, with the places of their parts", () => {
    const text = `# remark\n\nAuthInfo:a\t "P:x"\n${"y".repeat(1030)}\nlast v`;
    const lines = scanSource(bytesOf(text));
    assert.deepEqual(
      lines.map(({ line, piece, kind, isRest }) => [line, piece, kind, isRest]),
      [
        [1, 1, "comment", false],
        [2, 2, "empty", false],
        [3, 3, "record", false],
        [4, 4, "too-long", false],
        [4, 5, "no-value", true],
        [5, 6, "record", false],
      ],
    );
    const { start, keyEnd, valueStart, end } = lines[2] as SourceLine;
    assert.deepEqual([text.slice(start, keyEnd), text.slice(valueStart, end)], ["AuthInfo:a", '"P:x"']);
    assert.equal(lines[4]?.lineStart, lines[3]?.start);
  });

  it("cover the text", () => {
    const property = fc.property(sourceText, sourceOptions, (text, options) => {
      const bytes = bytesOf(text);
      let at = 0;
      for (const { kind, start, end, line, lineStart, hasNewline } of scanSource(bytes, options)) {
        assert.equal(start, at);
        assert.equal(bytes.subarray(0, lineStart).filter((byte) => byte === 0x0a).length, line - 1);
        // A last line may be cut at a NUL.
        at = hasNewline ? end + 1 : kind !== "too-long" && bytes[end] === 0 ? bytes.length : end;
      }
      assert.equal(at, bytes.length);
    });
    fc.assert(property, { numRuns: 1000, interruptAfterTimeLimit: 2000 });
  });
});
