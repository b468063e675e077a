/**
 * The findings of the check: each code has a configuration that brings it
 * about. That sendmail agrees is in cf-check-oracle.test.ts.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AUTHINFO_RULES } from "#src/sendmail-cf/authinfo-rules.js";
import { type CfFacts, checkCf, isCf, type MapFacts } from "#src/sendmail-cf/cf-check.js";
import { CF_FINDINGS, cfFindingText, cfMendText } from "#src/sendmail-cf/cf-findings.js";
import { applyEdits, patchCf } from "#src/sendmail-cf/cf-patch.js";
import { RELAY_CF, SUBMIT_CF } from "../support/cf-text.ts";

const RELAY = applied(RELAY_CF, patchCf(RELAY_CF, { role: "relay" }));
const CLIENT = applied(SUBMIT_CF, patchCf(SUBMIT_CF, { role: "client", relay: "relay.example.com" }));
const DATABASE = { kind: "database", type: "hash", records: 2, keyNuls: "none", upperCaseKeys: 0, mode: 0o640, gid: 106 } as const;

function applied(source: string, { edits }: ReturnType<typeof patchCf>): string {
  return applyEdits(source, edits);
}

type Database = Extract<MapFacts["content"], { kind: "database" }>;

function withMap(content: Partial<Database> | Exclude<MapFacts["content"], Database>, more: Partial<MapFacts> = {}): Partial<CfFacts> {
  const whole = content.kind === "missing" || content.kind === "unreadable" ? content : { ...DATABASE, ...content };
  return { map: (path) => ({ file: `${path}.db`, content: whole, writableFolder: undefined, ...more }) };
}

const FACTS: CfFacts = {
  domains: () => ({ domains: 2 }),
  map: (path) => ({ file: `${path}.db`, content: DATABASE, writableFolder: undefined }),
  groupOf: (user) => (user === "smmsp" ? 106 : undefined),
};

const seen = new Set<string>();

/** Those that are not met, with their lines. */
function faults(source: string, role: "relay" | "client", facts: Partial<CfFacts> = {}): string[] {
  const findings = checkCf(source, role, { ...FACTS, ...facts });
  for (const { code, status, args } of findings) {
    seen.add(code);
    assert.equal(status, CF_FINDINGS[code].status);
    // Every argument is filled in; braces of sendmail's own are left.
    for (const text of [cfFindingText(code, args), cfMendText(code, args) ?? ""]) {
      assert.doesNotMatch(text.replace(/\{(?:MTAHost|TrustAuthMech|server_name|server_addr)\}/g, ""), /[{}]|undefined/, code);
    }
    assert.equal(status === "met", cfMendText(code, args) === undefined, code);
  }
  return findings.filter(({ status }) => status !== "met").map(({ code, line }) => (line === undefined ? code : `${code} ${line}`));
}

function swap(text: string, from: string | RegExp, to: string): string {
  const result = text.replace(from, () => to);
  assert.notEqual(result, text, String(from));
  return result;
}

const relay = (from: string | RegExp, to: string): string => swap(RELAY, from, to);
const client = (from: string | RegExp, to: string): string => swap(CLIENT, from, to);
const K = "Kauthinfo hash /etc";
const RULES = AUTHINFO_RULES.map((rule) => `${rule}\n`).join("");
const [R1 = "", , , R4 = "", R5 = ""] = AUTHINFO_RULES;

