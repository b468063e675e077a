/**
 * What is found in source texts, and where.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { LintFinding } from "#src/authinfo/lint/finding.js";
import { fixSource } from "#src/authinfo/lint/fix-source.js";
import { lintSource } from "#src/authinfo/lint/lint-source.js";
import type { LintOptions } from "#src/authinfo/lint/options.js";
import { findingText, LINT_RULES } from "#src/authinfo/lint/rules.js";
import { authinfoSource } from "../../support/authinfo-text.ts";
import { bytesOf, textOf } from "../../support/bytes.ts";
import { timeLimit } from "../../support/full.ts";
import { GOOD_TEXTS, LINT_EXAMPLES } from "../../support/lint-examples.ts";

const lint = (text: string, options?: LintOptions): LintFinding[] => lintSource(bytesOf(text), options);

const show = ({ line, column, severity, code, edits }: LintFinding): string =>
  `${line}:${column} ${severity} ${code}${edits === undefined ? "" : "*"}`;

describe("a source text", () => {
  for (const { code, text, finds, options } of LINT_EXAMPLES) {
    it(`has ${code}: ${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)}`, () => {
      const found = lint(text, options);
      assert.deepEqual(found.map(show), finds);
      for (const one of found) assert.ok(LINT_RULES[one.code].severities.includes(one.severity), show(one));
    });
  }

  for (const text of GOOD_TEXTS) {
    it(`has nothing: ${JSON.stringify(text)}`, () => assert.deepEqual(lint(text), []));
  }

  it("that is mended is what the example says, and the mended findings are gone", () => {
    for (const { text, options, fixed } of LINT_EXAMPLES) {
      const { bytes, mended, remaining } = fixSource(bytesOf(text), options);
      assert.equal(textOf(bytes), fixed ?? text);
      assert.equal(mended.length > 0, fixed !== undefined);
      assert.deepEqual(
        remaining.filter(({ edits }) => edits !== undefined),
        [],
      );
    }
  });

  it("has its findings within it, in its order, with severities that the rules list", () => {
    const property = fc.property(authinfoSource, (text) => {
      let before = 0;
      for (const finding of lint(text)) {
        const { code, severity, line = 0, column = 0, offset = -1, length = -1, edits = [] } = finding;
        assert.ok(LINT_RULES[code].severities.includes(severity), show(finding));
        assert.ok(offset >= before && length >= 0 && offset + length <= text.length, show(finding));
        const start = text.lastIndexOf("\n", offset - 1) + 1;
        assert.deepEqual([line, column], [text.slice(0, offset).split("\n").length, offset - start + 1]);
        for (const edit of edits) assert.match(edit.text, /^(?:| |"|%)$/);
        before = offset;
      }
    });
    fc.assert(property, { numRuns: 3000, interruptAfterTimeLimit: timeLimit(4000) });
  });

  it("has its duplicates told with what becomes of them", () => {
    const text = 'AuthInfo:a "U:u" "P:p"\nAuthInfo:a "U:u" "P:q"\n';
    const said = (options: LintOptions): string[] => lint(text, options).map(({ code, args }) => findingText(code, args));
    assert.deepEqual(said({}), ["an earlier entry has the same key (line 1; makemap refuses this one)"]);
    assert.deepEqual(said({ duplicates: "replace" }), ["an earlier entry has the same key (line 1; this one takes its place (-r))"]);
    assert.deepEqual(said({ duplicates: "keep" }), [
      "an earlier entry has the same key (line 1; both are stored (-d), and the first is found)",
    ]);
    assert.deepEqual(lint(text.replace("AuthInfo:a", "AuthInfo:A"), { keepCase: true }).map(show), ["1:10 warning server-case"]);
  });

  it("is read with another delimiter and another comment sign", () => {
    const options = { delimiterByte: 0x7c, commentByte: 0x3b };
    assert.deepEqual(lint('; remark\nAuthInfo:relay|"U:user" "P:secret"\n', options), []);
    assert.equal(
      textOf(fixSource(bytesOf('AuthInfo:relay"U:user" "P:secret"|x\n'), options).bytes),
      'AuthInfo:relay|"U:user" "P:secret"|x\n',
    );
  });

  it("is not mended where the line would grow too long for makemap", () => {
    const line = (length: number): string => `AuthInfo:relay"U:user" "P:secret" ${"x".repeat(length - 34)}`;
    assert.equal(lint(`${line(1021)}\n`)[0]?.edits?.length, 1);
    assert.equal(lint(`${line(1022)}\n`)[0]?.edits, undefined);
  });
});
