/**
 * The command line of tssasldblist: sasldblistusers', which getopt() reads from
 * left to right (`vf:h?`), and long options of ours.
 */
import { type Command, Option } from "./commander.ts";
import { type Complaint, complaintText, endAt, newCommand, onUnknownLetter, readCommandLine } from "./getopt.ts";

export interface SasldblistArguments {
  /** Undefined for the default database. */
  readonly file: string | undefined;
  readonly sort: boolean;
  readonly json: boolean;
  /** Of these alone; undefined for all. */
  readonly realm: string | undefined;
  readonly user: string | undefined;
}

export type SasldblistRequest =
  | { readonly kind: "list"; readonly args: SasldblistArguments }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  /** -v; with what getopt() had complained of before. */
  | { readonly kind: "sasl-version"; readonly complaints: string }
  | { readonly kind: "usage"; readonly complaints: string; readonly isUnrecognized: boolean };

const LETTERS = "vfh?";

interface Options {
  readonly file?: string;
  readonly sort?: true;
  readonly json?: true;
  readonly realm?: string;
  readonly user?: string;
}

/** @param argv without the programs: process.argv.slice(2). */
export function parseSasldblistArguments(argv: readonly string[], program: string, environment: NodeJS.ProcessEnv): SasldblistRequest {
  let complaints = "";
  let isWrong = false;
  let isUnrecognized = false;
  const complain = (what: Complaint): void => {
    isWrong = true;
    isUnrecognized = true;
    complaints += complaintText(program, what);
  };
  const command = sasldblistCommand(program, () => complaints);
  onUnknownLetter(command, LETTERS, argv, (letter) => complain({ invalidOption: letter }));
  command.on("option:?", () => complain({}));
  command.on("option:h", () => {
    isWrong = true;
    isUnrecognized = false;
  });
  const ended = readCommandLine<SasldblistRequest>(command, argv, environment, complain);
  if (ended !== undefined) return ended;
  const { file, sort = false, json = false, realm, user } = command.opts<Options>();
  const [operand, ...rest] = command.args;
  // To getopt() a dash by itself is an operand, and to sasldblistusers no file.
  if (isWrong || rest.length > 0 || operand === "-" || (operand !== undefined && file !== undefined))
    return { kind: "usage", complaints, isUnrecognized };
  return { kind: "list", args: { file: (file ?? operand) || undefined, sort, json, realm, user } };
}

export function sasldblistCommand(program: string, complaints: () => string = () => ""): Command {
  const command = newCommand(program, "[options] [sasldb]", "List the users of a SASL database and their properties, never their secrets.")
    .option("-f, --file <sasldb>", "the database (default: /etc/sasldb2)")
    .option("-v", "show the version of Cyrus SASL that this stands in for")
    .addOption(new Option("-h").hideHelp())
    .addOption(new Option("-?").hideHelp())
    .option("--sort", "by user, realm and property instead of in the order of the file")
    .option("--json", "as JSON, a user to a line")
    .option("--realm <realm>", "users of this realm alone")
    .option("--user <user>", "users of this name alone")
    .option("--help", "show this help")
    .option("--version", "show the version");
  const endsAt = (option: string, request: () => SasldblistRequest): void => endAt(command, option, request);
  endsAt("v", () => ({ kind: "sasl-version", complaints: complaints() }));
  endsAt("help", () => ({ kind: "help", text: command.helpInformation() }));
  endsAt("version", () => ({ kind: "version" }));
  return command;
}
