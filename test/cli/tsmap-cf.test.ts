/**
 * tsmap cf, as it is called: what it prints, what it writes, and what it
 * leaves alone.
 */
import assert from "node:assert/strict";
import { chmodSync, linkSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync } from "node:fs";
import { describe, it } from "node:test";
import { applyPatch, parsePatch, reversePatch } from "diff";
import { RELAY_CF, SUBMIT_CF } from "../support/cf-text.ts";
import { needs, runNative } from "../support/native.ts";
import { ordinaryUser, whyNoOrdinaryUser } from "../support/program.ts";
import { Workbench } from "../support/tsmap.ts";

const CLIENT = ["--role", "client", "--relay", "relay.example.com"];
const RELAY = ["--role", "relay"];

/** One byte, one character. */
function bytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

describe("tsmap cf patch", () => {
  const cases: readonly [name: string, source: string, args: readonly string[]][] = [
    ["sendmail.cf", RELAY_CF, RELAY],
    ["submit.cf", SUBMIT_CF, CLIENT],
    ["a file with CR LF", SUBMIT_CF.replaceAll("\n", "\r\n"), CLIENT],
    ["a file without a last line end", SUBMIT_CF.slice(0, -1), CLIENT],
    ["a file whose last line changes, and has no end", `${SUBMIT_CF.replace("\nSauthinfo\n", "\n")}Sauthinfo`, CLIENT],
    [
      "a file of all bytes",
      `${SUBMIT_CF}# ${Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1))
        .join("")
        .replace("\n", "")}\n`,
      CLIENT,
    ],
  ];

  for (const [name, source, args] of cases) {
    it(`of ${name} shows what it changes, keeps the old file, and does nothing twice`, async (t) => {
      const bench = new Workbench(t);
      bench.write("x.cf", bytes(source));
      const first = await bench.tsmap(["cf", "patch", ...args, "x.cf"]);
      assert.equal(first.exit, 0, first.stderr);
      assert.equal(first.stderr, `tsmap: x.cf: the old file is ${bench.path("x.cf")}.orig\n`);
      const patched = readFileSync(bench.path("x.cf"), "latin1");
      assert.notEqual(patched, source);
      assert.equal(readFileSync(bench.path("x.cf.orig"), "latin1"), source);

      const second = await bench.tsmap(["cf", "patch", ...args, "x.cf"]);
      assert.deepEqual([second.exit, second.stdout, second.stderr], [0, "", "tsmap: x.cf: nothing to change\n"]);
      assert.equal(readFileSync(bench.path("x.cf"), "latin1"), patched);
      assert.deepEqual(readdirSync(bench.folder).sort(), ["x.cf", "x.cf.orig"]);
    });

    it(`of ${name} prints a diff that leads back`, async (t) => {
      const bench = new Workbench(t);
      bench.write("x.cf", bytes(source));
      const { stdout } = await bench.tsmap(["cf", "patch", ...args, "x.cf"]);
      const patched = readFileSync(bench.path("x.cf"), "latin1");
      const [parsed] = parsePatch(stdout);
      assert.ok(parsed !== undefined);
      assert.equal(applyPatch(source, parsed, { autoConvertLineEndings: false }), patched);
      assert.equal(applyPatch(patched, reversePatch(parsed), { autoConvertLineEndings: false }), source);
      if (!needs(t, "patch")) return;
      const back = runNative("patch", ["-R", "--binary", "-o", "back", "x.cf"], { cwd: bench.folder, input: bytes(stdout) });
      assert.equal(back.status, 0, `${back.stdout}${back.stderr}`);
      assert.equal(readFileSync(bench.path("back"), "latin1"), source);
    });
  }

  it("with --dry-run writes nothing, and prints the same", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(SUBMIT_CF));
    const dry = await bench.tsmap(["cf", "patch", ...CLIENT, "--dry-run", "x.cf"]);
    assert.deepEqual([dry.exit, dry.stderr, readdirSync(bench.folder)], [0, "", ["x.cf"]]);
    assert.equal(readFileSync(bench.path("x.cf"), "latin1"), SUBMIT_CF);
    const { stdout } = await bench.tsmap(["cf", "patch", ...CLIENT, "x.cf"]);
    assert.equal(dry.stdout, stdout);
  });

  it("with -o leaves the file as it is, and makes another, even where nothing is to change", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(SUBMIT_CF));
    chmodSync(bench.path("x.cf"), 0o644);
    assert.equal((await bench.tsmap(["cf", "patch", ...CLIENT, "-o", "y.cf", "x.cf"])).exit, 0);
    assert.equal(readFileSync(bench.path("x.cf"), "latin1"), SUBMIT_CF);
    assert.equal((await bench.tsmap(["cf", "patch", ...CLIENT, "-o", "z.cf", "y.cf"])).exit, 0);
    assert.deepEqual(readFileSync(bench.path("z.cf")), readFileSync(bench.path("y.cf")));
    assert.deepEqual(readdirSync(bench.folder).sort(), ["x.cf", "y.cf", "z.cf"]);
    assert.equal(statSync(bench.path("y.cf")).mode & 0o777, 0o644);
    const same = await bench.tsmap(["cf", "patch", ...CLIENT, "-o", "./x.cf", "x.cf"]);
    assert.deepEqual([same.exit, same.stderr], [2, "tsmap: ./x.cf: is the configuration itself\n"]);
  });

  it("replaces no older backup", async (t) => {
    const bench = new Workbench(t);
    for (const name of ["x.cf.orig", "x.cf.orig.1"]) bench.write(name, name);
    bench.write("x.cf", bytes(SUBMIT_CF));
    assert.match((await bench.tsmap(["cf", "patch", ...CLIENT, "x.cf"])).stderr, /x\.cf\.orig\.2\n$/);
    assert.equal(readFileSync(bench.path("x.cf.orig.2"), "latin1"), SUBMIT_CF);
    for (const name of ["x.cf.orig", "x.cf.orig.1"]) assert.equal(readFileSync(bench.path(name), "latin1"), name);
  });

  it("has the name of the backup on the disc before it replaces the original", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(SUBMIT_CF));
    bench.write(
      "hook.cjs",
      `const fs = require("node:fs");
const calls = [];
const files = new Map();
const { openSync, fsyncSync, renameSync } = fs;
fs.openSync = (path, ...rest) => {
  const file = openSync(path, ...rest);
  files.set(file, String(path));
  if (String(path).endsWith(".orig")) calls.push("open");
  return file;
};
fs.fsyncSync = (file) => {
  fsyncSync(file);
  calls.push(files.get(file) === process.env.FOLDER ? "fsync" : "other");
};
fs.renameSync = (from, to) => {
  renameSync(from, to);
  calls.push("rename");
};
require("node:module").syncBuiltinESMExports();
process.on("exit", () => fs.writeFileSync("calls", calls.join(" ")));
`,
    );
    const env = { NODE_OPTIONS: "--require=./hook.cjs", FOLDER: realpathSync(bench.folder) };
    assert.equal((await bench.tsmap(["cf", "patch", ...CLIENT, "x.cf"], { env })).exit, 0);
    assert.equal(readFileSync(bench.path("calls"), "utf8"), "open fsync rename fsync");
  });

  it("keeps the mode, a link to the file, and its other names", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(SUBMIT_CF));
    chmodSync(bench.path("x.cf"), 0o640);
    symlinkSync("x.cf", bench.path("link.cf"));
    assert.equal((await bench.tsmap(["cf", "patch", ...CLIENT, "link.cf"])).exit, 0);
    for (const name of ["x.cf", "x.cf.orig"]) assert.equal(statSync(bench.path(name)).mode & 0o777, 0o640);
    assert.notEqual(readFileSync(bench.path("x.cf"), "latin1"), SUBMIT_CF);

    bench.write("a.cf", bytes(SUBMIT_CF));
    linkSync(bench.path("a.cf"), bench.path("b.cf"));
    assert.equal((await bench.tsmap(["cf", "patch", ...CLIENT, "a.cf"])).exit, 0);
    assert.deepEqual(readFileSync(bench.path("b.cf")), readFileSync(bench.path("x.cf")));
  });

  it("leaves a file alone that it does not understand, and says why, line by line", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(SUBMIT_CF.replace("DS\n", "DS\nAuthInfo: \u001b[31m\n").replace("Sother\n", "Sother\nR$* $1\n")));
    const { exit, stdout, stderr } = await bench.tsmap(["cf", "patch", ...CLIENT, "x.cf"]);
    assert.deepEqual([exit, stdout], [2, ""]);
    assert.equal(
      stderr,
      [
        "tsmap: x.cf:4: sendmail has no line that begins so\n",
        "tsmap: x.cf:20: no tab separates the two sides of this rule\n",
        "tsmap: x.cf: nothing was changed\n",
      ].join(""),
    );
    assert.deepEqual(readdirSync(bench.folder), ["x.cf"]);
  });

  it("leaves nothing behind where it may not write", async (t) => {
    const why = await whyNoOrdinaryUser();
    if (why !== undefined) {
      t.skip(why);
      return;
    }
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(SUBMIT_CF));
    chmodSync(bench.path("x.cf"), 0o444);
    chmodSync(bench.folder, 0o555);
    const { exit, stderr } = await bench.tsmap(["cf", "patch", ...CLIENT, "x.cf"], ordinaryUser);
    chmodSync(bench.folder, 0o755);
    assert.deepEqual([exit, stderr], [2, "tsmap: x.cf: Permission denied\n"]);
    assert.deepEqual(readdirSync(bench.folder), ["x.cf"]);
    assert.equal(readFileSync(bench.path("x.cf"), "latin1"), SUBMIT_CF);
  });

  it("refuses what belongs to the other role, or cannot stand in a configuration", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(SUBMIT_CF));
    const lines: readonly [readonly string[], string][] = [
      [["--role", "client", "--domains", "x"], "--domains: not for --role client"],
      [["--role", "relay", "--relay", "x"], "--relay: not for --role relay"],
      [["--role", "relay", "--mta-host", "x"], "--mta-host: not for --role relay"],
      [["--role", "client", "--relay", "a b"], '--relay: "a b" cannot stand in a configuration'],
      [["--role", "client", "--relay", ""], '--relay: "" cannot stand in a configuration'],
      [["--role", "client", "--map", "/x#y"], '--map: "/x#y" cannot stand in a configuration'],
      [["--role", "client"], "x.cf:3: DS is empty, and no relay was named for it"],
      [["--role", "server"], "option '--role <role>' argument 'server' is invalid"],
      [[], "required option '--role <role>' not specified"],
    ];
    for (const [args, message] of lines) {
      const { exit, stderr } = await bench.tsmap(["cf", "patch", ...args, "x.cf"]);
      assert.equal(exit, 2, args.join(" "));
      assert.ok(stderr.includes(message), stderr);
    }
    assert.deepEqual(readdirSync(bench.folder), ["x.cf"]);
  });
});

