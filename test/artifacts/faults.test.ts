/**
 * The example fleet with one fault: each is found, and named, by the code and
 * the place of its finding, and nothing else is found. What cannot be built is
 * an error with its place.
 */
import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { type Answer, copyExamples, edit, tsmapBatch } from "../support/example-fleet.ts";
import { isFull } from "../support/full.ts";
import { temporaryFolder } from "../support/temp.ts";

const TODAY = "2026-11-25";
const MANIFEST = "tsmap.yaml";
const PASSWORDS = "secrets/passwords.yaml";
const TEXT = "secrets/client5-smtp-auth";
const [RELAY1, RELAY2, RELAY3] = ["relay1.example.com/sasldb2", "relay2.example.com/sasldb2", "relay3.example.com/sasldb2"] as const;
const CLIENT3 = "client3.example.com/smtp-auth.db";

/** A finding: its code, what its line in which file has ("a > b": b, somewhere behind a), and what its message has. */
type Finding = readonly [code: string, file: string, line: string, message: RegExp];

interface Fault {
  /** Spoils the fleet. @param set what was built. */
  readonly spoil: (folder: string, set: string) => unknown;
  /** All that is found; `others` are more findings of the same codes. */
  readonly found?: readonly Finding[];
  readonly others?: number;
  /** Or what cannot be built: the line it is in, and the message. */
  readonly error?: readonly [file: string, line: string, message: RegExp];
  /** The fault is in what is built, or on a host: it is not built anew. */
  readonly isOfSet?: true;
  readonly args?: readonly string[];
}

const manifest = (from: string, to: string) => (folder: string) => edit(folder, MANIFEST, from, to);
const passwords = (from: string, to: string) => (folder: string) => edit(folder, PASSWORDS, from, to);
const text = (from: string, to: string) => (folder: string) => edit(folder, TEXT, from, to);

/** Something done to a file of the set. */
const ofSet = (spoil: Fault["spoil"], ...found: readonly Finding[]): Fault => ({ isOfSet: true, spoil, found });
/** Something done to a copy of a host's files. */
const ofCopies = (spoil: (copies: string) => unknown, ...found: readonly Finding[]): Fault => ({
  isOfSet: true,
  spoil: (folder, set) => {
    const copies = join(folder, "copies");
    cpSync(set, copies, { recursive: true });
    return spoil(copies);
  },
  found,
  args: ["--copies", "copies"],
});

const setPassword = (path: string, user: string, realm: string, password: string): Promise<unknown> =>
  updateSasldb(path, (users) => users.setPassword(user, realm, Buffer.from(password), { mechanisms: ["OTP"] }));

function change(path: string, change: (bytes: Buffer) => Buffer | undefined): void {
  const bytes = readFileSync(path);
  writeFileSync(path, change(bytes) ?? bytes);
}

const HOST = /would not authenticate to relay/;

