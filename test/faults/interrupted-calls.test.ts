/**
 * Signals that come in between of calls of the system itself: what Node makes
 * of EINTR, and what is left to us, is for a kernel to show that answers so.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { launcherOf, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { treeOf } from "../support/tree.ts";
import { WRITING_COMMANDS, type WritingCommand } from "../support/writing-commands.ts";
import { environmentOf, inChild, type Rehearsal, RunFolders, stateOf } from "../support/writing-run.ts";

const top = temporaryFolder({ after });

/** Not there, or not allowed to trace, as in some containers. */
const noStrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0 ? undefined : "needs strace, and leave to trace";

/** The calls that a file is written with, which Node makes for nothing else; every other one of the writes. */
const CALLS = { pwrite64: "1+2", ftruncate: "1", fdatasync: "1", fsync: "1", rename: "1" };

const NAMES = ["tsmakemap: a map that is added to", "tssaslpasswd: a password changed", "tsmap convert: a database that is replaced"];

test("calls that a signal comes in between of are made once more", async (t) => {
  if (noStrace !== undefined) return t.skip(noStrace);
  const rehearsals = await inChild<Record<string, Rehearsal>>({ kind: "rehearse", top, commands: NAMES }, t);
  for (const name of NAMES) {
    const command = WRITING_COMMANDS[name] as WritingCommand;
    const folder = new RunFolders(top, name, command).next("traced-");
    const trace = join(top, "trace");
    const injections = Object.entries(CALLS).flatMap(([call, when]) => ["-e", `inject=${call}:error=EINTR:when=${when}`]);
    const options = ["-f", "-qq", "-o", trace, "-e", `trace=${Object.keys(CALLS).join(",")}`, ...injections];
    const input = command.input === undefined ? undefined : openSync(join(folder, command.input), "r");
    const { exit, stderr } = await run("strace", [...options, process.execPath, launcherOf(command.program), ...command.args], {
      cwd: folder,
      env: environmentOf(folder),
      ...(input !== undefined && { input: { fd: input } }),
    });
    if (input !== undefined) closeSync(input);
    assert.deepEqual([exit, stderr], [0, ""], name);
    assert.equal(stateOf(command, rehearsals[name] as Rehearsal, treeOf(folder)), "new", name);
    const injected = readFileSync(trace, "latin1")
      .split("\n")
      .filter((line) => line.includes("(INJECTED)"));
    for (const call of ["pwrite64", "fdatasync", "fsync", "rename"])
      assert.ok(
        injected.some((line) => line.includes(`${call}(`)),
        `${name}: ${call}`,
      );
  }
  return undefined;
});
