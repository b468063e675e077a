/**
 * Numbers that are too large, too small, or none, for every option that takes
 * one: a line that says so, the exit code of a mistake, at once, and no memory
 * taken for what was asked.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command } from "#src/cli/commander.js";
import { programCommands } from "#src/cli/program-description.js";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { run, tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { tsmap } from "../support/tsmap.ts";

const top = temporaryFolder({ after });

const NO_NUMBERS: readonly string[] = [
  ...["-1", "-0", "0", "00", "1", "3", "513", "1e3", "1e9", "1E400", "0x1000", "0b1", "0o10000", "NaN", "Infinity", "-Infinity", "inf"],
  ...[
    "99999999999",
    "9007199254740993",
    "18446744073709551616",
    `1${"0".repeat(400)}`,
    "9".repeat(100_000),
    "1.5.5",
    "4,096",
    "4096 ",
    " 4096",
  ],
  ...[
    "4096\n",
    "+4096",
    "4096k",
    "4 096",
    "４０９６",
    "٤",
    "null",
    "undefined",
    "true",
    "",
    "-",
    "--",
    "%n",
    "[object Object]",
    "__proto__",
  ],
];

/** What the value of an option is called in the tables, where it is a number, with those of the above that are good. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  n: [],
  bytes: [],
  seconds: ["1", "3", "513", "00001"],
  id: [],
  day: [],
  "host:port": [],
  // As atol() reads it, and within bounds whatever it is.
  cachesize: NO_NUMBERS,
};
/** Where it is none. */
const WORDS: readonly string[] = [
  ...["cffile", "commentchar", "type", "delimiter", "name", "order", "sasldb", "appname", "realm", "list", "file", "old", "seed", "salt"],
  ...["user", "userid", "comment", "format", "dn", "ip", "flags", "map", "host", "role", "path", "link", "folder"],
];

interface NumericOption {
  /** As it is called: "tsmap convert". */
  readonly command: string;
  readonly flag: string;
  readonly name: string;
}

function* numericOptions(command: Command, before = ""): Generator<NumericOption> {
  const called = `${before} ${command.name()}`.trim();
  for (const option of command.options) {
    const name = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
    if (name === undefined) continue;
    assert.ok(name in NUMBERS || WORDS.includes(name), `${called} ${option.flags}: a number, or a word? say so here`);
    if (name in NUMBERS) yield { command: called, flag: option.long ?? option.short ?? "", name };
  }
  for (const child of command.commands) yield* numericOptions(child, called);
}

/** What else a command wants. */
const REST: Readonly<Record<string, readonly string[]>> = {
  tsmakemap: ["-C", "/dev/null", "hash", "out"],
  tssaslpasswd: ["--password-file", "password", "-f", "out", "user"],
  "tsmap load": ["-f", "dump", "out"],
  "tsmap convert": ["m.db", "-o", "out"],
  "tsmap probe": ["--map", "source"],
  "tsmap plan": ["fleet.yaml"],
  "tsmap build": ["fleet.yaml", "--output", "out"],
  "tsmap check": ["fleet.yaml"],
  "tsmap watch": ["fleet.yaml", "--output", "out"],
};
const EXIT: Readonly<Record<string, number>> = { tsmakemap: 64, tssaslpasswd: 7, "tsmap plan": 1 };
const TROUBLE = 2;

function makeFiles(): string {
  const folder = fs.mkdtempSync(join(top, "files-"));
  makeInProcess(["hash", "m"], Buffer.from("example.com RELAY\n"), folder);
  fs.writeFileSync(join(folder, "source"), 'AuthInfo: "U:u" "I:u" "P:p"\n');
  fs.writeFileSync(join(folder, "password"), "password");
  fs.writeFileSync(join(folder, "dump"), "VERSION=3\nformat=print\ntype=hash\nHEADER=END\n a\n b\nDATA=END\n");
  fs.writeFileSync(
    join(folder, "fleet.yaml"),
    "version: 1\nsettings: { target: aix }\nhosts: { h: { maps: { m: { entries: { x: { user: s, password: s } } } } } }\nsecrets: { s: { command: [echo, x] } }\nkey: { command: [echo, 0123456789abcdef0123456789abcdef] }\n",
  );
  return folder;
}

