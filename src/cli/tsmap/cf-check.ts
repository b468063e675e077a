/**
 * tsmap cf check: is a configuration of sendmail set up for SMTP authentication?
 */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { nodeFileSystem } from "berkeley-db-js";
import { MOST_TEXT, readWhole } from "../../files/read-whole.ts";
import { inspect } from "../../map-file/inspection.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { type CfFacts, type CfFinding, checkCf, type DomainsFacts, isCf, type MapFacts } from "../../sendmail-cf/cf-check.ts";
import { cfFindingText, cfMendText } from "../../sendmail-cf/cf-findings.ts";
import { printable } from "../printable.ts";
import { readCfFile } from "./cf-file.ts";
import type { Context } from "./context.ts";
import { type Paint, paintFor } from "./style.ts";
import { Trouble, troubleWith, withFile } from "./trouble.ts";
import { groupOf } from "./user-group.ts";

interface Options {
  readonly role: "relay" | "client";
  readonly map?: string;
  readonly relay?: string;
  readonly domains?: string;
  readonly other?: string;
  readonly json?: true;
}

const NO_CONFIGURATION = "no configuration of sendmail: it has no V line of level 3 or later";
const DATABASE_SUFFIX = ".db";
const PERMISSIONS = 0o777;
const OTHERS_WRITE = 0o022;
const COLOURS = { met: "green", missing: "red", wrong: "red", note: "cyan" } as const;

/** @returns 1 where something is missing or wrong. */
export function run({ output }: Context, [operand]: readonly (string | readonly string[])[], options: Options): number {
  const name = String(operand);
  const source = readCfFile(name);
  if (!isCf(source)) throw new Trouble(`${name}: ${NO_CONFIGURATION}`);
  const findings = checkCf(source, options.role, factsOf(options));
  const paint = paintFor(process.stdout);
  for (const finding of findings) output.write(options.json ? `${jsonText(toJson(name, finding))}\n` : lineOf(name, finding, paint));
  return findings.some(({ status }) => status === "missing" || status === "wrong") ? 1 : 0;
}

/** @throws {Trouble} an option of the other role. */
function factsOf(options: Options): CfFacts {
  const others = options.role === "relay" ? (["map", "relay"] as const) : (["domains"] as const);
  const other = others.find((name) => options[name] !== undefined);
  if (other !== undefined) throw new Trouble(`--${other}: not for --role ${options.role}`);
  return {
    other: options.other === undefined ? undefined : otherSource(options.other),
    relay: options.relay,
    domains: (path) => domainsFacts(options.domains ?? utf8(path), options.domains !== undefined),
    map: (path) => mapFacts(options.map ?? utf8(path), options.map !== undefined),
    groupOf,
  };
}

/** @throws {Trouble} no configuration either. */
function otherSource(name: string): string {
  const source = readCfFile(name);
  if (!isCf(source)) throw new Trouble(`${name}: ${NO_CONFIGURATION}`);
  return source;
}

/** What stands in a configuration is bytes, a character each. */
function utf8(text: string): string {
  return Buffer.from(text, "latin1").toString();
}

/** @throws {Trouble} the file cannot be read, or was named on the command line and is not there. */
function domainsFacts(path: string, isNamed: boolean): DomainsFacts {
  return withFile(path, () => {
    if (!isNamed && statSync(path, { throwIfNoEntry: false }) === undefined) return { domains: undefined };
    const words = readWhole(path, MOST_TEXT)
      .toString("latin1")
      .split("\n")
      .map((line) => line.trim().split(/\s/)[0] ?? "");
    return { domains: words.filter((word) => word !== "" && !word.startsWith("#")).length };
  });
}

/** @throws {Trouble} the file cannot be read, or was named on the command line and is not there. */
function mapFacts(path: string, isNamed: boolean): MapFacts {
  const file = path.endsWith(DATABASE_SUFFIX) ? path : `${path}${DATABASE_SUFFIX}`;
  const status = withFile(file, () => statSync(file, { throwIfNoEntry: false }));
  if (status === undefined) {
    if (isNamed) throw new Trouble(`${file}: No such file or directory`);
    return { file, content: { kind: "missing" }, writableFolder: undefined };
  }
  const folder = { file, writableFolder: writableFolderOf(file) };
  try {
    const { format, content } = withFile(file, () => inspectFile(file));
    const { records, keyNuls, upperCaseKeys } = content;
    const { mode, gid } = status;
    return { ...folder, content: { kind: "database", type: format.type, records, keyNuls, upperCaseKeys, mode: mode & PERMISSIONS, gid } };
  } catch (error) {
    if (!(error instanceof Trouble)) throw troubleWith(file, error);
    return { ...folder, content: { kind: "unreadable", why: error.message.replace(`${file}: `, "") } };
  }
}

function inspectFile(path: string): ReturnType<typeof inspect> {
  const file = nodeFileSystem.open(path, { write: false }, 0);
  try {
    return inspect(file);
  } finally {
    file.close();
  }
}

/** sendmail looks at every folder down to the file. */
function writableFolderOf(file: string): string | undefined {
  let folder = dirname(resolve(file));
  for (;;) {
    if ((withFile(folder, () => statSync(folder)).mode & OTHERS_WRITE) !== 0) return folder;
    if (folder === dirname(folder)) return undefined;
    folder = dirname(folder);
  }
}

function lineOf(name: string, { code, status, line, args }: CfFinding, paint: Paint): string {
  const place = line === undefined ? name : `${name}:${line}`;
  const mend = cfMendText(code, args);
  const text = `${cfFindingText(code, args)}${mend === undefined ? "" : `; mend: ${mend}`}`;
  return `${printable(place)}: ${paint(COLOURS[status], status)} ${code}: ${shown(text)}\n`;
}

function toJson(file: string, { code, status, line, args }: CfFinding): object {
  const mend = cfMendText(code, args);
  return { file, line: line ?? null, status, code, message: cfFindingText(code, args), mend: mend ?? null, arguments: args };
}

/** A tab that has to be one is said to be one. */
function shown(text: string): string {
  return printable(text.replaceAll("\t", "<TAB>"));
}
