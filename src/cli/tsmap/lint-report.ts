/**
 * The findings of lint as text, as JSON and as SARIF. None of them quotes a
 * file: what stands at a place may be a password.
 */
import type { LintFinding } from "../../authinfo/lint/finding.ts";
import { findingText, LINT_RULES, type LintCode, mendText } from "../../authinfo/lint/rules.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { printable } from "../printable.ts";
import { blank, SarifLog, type SarifRule, type SarifRun, sentence } from "./sarif.ts";
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
  for (const finding of mended) yield `${jsonText(object(finding, true))}\n`;
  for (const finding of findings) yield `${jsonText(object(finding, false))}\n`;
}

/**
 * One log for all files, a result to a line as it is found: a log as a whole can
 * be more than a string holds. What was mended is not in it.
 */
export class SarifReport {
  readonly #log: SarifLog;

  constructor(run: SarifRun) {
    this.#log = new SarifLog({ ...run, program: `${run.program} lint` }, lintRules());
  }

  begin(): string {
    return this.#log.begin();
  }

  *file({ name, text, findings }: LintedFile): Generator<string> {
    for (const finding of findings) {
      const { code, severity, record, key } = finding;
      yield this.#log.result({
        code,
        level: severity,
        message: lintMessage(finding),
        file: name,
        ...(text !== undefined && finding.line !== undefined && { region: region(finding, text) }),
        ...(record !== undefined && { record: printable(key ?? "") }),
        identity: `${code}\n${key ?? ""}`,
      });
    }
  }

  end(troubles: readonly LintTrouble[]): string {
    return this.#log.end(troubles.map(({ message }) => printable(message)));
  }
}

/** The finding and its mend, in two sentences. */
export function lintMessage({ code, args }: LintFinding): string {
  return `${sentence(findingText(code, args))} Mend: ${mendText(code, args)}.`;
}

export function lintRules(): SarifRule[] {
  return (Object.keys(LINT_RULES) as LintCode[]).map((code) => {
    const { severities, what, why, mend, fix } = LINT_RULES[code];
    const mendLine = `Mend: ${blank(mend)}.`;
    return {
      id: code,
      short: sentence(what),
      full: `${sentence(what)} ${why}`,
      help: `${why} ${mendLine}${fix === undefined ? "" : " --fix does it where there is no doubt."}`,
      level: severities[0],
    };
  });
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
