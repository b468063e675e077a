/**
 * The findings of lint as text, as JSON and as SARIF. None of them quotes a
 * file: what stands at a place may be a password.
 */
import { createHash } from "node:crypto";
import { relative, resolve, sep } from "node:path";
import type { LintFinding } from "../../authinfo/lint/finding.ts";
import { findingText, LINT_RULES, type LintCode, mendText } from "../../authinfo/lint/rules.ts";
import { printable } from "../printable.ts";
import type { Paint } from "./style.ts";

/** What was found in a file. */
export interface LintedFile {
  /** As it was named; "-" for standard input. */
  readonly name: string;
  /** What the places of the findings are places in; undefined for a map. */
  readonly text: Uint8Array | undefined;
  readonly findings: readonly LintFinding[];
  readonly mended: readonly LintFinding[];
}

/** A file that could not be looked at. */
export interface LintTrouble {
  readonly name: string;
  readonly message: string;
}

const COLOURS = { error: "red", warning: "yellow", note: "cyan" } as const;

/** Two lines a finding: where, how bad, which and what; and the mend. */
export function* textReport({ name, findings, mended }: LintedFile, paint: Paint): Generator<string> {
  for (const finding of mended) {
    yield `${place(name, finding)}: ${paint("green", "mended")} ${finding.code}: ${findingText(finding.code, finding.args)}\n`;
  }
  for (const finding of findings) {
    const { code, severity, args } = finding;
    const head = `${place(name, finding)}: ${paint(COLOURS[severity], severity)} ${code}: ${findingText(code, args)}`;
    yield `${head}\n    mend: ${mendText(code, args)}\n`;
  }
}

function place(name: string, { line, column, record, key }: LintFinding): string {
  const file = printable(name === "-" ? "standard input" : name);
  if (line !== undefined) return `${file}:${line}:${column}`;
  return record === undefined ? file : `${file}: record ${record}, ${printable(key ?? "")}`;
}

/** A JSON object to a line, one for each finding. */
export function* jsonReport({ name, findings, mended }: LintedFile): Generator<string> {
  const object = (finding: LintFinding, isMended: boolean): object => {
    const { code, severity, args, line, column, length, record, key, edits } = finding;
    return {
      file: name,
      line,
      column,
      length,
      record,
      key,
      severity,
      code,
      message: findingText(code, args),
      mend: mendText(code, args),
      fixable: edits !== undefined,
      mended: isMended,
    };
  };
  for (const finding of mended) yield `${JSON.stringify(object(finding, true))}\n`;
  for (const finding of findings) yield `${JSON.stringify(object(finding, false))}\n`;
}

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

export interface SarifRun {
  readonly program: string;
  readonly version: string;
  /** That relative URIs are relative to. */
  readonly folder: string;
}

/**
 * One log, of one run, for all files (OASIS SARIF 2.1.0), a result to a line as
 * it is found: a log as a whole can be more than a string holds. What was
 * mended is not in it.
 */
export class SarifReport {
  readonly #run: SarifRun;
  readonly #codes = Object.keys(LINT_RULES) as LintCode[];
  #separator = "\n";

  constructor(run: SarifRun) {
    this.#run = run;
  }

  begin(): string {
    const { program, version } = this.#run;
    const tool = { driver: { name: `${program} lint`, semanticVersion: version, rules: this.#codes.map(sarifRule) } };
    return `{"$schema":${JSON.stringify(SCHEMA)},"version":"2.1.0","runs":[{"tool":${JSON.stringify(tool)},
"columnKind":"unicodeCodePoints","results":[`;
  }

  *file(file: LintedFile): Generator<string> {
    for (const result of sarifResults(file, this.#codes, this.#run.folder)) {
      yield `${this.#separator}${JSON.stringify(result)}`;
      this.#separator = ",\n";
    }
  }

  end(troubles: readonly LintTrouble[]): string {
    const invocation = {
      executionSuccessful: troubles.length === 0,
      toolExecutionNotifications: troubles.map(({ message }) => ({ level: "error", message: { text: printable(message) } })),
    };
    return `],\n"invocations":[${JSON.stringify(invocation)}]}]}\n`;
  }
}

function sarifRule(code: LintCode): object {
  const { severities, what, why, mend, fix } = LINT_RULES[code];
  const mendLine = `Mend: ${blank(mend)}.`;
  return {
    id: code,
    shortDescription: { text: sentence(what) },
    fullDescription: { text: `${sentence(what)} ${why}` },
    help: { text: `${why} ${mendLine}${fix === undefined ? "" : " --fix does it where there is no doubt."}` },
    defaultConfiguration: { level: severities[0] },
  };
}

/** Of a general text: what a finding would fill in is left open. */
function blank(text: string): string {
  return text.replace(/\{\w+\}/g, "…");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function* sarifResults({ name, text, findings }: LintedFile, codes: readonly LintCode[], folder: string): Generator<object> {
  const seen = new Map<string, number>();
  for (const finding of findings) {
    const { code, severity, args, record, key } = finding;
    const what = `${code}\n${key ?? ""}`;
    const count = (seen.get(what) ?? 0) + 1;
    seen.set(what, count);
    yield {
      ruleId: code,
      ruleIndex: codes.indexOf(code),
      level: severity,
      message: { text: `${sentence(findingText(code, args))} Mend: ${mendText(code, args)}.` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: uriOf(name, folder) },
            ...(text !== undefined && finding.line !== undefined && { region: region(finding, text) }),
          },
          ...(record !== undefined && { logicalLocations: [{ name: printable(key ?? ""), kind: "record" }] }),
        },
      ],
      // Neither places, which move, nor what stands there, which may be a password.
      partialFingerprints: { "tsmapLint/v1": createHash("sha256").update(`${what}\n${count}`).digest("hex").slice(0, 32) },
    };
  }
}

/** Relative to the folder. */
function uriOf(name: string, folder: string): string {
  if (name === "-") return "stdin";
  return relative(folder, resolve(folder, name)).split(sep).map(encodeURIComponent).join("/");
}

/** SARIF counts columns in characters, where a finding counts bytes. */
function region({ line, column = 1, offset = 0, length = 0 }: LintFinding, text: Uint8Array): object {
  const lineStart = offset - column + 1;
  const newline = text.indexOf(0x0a, offset);
  const end = Math.min(offset + length, newline < 0 ? text.length : newline);
  return {
    startLine: line,
    startColumn: characters(text, lineStart, offset) + 1,
    endColumn: characters(text, lineStart, Math.max(offset, end)) + 1,
  };
}

/** Of UTF-8, and of other bytes about as many as an editor shows. */
function characters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (((bytes[at] as number) & 0xc0) !== 0x80) count += 1;
  return count;
}
