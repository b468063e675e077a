/**
 * What of a password is in the memory of a process when its work is done: all of
 * it is looked through, from outside, while the process waits to end. Of the
 * programs whose input is passwords it is to be nothing.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { launcherOf } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });

const SECRET = "Tr0ub4dor-26zXq-of-nobody";
const FORMS: readonly Buffer[] = [
  // A piece of it will do.
  Buffer.from(SECRET.slice(4, 20)),
  Buffer.from(SECRET.slice(4, 20), "utf16le"),
  Buffer.from(Buffer.from(SECRET).toString("base64").slice(4, 28)),
  Buffer.from(Buffer.from(SECRET).toString("hex").slice(4, 36)),
];

/** Collects what has gone, as time would; then says so, and waits. */
const hook = join(top, "hook.cjs");
fs.writeFileSync(
  hook,
  `process.on("exit", () => {
  require("node:v8").setFlagsFromString("--expose-gc");
  const collect = require("node:vm").runInNewContext("gc");
  for (let i = 0; i < 3; i++) collect();
  const fs = require("node:fs");
  fs.writeSync(3, "done");
  fs.readSync(4, Buffer.alloc(1));
});
`,
);

const STRETCH = 1 << 22;
const OVERLAP = 256;

/** Where in the memory of a process something is. */
function findIn(pid: number, wanted: readonly Buffer[]): string[] {
  const found: string[] = [];
  const memory = fs.openSync(`/proc/${pid}/mem`, "r");
  const stretch = Buffer.alloc(STRETCH);
  try {
    for (const line of fs.readFileSync(`/proc/${pid}/maps`, "latin1").split("\n")) {
      const [, start = "", end = "", what = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw.. \S+ \S+ \d+ *(.*)$/.exec(line) ?? [];
      for (let at = Number.parseInt(start, 16); at < Number.parseInt(end, 16); at += STRETCH - OVERLAP) {
        const length = readAt(memory, stretch, at, Number.parseInt(end, 16));
        const part = stretch.subarray(0, length);
        for (const each of wanted) if (part.includes(each)) found.push(`${what || "memory"}: ${JSON.stringify(each.toString("latin1"))}`);
      }
    }
  } finally {
    fs.closeSync(memory);
  }
  return found;
}

/** What is reserved and not there cannot be read. */
function readAt(memory: number, stretch: Buffer, at: number, end: number): number {
  try {
    return fs.readSync(memory, stretch, 0, Math.min(STRETCH, end - at), at);
  } catch {
    return 0;
  }
}

/** More than one piece of it. */
const SOURCE = Array.from({ length: 3000 }, (_, i) => `AuthInfo:${i} "P:${SECRET}"\n`).join("");

const CASES: Record<string, { readonly line: readonly string[]; readonly input: string; readonly file?: true }> = {
  "tsmakemap, from a pipe": { line: ["tsmakemap", "-C", "/dev/null", "hash", "m"], input: SOURCE },
  "tsmakemap, from a file": { line: ["tsmakemap", "-C", "/dev/null", "hash", "m"], input: SOURCE, file: true },
  "tssaslpasswd, from a pipe": { line: ["tssaslpasswd", "-p", "-f", "db", "-u", "realm", "user"], input: SECRET },
  "tssaslpasswd, from a file": {
    line: ["tssaslpasswd", "--password-file", "input", "-f", "db", "-u", "realm", "user"],
    input: SECRET,
    file: true,
  },
};

suite("the memory of a process that has done its work holds nothing of the password", () => {
  for (const [title, { line, input, file }] of Object.entries(CASES)) {
    test(title, async (t) => {
      if (!fs.existsSync("/proc/self/mem")) return t.skip("needs /proc");
      const folder = fs.mkdtempSync(join(top, "run-"));
      fs.writeFileSync(join(folder, "input"), input);
      const [program = "", ...args] = line;
      const given = file ? fs.openSync(join(folder, "input"), "r") : "pipe";
      const child = spawn(process.execPath, ["--require", hook, launcherOf(program), ...args], {
        cwd: folder,
        env: { PATH: process.env["PATH"], SASL_CONF_PATH: folder, NEEDLE: "a word that is there" },
        stdio: [given, "ignore", "inherit", "pipe", "pipe"],
      });
      const ended = once(child, "close");
      child.stdin?.end(input);
      const [, , , done, go] = child.stdio as unknown as [unknown, unknown, unknown, NodeJS.ReadableStream, NodeJS.WritableStream];
      try {
        await once(done, "data");
        const pid = child.pid as number;
        assert.notDeepEqual(findIn(pid, [Buffer.from("a word that is there")]), [], "it can be looked through");
        assert.deepEqual(findIn(pid, FORMS), []);
      } finally {
        go.end("!");
        done.resume();
        assert.deepEqual(await ended, [0, null]);
      }
      return undefined;
    });
  }
});