const FAULTS: Readonly<Record<string, Fault>> = {
  "a byte of a password in what is built": ofSet(
    (_, set) =>
      change(join(set, RELAY1), (bytes) => {
        const at = bytes.indexOf("example-fjord");
        assert.ok(at > 0);
        bytes[at] = 0x45;
        return undefined;
      }),
    [
      "stale",
      MANIFEST,
      "  relay1.example.com: > sasldb2:",
      /^relay1\.example\.com\/sasldb2 is not what the manifest makes: anna@relay1\.example\.com has another secret$/,
    ],
  ),
  "a byte that is in no record": ofSet(
    (_, set) => change(join(set, RELAY1), (bytes) => void bytes.writeUInt8(1, 4096 + 200)),
    [
      "stale",
      MANIFEST,
      "  relay1.example.com: > sasldb2:",
      /^relay1\.example\.com\/sasldb2 is not .*: the same records, stored otherwise$/,
    ],
  ),
  "a file cut off": ofSet(
    (_, set) => change(join(set, RELAY2), (bytes) => bytes.subarray(0, 9000)),
    ["stale", MANIFEST, "  relay2.example.com: > sasldb2:", /^relay2\.example\.com\/sasldb2 is not .*cannot be read/],
  ),
  "a file away": ofSet(
    (_, set) => rmSync(join(set, CLIENT3)),
    ["missing", MANIFEST, "  client3.example.com: > smtp-auth:", /^client3\.example\.com\/smtp-auth\.db is missing from/],
  ),
  "a file too many": ofSet(
    (_, set) => writeFileSync(join(set, "client3.example.com/old.db"), ""),
    ["unexpected", MANIFEST, "", /^client3\.example\.com\/old\.db is among what is built, and in no manifest$/],
  ),
  "a link in place of a file": ofSet(
    (_, set) => {
      renameSync(join(set, CLIENT3), join(set, "../elsewhere"));
      symlinkSync("../../elsewhere", join(set, CLIENT3));
    },
    ["missing", MANIFEST, "  client3.example.com: > smtp-auth:", /^client3\.example\.com\/smtp-auth\.db is missing from/],
  ),
  "a user taken out of what is built": ofSet(
    (_, set) => updateSasldb(join(set, RELAY2), (users) => void users.delete("maria", "relay2.example.com")),
    [
      "stale",
      MANIFEST,
      "  relay2.example.com: > sasldb2:",
      /^relay2\.example\.com\/sasldb2 is not .*: maria@relay2\.example\.com is missing$/,
    ],
  ),
  "a user put into what is built": ofSet(
    (_, set) => setPassword(join(set, RELAY3), "mallory", "relay3.example.com", "a password of his own"),
    [
      "stale",
      MANIFEST,
      "  relay3.example.com: > sasldb2:",
      /^relay3\.example\.com\/sasldb2 is not .*: mallory@relay3\.example\.com is too many$/,
    ],
  ),
  "another mode on the disc": ofSet(
    (_, set) => chmodSync(join(set, RELAY1), 0o644),
    ["stale", MANIFEST, "  relay1.example.com: > sasldb2:", /^relay1\.example\.com\/sasldb2 is not .*: mode 0644 becomes 0600$/],
  ),
  "SHA256SUMS with another sum": ofSet(
    (_, set) =>
      change(join(set, "SHA256SUMS"), (bytes) => Buffer.from(bytes.toString().replace(/^./, (digit) => (digit === "0" ? "1" : "0")))),
    ["stale", MANIFEST, "", /^SHA256SUMS is not what the manifest makes/],
  ),
  "provenance of another version": ofSet(
    (_, set) => edit(set, "provenance.json", '"libdb": "5.3.28"', '"libdb": "5.3.27"'),
    ["stale", MANIFEST, "", /^provenance\.json is not what the manifest makes/],
  ),
  "index.json with another owner": ofSet(
    (_, set) => change(join(set, "index.json"), (bytes) => Buffer.from(bytes.toString().replace('"owner": "root"', '"owner": "rot"'))),
    ["stale", MANIFEST, "", /^index\.json is not what the manifest makes/],
  ),
  "nothing built": {
    isOfSet: true,
    spoil: (folder) => rmSync(join(folder, "artifacts")),
    found: [["missing", MANIFEST, "  relay1.example.com: > sasldb2:", /^relay1\.example\.com\/sasldb2 is missing/]],
    others: 10,
  },
  "a folder of somebody's in the place of the link": {
    isOfSet: true,
    spoil: (folder) => {
      rmSync(join(folder, "artifacts"));
      mkdirSync(join(folder, "artifacts/mine"), { recursive: true });
    },
    error: ["artifacts", "", /^not a link that tsmap build made/],
  },

  "a host with another password of one user": ofCopies(
    (copies) => setPassword(join(copies, RELAY1), "anna", "relay1.example.com", "what she has set there"),
    [
      "copy-differs",
      MANIFEST,
      "  relay1.example.com: > sasldb2:",
      /^the copy from relay1\.example\.com differs from .*: anna@relay1\.example\.com has another cmusaslsecretOTP, userPassword$/,
    ],
  ),
  "a host with a user more": ofCopies(
    (copies) => setPassword(join(copies, RELAY1), "mallory", "relay1.example.com", "a password of his own"),
    [
      "copy-differs",
      MANIFEST,
      "  relay1.example.com: > sasldb2:",
      /^the copy from relay1\.example\.com .*: mallory@relay1\.example\.com is no user here$/,
    ],
  ),
  "a host without a user": ofCopies(
    (copies) => updateSasldb(join(copies, RELAY1), (users) => void users.delete("anna", "relay1.example.com")),
    [
      "copy-differs",
      MANIFEST,
      "  relay1.example.com: > sasldb2:",
      /^the copy from relay1\.example\.com .*: anna@relay1\.example\.com is missing$/,
    ],
  ),
  "a host with another client's map": ofCopies(
    (copies) => cpSync(join(copies, "client4.example.com/smtp-auth.db"), join(copies, CLIENT3)),
    [
      "copy-differs",
      MANIFEST,
      "  client3.example.com: > smtp-auth:",
      /^the copy from client3\.example\.com differs .*: authinfo:relay1\.example\.com, and 1 more$/,
    ],
  ),
  "a damaged copy": ofCopies(
    (copies) => change(join(copies, CLIENT3), (bytes) => bytes.fill(0x41, 12, 16)),
    ["copy-damaged", MANIFEST, "  client3.example.com: > smtp-auth:", /^the copy from client3\.example\.com cannot be read/],
  ),
  "a host without its file": ofCopies(
    (copies) => rmSync(join(copies, CLIENT3)),
    [
      "copy-missing",
      MANIFEST,
      "  client3.example.com: > smtp-auth:",
      /^client3\.example\.com has no client3\.example\.com\/smtp-auth\.db: neither/,
    ],
  ),

  "a short password": {
    spoil: passwords("anna: example-", "anna: "),
    found: [
      [
        "short-password",
        MANIFEST,
        "  anna: {",
        /^the password of anna@relay1\.example\.com in .* has 10 characters, and min-length is 12$/,
      ],
    ],
  },
  "an old password": {
    spoil: manifest("field: bruno }", "field: bruno, changed: 2016-11-26 }"),
    found: [
      [
        "old-password",
        MANIFEST,
        "  bruno: {",
        /^the password of bruno@relay1\.example\.com in .* was changed 3651 days ago, and max-age is 3650$/,
      ],
    ],
  },
  "a password without a date": {
    spoil: manifest("{ file: secrets/client5-smtp-auth, changed: 2026-11-01 }", "{ file: secrets/client5-smtp-auth }"),
    found: [
      ["undated-password", MANIFEST, "        source: {", /client5@relay3\.example\.com in client5\.example\.com\/smtp-auth\.db was set/],
    ],
  },
  "a date to come": {
    spoil: manifest("field: carla }", "field: carla, changed: 2027-01-01 }"),
    found: [["future-date", MANIFEST, "  carla: {", /^the password of carla@relay1\.example\.com in/]],
  },
  "two users with one password": {
    spoil: manifest("          bruno: bruno\n", "          bruno: anna\n"),
    found: [
      [
        "reused-password",
        MANIFEST,
        "          bruno: anna",
        /^bruno@relay1\.example\.com in .* has the password of anna@relay1\.example\.com in/,
      ],
    ],
  },
  "two users of two hosts with one password, which has two names": {
    spoil: (folder) => {
      const anna = /^anna: (.*)$/m.exec(readFileSync(join(folder, PASSWORDS), "utf8"))?.[1] as string;
      change(join(folder, PASSWORDS), (bytes) => Buffer.from(bytes.toString().replace(/^maria: .*$/m, `maria: ${anna}`)));
    },
    found: [
      [
        "reused-password",
        MANIFEST,
        "          maria: maria",
        /^maria@relay2\.example\.com in .* has the password of anna@relay1\.example\.com in relay1/,
      ],
    ],
  },
  "one password on two hosts, where that is forbidden": {
    spoil: manifest("reuse: same-user", "reuse: forbid"),
    found: [
      [
        "reused-password",
        MANIFEST,
        "          client1: client1",
        /^client1@relay2\.example\.com in .* has the password of client1@relay1\.example\.com/,
      ],
    ],
    others: 3,
  },
  "a password that clients change": {
    spoil: passwords("dora: ", "dora: ª"),
    found: [["doubtful-password", MANIFEST, "  dora: {", /dora@relay3\.example\.com .* clients change a character of it/]],
  },
  "a map with passwords for all to read": {
    spoil: manifest('mode: "0640"', 'mode: "0644"'),
    found: [
      [
        "world-readable",
        MANIFEST,
        "  client1.example.com: > smtp-auth:",
        /^client1\.example\.com\/smtp-auth\.db holds secrets, and its mode 0644/,
      ],
    ],
    others: 4,
  },
  "a map for all to write": {
    spoil: manifest('mode: "0644"', 'mode: "0646"'),
    found: [["world-writable", MANIFEST, "      access:", /^relay1\.example\.com\/access\.db: its mode 0646/]],
    others: 2,
  },
  "a relay that takes PLAIN": {
    spoil: manifest("[SCRAM-SHA-256, DIGEST-MD5, CRAM-MD5]", "[SCRAM-SHA-256, DIGEST-MD5, CRAM-MD5, PLAIN]"),
    found: [
      [
        "sends-plain-text",
        MANIFEST,
        "    auth-mechanisms: [SCRAM",
        /^relay1\.example\.com has mechanisms that send the password itself: PLAIN$/,
      ],
    ],
    others: 2,
  },
  "a client that would send LOGIN": {
    spoil: text('"M:DIGEST-MD5"', '"M:DIGEST-MD5 LOGIN"'),
    found: [["sends-plain-text", TEXT, "AuthInfo:", /^client5\.example\.com\/smtp-auth\.db has mechanisms .*: LOGIN$/]],
  },
  "a plain password where none is to be stored": {
    spoil: (folder) => {
      edit(folder, MANIFEST, "plain-text: { sent: forbid }", "plain-text: { stored: forbid }");
      for (const name of ["clients-users", "relay1", "relay2"] as const) {
        const at =
          name === "clients-users"
            ? "clients-users:\n    databases:\n      sasldb2:\n"
            : `${name}.example.com:\n    profile: [relay, clients-users]\n    databases:\n      sasldb2:\n`;
        edit(folder, MANIFEST, at, `${at}        plain: false\n        mechanisms: [SCRAM-SHA-256]\n`);
      }
      // Clients of SCRAM do not mind; one user is forgotten.
      edit(folder, MANIFEST, "auth-mechanisms: [DIGEST-MD5, CRAM-MD5]", "auth-mechanisms: [SCRAM-SHA-256]");
      edit(folder, TEXT, ' "M:DIGEST-MD5"', "");
    },
    found: [
      [
        "stores-plain-text",
        MANIFEST,
        "          client5: {",
        /^relay3\.example\.com\/sasldb2 holds the plain password of client5@relay3\.example\.com$/,
      ],
    ],
  },
  "a client with another password than its relay": {
    spoil: text("P:example-", "P:exbmple-"),
    found: [
      [
        "would-not-authenticate",
        TEXT,
        "AuthInfo:",
        /^client5\.example\.com would not authenticate to relay3\.example\.com with client5\.example\.com\/smtp-auth\.db/,
      ],
    ],
  },
  "a client whose user is in another realm": {
    spoil: manifest("login: client1@relay1.example.com", "login: client1@relay2.example.com"),
    found: [
      [
        "would-not-authenticate",
        MANIFEST,
        "login: client1@relay2",
        /^client1\.example\.com would not authenticate to relay1\.example\.com .*no user .*relay2\.example\.com/,
      ],
    ],
  },
  "a client whose user is no user": {
    spoil: manifest("          client2: client2\n", ""),
    found: [
      [
        "would-not-authenticate",
        MANIFEST,
        "login: client2@relay1",
        /^client2\.example\.com would not authenticate to relay1\.example\.com .*no user .?client2/,
      ],
    ],
  },
  "a client without an entry for its relay": {
    spoil: manifest("          relay2.example.com: { user: root, login: client4@relay2.example.com, password: client4 }\n", ""),
    found: [
      [
        "would-not-authenticate",
        MANIFEST,
        "  client4.example.com: > smtp-auth:",
        /^client4\.example\.com would not authenticate to relay2\.example\.com/,
      ],
    ],
  },
  "a client without a mechanism of its relay": {
    spoil: manifest("  client2.example.com:\n", "  client2.example.com:\n    auth-mechanisms: [GSSAPI]\n"),
    found: [["would-not-authenticate", MANIFEST, "login: client2@relay1", HOST]],
  },
  "a client that wants the plain password of a user who has none": {
    spoil: manifest("password: client5, plain: true", "password: client5"),
    found: [["would-not-authenticate", TEXT, "AuthInfo:", HOST]],
  },
  "a client without a map": {
    spoil: manifest(
      "  client3.example.com:\n    profile: client\n    relays: [relay2.example.com]\n    maps:\n      smtp-auth:\n        entries:\n          relay2.example.com: { user: root, login: client3@relay2.example.com, password: client3 }\n",
      "  client3.example.com:\n    relays: [relay2.example.com]\n",
    ),
    found: [
      [
        "no-authinfo-map",
        MANIFEST,
        "  client3.example.com:",
        /^client3\.example\.com logs in to relay2\.example\.com, and has no authinfo map$/,
      ],
    ],
  },
  "a relay without a database": {
    spoil: manifest("    relays: [relay3.example.com]", "    relays: [relay3.example.com, client1.example.com]"),
    found: [
      [
        "no-database",
        MANIFEST,
        "  client5.example.com:",
        /^client5\.example\.com logs in to client1\.example\.com, which has no SASL database here$/,
      ],
    ],
  },
  "a quote left out": {
    spoil: text('"U:root" "I:', '"U:root "I:'),
    found: [
      ["blank-at-end", TEXT, "AuthInfo:", /^the text of an item begins or ends with a blank$/],
      ["inner-quote", TEXT, "AuthInfo:", /^a quote within an item ends it$/],
      ["would-not-authenticate", TEXT, "AuthInfo:", /the entry cannot be used: it has no password/],
    ],
  },
  "a comma in M:": {
    spoil: text('"M:DIGEST-MD5"', '"M:DIGEST-MD5,CRAM-MD5"'),
    found: [
      ["comma-in-mechanisms", TEXT, "AuthInfo:", /^mechanisms are divided by something else than blanks$/],
      ["would-not-authenticate", TEXT, "AuthInfo:", /no mechanism that is wanted/],
    ],
  },
  "no blank behind the key": {
    spoil: text('.com "U:root"', '.com"U:root"'),
    found: [
      ["missing-blank-after-key", TEXT, "AuthInfo:", /^no blank stands between the key and the first item$/],
      ["would-not-authenticate", MANIFEST, "  client5.example.com: > smtp-auth:", /there is no entry for this server/],
    ],
  },

  "a key twice in a text": {
    spoil: text("AuthInfo:", 'AuthInfo:relay3.example.com "U:a" "P:b"\nAuthInfo:'),
    error: [TEXT, 'AuthInfo:relay3.example.com "U:root"', /^a key that is there already/],
  },
  "a key twice in a text without secrets": {
    spoil: (folder) => edit(folder, "maps/access", "Connect:192.0.2\t", "connect:198.51.100.66 OK\nConnect:192.0.2\t"),
    error: ["maps/access", "Connect:198", /^a key that is there already/],
  },
  "a setting that there is none of": {
    spoil: manifest("  target: aix\n", "  target: aix\n  outptu: build\n"),
    error: [MANIFEST, "  outptu:", /^settings: a key that is not known here: output\?$/],
  },
  "a setting with another value": {
    spoil: manifest("  target: aix\n", "  target: solaris\n"),
    error: [MANIFEST, "  target:", /^settings\.target: has to be native or aix$/],
  },
  "a value of another type": {
    spoil: manifest("min-length: 12", "min-length: long"),
    error: [MANIFEST, "  min-length:", /^policy\.min-length: has to be a whole number$/],
  },
  "a mode that is a number": {
    spoil: manifest('mode: "0600"', "mode: 0600"),
    error: [MANIFEST, "        mode: 0600", /^profiles\.relay\.databases\.sasldb2\.mode: has to be text: put it in quotes, "0640"$/],
  },
  "YAML that is none": {
    spoil: manifest("  relay1.example.com:\n", "  relay1.example.com: }\n"),
    error: [MANIFEST, "  relay1.example.com:", /./],
  },
  "a name of a secret misspelt": {
    spoil: manifest("          anna: anna\n", "          anna: ana\n"),
    error: [MANIFEST, "          anna: ana", /users\.anna: not the name of one of the secrets: anna\?$/],
  },
  "a user twice, with the realm and without": {
    spoil: manifest("          bruno: bruno\n", "          anna@relay1.example.com: bruno\n"),
    error: [MANIFEST, "          anna@relay1.example.com", /"anna@relay1\.example\.com": the same user twice$/],
  },
  "a user twice, as written": {
    spoil: manifest("          bruno: bruno\n", "          anna: bruno\n"),
    error: [MANIFEST, "          anna: bruno", /^a key that is there already/],
  },
  "a relay that is no host": {
    spoil: manifest("relays: [relay2.example.com]", "relays: [relay4.example.com]"),
    error: [
      MANIFEST,
      "    relays: [relay4",
      /^hosts\."client3\.example\.com"\.relays\.0: not the name of one of the hosts: relay\d\.example\.com\?$/,
    ],
  },
  "a profile that there is none of": {
    spoil: manifest("    profile: relay\n", "    profile: realy\n"),
    error: [MANIFEST, "    profile: realy", /^hosts\."relay3\.example\.com"\.profile: not the name of one of the profiles$/],
  },
  "no target": {
    spoil: manifest("  target: aix\n", "  page-size: 4096\n"),
    error: [MANIFEST, "      access:", /^profiles\.relay\.maps\.access: which host is it for\? say target: aix/],
  },
  "no key": {
    spoil: manifest("key: fleet-key\n", ""),
    error: [MANIFEST, "  relay1.example.com: > sasldb2:", /^key is missing: relay1\.example\.com\/sasldb2 is made with it/],
  },
  "a key too short": {
    spoil: (folder) => writeFileSync(join(folder, "secrets/fleet.key"), "fifteen bytes..\n"),
    error: [MANIFEST, "  fleet-key:", /^secret fleet-key: a key of 15 bytes, where 16 are needed/],
  },
  "a password in the manifest": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { inline: anna-s-password }"),
    error: [MANIFEST, "  anna: {", /^secret anna: it stands in the manifest, which wants settings\.allow-inline/],
  },
  "a variable that is not set": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { env: PASSWORD_OF_ANNA }"),
    error: [MANIFEST, "  anna: {", /^secret anna: the environment has no PASSWORD_OF_ANNA$/],
  },
  "a file that is not there": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { file: secrets/anna }"),
    error: [MANIFEST, "  anna: {", /^secret anna: secrets\/anna: no such file$/],
  },
  "a field that is not there": {
    spoil: passwords("anna: ", "ana: "),
    error: [MANIFEST, "  anna: {", /^secret anna: its text has no anna$/],
  },
  "a command that fails": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { command: [sh, -c, exit 3] }"),
    error: [MANIFEST, "  anna: {", /^secret anna: sh ended with exit code 3$/],
  },
  "a command that takes too long": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { command: [sleep, '5'] }"),
    error: [MANIFEST, "  anna: {", /^secret anna: sleep took longer than 0\.1 s \(command-timeout\)$/],
    args: ["--command-timeout", "0.1"],
  },
  "a command that there is none of": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { command: [no-such-program] }"),
    error: [MANIFEST, "  anna: {", /^secret anna: there is no program no-such-program$/],
  },
  "an empty password": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { command: ['true'] }"),
    error: [MANIFEST, "  anna: {", /^secret anna: it is empty$/],
  },
  "a password of two sources": {
    spoil: manifest("anna: { <<: *passwords, field: anna }", "anna: { env: ANNA, file: anna }"),
    error: [MANIFEST, "  anna: {", /^secrets\.anna: one of env, .* says where it comes from; here are env and file$/],
  },
  "a day that is none": {
    spoil: manifest("field: anna }", "field: anna, changed: 2026-02-30 }"),
    error: [MANIFEST, "  anna: {", /^secrets\.anna\.changed: has to be a day/],
  },
  "a source that is not there": {
    spoil: manifest("source: maps/access", "source: maps/acces"),
    error: [MANIFEST, "      access:", /^source maps\/acces: no such file$/],
  },
  "a user taken out who was not in": {
    spoil: manifest("          bruno: bruno\n", "          bruno:bruno:\n"),
    error: [MANIFEST, "          bruno:bruno:", /sasldb2\.users: a user with nothing behind the name, who is taken out; and no profile/],
  },
};

