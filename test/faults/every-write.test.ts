/**
 * Every command that writes a file, and every call on files that it makes,
 * each of which fails in every way that it can: what is there afterwards is
 * the old content or the new one, bit for bit; nothing else is left; and it is
 * told with the name of the file and the reason. What is no failure to a POSIX
 * program is none here: a signal in between, a write or a read of a part.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { after, before, suite, test } from "node:test";
import { strerror } from "#src/files/strerror.js";
import { isFull, stressSeconds } from "../support/full.ts";
import { temporaryFolder } from "../support/temp.ts";
import { SECRETS, WRITING_COMMANDS, type WritingCommand } from "../support/writing-commands.ts";
import {
  differences,
  faultOfNext,
  inChild,
  isKept,
  isSameTree,
  type Left,
  type Report,
  stateOf,
  type Tried,
} from "../support/writing-run.ts";

const top = temporaryFolder({ after });

/** One of so many faults of each command, whatever their kinds. */
const STEP = stressSeconds !== undefined ? 1 : isFull ? 2 : 13;
/** Which is the first of them: another each time, so that all have their turn. What fails says it, and fails once more with it. */
const seed = Number(process.env["TSMAKEMAP_TEST_SEED"] ?? Math.floor(Math.random() * 0xffff_ffff));

const NAMES = Object.keys(WRITING_COMMANDS);
const reports: Record<string, Report> = {};
/** What the next run answered and left, by folder. */
const next: Record<string, Left> = {};

/** In two processes at a time. */
before(async () => {
  const halves = [0, 1].map((half) => NAMES.filter((_, i) => i % 2 === half));
  const tries = halves.map((commands) => inChild<typeof reports>({ kind: "try", top, commands, step: STEP, seed }, { after }));
  Object.assign(reports, ...(await Promise.all(tries)));
  const left = halves.map((commands) => Object.fromEntries(commands.map((name) => [name, foldersToRun(name)])));
  const again = left.map((folders) => inChild<typeof next>({ kind: "again", folders }, { after }));
  Object.assign(next, ...(await Promise.all(again)));
});

/** Where all is as after a run without faults, the next is like any other. */
function foldersToRun(name: string): string[] {
  const { clean, tried } = reports[name] as Report;
  return tried.filter(({ tree }) => !isSameTree(tree, clean.tree)).map(({ folder }) => folder);
}

/** What is wrong with a run, if anything. */
function faultOf(command: WritingCommand, report: Report, tried: Tried): string | undefined {
  const { fault, exit, stdout, stderr, tree, injected } = tried;
  const { before, clean } = report;
  const state = stateOf(command, report, tree);
  const left = differences(command, state === "old" ? before : clean.tree, tree);
  if (injected === 0) return "nothing was injected";
  for (const secret of Object.values(SECRETS)) {
    if ((command.shows ? stderr : `${stdout}${stderr}`).includes(secret)) return "a secret is shown";
  }
  if (fault.class === "absorbed") {
    const isQuiet = exit === clean.exit && withoutFolder(stderr) === withoutFolder(clean.stderr) && stdout === clean.stdout;
    return isQuiet && state === "new" && left.length === 0 ? undefined : `not absorbed: ${state}, left ${left.join(" ")}`;
  }
  if (exit === 0) {
    if (state !== "new") return `no failure, and ${state}`;
    if (fault.class === "fails" && left.length > 0 && !isRemoval(tried)) return `left ${left.join(" ")}`;
    return fault.class === "fails" && mustFail(tried) ? "taken for done" : undefined;
  }
  const untold = untoldOf(command, tried);
  if (untold !== undefined) return untold;
  if (state === "neither" && !(command.inPlace === true && isKept(command, report, tree))) return "neither the old content nor the new one";
  if (fault.class === "fails") {
    const isSwitched = fault.at > switchOf(command, report);
    if (state !== (isSwitched ? "new" : "old")) return `it failed, and the ${state} content is there`;
    if (left.length > 0 && !isSwitched && !isRemoval(tried)) return `left ${left.join(" ")}`;
  }
  return undefined;
}

/** Each run is in a folder of its own, which some say. */
function withoutFolder(words: string): string {
  return words.replaceAll(/\/\S*\/\d+(?=\/)/g, "");
}

