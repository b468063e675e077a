/**
 * What `authenticate` predicts: for the recorded logins of fixtures/cases, and
 * for many more that a real server is asked about in the same run.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { Database } from "berkeley-db-js";
import { authenticate, type SaslServer } from "#src/sasldb/authenticate.js";
import { cramMd5Secret } from "#src/sasldb/md5-state.js";
import { otpSecret, otpValue } from "#src/sasldb/otp.js";
import { Sasldb } from "#src/sasldb/sasldb.js";
import { scramSecret } from "#src/sasldb/scram.js";
import { fixturesFolder } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { needs } from "../support/native.ts";
import { logIn, loginTools, MECHANISMS, type Mechanism } from "../support/sasl-login.ts";
import { temporaryFolder } from "../support/temp.ts";

interface MatrixRecord {
  readonly key: readonly [string, string, string];
  readonly value_hex?: string;
  readonly value_template?: string;
}

interface Situation {
  readonly id: string;
  readonly title: string;
  readonly database?: string;
  readonly records?: readonly MatrixRecord[];
  readonly server: { readonly fqdn: string | null; readonly user_realm: string | null; readonly hostname: string };
  readonly login: string;
  readonly password: string;
  readonly client_realm: string | null;
  readonly results: Readonly<Record<string, { readonly code: number; readonly name: string }>>;
}

const matrix = JSON.parse(readFileSync(`${fixturesFolder}cases/sasl-auth-matrix.json`, "utf8")) as {
  readonly databases: Readonly<Record<string, readonly MatrixRecord[]>>;
  readonly situations: readonly Situation[];
};

const TIME = 1_800_000_000;

type Records = Readonly<Record<string, string | Uint8Array>>;

/** A database in memory; keys as "user|realm|property". */
function databaseOf(records: Iterable<readonly [string, Uint8Array]>, path?: string): Database {
  const database = Database.open(path ?? new Uint8Array(), { type: "hash", create: true });
  for (const [key, value] of records) database.put(Buffer.from(key), value);
  return database;
}

function matrixRecords(records: readonly MatrixRecord[]): [string, Uint8Array][] {
  return records.map(({ key, value_hex, value_template }) => [
    key.join("\0"),
    value_hex === undefined ? Buffer.from(fillIn(value_template ?? "")) : Buffer.from(value_hex, "hex"),
  ]);
}

function fillIn(template: string): string {
  return template.replace("{NOW+300:020}", String(TIME + 300).padStart(20, "0"));
}

suite("the recorded matrix", () => {
  for (const situation of matrix.situations) {
    const { id, title, server, login, password, client_realm, results } = situation;
    for (const [mechanism, { code, name }] of Object.entries(results)) {
      test(`${id}, ${mechanism}: ${title}`, () => {
        const records = situation.records ?? matrix.databases[situation.database ?? ""] ?? [];
        assert.ok(records.length > 0);
        using database = databaseOf(matrixRecords(records));
        const prediction = authenticate(new Sasldb(database), {
          login,
          realm: client_realm ?? undefined,
          mechanism,
          password,
          server: {
            hostname: server.hostname,
            fqdn: server.fqdn ?? undefined,
            userRealm: server.user_realm ?? undefined,
            time: TIME,
          },
        });
        assert.deepEqual([prediction.code, prediction.result, prediction.ok], [code, name, code === 0], prediction.reason);
        assert.ok(prediction.reason.length > 10);
      });
    }
  }
});

