/**
 * What getopt(3) does and commander does not: it meets unknown options in their
 * place among the others, and complains of them in its own words.
 */
import { Command, CommanderError, Option } from "./commander.ts";

/** What is wrong with a command line: an option that is unknown, or one that wants a value. */
export interface Complaint {
  readonly invalidOption?: string;
  readonly missingArgument?: string;
}

/** Carries what an option that ends the reading of the command line asks for. */
class Ended extends Error {
  readonly request: unknown;

  constructor(request: unknown) {
    super("ended");
    this.request = request;
  }
}

/** A command of our programs, without commander's own help, output and exit. */
export function newCommand(program: string, usage: string, description: string): Command {
  return new Command(program)
    .usage(usage)
    .description(description)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .argument("[operands...]")
    .helpOption(false);
}

/** Ends the reading of the command line, from within what is done where an option is met. */
export function end(request: unknown): never {
  throw new Ended(request);
}

/** Has an option end the reading of the command line. */
export function endAt(command: Command, option: string, request: () => unknown): void {
  command.on(`option:${option}`, () => end(request()));
}

/**
 * Reads the command line from left to right.
 * @param complain called with what commander finds wrong at the end.
 * @returns the request of an option that ended it; undefined where none did.
 */
export function readCommandLine<Request>(
  command: Command,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  complain: (what: Complaint) => void,
): Request | undefined {
  if (environment["POSIXLY_CORRECT"] !== undefined) command.passThroughOptions();
  try {
    command.parse(argv, { from: "user" });
  } catch (error) {
    if (error instanceof Ended) return error.request as Request;
    if (!(error instanceof CommanderError)) throw error;
    complain(complaint(error));
  }
  return undefined;
}

/** What an option of one character can be, but for those that commander takes for the end of a name. */
const LETTERS = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i)).filter((letter) => !"-,|".includes(letter));

/**
 * Declares each letter of the command line that is no option of the command, so that it is met in its place.
 * @param known the letters that are options.
 */
export function onUnknownLetter(command: Command, known: string, argv: readonly string[], met: (letter: string) => void): void {
  const given = argv.join("");
  for (const letter of LETTERS) {
    if (known.includes(letter) || !given.includes(letter)) continue;
    command.addOption(new Option(`-${letter}`).hideHelp());
    command.on(`option:${letter}`, () => met(letter));
  }
}

/** What commander found at the end; nothing where it is no matter of options. */
function complaint(error: CommanderError): Complaint {
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
