/**
 * Values of AuthInfo entries: the parser has an answer to each, what it reads can
 * be written and read again, lint says what sendmail does, and nothing that is
 * said of a value has its password.
 */
import assert from "node:assert/strict";
import { predictClient } from "#src/authinfo/client.js";
import type { LintFinding } from "#src/authinfo/lint/finding.js";
import { fixSource } from "#src/authinfo/lint/fix-source.js";
import { lintRecords } from "#src/authinfo/lint/lint-records.js";
import { lintSource } from "#src/authinfo/lint/lint-source.js";
import { findingText, LINT_RULES, mendText } from "#src/authinfo/lint/rules.js";
import { expandPercent } from "#src/authinfo/percent.js";
import { resolveAuthinfo } from "#src/authinfo/resolve.js";
import { type AuthinfoValue, formatAuthinfoValue, parseAuthinfoValue } from "#src/authinfo/value.js";
import { lookupsJson, reasonText, shownReason } from "#src/cli/tsmap/authinfo-texts.js";
import { maskRecord } from "#src/map-file/secrets.js";
import { bytesOf, maybeTextOf, textOf } from "../../support/bytes.ts";
import type { Note, Target } from "../target.ts";

const KEY = "AuthInfo:relay";
const STORED_KEY = bytesOf(KEY.toLowerCase());
const SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512"];
const OFFER = ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN", ...SCRAM];
/** Of a shorter password nobody can tell whether it is said. */
const LEAST_SECRET = 6;
/** What is said anyway. */
const WORDS = JSON.stringify(LINT_RULES).toLowerCase();

function examineParts(value: Uint8Array, { items, stop, credentials, fault, special }: AuthinfoValue): void {
  let last = 0;
  assert.ok(items.length <= 7, "more items than sendmail reads");
  for (const { start, textStart, textEnd, end, text, isUnclosed } of items) {
    assert.ok(last <= start && start < textStart && textStart <= textEnd && textEnd <= end && end <= value.length, "an item has no place");
    assert.equal(value[start], 0x22, "an item begins with no quote");
    // A backslash at the end of a value takes the first of the quotes that sendmail supplies.
    assert.ok(text.length <= textEnd - textStart + (isUnclosed ? 1 : 0) && !text.includes(0), "an item is longer than its text");
    last = end;
  }
  assert.ok(stop.offset >= last && stop.offset <= value.length, "reading stopped where nothing is");
  if (fault !== undefined && "offset" in fault) assert.ok(fault.offset >= 0 && fault.offset <= value.length, "a fault has no place");
  assert.equal([credentials, fault, special].filter((part) => part !== undefined).length, 1, "not one answer");
}

function examineRoundTrip({ credentials }: AuthinfoValue): void {
  if (credentials === undefined) return;
  const { mechanisms, ...parts } = credentials;
  const names = mechanisms && textOf(mechanisms).split(" ");
  if (names !== undefined && !names.every((name) => /^[A-Za-z0-9_-]+$/.test(name))) return;
  let text: string;
  try {
    text = formatAuthinfoValue({ ...parts, mechanisms: names });
  } catch (error) {
    // What was base64 may be too long as it is, and the other way round.
    assert.ok(error instanceof RangeError, `writing failed: ${error}`);
    return;
  }
  const again = parseAuthinfoValue(expandPercent(bytesOf(text), bytesOf(KEY)).bytes).credentials;
  const all = (one: typeof again): unknown =>
    one && [one.authorizationId, one.authenticationId, one.password, one.realm, one.mechanisms].map(maybeTextOf);
  // There a byte 0xff is another to sendmail, unless it is in base64, as it is written.
  assert.deepEqual(all(again), all(credentials), "what is written is read as something else");
}

function said(findings: readonly LintFinding[]): string[] {
  return findings.map((finding) =>
    JSON.stringify([{ ...finding, edits: [] }, findingText(finding.code, finding.args), mendText(finding.code, finding.args)]),
  );
}

const hasError = (findings: readonly LintFinding[]): boolean => findings.some(({ severity }) => severity === "error");

/** The password as it is meant and as it is written, where it stands once, so that nothing else of the value is the same. */
function secretsOf(value: Uint8Array, { inForce: { P } }: AuthinfoValue, offsets: readonly number[] | undefined): string[] {
  if (P === undefined) return [];
  const placeOf = (offset: number): number => offsets?.[offset] ?? offset;
  const whole = textOf(value).toLowerCase();
  return [textOf(P.text), textOf(value.subarray(placeOf(P.textStart), placeOf(P.textEnd)))]
    .map((text) => text.toLowerCase())
    .filter((text) => text.length >= LEAST_SECRET && whole.split(text).length === 2 && !WORDS.includes(text));
}

