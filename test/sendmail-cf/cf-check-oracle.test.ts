/**
 * Damaged configurations, to tsmap cf check and to the real sendmail: what the
 * one calls missing or wrong the other does not do, and what it calls met the
 * other does.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AUTHINFO_RULES } from "#src/sendmail-cf/authinfo-rules.js";
import { applyEdits, type ClientChanges, patchCf, type RelayChanges } from "#src/sendmail-cf/cf-patch.js";
import { askOracle, EHLO, INSIDE, needsOracle, type OracleAnswer, type Probe, stockCf } from "../support/sendmail-oracle.ts";

interface Damage {
  readonly name: string;
  readonly change: (cf: string) => string;
  /** All that is missing or wrong then, in the order of cf check. */
  readonly codes: readonly string[];
}

/** @throws {Error} the text is not there: then there would be no damage. */
function swap(from: string, to: string): (cf: string) => string {
  return (cf) => {
    assert.ok(cf.includes(from), `no ${from}`);
    return cf.replace(from, () => to);
  };
}

function patched(cf: string, changes: RelayChanges | ClientChanges): string {
  const { edits, refusals } = patchCf(cf, changes);
  assert.deepEqual(refusals, []);
  return applyEdits(cf, edits);
}

/** What sendmail does with a configuration, read from its output. */
type Reading = (outputs: OracleAnswer["outputs"]) => boolean;

interface Duty {
  /** The codes, as a pattern, with which sendmail does not do it. */
  readonly codes: RegExp;
  readonly isDone: Reading;
}

function judge(answer: OracleAnswer, duties: Readonly<Record<string, Duty>>): Record<string, readonly [says: boolean, does: boolean]> {
  const faults = answer.findings.filter(({ status }) => status === "missing" || status === "wrong").map(({ code }) => code);
  return Object.fromEntries(
    Object.entries(duties).map(([name, { codes, isDone }]) => [name, [!faults.some((code) => codes.test(code)), isDone(answer.outputs)]]),
  );
}

function compare(damages: readonly Damage[], answers: readonly OracleAnswer[], duties: Readonly<Record<string, Duty>>): void {
  const seen = new Set<string>();
  for (const [i, { name, codes }] of damages.entries()) {
    const answer = answers[i] as OracleAnswer;
    const faults = answer.findings.filter(({ status }) => status === "missing" || status === "wrong").map(({ code }) => code);
    const shown = `${name}\n${JSON.stringify(answer.outputs, null, 1)}`;
    assert.deepEqual(faults, codes, shown);
    assert.equal(answer.exit, codes.length > 0 ? 1 : 0, shown);
    for (const [duty, [says, does]] of Object.entries(judge(answer, duties))) {
      assert.equal(says, does, `${duty}: cf check says ${says}, sendmail ${does}: ${shown}`);
      seen.add(`${duty} ${does}`);
    }
  }
  // Each of them is seen both ways: none of the readings can say one thing alone.
  for (const duty of Object.keys(duties)) for (const way of [true, false]) assert.ok(seen.has(`${duty} ${way}`), `${duty} is never ${way}`);
}

/** With these sendmail names the line at its start, and does nothing else. */
const FATAL =
  "unknown-line|unknown-option|rule-without-tab|class-name-missing|relay-domains-no-file|domains-file-fatal|map-path-missing|map-class-unknown|rule-blanks|rule-side-missing";

function isRead(output = ""): boolean {
  return !/^\/\S+: line \d+: (?!Option \S+ used as abbreviation)/m.test(output);
}

/** The codes, and those with which nothing is done at all. */
function orFatal(codes: string): RegExp {
  return new RegExp(`^(?:${codes}|${FATAL})`);
}

const same = (cf: string): string => cf;