describe("tsmap cf check", () => {
  it("says of each requirement what it is, where, and what to do", async (t) => {
    const bench = new Workbench(t);
    bench.write("submit.cf", bytes(SUBMIT_CF));
    const { exit, stdout, stderr } = await bench.tsmap(["cf", "check", "--role", "client", "submit.cf"]);
    assert.deepEqual([exit, stderr], [1, ""]);
    const heads = stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split(" ", 3).join(" "));
    assert.deepEqual(heads, [
      "submit.cf:3: missing smart-host-missing:",
      "submit.cf:8: met mta-host-set:",
      "submit.cf:10: met run-as-user-set:",
      "submit.cf: missing map-line-missing:",
      "submit.cf: missing mechanisms-missing:",
      ...Array.from({ length: 5 }, () => "submit.cf:16: missing rule-missing:"),
    ]);
    assert.ok(stdout.includes("; mend: R<?><TAB>$: <$(authinfo AuthInfo: $: ? $)>\n"));
  });

  it("has nothing to say against a patched file, its map and its domains", async (t) => {
    const bench = new Workbench(t);
    bench.write("submit.cf", bytes(SUBMIT_CF.replace("RunAsUser=smmsp", `RunAsUser=4242:${ordinaryUser.gid}`)));
    bench.write("sendmail.cf", bytes(RELAY_CF));
    bench.write("relay-domains", "# ours\naustin.example.com\n");
    const map = await bench.makemap("smtp-auth", 'AuthInfo: "U:a" "P:b"\n');
    await bench.tsmap(["cf", "patch", ...CLIENT, "submit.cf"]);
    await bench.tsmap(["cf", "patch", ...RELAY, "sendmail.cf"]);
    chmodSync(bench.path(map), 0o644);
    for (const args of [
      ["--role", "client", "--map", "smtp-auth", "--other", "sendmail.cf", "--relay", "relay.example.com", "submit.cf"],
      ["--role", "relay", "--domains", "relay-domains", "--other", "submit.cf", "sendmail.cf"],
    ]) {
      const { exit, stdout, stderr } = await bench.tsmap(["cf", "check", ...args]);
      const faults = stdout.split("\n").filter((line) => /: (missing|wrong) /.test(line));
      // Temporary folders are for everybody.
      assert.deepEqual([exit, stderr, faults], [0, "", []]);
      assert.match(stdout, /: met mechanisms-common: both sides have DIGEST-MD5 CRAM-MD5 LOGIN PLAIN\n/);
    }
  });

  it("says that the two sides have no mechanism in common", async (t) => {
    const bench = new Workbench(t);
    for (const [name, list] of [
      ["a.cf", "CRAM-MD5"],
      ["b.cf", "PLAIN LOGIN"],
    ] as const)
      bench.write(name, `V10/Test\nO AuthMechanisms=${list}\n`);
    const { exit, stdout } = await bench.tsmap(["cf", "check", "--role", "relay", "--other", "b.cf", "a.cf"]);
    assert.equal(exit, 1);
    assert.match(stdout, /^a\.cf:2: wrong mechanisms-not-common: .*: CRAM-MD5 here, PLAIN LOGIN there; /m);
  });

  it("answers in JSON, an object to a line", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes(RELAY_CF));
    const { exit, stdout } = await bench.tsmap(["cf", "check", "--role", "relay", "--json", "x.cf"]);
    assert.equal(exit, 1);
    const first = JSON.parse(stdout.split("\n")[0] as string);
    assert.deepEqual(first, {
      file: "x.cf",
      line: null,
      status: "missing",
      code: "relay-domains-missing",
      message: "no line names the domains that may relay (class R)",
      mend: "FR-o /etc/mail/relay-domains",
      arguments: { path: "/etc/mail/relay-domains" },
    });
  });

  it("shows control characters of a file in words", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", bytes("V10/Test\nO AuthMechanisms=\u001b[31m\nDS\u001b]0;x\u0007\n"));
    const { stdout } = await bench.tsmap(["cf", "check", "--role", "client", "x.cf"]);
    assert.ok(!stdout.includes("\u001b") && stdout.includes("\\x1b"), stdout);
  });

  it("has trouble with what it cannot look at", async (t) => {
    const bench = new Workbench(t);
    bench.write("x.cf", "V10/Test\n");
    bench.write("text", "a text\n");
    const lines: readonly [readonly string[], string][] = [
      [["--role", "client", "nowhere"], "nowhere: No such file or directory"],
      [["--role", "client", "."], ".: Is a directory"],
      [["--role", "client", "text"], "text: no configuration of sendmail: it has no V line of level 3 or later"],
      [["--role", "client", "--other", "text", "x.cf"], "text: no configuration of sendmail: it has no V line of level 3 or later"],
      [["--role", "client", "--domains", "text", "x.cf"], "--domains: not for --role client"],
      [["--role", "relay", "--map", "text", "x.cf"], "--map: not for --role relay"],
    ];
    for (const [args, message] of lines) {
      const { exit, stdout, stderr } = await bench.tsmap(["cf", "check", ...args]);
      assert.deepEqual([exit, stdout, stderr], [2, "", `tsmap: ${message}\n`]);
    }
  });
});
