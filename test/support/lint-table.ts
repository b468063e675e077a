/**
 * The table of docs/lint.md, made from the rules. Run as a program, it writes
 * the table into the file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { LINT_RULES, type Rule } from "#src/authinfo/lint/rules.js";
import { rootFolder } from "./fixtures.ts";

export const LINT_DOCUMENT: string = `${rootFolder}docs/lint.md`;
const BEGIN = "<!-- The table of codes: node .build/test/support/lint-table.js makes it. -->\n";
const END = "<!-- The end of the table. -->\n";

function lintTable(): string {
  const rows = Object.entries(LINT_RULES).map(([code, rule]) => row(code, rule));
  return `| code | severity | what | why | mend |\n| --- | --- | --- | --- | --- |\n${rows.join("")}`;
}

function row(code: string, { severities, what, why, mend, fix }: Rule): string {
  const cells = [`\`${code}\``, severities.join(", "), what, why, `${mend}${fix === undefined ? "" : " (`--fix`)"}`];
  return `| ${cells.map(cell).join(" | ")} |\n`;
}

/** What a finding fills in is left open; nothing is taken for a sign of Markdown. */
function cell(text: string): string {
  return text.replace(/\{\w+\}/g, "…").replace(/[|*<>]/g, "\\$&");
}

/** The file with the table of now in it. */
export function withTable(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error("docs/lint.md: where is the table?");
  return document.slice(0, begin + BEGIN.length) + lintTable() + document.slice(end);
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(LINT_DOCUMENT, withTable(readFileSync(LINT_DOCUMENT, "utf8")));
