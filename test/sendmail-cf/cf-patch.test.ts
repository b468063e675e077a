/**
 * The changes to a configuration: what they are, what they leave as it is, and
 * what is refused.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { AUTHINFO_RULES } from "#src/sendmail-cf/authinfo-rules.js";
import { applyEdits, type ClientChanges, patchCf, type RelayChanges } from "#src/sendmail-cf/cf-patch.js";
import { RELAY_CF, SUBMIT_CF } from "../support/cf-text.ts";
import { needs } from "../support/native.ts";
import { stockCf } from "../support/sendmail-oracle.ts";

const RELAY: RelayChanges = { role: "relay" };
const CLIENT: ClientChanges = { role: "client", relay: "relay.example.com" };
const RULES = AUTHINFO_RULES.map((rule) => `${rule}\n`).join("");

function patch(source: string, changes: RelayChanges | ClientChanges): string {
  const { edits, refusals } = patchCf(source, changes);
  assert.deepEqual(refusals, []);
  return applyEdits(source, edits);
}

function refusals(source: string, changes: RelayChanges | ClientChanges): [string, number | undefined][] {
  const { edits, refusals: found } = patchCf(source, changes);
  assert.deepEqual(edits, [], "a file that is refused is left alone");
  return found.map(({ code, line }) => [code, line]);
}

/** Each pair replaced once, and there to be replaced. */
function swap(text: string, ...pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((result, [from, to]) => {
    assert.ok(result.includes(from), from);
    return result.replace(from, () => to);
  }, text);
}

const RELAY_STEPS = [
  ["#FR-o /etc/mail/relay-domains", "FR-o /etc/mail/relay-domains"],
  ["Options=Name=MTA", "Options=Name=MTA, M=Ea"],
  [
    "CRAM-MD5\n",
    "CRAM-MD5\nC{TrustAuthMech}EXTERNAL GSSAPI OTP DIGEST-MD5 CRAM-MD5 LOGIN PLAIN\nO AuthMechanisms=EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5 LOGIN PLAIN\n",
  ],
] as const;

const CLIENT_STEPS = [
  ["\nDS\n", "\nDSrelay.example.com\n"],
  ["Karith arith\n", "Karith arith\nKauthinfo hash /etc/mail/authinfo/smtp-auth\n"],
  ["CRAM-MD5\n", "CRAM-MD5\nO AuthMechanisms=EXTERNAL GSSAPI DIGEST-MD5 CRAM-MD5 LOGIN PLAIN\n"],
  ["Sauthinfo\n", `Sauthinfo\n${RULES}`],
] as const;

