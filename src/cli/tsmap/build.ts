/**
 * tsmap build: makes all files of a fleet, all or nothing.
 */
import { changeOf, changeOfText, type FileChange, removals } from "../../artifacts/plan.ts";
import type { Project } from "../../artifacts/project.ts";
import { setFiles, summarize } from "../../artifacts/set-files.ts";
import type { NewSet } from "../../artifacts/set-folder.ts";
import { onSignal } from "../cleanup.ts";
import { Progress } from "../progress.ts";
import type { BuildFlags, LayeredSetting } from "./build-settings.ts";
import type { Context } from "./context.ts";
import { openProject, projectTrouble, readManifest } from "./open-project.ts";
import { changeJson, countLine, fileSummary } from "./plan-report.ts";
import { signals } from "./replacing.ts";
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
    output.write(options.json ? `${JSON.stringify(manifest.settings)}\n` : settingsTable(manifest.settings));
    return 0;
  }
  const progress = new FileProgress(options.progress);
  using project = openProject(context, manifest, (done) => progress.update(done));
  try {
    const built = await buildSet(project);
    progress.stop();
    if (options.json) {
      output.write(`${JSON.stringify({ output: project.output.path, ...built, changes: built.changes.map(changeJson) })}\n`);
    } else {
      const paint = paintFor(process.stdout);
      for (const change of built.changes) output.write(`${fileSummary(change, paint)}\n`);
      output.write(`${project.output.path}: ${countLine(built.changes, built.unchanged, true)}\n`);
    }
    return 0;
  } finally {
    progress.stop();
  }
}

export interface Built {
  readonly changes: readonly FileChange[];
  readonly unchanged: number;
  /** Hexadecimal digits, of SHA256SUMS: it stands for all of the set. */
  readonly digest: string;
}

/**
 * Makes the set, and puts it in the place of the old one if they differ.
 * @throws {Trouble} the old one is there still.
 */
export async function buildSet(project: Project): Promise<Built> {
  let made: NewSet | undefined;
  const forget = onSignal(() => made?.abandon());
  try {
    const changes: FileChange[] = [];
    const summaries = [];
    made = project.output.begin();
    for await (const artifact of project.artifacts()) {
      const change = changeOf(artifact, project.output);
      if (change !== undefined) changes.push(change);
      made.write(artifact.spec, artifact.bytes);
      summaries.push(summarize(artifact));
      // One that came while the program was busy ends it here.
      await signals();
    }
    const texts = setFiles(summaries, project.facts);
    for (const text of texts) {
      made.write(text, text.text);
      changes.push(...[changeOfText(text, project.output)].filter((change) => change !== undefined));
    }
    const all = [...summaries, ...texts];
    changes.push(...removals(all, project.output));
    const digest = texts.at(-1)?.sha256 as string;
    if (changes.length > 0) await made.commit(digest);
    return { changes, unchanged: all.length - changes.filter(({ action }) => action !== "remove").length, digest };
  } catch (error) {
    throw projectTrouble(error);
  } finally {
    made?.abandon();
    forget();
  }
}

/** A line for each: its value, and the layer that it comes from. */
function settingsTable(settings: readonly LayeredSetting[]): string {
  const rows = settings.map(({ name, value = "", origin }) => [name, value, origin] as const);
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  return rows.map(([name, value, origin]) => `${name.padEnd(width(0))}  ${value.padEnd(width(1))}  ${origin}\n`).join("");
}

/** Of one source after the other. */
class FileProgress {
  readonly #wanted: boolean | undefined;
  #path: string | undefined;
  #bar: Progress | undefined;

  constructor(wanted: boolean | undefined) {
    this.#wanted = wanted;
  }

  async update({ path, bytes, size, lines }: { path: string; bytes: number; size: number; lines: number }): Promise<void> {
    if (path !== this.#path) {
      this.stop();
      this.#path = path;
      this.#bar = new Progress({ wanted: this.#wanted, label: path, total: size });
    }
    await this.#bar?.update(bytes, lines);
    await signals();
  }

  stop(): void {
    this.#bar?.stop();
  }
}
