/**
 * tsmap lint: what is wrong with an authinfo map, its source text or the
 * database, and with --fix the mends that are certain.
 */
import { readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { nodeFileSystem, readFileHeader } from "berkeley-db-js";
import { lintFileMode } from "../../authinfo/lint/file-mode.ts";
import type { LintFinding } from "../../authinfo/lint/finding.ts";
import { fixSource } from "../../authinfo/lint/fix-source.ts";
import { lintRecords } from "../../authinfo/lint/lint-records.ts";
import { lintSource } from "../../authinfo/lint/lint-source.ts";
import type { LintOptions } from "../../authinfo/lint/options.ts";
import { Replacement } from "../../files/replacement.ts";
import { foreignKind } from "../../hash-file/foreign-kind.ts";
import { readMap } from "../../map-file/read-map.ts";
import { onSignal } from "../cleanup.ts";
import { say } from "../error-output.ts";
import { InputError, openInput } from "../input.ts";
import { printable } from "../printable.ts";
import { strerror } from "../strerror.ts";
import { packageVersion } from "../version.ts";
import type { Context } from "./context.ts";
import { jsonReport, type LintedFile, type LintTrouble, sarifReport, textReport } from "./lint-report.ts";
import { type SourceFlags, sourceOptions } from "./source-flags.ts";
import { paintFor } from "./style.ts";
import { TROUBLE, Trouble, troubleWith } from "./trouble.ts";

interface Options extends SourceFlags {
  readonly format: "text" | "json" | "sarif";
  readonly fix?: true;
}

const STANDARD_INPUT = "-";
const OWNER_ALONE = 0o600;
/** Bytes that tell what a file is. */
const HEADER = 512;

/** @returns 1 where an error or a warning is left. */
export async function run(
  { program, output }: Context,
  [names = []]: readonly (string | readonly string[])[],
  options: Options,
): Promise<number> {
  const sources = [names].flat();
  if (options.fix && sources.includes(STANDARD_INPUT)) throw new Trouble("--fix: standard input cannot be mended");
  const paint = paintFor(process.stdout);
  const files: LintedFile[] = [];
  const troubles: LintTrouble[] = [];
  for (const name of sources) {
    try {
      const file = await lintFile(name, options);
      files.push(file);
      if (options.format === "text") output.write(textReport(file, paint));
      if (options.format === "json") output.write(jsonReport(file));
    } catch (error) {
      const trouble = troubleWith(name, error);
      if (!(trouble instanceof Trouble)) throw trouble;
      troubles.push({ name, message: trouble.message });
      say(`${program}: ${printable(trouble.message)}\n`);
    }
  }
  if (options.format === "sarif") output.write(sarifReport(files, troubles, { program, version: packageVersion(), folder: process.cwd() }));
  if (troubles.length > 0) return TROUBLE;
  return files.some(({ findings }) => findings.some(({ severity }) => severity !== "note")) ? 1 : 0;
}

/** @throws {Trouble} and errors of the file system. */
async function lintFile(name: string, options: Options): Promise<LintedFile> {
  const how = sourceOptions(options);
  if (name === STANDARD_INPUT) {
    const text = await readInput();
    if (kindOf(name, text) === "map") throw new Trouble("standard input: a database is read from a file alone");
    return { name, text, findings: lintSource(text, how), mended: [] };
  }
  const status = statSync(name);
  const text = readFileSync(name);
  if (kindOf(name, text) === "map") {
    return { name, text: undefined, findings: [...modeFindings(status, "map"), ...lintMap(name, how)], mended: [] };
  }
  const about = modeFindings(status, "source");
  if (!options.fix) return { name, text, findings: [...about, ...lintSource(text, how)], mended: [] };
  const { bytes, mended, remaining } = fixSource(text, how);
  if (mended.length > 0) replaceFile(name, bytes);
  return { name, text: bytes, findings: [...about, ...remaining], mended };
}

/** Whether it is a database, or called one; what is neither that nor text is refused. */
function kindOf(name: string, bytes: Uint8Array): "map" | "source" {
  if (name.endsWith(".db") || readFileHeader(bytes.subarray(0, HEADER)) !== undefined) return "map";
  const kind = foreignKind(bytes.subarray(0, HEADER));
  if (kind === "" || kind === ", but text" || kind === ", but empty") return "source";
  throw new Trouble(`${name}: not the source text of a map${kind}`);
}

function modeFindings(status: Stats, kind: "map" | "source"): LintFinding[] {
  return status.isFile() ? lintFileMode(status.mode, kind) : [];
}

function lintMap(name: string, how: LintOptions): LintFinding[] {
  const records = readMap(name, how).map(({ key, data }) => [key, data] as const);
  if (records.length > 0 && records.every(([key]) => isSasldbKey(key))) throw new Trouble(`${name}: a SASL database, and no authinfo map`);
  return lintRecords(records, how);
}

/** User, realm and property with a NUL between them. */
function isSasldbKey(key: Uint8Array): boolean {
  return key[0] !== 0 && key.at(-1) !== 0 && key.filter((byte) => byte === 0).length === 2;
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
function replaceFile(name: string, bytes: Uint8Array): void {
  const target = realpathSync(name);
  const inPlace = statSync(target).nlink > 1;
  let replacement: Replacement | undefined;
  const forget = onSignal(() => replacement?.abandon());
  try {
    replacement = new Replacement(target, { fileSystem: nodeFileSystem, mode: OWNER_ALONE, inPlace });
    const file = nodeFileSystem.open(replacement.path, { write: true }, 0);
    try {
      file.write(bytes, 0);
    } finally {
      file.close();
    }
    replacement.commit();
  } catch (error) {
    replacement?.abandon();
    throw error;
  } finally {
    forget();
  }
}
