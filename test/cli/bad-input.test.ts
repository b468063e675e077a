/**
 * Input that is no map source, more of it than memory, and output that nobody
 * reads: makemap's words, bounded memory, never a stack.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { nativePath, needs } from "../support/native.ts";
import { launcher, type Outcome, run, tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
const newFolder = (): string => mkdtempSync(join(top, "run-"));

const SECRET = "a-password-that-is-nobody's";
const ARGS = ["-C", "/dev/null"];

function assertNoStack({ stderr }: Pick<Outcome, "stderr">): void {
  assert.doesNotMatch(stderr, /^ +at |node:internal|\bError\b|file:\/\//m);
}

/** By makemap and by tsmakemap: the words and the exit code. */
async function bothSay(folder: string, input: string | Uint8Array): Promise<[Outcome, Outcome]> {
  const ours = await tsmakemap([...ARGS, "hash", "ours"], { cwd: folder, input });
  const native = await run(nativePath("makemap"), [...ARGS, "hash", "ours"], { cwd: newFolder(), input });
  return [ours, { ...native, stderr: native.stderr.replaceAll(/^makemap:/gm, "tsmakemap:") }];
}

suite("what makemap says of it", () => {
  const inputs: Record<string, string> = {
    "100,000 duplicate keys": "Key value\n".repeat(100_001),
    "100,000 lines that are too long": `${"x".repeat(1500)}\n`.repeat(2000),
    "lines with NUL": "a b\0\nc d\n\0\n".repeat(5000),
    CRLF: 'AuthInfo:a.example.com "U:u"\r\n\r\n#c\r\nonly\r\n'.repeat(300),
    "no final newline": "a b\nc d\ne",
    "one line of 5 MB": "x".repeat(5 << 20),
    "5 MB of newlines": "\n".repeat(5 << 20),
    "5 MB of NUL": "\0".repeat(5 << 20),
    "every line another mistake": Array.from({ length: 20_000 }, (_, i) => [" x y", "x", "a b", "k\0 v"][i % 4]).join("\n"),
  };
  for (const [name, input] of Object.entries(inputs)) {
    test(name, async (t) => {
      if (!needs(t, "makemap")) return;
      const folder = newFolder();
      const [ours, native] = await bothSay(folder, input);
      assert.equal(ours.exit, native.exit);
      assert.ok(ours.stderr === native.stderr, "stderr differs");
      assertNoStack(ours);
    });
  }
});

/** Random bytes, always the same, as fast as a cipher makes them. */
function* randomBytes(total: number): Generator<Buffer, void, undefined> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16));
  const zeros = Buffer.alloc(1 << 20);
  for (let done = 0; done < total; done += zeros.length) yield cipher.update(zeros);
}

test("a flood of random bytes is read in bounded memory", { timeout: 280_000 }, async (t) => {
  const size = isFull ? 1 << 30 : 96 << 20;
  const folder = newFolder();
  // The shell's child tells of itself at its end, which only a loader from outside can have it do.
  const report = join(folder, "report.mjs");
  writeFileSync(report, 'process.on("exit", () => process.stderr.write("\\nmaxRSS " + process.resourceUsage().maxRSS + "\\n"));\n');
  const child = spawn(process.execPath, ["--import", report, launcher, ...ARGS, "hash", "m"], {
    cwd: folder,
    stdio: ["pipe", "ignore", "pipe"],
  });
  let last = "";
  let lines = 0;
  child.stderr.setEncoding("latin1").on("data", (text: string) => {
    lines += text.split("\n").length - 1;
    last = (last + text).slice(-200);
  });
  const closed = once(child, "close");
  for (const chunk of randomBytes(size)) if (!child.stdin.write(chunk)) await once(child.stdin, "drain");
  child.stdin.end();
  const [exit] = await closed;
  const maxRSS = Number(/maxRSS (\d+)/.exec(last)?.[1]) / 1024;
  t.diagnostic(`${size >> 20} MB, ${lines} diagnostics, ${maxRSS.toFixed(0)} MB of memory`);
  assert.equal(exit, 65);
  assert.deepEqual(readdirSync(folder).sort(), ["m.db", "report.mjs"]);
  // The pages of the map, which are all in the cache, and 200 MB beyond.
  const pages = (statSync(join(folder, "m.db")).size / 2 ** 20) * 1.05;
  assert.ok(maxRSS < 200 + pages, `${maxRSS} MB, ${pages} MB of which are pages`);
});

