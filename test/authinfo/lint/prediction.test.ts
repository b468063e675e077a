/**
 * Lint says what sendmail does: an entry that sendmail does not authenticate
 * with has an error, and the recorded runs bear it out.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { predictClient } from "#src/authinfo/client.js";
import type { LintFinding } from "#src/authinfo/lint/finding.js";
import { lintRecords } from "#src/authinfo/lint/lint-records.js";
import { lintSource } from "#src/authinfo/lint/lint-source.js";
import { expandPercent } from "#src/authinfo/percent.js";
import { formatAuthinfoValue, parseAuthinfoValue } from "#src/authinfo/value.js";
import { authinfoCases, recordsOf } from "../../support/authinfo-cases.ts";
import { authinfoValue } from "../../support/authinfo-text.ts";
import { bytesOf } from "../../support/bytes.ts";
import { timeLimit } from "../../support/full.ts";

const SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512"];
const OFFER = ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN", ...SCRAM];
const KEY = "AuthInfo:relay";

const hasError = (findings: readonly LintFinding[]): boolean => findings.some(({ severity }) => severity === "error");

function authenticates(value: string): boolean {
  const parsed = parseAuthinfoValue(expandPercent(bytesOf(value), bytesOf(KEY)).bytes);
  return predictClient(parsed, { clientMechanisms: OFFER, serverMechanisms: OFFER }).outcome === "authenticates";
}

/** Cases whose entry is sound, and for another server. */
const ELSEWHERE = ["wrong host domain part"];

describe("every value", () => {
  it("has an error if, and only if, sendmail does not authenticate with it", () => {
    const seen = { good: 0, bad: 0 };
    const property = fc.property(authinfoValue, (value) => {
      const isGood = authenticates(value);
      seen[isGood ? "good" : "bad"] += 1;
      assert.equal(hasError(lintRecords([[bytesOf(KEY.toLowerCase()), bytesOf(value)]])), !isGood, JSON.stringify(value));
      // The same in a text, if makemap takes it for the value.
      const source = `${KEY} ${value}\n`;
      if (!/^[\t\v\f\r ]|^$/.test(value) && source.length < 1024)
        assert.equal(hasError(lintSource(bytesOf(source))), !isGood, JSON.stringify(value));
    });
    fc.assert(property, { numRuns: 10_000, interruptAfterTimeLimit: timeLimit(6000) });
    assert.ok(seen.good > 100 && seen.bad > 100, JSON.stringify(seen));
  });

  it("that formatAuthinfoValue made has no error and no mend", () => {
    const part = fc.uint8Array({ min: 1, minLength: 1, maxLength: 180 });
    // The SASL library refuses some names that begin with blanks.
    const name = part.filter(([first = 0]) => first > 0x20);
    const maybe = fc.option(name, { nil: undefined });
    const mechanisms = fc.subarray(OFFER);
    const property = fc.property(maybe, name, part, maybe, mechanisms, (authorizationId, authenticationId, password, realm, names) => {
      const value = formatAuthinfoValue({ authorizationId, authenticationId, password, realm, mechanisms: names });
      const source = `${KEY} ${value}\n`;
      if (source.length >= 1024) return;
      for (const { severity, edits, code } of lintSource(bytesOf(source))) assert.ok(severity !== "error" && edits === undefined, code);
    });
    fc.assert(property, { numRuns: 1000, interruptAfterTimeLimit: timeLimit(4000) });
  });
});

for (const file of ["authinfo.json", "authinfo-more.json"]) {
  describe(`the recorded runs of sendmail in ${file}`, () => {
    for (const { group, id, outcome, map_source_b64, makemap = "", map_flags, client_mechanisms, offer } of authinfoCases(file)) {
      // What is about the K line or the server is none of the entry's.
      if (map_flags !== undefined || client_mechanisms !== undefined || offer !== undefined) continue;
      it(`${group}: ${id}`, () => {
        const source = new Uint8Array(Buffer.from(map_source_b64, "base64"));
        const isExpected = outcome !== "authenticated" && !ELSEWHERE.includes(id);
        const keepCase = makemap.includes("f");
        const options = { allowEmptyValue: makemap.includes("e"), includeNul: makemap.includes("N"), keepCase };
        // A text that is read with -f is for a K line that has -f; a map is for one that has not.
        if (!keepCase) assert.equal(hasError(lintSource(source, options)), isExpected);
        const records = [...recordsOf(source, options)].map(([key, value]) => [bytesOf(key), value] as const);
        assert.equal(hasError(lintRecords(records)), isExpected);
      });
    }
  });
}
