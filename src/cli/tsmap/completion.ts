/**
 * tsmap completion: the completion script of a shell, for all programs.
 */
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { describePrograms } from "../program-description.ts";
import type { Context } from "./context.ts";

const PRINTERS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export function run({ output }: Context, [shell]: readonly (string | readonly string[])[]): number {
  output.write(PRINTERS[shell as keyof typeof PRINTERS](describePrograms()));
  return 0;
}
