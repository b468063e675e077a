/**
 * The guide's changes to sendmail.cf and submit.cf: a file's text in, edits out.
 * What already does its work is left as it is, so that a second run finds
 * nothing to do.
 */
import { AUTHINFO_RULES, type AuthinfoRule, authinfoRulesetOf, isComplete, undividedRules } from "./authinfo-rules.ts";
import {
  type CfLine,
  type CfSetting,
  classFilesOf,
  classLinesOf,
  configurationLevel,
  daemonsOf,
  macrosOf,
  mapsOf,
  optionsOf,
  readCf,
  unknownLines,
  unknownOptions,
} from "./cf-file.ts";
import {
  CLIENT_MECHANISMS,
  DEFAULT_DOMAINS,
  DEFAULT_MAP,
  hostIn,
  isMainDaemon,
  isSubmission,
  MAP_CLASSES,
  MODIFIERS,
  mechanismsIn,
  PASSWORD_MECHANISMS,
  RELAY_MECHANISMS,
  TRUSTED_MECHANISMS,
  withModifiers,
} from "./requirements.ts";

/** A stretch of a file that is replaced. Offsets are those in the file. */
export interface CfEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Why a file is left alone. */
export interface CfRefusal {
  readonly code: CfRefusalCode;
  /** From 1; undefined for what concerns the whole file. */
  readonly line: number | undefined;
  readonly args: Readonly<Record<string, string>>;
}

export type CfRefusalCode =
  | "not-a-configuration"
  | "nul-byte"
  | "unknown-line"
  | "unknown-option"
  | "rule-without-tab"
  | "submission-file"
  | "not-submission-file"
  | "no-place"
  | "tangled-line"
  | "foreign-rule"
  | "misplaced-rule"
  | "relay-needed";

/** The one table of them; `{name}` stands for an argument. */
export const CF_REFUSALS: Readonly<Record<CfRefusalCode, string>> = {
  "not-a-configuration": "this is no configuration of sendmail: it has no V line of level 3 or later",
  "nul-byte": "a NUL byte",
  "unknown-line": "sendmail has no line that begins so",
  "rule-without-tab": "no tab separates the two sides of this rule",
  "unknown-option": "sendmail 8.17 has no option {name}, or several that begin so",
  "submission-file": "this is the file of the submission program (submit.cf): the relay's is sendmail.cf",
  "not-submission-file": "this file has no {MTAHost} macro: --mta-host is for submit.cf",
  "no-place": "there is no place known for {what}: neither the line itself, nor a comment that marks its place",
  "tangled-line": "the line is continued, or has an escaped #: {what} in it has to be changed by hand",
  "foreign-rule": "the ruleset authinfo has a rule that is none of FEATURE(authinfo)'s: it has to be looked at",
  "misplaced-rule": "a rule that asks the map authinfo stands in the ruleset {ruleset}: it has to be moved, or to go",
  "relay-needed": "DS is empty, and no relay was named for it",
};

export interface RelayChanges {
  readonly role: "relay";
  /** The file of the domains that may relay. Default: the one that is named, or /etc/mail/relay-domains. */
  readonly domains?: string | undefined;
}

export interface ClientChanges {
  readonly role: "client";
  /** Default: the one that is named. */
  readonly relay?: string | undefined;
  /** Path of the map, with or without ".db". Default: the one that is named, or /etc/mail/authinfo/smtp-auth. */
  readonly map?: string | undefined;
  /** Where the submission program hands mail in. Default: as it is. */
  readonly mtaHost?: string | undefined;
}

export interface CfPatch {
  /** In the order of the file; none overlaps another. Empty where there is nothing to do, or where the file is left alone. */
  readonly edits: readonly CfEdit[];
  readonly refusals: readonly CfRefusal[];
}

/**
 * Finds what is to be changed.
 * @param source a file, one character for each byte.
 */
