/**
 * tsmap watch: builds whenever the manifest, or a file that it names, changes.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { sourceFiles } from "../../artifacts/fleet-sources.ts";
import { say } from "../error-output.ts";
import { printable } from "../printable.ts";
import { buildUnlessEnded } from "./build.ts";
import { type BuildFlags, layerSettings } from "./build-settings.ts";
import type { Context } from "./context.ts";
import { fleetOf, manifestName, openProject, readManifest } from "./open-project.ts";
import { countLine, fileSummary } from "./plan-report.ts";
import { paintFor } from "./style.ts";
import { Trouble } from "./trouble.ts";

/** Milliseconds without a change: an editor makes several of one. */
const QUIET = 150;
/** Milliseconds between two looks at the files. */
const LOOK = 250;

/**
 * Ends with a signal alone.
 * @throws {Trouble} an option, or a variable of the environment, is wrong.
 */
export async function run(context: Context, [operand]: readonly (string | readonly string[])[], options: BuildFlags): Promise<number> {
  const name = manifestName(operand);
  // What is wrong with these no change of a file will mend.
  await layerSettings(options, context.environment, { name, settings: {} });
  const changes = new Changes();
  changes.follow([name]);
  for (;;) {
    await buildOnce(context, name, options, (files) => changes.follow([name, ...files]));
    await context.output.flush();
    await changes.next();
  }
}

/** Builds; of what is wrong it says so, and what was built before stays. */
async function buildOnce(context: Context, name: string, options: BuildFlags, follow: (files: readonly string[]) => void): Promise<void> {
  const { output, program } = context;
  const time = new Date().toTimeString().slice(0, 8);
  try {
    const manifest = await readManifest(context, name, options);
    // Before anything is read, so that a file that is not there yet is waited for.
    follow(sourceFiles(fleetOf(manifest), dirname(name)));
    using project = openProject(context, manifest);
    const { changes, unchanged } = await buildUnlessEnded(project);
    const paint = paintFor(process.stdout);
    for (const change of changes) output.write(`${time} ${fileSummary(change, paint)}\n`);
    output.write(`${time} ${printable(project.output.path)}: ${countLine(changes, unchanged, true)}\n`);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    output.push();
    for (const line of error.lines) say(`${time} ${program}: ${printable(line)}\n`);
  }
}

/** Changes of files, also of those that come while nobody waits for them, and of files that are not there yet. */
class Changes {
  #states: ReadonlyMap<string, string> = new Map();

  /** Looks at these files from now on, and at no others. */
  follow(files: readonly string[]): void {
    this.#states = new Map(files.map((file) => [file, this.#states.get(file) ?? stateOf(file)]));
  }

  /** Resolves when something has changed since the last time, and nothing more does. */
  async next(): Promise<void> {
    while (!this.#look()) await setTimeout(LOOK);
    do await setTimeout(QUIET);
    while (this.#look());
  }

  /** Whether a file is another than it was at the last look. */
  #look(): boolean {
    const before = this.#states;
    this.#states = new Map(Array.from(before.keys(), (file) => [file, stateOf(file)]));
    return [...this.#states].some(([file, state]) => state !== before.get(file));
  }
}

/** A text that is another for another file, or one that was written to; of what is not there, an empty one. */
function stateOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch {
    return "";
  }
}
