/**
 * Standard streams that are closed, full, or read by nobody, for every command:
 * no database is opened under their numbers and written to by a message, the
 * files are what they are otherwise, and the exit code says what happened.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tsmapCommand } from "#src/cli/tsmap/commands.js";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { sha256 } from "../support/bytes.ts";
import { SUBMIT_CF } from "../support/cf-text.ts";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { launcherOf, type Outcome, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });

/** What there is for all of them. */
const model = join(top, "model");
fs.mkdirSync(model);
makeInProcess(["hash", "m"], Buffer.from('AuthInfo: "U:u" "I:u" "P:p"\n'), model);
makeInProcess(["hash", "big"], Buffer.from(Array.from({ length: 20_000 }, (_, i) => `key${i} value of the key ${i}\n`).join("")), model);
await updateSasldb(join(model, "sasldb"), (users) => users.setPassword("u", "r", Buffer.from("password"), { otpSeed: "seed1" }));
await updateSasldb(join(model, "users"), (users) => {
  for (let i = 0; i < 5000; i++) users.setPassword(`user${i}`, "realm.example.com", Buffer.from("password"), { mechanisms: [] });
});
fs.writeFileSync(join(model, "source"), 'AuthInfo: "U:u" "I:u" "P:p"\nbad\n');
fs.writeFileSync(join(model, "faults"), "AuthInfo:x\n".repeat(5000));
fs.writeFileSync(join(model, "dump"), "VERSION=3\nformat=print\ntype=hash\nHEADER=END\n a\n b\nDATA=END\n");
fs.writeFileSync(join(model, "cf"), SUBMIT_CF);
fs.writeFileSync(join(model, "password"), "password");
fs.writeFileSync(join(model, "fleet.yaml"), "version: 1\nsettings: { target: aix }\nhosts: { h: { maps: { m: { source: clean } } } }\n");
fs.writeFileSync(join(model, "clean"), "example.com RELAY\n");

/** Command lines; of those with "much" the output is more than a pipe holds. */
const LINES: readonly { readonly line: readonly string[]; readonly much?: true }[] = [
  { line: ["tsmakemap", "-C", "/dev/null", "-u", "hash", "big"], much: true },
  { line: ["tsmakemap", "-C", "/dev/null", "hash", "new"] },
  { line: ["tsmakemap", "-C", "/dev/null", "-v", "hash", "new"] },
  { line: ["tsmakemap", "-q"] },
  { line: ["tsmakemap", "--help"] },
  { line: ["tssaslpasswd", "--json", "--password-file", "password", "--otp-seed", "seed1", "-f", "new", "-u", "r", "u"] },
  { line: ["tssaslpasswd", "--help"] },
  { line: ["tssasldblist", "-f", "users"], much: true },
  { line: ["tssasldblist", "-f", "no"] },
  { line: ["tsmap", "--help"] },
  { line: ["tsmap", "--version"] },
  { line: ["tsmap", "inspect", "m.db"] },
  { line: ["tsmap", "list", "big.db"], much: true },
  { line: ["tsmap", "list", "no"] },
  { line: ["tsmap", "get", "big.db", "key7"] },
  { line: ["tsmap", "dump", "big.db"], much: true },
  { line: ["tsmap", "load", "-f", "dump", "new"] },
  { line: ["tsmap", "export", "--format", "ldif", "--base", "dc=x", "--cluster", "c", "big.db"], much: true },
  { line: ["tsmap", "verify", "m.db", "sasldb"] },
  { line: ["tsmap", "diff", "--fingerprint-key", "dump", "m.db", "big.db"], much: true },
  { line: ["tsmap", "convert", "m.db", "-o", "new", "--target", "aix"] },
  { line: ["tsmap", "scrub", "m.db", "-o", "new"] },
  { line: ["tsmap", "lint", "faults"], much: true },
  { line: ["tsmap", "resolve", "--server", "x", "m.db"] },
  { line: ["tsmap", "auth", "--authinfo", "m.db", "--sasldb", "sasldb", "--relay", "x"] },
  { line: ["tsmap", "cf", "check", "--role", "client", "cf"] },
  { line: ["tsmap", "cf", "patch", "--role", "client", "--relay", "r.example.com", "cf"] },
  { line: ["tsmap", "probe", "--relay", "127.0.0.1:1", "--map", "m.db"] },
  { line: ["tsmap", "plan", "fleet.yaml"] },
  { line: ["tsmap", "build", "fleet.yaml", "--output", "new"] },
  { line: ["tsmap", "check", "fleet.yaml"] },
  { line: ["tsmap", "watch", "no.yaml", "--page-size", "1"] },
  { line: ["tsmap", "completion", "bash"] },
];

interface Ran extends Outcome {
  /** All files, with what is in them. */
  readonly files: string;
}

async function runWith(redirection: string, line: readonly string[]): Promise<Ran> {
  const folder = fs.mkdtempSync(join(top, "run-"));
  fs.cpSync(model, folder, { recursive: true });
  const [program = "", ...args] = line;
  const script = `exec "$@" ${redirection}`;
  const outcome = await run("/bin/sh", ["-c", script, "sh", process.execPath, launcherOf(program), ...args], {
    cwd: folder,
    timeout: 20_000,
  });
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sums = entries.map(({ parentPath, name }) => {
    const path = join(parentPath, name);
    return `${path.slice(folder.length)} ${createHash("sha256").update(fs.readFileSync(path)).digest("hex")}`;
  });
  fs.rmSync(folder, { recursive: true });
  return {
    ...outcome,
    stderr: outcome.stderr.replaceAll(fs.realpathSync(top), "").replaceAll(/run-\w+/g, "run"),
    files: sums.sort().join("\n"),
  };
}

