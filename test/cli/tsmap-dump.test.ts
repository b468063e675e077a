/**
 * tsmap dump, list and get as programs: what they print, what they keep to
 * themselves, and the file that dump writes.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Database } from "berkeley-db-js";
import { pairsOf, sha256 } from "../support/bytes.ts";
import { databaseFixture, databaseFixtures, fixturesFolder } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { needs, runNative } from "../support/native.ts";
import { launcherOf, NOBODY, type Outcome, ordinaryUser, type RunOptions, run, whyNoOrdinaryUser } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { TERMINAL_TOOLS, Terminal } from "../support/terminal.ts";

const folder = temporaryFolder({ after });
chmodSync(folder, 0o755);
const at = (name: string): string => join(folder, name);

function tsmap(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(process.execPath, [launcherOf("tsmap"), ...args], { cwd: folder, ...options });
}

async function output(...args: readonly string[]): Promise<string> {
  const { exit, stdout, stderr } = await tsmap(args);
  assert.deepEqual([exit, stderr], [0, ""]);
  return stdout;
}

const map = databaseFixture("v9-db5.3.28-be-map");
const sasldb = databaseFixture("v9-db5.3.28-le-sasldb");
const authinfo = databaseFixture("v8-db4.1.25-be-authinfo");
const dup = databaseFixture("v9-db5.3.28-le-dup");
copyFileSync(map.path, at("map.db"));
copyFileSync(sasldb.path, at("sasl.db"));
copyFileSync(authinfo.path, at("auth.db"));
copyFileSync(dup.path, at("dup.db"));

/** A database of these records, as latin1 text, with duplicates. */
function make(name: string, records: readonly (readonly [string, string])[]): void {
  const database = Database.open(at(name), { type: "btree", create: true, truncate: true, duplicates: "unsorted" });
  for (const [key, data] of records) database.put(Buffer.from(key, "latin1"), Buffer.from(data, "latin1"), "duplicate");
  database.close();
}

