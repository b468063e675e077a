/**
 * What the check of a fleet finds: each code where it is to be found, with its
 * place, and not where all is well.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { Database } from "berkeley-db-js";
import { checkProject } from "#src/artifacts/check.js";
import type { CheckFinding } from "#src/artifacts/check-finding.js";
import { CHECK_RULES, type CheckCode, fillIn } from "#src/artifacts/check-rules.js";
import { ManifestFile } from "#src/artifacts/manifest-file.js";
import { buildSet } from "#src/artifacts/plan-set.js";
import { Project } from "#src/artifacts/project.js";
import { encodeName, OTP_SECRET } from "#src/sasldb/name.js";
import { type OtpSecret, otpSecret, parseOtpSecret } from "#src/sasldb/otp.js";
import { FLEET_KEY, FLEET_SECRET } from "../support/fleet-bench.ts";
import { type Cleanup, temporaryFolder } from "../support/temp.ts";

const TODAY = "2026-11-25";
const VARIABLES = { KEY: FLEET_KEY, ALICE: FLEET_SECRET, BOB: `${FLEET_SECRET}-bob` } as const;

const FLEET = `version: 1
settings: { target: aix }
key: key
secrets:
  key: { env: KEY }
  alice: { env: ALICE, changed: 2026-11-01 }
  bob: { env: BOB, changed: 2026-10-01 }
policy: {}
hosts:
  relay1:
    auth-mechanisms: [DIGEST-MD5, CRAM-MD5]
    databases:
      sasldb2: { install: /etc/sasldb2, users: { alice: alice, bob: bob } }
  client1:
    auth-mechanisms: [DIGEST-MD5, CRAM-MD5]
    relays: [relay1]
    maps:
      smtp-auth:
        entries:
          relay1: { user: root, login: alice@relay1, password: alice }
      access: { source: access }
`;

interface Case {
  /** What of the manifest is another: text for text. */
  readonly change?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly access?: string;
  /** Done to the folder when the set is built. */
  readonly tamper?: (folder: string) => void;
  /** The variables are others when the check comes. */
  readonly later?: Readonly<Record<string, string>>;
  /** Whether there are copies of everything, in "copies", before `tamper`. */
  readonly copies?: true;
  /** "line:column code: message", the place in another file with its name. */
  readonly finds: readonly string[];
}

const remove = (path: string) => (folder: string) => rmSync(join(folder, path), { recursive: true });
const write = (path: string, text: string) => (folder: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};

/** Changes the one-time password of alice in the copy of the relay. */
const otp = (change: Partial<OtpSecret>) => (folder: string) => {
  const key = encodeName({ user: "alice", realm: "relay1", property: OTP_SECRET });
  using database = Database.open(join(folder, "copies/relay1/sasldb2"));
  const secret = parseOtpSecret(database.get(key) ?? new Uint8Array()) as OtpSecret;
  assert.equal(secret.sequence, 499);
  const { algorithm, seed, sequence } = { ...secret, ...change };
  database.put(key, otpSecret(Buffer.from(FLEET_SECRET), { algorithm: algorithm as "md5", seed, sequence }));
};