function examineTexts(value: Uint8Array, secrets: readonly string[]): void {
  const source = bytesOf(`${KEY} ${textOf(value)}\n`);
  const fixed = fixSource(source);
  const resolution = resolveAuthinfo([{ key: STORED_KEY, data: value }], { name: "relay" });
  const masked = maskRecord(STORED_KEY, value);
  const texts = [
    ...said([...lintRecords([[STORED_KEY, value]]), ...lintSource(source), ...fixed.mended, ...fixed.remaining]),
    ...[reasonText(shownReason(resolution)) ?? "", JSON.stringify(lookupsJson(resolution.steps, resolution.entry))],
    textOf(masked.key) + textOf(masked.data),
  ];
  for (const secret of secrets) {
    const shown = texts.find((text) => text.toLowerCase().includes(secret));
    assert.equal(shown, undefined, `a password is said: ${secret}: ${shown}`);
  }
  assert.deepEqual(fixSource(fixed.bytes).mended, [], "what is mended is mended again");
}

/** Lint has an error where sendmail does not authenticate, and nowhere else. */
function examineLint(value: Uint8Array, expanded: AuthinfoValue, note: Note): void {
  const { outcome } = predictClient(expanded, { clientMechanisms: OFFER, serverMechanisms: OFFER });
  note(`outcome ${outcome}`);
  const isGood = outcome === "authenticates";
  const findings = lintRecords([[STORED_KEY, value]]);
  // Some server may offer it, though not this one.
  if (findings.some(({ code }) => code === "uncommon-mechanism")) return;
  assert.equal(hasError(findings), !isGood, "lint of a record says something else than the client does");
  const isSource = !/^[\t\v\f\r ]|^$|\n|\0/.test(textOf(value)) && value.length < 1000;
  if (isSource)
    assert.equal(
      hasError(lintSource(bytesOf(`${KEY} ${textOf(value)}\n`))),
      !isGood,
      "lint of a source says something else than the client does",
    );
}

export const target: Target = {
  name: "authinfo-value",
  longest: 1600,
  dictionary: [
    ...['"', "'", "\\", '\\"', "(", ")", "<", ">", "%", "%0", "%1", "%%", " ", "\t", "\r", "\n", "\0", "\xff", "\xa0", "=", ":", ",", "!"],
    ...['"U:', '"I:', '"P:', '"R:', '"M:', '"P=', '"U=', '"M=', "P:", "u:", '" "', '"U:user" ', '"P:secret-word" ', '"M:PLAIN LOGIN"'],
    ...["c2VjcmV0LXdvcmQ=", "dXNlcg==", "AA==", "=", "==", "?", "temp", "TEMPFAIL", "no", "$#", "\xe2\x80\x9c", "\xe2\x80\x9d"],
    ...["SCRAM-SHA-256", "DIGEST-MD5", "EXTERNAL", "GSSAPI", "ANONYMOUS", "OTP", "NTLM", "x".repeat(251), "y".repeat(300)],
  ],
  *seeds(): Iterable<Uint8Array> {
    yield bytesOf('"U:root" "I:dummyuser@hostname.domain.com" "P:12345" "R:realm" "M:PLAIN LOGIN"');
    yield bytesOf('"I=dXNlcg==" "P=c2VjcmV0LXdvcmQ="');
    yield bytesOf("?");
    yield bytesOf("temp");
  },
  run(value, note) {
    const parsed = parseAuthinfoValue(value);
    examineParts(value, parsed);
    examineRoundTrip(parsed);
    const { bytes, offsets } = expandPercent(value, bytesOf(KEY));
    assert.equal(offsets?.length ?? bytes.length + 1, bytes.length + 1, "the expansion has not one offset for each byte");
    assert.ok(
      offsets?.every((offset, i) => offset <= value.length && (i === 0 || offset >= (offsets[i - 1] as number))) ?? true,
      "offsets fall",
    );
    const expanded = parseAuthinfoValue(bytes);
    examineParts(bytes, expanded);
    examineLint(value, expanded, note);
    examineTexts(value, secretsOf(value, expanded, offsets));
    note(`fault ${expanded.fault?.code ?? expanded.special ?? "none"} ${expanded.stop.reason}`);
  },
};
