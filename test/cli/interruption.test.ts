/**
 * A run that is killed at any of its operations on files, one by one; runs at
 * the same time; and places where no map can be made.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Database } from "berkeley-db-js";
import { pairsOf } from "../support/bytes.ts";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { nativePath, needs } from "../support/native.ts";
import { launcher, type Outcome, ordinaryUser, run, tsmakemap, whyNoOrdinaryUser } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
chmodSync(top, 0o755);

const PASSWORD = "s3cret-PaSSword";
const OLD = `old "P:${PASSWORD}1"\nsame "P:${PASSWORD}2"\n`;
const NEW = `new "P:${PASSWORD}3"\nsame "P:${PASSWORD}4"\n`;

/**
 * Sends the program a signal as it is about to do its nth operation on files,
 * counted from the first on a temporary one, and writes how many there were.
 */
const hook = join(top, "hook.cjs");
writeFileSync(
  hook,
  `const fs = require("node:fs");
let count = 0;
let counting = false;
for (const name of ["openSync", "writeSync", "ftruncateSync", "fdatasyncSync", "closeSync", "chmodSync", "chownSync", "fchmodSync", "fchownSync", "renameSync", "unlinkSync"]) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (name === "openSync" && /(^|[/])[.][0-9a-f]{8}-[0-9a-f]{8}-/.test(args[0])) counting = true;
    if (counting && count++ === Number(process.env.SIGNAL_AT)) process.kill(process.pid, process.env.SIGNAL);
    return original(...args);
  };
}
require("node:module").syncBuiltinESMExports();
process.on("exit", () => {
  counting = false;
  if (process.env.COUNT_FILE) fs.writeFileSync(process.env.COUNT_FILE, String(count));
});
`,
);

interface Place {
  readonly folder: string;
  readonly map: string;
}

/** A folder with the old map in it. */
function newPlace(): Place {
  const folder = mkdtempSync(join(top, "run-"));
  return { folder, map: makeInProcess(["hash", "m"], Buffer.from(OLD), folder).file };
}

const others = (folder: string): string[] => readdirSync(folder).filter((name) => name !== "m.db");

/** Runs it, with a signal to itself. */
function interrupt({ folder }: Place, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  return tsmakemap(["-C", "/dev/null", ...args], { cwd: folder, input: NEW, env: { NODE_OPTIONS: `--require=${hook}`, ...env } });
}

const WAYS = {
  "made anew": ["hash", "m"],
  "for AIX": ["--target", "aix", "hash", "m"],
  "added to": ["-o", "-r", "hash", "m"],
  "in place": ["--in-place", "hash", "m"],
};

suite("a signal at every operation on files", { concurrency: 2 }, () => {
  for (const [name, args] of Object.entries(WAYS)) {
    const inPlace = args.includes("--in-place");
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      test(`${signal}, a map that is ${name}`, async () => {
        const rehearsal = newPlace();
        const before = readFileSync(rehearsal.map);
        const { mode } = statSync(rehearsal.map);
        const countFile = join(top, `count ${signal} ${name}`);
        assert.equal((await interrupt(rehearsal, args, { COUNT_FILE: countFile })).exit, 0);
        const made = readFileSync(rehearsal.map);
        assert.ok(!made.equals(before));
        const operations = Number(readFileSync(countFile, "utf8"));
        assert.ok(operations >= 9, `${operations} operations`);

        const seen = { old: 0, new: 0, part: 0 };
        // A kill is heard there and then; the others when the run comes to look, so that one place is much like the next.
        const step = (signal === "SIGTERM" ? 5 : name === "for AIX" ? 2 : 1) * (isFull ? 1 : 2);
        for (let at = 0; at < operations; at += step) {
          const place = newPlace();
          const outcome = await interrupt(place, args, { SIGNAL: signal, SIGNAL_AT: String(at) });
          const left = others(place.folder);
          const what = `operation ${at}: ${JSON.stringify(outcome)}, left ${left.join(" ")}`;
          assert.deepEqual([outcome.stdout, outcome.stderr], ["", ""], what);
          const bytes = readFileSync(place.map);
          const state = bytes.equals(before) ? "old" : bytes.equals(made) ? "new" : "part";
          seen[state] += 1;
          // It has passwords in it: it is never for more eyes than the map.
          for (const file of left) assert.equal(statSync(join(place.folder, file)).mode & ~mode, 0, `${what}: others may read it`);
          if (signal === "SIGTERM") {
            // What is being done is done to its end before the signal is heard.
            assert.ok(outcome.signal === signal || outcome.exit === 0, what);
            assert.ok(state !== "part" && (outcome.exit !== 0 || state === "new"), what);
            assert.deepEqual(left, [], what);
            continue;
          }
          assert.equal(outcome.signal, signal, what);
          assert.ok(left.length <= (inPlace ? 2 : 1), what);
          // In place, a kill can leave part of a map, but then the old one is beside it.
          if (state === "part") {
            assert.ok(inPlace, what);
            const saved = left.find((file) => file.endsWith(".old"));
            assert.ok(saved !== undefined && readFileSync(join(place.folder, saved)).equals(before), what);
          }
          // The next run removes it.
          makeInProcess(["hash", "m"], Buffer.from(NEW), place.folder);
          assert.deepEqual(others(place.folder), [], what);
        }
        assert.ok(seen.old > 0);
      });
    }
  }
});