const top = temporaryFolder({ after });
/** In the ordinary run all that cannot be built, and half of the others, which take longer. */
const chosen = Object.entries(FAULTS).filter(([, { error }], i) => isFull || error !== undefined || i % 2 === 0);
const answers = new Map<string, readonly Answer[]>();

/** The line, from 1, of a file that has this text; undefined for a text that is empty. */
function lineOf(folder: string, file: string, part: string): number | undefined {
  if (part === "") return undefined;
  const lines = readFileSync(join(folder, file), "utf8").split("\n");
  let at = -1;
  for (const each of part.split(" > ")) {
    at = lines.findIndex((line, i) => i > at && line.includes(each));
    assert.ok(at >= 0, `${file} has no ${part}`);
  }
  return at + 1;
}

before(async () => {
  const good = mkdtempSync(join(top, "good-"));
  copyExamples(good, "fleet");
  const today = ["--today", TODAY];
  const [built, checked] = await tsmapBatch(good, [["build"], ["check", ...today]]);
  assert.deepEqual([built?.exit, built?.stderr], [0, ""]);
  assert.deepEqual([checked?.exit, checked?.stdout], [0, "11 files, nothing found\n"]);
  const lines: string[][] = [];
  for (const [i, [, fault]] of chosen.entries()) {
    const folder = join(top, String(i));
    cpSync(good, folder, { recursive: true, verbatimSymlinks: true });
    await fault.spoil(folder, realpathSync(join(folder, "artifacts")));
    if (fault.isOfSet === undefined) lines.push(["build", `${i}/${MANIFEST}`, ...(fault.args ?? [])]);
    lines.push([
      "check",
      `${i}/${MANIFEST}`,
      ...today,
      "--format",
      "json",
      ...(fault.args ?? []).map((arg) => (arg === "copies" ? `${i}/copies` : arg)),
    ]);
  }
  const all = await tsmapBatch(top, lines);
  for (const [i, line] of lines.entries()) {
    const [name = ""] = chosen[Number(/^\d+/.exec(line[1] ?? "")?.[0])] ?? [];
    answers.set(name, [...(answers.get(name) ?? []), all[i] as Answer]);
  }
});