suite("reasons", () => {
  const RECORDS: Records = {
    "alice|r1|userPassword": "pw",
    "alice|r2|userPassword": "pw",
    "otto|r1|cmusaslsecretOTP": otpSecret(Buffer.from("pw"), { seed: "ma1234" }),
    "nl|r1|userPassword": "pw\n",
    "cr|r1|userPassword": "pw\r",
  };
  const reason = (login: string, mechanism: string, server: Partial<SaslServer> = {}): string => {
    using database = databaseOf(bytesOf(RECORDS));
    return authenticate(new Sasldb(database), { login, mechanism, password: "pw", server: { hostname: "h", fqdn: "r1", ...server } })
      .reason;
  };

  test("name where the user is instead", () => {
    assert.equal(reason("alice@r3", "PLAIN"), 'no user "alice" in realm "r3"; the user exists in realm "r1", "r2"');
    assert.equal(reason("ALICE", "PLAIN"), 'no user "ALICE" in realm "r1"; names are case-sensitive, and there is alice@r1, alice@r2');
    assert.equal(reason("bob", "PLAIN"), 'no user "bob" in realm "r1"');
  });

  test("name what is missing, or in the way", () => {
    assert.match(reason("otto", "PLAIN"), /^otto@r1 has no userPassword, which PLAIN needs \(it has cmusaslsecretOTP\)$/);
    assert.match(reason("alice", "OTP"), /has no cmusaslsecretOTP, which OTP needs/);
    assert.match(reason("nl", "PLAIN"), /the stored one ends in a newline$/);
    assert.match(reason("cr", "CRAM-MD5"), /the stored one ends in a carriage return$/);
    assert.match(reason("alice", "PLAIN", { mechanisms: ["CRAM-MD5"] }), /does not offer PLAIN/);
    assert.match(reason("alice", "PLAIN", { pwcheckMethod: "saslauthd" }), /does not look at this database/);
    assert.match(reason("alice", "GSSAPI"), /no mechanism that a SASL database serves/);
    assert.match(reason("otto", "OTP", { mayWrite: false }), /may not write/);
    assert.match(reason(" ", "PLAIN"), /name is empty/);
  });

  test("hold no secret", () => {
    using database = databaseOf(bytesOf({ "alice|r1|userPassword": "topsecret", "bob|r1|authPassword": "garbage-topsecret" }));
    for (const login of ["alice", "bob", "carol"]) {
      for (const mechanism of MECHANISMS) {
        const prediction = authenticate(new Sasldb(database), {
          login,
          mechanism,
          password: "another-topsecret",
          server: { hostname: "r1" },
        });
        assert.doesNotMatch(JSON.stringify(prediction), /topsecret/);
      }
    }
  });
});

function bytesOf(records: Records): [string, Uint8Array][] {
  return Object.entries(records).map(([key, value]) => [key.replaceAll("|", "\0"), typeof value === "string" ? Buffer.from(value) : value]);
}