/** What could not be removed stays: the next run removes it. A lock is opened before that, to see whose it is. */
function isRemoval({ fault: { call } }: Tried): boolean {
  if (call.path.endsWith(".lock") && ["open", "fstat", "close"].includes(call.name)) return true;
  return ["unlink", "rmdir", "scandir", "read", "lstat"].includes(call.name);
}

/** Without this there would be no knowing that the content is on the disc, or that it is that of the file. */
function mustFail({ fault }: Tried): boolean {
  return ["fdatasync", "fsync", "rename", "symlink", "mkdir"].includes(fault.call.name);
}

/** The number of the call that puts the new content in the place of the old; after it there is no way back. */
function switchOf({ target }: WritingCommand, { calls }: Report): number {
  const at = calls.findLastIndex(({ name, path }) => name === "rename" && path === target);
  return at < 0 ? calls.length : at;
}

const EXITS = { tsmakemap: [66, 73, 74], tssaslpasswd: [1], tsmap: [2] } as const;

/** What its user is not told, if anything. */
function untoldOf(command: WritingCommand, { fault, exit, stderr }: Tried): string | undefined {
  if (!(EXITS[command.program] as readonly number[]).includes(exit)) return `exit code ${exit}`;
  if (/internal error|\n {4}at /.test(stderr)) return "not in words";
  const code = fault.code ?? "ENOSPC";
  const reason = strerror(Object.assign(new Error("no text"), { code }));
  if (reason === "no text" || !stderr.toLowerCase().includes(reason.toLowerCase())) return "without the reason";
  const { target, targetName = target, sources = {} } = command;
  const name = sources[fault.call.path] ?? (fault.call.path === "(standard input)" ? "standard input" : targetName);
  // What fails first is told, or what then fails in undoing it.
  const names = fault.class === "fails-on" ? [name, targetName, ...Object.values(sources)] : [name];
  return names.some((one) => stderr.includes(one)) ? undefined : `without the name ${name}`;
}

/**
 * What is not on the disc when it ought to be, if anything: the content of a
 * file before it takes the place of another, or before the run ends; the name
 * of the target at the end.
 */
function unsyncedOf({ target }: WritingCommand, { calls }: Report): string | undefined {
  const dirty = new Set<string>();
  const names = new Set<string>();
  for (const { name, path } of calls) {
    if (path.includes(".lock")) continue;
    if (name === "write" || name === "ftruncate") dirty.add(path);
    if (name === "fdatasync" || name === "fsync") {
      dirty.delete(path);
      names.delete(path);
    }
    if (name === "rename") {
      if (dirty.size > 0) return `${[...dirty].join(" ")} before it takes the place of ${path}`;
      names.add(dirname(path) === "." ? "" : dirname(path));
    }
    // It has gone.
    if (name === "unlink") dirty.delete(path);
  }
  const left = [...dirty, ...names];
  return left.length === 0 ? undefined : `"${left.join('" "')}" at the end of ${target}`;
}

suite("every call on files fails, in every way", () => {
  for (const name of NAMES) {
    const command = WRITING_COMMANDS[name] as WritingCommand;
    test(name, (t) => {
      const report = reports[name] as Report;
      const { clean, calls, tried } = report;
      assert.equal(clean.exit, 0, clean.stderr);
      assert.notDeepEqual(clean.tree, report.before);
      assert.equal(unsyncedOf(command, report), undefined, "not on the disc");
      assert.ok(tried.length >= (isFull ? 20 : 3), `${tried.length} faults`);
      const wrong: string[] = [];
      for (const one of tried) {
        const then = next[one.folder];
        const what = faultOf(command, report, one) ?? (then && faultOfNext(command, report, one.tree, then));
        if (what !== undefined) wrong.push(`${one.fault.name}: ${what}; exit ${one.exit}: ${one.stderr.trimEnd()}`);
      }
      assert.ok(wrong.length === 0, `TSMAKEMAP_TEST_SEED=${seed}: ${wrong.length} of ${tried.length} faults:\n${wrong.join("\n")}`);
      const failed = tried.filter(({ exit }) => exit !== 0).length;
      t.diagnostic(`seed ${seed}: ${calls.length} calls, ${tried.length} faults: ${failed} times it failed, and was told`);
    });
  }
});
