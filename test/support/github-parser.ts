/**
 * What GitHub makes of its files: actions and workflows, read by its own
 * parser (test/support/github-parser.child.ts) and its own expressions.
 */
import assert from "node:assert/strict";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { runChild } from "./child.ts";
import { rootFolder } from "./fixtures.ts";

/** What its parser has against a file, by its path in the repository or as it is given. */
export function githubErrors(kind: "action" | "workflow", path: string, content?: string): string[] {
  const child = new URL("./github-parser.child.js", import.meta.url);
  const { status, stdout, stderr } = runChild(child, [kind, `${rootFolder}${path}`, ...(content === undefined ? [] : [content])]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as string[];
}

export type Contexts = Readonly<Record<string, unknown>>;

/** The functions that depend on how the steps before went. */
function statusFunctions(hasFailed: boolean): [string, boolean][] {
  return [
    ["always", true],
    ["success", !hasFailed],
    ["failure", hasFailed],
  ];
}

/** An expression, without its braces. */
function evaluate(expression: string, contexts: Contexts, hasFailed: boolean): data.ExpressionData {
  const functions = statusFunctions(hasFailed).map(([name, value]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(value),
  }));
  const context = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  const parsed = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions).parse();
  return new Evaluator(parsed, context, new Map(functions.map((one) => [one.name, one]))).evaluate();
}

/** A text with expressions in it. */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => evaluate(expression, contexts, false).coerceString());
}

/** Whether a step runs: its condition means "and if all went well" where it asks for no status. */
export function isMet(condition: string | undefined, contexts: Contexts, hasFailed: boolean): boolean {
  if (condition === undefined) return !hasFailed;
  const expression = condition.replace(/^\$\{\{(.*)\}\}$/s, "$1");
  if (hasFailed && !/\b(always|failure|success)\(\)/.test(expression)) return false;
  return evaluate(`!!(${expression})`, contexts, hasFailed).coerceString() === "true";
}
