/**
 * sendmail.cf and submit.cf as lines, as sendmail 8.17.1.9 reads them (readcf.c,
 * fgetfolded of util.c).
 *
 * A file is a string with one character for each of its bytes: offsets in it are
 * offsets in the file, and what is not changed stays as it is, byte for byte.
 */
import { findOption } from "./option-names.ts";

/** A line with those that continue it. */
export interface CfLine {
  /** Of its first line, from 1. */
  readonly line: number;
  /** Of its last one, which is the one that sendmail names. */
  readonly lastLine: number;
  readonly start: number;
  /** Behind its line end. */
  readonly end: number;
  /** What sendmail takes of it: no remark behind `#`, no white space at its end. Empty for a comment. */
  readonly text: string;
}

/** A ruleset's header, and the rules up to the next header. */
export interface CfRuleset {
  readonly name: string;
  readonly header: CfLine;
  readonly rules: readonly CfLine[];
}

/** A rule, whose parts are separated by tabs. */
export interface CfRule {
  readonly left: string;
  readonly right: string;
  readonly comment: string;
}

/** A K line. */
export interface CfMap {
  readonly line: CfLine;
  /** In lower case, as the class. */
  readonly name: string;
  readonly mapClass: string;
  /** Their letters. */
  readonly flags: string;
  /** Undefined where none is named. */
  readonly path: string | undefined;
  /** Where the path stands in the text of the line. */
  readonly pathAt: number;
}

/** What a line of sendmail's configuration can begin with. */
const LETTERS = "CDEFHKMOPQRSTVX";

/** White space that continues a line. */
const CONTINUATION = /[ \t]/;

/** The lines of a file, in order. */
export function readCf(source: string): CfLine[] {
  const lines: CfLine[] = [];
  let number = 1;
  for (let start = 0; start < source.length; ) {
    let end = start;
    let lastLine = number - 1;
    do {
      const newline = source.indexOf("\n", end);
      end = newline < 0 ? source.length : newline + 1;
      lastLine += 1;
    } while (end < source.length && CONTINUATION.test(source.charAt(end)));
    lines.push({ line: number, lastLine, start, end, text: significantText(source.slice(start, end)) });
    number = lastLine + 1;
    start = end;
  }
  return lines;
}

/** Without what sendmail takes away before it looks at the line. A comment takes its continuations with it. */
function significantText(raw: string): string {
  if (raw.startsWith("#")) return "";
  return trimEnd(raw.replaceAll("\r\n", "\n").split("\n").map(withoutRemark).join("\n"), " \t\n\v\f\r");
}

/** Of one line. `#` begins a remark, but for `$#` and `\\#`; white space before it goes too. */
function withoutRemark(line: string): string {
  let text = "";
  let from = 0;
  for (let at = 0; at < line.length; at++) {
    const next = line.charAt(at + 1);
    if (line.charAt(at) === "$") {
      // The name of a macro is not looked at, nor is what stands before it.
      at += next !== "" && "=~&?".includes(next) ? 2 : 1;
    } else if (line.charAt(at) === "\\" && next === "#") {
      text += line.slice(from, at);
      from = at + 1;
      at += 1;
    } else if (line.charAt(at) === "#") {
      return trimEnd(text + line.slice(from, at), " \t\v\f\r");
    }
  }
  return text + line.slice(from);
}

