/**
 * Manifests: a text is a fleet or has problems, each with its place and none
 * with a word of the text but names; the same as JSON is the same fleet; and
 * nothing of it comes to stand in what all objects inherit.
 */
import assert from "node:assert/strict";
import { parseDocument } from "yaml";
import { ManifestError, problemText } from "#src/artifacts/manifest-error.js";
import { ManifestFile } from "#src/artifacts/manifest-file.js";
import { resolveFleet } from "#src/artifacts/resolve-fleet.js";
import { bytesOf } from "../../support/bytes.ts";
import { assertSilent, CANARY, shapeOf } from "../oracle.ts";
import type { Note, Target } from "../target.ts";

const FILE = "tsmap.yaml";
const INHERITED = [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((each) => [each, inherited(each)] as const);

function inherited(prototype: object): string {
  return Reflect.ownKeys(prototype).map(String).join();
}

/** A fleet as JSON, without places, which another text has elsewhere. */
function fleetOf(text: string): string | ManifestError {
  try {
    const fleet = resolveFleet(new ManifestFile(FILE, text), {});
    return JSON.stringify(fleet, (key, value: unknown) => (key.toLowerCase().endsWith("place") && isPlace(value) ? undefined : value));
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error;
  }
}

function isPlace(value: unknown): boolean {
  return typeof value === "object" && value !== null && "file" in value && "line" in value;
}

function examineError(error: ManifestError, text: string, note: Note): void {
  assert.ok(error.problems.length > 0 && error.problems.length <= 51, `no problem, or too many: ${error.problems.length}`);
  const lines = text.split(/\r\n|\n|\r/).length;
  for (const problem of error.problems) {
    const { place, message } = problem;
    assert.equal(place.file, FILE, "a problem in no file");
    const isRest = /^and \d+ more/.test(message);
    const isPlaced = place.line !== undefined && place.line >= 1 && place.line <= lines && (place.column ?? 0) >= 1;
    assert.ok(isRest || isPlaced, `a problem has no place: ${problemText(problem)}`);
    assert.match(message, /^[^\n]*\S[^\n]*$/, "a problem is not a line");
    assertSilent(withoutNames(message, text), "a problem");
    note(shapeOf(message.replace(/^[^:]*:/, "")));
  }
}

/** Names of hosts, files, users and secrets may be said, as what a problem is about; but not where they are no keys. */
function withoutNames(message: string, text: string): string {
  if (!message.includes(CANARY)) return message;
  const keys: string[] = [];
  collectKeys(parseDocument(text, { merge: true, stringKeys: true, prettyErrors: false, logLevel: "silent" }).contents, keys);
  return keys.some((key) => key.includes(CANARY)) ? message.replace(/^(?:[^:"]|"(?:[^"\\]|\\.)*")*: /, "") : message;
}

interface Part {
  readonly items?: readonly Part[];
  readonly key?: { readonly value?: unknown };
  readonly value?: unknown;
}

function collectKeys(part: unknown, into: string[]): void {
  const { items, key, value } = (part ?? {}) as Part;
  if (typeof key?.value === "string") into.push(key.value);
  if (typeof value === "object") collectKeys(value, into);
  for (const item of items ?? []) collectKeys(item, into);
}

const MANIFEST = `version: 1
settings: { target: aix, output: out, allow-inline: true }
key: { env: KEY }
secrets:
  alice: { inline: ${CANARY}, changed: 2026-11-01 }
  bob: { sops: bob.yaml, field: [a, 0] }
policy: { min-length: 8, reuse: same-user, plain-text: { sent: forbid } }
profiles:
  relay: &relay
    auth-mechanisms: [SCRAM-SHA-256, PLAIN]
    databases: { sasldb2: { users: { alice: alice }, realm: example.com } }
hosts:
  relay.example.com:
    profile: [relay]
    databases:
      sasldb2: { install: /etc/sasldb2, mode: "0600", users: { bob: { password: bob, mechanisms: [OTP] } } }
  client.example.com:
    relays: [relay.example.com]
    maps:
      smtp-auth:
        entries:
          relay.example.com: { login: alice@example.com, password: alice }
      access: { source: access, type: btree, delimiter: ":" }
`;

export const target: Target = {
  name: "manifest",
  longest: 4000,
  covered: /\/node_modules\/yaml\/dist\//,
  batch: 32,
  dictionary: [
    CANARY,
    ...[
      "\n",
      "\n  ",
      "\n    ",
      "\r\n",
      "\t",
      "\0",
      "- ",
      "? ",
      ": ",
      ":",
      ",",
      "{",
      "}",
      "[",
      "]",
      "'",
      '"',
      "\\",
      "#",
      "|",
      ">",
      "~",
      "<<: ",
    ],
    ...[
      "&a ",
      "*a",
      "!x ",
      "!!set ",
      "!!binary ",
      "---\n",
      "...\n",
      "%YAML 1.2\n",
      "%TAG ! x\n",
      "\ufeff",
      "null",
      "true",
      "0640",
      '"0640"',
      ".inf",
    ],
    ...["__proto__", "__proto__: { polluted: 1 }", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "$schema"],
    ..."version settings key secrets policy profiles hosts target output allow-inline command-timeout byte-order hash-version page-size"
      .split(" ")
      .map((word) => `${word}`),
    ..."env file command age identity sops inline field changed min-length max-age reuse world-readable plain-text sent stored profile"
      .split(" ")
      .map((word) => `${word}`),
    ..."auth-mechanisms relays databases maps install owner group mode users realm mechanisms plain otp-hash generation password source"
      .split(" ")
      .map((word) => `${word}`),
    ..."entries type null keep-case empty-values duplicates delimiter comment user login".split(" ").map((word) => `${word}`),
    ...[
      "2026-11-25",
      "alice@a@b",
      "alice@",
      "@example.com",
      "[192.0.2.1]",
      "relay1",
      "SHA256SUMS",
      "provenance.json",
      "../x",
      "a/b",
      "1e999",
    ],
  ],
  *seeds(): Iterable<Uint8Array> {
    yield bytesOf(MANIFEST);
    yield Buffer.from(JSON.stringify(parseDocument(MANIFEST).toJS()));
  },
  run(input, note) {
    const text = Buffer.from(input).toString();
    const fleet = fleetOf(text);
    for (const [prototype, names] of INHERITED) assert.equal(inherited(prototype), names, "all objects have something new");
    if (fleet instanceof ManifestError) {
      examineError(fleet, text, note);
      assert.equal(String(fleetOf(text)), String(fleet), "the problems are others the second time");
      return;
    }
    note("a fleet");
    const { manifest } = new ManifestFile(FILE, text);
    assert.equal(String(fleetOf(JSON.stringify(manifest))), fleet, "as JSON it is another fleet");
  },
};