suite("of every option that takes a number", () => {
  test("what is none is refused", { timeout: 60_000 }, async (t) => {
    const folder = makeFiles();
    const options = programCommands().flatMap((command) => [...numericOptions(command)]);
    assert.ok(options.length > 20);
    // In the ordinary run some of them for each option, others for the next.
    const all = options.flatMap((option, i) =>
      NO_NUMBERS.filter((_, k) => isFull || (i + k) % 8 === 0)
        .filter((value) => !(NUMBERS[option.name] as readonly string[]).includes(value))
        .map((value) => ({ option, value })),
    );
    const lines = all.map(({ option: { command, flag, name }, value }) => {
      const given = name === "host:port" ? `127.0.0.1:${value}` : value;
      const words = flag.startsWith("--") ? [`${flag}=${given}`] : [flag, given];
      // Port 1, where nobody listens.
      const relay = command === "tsmap probe" && name !== "host:port" ? ["--relay", "127.0.0.1:1"] : [];
      return [...command.replace(/^tsmap /, "").split(" "), ...words, ...relay, ...(REST[command] ?? assert.fail(`${command} ${flag}`))];
    });
    const child = fileURLToPath(new URL("../support/tsmap-batch.child.js", import.meta.url));
    const began = performance.now();
    const { exit, signal, stdout, stderr } = await run(process.execPath, ["--max-old-space-size=200", child], {
      cwd: folder,
      input: Buffer.from(JSON.stringify(lines)),
    });
    assert.deepEqual([exit, signal, stderr], [0, null, ""]);
    t.diagnostic(`${lines.length} command lines, ${(performance.now() - began).toFixed(0)} ms`);
    const answers = JSON.parse(Buffer.from(stdout, "latin1").toString()) as { exit: number; stdout: string; stderr: string }[];
    for (const [i, { option, value }] of all.entries()) {
      const { command, flag, name } = option;
      const answer = answers[i] as { exit: number; stdout: string; stderr: string };
      const what = `${command} ${flag} ${value.slice(0, 40)}: ${answer.exit} ${answer.stderr.slice(0, 300)}`;
      // Nobody listens on the ports that are good; the others are none.
      const isPort = name === "host:port" && /^0*[1-9]\d{0,4}$/.test(value) && Number(value) < 65536;
      assert.equal(answer.exit, EXIT[command] ?? TROUBLE, what);
      assert.equal(answer.stdout, "", what);
      assert.match(answer.stderr, isPort ? /: Connection refused\n$/ : new RegExp(`^[a-z]+: (?:.*${flag}|127)`), what);
      assert.doesNotMatch(answer.stderr, /internal error|^ {4}at /m, what);
    }
    assert.ok(!fs.existsSync(join(folder, "out")) && !fs.existsSync(join(folder, "out.db")));
  });

  test("a part of a millisecond is a time, too", async () => {
    const folder = makeFiles();
    const { exit, stdout, stderr } = await tsmap(["plan", "--command-timeout", "3.00001", "fleet.yaml"], { cwd: folder });
    assert.deepEqual([exit, stderr], [2, ""]);
    assert.match(stdout, /4 to add/);
  });

  test("a cache of any size is a cache, within bounds", async () => {
    const folder = makeFiles();
    const sizes = ["-1", "18446744073709551616", "0", "-9223372036854775808", "NaN", "99999999999"];
    for (const size of isFull ? sizes : sizes.slice(0, 1)) {
      const { exit, stderr } = await tsmakemap(["-C", "/dev/null", "-c", size, "hash", "out"], { cwd: folder, input: "a b\n" });
      assert.deepEqual([exit, stderr], [0, ""], size);
    }
  });
});
