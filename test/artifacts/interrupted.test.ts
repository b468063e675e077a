/**
 * A build that is ended at some operation on files, or meets a disc without
 * room: whoever goes through the link finds the whole old set or the whole new
 * one, and the next build leaves nothing of the one that was ended.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { buildSet, ManifestFile, Project, type SetPlan } from "tsmakemap/artifacts";
import { packageVersion } from "#src/cli/version.js";
import { isFull } from "../support/full.ts";
import { needs } from "../support/native.ts";
import { PAIR_MANIFEST } from "../support/pair-manifest.ts";
import { isRoot, launcherOf, type Outcome, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { type Tree, treeOf } from "../support/tree.ts";

const top = temporaryFolder({ after });

const PASSWORDS = { old: "the old password of alice", new: "the new password of alice" } as const;
type Which = keyof typeof PASSWORDS;

/** A fleet with one password, of which nothing is built. */
function newFleet(which: Which, folder = mkdtempSync(join(top, "run-"))): string {
  writeFileSync(join(folder, "tsmap.yaml"), PAIR_MANIFEST);
  writeFileSync(join(folder, "fleet.key"), "the key of a test");
  writeFileSync(join(folder, "alice"), PASSWORDS[which]);
  return folder;
}

/** Builds in this process. */
async function build(folder: string, which: Which): Promise<SetPlan> {
  writeFileSync(join(folder, "alice"), PASSWORDS[which]);
  const settings = { output: "artifacts", overrides: {}, allowInline: false, commandTimeout: 60 };
  const options = { settings, environment: {}, toolVersion: packageVersion() };
  using project = new Project(new ManifestFile(join(folder, "tsmap.yaml"), PAIR_MANIFEST), PAIR_MANIFEST, options);
  return await buildSet(project);
}

/** The whole of each set, with modes. */
const SETS: Readonly<Record<Which, Tree>> = await (async () => {
  const sets: Partial<Record<Which, Tree>> = {};
  for (const which of ["old", "new"] as const) {
    const folder = newFleet(which);
    await build(folder, which);
    sets[which] = treeOf(realpathSync(join(folder, "artifacts")));
    assert.equal(Object.keys(sets[which]).length, 7);
  }
  assert.notDeepEqual(sets.old, sets.new);
  return sets as Record<Which, Tree>;
})();

/** What is found through the link; undefined where there is none. */
function found(folder: string): Which | undefined {
  const link = join(folder, "artifacts");
  if (!existsSync(link)) return undefined;
  const tree = treeOf(realpathSync(link));
  for (const which of ["old", "new"] as const) {
    try {
      assert.deepEqual(tree, SETS[which]);
      return which;
    } catch {
      // The other, then.
    }
  }
  throw new assert.AssertionError({ message: "neither set", actual: tree, expected: SETS.new });
}

/** That one set is all that there is, and no lock. */
function assertTidy(folder: string, which: Which, what: string): void {
  assert.equal(found(folder), which, what);
  assert.equal(readdirSync(join(folder, ".artifacts.sets")).length, 1, what);
  assert.deepEqual(readdirSync(folder).sort(), [".artifacts.sets", "alice", "artifacts", "fleet.key", "tsmap.yaml"], what);
}

/**
 * Ends the program by a signal as it is about to do its nth operation on files,
 * counted from the first that has to do with sets.
 */
const hook = join(top, "hook.cjs");
writeFileSync(
  hook,
  `const fs = require("node:fs");
const { SIGNAL, AT, COUNT_FILE } = process.env;
const done = [];
let counting = false;
const names = ["mkdirSync", "openSync", "writeSync", "fdatasyncSync", "fsyncSync", "closeSync", "chmodSync", "renameSync", "symlinkSync",
  "rmSync", "rmdirSync", "unlinkSync", "lstatSync", "readdirSync", "readlinkSync", "readFileSync"];
for (const name of names) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (String(args[0]).includes(".sets")) counting = true;
    if (counting && done.push(name) === Number(AT) + 1) {
      counting = false;
      // Half of a file.
      if (name === "writeSync" && args[3] > 1000) original(args[0], args[1], args[2], 1000, args[4]);
      process.kill(process.pid, SIGNAL);
    }
    return original(...args);
  };
}
require("node:module").syncBuiltinESMExports();
process.on("exit", () => {
  counting = false;
  if (COUNT_FILE) fs.writeFileSync(COUNT_FILE, JSON.stringify(done));
});
`,
);