const CASES: Readonly<Record<CheckCode, readonly Case[]>> = {
  missing: [
    {
      tamper: remove("artifacts"),
      finds: [
        "13:7 missing: relay1/sasldb2 is missing from what is built",
        "18:7 missing: client1/smtp-auth.db is missing from what is built",
        "21:7 missing: client1/access.db is missing from what is built",
      ],
    },
    { tamper: remove("artifacts/client1/access.db"), finds: ["21:7 missing: client1/access.db is missing from what is built"] },
    { tamper: remove("artifacts/SHA256SUMS"), finds: ["tsmap.yaml missing: SHA256SUMS is missing from what is built"] },
  ],
  stale: [
    {
      later: { ALICE: "another-password" },
      finds: [
        "13:7 stale: relay1/sasldb2 is not what the manifest makes: alice@relay1 has another secret",
        "18:7 stale: client1/smtp-auth.db is not what the manifest makes: 1 of its records",
      ],
    },
    { tamper: write("artifacts/index.json", "{}"), finds: ["tsmap.yaml stale: index.json is not what the manifest makes: other bytes"] },
  ],
  unexpected: [
    {
      tamper: write("artifacts/relay2/sasldb2", ""),
      finds: ["tsmap.yaml unexpected: relay2/sasldb2 is among what is built, and in no manifest"],
    },
  ],
  "no-copies": [{ copies: true, tamper: remove("copies/relay1"), finds: ["10:3 no-copies: relay1 has no folder among the copies"] }],
  "copy-missing": [
    {
      copies: true,
      tamper: remove("copies/relay1/sasldb2"),
      finds: ["13:7 copy-missing: relay1 has no relay1/sasldb2: neither sasldb2 nor its install path is among the copies"],
    },
  ],
  "copy-differs": [
    {
      copies: true,
      tamper: otp({ sequence: 500 }),
      finds: ["13:7 copy-differs: the copy from relay1 differs from relay1/sasldb2: alice@relay1 has another cmusaslsecretOTP"],
    },
    {
      copies: true,
      tamper: otp({ sequence: 400, seed: "0123456789abcdef" }),
      finds: ["13:7 copy-differs: the copy from relay1 differs from relay1/sasldb2: alice@relay1 has another cmusaslsecretOTP"],
    },
    {
      copies: true,
      tamper: otp({ sequence: 400, algorithm: "sha1" }),
      finds: ["13:7 copy-differs: the copy from relay1 differs from relay1/sasldb2: alice@relay1 has another cmusaslsecretOTP"],
    },
    {
      copies: true,
      tamper: (folder) => {
        using access = Database.open(join(folder, "copies/client1/access.db"));
        access.put(Buffer.from("example.com"), Buffer.from("REJECT"));
        access.put(Buffer.from("example.net"), Buffer.from("REJECT"));
        using users = Database.open(join(folder, "copies/relay1/sasldb2"));
        for (const property of ["userPassword", OTP_SECRET]) users.delete(encodeName({ user: "bob", realm: "relay1", property }));
        users.put(encodeName({ user: "eve", realm: "relay1", property: "userPassword" }), Buffer.from(FLEET_SECRET));
      },
      finds: [
        "13:7 copy-differs: the copy from relay1 differs from relay1/sasldb2: bob@relay1 is missing; eve@relay1 is no user here",
        "21:7 copy-differs: the copy from client1 differs from client1/access.db: example.com, and 1 more",
      ],
    },
    {
      // A key with a password in it, by a quote that is missing.
      copies: true,
      tamper: (folder) => {
        using map = Database.open(join(folder, "copies/client1/smtp-auth.db"));
        map.put(Buffer.from(`authinfo:relay2"u:x""p:${FLEET_SECRET.toLowerCase()}"`), Buffer.from('"U:x"'));
      },
      finds: ["18:7 copy-differs: the copy from client1 differs from client1/smtp-auth.db: authinfo:relay2***"],
    },
  ],
  "copy-damaged": [
    {
      copies: true,
      tamper: write("copies/relay1/sasldb2", "text"),
      finds: ["13:7 copy-damaged: the copy from relay1 cannot be read: not a Berkeley DB file, but text"],
    },
    // Nobody is waited for who would write to it.
    {
      copies: true,
      tamper: (folder) => {
        rmSync(join(folder, "copies/relay1/sasldb2"));
        spawnSync("mkfifo", [join(folder, "copies/relay1/sasldb2")]);
      },
      finds: ["13:7 copy-damaged: the copy from relay1 cannot be read: not a regular file"],
    },
  ],
  "short-password": [
    {
      change: { "policy: {}": "policy: { min-length: 16 }" },
      finds: ["6:3 short-password: the password of alice@relay1 in client1/smtp-auth.db has 15 characters, and min-length is 16"],
    },
    // Characters, not bytes.
    {
      change: { "policy: {}": "policy: { min-length: 8 }" },
      variables: { BOB: "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9" },
      finds: ["7:3 short-password: the password of bob@relay1 in relay1/sasldb2 has 7 characters, and min-length is 8"],
    },
  ],
  "old-password": [
    {
      change: { "policy: {}": "policy: { max-age: 54 }" },
      finds: ["7:3 old-password: the password of bob@relay1 in relay1/sasldb2 was changed 55 days ago, and max-age is 54"],
    },
  ],
  "undated-password": [
    {
      change: { "policy: {}": "policy: { max-age: 365 }", ", changed: 2026-10-01": "" },
      finds: ["7:3 undated-password: nothing says when the password of bob@relay1 in relay1/sasldb2 was set, and there is a max-age"],
    },
  ],
  "future-date": [
    {
      change: { "2026-10-01": "2026-11-26" },
      finds: ["7:3 future-date: the password of bob@relay1 in relay1/sasldb2 is said to be changed on a day to come"],
    },
  ],
  "reused-password": [
    {
      change: { "policy: {}": "policy: { reuse: same-user }" },
      variables: { BOB: FLEET_SECRET },
      finds: ["13:64 reused-password: bob@relay1 in relay1/sasldb2 has the password of alice@relay1 in relay1/sasldb2"],
    },
    {
      change: {
        "policy: {}": "policy: { reuse: forbid }",
        "hosts:\n": "hosts:\n  relay0: { databases: { d: { users: { alice: alice } } } }\n",
      },
      finds: ["14:50 reused-password: alice@relay1 in relay1/sasldb2 has the password of alice@relay0 in relay0/d"],
    },
  ],
  "doubtful-password": [
    {
      variables: { BOB: "pass\u00a0word" },
      finds: [
        "7:3 doubtful-password: the password of bob@relay1 in relay1/sasldb2 may not work as it is typed: clients change a character of it (SASLprep)",
      ],
    },
    {
      variables: { BOB: "pass\u0007word" },
      finds: [
        "7:3 doubtful-password: the password of bob@relay1 in relay1/sasldb2 may not work as it is typed: it has a character that clients refuse (SASLprep)",
      ],
    },
  ],
  "world-readable": [
    {
      change: { "install: /etc/sasldb2": 'mode: "0644"', "{ source: access }": '{ source: access, mode: "0644" }' },
      finds: ["13:7 world-readable: relay1/sasldb2 holds secrets, and its mode 0644 lets anybody read it"],
    },
  ],
  "world-writable": [
    {
      change: { "{ source: access }": '{ source: access, mode: "0602" }' },
      finds: ["21:7 world-writable: client1/access.db: its mode 0602 lets anybody write to it"],
    },
  ],
  "sends-plain-text": [
    {
      change: {
        "policy: {}": "policy: { plain-text: { sent: forbid } }",
        "[DIGEST-MD5, CRAM-MD5]\n    relays": "[DIGEST-MD5, LOGIN, PLAIN]\n    relays",
        "password: alice }": "password: alice, mechanisms: [plain, DIGEST-MD5] }",
      },
      finds: [
        "15:5 sends-plain-text: client1 has mechanisms that send the password itself: LOGIN, PLAIN",
        "20:11 sends-plain-text: client1/smtp-auth.db has mechanisms that send the password itself: plain",
      ],
    },
  ],
  "stores-plain-text": [
    {
      change: {
        "policy: {}": "policy: { plain-text: { stored: forbid } }",
        "alice: alice": "alice: { password: alice, plain: false }",
        "    relays: [relay1]\n": "",
        "relay1: { user": "relay2: { user",
      },
      finds: ["13:92 stores-plain-text: relay1/sasldb2 holds the plain password of bob@relay1"],
    },
  ],
  "no-database": [
    {
      change: { "relays: [relay1]": "relays: [relay1, relay2]", "hosts:\n": "hosts:\n  relay2: {}\n" },
      finds: ["15:3 no-database: client1 logs in to relay2, which has no SASL database here"],
    },
  ],
  "no-authinfo-map": [
    {
      change: { "hosts:\n": "hosts:\n  client2: { relays: [relay1], maps: { access: { source: access } } }\n" },
      finds: ["10:3 no-authinfo-map: client2 logs in to relay1, and has no authinfo map"],
    },
  ],
  "would-not-authenticate": [
    {
      change: { "password: alice }": "password: bob }" },
      finds: ["20:11 would-not-authenticate: client1 would not authenticate to relay1 with client1/smtp-auth.db"],
    },
    // Without relays they are those that the map has entries for.
    {
      change: { "password: alice }": "password: bob }", "    relays: [relay1]\n": "" },
      finds: ["19:11 would-not-authenticate: client1 would not authenticate to relay1 with client1/smtp-auth.db"],
    },
    {
      change: { "login: alice@": "login: carol@" },
      finds: ["20:11 would-not-authenticate: client1 would not authenticate to relay1 with client1/smtp-auth.db"],
    },
    {
      change: { "[DIGEST-MD5, CRAM-MD5]\n    databases": "[SCRAM-SHA-256]\n    databases" },
      finds: ["20:11 would-not-authenticate: client1 would not authenticate to relay1 with client1/smtp-auth.db"],
    },
  ],
};

