/**
 * Real processes killed at moments of the whole of their run, at random: the
 * old content is there or the new one, bit for bit, and Berkeley DB's own
 * programs read it; what is left beside has a name that is known, and is
 * nobody else's to read; and the next run, which no lock keeps away, removes
 * it.
 */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Database } from "berkeley-db-js";
import { isFull } from "../support/full.ts";
import { needs } from "../support/native.ts";
import { assertVerified, dump } from "../support/native-db.ts";
import { launcherOf, type Outcome, run } from "../support/program.ts";
import { generator } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import { type Tree, treeOf } from "../support/tree.ts";
import { WRITING_COMMANDS, type WritingCommand } from "../support/writing-commands.ts";
import {
  differences,
  environmentOf,
  faultOfNext,
  inChild,
  type Left,
  type Rehearsal,
  RunFolders,
  type State,
  stateOf,
} from "../support/writing-run.ts";

const top = temporaryFolder({ after });

/** How many processes are killed, of all commands together. */
const KILLS = isFull ? 200 : 12;
/** In place a kill leaves part of a file, as is said of it; cli/interruption.test.ts is about that. */
const NAMES = Object.keys(WRITING_COMMANDS).filter((name) => WRITING_COMMANDS[name]?.inPlace !== true);

/**
 * What may be left: new content, a lock and the turn to take one over, a set
 * that is being made or was replaced, and what is kept of the old file.
 */
const KNOWN = [
  /^\.[0-9a-f]{8}-[0-9a-f]{8}-\d+-[0-9a-f]{8}$/,
  /\.lock(-stale)?$/,
  /^\.artifacts\.sets(\/|$)/,
  /\.cf\.orig$/,
  /^(other-name|elsewhere)$/,
];

/** Of these anybody may know. */
const PUBLIC = [/\.lock(-stale)?$/, /\.cf\.orig$/, /^\.artifacts\.sets\/.*\/(index\.json|provenance\.json|SHA256SUMS)$/];

interface Killed {
  readonly name: string;
  readonly folder: string;
  readonly moment: number;
  readonly outcome: Outcome;
  readonly tree: Tree;
}

/** What fails says it, and fails once more with it. */
const seed = Number(process.env["TSMAKEMAP_TEST_SEED"] ?? Math.floor(Math.random() * 0xffff_ffff));
const below = generator(seed);
const PARTS = 1_000_000;
const rehearsals: Record<string, Rehearsal> = {};
const killed: Killed[] = [];

function commandOf(name: string): WritingCommand {
  return WRITING_COMMANDS[name] as WritingCommand;
}

