/**
 * tsmap plan: what a build would change.
 */
import { changeOf, changeOfText, type FileChange, removals } from "../../artifacts/plan.ts";
import type { Project } from "../../artifacts/project.ts";
import { type SetFile, setFiles, summarize } from "../../artifacts/set-files.ts";
import type { BuildFlags } from "./build-settings.ts";
import type { Context } from "./context.ts";
import { openProject, projectTrouble, readManifest } from "./open-project.ts";
import { changeJson, countLine, fileLines } from "./plan-report.ts";
import { paintFor } from "./style.ts";

interface Options extends BuildFlags {
  readonly json?: true;
  readonly all?: true;
}

/** @returns 0 where there is nothing to do, 2 where there is. */
export async function run(context: Context, [operand]: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const { output } = context;
  using project = openProject(context, await readManifest(context, operand, options));
  const { changes, unchanged } = await planOf(project);
  if (options.json) output.write(`${JSON.stringify({ changes: changes.map(changeJson), unchanged })}\n`);
  else {
    const paint = paintFor(process.stdout);
    for (const change of changes) {
      for (const line of fileLines(change, paint, options)) output.write(`${line}\n`);
      if (output.isFull) await output.flush();
    }
    output.write(`${countLine(changes, unchanged, false)}\n`);
  }
  return changes.length === 0 ? 0 : 2;
}

interface Plan {
  readonly changes: readonly FileChange[];
  /** Files that stay as they are. */
  readonly unchanged: number;
}

/** @throws {Trouble} */
async function planOf(project: Project): Promise<Plan> {
  try {
    const changes: FileChange[] = [];
    const summaries = [];
    for await (const artifact of project.artifacts()) {
      const change = changeOf(artifact, project.output);
      if (change !== undefined) changes.push(change);
      summaries.push(summarize(artifact));
    }
    const texts = setFiles(summaries, project.facts);
    const all: SetFile[] = [...summaries, ...texts];
    for (const text of texts) changes.push(...[changeOfText(text, project.output)].filter((change) => change !== undefined));
    changes.push(...removals(all, project.output));
    return { changes, unchanged: all.length - changes.filter(({ action }) => action !== "remove").length };
  } catch (error) {
    throw projectTrouble(error);
  }
}
