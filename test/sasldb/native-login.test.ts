/**
 * Logins against Cyrus SASL's server with databases that its own saslpasswd2
 * makes: what `logIn` says can be believed when it is asked about ours.
 */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { Database } from "berkeley-db-js";
import { needs, runNative } from "../support/native.ts";
import { dump } from "../support/native-db.ts";
import { isRoot, NOBODY } from "../support/program.ts";
import { type Answer, type Login, logIn, loginTools, MECHANISMS, type Mechanism, oneTimePassword } from "../support/sasl-login.ts";
import { temporaryFolder } from "../support/temp.ts";

const FQDN = "mail.example.com";

/** saslpasswd2 makes seeds of the first two characters of the host's name; OTP has letters and digits only. */
const SEEDS_ARE_USABLE = /^[0-9a-z]+$/i.test(hostname().slice(0, 2));

function isPossible(t: TestContext, ...mechanisms: readonly Mechanism[]): boolean {
  if (!needs(t, "saslpasswd2", "db5.3_dump", ...loginTools(mechanisms))) return false;
  if (SEEDS_ARE_USABLE || !mechanisms.includes("OTP")) return true;
  t.skip(`the host's name, ${hostname()}, makes seeds that no client of OTP takes`);
  return false;
}

/** Users and passwords, each `user@realm`, put there by saslpasswd2 with no configuration of the machine's. */
function makeDatabase(t: TestContext, users: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "saslpasswd.conf"), "");
  const database = join(folder, "sasldb2");
  for (const [user, password] of Object.entries(users)) {
    const env = { PATH: process.env["PATH"], SASL_CONF_PATH: folder };
    const { status, stderr } = runNative("saslpasswd2", ["-p", "-f", database, user], { input: password, env });
    assert.equal(status, 0, stderr.toString());
  }
  return database;
}

function attempt(database: string, mechanism: Mechanism, changes: Partial<Login> = {}): Promise<Answer> {
  return logIn({ database, mechanism, login: "alice", password: "pw1", server: { fqdn: FQDN }, ...changes });
}

/** The fields of alice's OTP secret. */
function otpSecret(database: string): { algorithm: string; sequence: string; seed: string; otp: string; timeout: string } {
  const value = new Map(dump(database)).get(`alice\0${FQDN}\0cmusaslsecretOTP`);
  assert.ok(value !== undefined);
  const [algorithm = "", sequence = "", seed = "", otp = "", timeout = ""] = value.split("\t");
  return { algorithm, sequence, seed, otp, timeout };
}

function putOtpSecret(database: string, sequence: number, timeout: number): void {
  const otp = oneTimePassword("md5", sequence, "ma1234", "pw1");
  const secret = ["md5", String(sequence).padStart(4, "0"), "ma1234", otp, String(timeout).padStart(20, "0")].join("\t");
  using db = Database.open(database);
  db.put(Buffer.from(`alice\0${FQDN}\0cmusaslsecretOTP`), Buffer.from(secret));
}

const NO_LOCK = "0".repeat(20);
const now = (): number => Math.floor(Date.now() / 1000);

/** Refused by the server with this code. */
function assertRefused({ ok, code, by, error, detail }: Answer, expected: number, text: RegExp): void {
  assert.deepEqual({ ok, code, by }, { ok: false, code: expected, by: "server" }, detail);
  assert.match(error, text);
}

for (const mechanism of MECHANISMS) {
  suite(`${mechanism} against a database of saslpasswd2`, () => {
    const USERS = { [`alice@${FQDN}`]: "pw1", "bob@r1": "pw2" };

    test("the right password is let in, a wrong one is not", async (t) => {
      if (!isPossible(t, mechanism)) return;
      const database = makeDatabase(t, USERS);
      const { ok, code, user, error, detail } = await attempt(database, mechanism);
      assert.deepEqual({ ok, code, user, error }, { ok: true, code: 0, user: "alice", error: "" }, detail);
      for (const password of ["pw2", "pw", "pw11", "PW1", "pw1 ", " "])
        assertRefused(await attempt(database, mechanism, { password }), -13, /authentication failure/);
      assert.ok((await attempt(database, mechanism)).ok);
    });

    test("an unknown user, and one of another realm, are not let in", async (t) => {
      if (!isPossible(t, mechanism)) return;
      const database = makeDatabase(t, USERS);
      const strangers: Partial<Login>[] = [
        { login: "nosuch" },
        { login: "ALICE" },
        { login: "bob", password: "pw2" },
        { login: "alice@r1" },
        { login: `alice@${FQDN.toUpperCase()}` },
        { server: { fqdn: "other.example.com" } },
        { server: { fqdn: FQDN, userRealm: "r1" } },
      ];
      for (const changes of strangers) assertRefused(await attempt(database, mechanism, changes), -20, /user not found/);
    });

    test("a realm in the name counts, whatever the server's", async (t) => {
      if (!isPossible(t, mechanism)) return;
      const database = makeDatabase(t, USERS);
      const friends: Partial<Login>[] = [
        { login: `alice@${FQDN}` },
        { login: `alice@${FQDN}`, server: { fqdn: "other.example.com" } },
        { login: `alice@${FQDN}`, server: { fqdn: FQDN, userRealm: "r1" } },
        { login: "bob@r1", password: "pw2" },
        { login: "bob", password: "pw2", server: { fqdn: FQDN, userRealm: "r1" } },
        { server: { fqdn: FQDN.toUpperCase() } },
      ];
      for (const changes of friends) {
        const { ok, detail } = await attempt(database, mechanism, changes);
        assert.ok(ok, `${JSON.stringify(changes)}: ${detail}`);
      }
    });

    test("no database: no user", async (t) => {
      if (!isPossible(t, mechanism)) return;
      const database = join(temporaryFolder(t), "none");
      assertRefused(await attempt(database, mechanism), -20, /user not found/);
      assert.equal(existsSync(database), false);
    });
  });
}

