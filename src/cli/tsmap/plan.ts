/**
 * tsmap plan: what a build would change.
 */
import { planSet } from "../../artifacts/plan-set.ts";
import { jsonText } from "../../map-file/json-text.ts";
import type { BuildFlags } from "./build-settings.ts";
import type { Context } from "./context.ts";
import { openProject, projectWork, readManifest } from "./open-project.ts";
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
  const { changes, unchanged } = await projectWork(() => planSet(project));
  if (options.json) output.write(`${jsonText({ changes: changes.map(changeJson), unchanged })}\n`);
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
