/**
 * tsmakemap: makemap, as a program (sendmail 8.17.1.9, makemap.c).
 */
import { BerkeleyDBError, type Database, type DatabaseRecord } from "berkeley-db-js";
import { checkSafeFile, type SafeFile, type SafetyWarning } from "../files/safe-file.ts";
import { strerror } from "../files/strerror.ts";
import { turn } from "../files/turn.ts";
import type { SourceDiagnostic } from "../makemap/diagnostic.ts";
import { MapBuilder, MapWriteError } from "../makemap/map-builder.ts";
import { mapFile } from "../makemap/map-name.ts";
import { CF_TYPES, isCfType, isMapType, MAP_TYPES, type MapType, MISSING_TYPES } from "../makemap/map-type.ts";
import { mapTypeOf, readControlFile, trustedUsers } from "../sendmail-cf/control-file.ts";
import { endBySignals, ignoreFileSizeSignal, onSignal } from "./cleanup.ts";
import { messagesRead, say, sayOutputFailure, sayText } from "./error-output.ts";
import { type FormatSettings, readFormatSettings, SettingError } from "./format-settings.ts";
import { complaintText } from "./getopt.ts";
import { type Input, InputError, openInput } from "./input.ts";
import { forgetLastMatch } from "./last-match.ts";
import { type MakemapArguments, type MakemapRequest, parseMakemapArguments } from "./makemap-arguments.ts";
import {
  diagnosticMessage,
  failureText,
  putErrorMessage,
  readErrorMessage,
  recordLine,
  usageText,
  warningMessage,
} from "./makemap-messages.ts";
import { Output, OutputError } from "./output.ts";
import { shownLine } from "./printable.ts";
import { Progress } from "./progress.ts";
import { EX_CANTCREAT, EX_DATAERR, EX_IOERR, EX_NOINPUT, EX_OK, EX_USAGE } from "./sysexits.ts";
import { unreadableArgument } from "./unreadable-argument.ts";
import { programName, versionText } from "./version.ts";

const DEFAULT_CONTROL_FILE = "/etc/mail/sendmail.cf";
const TAB = 0x09;

/** Ends the run with an exit code, after what was to be said is said. */
class Exit extends Error {
  readonly code: number;

  constructor(code: number, message: string | Uint8Array = "") {
    super("exit");
    this.code = code;
    say(message);
  }
}

/** @returns the exit code. */
export async function main(argv: readonly string[] = process.argv): Promise<number> {
  const program = programName(argv, "tsmakemap");
  ignoreFileSizeSignal();
  const output = new Output();
  endBySignals();
  try {
    const unreadable = unreadableArgument(argv.slice(2));
    if (unreadable !== undefined) throw new Exit(EX_USAGE, `${program}: ${unreadable}\n`);
    const request = parseMakemapArguments(argv.slice(2), program, process.env, () => say("Invalid separator\n"));
    const code = request.kind === "run" ? await run(request.args, program, output) : await answer(request, program, output);
    await output.flush();
    return code;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    if (error instanceof InputError) {
      say(`${program}: standard input: ${strerror(error.cause)}\n`);
      return EX_NOINPUT;
    }
    if (!(error instanceof OutputError)) throw error;
    return sayOutputFailure(program, error, EX_IOERR);
  } finally {
    forgetLastMatch();
  }
}

async function answer(request: Exclude<MakemapRequest, { kind: "run" }>, program: string, output: Output): Promise<number> {
  switch (request.kind) {
    case "list":
      output.write(listTypes(request.what));
      return EX_OK;
    case "help":
      output.write(request.text);
      return EX_OK;
    case "version":
      output.write(await versionText(program));
      return EX_OK;
    case "usage":
      say(complaintText(program, request));
      sayText(usageText(program));
      return EX_USAGE;
  }
}

function listTypes(what: "types" | "all-types" | "extensions"): string {
  if (what === "extensions") return MAP_TYPES.map((type) => `${type}:${type === "implicit" ? "" : "db"}\n`).join("");
  if (what === "types") return `${MAP_TYPES.join("\n")}\n`;
  // makemap prints these two past stdio's buffer, which a terminal does not have.
  const order = process.stdout.isTTY ? [...MAP_TYPES, ...CF_TYPES] : [...CF_TYPES, ...MAP_TYPES];
  return `${order.join("\n")}\n`;
}

