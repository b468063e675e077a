/**
 * With the real programs, both ways: what ours writes theirs list, change,
 * delete and let in; what theirs write ours lists, changes and deletes.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { sortedPairs } from "../support/bytes.ts";
import { needs, runNative } from "../support/native.ts";
import { assertVerified, dump } from "../support/native-db.ts";
import { launcherOf, type Outcome, run } from "../support/program.ts";
import { type Answer, logIn, loginTools, MECHANISMS, type Mechanism } from "../support/sasl-login.ts";
import { temporaryFolder } from "../support/temp.ts";

const HOST = "mail.example.com";

/** A folder with a database in it, and the programs that are run on it, with no configuration of the machine's. */
class Desk {
  readonly folder: string;
  readonly file: string;

  constructor(t: TestContext) {
    this.folder = temporaryFolder(t);
    this.file = join(this.folder, "sasldb2");
    for (const name of ["saslpasswd", "sasldblistusers"]) writeFileSync(join(this.folder, `${name}.conf`), "");
  }

  get #env(): NodeJS.ProcessEnv {
    return { PATH: process.env["PATH"], SASL_CONF_PATH: this.folder };
  }

  async ours(args: readonly string[], password = ""): Promise<void> {
    const outcome = await this.#run("tssaslpasswd", ["-f", this.file, "--hostname", HOST, ...args], password);
    assert.deepEqual(outcome, { exit: 0, signal: null, stdout: "", stderr: "" });
  }

  native(args: readonly string[], password = ""): void {
    const { status, stderr } = runNative("saslpasswd2", ["-p", "-f", this.file, "-u", HOST, ...args], { input: password, env: this.#env });
    assert.deepEqual([status, stderr.toString()], [0, ""]);
  }

  /** The listing of both listers, which has to be the same. */
  async list(): Promise<string[]> {
    const { stdout, status } = runNative("sasldblistusers2", ["-f", this.file], { env: this.#env });
    const ours = await this.#run("tssasldblist", ["-f", this.file]);
    assert.deepEqual(ours, { exit: status, signal: null, stdout: stdout.toString("latin1"), stderr: "" });
    return ours.stdout.split("\n").slice(0, -1);
  }

  #run(name: string, args: readonly string[], input = ""): Promise<Outcome> {
    return run(process.execPath, [launcherOf(name), ...args], { input, env: this.#env });
  }

  logIn(
    mechanism: Mechanism,
    login: string,
    password: string,
    server: { fqdn?: string; userRealm?: string } = { fqdn: HOST },
  ): Promise<Answer> {
    return logIn({ database: this.file, mechanism, login, password, server });
  }
}

const line = (user: string, property: string): string => `${user}@${HOST}: ${property}`;
const ALL = ["userPassword", "cmusaslsecretOTP"];

suite("both ways", { concurrency: 2 }, () => {
  test("what ours writes, theirs list, change and delete", async (t) => {
    if (!needs(t, "saslpasswd2", "sasldblistusers2", "db5.3_dump", "db5.3_verify", "sasl otp plugin")) return;
    const desk = new Desk(t);
    for (const user of ["alice", "bob", "carol@other"]) await desk.ours([user], "first\n");
    assert.deepEqual(
      (await desk.list()).sort(),
      [
        ...["alice", "bob"].flatMap((user) => ALL.map((property) => line(user, property))),
        ...ALL.map((property) => `carol@other: ${property}`),
      ].sort(),
    );
    desk.native(["alice"], "second");
    desk.native(["-d", "bob"]);
    const records = new Map(dump(desk.file));
    assert.equal(records.get(`alice\0${HOST}\0userPassword`), "second");
    assert.equal(records.get("carol\0other\0userPassword"), "first");
    assert.deepEqual(
      (await desk.list()).sort(),
      [...ALL.map((property) => line("alice", property)), ...ALL.map((property) => `carol@other: ${property}`)].sort(),
    );
    assertVerified([desk.file]);
  });

  test("what theirs write, ours lists, changes and deletes", async (t) => {
    if (!needs(t, "saslpasswd2", "sasldblistusers2", "db5.3_dump", "db5.3_verify", "sasl otp plugin")) return;
    const desk = new Desk(t);
    for (const user of ["alice", "bob", "carol@other"]) desk.native([user], "first");
    assert.equal((await desk.list()).length, 6);
    await desk.ours(["alice"], "second\n");
    await desk.ours(["-d", "bob"]);
    const records = new Map(dump(desk.file));
    assert.deepEqual([...records.keys()].map((key) => key.split("\0")[0]).sort(), ["alice", "alice", "carol", "carol"]);
    assert.equal(records.get(`alice\0${HOST}\0userPassword`), "second");
    assert.equal(records.get("carol\0other\0userPassword"), "first");
    assert.equal((await desk.list()).length, 4);
    assertVerified([desk.file]);
  });

  test("sixty changes by turns leave the same records as one program's", async (t) => {
    if (!needs(t, "saslpasswd2", "sasldblistusers2", "db5.3_dump", "db5.3_verify")) return;
    const [mixed, native] = [new Desk(t), new Desk(t)];
    // Long passwords take pages of their own; -d frees them.
    for (let i = 0; i < 60; i++) {
      const user = `user${(i * 7) % 25}`;
      const password = `password ${i} ${"x".repeat((i * 97) % 1900)}`;
      const args = i % 5 === 4 ? ["-d", user] : [user];
      if (i % 2 === 0) await mixed.ours(args, password);
      else mixed.native(args, password);
      native.native(args, password);
    }
    const users = (file: string): [string, string][] => sortedPairs(dump(file).filter(([key]) => key.endsWith("userPassword")));
    assert.deepEqual(users(mixed.file), users(native.file));
    assert.ok(users(mixed.file).length > 10);
    assertVerified([mixed.file, native.file]);
  });
});

suite("logins against what ours writes", { concurrency: 2 }, () => {
  for (const mechanism of MECHANISMS) {
    test(mechanism, async (t) => {
      if (!needs(t, ...loginTools([mechanism]))) return;
      const desk = new Desk(t);
      await desk.ours(["alice"], "pw1\n");
      await desk.ours(["bob@r1"], "pw2\n");
      const codes = async (login: string, password: string, server?: { fqdn?: string; userRealm?: string }): Promise<number | undefined> =>
        (await desk.logIn(mechanism, login, password, server)).code;
      assert.equal(await codes("alice", "pw1"), 0);
      assert.equal(await codes(`alice@${HOST}`, "pw1"), 0, "with the realm that the listing shows");
      assert.equal(await codes("bob@r1", "pw2"), 0);
      assert.equal(await codes("bob", "pw2", { fqdn: HOST, userRealm: "r1" }), 0);
      assert.equal(await codes("alice", "pw2"), -13, "wrong password");
      assert.equal(await codes("bob", "pw2"), -20, "wrong realm");
      assert.equal(await codes("nobody", "pw1"), -20, "unknown user");
      // After a change the old password is refused, and after -d the user.
      await desk.ours(["alice"], "pw3\n");
      assert.equal(await codes("alice", "pw1"), -13);
      assert.equal(await codes("alice", "pw3"), 0);
      await desk.ours(["-d", "alice"]);
      assert.equal(await codes("alice", "pw3"), -20);
    });
  }

  for (const [what, args, good, bad] of [
    ["SCRAM-SHA-256 alone", ["-n", "--mechanisms", "SCRAM-SHA-256"], "SCRAM-SHA-256", "PLAIN"],
    ["SCRAM-SHA-1 alone", ["-n", "--mechanisms", "SCRAM-SHA-1"], "SCRAM-SHA-1", "CRAM-MD5"],
    ["OTP alone", ["-n"], "OTP", "PLAIN"],
    ["the password alone", ["--mechanisms", "none"], "DIGEST-MD5", "OTP"],
  ] as const) {
    test(`${what} lets in by ${good}, and not by ${bad}`, async (t) => {
      if (!needs(t, ...loginTools([good, bad]))) return;
      const desk = new Desk(t);
      await desk.ours([...args, "alice"], "pw1\n");
      assert.equal((await desk.logIn(good, "alice", "pw1")).code, 0);
      assert.equal((await desk.logIn(good, "alice", "pw2")).code, -13);
      assert.equal((await desk.logIn(bad, "alice", "pw1")).code, -20);
    });
  }

  test("OTP several times in a row, with md5 and sha1, whatever the host is called", async (t) => {
    if (!needs(t, ...loginTools(["OTP"]), "db5.3_dump")) return;
    for (const [algorithm, hostname] of [
      ["md5", "m-x.example.com"],
      ["sha1", "Relay"],
    ] as const) {
      const desk = new Desk(t);
      await desk.ours(["--hostname", hostname, "-u", HOST, "--otp-mda", algorithm, "alice"], "pw1\n");
      for (let sequence = 498; sequence > 492; sequence--) {
        assert.equal((await desk.logIn("OTP", "alice", "pw1")).code, 0, `${algorithm} ${sequence}`);
        const value = new Map(dump(desk.file)).get(`alice\0${HOST}\0cmusaslsecretOTP`);
        assert.match(value ?? "", new RegExp(`^${algorithm}\t0${sequence}\t${hostname.startsWith("m-") ? "mx" : "re"}\\d{4}\t`));
      }
      assert.equal((await desk.logIn("OTP", "alice", "pw2")).code, -13);
    }
  });

  test("files for AIX let in here too: big-endian, version 8", async (t) => {
    if (!needs(t, ...loginTools(["PLAIN", "DIGEST-MD5", "OTP"]), "sasldblistusers2")) return;
    const desk = new Desk(t);
    await desk.ours(["--target", "aix", "alice"], "pw1\n");
    await desk.ours(["bob"], "pw2\n");
    assert.equal((await desk.list()).length, 4);
    for (const mechanism of ["PLAIN", "DIGEST-MD5", "OTP"] as const) {
      assert.equal((await desk.logIn(mechanism, "alice", "pw1")).code, 0);
      assert.equal((await desk.logIn(mechanism, "bob", "pw1")).code, -13);
    }
  });
});
