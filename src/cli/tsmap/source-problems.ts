/**
 * What makemap would complain of in the source text of a map. Unlike its own
 * messages these do not quote the key, in which a password may stand.
 */
import type { SourceDiagnostic, SourceProblem } from "../../makemap/diagnostic.ts";
import { say } from "../error-output.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";

const TEXTS: Readonly<Record<SourceProblem, string>> = {
  "line-too-long": "too long, and left out by makemap: at most 1023 bytes",
  "leading-space": "begins with a blank, and is left out by makemap",
  "no-value": "a key without a value, left out by makemap",
  "duplicate-key": "a key that is there already, left out by makemap",
};

/** @returns the exit code: 1 where there are any. */
export function sayProblems({ program, output }: Context, file: string, problems: readonly SourceDiagnostic[]): number {
  if (problems.length === 0) return 0;
  output.push();
  for (const { line, problem } of problems) say(printable(`${program}: ${file}: line ${line}: ${TEXTS[problem]}`).concat("\n"));
  return 1;
}