/** What a run works with, once the command line and sendmail.cf are understood. */
interface Job {
  readonly program: string;
  readonly args: MakemapArguments;
  readonly type: MapType;
  readonly settings: FormatSettings;
  /** Root alone has one. */
  readonly trustedUser: number | undefined;
  readonly output: Output;
}

async function run(args: MakemapArguments, program: string, output: Output): Promise<number> {
  const settings = await formatSettings(args, program);
  const control = readControl(args);
  const type = resolveType(args, program, control.lines);
  if (settings.hasHashVersion && type === "btree") throw new Exit(EX_USAGE, `${program}: --hash-version: a btree file has none\n`);
  const job: Job = { program, args, type, settings, trustedUser: control.trustedUser, output };
  const file = checkFile(job);
  return args.dump ? await dump(job, file) : await make(job);
}

async function formatSettings(args: MakemapArguments, program: string): Promise<FormatSettings> {
  try {
    return await readFormatSettings(args, process.env);
  } catch (error) {
    if (error instanceof SettingError) throw new Exit(EX_USAGE, `${program}: ${error.message}\n`);
    throw error;
  }
}

interface Control {
  readonly lines: readonly string[];
  readonly trustedUser: number | undefined;
}

/** Only root has a trusted user; anybody reads the file for a type that is looked up there. */
function readControl(args: MakemapArguments): Control {
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot && !isCfType(args.type)) return { lines: [], trustedUser: undefined };
  const path = args.controlFile ?? DEFAULT_CONTROL_FILE;
  let lines: readonly string[];
  try {
    lines = readControlFile(path);
  } catch (error) {
    // Where maps are built for another host there is no sendmail.cf of its own.
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (isMissing && args.controlFile === undefined && !isCfType(args.type)) return { lines: [], trustedUser: undefined };
    throw new Exit(EX_NOINPUT, `makemap: ${path}: ${strerror(error)}\n`);
  }
  if (!isRoot) return { lines, trustedUser: undefined };
  let trustedUser: number | undefined;
  for (const user of trustedUsers(lines)) {
    trustedUser = "uid" in user && user.uid !== 0 ? user.uid : undefined;
    if ("unknownName" in user) say(`TrustedUser: unknown user ${user.unknownName}\n`);
  }
  return { lines, trustedUser };
}

function resolveType(args: MakemapArguments, program: string, lines: readonly string[]): MapType {
  let name = args.type;
  if (isCfType(name) || (name === "" && process.geteuid?.() === 0)) {
    const path = args.controlFile ?? DEFAULT_CONTROL_FILE;
    const found = name === "" ? undefined : mapTypeOf(lines, args.mapName, name !== "cf");
    if (found === undefined) {
      const missing = `${program}: mapfile ${args.mapName}: not found in ${path}`;
      if (!args.fallbackType) throw new Exit(EX_DATAERR, `${missing}\n`);
      if (args.verbose) say(`${missing}, using fallback ${args.fallbackType}\n`);
    }
    name = found ?? args.fallbackType ?? "";
  }
  if (isMapType(name)) return name;
  const option = MISSING_TYPES.get(name);
  if (option !== undefined) throw new Exit(EX_CANTCREAT, `${program}: Need to recompile with -D${option} for ${name} support\n`);
  throw new Exit(EX_CANTCREAT, `${program}: error opening type ${name} map ${args.mapName}: Unknown database type\n`);
}

function openFailure({ program, args, type }: Job, error: unknown): Exit {
  // makemap goes on to the next type there is after one of these, and forgets what it was.
  const isForgotten = type === "implicit" && ["ENOENT", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "");
  const text = isForgotten ? "Unknown database type" : failureText(error);
  return new Exit(EX_CANTCREAT, `${program}: error opening type ${type} map ${args.mapName}: ${text}\n`);
}

function checkFile(job: Job, onWarning = (warning: SafetyWarning): void => say(warningMessage(warning))): SafeFile {
  const { args, trustedUser } = job;
  try {
    return checkSafeFile(mapFile(args.mapName), {
      access: args.dump ? "read" : "write",
      mayCreate: !args.dump && !args.append,
      allowLinks: args.allowLinks,
      trustedUser,
      onWarning,
    });
  } catch (error) {
    throw openFailure(job, error);
  }
}

