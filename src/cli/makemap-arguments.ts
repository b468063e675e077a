/**
 * The command line of tsmakemap: makemap's, which getopt() reads from left to
 * right (`C:D:Nc:defi:Llorst:uvx`), and long options of ours.
 */
import { type Command, Option } from "./commander.ts";
import { addFormatOptions, type FormatFlags } from "./format-settings.ts";
import { type Complaint, end, endAt, newCommand, onUnknownLetter, readCommandLine } from "./getopt.ts";

export interface MakemapArguments extends FormatFlags {
  /** -C */
  readonly controlFile: string | undefined;
  /** -N */
  readonly includeNul: boolean;
  /** -c: bytes, as atol() has them. */
  readonly cacheSize: number | undefined;
  /** -D: its first byte, 0 for none. */
  readonly commentByte: number | undefined;
  /** -d */
  readonly allowDuplicates: boolean;
  /** -e */
  readonly allowEmptyValue: boolean;
  /** -f */
  readonly keepCase: boolean;
  /** -i */
  readonly fallbackType: string | undefined;
  /** -o */
  readonly append: boolean;
  /** -r */
  readonly replaceDuplicates: boolean;
  /** -s */
  readonly allowLinks: boolean;
  /** -t: its first byte. */
  readonly delimiterByte: number | undefined;
  /** -u */
  readonly dump: boolean;
  /** -v */
  readonly verbose: boolean;
  readonly inPlace: boolean;
  /** --progress, --no-progress; undefined for neither. */
  readonly progress: boolean | undefined;
  readonly type: string;
  readonly mapName: string;
}

export type MakemapRequest =
  | { readonly kind: "run"; readonly args: MakemapArguments }
  /** -l, -L, -x */
  | { readonly kind: "list"; readonly what: "types" | "all-types" | "extensions" }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  /** With getopt()'s complaint, if it had one. */
  | ({ readonly kind: "usage" } & Complaint);

/**
 * @param argv without the programs: process.argv.slice(2).
 * @param onInvalidDelimiter called for each -t '', which is then as if it were not there.
 */
export function parseMakemapArguments(
  argv: readonly string[],
  program: string,
  environment: NodeJS.ProcessEnv,
  onInvalidDelimiter: () => void = () => {},
): MakemapRequest {
  const command = makemapCommand(program, onInvalidDelimiter);
  onUnknownLetter(command, LETTERS, argv, (letter) => end({ kind: "usage", invalidOption: letter } satisfies MakemapRequest));
  let wrong: Complaint | undefined;
  const ended = readCommandLine<MakemapRequest>(command, argv, environment, (what) => {
    wrong = what;
  });
  if (ended !== undefined) return ended;
  if (wrong !== undefined) return { kind: "usage", ...(wrong as Complaint) };
  const [type, mapName, ...rest] = command.args;
  if (type === undefined || mapName === undefined || rest.length > 0) return { kind: "usage" };
  return { kind: "run", args: toArguments(command.opts(), type, mapName) };
}

/** The command, with its help. */
export function makemapCommand(program: string, onInvalidDelimiter: () => void = () => {}): Command {
  const command = newCommand(
    program,
    "[options] type mapname < source",
    "Make a map that sendmail reads (type hash or btree) from its source text on standard input.",
  )
    .option("-C <cffile>", "sendmail.cf to read TrustedUser and K lines from")
    .option("-N", "store a NUL behind each key and value")
    .option("-c <cachesize>", "bytes of cache")
    .option("-D <commentchar>", "lines that begin with it are comments (default: #)")
    .option("-d", "keep duplicate keys")
    .option("-e", "allow keys without a value")
    .option("-f", "keep upper case in keys")
    .option("-i <type>", "type to use where sendmail.cf has none (types cf and CF)")
    .option("-l", "list the map types")
    .option("-o", "add to the map that is there")
    .option("-r", "a later duplicate replaces the earlier one")
    .option("-s", "follow links")
    .option("-t <delimiter>", "delimiter between key and value (default: white space)", (value, previous: string | undefined) => {
      if (value === "") onInvalidDelimiter();
      return value === "" ? previous : value;
    })
    .option("-u", "print the records of the map")
    .option("-v", "print each record as it is stored")
    .addOption(new Option("-L").hideHelp())
    .addOption(new Option("-x").hideHelp());
  addFormatOptions(command)
    .option("--in-place", "write into the file that is there instead of replacing it")
    .addOption(new Option("--progress", "show progress even where standard error is no terminal"))
    .addOption(new Option("--no-progress", "show no progress"))
    .option("--help", "show this help")
    .option("--version", "show the version");
  const endsAt = (option: string, request: () => MakemapRequest): void => endAt(command, option, request);
  endsAt("l", () => ({ kind: "list", what: "types" }));
  endsAt("L", () => ({ kind: "list", what: "all-types" }));
  endsAt("x", () => ({ kind: "list", what: "extensions" }));
  endsAt("help", () => ({ kind: "help", text: command.helpInformation() }));
  endsAt("version", () => ({ kind: "version" }));
  return command;
}

const LETTERS = "CDNcdefiLlorstuvx";

interface Options extends FormatFlags {
  readonly C?: string;
  readonly N?: true;
  readonly c?: string;
  readonly D?: string;
  readonly d?: true;
  readonly e?: true;
  readonly f?: true;
  readonly i?: string;
  readonly o?: true;
  readonly r?: true;
  readonly s?: true;
  readonly t?: string;
  readonly u?: true;
  readonly v?: true;
  readonly inPlace?: true;
  readonly progress?: boolean;
}

function toArguments(options: Options, type: string, mapName: string): MakemapArguments {
  return {
    ...options,
    controlFile: options.C,
    includeNul: options.N ?? false,
    cacheSize: options.c === undefined ? undefined : atol(options.c),
    commentByte: options.D === undefined ? undefined : firstByte(options.D),
    allowDuplicates: options.d ?? false,
    allowEmptyValue: options.e ?? false,
    keepCase: options.f ?? false,
    fallbackType: options.i,
    append: options.o ?? false,
    replaceDuplicates: options.r ?? false,
    allowLinks: options.s ?? false,
    delimiterByte: options.t === undefined || options.t === "" ? undefined : firstByte(options.t),
    dump: options.u ?? false,
    verbose: options.v ?? false,
    inPlace: options.inPlace ?? false,
    progress: options.progress,
    type,
    mapName,
  };
}

function firstByte(text: string): number {
  return Buffer.from(text)[0] ?? 0;
}

/** What is no number is 0. */
function atol(text: string): number {
  return Number(/^\s*([-+]?\d+)/.exec(text)?.[1] ?? 0);
}
