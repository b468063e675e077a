/**
 * What the printers of completion scripts share.
 */
import type { ProgramDescription } from "../program-description.ts";

/** The text of a shell script: backslashes stand for themselves, and `\$` for a dollar before a brace. */
export function script({ raw }: TemplateStringsArray): string {
  return raw.join("").replaceAll("\\${", "${");
}

/** A word in single quotes, as bash and zsh have them. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function namesOf(list: readonly { readonly name: string }[]): string {
  return list.map(({ name }) => name).join(" ");
}

export interface Place {
  /** The words that lead there: the program, its command, and that one's. */
  readonly words: readonly string[];
  readonly what: ProgramDescription;
}

/** Where options may stand: behind a program, and behind each of its commands. */
export function placesOf(what: ProgramDescription, before: readonly string[] = []): readonly Place[] {
  const words = [...before, what.name];
  return [{ words, what }, ...what.commands.flatMap((command) => placesOf(command, words))];
}