suite("one-time passwords", () => {
  test("are those of RFC 2289", () => {
    assert.equal(oneTimePassword("md5", 0, "test", "This is a test."), "9e876134d90499dd");
    assert.equal(oneTimePassword("md5", 99, "test", "This is a test."), "50fe1962c4965880");
    assert.equal(oneTimePassword("sha1", 0, "test", "This is a test."), "bb9e6ae1979d8ff4");
    assert.equal(oneTimePassword("sha1", 99, "test", "This is a test."), "87fec7768b73ccf9");
  });

  test("each is good for one login, and counts down by one", async (t) => {
    if (!isPossible(t, "OTP")) return;
    const database = makeDatabase(t, { [`alice@${FQDN}`]: "pw1" });
    const { seed } = otpSecret(database);
    for (let sequence = 499; sequence > 494; sequence--) {
      const secret = (n: number) => ({
        algorithm: "md5",
        sequence: `0${n}`,
        seed,
        otp: oneTimePassword("md5", n, seed, "pw1"),
        timeout: NO_LOCK,
      });
      assert.deepEqual(otpSecret(database), secret(sequence));
      const { ok, detail } = await attempt(database, "OTP");
      assert.ok(ok, detail);
      assert.deepEqual(otpSecret(database), secret(sequence - 1));
    }
  });

  test("a wrong one changes nothing, and leaves no lock", async (t) => {
    if (!isPossible(t, "OTP")) return;
    const database = makeDatabase(t, { [`alice@${FQDN}`]: "pw1" });
    const before = otpSecret(database);
    assertRefused(await attempt(database, "OTP", { password: "pw2" }), -13, /authentication failure/);
    assert.deepEqual(otpSecret(database), before);
    const { ok, detail } = await attempt(database, "OTP");
    assert.ok(ok, detail);
  });

  test("another login's lock is waited for, one of the past is not", async (t) => {
    if (!isPossible(t, "OTP")) return;
    const database = makeDatabase(t, { [`alice@${FQDN}`]: "pw1" });
    for (const [seconds, least, most] of [
      [3, 1900, 10_000],
      [-1, 0, 1000],
    ] as const) {
      putOtpSecret(database, 499, now() + seconds);
      const start = Date.now();
      const { ok, detail } = await attempt(database, "OTP");
      const took = Date.now() - start;
      assert.ok(ok, detail);
      assert.ok(took >= least && took < most, `${took} ms`);
      assert.equal(otpSecret(database).timeout, NO_LOCK);
    }
  });

  test("they end at 1, and begin anew below 490", async (t) => {
    if (!isPossible(t, "OTP")) return;
    const database = makeDatabase(t, { [`alice@${FQDN}`]: "pw1" });
    putOtpSecret(database, 1, 0);
    assertRefused(await attempt(database, "OTP"), -18, /passphrase expired/);
    putOtpSecret(database, 490, 0);
    assert.ok((await attempt(database, "OTP")).ok);
    const { sequence, seed, otp } = otpSecret(database);
    assert.equal(sequence, "0499");
    assert.notEqual(seed, "ma1234");
    assert.equal(otp, oneTimePassword("md5", 499, seed, "pw1"));
  });

  test("none is good where the server cannot write", async (t) => {
    if (!isPossible(t, "OTP")) return;
    const made = makeDatabase(t, { [`alice@${FQDN}`]: "pw1" });
    const folder = temporaryFolder(t);
    const database = join(folder, "sasldb2");
    copyFileSync(made, database);
    chmodSync(folder, 0o755);
    chmodSync(database, 0o444);
    const server = { fqdn: FQDN, ...(isRoot ? { uid: NOBODY } : {}) };
    assert.ok((await attempt(database, "PLAIN", { server })).ok);
    const before = otpSecret(database);
    assertRefused(await attempt(database, "OTP", { server }), -1, /generic failure/);
    assert.deepEqual(otpSecret(database), before);
  });
});

test("every mechanism takes a password in any script, with a blank at its end", async (t) => {
  if (!isPossible(t, ...MECHANISMS)) return;
  const database = makeDatabase(t, { [`alice@${FQDN}`]: "pässwörd ☃ " });
  for (const mechanism of MECHANISMS) {
    const { ok, detail } = await attempt(database, mechanism, { password: "pässwörd ☃ " });
    assert.ok(ok, `${mechanism}: ${detail}`);
    assertRefused(await attempt(database, mechanism, { password: "pässwörd ☃" }), -13, /authentication failure/);
  }
});

test("a login leaves nothing behind, and takes no password with a newline", async (t) => {
  if (!isPossible(t)) return;
  const database = makeDatabase(t, { [`alice@${FQDN}`]: "pw1" });
  await assert.rejects(attempt(database, "PLAIN", { password: "pw1\n" }), /newline/);
  const { detail } = await attempt(database, "PLAIN", { server: { fqdn: FQDN, configuration: ["no colon"] } });
  assert.match(detail, /error when parsing configuration file/);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith(`tsmakemap-sasl-${process.pid}-`)),
    [],
  );
});
