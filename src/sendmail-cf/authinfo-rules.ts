/**
 * The Sauthinfo ruleset of FEATURE(`authinfo'): its five rules, and what of them
 * a configuration has.
 */
import { type CfLine, type CfRuleset, parseRule, rulesetsOf } from "./cf-file.ts";

/** Name of the ruleset, and of the map that it asks. */
export const AUTHINFO = "authinfo";

/** Left side, right side and comment, with the tabs that the guide has between them. */
const RULES = [
  "R$*\t\t$: <$(authinfo AuthInfo:$&{server_name} $: ? $)>",
  "R<?>\t$: <$(authinfo AuthInfo:$&{server_addr} $: ? $)>",
  "R<?>\t$: <$(authinfo AuthInfo: $: ? $)>",
  "R<?>\t$@ no\tno authinfo available",
  "R<$*>\t$# $1",
] as const;

/** The five rules as they are written into a file. */
export const AUTHINFO_RULES: readonly string[] = RULES;

/** The rule whose comment is printed with blanks before it. */
const NO_ENTRY = 3;

const EXPECTED = RULES.map((rule) => {
  const [left = "", right = ""] = rule.slice(1).split(/\t+/);
  return { left: tokens(left), right: tokens(right) };
});

/** A rule of a configuration that is one of the five, or is meant to be. */
export interface AuthinfoRule {
  readonly line: CfLine;
  /** From 0. */
  readonly index: number;
  /** "blanks": blanks stand where a tab has to be. "comment": the comment is part of the right side, which does no harm. */
  readonly fault: "blanks" | "comment" | undefined;
}

/** What a configuration has of the ruleset. */
export interface AuthinfoRuleset {
  readonly blocks: readonly CfRuleset[];
  /** The rules of all blocks, as one: so sendmail takes them. */
  readonly rules: readonly (AuthinfoRule | { readonly line: CfLine; readonly index: undefined })[];
  /** Rules that ask the map and stand in another ruleset. */
  readonly misplaced: readonly { readonly line: CfLine; readonly ruleset: string }[];
}

export function authinfoRulesetOf(lines: readonly CfLine[]): AuthinfoRuleset {
  const rulesets = rulesetsOf(lines);
  const blocks = rulesets.filter(({ name }) => name === AUTHINFO);
  const rules = blocks.flatMap((block) => block.rules.map((line) => recognise(line) ?? { line, index: undefined }));
  const first = rulesets[0]?.header.start ?? Number.POSITIVE_INFINITY;
  const orphans = lines.filter((line) => line.text.startsWith("R") && line.start < first && asksMap(line));
  const misplaced = [
    ...orphans.map((line) => ({ line, ruleset: "" })),
    ...rulesets
      .filter(({ name }) => name !== AUTHINFO)
      .flatMap(({ name, rules: others }) => others.filter(asksMap).map((line) => ({ line, ruleset: name }))),
  ];
  return { blocks, rules, misplaced };
}

function asksMap({ text }: CfLine): boolean {
  return /\$\(\s*authinfo\s/i.test(text);
}

/** Which of the five a rule is. */
function recognise(line: CfLine): AuthinfoRule | undefined {
  const rule = parseRule(line);
  if (rule !== undefined) {
    const left = tokens(rule.left);
    const right = tokens(rule.right);
    const index = EXPECTED.findIndex((one) => one.left === left && one.right === right);
    if (index >= 0) return { line, index, fault: undefined };
    const { left: noLeft, right: noRight } = EXPECTED[NO_ENTRY] as (typeof EXPECTED)[number];
    if (left === noLeft && right.startsWith(`${noRight} `) && !right.slice(noRight.length).includes("$")) {
      return { line, index: NO_ENTRY, fault: "comment" };
    }
  }
  // A no-break space is a blank to the eye alone.
  const whole = tokens(line.text.slice(1).replace(/\xc2?\xa0/g, " "));
  const index = EXPECTED.findIndex(({ left, right }) => `${whole} `.startsWith(`${left} ${right} `));
  return index < 0 ? undefined : { line, index, fault: "blanks" };
}

/** As sendmail takes a side apart, as far as it matters here; letter case counts in the names of macros alone. */
function tokens(side: string): string {
  const found = side.match(/\$[&=~]?\{[^}]*\}|\$.|[\w-]+|[^ \t-\r]/g) ?? [];
  return found.map((token) => (token.startsWith("$") ? token : token.toLowerCase())).join(" ");
}

/** Whether the rules that sendmail keeps answer as they should: the five, in order, before any other. */
export function isComplete(rules: AuthinfoRuleset["rules"]): boolean {
  const kept = rules.filter((rule) => rule.index === undefined || rule.fault !== "blanks");
  return EXPECTED.every((_, i) => kept[i]?.index === i);
}

/** Rules of any ruleset that no tab divides, but for those that are meant to be authinfo's. */
export function undividedRules(lines: readonly CfLine[]): CfLine[] {
  const own = new Set(authinfoRulesetOf(lines).rules.flatMap(({ line, index }) => (index === undefined ? [] : [line])));
  return lines.filter((line) => line.text.startsWith("R") && parseRule(line) === undefined && !own.has(line));
}
