/**
 * The findings of check as text, as JSON and as SARIF. None of them quotes a
 * password.
 */
import type { CheckFinding } from "../../artifacts/check-finding.ts";
import { CHECK_RULES, type CheckCode, fillIn } from "../../artifacts/check-rules.ts";
import { placeText } from "../../artifacts/manifest-error.ts";
import type { Agreement } from "../../authinfo/agreement.ts";
import { findingText, mendText } from "../../authinfo/lint/rules.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { printable } from "../printable.ts";
import { OUTCOME_TEXTS, reasonText, shownReason } from "./authinfo-texts.ts";
import { lintMessage, lintRules } from "./lint-report.ts";
import { blank, type SarifResult, type SarifRule, sentence } from "./sarif.ts";
import type { Paint } from "./style.ts";

/** Two lines: where, which and what; and the mend. */
export function checkText(finding: CheckFinding, paint: Paint): string {
  const { code, severity, message, mend } = wordsOf(finding);
  const colour = severity === "error" ? "red" : "yellow";
  return `${printable(placeText(finding.place))}: ${paint(colour, severity)} ${code}: ${printable(message)}\n    mend: ${printable(mend)}\n`;
}

/** An object to a line. */
export function checkJson(finding: CheckFinding): string {
  const { file, line, column } = finding.place;
  return `${jsonText({ file, line, column, ...wordsOf(finding) })}\n`;
}

export function sarifResult(finding: CheckFinding): SarifResult {
  const { code, severity, message, mend } = wordsOf(finding);
  const { file, line, column } = finding.place;
  return {
    code,
    level: severity,
    message: finding.kind === "lint" ? lintMessage(finding.finding) : printable(`${sentence(message)} Mend: ${mend}.`),
    file,
    ...(line !== undefined && {
      region: { startLine: line, ...(column !== undefined && finding.kind === "check" && { startColumn: column }) },
    }),
    identity: `${code}\n${finding.kind === "check" ? (finding.args["path"] ?? finding.args["who"] ?? "") : ""}`,
  };
}

/** Those of check, and those of lint. */
export function checkRules(): SarifRule[] {
  const own = (Object.keys(CHECK_RULES) as CheckCode[]).map((code): SarifRule => {
    const { what, mend } = CHECK_RULES[code];
    return { id: code, short: sentence(blank(what)), full: sentence(blank(what)), help: `Mend: ${blank(mend)}.`, level: "error" };
  });
  return [...own, ...lintRules().filter(({ id }) => !Object.hasOwn(CHECK_RULES, id))];
}

interface Words {
  readonly severity: "error" | "warning" | "note";
  readonly code: string;
  readonly message: string;
  readonly mend: string;
}

function wordsOf(finding: CheckFinding): Words {
  if (finding.kind === "lint") {
    const { code, severity, args } = finding.finding;
    return { severity, code, message: findingText(code, args), mend: mendText(code, args) };
  }
  const { code, args, agreement } = finding;
  const filled = agreement === undefined ? args : { ...args, detail: agreementText(agreement) };
  return { severity: "error", code, message: fillIn(CHECK_RULES[code].what, filled), mend: fillIn(CHECK_RULES[code].mend, filled) };
}

/** Why a client would not be let in. */
function agreementText({ verdicts, resolution, outcome }: Agreement): string {
  if (verdicts.length === 0) return `${OUTCOME_TEXTS[outcome]}: ${reasonText(shownReason(resolution))}`;
  const reasons = new Set(verdicts.map(({ prediction }) => prediction.reason));
  return [...reasons].join("; ");
}
