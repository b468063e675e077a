/**
 * tsmap resolve: what it prints, its exit code, and that it prints no password.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Output } from "#src/cli/output.js";
import { run as runHere } from "#src/cli/tsmap/resolve.js";
import { authinfoCases, MECHANISMS } from "../support/authinfo-cases.ts";
import { databaseFixture, fixturesFolder } from "../support/fixtures.ts";
import { launcherOf, type Outcome, run, tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, "latin1");
  return path;
}

function resolve(...args: readonly string[]): Promise<Outcome> {
  return run(process.execPath, [launcherOf("tsmap"), "resolve", ...args]);
}

/** In this process, which is far quicker. */
function resolveHere(file: string, options: object): { readonly exit: number; readonly stdout: string } {
  let stdout = "";
  const output = {
    write: (text: string): void => {
      stdout += text;
    },
    push: () => {},
  } as unknown as Output;
  const exit = runHere({ program: "tsmap", output, environment: {}, commands: undefined as never }, [file], options as never);
  return { exit, stdout };
}

const GUIDE = `${fixturesFolder}authinfo/smtp-auth`;

describe("tsmap resolve", () => {
  it("says what was looked up, who logs in, how, and not with what", async () => {
    assert.deepEqual(await resolve("--server", "hostname.domain.com", "--addr", "192.0.2.1", GUIDE), {
      exit: 0,
      signal: null,
      stdout: `lookup       "AuthInfo:hostname.domain.com": not found
lookup       "AuthInfo:192.0.2.1": not found
lookup       "AuthInfo:": found
user         root (authorization id, U)
             dummyuser@hostname.domain.com (authentication id, I)
password     set
realm        not set: sendmail takes its own host name
mechanisms   DIGEST-MD5 CRAM-MD5, tried in this order
result       sendmail authenticates; if the server refuses all of these, mail is sent without authentication
`,
      stderr: "",
    });
  });

  it("shows the password to one who asks for it", async () => {
    assert.match((await resolve("--server", "x", "--show-secrets", GUIDE)).stdout, /^password {5}12345$/m);
    const { stdout } = await resolve("--server", "x", "--show-secrets", "--json", GUIDE);
    assert.deepEqual(JSON.parse(stdout).entry.password, { isExpanded: false, length: 5, text: "12345" });
  });

  it("answers in JSON", async () => {
    const { exit, stdout } = await resolve("--server", "x", "--json", GUIDE);
    const { entry, ...rest } = JSON.parse(stdout);
    assert.equal(exit, 0);
    assert.deepEqual(
      rest.lookups.map(({ key, isFound, isUsed }: Record<string, unknown>) => [key, isFound, isUsed]),
      [
        ["AuthInfo:x", false, false],
        ["AuthInfo:", true, true],
      ],
    );
    assert.deepEqual(
      [rest.outcome, rest.reason, rest.mechanisms, rest.ifRefused],
      ["authenticates", null, ["DIGEST-MD5", "CRAM-MD5"], "sent-without-auth"],
    );
    assert.deepEqual(
      [entry.authorizationId, entry.authenticationId, entry.password],
      ["root", "dummyuser@hostname.domain.com", { isExpanded: false }],
    );
  });

  it("ends with 1 where sendmail would not authenticate, and says why", async () => {
    const texts = {
      "AuthInfo:other x\n": /sends mail without authentication: there is no entry for this server/,
      "AuthInfo: no\n": /the entry cannot be used: its value does not begin with a double quote \(byte 1 of the value\)/,
      'AuthInfo: "U:a" "P=eA"\n': /the base64 of P cannot be decoded: its length is no multiple of four/,
      'AuthInfo: "U:a" "P:x" "M:LOGIN,PLAIN"\n': /sendmail defers mail: no mechanism that is wanted \(LOGIN,PLAIN\)/,
      "AuthInfo: temp\n": /sendmail defers mail: the entry begins with "temp"/,
    };
    for (const [text, expected] of Object.entries(texts)) {
      const { exit, stdout } = await resolve("--server", "x", write("bad", text));
      assert.equal(exit, 1, text);
      assert.match(stdout, expected);
    }
  });

  it("says that a password is changed by expansion, and not where something else is", async () => {
    const expanded = async (value: string): Promise<boolean> => {
      const file = write("expanded", `AuthInfo: ${value}\n`);
      const isNoted = (await resolve("--server", "x", file)).stdout.includes("the password is not the one in the map");
      assert.equal(JSON.parse((await resolve("--server", "x", "--json", file)).stdout).entry.password.isExpanded, isNoted, value);
      return isNoted;
    };
    for (const value of ['"U:a" "P:1%2345"', '"U:a" "P:%12345"', '"U:a" "P:2345%1"', '"U:a" "P:a%%b"', '"U:a%1" "P:x%0', '"P:%0" "U:a"'])
      assert.equal(await expanded(value), true, value);
    for (const value of ['"U:a%1" "P:x%y"', '"P:x" "U:%%a"', '"U:a" "P:x"', '"U:a" "P=JTE="'])
      assert.equal(await expanded(value), false, value);
  });

  it("takes the mechanisms that it is told", async () => {
    const { stdout } = await resolve("--server", "x", "--client-mechanisms", "PLAIN LOGIN", "--server-mechanisms", "login cram-md5", GUIDE);
    assert.match(stdout, /^mechanisms {3}LOGIN, tried/m);
    // As sendmail divides AuthMechanisms: what has a comma in it is one name, which nobody has.
    const { stdout: comma } = await resolve("--server", "x", "--client-mechanisms", "PLAIN,LOGIN", "--server-mechanisms", "LOGIN", GUIDE);
    assert.match(comma, /no mechanism that is wanted \(PLAIN,LOGIN\)/);
    const { stdout: none } = await resolve("--server", "x", "--server-mechanisms", "", GUIDE);
    assert.match(none, /the server offers no authentication/);
  });

  it("says what is ignored, and what was missed", async () => {
    const rest = await resolve("--server", "x", write("rest", 'AuthInfo: "U:a" "P:x" M:PLAIN\n'));
    assert.match(rest.stdout, /the first thing that is not in double quotes: the rest of the value, from byte 13 on, is ignored/);
    const folded = await resolve("--server", "X", "-f", write("folded", 'AuthInfo:X "U:a" "P:x"\n'));
    assert.equal(folded.exit, 1);
    assert.match(folded.stdout, /^note {9}the map has "AuthInfo:X", which differs in letter case/m);
    assert.equal((await resolve("--server", "X", "-f", "--map-flags", "-f", join(folder, "folded"))).exit, 0);
  });

  it("reads databases, with flags of their K line", async () => {
    const text = 'AuthInfo:X "U:a" "P:x"\n';
    const make = async (flag: string, name: string): Promise<string> => {
      assert.equal((await tsmakemap([flag, "hash", join(folder, name)], { input: text })).exit, 0);
      return join(folder, `${name}.db`);
    };
    const withNul = await make("-N", "nul");
    const withCase = await make("-f", "case");
    const exits = async (file: string, ...flags: readonly string[]): Promise<number | null> =>
      (await resolve("--server", "X", ...flags, file)).exit;
    assert.deepEqual([await exits(withNul), await exits(withNul, "-N"), await exits(withNul, "--map-flags", "-O")], [0, 0, 1]);
    assert.deepEqual([await exits(withCase), await exits(withCase, "-f"), await exits(withCase, "--map-flags=-f -o")], [1, 0, 0]);
  });

  it("ends with 2 where it cannot answer", async () => {
    for (const args of [
      ["--server", "x", join(folder, "none")],
      [GUIDE],
      ["--server", "x", "--map-flags", "-x", GUIDE],
      ["--server", "x", "--addr", "bogus", GUIDE],
      ["--server", "x", "--addr", "192.0.2", GUIDE],
      ["--server", "x", launcherOf("tsmap").replace(/[^/]*$/, "")],
    ]) {
      const { exit, stdout, stderr } = await resolve(...args);
      assert.deepEqual([exit, stdout], [2, ""]);
      assert.match(stderr, /^tsmap/);
    }
  });

  it("refuses what is no authinfo map, and takes an empty one", async () => {
    const { path } = databaseFixture("v9-db5.3.28-le-sasldb");
    const { exit, stderr } = await resolve("--server", "x", path);
    assert.deepEqual([exit, stderr], [2, `tsmap: ${path}: a SASL database, and no authinfo map\n`]);
    const empty = join(folder, "empty.db");
    await tsmakemap(["hash", empty], { input: "" });
    assert.match((await resolve("--server", "x", empty)).stdout, /there is no entry for this server/);
  });

  it("shows no password, wherever a mistake has put it", async () => {
    const values = [
      '"U:a" "P:topsecret"',
      '"U:a "P:topsecret"',
      '"U:a P:topsecret" "P:x"',
      '"I:a" "U:a P=dG9wc2VjcmV0" "P:x" "R:P:topsecret"',
      '"U:a" "P:x" "M:PLAIN P: topsecret"',
      "U:a P:topsecret",
      "a:topsecret",
      '"U:a" "P=topsecret"',
      '"U:a" "P:x" P:topsecret',
      '"U:a" "X:topsecret"',
    ];
    for (const value of values) {
      const file = write("secret", `AuthInfo: ${value}\n`);
      for (const more of [[], ["--json"]]) {
        const { stdout, stderr } = await resolve("--server", "x", ...more, file);
        assert.doesNotMatch(stdout + stderr, /topsecret|dG9wc2VjcmV0/, value);
      }
    }
    const { stdout, stderr } = await resolve(
      "--server",
      "x",
      write("secret", 'AuthInfo:"U:a""P:topsecret" x\n AuthInfo: "P:topsecret"\nP:topsecret\n'),
    );
    assert.doesNotMatch(stdout + stderr, /topsecret/);
  });

  it("does nothing to a terminal with what stands in names", async () => {
    const map = join(folder, "escape.db");
    await tsmakemap(["hash", map], { input: 'AuthInfo: "U:\x1b[31m" "P:x" "R:\x07"\n' });
    const { stdout } = await resolve("--server", "x\x1b[31m", map);
    assert.ok(!stdout.includes("\x07") && !stdout.includes("\x1b"));
    assert.match(stdout, /^user {9}\\x1b\[31m/m);
  });

  it("takes the first flag of a word, as sendmail does, and says where nothing can be found", async () => {
    const map = join(folder, "flags.db");
    await tsmakemap(["hash", map], { input: 'AuthInfo: "U:u" "P:secret" "M:CRAM-MD5"\n' });
    assert.equal((await resolve("--server", "x", "--map-flags", "-of", map)).exit, 0);
    assert.equal((await resolve("--server", "x", "--map-flags", "-o -f", map)).exit, 1);
    const { exit, stderr } = await resolve("--server", "x", "--map-flags", "-N -O", map);
    assert.deepEqual([exit, stderr], [2, "tsmap: --map-flags: with both -N and -O sendmail finds no key at all\n"]);
  });

  it("agrees with recorded runs", () => {
    const cases = [...authinfoCases("authinfo.json"), ...authinfoCases("authinfo-more.json")].filter(({ refuse }) => refuse !== true);
    let compared = 0;
    for (const { id, map_source_b64, makemap = "", map_flags: mapFlags, outcome, ...recorded } of cases) {
      const { client_mechanisms = MECHANISMS, offer = MECHANISMS } = recorded;
      const source = Buffer.from(map_source_b64, "base64");
      // What has a NUL in it is not taken for text.
      if (source.includes(0)) continue;
      compared += 1;
      const file = write("recorded", source.toString("latin1"));
      const { exit, stdout } = resolveHere(file, {
        ...Object.fromEntries(
          makemap
            .replace("-", "")
            .split("")
            .map((letter) => [letter, true]),
        ),
        ...{ server: "[127.0.0.7]", addr: "127.0.0.7", json: true, mapFlags },
        ...{ clientMechanisms: client_mechanisms.join(" "), serverMechanisms: offer.join(" ") },
      });
      const expected = outcome === "authenticated" ? "authenticates" : outcome;
      assert.deepEqual([JSON.parse(stdout).outcome, exit], [expected, outcome === "authenticated" ? 0 : 1], id);
    }
    assert.ok(compared > 400);
  });
});