async function dump(job: Job, file: SafeFile): Promise<number> {
  const { program, args, type, output } = job;
  // Maps are made more often.
  const { dumpLine, openMap } = await import("../makemap/map-dump.ts");
  let database: Database;
  try {
    database = openMap(file.path, type, { withDuplicates: args.allowDuplicates });
  } catch (error) {
    throw openFailure(job, error);
  }
  try {
    await writeRecords(database, output, (record) => dumpLine(record, args.delimiterByte ?? TAB));
  } catch (error) {
    if (!(error instanceof BerkeleyDBError)) throw error;
    // makemap says nothing of a file that is damaged, and ends well.
    await output.flush();
    throw new Exit(EX_IOERR, readErrorMessage(program, type, args.mapName, error));
  }
  return EX_OK;
}

/** A record as makemap prints it; on a terminal what is in it stays one line of text. */
function onTerminal(line: Uint8Array): Uint8Array | string {
  return process.stdout.isTTY ? shownLine(line) : line;
}

async function writeRecords(database: Database, output: Output, lineOf: (record: DatabaseRecord) => Uint8Array): Promise<void> {
  try {
    for (const record of database) {
      output.write(onTerminal(lineOf(record)));
      if (output.isFull) await output.flush();
    }
  } finally {
    database.close();
  }
}

async function make(job: Job): Promise<number> {
  const { program, args, output } = job;
  const input = await openInput(args.verbose || args.append);
  const progress = new Progress({ wanted: args.progress, label: mapFile(args.mapName), total: input.size });
  let status = EX_OK;
  let builder: MapBuilder | undefined;
  // Before there is a file to remove, so that no signal comes between.
  const forget = onSignal(() => builder?.abandon());
  try {
    // What feeds the pipe took its time, in which another file may have come.
    const file = checkFile(job, () => {});
    builder = openBuilder(job, file, input.size, (diagnostic) => {
      status = EX_DATAERR;
      progress.stop();
      output.push();
      say(diagnosticMessage(program, args.mapName, diagnostic));
    });
    await pump(input, builder, output, progress);
    return status;
  } catch (error) {
    builder?.abandon();
    if (!(error instanceof MapWriteError)) throw error;
    progress.stop();
    output.push();
    throw new Exit(EX_IOERR, writeFailure(args, program, error));
  } finally {
    forget();
    progress.stop();
  }
}

function openBuilder(
  job: Job,
  file: SafeFile,
  sourceSize: number | undefined,
  onDiagnostic: (diagnostic: SourceDiagnostic) => void,
): MapBuilder {
  const { args, type, settings, trustedUser, output } = job;
  try {
    return new MapBuilder(file.path, {
      ...args,
      type,
      duplicates: args.allowDuplicates ? "keep" : args.replaceDuplicates ? "replace" : "refuse",
      format: settings.format,
      fileId: settings.fileId,
      sourceSize,
      // A file with other names has to stay that file.
      inPlace: args.inPlace || (file.status?.nlink ?? 1) > 1,
      owner: trustedUser,
      onRecord: args.verbose ? (key, value) => output.write(onTerminal(recordLine(key, value))) : undefined,
      onDiagnostic,
    });
  } catch (error) {
    throw openFailure(job, error);
  }
}

async function pump(input: Input, builder: MapBuilder, output: Output, progress: Progress): Promise<void> {
  let bytes = 0;
  for await (const chunk of input.chunks) {
    builder.write(chunk);
    bytes += chunk.length;
    // The next one comes in memory of its own.
    chunk.fill(0);
    await output.flush();
    await messagesRead();
    await progress.update(bytes, builder.lines);
  }
  // Where ^C ended what feeds the pipe, the signal for this program has come too: it goes first.
  await turn();
  builder.commit();
  await output.flush();
}

function writeFailure(args: MakemapArguments, program: string, error: MapWriteError): string | Uint8Array {
  if (error.line !== undefined && error.key !== undefined)
    return putErrorMessage(program, args.mapName, error.line, error.key, error.cause);
  return `${program}: close(${args.mapName}): ${failureText(error.cause)}\n`;
}