export function patchCf(source: string, changes: RelayChanges | ClientChanges): CfPatch {
  const patch = new Patch(source);
  patch.checkFile(changes.role);
  if (patch.refusals.length > 0) return { edits: [], refusals: patch.refusals };
  if (changes.role === "relay") {
    patch.relayDomains(changes.domains);
    patch.daemon();
    patch.mechanisms(RELAY_MECHANISMS, TRUSTED_MECHANISMS);
  } else {
    patch.smartHost(changes.relay);
    patch.map(changes.map);
    patch.mechanisms(CLIENT_MECHANISMS, undefined);
    patch.rules();
    if (changes.mtaHost !== undefined) patch.mtaHost(changes.mtaHost);
  }
  const edits = patch.edits.sort((a, b) => a.start - b.start || rank(a) - rank(b));
  return { edits: patch.refusals.length > 0 ? [] : edits, refusals: patch.refusals };
}

/** At one place: what is put at the end of a line, what is put below it, and what takes the place of the next one. */
function rank({ start, end, text }: CfEdit): number {
  if (end > start) return 2;
  return text.includes("\n") ? 1 : 0;
}

/** The file with its edits. */
export function applyEdits(source: string, edits: readonly CfEdit[]): string {
  let result = "";
  let at = 0;
  for (const { start, end, text } of edits) {
    result += source.slice(at, start) + text;
    at = end;
  }
  return result + source.slice(at);
}

/** An option by its name may have no value at all, nor a sign before it. */
function missingEquals({ line: { text }, valueAt }: CfSetting): string {
  return text.startsWith("O ") && !text.slice(0, valueAt).includes("=") ? "=" : "";
}

class Patch {
  readonly edits: CfEdit[] = [];
  readonly refusals: CfRefusal[] = [];
  readonly #source: string;
  readonly #lines: readonly CfLine[];

  constructor(source: string) {
    this.#source = source;
    this.#lines = readCf(source);
  }