/** What is found, and no more than that. */
async function found(
  t: Cleanup,
  { change = {}, variables = {}, access = "example.com RELAY\n", tamper, later, copies }: Case,
): Promise<CheckFinding[]> {
  const folder = temporaryFolder(t);
  const name = join(folder, "tsmap.yaml");
  let text = FLEET;
  for (const [from, to] of Object.entries(change)) {
    assert.equal(text.split(from).length, 2, from);
    text = text.replace(from, to);
  }
  writeFileSync(join(folder, "access"), access);
  const settings = { output: "artifacts", overrides: {}, allowInline: false, commandTimeout: 10 };
  const project = (more: object = {}): Project =>
    new Project(new ManifestFile(name, text), text, {
      settings,
      environment: { ...VARIABLES, ...variables, ...more },
      toolVersion: "1.0.0",
    });
  using building = project();
  await buildSet(building);
  if (copies) cpSync(join(folder, "artifacts"), join(folder, "copies"), { recursive: true, dereference: true });
  tamper?.(folder);
  using checking = project(later);
  const findings: CheckFinding[] = [];
  for await (const finding of checkProject(checking, { today: TODAY, copies: copies && join(folder, "copies") })) findings.push(finding);
  return findings;
}

function shown(finding: CheckFinding): string {
  const { file, line, column } = finding.place;
  const name = file.replace(/.*\//, "");
  const place = [...(line === undefined || name !== "tsmap.yaml" ? [name] : []), line, column]
    .filter((part) => part !== undefined)
    .join(":");
  if (finding.kind === "lint") return `${place} ${finding.finding.code}`;
  return `${place} ${finding.code}: ${fillIn(CHECK_RULES[finding.code].what, finding.args)}`;
}

describe("check", () => {
  it("has a case here for each code", () => {
    assert.deepEqual(Object.keys(CASES).sort(), Object.keys(CHECK_RULES).sort());
    for (const [code, cases] of Object.entries(CASES))
      for (const { finds } of cases)
        assert.ok(
          finds.some((line) => line.includes(` ${code}: `)),
          code,
        );
  });

  for (const [code, cases] of Object.entries(CASES))
    it(`finds ${code}`, async (t) => {
      for (const each of cases) {
        const findings = await found(t, each);
        // Why a client is not let in is in words of the command line's.
        assert.deepEqual(
          findings.map(shown).map((line) => line.replace(/(smtp-auth\.db): $/, "$1")),
          each.finds,
        );
        const texts = findings.flatMap((finding) =>
          finding.kind === "check"
            ? [CHECK_RULES[finding.code].what, CHECK_RULES[finding.code].mend].map((text) => fillIn(text, finding.args))
            : [],
        );
        for (const text of texts) assert.doesNotMatch(text, /[{}](?!.*changed)|undefined/);
        const said = JSON.stringify(
          findings.map((finding) => (finding.kind === "check" ? finding.args : finding.finding.args)),
        ).toLowerCase();
        assert.ok(!said.includes(FLEET_SECRET.toLowerCase()), said);
      }
    });

  it("finds nothing where all is well, also by a strict policy", async (t) => {
    assert.deepEqual(await found(t, { finds: [] }), []);
    const policy =
      "policy: { min-length: 15, max-age: 55, reuse: forbid, world-readable: forbid, plain-text: { sent: forbid, stored: allow } }";
    assert.deepEqual((await found(t, { change: { "policy: {}": policy }, copies: true, finds: [] })).map(shown), []);
  });

  it("finds nothing in a one-time password that was used since", async (t) => {
    for (const sequence of [499, 498, 1])
      assert.deepEqual((await found(t, { copies: true, tamper: otp({ sequence }), finds: [] })).map(shown), [], String(sequence));
  });

  it("takes copies from install paths too", async (t) => {
    const moved = (folder: string): void => {
      mkdirSync(join(folder, "copies/relay1/etc"));
      cpSync(join(folder, "copies/relay1/sasldb2"), join(folder, "copies/relay1/etc/sasldb2"));
      rmSync(join(folder, "copies/relay1/sasldb2"));
    };
    assert.deepEqual((await found(t, { copies: true, tamper: moved, finds: [] })).map(shown), []);
  });

  it("takes another host's way to store the same records for no difference", async (t) => {
    const stored = (folder: string): void => {
      const file = join(folder, "copies/client1/access.db");
      rmSync(file);
      using database = Database.open(file, { type: "hash", create: true, byteOrder: "little", pageSize: 512 });
      database.put(Buffer.from("example.com"), Buffer.from("RELAY"));
    };
    assert.deepEqual((await found(t, { copies: true, tamper: stored, finds: [] })).map(shown), []);
  });

  it("allows what the policy allows", async (t) => {
    const cases: readonly Case[] = [
      { change: { "policy: {}": "policy: { reuse: allow }" }, variables: { BOB: FLEET_SECRET }, finds: [] },
      {
        change: {
          "policy: {}": "policy: { reuse: same-user }",
          "hosts:\n": "hosts:\n  relay0: { databases: { d: { users: { alice: alice } } } }\n",
        },
        finds: [],
      },
      { change: { "policy: {}": "policy: { world-readable: allow }", "install: /etc/sasldb2": 'mode: "0644"' }, finds: [] },
      {
        change: {
          "policy: {}": "policy: { plain-text: { sent: allow, stored: allow } }",
          "[DIGEST-MD5, CRAM-MD5]\n    relays": "[DIGEST-MD5, PLAIN]\n    relays",
        },
        finds: [],
      },
    ];
    for (const each of cases) assert.deepEqual((await found(t, each)).map(shown), []);
  });

  it("finds what lint finds in the text of an authinfo map, where it stands there", async (t) => {
    const change = {
      "relays: [relay1]": "relays: []",
      "      smtp-auth:\n        entries:\n          relay1: { user: root, login: alice@relay1, password: alice }\n": "",
    };
    const access = `AuthInfo:relay9:25 "U:u" "P:${FLEET_SECRET}"\n# remark\nAuthInfo:relay9. "U:u" "P:${FLEET_SECRET}"\nAuthInfo:mail.example "U:u" "P:${FLEET_SECRET}"\n`;
    // Notes are no findings; the last has nothing else.
    assert.deepEqual((await found(t, { change, access, finds: [] })).map(shown), ["access:1:16 port-in-key", "access:3:16 trailing-dot"]);
  });

  it("tells of a secret that is used in many places once", async (t) => {
    const change = {
      "policy: {}": "policy: { min-length: 16 }",
      "hosts:\n": `hosts:\n${Array.from({ length: 5 }, (_, i) => `  r${i}: { databases: { d: { users: { alice: alice } } } }\n`).join("")}`,
    };
    assert.equal((await found(t, { change, finds: [] })).length, 1);
  });
});