describe("the patch of a relay", () => {
  it("makes the guide's three changes, and no other", () => {
    assert.equal(patch(RELAY_CF, RELAY), swap(RELAY_CF, ...RELAY_STEPS));
  });

  it("names another file of domains where it is asked to", () => {
    const domains = "/etc/mail/ours";
    const expected = swap(patch(RELAY_CF, RELAY), ["FR-o /etc/mail/relay-domains", "FR-o /etc/mail/ours"]);
    assert.equal(patch(RELAY_CF, { role: "relay", domains }), expected);
    assert.equal(patch(patch(RELAY_CF, RELAY), { role: "relay", domains }), expected);
  });

  const kept: readonly [string, (cf: string) => string][] = [
    ["a narrower list of mechanisms", (cf) => cf.replace(/^O AuthMechanisms=.*$/m, "O AuthMechanisms=CRAM-MD5")],
    ["a line of the class R without -o", (cf) => swap(cf, ["FR-o ", "FR "])],
    ["other modifiers", (cf) => swap(cf, ["M=Ea", "M=aEf"])],
    ["remarks", (cf) => swap(cf, ["M=Ea", "M=Ea # ours"], ["relay-domains\n", "relay-domains # ours\n"])],
    ["the option abbreviated", (cf) => swap(cf, ["O DaemonPortOptions", "O DaemonPort"])],
  ];
  for (const [what, change] of kept)
    it(`leaves ${what} alone`, () => {
      const source = change(patch(RELAY_CF, RELAY));
      assert.equal(patch(source, RELAY), source);
    });

  const mended: readonly [string, (cf: string) => string][] = [
    ["M=A", (cf) => swap(cf, ["M=Ea", "M=A"])],
    ["M=E", (cf) => swap(cf, ["M=Ea", "M=E"])],
    ["a mechanism that is not trusted", (cf) => swap(cf, [" LOGIN PLAIN\nO Auth", " LOGIN\nO Auth"])],
    ["mechanisms without a password", (cf) => cf.replace(/^O AuthMechanisms=.*$/m, "O AuthMechanisms=GSSAPI")],
    ["no TrustAuthMech", (cf) => cf.replace(/^C\{TrustAuthMech.*\n/m, "")],
    ["no blank behind -o", (cf) => swap(cf, ["FR-o /", "FR-o/"])],
  ];
  for (const [what, change] of mended)
    it(`mends ${what}`, () => {
      const good = patch(RELAY_CF, RELAY);
      assert.notEqual(change(good), good);
      assert.equal(patch(change(good), RELAY), good);
    });

  it("keeps a remark behind what it adds", () => {
    const source = swap(RELAY_CF, ["Name=MTA\n", "Name=MTA \t# port 25\n"]);
    assert.ok(patch(source, RELAY).includes("O DaemonPortOptions=Name=MTA, M=Ea \t# port 25\n"));
  });
});

describe("the patch of a client", () => {
  it("makes the guide's four changes, and no other", () => {
    assert.equal(patch(SUBMIT_CF, CLIENT), swap(SUBMIT_CF, ...CLIENT_STEPS));
  });

  it("sets MTAHost where it is asked to, in brackets", () => {
    const expected = swap(SUBMIT_CF, ...CLIENT_STEPS, ["[127.0.0.1]", "[relay.example.com]"]);
    for (const mtaHost of ["relay.example.com", "[relay.example.com]"]) assert.equal(patch(SUBMIT_CF, { ...CLIENT, mtaHost }), expected);
    const commented = swap(SUBMIT_CF, ["D{MTAHost}", "#D{MTAHost}"]);
    assert.equal(patch(commented, { ...CLIENT, mtaHost: "relay.example.com" }), expected);
  });

  it("names another map or relay where it is asked to, and leaves the flags", () => {
    const source = swap(patch(SUBMIT_CF, CLIENT), ["hash /etc", "hash -o /etc"]);
    const found = patch(source, { role: "client", relay: "[192.0.2.9]", map: "/etc/mail/ours.db" });
    assert.equal(found, swap(source, ["-o /etc/mail/authinfo/smtp-auth", "-o /etc/mail/ours"], ["DSrelay.example.com", "DS[192.0.2.9]"]));
  });

  it("leaves the same relay with a mailer or in brackets alone, and needs none where one is named", () => {
    for (const host of ["[relay.example.com]", "esmtp:relay.example.com"]) {
      const source = swap(patch(SUBMIT_CF, CLIENT), ["DSrelay.example.com", `DS${host}`]);
      assert.equal(patch(source, CLIENT), source);
      assert.equal(patch(source, { role: "client" }), source);
    }
  });

  const good = patch(SUBMIT_CF, CLIENT);
  const [R1 = "", R2 = "", R3 = "", R4 = "", R5 = ""] = AUTHINFO_RULES.map((rule) => `${rule}\n`);
  const mended: readonly [string, string][] = [
    ["blanks for tabs", RULES.replaceAll("\t", "  ")],
    ["blanks in one rule", R1 + R2 + R3 + R4 + R5.replace("\t", " ")],
    ["the fourth rule as printed", `${R1 + R2 + R3}R<?>\t$@ no                           no authinfo available\n${R5}`],
    ["a missing rule", R1 + R3 + R4 + R5],
    ["another order", R2 + R1 + R3 + R5 + R4],
  ];
  for (const [what, rules] of mended)
    it(`mends ${what}`, () => {
      assert.equal(patch(swap(good, [RULES, rules]), CLIENT), good);
    });

  it("leaves the block repeated, as the guide has it, alone", () => {
    const source = swap(good, [`Sauthinfo\n${RULES}`, `Sauthinfo\n\nSauthinfo\n${RULES}`]);
    assert.equal(patch(source, CLIENT), source);
  });

  it("writes the ruleset at the end where there is none", () => {
    const source = swap(SUBMIT_CF, ["Sauthinfo\n", ""]);
    assert.ok(patch(source, CLIENT).endsWith(`\ta comment\n\nSauthinfo\n${RULES}`));
  });

  it("mends a K line of another class or without a path", () => {
    for (const line of ["Kauthinfo dbm /etc/mail/authinfo/smtp-auth", "Kauthinfo hash", "Kauthinfo"]) {
      assert.equal(patch(swap(good, ["Kauthinfo hash /etc/mail/authinfo/smtp-auth", line]), CLIENT), good);
    }
  });
});

describe("every patch", () => {
  const all = [
    [RELAY_CF, RELAY],
    [SUBMIT_CF, CLIENT],
    [SUBMIT_CF, { ...CLIENT, mtaHost: "relay.example.com", map: "/etc/mail/ours" }],
  ] as const;

  it("of a patched file does nothing, whatever the mechanisms were", () => {
    for (const mechanisms of ["GSSAPI", "SCRAM-SHA-256 SCRAM-SHA-1", "OTP", "login"]) {
      const before = patch(RELAY_CF, { role: "relay" })
        .replace(/^O AuthMechanisms=.*/m, `O AuthMechanisms=${mechanisms}`)
        .replace(/^C\{TrustAuthMech\}.*/m, "C{TrustAuthMech}GSSAPI");
      const once = patch(before, { role: "relay" });
      assert.equal(patch(once, { role: "relay" }), once, mechanisms);
      // What works with a password stays, and may relay.
      if (mechanisms !== "GSSAPI") {
        assert.match(once, new RegExp(`^O AuthMechanisms=${mechanisms}$`, "m"));
        assert.match(once, new RegExp(`^C\\{TrustAuthMech\\}GSSAPI ${mechanisms.toUpperCase()}$`, "m"));
      }
    }
  });

  it("of a patched file does nothing", () => {
    for (const [source, changes] of all) {
      const once = patch(source, changes);
      assert.notEqual(once, source);
      assert.deepEqual(patchCf(once, changes), { edits: [], refusals: [] });
    }
  });

  it("gives a value to an option that has none, nor a sign before it", () => {
    const mechanisms = swap(patch(RELAY_CF, RELAY), ["O AuthMechanisms=EXTERNAL GSSAPI KERBEROS_V4", "O AuthMechanisms\n#"]);
    assert.match(patch(mechanisms, RELAY), /^O AuthMechanisms=EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5 LOGIN PLAIN$/m);
    const daemon = swap(RELAY_CF, ["O DaemonPortOptions=Name=MTA", "O DaemonPortOptions"]);
    assert.match(patch(daemon, RELAY), /^O DaemonPortOptions=M=Ea$/m);
    assert.match(patch(swap(daemon, ["O DaemonPortOptions\n", "OO\n"]), RELAY), /^OOM=Ea$/m);
    for (const source of [mechanisms, daemon]) assert.equal(patch(patch(source, RELAY), RELAY), patch(source, RELAY));
  });

  it("puts a line before another that it replaces", () => {
    const source = "V10/Test\n#O AuthMechanisms=\n#FR-o /etc/mail/relay-domains\nO DaemonPortOptions=M=Ea\n";
    const [, , mechanisms = "", trusted = "", domains, ...rest] = patch(source, RELAY).split("\n");
    assert.match(`${mechanisms}\n${trusted}`, /^C\{TrustAuthMech\}\S.*\nO AuthMechanisms=/);
    assert.equal(domains, "FR-o /etc/mail/relay-domains");
    assert.deepEqual(rest, ["O DaemonPortOptions=M=Ea", ""]);
  });

  it("puts a value on a last line that has no end, and lines below it", () => {
    const source = `${swap(SUBMIT_CF, ["D{MTAHost}[127.0.0.1]\n", ""], ["Sauthinfo\n", ""])}D{MTAHost}`;
    const patched = patch(source, { ...CLIENT, mtaHost: "192.0.2.1" });
    assert.ok(patched.endsWith(`\nD{MTAHost}[192.0.2.1]\n\nSauthinfo\n${RULES.trimEnd()}`), patched);
  });

  it("keeps the line ends, and a last line without one", () => {
    for (const [source, changes] of all) {
      const expected = patch(source, changes);
      const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
      assert.equal(patch(crlf(source), changes), crlf(expected));
      assert.equal(patch(source.slice(0, -1), changes), expected.slice(0, -1));
      const ending = `${swap(source, ["\nSauthinfo\n", "\n"])}Sauthinfo`;
      assert.ok(!patch(ending, changes).endsWith("\n"));
      assert.deepEqual(patchCf(patch(ending, changes), changes).edits, []);
    }
  });

  it("keeps every line that it has nothing to do with, whatever bytes are in it", () => {
    const line = fc.string({
      unit: fc
        .integer({ min: 1, max: 255 })
        .map((code) => String.fromCharCode(code))
        .filter((character) => character !== "\n"),
    });
    fc.assert(
      fc.property(fc.constantFrom(...all), line, fc.nat(), ([source, changes], text, place) => {
        const lines = source.split("\n");
        const at = place % lines.length;
        // Not between a line and the white space that continues it.
        fc.pre(!/^[ \t]/.test(lines[at] ?? ""));
        const extra = `# ${text}`;
        const found = patch([...lines.slice(0, at), extra, ...lines.slice(at)].join("\n"), changes);
        assert.ok(found.split("\n").includes(extra));
        assert.equal(swap(found, [`${extra}\n`, ""]), patch(source, changes));
      }),
    );
  });
});

describe("a patch is refused", () => {
  const cases: readonly [string, string, RelayChanges | ClientChanges, [string, number | undefined][]][] = [
    ["for what is no configuration", "just a text\n", RELAY, [["not-a-configuration", undefined]]],
    ["for an empty file", "", CLIENT, [["not-a-configuration", undefined]]],
    [
      "where the path of a map of another class has an escaped #",
      swap(SUBMIT_CF, ["Karith arith\n", "Karith arith\nKauthinfo dbm /etc/\\#map\n"]),
      CLIENT,
      [["tangled-line", 7]],
    ],
    ["where a line has a NUL", swap(RELAY_CF, ["#FR", "#\0FR"]), RELAY, [["nul-byte", 3]]],
    [
      "where lines are none of sendmail's",
      swap(RELAY_CF, ["Sauth", "What\nSauth"], ["V10/Test\n", "V10/Test\nwhat\n"]),
      RELAY,
      [
        ["unknown-line", 2],
        ["unknown-line", 13],
      ],
    ],
    ["for submit.cf as a relay's", SUBMIT_CF, RELAY, [["submission-file", undefined]]],
    ["where no relay is named", SUBMIT_CF, { role: "client" }, [["relay-needed", 3]]],
    [
      "for MTAHost in another file",
      RELAY_CF.replace("V10/Test\n", "V10/Test\nDSx\nKarith arith\n"),
      { role: "client", mtaHost: "x" },
      [["not-submission-file", undefined]],
    ],
    ["where there is no place for a line", swap(SUBMIT_CF, ["# arithmetic map\nKarith arith\n", ""]), CLIENT, [["no-place", undefined]]],
    ["where a line to be changed is continued", swap(RELAY_CF, ["Name=MTA\n", "Name=MTA,\n\tAddr=192.0.2.1\n"]), RELAY, []],
    ["where the ruleset has another rule", swap(SUBMIT_CF, ["Sauthinfo\n", "Sauthinfo\nR$*\t$@ no\n"]), CLIENT, [["foreign-rule", 17]]],
    [
      "where a rule is in another ruleset",
      `${SUBMIT_CF}${RULES}`,
      CLIENT,
      [
        ["misplaced-rule", 20],
        ["misplaced-rule", 21],
        ["misplaced-rule", 22],
      ],
    ],
  ];
  for (const [what, source, changes, expected] of cases)
    it(what, () => {
      if (expected.length > 0) assert.deepEqual(refusals(source, changes), expected);
      // White space and a line end are no trouble where nothing before the change is folded in another way.
      else assert.match(patch(source, changes), /Name=MTA,\n\tAddr=192.0.2.1, M=Ea\n/);
    });

  it("where an option is nearly one of the guide's, and not for others that sendmail 8.17 has not", () => {
    for (const line of ["O DaemonPortOptoins=Name=MTA", "O\tAuthMechanisms=PLAIN", "O AuthMechanism s=PLAIN"]) {
      assert.deepEqual(refusals(`${RELAY_CF}${line}\n`, RELAY), [["unknown-option", 16]]);
    }
    assert.equal(patch(`${RELAY_CF}O Novelty=1\n`, RELAY), `${patch(RELAY_CF, RELAY)}O Novelty=1\n`);
  });

  it("where a line to be changed has an escaped #, or CR LF within it", () => {
    assert.deepEqual(refusals(swap(RELAY_CF, ["Name=MTA\n", "Name=M\\#TA\n"]), RELAY), [["tangled-line", 6]]);
    const folded = swap(RELAY_CF, ["Name=MTA\n", "Name=MTA,\r\n\tAddr=192.0.2.1\r\n"]);
    assert.deepEqual(refusals(folded, RELAY), [["tangled-line", 6]]);
  });
});

describe("the patch of Debian's stock files", () => {
  const cases = [
    ["relay", RELAY],
    ["submit", CLIENT],
    ["submit", { ...CLIENT, mtaHost: "relay.example.com", map: "/etc/mail/ours" }],
    ["relay", CLIENT],
  ] as const;

  it("is done once, changes the lines that the guide names, and no other", (t) => {
    if (!needs(t, "m4", "sendmail cf")) return;
    for (const [kind, changes] of cases) {
      const stock = stockCf(kind);
      const once = patch(stock, changes);
      assert.deepEqual(patchCf(once, changes), { edits: [], refusals: [] });
      const [before, after] = [stock, once].map((text) => text.split("\n"));
      const added = (after ?? []).filter((line) => !before?.includes(line)).map((line) => line.replace(/^(\w\{?\w*).*$/, "$1"));
      const rules = ["R", "R", "R", "R", "R"];
      const client = ["DSrelay", "Kauthinfo", ...("mtaHost" in changes ? ["D{MTAHost"] : []), "O", ...rules];
      assert.deepEqual(added, changes.role === "relay" ? ["O", "C{TrustAuthMech", "O"] : client);
      assert.equal((after ?? []).filter((line) => line.startsWith("Sauthinfo")).length, 1);
    }
  });
});
