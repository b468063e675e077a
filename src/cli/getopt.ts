/**
 * What getopt(3) does and commander does not: it meets unknown options in their
 * place among the others, and complains of them in its own words.
 */
import { type Command, type CommanderError, Option } from "commander";

/** What is wrong with a command line: an option that is unknown, or one that wants a value. */
export interface Complaint {
  readonly invalidOption?: string;
  readonly missingArgument?: string;
}

/**
 * Declares each letter that is no option of the command, so that it is met in its place.
 * @param known the letters that are options.
 */
export function onUnknownLetter(command: Command, known: string, met: (letter: string) => void): void {
  for (const letter of "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
    if (known.includes(letter)) continue;
    command.addOption(new Option(`-${letter}`).hideHelp());
    command.on(`option:${letter}`, () => met(letter));
  }
}

/** What commander found at the end; nothing where it is no matter of options. */
export function complaint(error: CommanderError): Complaint {
  const flag = /'(--?[^ ,']*)/.exec(error.message)?.[1] ?? "";
  if (error.code === "commander.optionMissingArgument") return { missingArgument: flag.replace(/^-/, "") };
  // getopt() knows no long options: to it the second dash is the option.
  if (error.code === "commander.unknownOption") return { invalidOption: flag.startsWith("--") ? "-" : flag.slice(1) };
  return {};
}

/** The complaint as getopt() says it; empty where there is none. */
export function complaintText(program: string, { invalidOption, missingArgument }: Complaint): string {
  if (invalidOption !== undefined) return `${program}: invalid option -- '${invalidOption}'\n`;
  return missingArgument === undefined ? "" : `${program}: option requires an argument -- '${missingArgument}'\n`;
}
