/**
 * What of a map a directory cannot hold as it is. What a real one makes of the
 * same is in test/cli/tsmap-export-oracle.test.ts.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkForDirectory, type ReadRecords, skipDuplicates } from "#src/map-file/directory-check.js";

type Pair = readonly [key: string, data: string];

function reading(pairs: readonly Pair[]): ReadRecords {
  return (visit) => {
    for (const [key, data] of pairs) {
      // Not at the beginning, as on a page.
      const bytes = Buffer.from(`-${key}${data}-`, "latin1");
      visit(bytes, 1, 1 + key.length, bytes, 1 + key.length, bytes.length - 1);
    }
  };
}

function findingOf(...pairs: readonly Pair[]): readonly [problem: string, key: string] | undefined {
  const { finding } = checkForDirectory(reading(pairs));
  return finding && [finding.problem, Buffer.from(finding.key).toString("latin1")];
}

describe("a directory", () => {
  it("can hold what is text", () => {
    assert.equal(findingOf(["a", "x"], ["b\0", "y\0"], ["a b", "\n"], ["\xc3\xbc", "\xc3\x9c"], ["Upper", " "]), undefined);
    assert.equal(findingOf(), undefined);
  });

  for (const [problem, key, data] of [
    ["no-key", "", "x"],
    ["no-key", "\0", "x"],
    ["no-value", "a", ""],
    ["no-value", "a", "\0"],
    ["inner-nul", "a\0b", "x"],
    ["inner-nul", "a\0\0", "x"],
    ["inner-nul", "a", "x\0y"],
    ["not-utf8", "\xfc", "x"],
    ["not-utf8", "a", "\xc3"],
  ] as const)
    it(`cannot hold ${JSON.stringify([key, data])}: ${problem}`, () => {
      assert.deepEqual(findingOf(["first", "x"], [key, data], ["last", ""]), [problem, key.replace(/\0$/, "")]);
    });

  for (const [a, b] of [
    ["a", "A"],
    ["a b", "a  b"],
    ["a\0", "a"],
    ["A\0", "a"],
    ["\xc3\xbc", "\xc3\x9c"],
    ["\xc3\xbc", "u\xcc\x88"],
  ] as const)
    it(`takes ${JSON.stringify([a, b])} for the same`, () => {
      assert.equal(findingOf(["first", "x"], [a, "1"], ["last", "y"], [b, "2"])?.[0], "clash");
      assert.equal(findingOf([b, "1"], [a, "2"])?.[0], "clash");
    });

  it("gets the first of the records of a key, which are no clash", () => {
    const pairs: readonly Pair[] = [
      ["A", "1"],
      ["A", "2"],
      ["b", "3"],
      ["b", "4"],
      ["b", "5"],
      ["bb", "6"],
      ["x".repeat(5000), "7"],
      ["x".repeat(5000), "8"],
    ];
    assert.equal(findingOf(...pairs), undefined);
    const passed: string[] = [];
    let others = 0;
    reading(pairs)(
      skipDuplicates(
        (_key, _start, _end, data: Buffer, start, end) => passed.push(data.toString("latin1", start, end)),
        () => {
          others += 1;
        },
      ),
    );
    assert.deepEqual([passed, others], [["1", "3", "6", "7"], 4]);
  });
});
