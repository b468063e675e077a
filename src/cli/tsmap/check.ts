/**
 * tsmap check: whether what is built is as it should be, by its manifest, its
 * policy, the hosts' own files, and the clients and relays among each other.
 */
import { statSync } from "node:fs";
import { checkProject } from "../../artifacts/check.ts";
import type { CheckFinding } from "../../artifacts/check-finding.ts";
import { printable } from "../printable.ts";
import { packageVersion } from "../version.ts";
import type { BuildFlags } from "./build-settings.ts";
import { checkJson, checkRules, checkText, sarifResult } from "./check-report.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { openProject, projectTrouble, readManifest } from "./open-project.ts";
import { SarifLog } from "./sarif.ts";
import { paintFor } from "./style.ts";
import { Trouble, withFile } from "./trouble.ts";

interface Options extends BuildFlags {
  readonly copies?: string;
  readonly today?: string;
  readonly format: "text" | "json" | "sarif";
}

/** @returns 0 where all is as it should be, 1 where something was found. */
export async function run(context: Context, [operand]: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const { output, program } = context;
  const { copies } = options;
  const today = dayOf(options.today);
  if (copies !== undefined && !withFile(copies, () => statSync(copies).isDirectory()))
    throw new Trouble(`${copies}: not a folder of copies, a folder for each host`);
  const log = new SarifLog({ program: `${program} check`, version: packageVersion(), folder: process.cwd() }, checkRules());
  const paint = paintFor(process.stdout);
  const shown = {
    text: (finding: CheckFinding) => checkText(finding, paint),
    json: (finding: CheckFinding) => checkJson(finding),
    sarif: (finding: CheckFinding) => log.result(sarifResult(finding)),
  }[options.format];
  if (options.format === "sarif") output.write(log.begin());
  let count = 0;
  let files = 0;
  try {
    using project = openProject(context, await readManifest(context, operand, options));
    files = project.fleet.hosts.reduce((sum, { databases, maps }) => sum + databases.length + maps.length, 0);
    for await (const finding of checkProject(project, { copies, today })) {
      output.write(shown(finding));
      if (output.isFull) await output.flush();
      count += 1;
    }
  } catch (error) {
    const trouble = projectTrouble(error);
    if (trouble instanceof Trouble && options.format === "sarif") output.write(log.end(trouble.lines.map(printable)));
    throw trouble;
  }
  if (options.format === "sarif") output.write(log.end([]));
  if (options.format === "text") output.write(`${counted(files, "file")}, ${count === 0 ? "nothing found" : counted(count, "finding")}\n`);
  return count === 0 ? 0 : 1;
}

/** @throws {Trouble} */
function dayOf(text: string | undefined): string {
  if (text === undefined) return new Date().toISOString().slice(0, 10);
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(Number.NaN);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text)) throw new Trouble(`--today: "${text}" is no day: 2026-11-25`);
  return text;
}