/** Runs it as a process of its own, which is killed after so many milliseconds. */
async function runFor(folder: string, { program, args, input }: WritingCommand, moment: number): Promise<Outcome> {
  const file = input === undefined ? undefined : openSync(join(folder, input), "r");
  try {
    return await run(process.execPath, [launcherOf(program), ...args], {
      cwd: folder,
      env: environmentOf(folder),
      ...(file !== undefined && { input: { fd: file } }),
      onSpawn: (child) => {
        const timer = setTimeout(() => child.kill("SIGKILL"), moment);
        child.on("exit", () => clearTimeout(timer));
      },
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Kills processes of these commands, one after the other, at these parts of the time that such a run takes here. */
async function killSome(names: readonly string[], parts: readonly number[]): Promise<void> {
  const times = new Map<string, number>();
  for (const [i, part] of parts.entries()) {
    const name = names[i % names.length] as string;
    const command = commandOf(name);
    const folders = new RunFolders(top, name, command);
    const measured = async (label: string, moment: number): Promise<{ folder: string; outcome: Outcome }> => {
      const folder = folders.next(`${label}-${i}-`);
      const start = performance.now();
      const outcome = await runFor(folder, command, moment);
      if (outcome.exit === 0) times.set(name, performance.now() - start);
      return { folder, outcome };
    };
    if (!times.has(name)) await measured("whole", 60_000);
    const moment = Math.round(part * (times.get(name) ?? 0));
    const { folder, outcome } = await measured("killed", moment);
    killed.push({ name, folder, moment, outcome, tree: treeOf(folder) });
  }
}

before(async () => {
  Object.assign(rehearsals, await inChild<typeof rehearsals>({ kind: "rehearse", top, commands: NAMES }, { after }));
  // Half of them in the second half, in which Node is up and files are written.
  const parts = Array.from({ length: KILLS }, (_, i) => {
    const part = below(PARTS) / PARTS;
    return i % 4 < 2 ? part : 0.5 + part / 2;
  });
  const start = below(NAMES.length);
  const names = NAMES.map((_, i) => NAMES[(start + i) % NAMES.length] as string);
  const half = <T>(list: readonly T[], which: number): T[] => list.filter((_, i) => i % 2 === which);
  await Promise.all([0, 1].map((which) => killSome(half(names, which), half(parts, which))));
});

const stateAfter = ({ name, tree }: Killed): State => stateOf(commandOf(name), rehearsals[name] as Rehearsal, tree);

/** The permission bits of a file, of a link those that the secrets of its set have at most; none of a folder. */
function modeOf(tree: Tree, path: string): number {
  const [mode = "", kind] = (tree[path] ?? "").split(" ");
  return kind === "file" ? Number.parseInt(mode, 8) : kind === "to" ? 0o640 : 0;
}

/** What is wrong after a kill, if anything. */
function faultOf(one: Killed, next: Left): string | undefined {
  const { name, outcome, tree } = one;
  const command = commandOf(name);
  const rehearsal = rehearsals[name] as Rehearsal;
  if (outcome.exit !== 0 && outcome.signal !== "SIGKILL") return `exit ${outcome.exit}: ${outcome.stderr}`;
  const state = stateAfter(one);
  if (state === "neither") return "neither the old content nor the new one";
  if (outcome.exit === 0 && state !== "new") return "it was done, and the old content is there";
  const left = differences(command, state === "old" ? rehearsal.before : rehearsal.clean.tree, tree);
  for (const path of left) {
    if (!KNOWN.some((pattern) => pattern.test(path))) return `left ${path}`;
    if (PUBLIC.some((pattern) => pattern.test(path))) continue;
    if ((modeOf(tree, path) & ~modeOf(rehearsal.clean.tree, command.target) & 0o777) !== 0)
      return `more may read ${path} than ${command.target}`;
  }
  return faultOfNext(command, rehearsal, tree, next);
}

suite("processes that are killed at random", { timeout: 280_000 }, () => {
  test("leave what Berkeley DB's own programs read", (t) => {
    assert.equal(killed.length, KILLS);
    if (!needs(t, "db5.3_verify", "db5.3_dump")) return;
    // Of each command one of each: the others are the same, bit for bit.
    const seen = new Map(killed.map((one) => [`${one.name} ${stateAfter(one)}`, one]));
    const paths = [...seen.values()].flatMap(({ name, folder, tree }) => {
      const { isDatabase, target } = commandOf(name);
      return isDatabase === true && tree[target] !== undefined ? [join(folder, target)] : [];
    });
    assert.ok(paths.length > 0);
    assertVerified(paths);
    for (const path of paths) assert.equal(dump(path).length, countRecords(path), path);
  });

  test("leave the old content or the new one, and nothing that the next run does not remove", async (t) => {
    const folders = Object.fromEntries(NAMES.map((name) => [name, killed.filter((one) => one.name === name).map(({ folder }) => folder)]));
    const next = await inChild<Record<string, Left>>({ kind: "again", folders }, { after });
    const wrong = killed.flatMap((one) => {
      const what = faultOf(one, next[one.folder] as Left);
      return what === undefined ? [] : [`${one.name}, after ${one.moment} ms: ${what}`];
    });
    assert.ok(wrong.length === 0, `TSMAKEMAP_TEST_SEED=${seed}: ${wrong.length} of ${KILLS}:\n${wrong.join("\n")}`);
    const count = (is: (one: Killed) => boolean): number => killed.filter(is).length;
    const within = count((one) => stateAfter(one) === "old" && Object.keys(one.tree).some((path) => KNOWN[0]?.test(path)));
    t.diagnostic(
      `seed ${seed}: ${KILLS} processes: ${count((one) => stateAfter(one) === "old")} times the old content, ` +
        `${count((one) => stateAfter(one) === "new")} times the new one; ${within} were within the writing`,
    );
    // How many are late is for whatever else the machine does.
    assert.ok(count(({ outcome }) => outcome.signal === "SIGKILL") > KILLS / 6);
    if (isFull) assert.ok(within > 0 && count((one) => stateAfter(one) === "new") > 0, "none was at work");
  });
});

function countRecords(path: string): number {
  using database = Database.open(path, { readOnly: true });
  return database.count();
}