  checkFile(role: "relay" | "client"): void {
    if ((configurationLevel(this.#lines) ?? 0) < 3) this.#refuse("not-a-configuration");
    if (this.refusals.length > 0) return;
    const nul = this.#lines.find(({ start, end }) => this.#source.slice(start, end).includes("\0"));
    if (nul !== undefined) this.#refuse("nul-byte", nul);
    for (const line of unknownLines(this.#lines)) this.#refuse("unknown-line", line);
    for (const line of undividedRules(this.#lines)) this.#refuse("rule-without-tab", line);
    // Another sendmail may have other options; one that is nearly the guide's would be there twice.
    for (const { line, name } of unknownOptions(this.#lines)) {
      if (/^(?:\s|auth|daemon)/i.test(name)) this.#refuse("unknown-option", line, { name: name.trim() });
    }
    if (role === "relay" && isSubmission(this.#lines)) this.#refuse("submission-file");
  }

  /** Step 1 of the relay. */
  relayDomains(domains: string | undefined): void {
    const files = classFilesOf(this.#lines, "R");
    const named = files.filter(({ path }) => path !== undefined);
    const wanted = domains ?? named[0]?.path ?? DEFAULT_DOMAINS;
    if (named.some(({ path }) => path === wanted)) return;
    const last = files.at(-1);
    if (last?.path !== undefined) this.#replace(last.line, last.pathAt, last.path.length, wanted, "the path");
    else if (last !== undefined) this.#replaceLine(last.line, `FR-o ${wanted}`);
    else
      this.#uncomment(/^#[ \t]?FR(?:-o)?[ \t]+\/\S+[ \t]*$/, `FR-o ${wanted}`) ||
        this.#insertBelow([/^# *Hosts for which relaying is permitted/], `FR-o ${wanted}`, "FR");
  }

  /** Step 2 of the relay. */
  daemon(): void {
    const daemons = daemonsOf(this.#lines).filter(isMainDaemon);
    for (const { option, modifiers } of daemons) {
      if (modifiers === undefined) {
        const end = option.line.text.length;
        this.#replace(option.line, end, 0, `${option.value === "" ? missingEquals(option) : ", "}M=${MODIFIERS}`, "M=");
      } else if (withModifiers(modifiers.letters) !== modifiers.letters) {
        this.#replace(option.line, modifiers.at, modifiers.letters.length, withModifiers(modifiers.letters), "M=");
      }
    }
    const line = `O DaemonPortOptions=Name=MTA, M=${MODIFIERS}`;
    if (daemons.length > 0 || this.#uncomment(/^#[ \t]?O DaemonPortOptions=Name=MTA\s*$/, line)) return;
    this.#insertBelow([/^# *SMTP daemon options/, /^# *Name used for error messages and logging/], line, "O DaemonPortOptions");
  }

  /** Step 3 of both. */
  mechanisms(usual: string, trusted: string | undefined): void {
    const places = [/^# *O AuthMechanisms?\b/, /^# *list of authentication mechanisms/];
    const option = optionsOf(this.#lines, "AuthMechanisms").at(-1);
    const added: string[] = [];
    const isUsable = option !== undefined && mechanismsIn(option.value).some((name) => PASSWORD_MECHANISMS.includes(name));
    if (trusted !== undefined && !this.#trust(isUsable ? option.value : usual)) added.push(`C{TrustAuthMech}${trusted}`);
    if (option === undefined) added.push(`O AuthMechanisms=${usual}`);
    else if (!isUsable) {
      this.#replace(option.line, option.valueAt, option.value.length, missingEquals(option) + usual, "the mechanisms");
    }
    if (added.length === 0) return;
    if (option !== undefined) this.#insertAt(option.line.start, added, option.line);
    else this.#insertBelow(places, added.join("\n"), "AuthMechanisms");
  }

  /** Whether there are lines for the class; what will be offered and is not in it is added. */
  #trust(mechanisms: string): boolean {
    const last = classLinesOf(this.#lines, "TrustAuthMech").at(-1);
    if (last === undefined) return false;
    const members = new Set(classLinesOf(this.#lines, "TrustAuthMech").flatMap(({ value }) => mechanismsIn(value)));
    const missing = mechanismsIn(mechanisms).filter((name) => PASSWORD_MECHANISMS.includes(name) && !members.has(name));
    if (missing.length > 0) {
      const separator = last.value === "" ? "" : " ";
      this.#replace(last.line, last.line.text.length, 0, separator + missing.join(" "), "the mechanisms");
    }
    return true;
  }

  /** Step 3 of the client: DS. */
  smartHost(relay: string | undefined): void {
    const last = macrosOf(this.#lines, "S").at(-1);
    const found = hostIn(last?.value ?? "");
    if (found !== "" && (relay === undefined || found === hostIn(relay))) return;
    if (relay === undefined) this.#refuse("relay-needed", last?.line);
    else if (last !== undefined) this.#replace(last.line, last.valueAt, last.value.length, relay, "the relay");
    else this.#insertBelow([/^# *"Smart" relay host/], `DS${relay}`, "DS");
  }

  /** Step 3 of the client: the map. */
  map(path: string | undefined): void {
    const last = mapsOf(this.#lines).findLast(({ name }) => name === "authinfo");
    const wanted = path?.replace(/\.db$/, "");
    if (last !== undefined && MAP_CLASSES.includes(last.mapClass) && last.path !== undefined) {
      if (wanted === undefined || last.path.replace(/\.db$/, "") === wanted) return;
      this.#replace(last.line, last.pathAt, last.path.length, wanted, "the path");
      return;
    }
    if (wanted === undefined && last?.path?.includes("#")) {
      this.#refuse("tangled-line", last.line, { what: "the path" });
      return;
    }
    const line = `Kauthinfo hash ${wanted ?? last?.path ?? DEFAULT_MAP}`;
    const attempt = last?.line ?? this.#lines.find(({ text }) => /^K\s*authinfo\b/i.test(text));
    if (attempt !== undefined) this.#replaceLine(attempt, line);
    else this.#insertBelow([/^Karith arith/, /^# *arithmetic map/], line, "Kauthinfo");
  }

  /** Step 3 of the client: the ruleset. */
  rules(): void {
    const { blocks, rules, misplaced } = authinfoRulesetOf(this.#lines);
    for (const { line, ruleset } of misplaced) this.#refuse("misplaced-rule", line, { ruleset });
    for (const { line, index } of rules) if (index === undefined) this.#refuse("foreign-rule", line);
    if (this.refusals.length > 0) return;
    const known = rules as readonly AuthinfoRule[];
    const mended = known.map((rule): AuthinfoRule => ({ ...rule, fault: undefined }));
    const header = blocks[0]?.header;
    if (isComplete(mended)) {
      for (const { line, index, fault } of known) if (fault !== undefined) this.#replaceLine(line, AUTHINFO_RULES[index] as string);
    } else if (header === undefined) {
      const last = this.#lines.at(-1) as CfLine;
      this.#insertAt(last.end, ["", "Sauthinfo", ...AUTHINFO_RULES], last);
    } else {
      this.#insertAt(header.end, AUTHINFO_RULES, header);
      for (const { line } of known) this.edits.push({ start: line.start, end: line.end, text: "" });
    }
  }

  /** Step 5 of the client. */
  mtaHost(host: string): void {
    const wanted = host.startsWith("[") ? host : `[${host}]`;
    const last = macrosOf(this.#lines, "MTAHost").at(-1);
    if (last !== undefined) {
      if (last.value.trim() !== wanted) this.#replace(last.line, last.valueAt, last.value.length, wanted, "the host");
    } else if (!this.#uncomment(/^#[ \t]?D\{MTAHost\}\S*$/, `D{MTAHost}${wanted}`)) this.#refuse("not-submission-file");
  }

  #refuse(code: CfRefusalCode, line?: CfLine, args: Readonly<Record<string, string>> = {}): void {
    this.refusals.push({ code, line: line?.line, args });
  }

  /** Of a line, without its end. */
  #raw({ start, end }: CfLine): string {
    return this.#source.slice(start, end).replace(/\r?\n$/, "");
  }

  /** The line end that a line has, or that those around it have. */
  #lineEnd({ start, end }: CfLine): string {
    const own = /\r?\n$/.exec(this.#source.slice(start, end))?.[0];
    return own ?? /\r?\n/.exec(this.#source)?.[0] ?? "\n";
  }

  /** @param at offset in the text of the line. */
  #replace(line: CfLine, at: number, length: number, text: string, what: string): void {
    // Offsets in the text are those in the file, as long as only the end of the line was cut.
    if (this.#raw(line).startsWith(line.text)) this.edits.push({ start: line.start + at, end: line.start + at + length, text });
    else this.#refuse("tangled-line", line, { what });
  }

  /** The line end stays. */
  #replaceLine(line: CfLine, text: string): void {
    this.edits.push({ start: line.start, end: line.start + this.#raw(line).length, text });
  }

  /** Puts a line in the place of the comment that holds it. @returns whether there is one. */
  #uncomment(pattern: RegExp, text: string): boolean {
    const line = this.#lines.find((one) => pattern.test(this.#raw(one)));
    if (line !== undefined) this.#replaceLine(line, text);
    return line !== undefined;
  }

  /** Below the first line that matches the first pattern that any line matches. */
  #insertBelow(patterns: readonly RegExp[], text: string, what: string): void {
    for (const pattern of patterns) {
      const line = this.#lines.find((one) => pattern.test(this.#raw(one)));
      if (line === undefined) continue;
      this.#insertAt(line.end, text.split("\n"), line);
      return;
    }
    this.#refuse("no-place", undefined, { what });
  }

  /** @param near the line whose line end those that are added have. */
  #insertAt(at: number, added: readonly string[], near: CfLine): void {
    const lineEnd = this.#lineEnd(near);
    // A last line without an end stays the one without.
    const isOpen = at === this.#source.length && !this.#source.endsWith("\n");
    const text = isOpen ? `${lineEnd}${added.join(lineEnd)}` : `${added.join(lineEnd)}${lineEnd}`;
    this.edits.push({ start: at, end: at, text });
  }
}
