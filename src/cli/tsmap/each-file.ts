/**
 * Commands that look at several files: what is wrong with one is said, and the
 * others are looked at nevertheless.
 */
import { HashFileError } from "../../hash-file/error.ts";
import { say } from "../error-output.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";
import { TROUBLE, Trouble, withFile } from "./trouble.ts";

/** The exit code of a command that found a damaged file. */
export const DAMAGED = 1;

/**
 * @param look returns the exit code for a file.
 * @returns the highest of all.
 */
export function eachFile({ program, output }: Context, files: readonly string[], look: (file: string) => number): number {
  let worst = 0;
  for (const file of files) {
    let code: number;
    try {
      code = withFile(file, () => look(file));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      // What was found in the files before comes first.
      output.push();
      say(`${program}: ${printable(error.message)}\n`);
      code = error.cause instanceof HashFileError && error.cause.isDamage ? DAMAGED : TROUBLE;
    }
    worst = Math.max(worst, code);
  }
  return worst;
}
