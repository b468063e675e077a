/**
 * What --fix does to a text: the mends, and nothing else.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { fixSource } from "#src/authinfo/lint/fix-source.js";
import { lintSource } from "#src/authinfo/lint/lint-source.js";
import type { LintOptions } from "#src/authinfo/lint/options.js";
import { LINT_RULES, type LintCode } from "#src/authinfo/lint/rules.js";
import { scanSource } from "#src/authinfo/lint/source-lines.js";
import { foldKey } from "#src/makemap/map-key.js";
import { authinfoSource } from "../../support/authinfo-text.ts";
import { bytesOf, textOf } from "../../support/bytes.ts";
import { timeLimit } from "../../support/full.ts";
import { LINT_EXAMPLES } from "../../support/lint-examples.ts";

const lintOptions: fc.Arbitrary<LintOptions> = fc.record({
  delimiterByte: fc.constantFrom(undefined, undefined, undefined, 0x7c, 0x20),
  commentByte: fc.constantFrom(undefined, undefined, 0x3b),
  keepCase: fc.boolean(),
  allowEmptyValue: fc.boolean(),
});

/** All that mends touch: a delimiter, quotes of all kinds, a %, what divides mechanisms, CR, blanks, marks. */
const TOUCHED = /\xef\xbb\xbf|\$#|\xe2\x80[\x98-\x9f]|\xc2\xa0|[ \t\v\f\r"'%,;|]/g;

const REVEALING: readonly LintCode[] = ["leading-blank", "utf8-byte-order-mark", "crlf"];

describe("mending", () => {
  const runs = { numRuns: 4000, interruptAfterTimeLimit: timeLimit(6000) };

  it("twice does what once does", () => {
    const property = fc.property(authinfoSource, lintOptions, (text, options) => {
      const { bytes } = fixSource(bytesOf(text), options);
      const again = fixSource(bytes, options);
      assert.deepEqual([textOf(again.bytes), again.mended], [textOf(bytes), []]);
    });
    fc.assert(property, runs);
  });

  it("makes what it mends go away, and says so of each", () => {
    const seen = new Set<LintCode>();
    const property = fc.property(authinfoSource, lintOptions, (text, options) => {
      const { bytes, mended, remaining } = fixSource(bytesOf(text), options);
      assert.deepEqual(remaining, lintSource(bytes, options));
      assert.deepEqual(
        remaining.filter(({ edits }) => edits !== undefined),
        [],
      );
      for (const { code, line } of mended) {
        seen.add(code);
        const isLeft = remaining.some((other) => other.code === code && (other.line === line || code === "crlf"));
        assert.ok(!isLeft, `${code} on line ${line}`);
      }
    });
    fc.assert(property, runs);
    assert.ok(seen.size >= 8, [...seen].join());
  });

  it("leaves all other bytes as they are", () => {
    const property = fc.property(authinfoSource, lintOptions, (text, options) => {
      const { bytes, mended } = fixSource(bytesOf(text), options);
      const after = textOf(bytes);
      if (mended.length === 0) assert.equal(after, text);
      assert.equal(after.replace(TOUCHED, ""), text.replace(TOUCHED, ""));
      const lines = (all: string): string[] =>
        all
          .replace(/^\xef\xbb\xbf/, "")
          .replace(/\r+\n/g, "\n")
          .split("\n");
      const [before, now] = [lines(text), lines(after)];
      const changed = new Set(mended.filter(({ code }) => code !== "crlf" && code !== "utf8-byte-order-mark").map(({ line }) => line));
      assert.equal(now.length, before.length);
      for (const [i, line] of before.entries()) if (!changed.has(i + 1)) assert.equal(now[i], line);
    });
    fc.assert(property, runs);
  });

  it("leaves no more errors than there were", () => {
    const errors = (bytes: Uint8Array, options: LintOptions): number =>
      lintSource(bytes, options).filter(({ severity }) => severity === "error").length;
    const property = fc.property(authinfoSource, lintOptions, (text, options) => {
      const { bytes, mended } = fixSource(bytesOf(text), options);
      // These bring a line to light that was not looked into before.
      if (mended.some(({ code }) => REVEALING.includes(code))) return;
      assert.ok(errors(bytes, options) <= errors(bytesOf(text), options));
    });
    fc.assert(property, runs);
  });

  it("leaves a text that makemap takes one that it takes", () => {
    const isTaken = (bytes: Uint8Array, options: LintOptions): boolean => {
      const lines = scanSource(bytes, options);
      const keys = lines.flatMap(({ kind, start, keyEnd }) => {
        const key = textOf(bytes.subarray(start, keyEnd));
        return kind === "record" ? [options.keepCase ? key : foldKey(key)] : [];
      });
      return lines.every(({ kind }) => ["record", "empty", "comment"].includes(kind)) && new Set(keys).size === keys.length;
    };
    let compared = 0;
    const lines = fc
      .array(
        fc.record({
          mark: fc.constantFrom("", "", "", "\xef\xbb\xbf"),
          server: fc.constantFrom("", "relay", "Relay", "other"),
          between: fc.constantFrom("", " ", "|", "\xc2\xa0"),
          value: fc.constantFrom('"U:u" "P:p"', "'U:u' 'P:p'", '"U:u"|"P:p"', ""),
          end: fc.constantFrom("\n", "\r\n"),
        }),
        { minLength: 2, maxLength: 4 },
      )
      .map((all) => all.map(({ mark, server, between, value, end }) => `${mark}AuthInfo:${server}${between}${value}${end}`).join(""));
    const property = fc.property(lines, lintOptions, (text, options) => {
      if (!isTaken(bytesOf(text), options)) return;
      const { bytes, mended } = fixSource(bytesOf(text), options);
      if (mended.length > 0) compared += 1;
      assert.ok(isTaken(bytes, options), textOf(bytes));
    });
    fc.assert(property, runs);
    assert.ok(compared > 100, `${compared}`);
  });

  it("mends all, however many are told", () => {
    const count = 30;
    const text = Array.from({ length: count }, (_, i) => `AuthInfo:relay${i}"U:u" "P:p"\nAuthInfo:other${i}:25 "U:u" "P:p"\n`).join("");
    const { mended, remaining } = fixSource(bytesOf(text), { most: 10 });
    assert.equal(mended.length, count);
    assert.deepEqual(
      remaining.slice(9).map(({ code, line, args }) => [code, line, args]),
      [
        ["port-in-key", 20, {}],
        ["more-findings", undefined, { code: "port-in-key", severity: "error", count: 20 }],
      ],
    );
  });

  it("mends several things of a line whose places are mixed", () => {
    const { bytes, mended } = fixSource(bytesOf('AuthInfo:relay"P:a%1" "M:LOGIN,PLAIN" "U:b%2"\r\n'));
    assert.equal(textOf(bytes), 'AuthInfo:relay "P:a%%1" "M:LOGIN PLAIN" "U:b%%2"\n');
    assert.equal(mended.length, 4);
  });

  it("is done for the codes that say so, and for no others", () => {
    const mended = new Set(LINT_EXAMPLES.flatMap(({ text, options }) => fixSource(bytesOf(text), options).mended.map(({ code }) => code)));
    const said = (Object.keys(LINT_RULES) as LintCode[]).filter((code) => LINT_RULES[code].fix !== undefined);
    assert.deepEqual([...mended].sort(), said.sort());
  });
});