describe("tsmap cf check of a relay", () => {
  const DAEMON = "O DaemonPortOptions=Name=MTA, M=Ea\n";
  const DOMAINS = `FR-o ${INSIDE}/relay-domains\n`;
  const TRUST = "C{TrustAuthMech}EXTERNAL GSSAPI OTP DIGEST-MD5 CRAM-MD5 LOGIN PLAIN\n";
  const MECHANISMS = "O AuthMechanisms=EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5 LOGIN PLAIN\n";
  const daemon = (line: string): ((cf: string) => string) => swap(DAEMON, line);
  const domains = (line: string): ((cf: string) => string) => swap(DOMAINS, line);
  const both = ["authentication-not-required", "etrn-allowed"];

  const damages: readonly Damage[] = [
    { name: "as cf patch makes it", change: same, codes: [] },
    { name: "lines that end in CR LF", change: (cf) => cf.replaceAll("\n", "\r\n"), codes: [] },
    { name: "no M=", change: daemon("O DaemonPortOptions=Name=MTA\n"), codes: both },
    { name: "M=E", change: daemon("O DaemonPortOptions=Name=MTA, M=E\n"), codes: ["authentication-not-required"] },
    { name: "M=a", change: daemon("O DaemonPortOptions=Name=MTA, M=a\n"), codes: ["etrn-allowed"] },
    { name: "M=EA", change: daemon("O DaemonPortOptions=Name=MTA, M=EA\n"), codes: ["authentication-disabled"] },
    { name: "M=EaA", change: daemon("O DaemonPortOptions=Name=MTA, M=EaA\n"), codes: ["authentication-disabled"] },
    { name: "no comma", change: daemon("O DaemonPortOptions=Name=MTA M=Ea\n"), codes: both },
    { name: "a semicolon for a comma", change: daemon("O DaemonPortOptions=Name=MTA; M=Ea\n"), codes: both },
    { name: "M= twice", change: daemon("O DaemonPortOptions=Name=MTA, M=a, M=E\n"), codes: ["authentication-not-required"] },
    { name: "m= and blanks", change: daemon("O DaemonPortOptions=Name=MTA,m = E a\n"), codes: [] },
    { name: "M= in a remark", change: daemon("O DaemonPortOptions=Name=MTA # , M=Ea\n"), codes: both },
    { name: "M= on the next line", change: daemon("O DaemonPortOptions=Name=MTA,\n\tM=Ea\n"), codes: [] },
    { name: "the option of one letter", change: daemon("OOName=MTA, M=Ea\n"), codes: [] },
    { name: "the option in lower case", change: daemon("O daemonportoptions=Name=MTA, M=Ea\n"), codes: [] },
    { name: "the option abbreviated", change: daemon("O DaemonPort=Name=MTA, M=Ea\n"), codes: [] },
    { name: "a tab behind O", change: daemon("O\tDaemonPortOptions=Name=MTA, M=Ea\n"), codes: ["unknown-option", "daemon-missing"] },
    { name: "two blanks behind O", change: daemon("O  DaemonPortOptions=Name=MTA, M=Ea\n"), codes: ["unknown-option", "daemon-missing"] },
    { name: "the option misspelt", change: daemon("O DaemonPortOptoins=Name=MTA, M=Ea\n"), codes: ["unknown-option", "daemon-missing"] },
    { name: "the option twice", change: daemon(`O DaemonPortOptions=Name=MTA\n${DAEMON}`), codes: both },
    { name: "a blank before the option", change: daemon(` ${DAEMON}`), codes: ["indented-line", "daemon-missing"] },
    { name: "no line of the class R", change: domains(""), codes: ["relay-domains-missing"] },
    { name: "that line is a comment", change: domains(`#${DOMAINS}`), codes: ["relay-domains-missing"] },
    { name: "-o and the path are one word", change: domains(`FR-o${INSIDE}/relay-domains\n`), codes: ["relay-domains-no-file"] },
    { name: "no -o", change: domains(`FR ${INSIDE}/relay-domains\n`), codes: [] },
    { name: "no -o, and no blank", change: domains(`FR${INSIDE}/relay-domains\n`), codes: [] },
    { name: "the class in braces, the path in quotes", change: domains(`F{R} -o "${INSIDE}/relay-domains"\n`), codes: [] },
    { name: "another class", change: domains(`Fr-o ${INSIDE}/relay-domains\n`), codes: ["relay-domains-missing"] },
    {
      name: "a blank behind F",
      change: domains(`F R-o ${INSIDE}/relay-domains\n`),
      codes: ["class-name-missing", "relay-domains-missing"],
    },
    { name: "no such file", change: domains(`FR-o ${INSIDE}/nowhere\n`), codes: ["domains-file-missing"] },
    { name: "no such file, and no -o", change: domains(`FR ${INSIDE}/nowhere\n`), codes: ["domains-file-fatal"] },
    { name: "a file of comments", change: domains(`FR-o ${INSIDE}/no-domains\n`), codes: ["domains-file-empty"] },
    { name: "a remark behind the path", change: domains(`FR-o ${INSIDE}/relay-domains # ours\n`), codes: [] },
    { name: "domains on a C line", change: domains("CRaustin.example.com\n"), codes: [] },
    { name: "no AuthMechanisms", change: swap(MECHANISMS, ""), codes: ["mechanisms-missing"] },
    { name: "AuthMechanisms with commas", change: swap(MECHANISMS, "O AuthMechanisms=LOGIN,PLAIN\n"), codes: ["mechanisms-useless"] },
    { name: "AuthMechanisms without a password", change: swap(MECHANISMS, "O AuthMechanisms=GSSAPI\n"), codes: ["mechanisms-useless"] },
    {
      name: "AuthMechanisms of SCRAM",
      change: swap(MECHANISMS, "O AuthMechanisms=SCRAM-SHA-256 SCRAM-SHA-1\n"),
      codes: ["trusted-mechanisms-lacking"],
    },
    { name: "AuthMechanisms of OTP", change: swap(MECHANISMS, "O AuthMechanisms=OTP\n"), codes: [] },
    { name: "AuthMechanisms in lower case", change: swap(MECHANISMS, "O AuthMechanisms=login plain\n"), codes: [] },
    { name: "AuthMechanisms of one name", change: swap(MECHANISMS, "O AuthMechanisms=CRAM-MD5\n"), codes: [] },
    { name: "AuthMechanisms twice", change: swap(MECHANISMS, `${MECHANISMS}O AuthMechanisms=GSSAPI\n`), codes: ["mechanisms-useless"] },
    { name: "AuthMechanisms abbreviated", change: swap("O AuthMechanisms=EXT", "O AuthMechanism=EXT"), codes: [] },
    { name: "no TrustAuthMech", change: swap(TRUST, ""), codes: ["trusted-mechanisms-missing"] },
    {
      name: "TrustAuthMech in lower case",
      change: swap(TRUST, TRUST.replace("TrustAuthMech", "trustauthmech")),
      codes: ["trusted-mechanisms-missing"],
    },
    { name: "TrustAuthMech with commas", change: swap(TRUST, TRUST.replaceAll(" ", ",")), codes: ["trusted-mechanisms-lacking"] },
    { name: "TrustAuthMech without PLAIN", change: swap(TRUST, TRUST.replace(" PLAIN", "")), codes: ["trusted-mechanisms-lacking"] },
    { name: "TrustAuthMech with small letters", change: swap(TRUST, "C{TrustAuthMech}digest-md5 cram-md5 login plain\n"), codes: [] },
    {
      name: "TrustAuthMech on two lines",
      change: swap(TRUST, "C{TrustAuthMech}DIGEST-MD5 CRAM-MD5\nC{TrustAuthMech} LOGIN PLAIN\n"),
      codes: [],
    },
    { name: "a line of no kind", change: swap(TRUST, `${TRUST}Wide open\n`), codes: ["unknown-line"] },
  ];

  /** May somebody from elsewhere send to an address, after he authenticated with a mechanism? */
  const ask = (address: string, mechanism: string): string[] => [`.D{auth_type}${mechanism}`, `Rcpt_ok ${address}`];
  const MAY_RELAY = [
    ...[".D{client_addr}192.0.2.77", ".D{client_name}client.example.net", ...ask("u@austin.example.com", "")],
    ...["SCRAM-SHA-256", "SCRAM-SHA-1", "OTP", "DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"].flatMap((name) =>
      ask(`${name}@remote.example.org`, name),
    ),
    "",
  ].join("\n");
  const probes: Readonly<Record<string, Probe>> = {
    test: { script: '"$sendmail" -C "$CF" -bt -d37.8', input: MAY_RELAY },
    ehlo: EHLO,
  };

  /** The flags of the daemons of port 25. */
  const flags = (output: string): string[] =>
    Array.from(output.matchAll(/^Daemon (?!MSA)(.*) flags: ?(.*)$/gm), ([, , found = ""]) => found);
  const offered = ({ ehlo = "" }: OracleAnswer["outputs"]): string[] =>
    (/^250-AUTH (.*?)\r?$/m.exec(ehlo)?.[1] ?? "")
      .toUpperCase()
      .split(" ")
      .filter((name) => name !== "");
  const relays = ({ test = "" }: OracleAnswer["outputs"], user: string): boolean =>
    new RegExp(`^(?:> )*Rcpt_ok +input: ${user} @ .*\\n(?:(?!(?:> )*Rcpt_ok ).*\\n)*?Rcpt_ok +returns: (?:\\$# )?RELAY$`, "m").test(test);

  const duties: Readonly<Record<string, Duty>> = {
    "the main daemon requires authentication": {
      codes: /^authentication-|^daemon-missing$/,
      isDone: ({ test: daemons = "" }) =>
        flags(daemons).length > 0 && flags(daemons).every((found) => found.includes("AUTHREQ") && !found.includes("NOAUTH")),
    },
    "the main daemon refuses ETRN": {
      codes: /^etrn-|^daemon-missing$/,
      isDone: ({ test: daemons = "" }) => flags(daemons).length > 0 && flags(daemons).every((found) => found.includes("NOETRN")),
    },
    "mail to the domains that are listed is relayed": {
      codes: /^relay-domains-|^domains-file-/,
      isDone: (outputs) => relays(outputs, "u"),
    },
    "mechanisms with a password are offered": { codes: orFatal("mechanisms-useless"), isDone: (outputs) => offered(outputs).length > 0 },
    "more than the mechanisms of its own are offered": {
      codes: orFatal("mechanisms-"),
      isDone: (outputs) => offered(outputs).length > 0 && offered(outputs).join(" ") !== "DIGEST-MD5 CRAM-MD5",
    },
    "who authenticates may relay": {
      codes: /^trusted-/,
      isDone: (outputs) => offered(outputs).every((name) => relays(outputs, name)),
    },
    "the file is read without complaint": {
      codes: orFatal("-"),
      isDone: ({ test }) => isRead(test),
    },
  };

  it("agrees with sendmail", (t) => {
    if (!needsOracle(t)) return;
    const good = patched(stockCf("relay"), { role: "relay", domains: `${INSIDE}/relay-domains` });
    const prepare = "printf '# ours\\n austin.example.com and a remark\\n' > relay-domains; printf '# none\\n\\n' > no-domains";
    const cases = damages.map(({ change }) => ({ cf: change(good), check: ["--role", "relay"], probes }));
    compare(damages, askOracle(t, prepare, cases), duties);
  });
});