/** In the ordinary run a few commands come, with one of them each. */
const REDIRECTIONS = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"];
/** That the output is full. */
const FULL: Readonly<Record<string, number>> = { tsmakemap: 74, tssaslpasswd: 1, tssasldblist: 1, tsmap: 2 };
const PLAN_TROUBLE = 1;
const SIGPIPE = 141;

suite("standard streams", { concurrency: 2 }, () => {
  test("every command is here", () => {
    const known = tsmapCommand("tsmap", async () => {}).commands.map((command) => command.name());
    const here = new Set(
      LINES.flatMap(({ line: [program, command = ""] }) => (program === "tsmap" && !command.startsWith("-") ? [command] : [])),
    );
    assert.deepEqual([...here].sort(), known.sort());
  });

  for (const [i, { line, much }] of LINES.entries()) {
    const title = line.join(" ");
    const redirections = isFull ? REDIRECTIONS : i % 15 === 0 ? [REDIRECTIONS[(i / 5) % REDIRECTIONS.length] as string] : [];
    if (redirections.length > 0) {
      test(title, async () => {
        const usual = await runWith("", line);
        for (const redirection of redirections) {
          const ran = await runWith(redirection, line);
          const what = `${redirection}: ${JSON.stringify({ ...ran, stdout: ran.stdout.slice(0, 200), files: "" })}`;
          const isLost = redirection.includes(">/dev/full") && !redirection.startsWith("2>") && usual.stdout !== "";
          const expected = isLost ? (line[1] === "plan" ? PLAN_TROUBLE : FULL[line[0] as string]) : usual.exit;
          assert.deepEqual([ran.exit, ran.signal], [expected, null], what);
          assert.equal(ran.files, usual.files, what);
          assert.doesNotMatch(ran.stderr, /internal error|^ {4}at /m, what);
          if (isLost && !redirection.includes("2>")) assert.match(ran.stderr, /: standard output: No space left on device\n$/, what);
          // What can be said and written is.
          if (!redirection.includes("2>") && !isLost) assert.equal(ran.stderr, usual.stderr, what);
          if (!/(^| )>/.test(redirection)) assert.equal(ran.stdout, usual.stdout, what);
        }
      });
    }
    if (much !== true || !(isFull || line[1] === "dump")) continue;
    test(`${title}, to a reader that goes away`, async () => {
      const folder = fs.mkdtempSync(join(top, "pipe-"));
      fs.cpSync(model, folder, { recursive: true });
      const [program = "", ...args] = line;
      const script = '{ "$@"; echo "exit $?" >&2; } | head -c 1';
      const { stdout, stderr } = await run("/bin/sh", ["-c", script, "sh", process.execPath, launcherOf(program), ...args], {
        cwd: folder,
      });
      assert.equal(stdout.length, 1);
      assert.equal(stderr, `exit ${SIGPIPE}\n`);
    });
  }
});

suite("standard input that does not wait, which whoever shares a pipe can have made of it", () => {
  const lines: readonly { readonly line: readonly string[]; readonly pieces: readonly string[] }[] = [
    { line: ["tsmakemap", "-C", "/dev/null", "hash", "new"], pieces: ["key val", "ue\nmore ", "values\n"] },
    { line: ["tssaslpasswd", "-p", "--otp-seed", "seed1", "-f", "new", "-u", "r", "u"], pieces: ["pass", "word"] },
  ];
  for (const { line, pieces } of lines) {
    test(line[0] as string, async () => {
      const usual = await runToEnd(line, { input: pieces.join("") });
      const pipe = join(fs.mkdtempSync(join(top, "pipe-")), "pipe");
      assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
      const reader = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const writer = fs.openSync(pipe, fs.constants.O_WRONLY);
      const feed = async (): Promise<void> => {
        for (const piece of pieces) {
          // Longer than the start of the program takes.
          await sleep(300);
          fs.writeSync(writer, piece);
        }
        fs.closeSync(writer);
      };
      const [slow] = await Promise.all([runToEnd(line, { shared: reader }), feed()]);
      fs.closeSync(reader);
      assert.deepEqual(slow, usual);
      assert.equal(slow.exit, 0);
    });
  }

  /** @param shared given as it is, where Node makes of what it hands on one that waits. */
  async function runToEnd(
    [program = "", ...args]: readonly string[],
    { input, shared }: { readonly input?: string; readonly shared?: number },
  ): Promise<{ readonly exit: unknown; readonly sums: readonly string[] }> {
    const folder = fs.mkdtempSync(join(top, "run-"));
    const script = shared === undefined ? 'exec "$@"' : 'exec "$@" <&3 3<&-';
    const child = spawn("/bin/sh", ["-c", script, "sh", process.execPath, launcherOf(program), ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"], SASL_CONF_PATH: folder },
      stdio: ["pipe", "ignore", "inherit", shared ?? "ignore"],
    });
    child.stdin?.end(input);
    const [exit] = await once(child, "close");
    return { exit, sums: fs.readdirSync(folder).map((name) => `${name} ${sha256(fs.readFileSync(join(folder, name)))}`) };
  }
});