/** An expression would try each of many blanks anew. */
function trimEnd(text: string, blanks: string): string {
  let end = text.length;
  while (end > 0 && blanks.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** Lines that are none of sendmail's. */
export function unknownLines(lines: readonly CfLine[]): CfLine[] {
  return lines.filter(({ text }) => text !== "" && !LETTERS.includes(text.charAt(0)));
}

/** The level of the configuration: 10 for sendmail 8.12 and later. */
export function configurationLevel(lines: readonly CfLine[]): number | undefined {
  const level = lines.map(({ text }) => /^V *(\d+)/.exec(text)?.[1]).find((found) => found !== undefined);
  return level === undefined ? undefined : Number(level);
}

/** All rulesets, in the order of their headers: one that is defined twice is there twice, and has the rules of both. */
export function rulesetsOf(lines: readonly CfLine[]): CfRuleset[] {
  const rulesets: (CfRuleset & { readonly rules: CfLine[] })[] = [];
  for (const line of lines) {
    if (line.text.startsWith("S")) rulesets.push({ name: rulesetName(line.text), header: line, rules: [] });
    else if (line.text.startsWith("R")) rulesets.at(-1)?.rules.push(line);
  }
  return rulesets;
}

function rulesetName(text: string): string {
  return /^S[ \t-\r]*(\w+)/.exec(text)?.[1] ?? "";
}

/** @returns undefined where no tab separates the sides: sendmail leaves such a rule out. */
export function parseRule({ text }: CfLine): CfRule | undefined {
  const match = /^R([^\t]*)\t+([^\t]*)(?:\t(.*))?$/s.exec(text);
  return match === null ? undefined : { left: match[1] ?? "", right: match[2] ?? "", comment: (match[3] ?? "").trim() };
}

/** The maps of all K lines; of those with one name the last counts. */
export function mapsOf(lines: readonly CfLine[]): CfMap[] {
  return lines.flatMap((line) => {
    const match = /^K[ \t-\r]*([\w.-]+)[ \t-\r]+([\w.]+)(.*)$/s.exec(line.text);
    if (match === null) return [];
    const [whole, name = "", mapClass = "", rest = ""] = match;
    const words = [...rest.matchAll(/[^ \t-\r]+/g)];
    const flags: string[] = [];
    while (words[0]?.[0].startsWith("-")) {
      // One letter a word: what stands behind it is its value, or nothing.
      flags.push(words.shift()?.[0].charAt(1) ?? "");
    }
    const path = words[0];
    return [
      {
        line,
        name: name.toLowerCase(),
        mapClass: mapClass.toLowerCase(),
        flags: flags.join(""),
        path: path?.[0],
        pathAt: whole.length - rest.length + (path?.index ?? rest.length),
      },
    ];
  });
}

/** An option, a macro or the members of a class, and where its value stands in the text of its line. */
export interface CfSetting {
  readonly line: CfLine;
  /** As it is written. */
  readonly name: string;
  readonly value: string;
  readonly valueAt: number;
}

/** The options that the guide is about, and the letter that one of them has. */
const OPTIONS = { AuthMechanisms: undefined, DaemonPortOptions: "O", DefaultAuthInfo: undefined, RunAsUser: undefined } as const;

export type OptionName = keyof typeof OPTIONS;

/** The lines that set an option, in order. */
export function optionsOf(lines: readonly CfLine[], wanted: OptionName): CfSetting[] {
  const letter = OPTIONS[wanted];
  return lines.flatMap((line) => {
    if (letter !== undefined && line.text.startsWith(`O${letter}`)) return [{ line, name: letter, value: line.text.slice(2), valueAt: 2 }];
    const setting = namedOption(line);
    return setting !== undefined && findOption(setting.name)?.name === wanted ? [setting] : [];
  });
}

/** An option by its name: behind one blank, and no tab. A `Timeout.x` is the option Timeout. */
function namedOption(line: CfLine): CfSetting | undefined {
  const { text } = line;
  if (!text.startsWith("O ")) return undefined;
  const equals = text.indexOf("=");
  const name = trimEnd(text.slice(2, equals < 0 ? undefined : equals), " ");
  let valueAt = equals < 0 ? text.length : equals + 1;
  while (text.charAt(valueAt) === " ") valueAt += 1;
  return { line, name: name.replace(/^(timeout)\..*$/is, "$1"), value: text.slice(valueAt), valueAt };
}

/** Lines that begin with O, and set no option of sendmail 8.17. */
export function unknownOptions(lines: readonly CfLine[]): CfSetting[] {
  return lines.flatMap((line) => {
    const setting = namedOption(line);
    if (setting !== undefined) return findOption(setting.name) === undefined ? [setting] : [];
    return /^O(?![A-Za-z0-9])/.test(line.text) ? [{ line, name: line.text.slice(1).split("=")[0] ?? "", value: "", valueAt: 0 }] : [];
  });
}

/** The definitions of a macro: a letter or a name of several. The last one counts. */
export function macrosOf(lines: readonly CfLine[], name: string): CfSetting[] {
  const head = `D${idText(name)}`;
  return lines
    .filter(({ text }) => text.startsWith(head))
    .map((line) => ({ line, name, value: line.text.slice(head.length), valueAt: head.length }));
}

/** The members of a class on C lines. */
export function classLinesOf(lines: readonly CfLine[], name: string): CfSetting[] {
  const head = `C${idText(name)}`;
  return lines
    .filter(({ text }) => text.startsWith(head))
    .map((line) => ({ line, name, value: line.text.slice(head.length), valueAt: head.length }));
}

/** An F line: a class from a file. */
export interface CfClassFile {
  readonly line: CfLine;
  readonly isOptional: boolean;
  /** Undefined where none is named; a program or a map is none. */
  readonly path: string | undefined;
  readonly pathAt: number;
}

/** The F lines of a class of one letter. */
export function classFilesOf(lines: readonly CfLine[], letter: string): CfClassFile[] {
  return lines.flatMap((line) => {
    const match = new RegExp(`^F(?:\\{${letter}\\}|${letter})[ \\t-\\r]*(-o[^ \\t-\\r]*[ \\t-\\r]*)?`).exec(line.text);
    if (match === null) return [];
    const rest = line.text.slice(match[0].length);
    const path = /^"([^"]*)"|^([^ \t-\r|@][^ \t-\r]*)/.exec(rest);
    return [
      {
        line,
        isOptional: match[1] !== undefined,
        path: path === null ? undefined : (path[1] ?? path[2]),
        pathAt: match[0].length + (path?.[1] === undefined ? 0 : 1),
      },
    ];
  });
}

function idText(name: string): string {
  return name.length === 1 ? name : `{${name}}`;
}

/** A port of DaemonPortOptions. */
export interface CfDaemon {
  readonly option: CfSetting;
  readonly name: string | undefined;
  readonly port: string | undefined;
  /** Letters of the last M=, and where they stand in the text of the line. Undefined where there is none. */
  readonly modifiers: { readonly letters: string; readonly at: number } | undefined;
}

/** The ports that the daemon listens on. Of a key its first letter counts. */
export function daemonsOf(lines: readonly CfLine[]): CfDaemon[] {
  return optionsOf(lines, "DaemonPortOptions").map((option) => {
    const values = new Map<string, { readonly value: string; readonly at: number }>();
    let at = option.valueAt;
    for (const part of option.value.split(",")) {
      const match = /^([ \t-\r]*([A-Za-z])[^=]*=[ \t-\r]*)(.*)$/s.exec(part);
      if (match !== null) values.set((match[2] ?? "").toUpperCase(), { value: match[3] ?? "", at: at + (match[1]?.length ?? 0) });
      at += part.length + 1;
    }
    const modifiers = values.get("M");
    return {
      option,
      name: values.get("N")?.value,
      port: values.get("P")?.value,
      modifiers: modifiers === undefined ? undefined : { letters: modifiers.value, at: modifiers.at },
    };
  });
}