interface Ending {
  readonly SIGNAL?: NodeJS.Signals;
  readonly AT?: string;
  readonly COUNT_FILE?: string;
}

function tsmapBuild(folder: string, ending: Ending): Promise<Outcome> {
  return run(process.execPath, [launcherOf("tsmap"), "build", "--no-progress"], {
    cwd: folder,
    env: { NODE_OPTIONS: `--require=${hook}`, ...ending },
  });
}

async function placeWith(before: Which | undefined): Promise<string> {
  const folder = newFleet(before ?? "new");
  if (before !== undefined) await build(folder, before);
  writeFileSync(join(folder, "alice"), PASSWORDS.new);
  return folder;
}

/** The names of the operations, one after the other. */
async function listOperations(before: Which | undefined, ending: Ending = {}): Promise<readonly string[]> {
  const folder = await placeWith(before);
  const COUNT_FILE = `${folder}.count`;
  assert.equal((await tsmapBuild(folder, { ...ending, COUNT_FILE })).exit, 0);
  assertTidy(folder, "new", "counting");
  return JSON.parse(readFileSync(COUNT_FILE, "utf8")) as string[];
}

/** Of all operations those that switch the link, with the ones behind them, and some before; more of them in the full run. */
function places(operations: readonly string[], step: number): number[] {
  const isSwitch = (name: string | undefined): boolean => name === "renameSync" || name === "symlinkSync";
  const isChosen = (at: number): boolean =>
    isFull
      ? at % 5 === 0 || at >= operations.length - 20
      : (operations.length - at) % step === 1 || isSwitch(operations[at]) || isSwitch(operations[at - 1]);
  return operations.flatMap((_, at) => (isChosen(at) ? [at] : []));
}

suite("a build that is ended", { concurrency: 2 }, () => {
  for (const before of ["old", undefined] as const) {
    test(`kill -9 at operations on files, ${before === undefined ? "nothing built before" : "over an old set"}`, {
      timeout: 280_000,
    }, async (t) => {
      const operations = await listOperations(before);
      assert.ok(operations.length > 60, `${operations.length} operations`);
      const seen = { before: 0, new: 0 };
      for (const at of places(operations, before === undefined ? 60 : 25)) {
        const folder = await placeWith(before);
        const outcome = await tsmapBuild(folder, { SIGNAL: "SIGKILL", AT: String(at) });
        const what = `operation ${at} of ${operations.length}`;
        assert.equal(outcome.signal, "SIGKILL", `${what}: ${outcome.exit}: ${outcome.stderr}`);
        const there = found(folder);
        assert.ok(there === before || there === "new", what);
        seen[there === "new" ? "new" : "before"] += 1;
        // The next build, of the same or of what was there before; also where it has nothing to do.
        const next = at % 2 === 0 ? "new" : "old";
        await build(folder, next);
        assertTidy(folder, next, `${what}, then`);
        rmSync(folder, { recursive: true });
      }
      t.diagnostic(`${operations.length} operations; ${seen.before} times what was there before, ${seen.new} times the new set`);
      assert.ok(seen.before > 0 && (seen.new > 0 || before === undefined), JSON.stringify(seen));
    });
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal}: nothing is left, and one of the sets is there`, { timeout: 120_000 }, async () => {
      const operations = await listOperations("old");
      for (const at of places(operations, 61).filter((_, i) => i % (isFull ? 6 : 2) === 0)) {
        const folder = await placeWith("old");
        const { exit, signal: by, stderr } = await tsmapBuild(folder, { SIGNAL: signal, AT: String(at) });
        const what = `operation ${at} of ${operations.length}: ${exit ?? by}: ${stderr}`;
        // What is being done is done to its end before the signal is heard.
        assert.ok(by === signal || exit === 0, what);
        assert.equal(stderr, "", what);
        assertTidy(folder, found(folder) as Which, what);
      }
    });
  }
});

test("a disc without room: the old set is there, and nothing else", { timeout: 60_000 }, async (t) => {
  const disc = mkdtempSync(join(top, "disc-"));
  const isMounted = isRoot && spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=755", "none", disc]).status === 0;
  if (!isMounted) return t.skip("needs root, who may mount a small tmpfs");
  t.after(() => spawnSync("umount", [disc]));
  newFleet("old", disc);
  await build(disc, "old");
  for (const free of isFull ? [0, 1, 3, 4, 7, 8, 9] : [0, 5]) {
    const full = join(disc, "full");
    writeFileSync(join(disc, "alice"), PASSWORDS.new);
    try {
      for (;;) writeFileSync(full, Buffer.alloc(4096), { flag: "a" });
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
    truncateSync(full, statSync(full).size - free * 4096);
    const { exit, stdout, stderr } = await run(process.execPath, [launcherOf("tsmap"), "build"], { cwd: disc });
    assert.deepEqual([exit, stdout], [2, ""], `${free} pages free`);
    assert.match(stderr, /^tsmap: artifacts[/\w.-]*: No space left on device\n$/);
    rmSync(full);
    assertTidy(disc, "old", `${free} pages free`);
  }
  await build(disc, "new");
  assertTidy(disc, "new", "with room");
  return undefined;
});

/**
 * A round goes into the folder once, as docs/manifest.md says, and is then in
 * one set. Two of its files by the link's path could be of two sets. A set
 * that has been replaced is removed, so that a round may find its folder gone:
 * that is an error, and no mix.
 */
const READER = `
while [ -e tsmap.yaml ] && [ ! -e stop ]; do
  (
    cd -P artifacts 2>/dev/null || { echo nothing; exit; }
    sums=$(cat SHA256SUMS 2>/dev/null) || { echo gone; exit; }
    if said=$(echo "$sums" | sha256sum --check --quiet 2>&1); then echo whole "$(echo "$sums" | sha256sum | cut -c 1-16)"
    else case $said in *": FAILED"[!\\ ]* | *": FAILED") echo mixed "$said" ;; *) echo gone ;; esac; fi
  )
