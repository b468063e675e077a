/**
 * What tssaslpasswd and tssasldblist have beyond the originals: long options,
 * sources of the password, formats, realms, JSON, listings.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { Database, readFileHeader } from "berkeley-db-js";
import { otpSecret } from "#src/sasldb/otp.js";
import { scramSecret } from "#src/sasldb/scram.js";
import { sha256, sortedPairs, textOf } from "../support/bytes.ts";
import { databaseFixture } from "../support/fixtures.ts";
import { needs } from "../support/native.ts";
import { launcherOf, type Outcome, type RunOptions, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { TERMINAL_TOOLS, Terminal } from "../support/terminal.ts";

const HOST = "mail.example.com";

/** A folder with a database in it. */
class Desk {
  readonly folder: string;
  readonly file: string;

  constructor(t: TestContext) {
    this.folder = temporaryFolder(t);
    this.file = join(this.folder, "sasldb2");
  }

  path(name: string, content?: string | Uint8Array): string {
    const path = join(this.folder, name);
    if (content !== undefined) writeFileSync(path, content);
    return path;
  }

  passwd(args: readonly string[], input: string | Uint8Array = "pw\n", options: RunOptions = {}): Promise<Outcome> {
    return this.#run("tssaslpasswd", ["--file", this.file, "--hostname", HOST, ...args], { input, ...options });
  }

  /** As `passwd`, for what has to go well and quietly. */
  async set(args: readonly string[], input: string | Uint8Array = "pw\n", env: NodeJS.ProcessEnv = {}): Promise<void> {
    assert.deepEqual(await this.passwd(args, input, { env }), { exit: 0, signal: null, stdout: "", stderr: "" });
  }

  list(args: readonly string[] = []): Promise<Outcome> {
    return this.#run("tssasldblist", [...args, this.file]);
  }

  async lines(...args: string[]): Promise<string[]> {
    const { exit, stdout, stderr } = await this.list(args);
    assert.deepEqual([exit, stderr], [0, ""]);
    return Buffer.from(stdout, "latin1").toString().split("\n").slice(0, -1);
  }

  /** The records as text, sorted by key; NUL as "|". */
  records(): [string, string][] {
    using database = Database.open(this.file, { readOnly: true });
    return sortedPairs(Array.from(database, ([key, value]) => [textOf(key).replaceAll("\0", "|"), textOf(value)]));
  }

  #run(name: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(process.execPath, [launcherOf(name), ...args], { ...options, env: { SASL_CONF_PATH: this.folder, ...options.env } });
  }
}

const otp = (password: string, seed: string, algorithm: "md5" | "sha1" = "md5"): string =>
  textOf(otpSecret(Buffer.from(password), { seed, algorithm }));
