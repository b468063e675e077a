/**
 * tsmap lint: what is wrong with an authinfo map, its source text or the
 * database, and with --fix the mends that are certain.
 */
import { closeSync, fstatSync, openSync, type Stats, statSync } from "node:fs";
import { MemoryFileSystem, nodeFileSystem } from "berkeley-db-js";
import { lintFileMode } from "../../authinfo/lint/file-mode.ts";
import type { LintFinding } from "../../authinfo/lint/finding.ts";
import { limitFindings } from "../../authinfo/lint/finding-list.ts";
import { fixSource } from "../../authinfo/lint/fix-source.ts";
import { lintRecords } from "../../authinfo/lint/lint-records.ts";
import { lintSource } from "../../authinfo/lint/lint-source.ts";
import type { LintOptions } from "../../authinfo/lint/options.ts";
import { readWhole } from "../../files/read-whole.ts";
import { Replacement } from "../../files/replacement.ts";
import { strerror } from "../../files/strerror.ts";
import { DatabaseFile } from "../../hash-file/database-file.ts";
import { kindOfRecords } from "../../map-file/map-kind.ts";
import { isDatabase } from "../../map-file/read-map.ts";
import { say } from "../error-output.ts";
import { InputError, openInput } from "../input.ts";
import { printable } from "../printable.ts";
import { packageVersion } from "../version.ts";
import type { Context } from "./context.ts";
import { jsonReport, type LintedFile, type LintTrouble, SarifReport, textReport } from "./lint-report.ts";
import { putInPlace, watchFor } from "./replacing.ts";
import { type SourceFlags, sourceOptions } from "./source-flags.ts";
import { paintFor } from "./style.ts";
import { targetFile } from "./target-file.ts";
import { TROUBLE, Trouble, troubleWith } from "./trouble.ts";

interface Options extends SourceFlags {
  readonly format: "text" | "json" | "sarif";
  readonly fix?: true;
}

const STANDARD_INPUT = "-";
const OWNER_ALONE = 0o600;
/** Bytes that tell what a file is. */
const BEGINNING = 4096;
/** Findings of a code that anybody reads. */
const MOST = 1000;

/** @returns 1 where an error or a warning is left. */
export async function run(
  { program, output }: Context,
  [names = []]: readonly (string | readonly string[])[],
  options: Options,
): Promise<number> {
  const sources = [names].flat();
  if (options.fix && sources.includes(STANDARD_INPUT)) throw new Trouble("--fix: standard input cannot be mended");
  const report = reporter(program, options.format);
  const troubles: LintTrouble[] = [];
  let isClean = true;
  output.write(report.begin());
  for (const name of sources) {
    try {
      const file = await lintFile(name, options);
      if (file.findings.some(({ severity }) => severity !== "note")) isClean = false;
      for (const text of report.file(file)) output.write(text);
      if (output.isFull) await output.flush();
    } catch (error) {
      const trouble = troubleWith(name, error);
      if (!(trouble instanceof Trouble)) throw trouble;
      troubles.push({ name, message: trouble.message });
      say(`${program}: ${printable(trouble.message)}\n`);
    }
  }
  output.write(report.end(troubles));
  if (troubles.length > 0) return TROUBLE;
  return isClean ? 0 : 1;
}

function reporter(program: string, format: Options["format"]): Pick<SarifReport, "begin" | "file" | "end"> {
  if (format === "sarif") return new SarifReport({ program, version: packageVersion(), folder: process.cwd() });
  const paint = paintFor(process.stdout);
  return { begin: () => "", file: (file) => (format === "json" ? jsonReport(file) : textReport(file, paint)), end: () => "" };
}

/** @throws {Trouble} and errors of the file system. */
async function lintFile(name: string, options: Options): Promise<LintedFile> {
  const how = { ...sourceOptions(options), most: MOST };
  if (name === STANDARD_INPUT) {
    const text = await readInput();
    if (isDatabase("", text.subarray(0, BEGINNING), "allowed")) throw new Trouble("standard input: a database is read from a file alone");
    return { name, text, findings: lintSource(text, how), mended: [] };
  }
  // What is to be mended is a file: nobody is waited for who would write to a pipe.
  const check = options.fix ? watchFor(name, targetFile(name).path) : undefined;
  const { bytes: text, status } = readFile(name);
  if (isDatabase(name, text.subarray(0, BEGINNING), "allowed")) {
    return { name, text: undefined, findings: [...modeFindings(status, "map"), ...lintMap(name, text, how)], mended: [] };
  }
  const about = modeFindings(status, "source");
  if (check === undefined) return { name, text, findings: [...about, ...lintSource(text, how)], mended: [] };
  const { bytes, mended, remaining } = fixSource(text, how);
  if (mended.length > 0) await replaceFile(name, bytes, check);
  return { name, text: bytes, findings: [...about, ...remaining], mended: limitFindings(mended, MOST) };
}

/** What it holds, and the mode of this very file. */
function readFile(name: string): { readonly bytes: Uint8Array; readonly status: Stats } {
  const file = openSync(name, "r");
  try {
    return { status: fstatSync(file), bytes: readWhole(file) };
  } finally {
    closeSync(file);
  }
}

function modeFindings(status: Stats, kind: "map" | "source"): LintFinding[] {
  return status.isFile() ? lintFileMode(status.mode, kind) : [];
}

function lintMap(name: string, bytes: Uint8Array, how: LintOptions): LintFinding[] {
  const memory = new MemoryFileSystem();
  memory.writeFile(name, bytes);
  const records = [...new DatabaseFile(memory.open(name, { write: false }, 0)).records()];
  if (kindOfRecords(records) === "sasldb") throw new Trouble(`${name}: a SASL database, and no authinfo map`);
  return lintRecords(
    records.map(({ key, data }) => [key, data] as const),
    how,
  );
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of (await openInput(false)).chunks) chunks.push(chunk);
  } catch (error) {
    if (error instanceof InputError) throw new Trouble(`standard input: ${strerror(error.cause)}`);
    throw error;
  }
  return Buffer.concat(chunks);
}

/** All or nothing; a file with other names stays that file. */
async function replaceFile(name: string, bytes: Uint8Array, check: () => void): Promise<void> {
  const target = targetFile(name).path;
  const inPlace = statSync(target).nlink > 1;
  const make = (begin: (replacement: Replacement) => void): void => {
    const replacement = new Replacement(target, { fileSystem: nodeFileSystem, mode: OWNER_ALONE, inPlace });
    begin(replacement);
    replacement.write(bytes);
  };
  await putInPlace(make, (action) => {
    check();
    action();
  });
}
