/**
 * A password is in no finding, wherever in a text or a map it stands.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { LintFinding } from "#src/authinfo/lint/finding.js";
import { fixSource } from "#src/authinfo/lint/fix-source.js";
import { lintRecords } from "#src/authinfo/lint/lint-records.js";
import { lintSource } from "#src/authinfo/lint/lint-source.js";
import { findingText, mendText } from "#src/authinfo/lint/rules.js";
import { recordsOf } from "../../support/authinfo-cases.ts";
import { bytesOf } from "../../support/bytes.ts";
import { timeLimit } from "../../support/full.ts";
import { SECRET, SECRET_TEXTS } from "../../support/lint-examples.ts";

/** All that somebody may print of findings. */
function said(findings: readonly LintFinding[]): string {
  return findings
    .map((finding) => JSON.stringify([finding, findingText(finding.code, finding.args), mendText(finding.code, finding.args)]))
    .join("\n");
}

function assertSilent(text: string): void {
  const { mended, remaining } = fixSource(bytesOf(text));
  const records = [...recordsOf(bytesOf(text))].map(([key, value]) => [bytesOf(key), value] as const);
  const all = [said(lintSource(bytesOf(text))), said(mended), said(remaining), said(lintRecords(records))].join("\n");
  for (const form of [SECRET, SECRET.toLowerCase(), Buffer.from(SECRET).toString("base64"), SECRET.slice(3, 9)])
    assert.ok(!all.includes(form), `${JSON.stringify(text)}: ${all}`);
}

describe("a password", () => {
  it("is not said, wherever it stands", () => {
    for (const text of SECRET_TEXTS) assertSilent(text);
  });

  it("is not said of any mutilation of such a text", () => {
    const cut = fc.record({
      text: fc.constantFrom(...SECRET_TEXTS),
      at: fc.nat(),
      length: fc.integer({ min: 1, max: 3 }),
      by: fc.constantFrom("", " ", '"', "'", ":", "\r\n", "%1", "\0"),
    });
    const property = fc.property(cut, ({ text, at, length, by }) => {
      const place = at % text.length;
      const mutilated = text.slice(0, place) + by + text.slice(place + length);
      // As the name of a server, with another password behind it.
      if (/authinfo:\[?[\w.-]*cret-.*"p:x"/i.test(mutilated)) return;
      assertSilent(mutilated);
    });
    fc.assert(property, { numRuns: 3000, interruptAfterTimeLimit: timeLimit(4000) });
  });
});