describe("dump", () => {
  it("writes what db5.3_dump writes, in both of its formats", async (t) => {
    if (!needs(t, "db5.3_dump")) return;
    copyFileSync(map.path, at("copy.db"));
    assert.equal(await output("dump", "map.db"), runNative("db5.3_dump", [at("copy.db")]).stdout.toString("latin1"));
    assert.equal(await output("dump", "-p", "map.db"), runNative("db5.3_dump", ["-p", at("copy.db")]).stdout.toString("latin1"));
  });

  it("of every file of fixtures/db loads again to the same records, by any user, and leaves it as it is", async (t) => {
    const why = await whyNoOrdinaryUser();
    for (const [i, fixture] of databaseFixtures().entries()) {
      if (!isFull && !/-(le|be)-(ps512-)?(binary|dup|dupsort)$/.test(fixture.name)) continue;
      const format = ["dump", "json", "csv"][i % 3] as string;
      const dumped = await tsmap(["dump", "--show-secrets", "--format", format, fixture.path], why === undefined ? { uid: NOBODY } : {});
      assert.deepEqual([dumped.exit, dumped.stderr], [0, ""], fixture.name);
      assert.equal(sha256(readFileSync(fixture.path)), fixture.sha256);
      const keep = fixture.duplicates === undefined ? [] : ["-d"];
      const loaded = await tsmap(["load", "loaded.db", ...keep, "--type", "btree", "--format", format], { input: dumped.stdout });
      assert.deepEqual([loaded.exit, loaded.stderr], [0, ""], fixture.name);
      const database = Database.open(at("loaded.db"), { readOnly: true });
      assert.deepEqual(pairsOf(database), pairsOf(fixture.records), fixture.name);
      database.close();
    }
    if (why !== undefined) t.diagnostic(why);
    assert.ok(ordinaryUser.uid > 0);
  });

  it("of a file that holds secrets is refused, and nothing is written, without --show-secrets", async () => {
    for (const file of ["sasl.db", "auth.db"]) {
      for (const options of [[], ["-p"], ["--format", "json"], ["--format", "csv"], ["-o", "out"]]) {
        assert.deepEqual(await tsmap(["dump", file, ...options]), {
          exit: 2,
          signal: null,
          stdout: "",
          stderr: `tsmap: ${file}: holds passwords; --show-secrets dumps them\n`,
        });
        assert.ok(!existsSync(at("out")));
      }
    }
    const [, secret = ""] = pairsOf(sasldb.records).find(([key]) => key.endsWith("userPassword")) ?? [];
    assert.ok((await output("dump", "-p", "--show-secrets", "sasl.db")).includes(secret));
  });

  it("-o writes a file that nobody else can read, whatever was there before", async () => {
    const text = await output("dump", "sasl.db", "--show-secrets");
    assert.equal(await output("dump", "sasl.db", "--show-secrets", "-o", "out"), "");
    assert.equal(readFileSync(at("out"), "latin1"), text);
    assert.equal(statSync(at("out")).mode & 0o777, 0o600);
    writeFileSync(at("old"), "old");
    chmodSync(at("old"), 0o666);
    symlinkSync("old", at("link"));
    await output("dump", "sasl.db", "--show-secrets", "-o", "link");
    assert.equal(readFileSync(at("old"), "latin1"), text);
    assert.equal(statSync(at("old")).mode & 0o777, 0o600);
  });

  it("-o leaves what was there where the dump fails", async () => {
    copyFileSync(map.path, at("cut.db"));
    truncateSync(at("cut.db"), 8192);
    writeFileSync(at("kept"), "kept");
    const before = readdirSync(folder);
    const { exit, stderr } = await tsmap(["dump", "cut.db", "--show-secrets", "-o", "kept"]);
    assert.equal(exit, 2);
    assert.match(stderr, /^tsmap: cut\.db: damaged: /);
    assert.equal(readFileSync(at("kept"), "utf8"), "kept");
    assert.deepEqual(readdirSync(folder), before);
    const partial = await tsmap(["dump", "cut.db", "--show-secrets"]);
    assert.equal(partial.exit, 2);
    assert.ok(!partial.stdout.includes("DATA=END"));
    assert.equal((await tsmap(["dump", "cut.db"])).stdout, "", "what is damaged is known before anything is written");
  });

  it("-o ends by a signal with the old file as it was, and nothing beside it", async () => {
    writeFileSync(at("kept"), "kept");
    const hook = at("hook.cjs");
    writeFileSync(
      hook,
      `const fs = require("node:fs");
for (const name of ["writeSync", "fdatasyncSync"]) {
  const original = fs[name];
  fs[name] = (...args) => { if (name === process.env.SIGNAL_AT) process.kill(process.pid, "SIGTERM"); return original(...args); };
}
require("node:module").syncBuiltinESMExports();
`,
    );
    const before = readdirSync(folder);
    const signalled = (name: string): Promise<Outcome> =>
      tsmap(["dump", "map.db", "-o", "kept"], { env: { NODE_OPTIONS: `--require=${hook}`, SIGNAL_AT: name } });
    const { signal, stderr } = await signalled("writeSync");
    assert.deepEqual([signal, stderr], ["SIGTERM", ""]);
    assert.equal(readFileSync(at("kept"), "utf8"), "kept");
    assert.deepEqual(readdirSync(folder), before);
  });

  it("-o never replaces the database itself, a folder or a pipe", async () => {
    // Of our own: a device of the system would be lost where this fails.
    assert.equal(spawnSync("mkfifo", [at("fifo")]).status, 0);
    for (const [name, message] of [
      ["map.db", "is the database itself"],
      ["fifo", "not a regular file, and not to be replaced by one"],
      [".", "not a regular file, and not to be replaced by one"],
    ] as const) {
      assert.deepEqual(await tsmap(["dump", "map.db", "-o", name]), {
        exit: 2,
        signal: null,
        stdout: "",
        stderr: `tsmap: ${name}: ${message}\n`,
      });
    }
    assert.equal(sha256(readFileSync(at("map.db"))), map.sha256);
    assert.ok(statSync(at("fifo")).isFIFO());
  });

  it("says what is wrong with a file or an option", async () => {
    for (const [args, message] of [
      [["none.db"], "tsmap: none.db: No such file or directory\n"],
      [["map.db", "-p", "--format", "csv"], "tsmap: -p is for --format dump, not for csv\n"],
      [["map.db", "-o", "none/x"], "tsmap: none/x: No such file or directory\n"],
    ] as const) {
      assert.deepEqual(await tsmap(["dump", ...args]), { exit: 2, signal: null, stdout: "", stderr: message });
    }
    const text = await tsmap(["dump", `${fixturesFolder}authinfo/smtp-auth`]);
    assert.equal(text.exit, 2);
    assert.match(text.stderr, /smtp-auth: not a Berkeley DB file, but text\n$/);
  });
});