const REALM = "mail.example.com";
const SALT = Buffer.from("0123456789abcdef");
const scram = (mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256", password = "pw"): Uint8Array =>
  scramSecret(Buffer.from(password), { mechanism, salt: SALT });
const md5 = (text: string): Uint8Array => createHash("md5").update(text).digest();
const plainHash = (password: string): Uint8Array =>
  Buffer.concat([SALT, Buffer.alloc(1), createHash("md5").update(SALT).update("sasldb").update(password).digest()]);

function otp(fields: { algorithm?: string; sequence?: string; seed?: string; timeout?: number; password?: string } = {}): string {
  const { algorithm = "md5", sequence = "0499", seed = "ma1234", timeout = 0, password = "pw" } = fields;
  const value = otpValue(Buffer.from(password), {
    algorithm: algorithm.toLowerCase() === "sha1" ? "sha1" : "md5",
    seed: seed.toLowerCase(),
    sequence: Number(sequence),
  });
  return [algorithm, sequence, seed, Buffer.from(value).toString("hex"), String(timeout).padStart(20, "0")].join("\t");
}

const now = Math.floor(Date.now() / 1000);

/** Each user of a database that the real server is asked about; the password that is tried is "pw". */
const USERS: Records = {
  [`plain|${REALM}|userPassword`]: "pw",
  [`other|${REALM}|userPassword`]: "pw2",
  [`blank|${REALM}|userPassword`]: "pw ",
  [`nul|${REALM}|userPassword`]: "pw\0x",
  [`elsewhere|r2|userPassword`]: "pw",
  [`norealm||userPassword`]: "pw",
  [`|${REALM}|userPassword`]: "pw",
  [`a|b@c|userPassword`]: "pw",
  [`ä|${REALM}|userPassword`]: "pw",
  [`both|${REALM}|userPassword`]: "pw",
  [`both|${REALM}|authPassword`]: scram("SCRAM-SHA-256", "pw2"),
  [`bothauth|${REALM}|userPassword`]: "pw2",
  [`bothauth|${REALM}|authPassword`]: scram("SCRAM-SHA-256"),
  [`sha1|${REALM}|authPassword`]: scram("SCRAM-SHA-1"),
  [`sha256|${REALM}|authPassword`]: scram("SCRAM-SHA-256"),
  [`sha256other|${REALM}|authPassword`]: scram("SCRAM-SHA-256", "pw2"),
  [`sha256lf|${REALM}|authPassword`]: Buffer.concat([scram("SCRAM-SHA-256"), Buffer.from("\n")]),
  [`garbage|${REALM}|authPassword`]: "garbage",
  [`digest|${REALM}|cmusaslsecretDIGEST-MD5`]: md5(`digest:${REALM}:pw`),
  [`digestother|${REALM}|cmusaslsecretDIGEST-MD5`]: md5(`digestother:${REALM}:pw2`),
  [`digestrealm|${REALM}|cmusaslsecretDIGEST-MD5`]: md5("digestrealm:r2:pw"),
  [`cram|${REALM}|cmusaslsecretCRAM-MD5`]: cramMd5Secret(Buffer.from("pw")),
  [`cramother|${REALM}|cmusaslsecretCRAM-MD5`]: cramMd5Secret(Buffer.from("pw2")),
  [`hash|${REALM}|cmusaslsecretPLAIN`]: plainHash("pw"),
  [`hashother|${REALM}|cmusaslsecretPLAIN`]: plainHash("pw2"),
  [`hashboth|${REALM}|cmusaslsecretPLAIN`]: plainHash("pw"),
  [`hashboth|${REALM}|userPassword`]: "pw2",
  [`otp|${REALM}|cmusaslsecretOTP`]: otp(),
  [`otpother|${REALM}|cmusaslsecretOTP`]: otp({ password: "pw2" }),
  [`otpsha1|${REALM}|cmusaslsecretOTP`]: otp({ algorithm: "sha1" }),
  [`otpupper|${REALM}|cmusaslsecretOTP`]: otp({ algorithm: "MD5", seed: "MA1234" }),
  [`otp2|${REALM}|cmusaslsecretOTP`]: otp({ sequence: "0002" }),
  [`otp1|${REALM}|cmusaslsecretOTP`]: otp({ sequence: "0001" }),
  [`otp0|${REALM}|cmusaslsecretOTP`]: otp({ sequence: "0000" }),
  [`otp9999|${REALM}|cmusaslsecretOTP`]: otp({ sequence: "9999" }),
  [`otp16|${REALM}|cmusaslsecretOTP`]: otp({ seed: "a123456789012345" }),
  [`otppast|${REALM}|cmusaslsecretOTP`]: otp({ timeout: now - 1000 }),
  [`otpshort|${REALM}|cmusaslsecretOTP`]: "md5\t0499\tx\tabc",
  [`otpalgorithm|${REALM}|cmusaslsecretOTP`]: otp({ algorithm: "foo" }),
};

const LOGINS = [
  ...new Set(Object.keys(USERS).map((key) => key.split("|")[0] as string)),
  ...["elsewhere@r2", "norealm@", `@${REALM}`, "a@b@c", " plain ", "PLAIN", `plain@${REALM.toUpperCase()}`, `digest@${REALM}`, "nobody"],
];

/** Of the settings that a server can have. */
const SERVERS: readonly { readonly fqdn: string; readonly userRealm?: string }[] = [
  { fqdn: REALM },
  { fqdn: REALM.toUpperCase() },
  { fqdn: "other.example.com", userRealm: REALM },
];

suite("as a real server answers", { concurrency: 2 }, () => {
  for (const mechanism of MECHANISMS) {
    test(mechanism, async (t) => {
      if (!needs(t, ...loginTools([mechanism]))) return;
      for (const [i, server] of (isFull ? SERVERS : SERVERS.slice(0, 1)).entries()) {
        // The other settings are about the realm, which is a matter of few of the users.
        const logins = i === 0 ? LOGINS : LOGINS.filter((login) => /^(plain|elsewhere|norealm|digest|PLAIN|a@b@c|otp$)/.test(login));
        for (const login of logins) await compare(mechanism, login, server, join(temporaryFolder(t), "db"));
      }
    });
  }
});

async function compare(mechanism: Mechanism, login: string, server: { fqdn: string; userRealm?: string }, path: string): Promise<void> {
  // Nothing comes to the server of a name that the client itself refuses.
  if (login === "") return;
  const database = databaseOf(bytesOf(USERS), path);
  const prediction = authenticate(new Sasldb(database), { login, mechanism, password: "pw", server: { hostname: "unused", ...server } });
  database.close();
  const { ok, code, detail } = await logIn({ database: path, mechanism, login, password: "pw", server });
  const what = `${mechanism} ${JSON.stringify(login)} ${JSON.stringify(server)}: ${prediction.reason}\n${detail}`;
  assert.deepEqual({ ok: prediction.ok, code: prediction.code }, { ok, code }, what);
}
