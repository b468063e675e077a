/**
 * sendmail.cf and submit.cf: every reader has an answer to any text, the places
 * that it tells of are places in it, and a patch changes what it says that it
 * changes, and finds nothing more to do the second time.
 */
import assert from "node:assert/strict";
import { AUTHINFO_RULES } from "#src/sendmail-cf/authinfo-rules.js";
import { type CfFacts, checkCf } from "#src/sendmail-cf/cf-check.js";
import {
  type CfLine,
  classFilesOf,
  classLinesOf,
  configurationLevel,
  daemonsOf,
  macrosOf,
  mapsOf,
  optionsOf,
  parseRule,
  readCf,
  rulesetsOf,
  unknownLines,
  unknownOptions,
} from "#src/sendmail-cf/cf-file.js";
import { CF_FINDINGS } from "#src/sendmail-cf/cf-findings.js";
import { applyEdits, CF_REFUSALS, type ClientChanges, patchCf, type RelayChanges } from "#src/sendmail-cf/cf-patch.js";
import { mapTypeOf, trustedUsers } from "#src/sendmail-cf/control-file.js";
import { bytesOf, textOf } from "../../support/bytes.ts";
import { RELAY_CF, SUBMIT_CF } from "../../support/cf-text.ts";
import type { Note, Target } from "../target.ts";

const CHANGES: readonly (RelayChanges | ClientChanges)[] = [
  { role: "relay" },
  { role: "relay", domains: "/etc/mail/ours" },
  { role: "client", relay: "relay.example.com" },
  { role: "client", relay: "[relay.example.com]", map: "/etc/mail/ours.db", mtaHost: "127.0.0.1" },
];

const FACTS: CfFacts = {
  domains: (path) => ({ domains: path.length % 3 === 0 ? undefined : path.length % 3 }),
  map: (file) => ({ file, content: { kind: "missing" }, writableFolder: undefined }),
  groupOf: (user) => (/^\d+$/.test(user) ? Number(user) : undefined),
};

function examineLines(source: string, lines: readonly CfLine[]): void {
  assert.equal(lines.map(({ start, end }) => source.slice(start, end)).join(""), source, "the lines are not the text");
  let number = 1;
  for (const { line, lastLine, start, end } of lines) {
    assert.equal(line, number, "a line has another number");
    number = lastLine + 1;
    assert.equal(lastLine - line, source.slice(start, end - 1).split("\n").length - 1, "a line has another end");
  }
}

/** What readers say that a line has, and where. */
function examinePlaces(lines: readonly CfLine[]): void {
  const names = ["AuthMechanisms", "DaemonPortOptions", "DefaultAuthInfo", "RunAsUser"] as const;
  const settings = [
    ...names.flatMap((name) => optionsOf(lines, name)),
    ...["S", "Z", "MTAHost"].flatMap((name) => macrosOf(lines, name)),
    ...classLinesOf(lines, "TrustAuthMech"),
  ];
  for (const { line, value, valueAt } of settings) assert.equal(line.text.slice(valueAt), value, "a value is not where it is said to be");
  for (const { line, path, pathAt } of [...mapsOf(lines), ...classFilesOf(lines, "R"), ...classFilesOf(lines, "w")])
    if (path !== undefined) assert.equal(line.text.slice(pathAt, pathAt + path.length), path, "a path is not where it is said to be");
  for (const { option, modifiers } of daemonsOf(lines))
    if (modifiers !== undefined)
      assert.ok(option.line.text.startsWith(modifiers.letters, modifiers.at), "modifiers are not where they are said to be");
  for (const { header, rules } of rulesetsOf(lines))
    for (const rule of rules) assert.ok(rule.start >= header.end, "a rule before its ruleset");
  for (const line of lines) parseRule(line);
  unknownLines(lines);
  unknownOptions(lines);
}

function examinePatch(source: string, changes: RelayChanges | ClientChanges, note: Note): void {
  const { edits, refusals } = patchCf(source, changes);
  const count = source.split("\n").length;
  for (const { code, line } of refusals) {
    note(`${changes.role}: ${code}`);
    assert.ok(
      CF_REFUSALS[code] !== undefined && (line === undefined || (line >= 1 && line <= count)),
      `a refusal has no place: ${code} ${line}`,
    );
  }
  if (refusals.length > 0) {
    assert.deepEqual(edits, [], "what is refused is changed");
    return;
  }
  let last = 0;
  for (const { start, end } of edits) {
    assert.ok(start >= last && end >= start && end <= source.length, "edits overlap");
    last = end;
  }
  const patched = applyEdits(source, edits);
  const again = patchCf(patched, changes);
  assert.deepEqual(again, { edits: [], refusals: [] }, `a patched file is patched again: ${JSON.stringify(changes)}`);
}