const SALT = Buffer.from("0123456789abcdef");
const scram = (mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256"): string => textOf(scramSecret(Buffer.from("pw"), { mechanism, salt: SALT }));

suite("tssaslpasswd", { concurrency: 2 }, () => {
  test("the guide's example: both entries of dummyuser", async (t) => {
    const desk = new Desk(t);
    await desk.set(["--hostname", "hostname.domain.com", "dummyuser"], "12345\n");
    assert.deepEqual((await desk.lines()).sort(), [
      "dummyuser@hostname.domain.com: cmusaslsecretOTP",
      "dummyuser@hostname.domain.com: userPassword",
    ]);
  });

  test("--otp-seed and --scram-salt: the same bytes from the same input", async (t) => {
    const build = async (): Promise<string> => {
      const desk = new Desk(t);
      await desk.set(["--otp-seed", "ab1234", "alice"]);
      await desk.set(["--otp-seed", "ab1235", "--otp-mda", "sha1", "bob@r1"]);
      await desk.set(["-n", "--mechanisms", "scram-sha-256", "--scram-salt", SALT.toString("base64"), "carol"]);
      await desk.set(["-n", "--mechanisms", "SCRAM-SHA-1, SCRAM-SHA-256", "--scram-salt", SALT.toString("hex"), "dave"]);
      assert.deepEqual(desk.records(), [
        [`alice|${HOST}|cmusaslsecretOTP`, otp("pw", "ab1234")],
        [`alice|${HOST}|userPassword`, "pw"],
        ["bob|r1|cmusaslsecretOTP", otp("pw", "ab1235", "sha1")],
        ["bob|r1|userPassword", "pw"],
        [`carol|${HOST}|authPassword`, scram("SCRAM-SHA-256")],
        // As in the original the last one stays, which is the oldest hash.
        [`dave|${HOST}|authPassword`, scram("SCRAM-SHA-1")],
      ]);
      return sha256(readFileSync(desk.file));
    };
    assert.equal(await build(), await build());
  });

  test("the file id says nothing of the password", async (t) => {
    const ids = [];
    for (const password of ["one\n", "two\n"]) {
      const desk = new Desk(t);
      await desk.set(["alice"], password);
      ids.push(readFileSync(desk.file).subarray(52, 72).toString("hex"));
    }
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], "0".repeat(40));
  });

  test("--password-file and --password-env", async (t) => {
    const desk = new Desk(t);
    await desk.set(["--password-file", desk.path("one", "from file\n"), "a"], "");
    await desk.set(["--password-file", desk.path("two", "without newline"), "b"], "");
    await desk.set(["--password-env", "SMTP_PASSWORD", "c"], "", { SMTP_PASSWORD: "from the environment" });
    const passwords = desk.records().filter(([key]) => key.endsWith("userPassword"));
    assert.deepEqual(
      passwords.map(([, value]) => value),
      ["from file", "without newline", "from the environment"],
    );
  });

  for (const [what, args, exit, message] of [
    [
      "a password file that is not there",
      ["--password-file", "{D}/none", "u"],
      1,
      /none: No such file or directory\n.*generic failure\n$/s,
    ],
    ["a variable that is not there", ["--password-env", "NONE", "u"], 7, /the environment has no NONE\n.*invalid parameter supplied\n$/s],
    ["two sources", ["--password-env", "HOME", "--password-file", "x", "u"], 7, /one of them alone/],
    ["an unknown mechanism", ["--mechanisms", "OTP,PLAIN", "u"], 7, /--mechanisms: "PLAIN" is not one of/],
    ["none among others", ["--mechanisms", "none,OTP", "u"], 7, /--mechanisms: "NONE" is not one of/],
    ["a seed with a dash", ["--otp-seed", "m-1", "u"], 7, /--otp-seed: "m-1" is not 1 to 16 lower-case letters and digits/],
    ["a seed in upper case", ["--otp-seed", "AB1", "u"], 7, /lower-case/],
    ["a short salt", ["--scram-salt", "abcd", "u"], 7, /--scram-salt: "abcd" is not 16 bytes/],
    ["md4", ["--otp-mda", "md4", "u"], 7, /--otp-mda: "md4" is not one of md5, sha1/],
    ["a target that is none", ["--target", "vms", "u"], 7, /--target: "vms" is not native or aix/],
    ["one realm to rename", ["--rename-realm", "a"], 7, /--rename-realm: wants two realms, OLD and NEW/],
    ["a realm to rename and to disable", ["--rename-realm", "a", "b", "-d"], 7, /--rename-realm: wants two realms, OLD and NEW/],
    ["a userid that is too long", ["u".repeat(16384)], 7, /16383 bytes each at most/],
    ["no user", ["--mechanisms", "none"], 1, /usage: tssaslpasswd/],
  ] as const) {
    test(`${what} is refused, and nothing is made`, async (t) => {
      const desk = new Desk(t);
      const outcome = await desk.passwd(args.map((arg) => arg.replace("{D}", desk.folder)));
      assert.deepEqual([outcome.exit, outcome.stdout], [exit, ""]);
      assert.match(outcome.stderr, message);
      assert.equal(statSync(desk.file, { throwIfNoEntry: false }), undefined);
    });
  }

  test("--target aix makes a big-endian file of version 8, which stays one", async (t) => {
    const desk = new Desk(t);
    const header = (): unknown => readFileHeader(readFileSync(desk.file));
    const AIX = { type: "hash", byteOrder: "big", version: 8, pageSize: 4096 };
    await desk.set(["--target", "aix", "alice"]);
    assert.deepEqual(header(), AIX);
    await desk.set(["bob"]);
    await desk.set(["-d", "alice"]);
    assert.deepEqual(header(), AIX);
    assert.deepEqual(await desk.lines("--sort"), [`bob@${HOST}: cmusaslsecretOTP`, `bob@${HOST}: userPassword`]);
    assert.deepEqual(Database.verify(desk.file), []);
  });

  test("TSMAKEMAP_TARGET of the environment counts, under the command line", async (t) => {
    const desk = new Desk(t);
    await desk.set(["--page-size", "512", "alice"], "pw\n", { TSMAKEMAP_TARGET: "aix", TSMAKEMAP_PAGE_SIZE: "1024" });
    assert.deepEqual(readFileHeader(readFileSync(desk.file)), { type: "hash", byteOrder: "big", version: 8, pageSize: 512 });
  });

  test("--in-place keeps the file", async (t) => {
    const desk = new Desk(t);
    await desk.set(["alice"]);
    const { ino } = statSync(desk.file);
    await desk.set(["--in-place", "bob"]);
    assert.equal(statSync(desk.file).ino, ino);
    assert.equal((await desk.lines()).length, 4);
    await desk.set(["carol"]);
    assert.notEqual(statSync(desk.file).ino, ino);
  });

  test("--rename-realm moves all users of a realm, or none", async (t) => {
    const desk = new Desk(t);
    for (const user of ["alice@old", "bob@old", "carol@other"]) await desk.set([user]);
    const before = desk.records();
    await desk.set(["--rename-realm", "old", "new"], "");
    assert.deepEqual(desk.records(), sortedPairs(before.map(([key, value]) => [key.replace("|old|", "|new|"), value])));
    await desk.set(["bob@old"], "second\n");
    const kept = readFileSync(desk.file);
    const refused = await desk.passwd(["--rename-realm", "old", "new"]);
    assert.equal(refused.exit, 1);
    assert.match(refused.stderr, /realm new has the same users already: bob: nothing was renamed\ntssaslpasswd: generic failure\n$/);
    const missing = await desk.passwd(["--rename-realm", "none", "new"]);
    assert.equal(missing.exit, 1);
    assert.match(missing.stderr, /no user in realm none\n/);
    assert.deepEqual(readFileSync(desk.file), kept);
  });

  test("--rename-realm makes no file", async (t) => {
    const desk = new Desk(t);
    assert.equal((await desk.passwd(["--rename-realm", "a", "b"])).exit, 1);
    assert.equal(statSync(desk.file, { throwIfNoEntry: false }), undefined);
  });

  test("--json says what was done", async (t) => {
    const desk = new Desk(t);
    const json = async (...args: string[]): Promise<unknown> => {
      const { exit, stdout } = await desk.passwd(["--json", ...args]);
      assert.equal(exit, 0);
      return JSON.parse(stdout);
    };
    const common = { file: desk.file, user: "alice", realm: HOST };
    assert.deepEqual(await json("alice"), { action: "set", ...common, set: ["userPassword", "cmusaslsecretOTP"], deleted: [], kept: [] });
    assert.deepEqual(await json("-n", "--mechanisms", "SCRAM-SHA-1", "alice"), {
      action: "set",
      ...common,
      set: ["authPassword"],
      deleted: [],
      kept: ["userPassword", "cmusaslsecretOTP"],
    });
    assert.deepEqual(await json("-d", "alice"), {
      action: "disable",
      ...common,
      set: [],
      deleted: ["userPassword", "cmusaslsecretOTP"],
      kept: ["authPassword"],
    });
    assert.deepEqual(await json("--rename-realm", HOST, "r"), {
      action: "rename-realm",
      file: desk.file,
      from: HOST,
      to: "r",
      users: ["alice"],
    });
  });

  test("a secret that stays is told of", async (t) => {
    const desk = new Desk(t);
    await desk.set(["alice"]);
    const changed = await desk.passwd(["--mechanisms", "none", "alice"], "new\n");
    assert.equal(changed.stderr, `tssaslpasswd: warning: alice@${HOST} keeps cmusaslsecretOTP of an earlier password\n`);
    const disabled = await desk.passwd(["-d", "--mechanisms", "none", "alice"]);
    assert.equal(disabled.stderr, `tssaslpasswd: warning: alice@${HOST} keeps cmusaslsecretOTP, and can still log in with that\n`);
    assert.deepEqual([changed.exit, disabled.exit], [0, 0]);
  });

  test("control characters of a name do nothing to a terminal", async (t) => {
    const desk = new Desk(t);
    const user = "a\x1b[2J\n\u200e";
    await desk.set([user]);
    const { stderr } = await desk.passwd(["--mechanisms", "none", user]);
    assert.equal(stderr, `tssaslpasswd: warning: a\\x1b[2J\\x0a\\u{200e}@${HOST} keeps cmusaslsecretOTP of an earlier password\n`);
  });

  test("a doubtful password is kept as it is, with a warning", async (t) => {
    for (const [password, kept, warning] of [
      ["12345\r\n", "12345\r", /ends in a carriage return/],
      ["gr\xfcn\n", "gr\xfcn", /no UTF-8/],
      [Buffer.from("a\u00a0b"), textOf(Buffer.from("a\u00a0b")), /SASLprep/],
      ["a\tb", "a\tb", /forbids/],
    ] as const) {
      const desk = new Desk(t);
      const { exit, stderr } = await desk.passwd(["--mechanisms", "none", "alice"], password);
      assert.deepEqual([exit, desk.records()], [0, [[`alice|${HOST}|userPassword`, kept]]]);
      assert.match(stderr, warning);
      assert.match(stderr, /^tssaslpasswd: warning: .*\n$/);
    }
  });

  test("a configuration's path names the file and its line", async (t) => {
    const desk = new Desk(t);
    desk.path("saslpasswd.conf", "mech_list: PLAIN OTP\n\nnot a setting\n");
    const { exit, stderr } = await desk.passwd(["alice"]);
    assert.equal(exit, 100);
    assert.match(stderr, /saslpasswd\.conf: line 3: not "key: value"\ntssaslpasswd: error when parsing configuration file\n$/);
  });

  test("a device is not replaced", async (t) => {
    const desk = new Desk(t);
    const { exit, stderr } = await desk.passwd(["-f", "/dev/null", "alice"]);
    assert.equal(exit, 1);
    assert.match(stderr, /\/dev\/null: not a regular file/);
    assert.ok(statSync("/dev/null").isCharacterDevice());
  });
});

