/**
 * tsmap auth: the guide's client and relay, what is wrong between others, exit
 * codes, and that no password is printed.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { sha256 } from "../support/bytes.ts";
import { fixturesFolder } from "../support/fixtures.ts";
import { launcherOf, type Outcome, run, tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });
const sasldb = join(folder, "sasldb2");
const RELAY = "hostname.domain.com";
const GUIDE = `${fixturesFolder}authinfo/smtp-auth`;

await updateSasldb(sasldb, (database) => {
  database.setPassword("dummyuser", RELAY, Buffer.from("12345"));
  database.setPassword("otto", RELAY, Buffer.from("topsecret"), { plain: false });
  database.setPassword("elsewhere", "other.example.com", Buffer.from("topsecret"));
});

function auth(authinfo: string, ...args: readonly string[]): Promise<Outcome> {
  return run(process.execPath, [launcherOf("tsmap"), "auth", "--sasldb", sasldb, "--authinfo", authinfo, ...args]);
}

function write(value: string): string {
  const path = join(folder, "authinfo");
  writeFileSync(path, `AuthInfo: ${value}\n`, "latin1");
  return path;
}

const LOGIN_TOO = [
  "--client-mechanisms",
  "DIGEST-MD5 CRAM-MD5 LOGIN PLAIN",
  "--server-mechanisms",
  "EXTERNAL DIGEST-MD5 CRAM-MD5 LOGIN PLAIN",
];

describe("tsmap auth", () => {
  it("lets the guide's client in at the guide's relay", async () => {
    assert.deepEqual(await auth(GUIDE, "--relay", RELAY, ...LOGIN_TOO), {
      exit: 0,
      signal: null,
      stdout: `lookup       "AuthInfo:${RELAY}": not found
lookup       "AuthInfo:": found
relay        offers DIGEST-MD5 CRAM-MD5 LOGIN PLAIN
login        dummyuser@${RELAY}
DIGEST-MD5   yes: dummyuser@${RELAY} logs in with userPassword
CRAM-MD5     yes: dummyuser@${RELAY} logs in with userPassword
PLAIN        yes: dummyuser@${RELAY} logs in with userPassword
LOGIN        yes: dummyuser@${RELAY} logs in with userPassword
result       authenticates with DIGEST-MD5
`,
      stderr: "",
    });
  });

  it("answers in JSON", async () => {
    const { exit, stdout } = await auth(GUIDE, "--relay", RELAY, "--json");
    const answer = JSON.parse(stdout);
    assert.equal(exit, 0);
    assert.deepEqual(
      [answer.outcome, answer.mechanism, answer.reason, answer.login, answer.offered],
      ["authenticated", "DIGEST-MD5", null, `dummyuser@${RELAY}`, ["DIGEST-MD5", "CRAM-MD5"]],
    );
    assert.deepEqual(answer.verdicts[0], {
      ...{ mechanism: "DIGEST-MD5", isAccepted: true, result: "SASL_OK", code: 0, user: "dummyuser", realm: RELAY },
      reason: `dummyuser@${RELAY} logs in with userPassword`,
    });
  });

  it("says what is wrong between the two, and ends with 1", async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        '"I:dummyuser" "P:topsecret"',
        /DIGEST-MD5 {3}no: wrong password for dummyuser@hostname\.domain\.com\n(.*\n)*result {7}the relay refuses all/,
      ],
      [
        '"I:elsewhere" "P:topsecret"',
        /no user "elsewhere" in realm "hostname\.domain\.com"; the user exists in realm "other\.example\.com"/,
      ],
      ['"I:otto" "P:topsecret"', /otto@hostname\.domain\.com has no userPassword, which DIGEST-MD5 needs \(it has cmusaslsecretOTP\)/],
      ['"I:nobody" "P:topsecret"', /no user "nobody"/],
      [
        '"I:dummyuser" "P:topsecret" "M:OTP"',
        /sendmail defers mail: no mechanism that is wanted \(OTP\) is among those that the server offers/,
      ],
      ['"I:dummyuser" "P:topsecret" "M:PLAIN"', /defers mail: no mechanism that is wanted \(PLAIN\)/],
      ["dummyuser:topsecret", /sends mail without authentication: the entry cannot be used/],
      ["?", /there is no entry for this server/],
    ];
    for (const [value, expected] of cases) {
      const { exit, stdout, stderr } = await auth(write(value), "--relay", RELAY);
      assert.equal(exit, 1, value);
      assert.match(stdout, expected);
      assert.doesNotMatch(stdout + stderr, /topsecret/);
    }
  });

  it("takes the relay's name and realm from elsewhere where it is told", async () => {
    const file = write('"I:elsewhere" "P:topsecret"');
    assert.equal((await auth(file, "--relay", "[192.0.2.1]", "--hostname", "other.example.com")).exit, 0);
    assert.equal((await auth(file, "--relay", RELAY, "--realm", "other.example.com")).exit, 0);
    const { exit, stderr } = await auth(file, "--relay", "[192.0.2.1]");
    assert.deepEqual([exit, stderr], [2, 'tsmap: --relay: "[192.0.2.1]" is an address: name the relay\'s host with --hostname\n']);
  });

  it("ends with 2 where it cannot read one of the files", async () => {
    const program = [launcherOf("tsmap"), "auth", "--relay", RELAY];
    for (const files of [
      ["--sasldb", join(folder, "none"), "--authinfo", GUIDE],
      ["--sasldb", GUIDE, "--authinfo", GUIDE],
      ["--sasldb", sasldb, "--authinfo", join(folder, "none")],
      ["--authinfo", GUIDE],
    ]) {
      const { exit, stdout, stderr } = await run(process.execPath, [...program, ...files]);
      assert.deepEqual([exit, stdout], [2, ""]);
      assert.match(stderr, /^tsmap.*\n$/);
    }
  });

  it("names the file that is of the wrong kind or cannot be read, in the words of the system", async () => {
    const map = join(folder, "map.db");
    await tsmakemap(["hash", map], { input: 'AuthInfo: "U:a" "P:topsecret"\n' });
    const empty = join(folder, "empty.db");
    await tsmakemap(["hash", empty], { input: "" });
    const said = async (file: string, authinfo: string): Promise<string> => {
      const args = ["auth", "--relay", RELAY, "--sasldb", file, "--authinfo", authinfo];
      const { exit, stderr } = await run(process.execPath, [launcherOf("tsmap"), ...args]);
      assert.equal(exit, stderr === "" ? 1 : 2);
      return stderr;
    };
    assert.equal(await said(map, sasldb), `tsmap: ${sasldb}: a SASL database, and no authinfo map\n`);
    assert.equal(await said(map, map), `tsmap: ${map}: an authinfo map, and no SASL database\n`);
    assert.equal(await said(GUIDE, map), `tsmap: ${GUIDE}: not a Berkeley DB file, but text\n`);
    assert.equal(await said(folder, map), `tsmap: ${folder}: Is a directory\n`);
    assert.equal(await said(join(folder, "none"), map), `tsmap: ${join(folder, "none")}: No such file or directory\n`);
    assert.equal(await said(empty, empty), "");
  });

  it("shows no password, wherever a mistake has put it, and writes nothing", async () => {
    const before = sha256(readFileSync(sasldb));
    for (const value of [
      '"I:dummyuser P:topsecret" "P:x"',
      '"I:a "P:topsecret"',
      '"I:a" "P:x" "M:P: topsecret"',
      '"I:otto" "P:topsecret" P:topsecret',
    ]) {
      for (const more of [[], ["--json"]]) {
        const { stdout, stderr } = await auth(write(value), "--relay", RELAY, ...LOGIN_TOO, ...more);
        assert.ok(stdout.length > 0);
        assert.doesNotMatch(stdout + stderr, /topsecret/, value);
      }
    }
    assert.equal(sha256(readFileSync(sasldb)), before);
  });
});