suite("standard input", () => {
  test("that is a folder ends the run, and leaves the map", async () => {
    const folder = newFolder();
    makeInProcess(["hash", "m"], Buffer.from("old 1\n"), folder);
    const before = readFileSync(join(folder, "m.db"));
    const outcome = await tsmakemap([...ARGS, "hash", "m"], { cwd: folder, input: { fd: openSync(folder, "r") } });
    assert.deepEqual([outcome.exit, outcome.stderr], [66, "tsmakemap: standard input: Is a directory\n"]);
    assert.ok(readFileSync(join(folder, "m.db")).equals(before));
    assert.deepEqual(readdirSync(folder), ["m.db"]);
  });

  test("that is open for writing alone ends the run, and leaves the map", async () => {
    const folder = newFolder();
    makeInProcess(["hash", "m"], Buffer.from("old 1\n"), folder);
    const before = readFileSync(join(folder, "m.db"));
    const outcome = await tsmakemap([...ARGS, "hash", "m"], { cwd: folder, input: { fd: openSync(join(top, "write-only"), "w") } });
    assert.equal(outcome.exit, 66);
    assert.match(outcome.stderr, /^tsmakemap: standard input: [^\n]+\n$/);
    assertNoStack(outcome);
    assert.ok(readFileSync(join(folder, "m.db")).equals(before));
  });

  test("that is closed is as empty as /dev/null, which Node opens in its place, or an error", async () => {
    const folder = newFolder();
    const outcome = await run("/bin/sh", ["-c", 'exec "$@" <&-', "sh", process.execPath, launcher, ...ARGS, "hash", "m"], { cwd: folder });
    assert.ok(outcome.exit === 0 || outcome.exit === 66, JSON.stringify(outcome));
    assertNoStack(outcome);
  });
});

suite("output that nobody reads", () => {
  const source = Array.from({ length: 50_000 }, (_, i) => `key${i} ${SECRET} ${i}\n`).join("");
  const shell = (folder: string, command: string, input = ""): { status: number | null; stdout: string; stderr: string } => {
    const args = ["-c", command, process.execPath, launcher];
    return spawnSync("/bin/sh", args, { cwd: folder, encoding: "latin1", input, maxBuffer: 1 << 26 });
  };

  test("-u to head", () => {
    const folder = newFolder();
    makeInProcess(["hash", "m"], Buffer.from(source), folder);
    const { stdout, stderr } = shell(folder, '"$0" "$1" -C /dev/null -u hash m | head -1');
    assert.match(stdout, /^key\d+\t[^\n]*\n$/);
    assert.equal(stderr, "");
  });

  test("-v to head: the run ends, and the old map is there or the new one", () => {
    const folder = newFolder();
    makeInProcess(["hash", "m"], Buffer.from("old 1\n"), folder);
    const { stdout, stderr } = shell(folder, '"$0" "$1" -C /dev/null -v hash m | head -1', source);
    assert.equal(stdout, `key=\`key0', val=\`${SECRET} 0'\n`);
    assert.equal(stderr, "");
    assert.deepEqual(readdirSync(folder), ["m.db"]);
  });

  for (const option of ["--help", "-l", "--version"]) {
    test(`${option} to a pipe that is closed`, () => {
      const { stderr } = shell(newFolder(), `"$0" "$1" ${option} | true`);
      assert.equal(stderr, "");
    });
  }

  test("a full device is an error", async (t) => {
    const folder = newFolder();
    makeInProcess(["hash", "m"], Buffer.from(source), folder);
    if (!readdirSync("/dev").includes("full")) return t.skip("needs /dev/full");
    const { status, stderr } = shell(folder, '"$0" "$1" -C /dev/null -u hash m > /dev/full');
    assert.deepEqual([status, stderr], [74, "tsmakemap: standard output: No space left on device\n"]);
    return undefined;
  });

  test("diagnostics to a pipe that is closed", () => {
    const folder = newFolder();
    const { status, stdout } = shell(
      folder,
      '{ "$0" "$1" -C /dev/null hash m; echo "exit $?"; } 2>&1 >/dev/null | head -1',
      "x\n".repeat(50_000),
    );
    assert.equal(status, 0);
    assert.equal(stdout, "tsmakemap: m: line 1: no RHS for LHS x\n");
  });
});

test("a value is in no message", async () => {
  const folder = newFolder();
  const input = `k ${SECRET}\nk ${SECRET}\n ${SECRET}\nlong${"x".repeat(1100)} ${SECRET}\nnul\0 ${SECRET}\nlast ${SECRET}`;
  for (const args of [
    ["hash", "m"],
    ["-o", "hash", "m"],
    ["-o", "btree", "m"],
    ["hash", "no/m"],
    ["foo", "m"],
    ["-N", "--page-size=1", "hash", "m"],
  ]) {
    const outcome = await tsmakemap([...ARGS, ...args], { cwd: folder, input });
    assert.ok(!outcome.stderr.includes(SECRET), args.join(" "));
    assertNoStack(outcome);
  }
});