done
`;

test("who reads meanwhile finds whole sets, and never nothing", { timeout: 120_000 }, async (t) => {
  if (!needs(t, "sha256sum")) return;
  const folder = newFleet("old");
  await build(folder, "old");
  const reader = spawn("sh", ["-c", READER], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => reader.kill("SIGKILL"));
  const ended = new Promise((resolve) => reader.on("close", resolve));
  let said = "";
  reader.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const digests = new Set<string>();
  let single = 0;
  let missed = 0;
  for (let i = 1; i <= 50; i++) {
    digests.add((await build(folder, i % 2 === 0 ? "old" : "new")).digest.slice(0, 16));
    await delay(isFull ? 15 : 5);
    // One file by its path: whole too.
    const bytes = spawnSync("cat", ["artifacts/relay1.example.com/sasldb2"], { cwd: folder }).stdout;
    if (bytes.length === 0) missed += 1;
    else single += ["old", "new"].filter((which) => bytes.includes(PASSWORDS[which as Which])).length;
  }
  writeFileSync(join(folder, "stop"), "");
  await ended;
  rmSync(join(folder, "stop"));
  const rounds = said.trimEnd().split("\n");
  const count = (word: string): number => rounds.filter((round) => round.startsWith(word)).length;
  t.diagnostic(`${rounds.length} rounds: ${count("whole")} whole, ${count("gone")} whose set was removed meanwhile`);
  assert.deepEqual([count("nothing"), count("mixed"), missed, single], [0, 0, 0, 50], said);
  assert.equal(count("whole") + count("gone"), rounds.length);
  assert.ok(count("whole") >= 5);
  assert.equal(digests.size, 2);
  for (const round of rounds) if (round.startsWith("whole")) assert.ok(digests.has(round.slice(6)), round);
  assertTidy(folder, "old", "in the end");
});

test("builds at the same time: one set is there in the end, and it is whole", { timeout: 60_000 }, async () => {
  const [folder, other] = [newFleet("old"), newFleet("new")];
  const builds = Array.from({ length: 6 }, (_, i) =>
    run(
      process.execPath,
      [launcherOf("tsmap"), "build", i % 2 === 0 ? "tsmap.yaml" : join(other, "tsmap.yaml"), "--output", join(folder, "artifacts")],
      {
        cwd: folder,
      },
    ),
  );
  for (const { exit, stderr } of await Promise.all(builds)) assert.deepEqual([exit, stderr], [0, ""]);
  assertTidy(folder, found(folder) as Which, "in the end");
});
