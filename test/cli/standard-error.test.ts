/**
 * Messages that nobody reads, or that cannot be written: the run ends in an
 * orderly way, in bounded memory.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Database } from "berkeley-db-js";
import { corruptFixtures } from "../support/fixtures.ts";
import { makeInProcess } from "../support/in-process.ts";
import { launcher, type Outcome, run, tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
const COMMAND = [process.execPath, launcher, "-C", "/dev/null"];
/** More messages than a pipe holds. */
const BAD = `good v\n${"bad\n".repeat(60_000)}`;

function newFolder(): { folder: string; map: string; before: Buffer } {
  const folder = mkdtempSync(join(top, "run-"));
  const { file: map } = makeInProcess(["hash", "m"], Buffer.from("old 1\n"), folder);
  return { folder, map, before: readFileSync(map) };
}

const shell = (folder: string, script: string, ...args: readonly string[]): Promise<Outcome> =>
  run("/bin/sh", ["-c", script, "sh", ...COMMAND, ...args], { cwd: folder, input: BAD });

test("a reader that goes away ends the run, and the old map stays", async () => {
  const { folder, map, before } = newFolder();
  const { stdout, stderr } = await shell(folder, '{ "$@" 2>&1; echo "exit $?" >&2; } | head -n 1', "hash", "m");
  assert.deepEqual([stdout, stderr], ["tsmakemap: m: line 2: no RHS for LHS bad\n", "exit 141\n"]);
  assert.deepEqual(readdirSync(folder), ["m.db"]);
  assert.ok(readFileSync(map).equals(before));
});

for (const redirection of ["2>/dev/full", "2>&-"]) {
  test(`${redirection}: the map is made, and the exit code says the rest`, async (t) => {
    if (redirection.includes("full") && !existsSync("/dev/full")) return t.skip("needs /dev/full");
    const { folder, map } = newFolder();
    const { exit, stdout } = await shell(folder, `exec "$@" ${redirection}`, "hash", "m");
    assert.deepEqual([exit, stdout], [65, ""]);
    assert.deepEqual(readdirSync(folder), ["m.db"]);
    using database = Database.open(map, { readOnly: true });
    assert.ok(database.has(Buffer.from("good")));
    assert.equal((await shell(folder, `exec "$@" ${redirection}`, "-q")).exit, 64);
    assert.equal((await shell(folder, `exec "$@" ${redirection}`, "foo", "m")).exit, 73);
    return undefined;
  });
}

test("a reader that is slow holds the run back", async () => {
  const { folder } = newFolder();
  const [command = "", ...args] = COMMAND;
  const child = spawn(command, [...args, "hash", "m"], { cwd: folder, stdio: ["pipe", "ignore", "pipe"] });
  let taken = 0;
  const chunk = Buffer.from("x\n".repeat(1 << 15));
  const feeding = (async () => {
    for (let i = 0; i < 32; i++) {
      await new Promise((resolve) => child.stdin.write(chunk, resolve));
      taken += chunk.length;
    }
    child.stdin.end();
  })();
  // Until nothing more is taken: the messages of 2 MB of lines are 40 MB.
  for (let before = -1; before !== taken || taken === 0; await delay(300)) before = taken;
  const takenUnread = taken;
  let newlines = 0;
  child.stderr.on("data", (messages: Buffer) => {
    for (let at = messages.indexOf(10); at >= 0; at = messages.indexOf(10, at + 1)) newlines += 1;
  });
  const [exit] = await once(child, "close");
  await feeding;
  assert.ok(takenUnread < 1 << 20, `${takenUnread} bytes`);
  assert.deepEqual([exit, newlines], [65, 32 << 15]);
});

suite("a damaged map is no reason for a stack trace", { concurrency: 2 }, () => {
  for (const { name, path } of corruptFixtures()) {
    test(name, async () => {
      const folder = mkdtempSync(join(top, "damaged-"));
      copyFileSync(path, join(folder, "m.db"));
      chmodSync(join(folder, "m.db"), 0o640);
      const before = readFileSync(join(folder, "m.db"));
      for (const args of [
        ["-u", "hash"],
        ["-u", "-d", "implicit"],
        ["-o", "hash"],
      ]) {
        const { exit, signal, stderr } = await tsmakemap(["-C", "/dev/null", ...args, "m"], {
          cwd: folder,
          input: "a b\n",
          timeout: 20_000,
        });
        const what = `${args.join(" ")}: ${exit ?? signal} ${stderr}`;
        assert.match(stderr, /^(tsmakemap: [^\n]+\n)?$/, what);
        assert.doesNotMatch(stderr, / {4}at |node:|ENGINE_TRAP/, what);
        assert.ok([0, 73, 74].includes(exit ?? -1) && (exit === 0) === (stderr === ""), what);
        // What could not be added to stays what it was.
        if (exit !== 0) assert.ok(readFileSync(join(folder, "m.db")).equals(before), what);
        else copyFileSync(path, join(folder, "m.db"));
        assert.deepEqual(readdirSync(folder), ["m.db"], what);
      }
    });
  }
});