describe("tsmap cf check of a client", () => {
  const MAP = `${INSIDE}/m/smtp-auth`;
  const K = `Kauthinfo hash ${MAP}\n`;
  const map = (line: string): ((cf: string) => string) => swap(K, line);
  const RULES = AUTHINFO_RULES.map((rule) => `${rule}\n`);
  const [R1 = "", R2 = "", R3 = "", R4 = "", R5 = ""] = RULES;
  const BLOCK = `Sauthinfo\n${RULES.join("")}`;
  const block = (text: string): ((cf: string) => string) => swap(BLOCK, text);
  const rules = (...list: readonly string[]): ((cf: string) => string) => block(`Sauthinfo\n${list.join("")}`);
  const blanks = (rule: string): string => rule.replaceAll("\t", "    ");
  /** As the guide has it in print. */
  const PRINTED = "R<?>\t$@ no                           no authinfo available\n";
  const submission = (option: string, line: string): ((cf: string) => string) => swap(option, line);
  const missing = (...numbers: readonly number[]): string[] => numbers.map(() => "rule-missing");

  const damages: readonly Damage[] = [
    { name: "as cf patch makes it", change: same, codes: [] },
    { name: "lines that end in CR LF", change: (cf) => cf.replaceAll("\n", "\r\n"), codes: [] },
    { name: "no K line", change: map(""), codes: ["map-line-missing"] },
    { name: "a blank before K", change: map(` ${K}`), codes: ["indented-line", "map-line-missing"] },
    { name: "tabs in the K line", change: map(K.replaceAll(" ", "\t")), codes: [] },
    { name: "the K line goes on in the next", change: map(K.replace("hash ", "hash\n\t")), codes: [] },
    { name: "KAuthinfo HASH", change: map(K.replace("Kauthinfo hash", "KAuthinfo HASH")), codes: [] },
    { name: "a remark behind the path", change: map(K.replace("\n", " # a remark\n")), codes: [] },
    { name: "the path ends in .db", change: map(K.replace("\n", ".db\n")), codes: [] },
    { name: "the path in quotes", change: map(`Kauthinfo hash "${MAP}"\n`), codes: ["map-file-missing"] },
    { name: "no path", change: map("Kauthinfo hash\n"), codes: ["map-path-missing"] },
    { name: "another path", change: map(K.replace("smtp-auth", "nowhere")), codes: ["map-file-missing"] },
    { name: "another path, and -o", change: map(`Kauthinfo hash -o ${INSIDE}/m/nowhere\n`), codes: ["map-file-missing"] },
    { name: "an unknown class", change: map(K.replace("hash", "hsh")), codes: ["map-class-unknown"] },
    { name: "the class dbm", change: map(K.replace("hash", "dbm")), codes: ["map-class-unknown"] },
    { name: "a btree file to hash", change: map(K.replace("smtp-auth", "btree")), codes: ["map-type-differs"] },
    { name: "a btree file to btree", change: map(`Kauthinfo btree ${INSIDE}/m/btree\n`), codes: [] },
    { name: "a hash file to btree", change: map(K.replace("hash", "btree")), codes: ["map-type-differs"] },
    { name: "two K lines, the second good", change: map(`Kauthinfo hash ${INSIDE}/m/nowhere\n${K}`), codes: [] },
    { name: "two K lines, the first good", change: map(`${K}Kauthinfo hash ${INSIDE}/m/nowhere\n`), codes: ["map-file-missing"] },
    { name: "-N and a map without NULs", change: map(K.replace("hash", "hash -N")), codes: ["map-nul-asked"] },
    { name: "-N and a map with NULs", change: map(`Kauthinfo hash -N ${INSIDE}/m/nul\n`), codes: [] },
    { name: "a map with NULs", change: map(K.replace("smtp-auth", "nul")), codes: [] },
    { name: "-O and a map with NULs", change: map(`Kauthinfo hash -O ${INSIDE}/m/nul\n`), codes: ["map-nul-not-asked"] },
    { name: "-O", change: map(K.replace("hash", "hash -O")), codes: [] },
    { name: "-N -O", change: map(`Kauthinfo hash -N -O ${INSIDE}/m/nul\n`), codes: ["map-never-asked"] },
    { name: "some keys with a NUL", change: map(K.replace("smtp-auth", "mixed")), codes: ["map-nul-mixed"] },
    { name: "keys in upper case", change: map(K.replace("smtp-auth", "upper")), codes: ["map-case-folded"] },
    { name: "-f and keys in upper case", change: map(`Kauthinfo hash -f ${INSIDE}/m/upper\n`), codes: [] },
    { name: "-f", change: map(K.replace("hash", "hash -f")), codes: ["map-case-kept"] },
    { name: "-of, of which the o counts", change: map(`Kauthinfo hash -of ${INSIDE}/m/upper\n`), codes: ["map-case-folded"] },
    { name: "-m", change: map(K.replace("hash", "hash -m")), codes: ["map-match-only"] },
    { name: "a file of text", change: map(K.replace("smtp-auth", "text")), codes: ["map-file-unreadable"] },
    { name: "an empty file", change: map(K.replace("smtp-auth", "zero")), codes: ["map-file-unreadable"] },
    { name: "a folder that everybody may write to", change: map(K.replace("/m/", "/open/")), codes: [] },
    { name: "a folder that its group may write to", change: map(K.replace("/m/", "/group/")), codes: [] },
    { name: "a map for its owner alone", change: map(K.replace("smtp-auth", "private")), codes: ["map-not-readable"] },
    { name: "a map for another group", change: map(K.replace("smtp-auth", "other")), codes: ["map-not-readable"] },
    { name: "a map for everybody", change: map(K.replace("smtp-auth", "public")), codes: [] },

    { name: "no ruleset", change: block(""), codes: ["ruleset-missing"] },
    { name: "no header", change: block(RULES.join("")), codes: ["rule-misplaced", "rule-misplaced", "rule-misplaced", "ruleset-missing"] },
    {
      name: "the header in upper case",
      change: swap("\nSauthinfo\n", "\nSAuthinfo\n"),
      codes: ["rule-misplaced", "rule-misplaced", "rule-misplaced", "ruleset-missing"],
    },
    {
      name: "a blank before the header",
      change: swap("\nSauthinfo\n", "\n Sauthinfo\n"),
      codes: ["indented-line", "rule-misplaced", "rule-misplaced", "rule-misplaced", "ruleset-missing"],
    },
    {
      name: "another header before the rules",
      change: block(`Sauthinfo\nSother\n${RULES.join("")}`),
      codes: ["rule-misplaced", "rule-misplaced", "rule-misplaced", ...missing(1, 2, 3, 4, 5)],
    },
    { name: "no rules", change: rules(), codes: missing(1, 2, 3, 4, 5) },
    { name: "the block repeated below the empty one", change: block(`Sauthinfo\n\n${BLOCK}`), codes: [] },
    { name: "the block twice", change: block(BLOCK + BLOCK), codes: [] },
    { name: "a blank behind S, and =", change: swap("\nSauthinfo\n", "\nS authinfo=77\n"), codes: [] },
    { name: "the fourth rule as printed", change: rules(R1, R2, R3, PRINTED, R5), codes: [] },
    { name: "three tabs for each", change: rules(...RULES.map((rule) => rule.replaceAll("\t", "\t\t\t"))), codes: [] },
    { name: "blanks around the tabs", change: rules(...RULES.map((rule) => rule.replace(/\t+/g, " $& "))), codes: [] },
    { name: "a blank between two tabs", change: rules(R1.replace("\t\t", "\t \t"), R2, R3, R4, R5), codes: ["rule-side-missing"] },
    { name: "remarks behind the rules", change: rules(...RULES.map((rule) => rule.replace("\n", " # remark\n"))), codes: [] },
    {
      name: "blanks for all tabs",
      change: rules(...RULES.map(blanks)),
      codes: ["rule-blanks", "rule-blanks", "rule-blanks", "rule-blanks", "rule-blanks"],
    },
    ...RULES.map((rule, i) => ({
      name: `blanks for the tabs of rule ${i + 1}`,
      change: rules(...RULES.with(i, blanks(rule))),
      codes: ["rule-blanks"],
    })),
    {
      name: "a tab before the comment of rule 4 alone",
      change: rules(R1, R2, R3, "R<?>    $@ no\tno authinfo available\n", R5),
      codes: ["rule-tab-misplaced"],
    },
    ...RULES.map((_, i) => ({ name: `no rule ${i + 1}`, change: rules(...RULES.toSpliced(i, 1)), codes: ["rule-missing"] })),
    { name: "rule 5 before rule 4", change: rules(R1, R2, R3, R5, R4), codes: ["rules-order"] },
    { name: "rule 2 before rule 1", change: rules(R2, R1, R3, R4, R5), codes: ["rules-order"] },
    { name: "rule 5 first", change: rules(R5, R1, R2, R3, R4), codes: ["rules-order"] },
    { name: "rule 4 first", change: rules(R4, R1, R2, R3, R5), codes: ["rules-order"] },
    { name: "another rule first", change: rules("R$*\t$@ no\n", ...RULES), codes: ["rule-foreign"] },
    { name: "another rule last", change: rules(...RULES, "R$*\t$@ no\n"), codes: [] },
    {
      name: "another map in the rules",
      change: rules(...RULES.map((rule) => rule.replace("(authinfo", "(authinf"))),
      codes: ["rule-foreign", "rule-foreign", "rule-foreign", ...missing(1, 2, 3)],
    },
    { name: "the name of the map in upper case", change: rules(...RULES.map((rule) => rule.replace("(authinfo", "(AUTHINFO"))), codes: [] },
    {
      name: "another macro in rule 1",
      change: rules(R1.replace("server_name", "servername"), R2, R3, R4, R5),
      codes: ["rule-foreign", "rule-missing"],
    },
    { name: "no & in rule 2", change: rules(R1, R2.replace("$&", "$"), R3, R4, R5), codes: ["rule-foreign", "rule-missing"] },
    { name: "a tab in the right side of rule 5", change: rules(R1, R2, R3, R4, "R<$*>\t$#\t$1\n"), codes: ["rule-tab-misplaced"] },
    { name: "a no-break space for a tab", change: rules(R1, R2, R3, R4, "R<$*>\u00a0$# $1\n"), codes: ["rule-blanks"] },

    {
      name: "a rule without a tab in another ruleset",
      change: swap("\nSauthinfo\n", "\nSother\nR$* $: $1\nSauthinfo\n"),
      codes: ["rule-without-tab"],
    },
    { name: "no DS", change: submission("\nDS[192.0.2.9]\n", "\nDS\n"), codes: ["smart-host-missing"] },
    { name: "two DS", change: submission("\nDS[192.0.2.9]\n", "\nDS[192.0.2.9]\nDS[192.0.2.10]\n"), codes: ["smart-host-other"] },
    { name: "another DS", change: submission("\nDS[192.0.2.9]\n", "\nDS[192.0.2.10]\n"), codes: ["smart-host-other"] },
    { name: "DS with a mailer", change: submission("\nDS[192.0.2.9]\n", "\nDSrelay:[192.0.2.9]\n"), codes: [] },
    { name: "an empty MTAHost", change: submission("D{MTAHost}[127.0.0.1]", "D{MTAHost}"), codes: ["mta-host-missing"] },
    { name: "no RunAsUser", change: submission("O RunAsUser=mail\n", ""), codes: ["run-as-user-missing"] },
    {
      name: "RunAsUser root",
      change: submission("O RunAsUser=mail\n", "O RunAsUser=root\n"),
      codes: ["run-as-user-root"],
    },
    { name: "RunAsUser by number", change: submission("O RunAsUser=mail\n", "O RunAsUser=8:8\n"), codes: [] },
    { name: "no AuthMechanisms", change: (cf) => cf.replace(/^O AuthMechanisms=.*\n/m, ""), codes: ["mechanisms-missing"] },
    {
      name: "AuthMechanisms with commas",
      change: (cf) => cf.replace(/^O AuthMechanisms=.*\n/m, "O AuthMechanisms=LOGIN,PLAIN\n"),
      codes: ["mechanisms-useless"],
    },
    { name: "a line of no kind", change: map(`${K}authinfo hash ${MAP}\n`), codes: ["unknown-line"] },
  ];

  const ASK = [
    ...[".D{server_name}relay.example.com", ".D{server_addr}192.0.2.99", "authinfo name"],
    ...[".D{server_name}nowhere.example.com", ".D{server_addr}192.0.2.1", "authinfo address"],
    ...[".D{server_addr}192.0.2.99", "authinfo none", ""],
  ].join("\n");
  /** As whoever hands mail in: anybody, in the group of RunAsUser, which is mail's. */
  const AS_GROUP = '"$setpriv" --reuid=65534 --regid=8 --clear-groups';
  const probes: Readonly<Record<string, Probe>> = {
    lookups: { script: `${AS_GROUP} "$sendmail" -C "$CF" -bt`, input: ASK },
    // Another map, and the same rules.
    any: {
      script: `{ sed '/^[ \t]*[Kk][Aa]uthinfo/d' "$CF"; echo 'Kauthinfo hash ${INSIDE}/m/any'; } > "$CF.any"; ${AS_GROUP} "$sendmail" -C "$CF.any" -bt`,
      input: ASK,
    },
    routes: { script: '"$sendmail" -C "$CF" -bv user@remote.example.org localname' },
    ehlo: EHLO,
  };

  /** What the ruleset returns, by the word that it is called with. */
  const returned = (output = "", word: string): string | undefined =>
    new RegExp(`^(?:> )*authinfo +input: ${word}\\n(?:(?!(?:> )*authinfo ).*\\n)*?authinfo +returns: (.*)$`, "m").exec(output)?.[1]?.trim();
  const entry = (word: string): string => `$# "U:${word}" "P:12345"`;

  const isOffered = ({ ehlo = "" }: OracleAnswer["outputs"], name: RegExp): boolean => name.test(/^250-AUTH .*$/m.exec(ehlo)?.[0] ?? "");
  const duties: Readonly<Record<string, Duty>> = {
    "the entries are found, and where there is none there is no authentication": {
      codes: /^map-|^rule(?!-without-tab)/,
      isDone: ({ lookups, any }) =>
        ["name", "address"].every((word) => returned(lookups, word) === entry(word)) &&
        /^no\b/.test(returned(lookups, "none") ?? "") &&
        returned(any, "none") === entry("any"),
    },
    "the submission program has a user": {
      codes: orFatal("run-as-user"),
      isDone: ({ routes = "" }) => isRead(routes) && !routes.includes("must have RunAsUser set"),
    },
    "mail for elsewhere goes to the relay": {
      codes: orFatal("smart-host|run-as-user"),
      isDone: ({ routes = "" }) => /^user@.*host \[192\.0\.2\.9\]/m.test(routes),
    },
    "mail for local names goes somewhere": {
      codes: orFatal("mta-host|run-as-user"),
      isDone: ({ routes = "" }) => /^localname\.\.\. deliverable/m.test(routes),
    },
    "mechanisms with a password are known": {
      codes: orFatal("mechanisms-useless|run-as-user"),
      isDone: (outputs) => isOffered(outputs, /DIGEST-MD5|CRAM-MD5|LOGIN|PLAIN/),
    },
    "LOGIN and PLAIN are known": { codes: orFatal("mechanisms-|run-as-user"), isDone: (outputs) => isOffered(outputs, /LOGIN PLAIN/) },
    "the file is read without complaint": {
      codes: orFatal("-"),
      isDone: ({ lookups }) => isRead(lookups),
    },
  };
  it("agrees with sendmail", (t) => {
    if (!needsOracle(t)) return;
    const stock = stockCf("submit").replaceAll("smmsp", "mail").replaceAll("/var/spool/clientmqueue", `${INSIDE}/queue`);
    const good = patched(stock, { role: "client", relay: "[192.0.2.9]", map: MAP });
    // A name and an address.
    const source = "{ line relay.example.com name; line 192.0.2.1 address; }";
    const prepare = [
      `line() { printf 'AuthInfo:%s "U:%s" "P:12345"\\n' "$1" "$2"; }`,
      "mkdir queue m open group",
      "chown mail:mail queue && chmod 0770 queue && chmod 0777 open && chmod 0775 group",
      `for map in m/smtp-auth open/smtp-auth group/smtp-auth m/private m/other m/public; do ${source} | "$makemap" hash $map; done`,
      `${source} | "$makemap" btree m/btree; ${source} | "$makemap" -N hash m/nul; ${source} | "$makemap" -f hash m/upper`,
      `${source} | tail -n 1 | "$makemap" hash m/mixed; ${source} | head -n 1 | "$makemap" -N -o hash m/mixed`,
      `line '' any | "$makemap" hash m/any`,
      `${source} > m/text.db; : > m/zero.db`,
      "chgrp mail m/*.db open/*.db group/*.db && chmod 0640 m/*.db open/*.db group/*.db",
      "chmod 0600 m/private.db && chgrp daemon m/other.db && chmod 0644 m/public.db",
    ].join("\n");
    const cases = damages.map(({ change }) => ({ cf: change(good), check: ["--role", "client", "--relay", "192.0.2.9"], probes }));
    compare(damages, askOracle(t, prepare, cases), duties);
  });
});

