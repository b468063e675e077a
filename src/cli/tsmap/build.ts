/**
 * tsmap build: makes all files of a fleet, all or nothing.
 */
import type { ProgressOfFile } from "../../artifacts/artifact.ts";
import { buildSet, type SetPlan } from "../../artifacts/plan-set.ts";
import type { Project } from "../../artifacts/project.ts";
import { turns } from "../../files/turn.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { onSignal } from "../cleanup.ts";
import { printable } from "../printable.ts";
import { Progress } from "../progress.ts";
import type { BuildFlags, LayeredSetting } from "./build-settings.ts";
import type { Context } from "./context.ts";
import { openProject, projectWork, readManifest } from "./open-project.ts";
import { changeJson, countLine, fileSummary } from "./plan-report.ts";
import { paintFor } from "./style.ts";

interface Options extends BuildFlags {
  readonly showSettings?: true;
  readonly json?: true;
  readonly progress?: boolean;
}

/** @returns 0; what cannot be built is trouble. */
export async function run(context: Context, [operand]: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const { output } = context;
  const manifest = await readManifest(context, operand, options);
  if (options.showSettings) {
    output.write(
      options.json
        ? `${jsonText(manifest.settings.map(({ name, value, origin }) => ({ name, value, origin })))}\n`
        : settingsTable(manifest.settings),
    );
    return 0;
  }
  const progress = new FileProgress(options.progress);
  using project = openProject(context, manifest, (done) => progress.update(done));
  try {
    const built = await buildUnlessEnded(project);
    progress.stop();
    if (options.json) {
      output.write(`${jsonText({ output: project.output.path, ...built, changes: built.changes.map(changeJson) })}\n`);
    } else {
      const paint = paintFor(process.stdout);
      for (const change of built.changes) output.write(`${fileSummary(change, paint)}\n`);
      output.write(`${printable(project.output.path)}: ${countLine(built.changes, built.unchanged, true)}\n`);
    }
    return 0;
  } finally {
    progress.stop();
  }
}

/**
 * Builds; a signal that comes meanwhile ends the program with the old set as it was.
 * @throws {Trouble}
 */
export async function buildUnlessEnded(project: Project): Promise<SetPlan> {
  let abandon: () => void = () => {};
  const forget = onSignal(() => abandon());
  try {
    return await projectWork(() => buildSet(project, (set) => (abandon = () => set.abandon())));
  } finally {
    forget();
  }
}

/** A line for each: its value, and the layer that it comes from. */
function settingsTable(settings: readonly LayeredSetting[]): string {
  const rows = settings.map(({ name, value = "", origin }) => [name, printable(value), printable(origin)] as const);
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  return rows.map(([name, value, origin]) => `${name.padEnd(width(0))}  ${value.padEnd(width(1))}  ${origin}\n`).join("");
}

/** Of one file after the other. */
class FileProgress {
  readonly #wanted: boolean | undefined;
  #path: string | undefined;
  #bar: Progress | undefined;
  readonly #others = turns();

  constructor(wanted: boolean | undefined) {
    this.#wanted = wanted;
  }

  async update({ path, unit, count, done, total }: ProgressOfFile): Promise<void> {
    if (path !== this.#path) {
      this.stop();
      this.#path = path;
      this.#bar = new Progress({ wanted: this.#wanted, label: path, total, unit });
    }
    await this.#bar?.update(done, count);
    await this.#others();
  }

  stop(): void {
    this.#bar?.stop();
  }
}