test("a pipe that does not come to an end: what is wrong is told as it comes, and the old map stays", async () => {
  const { folder, map } = newPlace();
  const before = readFileSync(map);
  const child = spawn(process.execPath, [launcher, "-C", "/dev/null", "hash", "m"], { cwd: folder, stdio: ["pipe", "ignore", "pipe"] });
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => {
    told += chunk.toString("latin1");
  });
  let lines = 0;
  for (; lines < 1000 && told === ""; lines++) {
    child.stdin.write(lines === 4 ? "bad\n" : `k${lines} v\n`);
    await delay(20);
  }
  assert.equal(told, "tsmakemap: m: line 5: no RHS for LHS bad\n");
  assert.ok(readFileSync(map).equals(before));
  child.stdin.end("last v");
  assert.deepEqual(await once(child, "close"), [65, null]);
  using database = Database.open(map, { readOnly: true });
  assert.equal(database.count(), lines);
  assert.deepEqual(others(folder), []);
});

test("runs at the same time leave the whole map of one of them, and nothing else", async () => {
  const sources = Array.from({ length: 4 }, (_, run) => Array.from({ length: 3000 }, (_, i) => `key${i} of run ${run}\n`).join(""));
  const wholes = sources.map((source) => {
    const folder = mkdtempSync(join(top, "alone-"));
    return readFileSync(makeInProcess(["hash", "m"], Buffer.from(source), folder).file);
  });
  for (let round = 0; round < 3; round++) {
    const { folder, map } = newPlace();
    const outcomes = await Promise.all(sources.map((input) => tsmakemap(["-C", "/dev/null", "hash", "m"], { cwd: folder, input })));
    for (const outcome of outcomes) assert.deepEqual(outcome, { exit: 0, signal: null, stdout: "", stderr: "" });
    const left = readFileSync(map);
    assert.ok(wholes.some((whole) => whole.equals(left)));
    assert.deepEqual(others(folder), []);
  }
});

test("runs that add at the same time: the map is whole, with what one of them added", async () => {
  const { folder, map } = newPlace();
  const outcomes = await Promise.all(
    ["a", "b", "c"].map((key) => tsmakemap(["-C", "/dev/null", "-o", "hash", "m"], { cwd: folder, input: `${key} v\n` })),
  );
  for (const { exit, stderr } of outcomes) assert.deepEqual([exit, stderr], [0, ""]);
  assert.deepEqual(Database.verify(new Uint8Array(readFileSync(map))), []);
  using database = Database.open(map, { readOnly: true });
  const keys = pairsOf(database).map(([key]) => key);
  assert.ok(keys.includes("old") && keys.includes("same") && keys.length > 2);
  assert.deepEqual(others(folder), []);
});

suite("where no map can be made: makemap's words and exit code", { concurrency: 2 }, () => {
  const scenes: Record<string, { readonly name: string; readonly prepare?: (folder: string) => void }> = {
    "a folder that is not there": { name: "no/m" },
    "a file in the place of the folder": { name: "f/m", prepare: (folder) => writeFileSync(join(folder, "f"), "") },
    "a folder in the place of the map": { name: "m", prepare: (folder) => mkdirSync(join(folder, "m.db")) },
    "a folder that may not be written to": { name: "d/m", prepare: (folder) => mkdirSync(join(folder, "d"), 0o555) },
    "a folder that may not be entered": { name: "d/m", prepare: (folder) => mkdirSync(join(folder, "d"), 0o600) },
    "a name that is too long": { name: "n".repeat(300) },
  };
  for (const [title, { name, prepare }] of Object.entries(scenes)) {
    for (const options of [[], ["-o"], ["-u"], ["--in-place"]]) {
      test(`${title} ${options.join(" ")}`, async (t) => {
        const reason = await whyNoOrdinaryUser();
        if (reason !== undefined) return t.skip(reason);
        const scene = (): string => {
          const folder = mkdtempSync(join(top, "nowhere-"));
          prepare?.(folder);
          // As root would leave it for others: not theirs, and open to look at.
          chmodSync(folder, 0o755);
          return folder;
        };
        const { uid } = ordinaryUser;
        const folder = scene();
        const listed = readdirSync(folder);
        const ours = await tsmakemap(["-C", "/dev/null", ...options, "hash", name], { cwd: folder, input: NEW, uid });
        assert.equal(ours.exit, 73);
        assert.match(ours.stderr, /^tsmakemap: error opening type hash map \S+: [A-Z][a-z ]+\n$/);
        assert.deepEqual(readdirSync(folder), listed);
        if (options.includes("--in-place") || !needs(t, "makemap")) return undefined;
        const native = await run(nativePath("makemap"), ["-C", "/dev/null", ...options, "hash", name], {
          cwd: scene(),
          argv0: "tsmakemap",
          input: NEW,
          uid,
        });
        assert.deepEqual([ours.exit, ours.stderr], [native.exit, native.stderr]);
        return undefined;
      });
    }
  }
});