describe("the check of a relay", () => {
  const cases: readonly [source: string, expected: readonly string[], facts?: Partial<CfFacts>][] = [
    [RELAY, []],
    [relay("FR-o", "#FR-o"), ["relay-domains-missing"]],
    [relay("FR-o ", "FR-o"), ["relay-domains-no-file 3"]],
    [relay("FR-o /etc/mail/relay-domains", "CRa.example.com"), []],
    [relay("FR-o", "F R-o"), ["class-name-missing 3", "relay-domains-missing"]],
    [RELAY, ["domains-file-missing 3"], { domains: () => ({ domains: undefined }) }],
    [relay("FR-o", "FR"), ["domains-file-fatal 3"], { domains: () => ({ domains: undefined }) }],
    [RELAY, ["domains-file-empty 3"], { domains: () => ({ domains: 0 }) }],
    [relay(", M=Ea", ""), ["authentication-not-required 6", "etrn-allowed 6"]],
    [relay("M=Ea", "M=EA"), ["authentication-disabled 6"]],
    [relay("O DaemonPortOptions=Name=MTA, M=Ea", ""), ["daemon-missing"]],
    [relay("O DaemonPortOptions=Name=MTA", "O DaemonPort=Name=MTA"), ["abbreviated-option 6"]],
    [relay("O DaemonPortOptions=Name=MTA", "O Daemon=Name=MTA"), ["abbreviated-option 6"]],
    [relay("O DaemonPortOptions=Name=MTA", "O Demon=Name=MTA"), ["unknown-option 6", "daemon-missing"]],
    [relay(/^C\{.*$/m, ""), ["trusted-mechanisms-missing"]],
    [relay(/^(C\{.*) PLAIN$/m, "C{TrustAuthMech}DIGEST-MD5 CRAM-MD5 LOGIN"), ["trusted-mechanisms-lacking 11"]],
    [relay(/^O AuthM.*$/m, ""), ["mechanisms-missing"]],
    [relay(/^O AuthM.*$/m, "O AuthMechanisms=LOGIN,PLAIN"), ["mechanisms-useless 12"]],
    [RELAY, [], { other: CLIENT }],
    [RELAY, ["mechanisms-not-common 12"], { other: "V10/x\nO AuthMechanisms=GSSAPI\n" }],
    [relay("Sauthinfo", "what\nSauthinfo"), ["unknown-line 14"]],
    [relay("Sauthinfo", "Sauthinfo\nR$* $1"), ["rule-without-tab 15"]],
    [relay("FR-o", "\tFR-o"), ["indented-line 3", "relay-domains-missing"]],
  ];
  for (const [i, [source, expected, facts]] of cases.entries())
    it(`${i + 1} finds ${expected.join(", ") || "nothing"}`, () => {
      assert.deepEqual(faults(source, "relay", facts), expected);
    });
});

describe("the check of a client", () => {
  const withRules = (rules: string): string => client(RULES, rules);
  const cases: readonly [source: string, expected: readonly string[], facts?: Partial<CfFacts>][] = [
    [CLIENT, []],
    [CLIENT, [], { relay: "[relay.example.com]" }],
    [client("DSrelay.example.com", "DS"), ["smart-host-missing 3"]],
    [CLIENT, ["smart-host-other 3"], { relay: "other.example.com" }],
    [client("[127.0.0.1]", ""), ["mta-host-missing 9"]],
    [client("O RunAsUser=smmsp", ""), ["run-as-user-missing"]],
    [client("RunAsUser=smmsp", "RunAsUser=root"), ["run-as-user-root 11"]],
    [client(K, "#"), ["map-line-missing"]],
    [client(K, "Kauthinfo dbm /etc"), ["map-class-unknown 7"]],
    [client(/^Kauthinfo.*$/m, "Kauthinfo hash"), ["map-path-missing 7"]],
    [client(K, `Kauthinfo hash /x\n${K}`), ["map-line-twice 7"]],
    [client(K, "Kauthinfo hash -m /etc"), ["map-match-only 7"]],
    [client(K, "Kauthinfo hash -N -O /etc"), ["map-never-asked 7"]],
    [client(K, "Kauthinfo hash -o /etc"), ["map-optional 7"]],
    [CLIENT, ["map-file-missing 7"], withMap({ kind: "missing" })],
    [CLIENT, ["map-file-unreadable 7"], withMap({ kind: "unreadable", why: "not a database" })],
    [CLIENT, ["map-name-differs 7"], withMap({}, { file: "/etc/mail/other.db" })],
    [CLIENT, ["map-type-differs 7"], withMap({ type: "btree" })],
    [client(K, "Kauthinfo hash -N /etc"), ["map-nul-asked 7"]],
    [client(K, "Kauthinfo hash -N /etc"), [], withMap({ keyNuls: "all" })],
    [client(K, "Kauthinfo hash -O /etc"), ["map-nul-not-asked 7"], withMap({ keyNuls: "all" })],
    [CLIENT, ["map-nul-mixed 7"], withMap({ keyNuls: "some" })],
    [CLIENT, ["map-case-folded 7"], withMap({ upperCaseKeys: 1 })],
    [client(K, "Kauthinfo hash -f /etc"), ["map-case-kept 7"]],
    [client(K, "Kauthinfo hash -f /etc"), [], withMap({ upperCaseKeys: 2 })],
    [CLIENT, ["map-readable-by-all 7"], withMap({ mode: 0o644 })],
    [CLIENT, ["map-not-readable 7"], withMap({ gid: 0 })],
    [CLIENT, ["map-not-readable 7"], withMap({ mode: 0o600 })],
    [client("RunAsUser=smmsp", "RunAsUser=nobody:here"), ["map-reader-unknown 7"]],
    [CLIENT, ["map-folder-open 7"], withMap({}, { writableFolder: "/etc/mail" })],
    [swap(CLIENT, "D{MTAHost}[127.0.0.1]\nDZ8.17.1/Submit\n", ""), ["map-folder-writable 7"], withMap({}, { writableFolder: "/etc/mail" })],
    [swap(client(RULES, ""), "Sauthinfo\n", ""), ["ruleset-missing"]],
    [
      client("Sauthinfo\n", "Sauthinfo\nSother\n"),
      ["rule-misplaced 20", "rule-misplaced 21", "rule-misplaced 22", ...Array.from({ length: 5 }, () => "rule-missing 18")],
    ],
    [withRules(swap(RULES, `${R4}\n`, "")), ["rule-missing 18"]],
    [withRules(swap(RULES, R5, R5.replace("\t", " "))), ["rule-blanks 23"]],
    [withRules(swap(RULES, R5, R5.replace("\t", " ").replace(" $1", "\t$1"))), ["rule-tab-misplaced 23"]],
    [withRules(swap(RULES, R1, R1.replace("\t\t", "\t \t"))), ["rule-side-missing 19"]],
    [withRules(`${swap(RULES, `${R4}\n`, "")}${R4}\n`), ["rules-order 18"]],
    [withRules(`R$*\t$@ no\n${RULES}`), ["rule-foreign 19"]],
    [withRules(`${RULES}R$*\t$@ no\n`), []],
    [withRules(swap(RULES, "no\tno", "no no")), ["rule-comment 22"]],
    [withRules(`${RULES}Sauthinfo\n${RULES}`), ["ruleset-twice 24"]],
    [client("O RunAsUser", "O DefaultAuthInfo=/x\nO RunAsUser"), ["default-auth-info 11"]],
  ];
  for (const [i, [source, expected, facts]] of cases.entries())
    it(`${i + 1} finds ${expected.join(", ") || "nothing"}`, () => {
      assert.deepEqual(faults(source, "client", facts), expected);
    });
});

describe("the check", () => {
  it("has a case for every code", () => {
    assert.deepEqual(
      Object.keys(CF_FINDINGS).filter((code) => !seen.has(code)),
      [],
    );
  });

  it("is for configurations alone", () => {
    assert.ok(isCf("# a remark\nV10/x\n"));
    for (const source of ["", "V2/x\n", "a text\n", " V10\n"]) assert.ok(!isCf(source), source);
  });
});