describe("list", () => {
  it("has a record to a line, as makemap -u", async (t) => {
    const lines = await output("list", "map.db");
    const expected = map.records.map(([key, data]) => `${Buffer.from(key)}\t${Buffer.from(data)}\n`);
    assert.deepEqual(lines.split(/(?<=\n)/).sort(), expected.sort());
    if (!needs(t, "makemap")) return;
    copyFileSync(map.path, at("native.db"));
    assert.equal(lines, runNative("makemap", ["-C", "/dev/null", "-u", "hash", at("native.db")]).stdout.toString("latin1"));
  });

  it("masks what is secret, unless --show-secrets", async () => {
    assert.equal(await output("list", "--keys", "sasl.db"), (await output("list", "sasl.db")).replaceAll("\t***", ""));
    for (const [file, fixture] of [
      ["sasl.db", sasldb],
      ["auth.db", authinfo],
    ] as const) {
      for (const options of [[], ["--json"], ["--sort"], ["--json", "--sort"]]) {
        const shown = await output("list", file, ...options);
        assert.ok(shown.includes("***"));
        for (const [, data] of pairsOf(fixture.records)) {
          const secret = /"P:([^"]*)"/.exec(data)?.[1] ?? data;
          assert.ok(!shown.includes(secret) && !shown.includes(Buffer.from(secret, "latin1").toString("base64")));
          assert.ok((await output("list", file, "--show-secrets")).includes(secret));
        }
      }
    }
  });

  it("is sorted by key with --sort, the records of a key in their order", async () => {
    const pairs = pairsOf(dup.records).map(([key, data]) => `${key}\t${data}\n`);
    assert.equal(await output("list", "dup.db", "--sort"), pairs.join(""));
    assert.equal(await output("list", "dup.db", "--sort", "--keys"), pairs.map((line) => line.replace(/\t.*/s, "\n")).join(""));
  });

  it("--json says what is text, what is bytes and what is masked, with nothing left out", async () => {
    make("odd.db", [
      ["a\0", "x\0"],
      ["b", "\xff\n"],
      ["c\xc3\xbc", '"'],
      ["mail.example", "user:secret"],
    ]);
    assert.equal(
      await output("list", "odd.db", "--json"),
      '{"key":"a\\u0000","data":"x\\u0000"}\n{"key":"b","dataBase64":"/wo="}\n{"key":"c\xc3\xbc","data":"\\""}\n{"key":"mail.example","data":"***","masked":true}\n',
    );
    assert.equal(await output("list", "odd.db"), 'a\tx\nb\t\xff\\x0a\nc\xc3\xbc\t"\nmail.example\t***\n');
    const refused = await tsmap(["load", "x.db", "--format", "json"], { input: await output("list", "odd.db", "--json") });
    assert.equal(refused.exit, 2);
    assert.match(refused.stderr, /^tsmap: standard input: line 1: the first line is .*, as tsmap dump --format json writes it\n$/);
  });

  it("reads the source text of a map as makemap would, and says what makemap would leave out", async () => {
    writeFileSync(at("text"), '# a comment\nAuthInfo:h\t"U:u" "P:hidden"\nKey value\nKey other\nno-value\n');
    assert.deepEqual(await tsmap(["list", "text"]), {
      exit: 1,
      signal: null,
      stdout: 'authinfo:h\t"U:u" "P:***"\nkey\tvalue\n',
      stderr:
        "tsmap: text: line 4: a key that is there already, left out by makemap\ntsmap: text: line 5: a key without a value, left out by makemap\n",
    });
    assert.equal(await output("list", "-f", "-d", "-e", "text"), 'AuthInfo:h\t"U:u" "P:***"\nKey\tvalue\nKey\tother\nno-value\t\n');
  });
});

it("a record is one line, whatever is in it", async () => {
  const key = "a\nauthinfo:fake\tx\x1b[31m";
  make("lines.db", [[key, "b\r\n\tDOMAIN\\user\x07\x7f\xff\0\0"]]);
  const shown = ["a\\x0aauthinfo:fake\\x09x\\x1b[31m", "b\\x0d\\x0a\tDOMAIN\\user\\x07\\x7f\xff\\x00"];
  assert.equal(await output("list", "--show-secrets", "lines.db"), `${shown.join("\t")}\n`);
  assert.equal(await output("list", "--keys", "--show-secrets", "lines.db"), `${shown[0]}\n`);
  assert.equal(await output("get", "--show-secrets", "lines.db", key), `${shown[1]}\n`);
});