suite("the example fleet with one fault", () => {
  assert.ok(chosen.length >= 40);
  for (const [i, [name, { found, others = 0, error, isOfSet }]] of chosen.entries()) {
    test(name, () => {
      const folder = join(top, String(i));
      const check = answers.get(name)?.at(-1) as Answer;
      const build = isOfSet === undefined ? answers.get(name)?.[0] : undefined;
      if (error !== undefined) {
        const [file, part, message] = error;
        for (const answer of [check, ...(build === undefined ? [] : [build])]) {
          assert.deepEqual([answer.exit, answer.stdout], [2, ""]);
          const [first = ""] = answer.stderr.split("\n");
          const [, place, text = ""] = /^tsmap: (\d+\/[^:]+(?::\d+)?)(?::\d+)?: (.*)$/.exec(first) ?? [];
          const line = lineOf(folder, file, part);
          assert.equal(place, `${i}/${file}${line === undefined ? "" : `:${line}`}`, answer.stderr);
          assert.match(text, message);
        }
        return;
      }
      if (build !== undefined) assert.deepEqual([build.exit, build.stderr], [0, ""]);
      assert.deepEqual([check.exit, check.stderr], [1, ""]);
      const findings = check.stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { code: string; file: string; line?: number; message: string });
      assert.equal(findings.length, (found ?? []).length + others, check.stdout);
      for (const [code, file, part, message] of found ?? []) {
        const line = lineOf(folder, file, part);
        const isIt = (each: (typeof findings)[number]): boolean =>
          each.code === code && each.file === `${i}/${file}` && each.line === line && message.test(each.message);
        assert.ok(findings.some(isIt), `${code} in ${file}:${line} ${String(message)}\n${check.stdout}`);
      }
      for (const { code } of findings)
        assert.ok(
          found?.some(([wanted]) => wanted === code),
          check.stdout,
        );
    });
  }
});