function examineCheck(source: string, role: "relay" | "client", note: Note): void {
  const count = source.split("\n").length;
  for (const { code, status, line } of checkCf(source, role, { ...FACTS, other: source, relay: "relay.example.com" })) {
    note(`${role}: ${code} ${status}`);
    assert.ok(CF_FINDINGS[code] !== undefined, `a finding has no text: ${code}`);
    assert.ok(line === undefined || (line >= 1 && line <= count), `a finding has no place: ${code} ${line}`);
  }
}

function examineControlFile(source: string): void {
  const lines = source.split("\n");
  for (const user of trustedUsers(lines))
    assert.ok("unknownName" in user || (user.uid >= 0 && user.uid < 0xffffffff), `a user that cannot be: ${JSON.stringify(user)}`);
  for (const [name, byBaseName] of [
    ["authinfo", true],
    ["/etc/mail/authinfo/smtp-auth", false],
    ["", true],
  ] as const) {
    const type = mapTypeOf(lines, name, byBaseName);
    assert.ok(type === undefined || /^[A-Za-z0-9]+$/.test(type), `a type that is no word: ${type}`);
  }
}

export const target: Target = {
  name: "cf-file",
  longest: 8000,
  dictionary: [
    ...[
      "\n",
      "\r\n",
      "\n\t",
      "\n ",
      "\t",
      " ",
      "#",
      "\\#",
      "$#",
      "$=",
      "$&",
      "$",
      "\0",
      "\xa0",
      "\xff",
      "=",
      ",",
      ", M=A",
      "M=Ea",
      "M=",
      "-o",
    ],
    ...["V10/Test\n", "V2\n", "DSrelay.example.com\n", "DS\n", "D{MTAHost}[127.0.0.1]\n", "DZ8.17.1/Submit\n", "C{TrustAuthMech}LOGIN\n"],
    ...["O AuthMechanisms=LOGIN\n", "O AuthMech=x\n", "O  Auth=\n", "OOName=MTA\n", "O DaemonPortOptions=Name=MTA\n", "O RunAsUser=1\n"],
    ...[
      "O TrustedUser=smmsp\n",
      "O DefaultAuthInfo=x\n",
      "Kauthinfo hash -f -N /etc/mail/authinfo\n",
      "Kauthinfo hash\n",
      "Kauthinfo ldap x\n",
    ],
    ...[
      "Sauthinfo\n",
      "Sauthinfo=3\n",
      "Rx\ty\n",
      "Rx y\n",
      "R$*\t$(authinfo x $)\n",
      "#FR-o /etc/mail/relay-domains\n",
      "FR-o %s\n",
      "FR\n",
    ],
    ...[
      "#O AuthMechanisms=\n",
      "Karith arith\n",
      '# "Smart" relay host\n',
      "FR @ldap\n",
      'FR "/a b"\n',
      "#D{MTAHost}x\n",
      "X\n",
      "O Timeout.x=1\n",
    ],
    ...AUTHINFO_RULES.map((rule) => `${rule}\n`),
  ],
  *seeds(): Iterable<Uint8Array> {
    for (const source of [RELAY_CF, SUBMIT_CF]) {
      yield bytesOf(source);
      yield bytesOf(source.replaceAll("\n", "\r\n"));
    }
    for (const changes of CHANGES) {
      const source = changes.role === "relay" ? RELAY_CF : SUBMIT_CF;
      yield bytesOf(applyEdits(source, patchCf(source, changes).edits));
    }
  },
  run(input, note) {
    const source = textOf(input);
    const lines = readCf(source);
    examineLines(source, lines);
    examinePlaces(lines);
    note(`level ${configurationLevel(lines) === undefined ? "none" : "some"}`);
    for (const changes of CHANGES) examinePatch(source, changes, note);
    for (const role of ["relay", "client"] as const) examineCheck(source, role, note);
    examineControlFile(source);
  },
};