it("list shows control characters to a terminal in writing", async (t) => {
  if (!needs(t, ...TERMINAL_TOOLS)) return;
  make("control.db", [["a\x1b[31m", "b\r\x07\xff\0"]]);
  for (const [options, shown] of [
    [[], "a\\x1b[31m\tb\\x0d\\x07\\xff\r\n"],
    [["--keys"], "a\\x1b[31m\r\n"],
  ] as const) {
    const terminal = await Terminal.start(t, [process.execPath, launcherOf("tsmap"), "list", ...options, at("control.db")]);
    assert.equal((await terminal.end()).exit, 0);
    // Tabs are expanded by the terminal.
    assert.equal(terminal.shown.replace(/ +/, "\t"), shown);
  }
});

describe("much output", () => {
  const long: [string, string][] = Array.from({ length: 3000 }, (_, i) => [`key${String(i).padStart(5, "0")}`, "x".repeat(1000)]);
  make("long-list.db", long);

  it("comes whole, through pipes, in every format", async () => {
    assert.equal(await output("list", "long-list.db"), long.map(([key, data]) => `${key}\t${data}\n`).join(""));
    const dump = await output("dump", "--format", "json", "long-list.db");
    assert.equal(
      await output("list", "--json", "long-list.db"),
      dump
        .split(/(?<=\n)/)
        .slice(1, -1)
        .join(""),
    );
    assert.equal((await output("dump", "-p", "long-list.db")).split("\n").length, 2 * long.length + 8);
  });

  for (const args of [
    ["dump", "long-list.db"],
    ["list", "long-list.db"],
    ["list", "--json", "long-list.db"],
  ]) {
    it(`is no news where its reader goes away: ${args.join(" ")}`, async () => {
      const { exit, stderr } = await tsmap(args, { onSpawn: (child) => child.stdout?.once("data", () => child.stdout?.destroy()) });
      assert.deepEqual([exit, stderr], [141, ""]);
    });
  }

  it("that cannot be written is an error", async () => {
    for (const command of ["dump", "list"]) {
      const unwritable = spawnSync(process.execPath, [launcherOf("tsmap"), command, at("long-list.db")], {
        stdio: ["ignore", openSync(at("map.db"), "r"), "pipe"],
      });
      assert.equal(unwritable.status, 2);
      assert.match(unwritable.stderr.toString(), /^tsmap: standard output: EBADF/);
    }
  });
});

describe("get", () => {
  make("keys.db", [
    ["Mixed", "mixed"],
    ["mixed", "folded"],
    ["upper", "x"],
    ["upper", "y"],
    ["with-nul\0", "value\0"],
    ["Mixed-Nul\0", "kept"],
    ["authinfo:h", '"U:u" "P:hidden"'],
  ]);

  for (const [args, stdout] of [
    [["Mixed"], "mixed\n"],
    [["MIXED"], "folded\n"],
    [["UPPER"], "x\ny\n"],
    [["with-nul"], "value\n"],
    [["WITH-NUL"], "value\n"],
    [["Mixed-Nul"], "kept\n"],
    [["upper", "--exact"], "x\ny\n"],
    [["AuthInfo:H"], '"U:u" "P:***"\n'],
    [["AuthInfo:h", "--show-secrets"], '"U:u" "P:hidden"\n'],
    [["WITH-NUL", "--json"], '{"key":"with-nul\\u0000","data":"value\\u0000"}\n'],
  ] as const) {
    it(`${args.join(" ")}`, async () => assert.equal(await output("get", "keys.db", ...args), stdout));
  }

  it("answers 1, and says nothing, where the key is not there", async () => {
    for (const args of [["none"], ["UPPER", "--exact"], ["with-nul", "--exact"], [""]]) {
      assert.deepEqual(await tsmap(["get", "keys.db", ...args]), { exit: 1, signal: null, stdout: "", stderr: "" });
    }
  });

  it("looks a key up in a source text too, and in a hash file of any version", async () => {
    writeFileSync(at("source"), "Key value\n");
    assert.equal(await output("get", "source", "KEY"), "value\n");
    for (const name of ["v2-db1.85-be-map", "v5-db2.7.7-le-map", "v6-db3.0.55-be-map", "v7-db3.1.17-le-map", "v10-db18.1.40-be-map"]) {
      assert.equal(await output("get", databaseFixture(name).path, "USER0042@example.com"), "RELAY value 42\n");
    }
  });

  it("cuts a key that is longer than sendmail's 256 bytes", async () => {
    make("long.db", [["k".repeat(256), "found"]]);
    assert.equal(await output("get", "long.db", "k".repeat(257)), "found\n");
    assert.equal((await tsmap(["get", "long.db", "--exact", "k".repeat(257)])).exit, 1);
  });
});
