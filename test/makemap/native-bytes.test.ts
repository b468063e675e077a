/**
 * The bytes of makemap, for sources made at random that split buckets and
 * leaves, fill overflow pages and have many duplicates; and for maps that the
 * two programs add to by turns. What stands in same-bytes.test.ts is the sizes
 * and options one by one.
 */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import * as fc from "fast-check";
import { bytesOf, sha256 } from "../support/bytes.ts";
import { timeLimit } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { needs, runNative } from "../support/native.ts";
import { maskDatabase, residueOffsets } from "../support/page-mask.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });
const at = (name: string): string => join(folder, `${name}.db`);
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

interface Source {
  readonly seed: number;
  readonly records: number;
  /** How many keys there are at most; fewer than records make duplicates. */
  readonly keys: number;
  readonly longestKey: number;
  readonly longestValue: number;
}

const PAGE_OVERFLOW = 7;

/** A line of makemap ends within 1023 bytes. */
const LONGEST_LINE = 1022;

/** The text of a source: the same for the same description, and far faster than a draw for each byte. */
function textOf({ seed, records, keys, longestKey, longestValue }: Source): string {
  let state = seed | 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let text = "";
  for (let i = 0; i < records; i++) {
    const number = random(keys);
    // The length goes with the number, so that a key comes again; its case does not.
    const long = `${number.toString(36)}${"kqz".charAt(number % 3).repeat((number * 31) % longestKey)}`;
    const key = random(2) === 0 ? long : long.toUpperCase();
    const room = LONGEST_LINE - key.length - 1;
    // Half of them near the longest, which is where a btree's items go to overflow pages.
    const length = Math.min(room, random(2) === 0 ? random(longestValue) : longestValue - random(25));
    text += `${key}\t${String.fromCharCode(97 + random(26)).repeat(Math.max(1, length))}\n`;
  }
  return text;
}

const source: fc.Arbitrary<Source> = fc.record({
  seed: fc.nat(0x7fffffff),
  records: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 60, max: 1200 })),
  keys: fc.constantFrom(1, 2, 7, 100, 5000),
  longestKey: fc.constantFrom(1, 12, 300, 1000),
  longestValue: fc.constantFrom(26, 80, 500, 1020),
});
const options = fc.subarray(["-N", "-d", "-f", "-r"]);
const type = fc.constantFrom("hash", "btree");

function makeNative(argv: readonly string[], text: string): number | null {
  return runNative("makemap", ["-C", "/dev/null", ...argv], { cwd: folder, input: bytesOf(text) }).status;
}

function assertSame(ours: string, theirs: string): void {
  const bytes = read(ours);
  assert.equal(sha256(maskDatabase(bytes)), sha256(maskDatabase(read(theirs))), "the files differ");
}

test("sources at random", (t) => {
  if (!needs(t, "makemap")) return;
  let overflowed = 0;
  const property = fc.property(source, options, type, (description, flags, kind) => {
    const text = textOf(description);
    const theirs = makeNative([...flags, kind, "theirs"], text);
    const { exit, file } = makeInProcess([...flags, kind, "ours"], bytesOf(text), folder);
    assert.equal(exit, theirs);
    assertSame(file, at("theirs"));
    const bytes = read(file);
    assert.deepEqual(residueOffsets(bytes), []);
    const masked = maskDatabase(bytes);
    bytes.fill(0, 52, 72);
    assert.ok(Buffer.from(bytes).equals(masked), "the mask takes away more than the file id");
    for (let page = 0; page < bytes.length; page += 4096) overflowed += bytes[page + 25] === PAGE_OVERFLOW ? 1 : 0;
    rmSync(file);
    rmSync(at("theirs"));
  });
  fc.assert(property, { numRuns: 300, interruptAfterTimeLimit: timeLimit(8000) });
  assert.ok(overflowed > 0, "no source came to overflow pages");
});

suite("a map that both add to", () => {
  const ours = (argv: readonly string[], text: string): number | null => makeInProcess(argv, bytesOf(text), folder).exit;

  for (const kind of ["hash", "btree"]) {
    for (const flags of [[], ["-d"], ["-r"], ["-N"]]) {
      test(`${kind} ${flags.join(" ")}`, (t) => {
        if (!needs(t, "makemap")) return;
        const text = (seed: number): string =>
          textOf({ seed, records: 700, keys: flags.length === 0 ? 5000 : 900, longestKey: 40, longestValue: 400 });
        // Each by itself, then each in the other's map: four files of one history.
        const steps = [ours, makeNative];
        for (const first of steps) {
          first([...flags, kind, "first"], text(1));
          const results = steps.map((second, i) => {
            const name = `${steps.indexOf(first)}${i}`;
            copyFileSync(at("first"), at(name));
            return second(["-o", ...flags, kind, name], text(2));
          });
          assert.equal(results[0], results[1]);
        }
        for (const name of ["00", "01", "10"]) assertSame(at(name), at("11"));
        assert.deepEqual(residueOffsets(read(at("00"))), []);
      });
    }
  }
});

for (const kind of ["hash", "btree"]) {
  test(`${kind}: -d is refused for a map that keeps no duplicates`, (t) => {
    if (!needs(t, "makemap")) return;
    const { file } = makeInProcess([kind, "plain"], bytesOf("a b\n"), folder);
    const before = read(file);
    assert.equal(makeNative(["-o", "-d", kind, "plain"], "a c\n"), 73);
    assert.throws(() => makeInProcess(["-o", "-d", kind, "plain"], bytesOf("a c\n"), folder), { code: "EINVAL" });
    assert.deepEqual(read(file), before);
  });
}