suite("tssasldblist", { concurrency: 2 }, () => {
  test("--sort, --realm, --user, --json", async (t) => {
    const desk = new Desk(t);
    for (const user of ["bob@r2", "alice@r2", "alice@r1"]) await desk.set(["--mechanisms", "none", user]);
    assert.deepEqual(await desk.lines("--sort"), ["alice@r1: userPassword", "alice@r2: userPassword", "bob@r2: userPassword"]);
    assert.deepEqual((await desk.lines("--realm", "r2")).sort(), ["alice@r2: userPassword", "bob@r2: userPassword"]);
    assert.deepEqual(await desk.lines("--user", "alice", "--realm", "r1"), ["alice@r1: userPassword"]);
    assert.deepEqual(await desk.lines("--user", "none"), []);
    assert.deepEqual(
      (await desk.lines("--json", "--sort")).map((line) => JSON.parse(line) as unknown),
      [
        { user: "alice", realm: "r1", properties: ["userPassword"] },
        { user: "alice", realm: "r2", properties: ["userPassword"] },
        { user: "bob", realm: "r2", properties: ["userPassword"] },
      ],
    );
    assert.deepEqual(
      (await desk.lines("--json", "--user", "bob")).map((line) => JSON.parse(line) as unknown),
      [{ user: "bob", realm: "r2", properties: ["userPassword"] }],
    );
  });

  test("names that are no UTF-8 keep their bytes in JSON", async (t) => {
    const desk = new Desk(t);
    using database = Database.open(desk.file, { type: "hash", create: true });
    database.put(Buffer.from("gr\xfcn\0r\0userPassword", "latin1"), Buffer.from("pw"));
    database.close();
    assert.deepEqual(JSON.parse((await desk.lines("--json"))[0] ?? ""), {
      user: "gr\ufffdn",
      userHex: "6772fc6e",
      realm: "r",
      properties: ["userPassword"],
    });
  });

  test("files of Berkeley DB 3.1 and 18.1 are listed, and stay what they are", async (t) => {
    for (const name of ["v7-db3.1.17-be-sasldb", "v7-db3.1.17-le-sasldb", "v10-db18.1.40-be-sasldb"]) {
      const desk = new Desk(t);
      const { path, sha256: digest } = databaseFixture(name);
      desk.path("sasldb2", readFileSync(path));
      assert.deepEqual(await desk.lines("--sort"), [
        "alice@mail.example.com: cmusaslsecretOTP",
        "alice@mail.example.com: userPassword",
        "bob@mail.example.com: userPassword",
        "carol@relay.example.com: userPassword",
      ]);
      assert.equal(sha256(readFileSync(desk.file)), digest);
    }
  });

  test("a malformed key is told of without its control characters, and the listing goes on", async (t) => {
    const desk = new Desk(t);
    await desk.set(["alice"]);
    using database = Database.open(desk.file);
    database.put(Buffer.from("bad\x1b[2J\0key"), Buffer.from("pw"));
    database.close();
    const { exit, stdout, stderr } = await desk.list(["--sort"]);
    assert.equal(exit, 1);
    assert.equal(stdout, `alice@${HOST}: cmusaslsecretOTP\nalice@${HOST}: userPassword\n`);
    assert.equal(stderr, `tssasldblist: ${desk.file}: malformed key, left out: "bad\\u001b[2J\\u0000key"\n`);
  });

  test("names are printed as they are, but not to a terminal", async (t) => {
    if (!needs(t, ...TERMINAL_TOOLS)) return;
    const desk = new Desk(t);
    await desk.set(["--mechanisms", "none", "a\x1b[31m"]);
    assert.deepEqual(await desk.lines(), [`a\x1b[31m@${HOST}: userPassword`]);
    for (const options of [[], ["--sort"]]) {
      const terminal = await Terminal.start(t, [process.execPath, launcherOf("tssasldblist"), ...options, desk.file]);
      assert.equal((await terminal.end()).exit, 0);
      assert.equal(terminal.shown, `a\\x1b[31m@${HOST}: userPassword\r\n`);
    }
  });

  test("a reader that goes away ends it quietly", async (t) => {
    const desk = new Desk(t);
    using database = Database.open(desk.file, { type: "hash", create: true });
    for (let i = 0; i < 30_000; i++) database.put(Buffer.from(`user${i}\0realm\0userPassword`), Buffer.from("pw"));
    database.close();
    const { exit, stdout, stderr } = await run("bash", [
      "-c",
      '"$0" "$1" "$2" | head -n 1; exit $PIPESTATUS',
      process.execPath,
      launcherOf("tssasldblist"),
      desk.file,
    ]);
    assert.deepEqual([exit, stderr], [141, ""]);
    assert.match(stdout, /^user\d+@realm: userPassword\n$/);
  });
});