describe("tsmap cf check of a client without a submission program", () => {
  const K = `Kauthinfo hash ${INSIDE}/m/smtp-auth\n`;
  const damages: readonly Damage[] = [
    { name: "as cf patch makes it", change: same, codes: [] },
    { name: "a folder that everybody may write to", change: swap(K, K.replace("/m/", "/open/")), codes: ["map-folder-writable"] },
    { name: "a folder that its group may write to", change: swap(K, K.replace("/m/", "/group/")), codes: ["map-folder-writable"] },
    { name: "such a folder further up", change: swap(K, K.replace("/m/", "/open/sub/")), codes: ["map-folder-writable"] },
    { name: "another path", change: swap(K, K.replace("/m/", "/")), codes: ["map-file-missing"] },
  ];
  const probes = { lookups: { script: '"$sendmail" -C "$CF" -bt', input: ".D{server_name}relay.example.com\nauthinfo x\n" } };
  const duties: Readonly<Record<string, Duty>> = {
    "the entry is found": { codes: /^map-/, isDone: ({ lookups = "" }) => lookups.includes('returns: $# "U:name" "P:12345"') },
  };

  it("agrees with sendmail", (t) => {
    if (!needsOracle(t)) return;
    const good = patched(stockCf("relay"), { role: "client", relay: "[192.0.2.9]", map: `${INSIDE}/m/smtp-auth` });
    const prepare = [
      "mkdir -p m open/sub group && chmod 0777 open && chmod 0775 group",
      `for folder in m open open/sub group; do echo 'AuthInfo:relay.example.com "U:name" "P:12345"' | "$makemap" hash $folder/smtp-auth; done`,
    ].join("\n");
    const cases = damages.map(({ change }) => ({ cf: change(good), check: ["--role", "client"], probes }));
    compare(damages, askOracle(t, prepare, cases), duties);
  });
});
