/**
 * Whether sendmail.cf of a relay, or submit.cf of a client, is set up for SMTP
 * authentication as the guide says.
 */
import { AUTHINFO, AUTHINFO_RULES, authinfoRulesetOf, isComplete, undividedRules } from "./authinfo-rules.ts";
import {
  type CfDaemon,
  type CfLine,
  type CfMap,
  classFilesOf,
  classLinesOf,
  configurationLevel,
  daemonsOf,
  macrosOf,
  mapsOf,
  type OptionName,
  optionsOf,
  parseRule,
  readCf,
  unknownLines,
  unknownOptions,
} from "./cf-file.ts";
import { CF_FINDINGS, type CfArguments, type CfFindingCode, type CfStatus } from "./cf-findings.ts";
import { findOption } from "./option-names.ts";
import {
  CLIENT_MECHANISMS,
  DEFAULT_DOMAINS,
  DEFAULT_MAP,
  DEFAULT_MECHANISMS,
  hostIn,
  isMainDaemon,
  isSubmission,
  MAP_CLASSES,
  MODIFIERS,
  mechanismsIn,
  PASSWORD_MECHANISMS,
  RELAY_MECHANISMS,
  withModifiers,
} from "./requirements.ts";

export interface CfFinding {
  readonly code: CfFindingCode;
  readonly status: CfStatus;
  /** From 1; undefined where no line is there for it. */
  readonly line: number | undefined;
  readonly args: CfArguments;
}

/** A file of domains. */
export interface DomainsFacts {
  /** Undefined where there is no such file. */
  readonly domains: number | undefined;
}

/** The file of the map. */
export interface MapFacts {
  /** As it is shown. */
  readonly file: string;
  readonly content:
    | { readonly kind: "missing" }
    | { readonly kind: "unreadable"; readonly why: string }
    | {
        readonly kind: "database";
        readonly type: "hash" | "btree";
        readonly records: number;
        readonly keyNuls: "none" | "some" | "all";
        readonly upperCaseKeys: number;
        /** Permission bits. */
        readonly mode: number;
        readonly gid: number;
      };
  /** A folder above it that its group, or everybody, may write to. */
  readonly writableFolder: string | undefined;
}

/** What is known besides of the text; each is asked for once at most. */
export interface CfFacts {
  /** The other side's file. */
  readonly other?: string | undefined;
  /** The relay that the client is to use. */
  readonly relay?: string | undefined;
  /** Of a file that the configuration names. */
  readonly domains: (path: string) => DomainsFacts;
  /** Of a map that the configuration names, without ".db". */
  readonly map: (path: string) => MapFacts;
  /** The group of a user, by name or number; undefined for one that this host does not know. */
  readonly groupOf: (user: string) => number | undefined;
}

const GROUP_READ = 0o040;
const OTHER_READ = 0o004;

/** Whether a file is a configuration of sendmail: it has a V line. */
export function isCf(source: string): boolean {
  return (configurationLevel(readCf(source)) ?? 0) >= 3;
}

/**
 * Checks a configuration.
 * @param source a file, one character for each byte.
 * @returns what was found, in the order of the guide's steps.
 */
export function checkCf(source: string, role: "relay" | "client", facts: CfFacts): CfFinding[] {
  const lines = readCf(source);
  const check = new Check(source, lines, facts);
  check.lines();
  if (role === "relay") {
    check.relayDomains();
    check.daemons();
    check.trusted();
    check.mechanisms(RELAY_MECHANISMS);
  } else {
    check.smartHost();
    if (isSubmission(lines)) check.submission();
    check.map();
    check.mechanisms(CLIENT_MECHANISMS);
    check.rules();
  }
  return check.findings;
}

class Check {
  readonly findings: CfFinding[] = [];
  readonly #source: string;
  readonly #lines: readonly CfLine[];
  readonly #facts: CfFacts;

  constructor(source: string, lines: readonly CfLine[], facts: CfFacts) {
    this.#source = source;
    this.#lines = lines;
    this.#facts = facts;
  }

  #add(code: CfFindingCode, line?: CfLine, args: CfArguments = {}): void {
    this.findings.push({ code, status: CF_FINDINGS[code].status, line: line?.line, args });
  }

  lines(): void {
    for (const line of unknownLines(this.#lines)) this.#add("unknown-line", line);
    for (const line of undividedRules(this.#lines)) this.#add("rule-without-tab", line);
    for (const { line, name } of unknownOptions(this.#lines)) this.#add("unknown-option", line, { name: name.trim() });
    for (const { line, text } of this.#indented()) this.findings.push({ code: "indented-line", status: "wrong", line, args: { text } });
    for (const option of ["AuthMechanisms", "DaemonPortOptions", "RunAsUser"] satisfies OptionName[]) {
      for (const { line, name } of optionsOf(this.#lines, option)) {
        if (name.length > 1 && findOption(name)?.isAbbreviated === true) this.#add("abbreviated-option", line, { name, option });
      }
    }
  }

  /** Lines of the guide that have white space before them. */
  *#indented(): Generator<{ line: number; text: string }> {
    const wanted =
      /^[ \t]+(Kauthinfo\b|Sauthinfo\b|O (?:AuthMechanisms|DaemonPortOptions|RunAsUser)\b|DS[\w[]|D\{MTAHost\}|FR\b|C\{TrustAuthMech\})/;
    for (const { line, start, end } of this.#lines) {
      for (const [i, text] of this.#source.slice(start, end).split("\n").entries()) {
        const found = wanted.exec(text)?.[1];
        if (found !== undefined) yield { line: line + i, text: found };
      }
    }
  }

  relayDomains(): void {
    for (const line of this.#lines) if (/^F[ \t]/.test(line.text)) this.#add("class-name-missing", line);
    const files = classFilesOf(this.#lines, "R");
    const listed = classLinesOf(this.#lines, "R").filter(({ value }) => value.trim() !== "");
    for (const { line, path } of files) if (path === undefined) this.#add("relay-domains-no-file", line, { path: DEFAULT_DOMAINS });
    for (const { line } of listed) this.#add("relay-domains-listed", line);
    if (files.length === 0 && listed.length === 0) this.#add("relay-domains-missing", undefined, { path: DEFAULT_DOMAINS });
    for (const { line, path, isOptional } of files) {
      if (path === undefined) continue;
      this.#add("relay-domains-named", line, { path });
      const { domains: count } = this.#facts.domains(path);
      if (count === undefined) this.#add(isOptional ? "domains-file-missing" : "domains-file-fatal", line, { path });
      else this.#add(count > 0 ? "domains-file-found" : "domains-file-empty", line, { path, count });
    }
  }

  daemons(): void {
    const daemons = daemonsOf(this.#lines).filter(isMainDaemon);
    if (daemons.length === 0) this.#add("daemon-missing");
    for (const daemon of daemons) {
      const letters = daemon.modifiers?.letters ?? "";
      const args = { daemon: daemon.name ?? "of port 25", modifiers: letters, options: mendedOptions(daemon) };
      const { line } = daemon.option;
      if (letters.includes("A")) this.#add("authentication-disabled", line, args);
      else this.#add(letters.includes("a") ? "authentication-required" : "authentication-not-required", line, args);
      this.#add(letters.includes("E") ? "etrn-refused" : "etrn-allowed", line, args);
    }
  }

  trusted(): void {
    const lines = classLinesOf(this.#lines, "TrustAuthMech");
    const members = lines.flatMap(({ value }) => mechanismsIn(value));
    const lacking = mechanismsOf(this.#lines).filter((name) => PASSWORD_MECHANISMS.includes(name) && !members.includes(name));
    const last = lines.at(-1)?.line;
    if (members.length === 0) this.#add("trusted-mechanisms-missing");
    else if (lacking.length > 0) this.#add("trusted-mechanisms-lacking", last, { mechanisms: lacking.join(" ") });
    else this.#add("trusted-mechanisms-set", last, { mechanisms: members.join(" ") });
  }

  mechanisms(usual: string): void {
    const option = optionsOf(this.#lines, "AuthMechanisms").at(-1);
    const own = mechanismsOf(this.#lines);
    const args = { mechanisms: own.join(" "), usual };
    if (option === undefined) this.#add("mechanisms-missing", undefined, args);
    else this.#add(own.some(isForPasswords) ? "mechanisms-set" : "mechanisms-useless", option.line, args);
    if (this.#facts.other === undefined) return;
    const other = mechanismsOf(readCf(this.#facts.other));
    const common = own.filter((name) => other.includes(name) && isForPasswords(name));
    if (common.length > 0) this.#add("mechanisms-common", option?.line, { mechanisms: common.join(" ") });
    else this.#add("mechanisms-not-common", option?.line, { own: own.join(" "), other: other.join(" "), usual });
  }

  smartHost(): void {
    const last = macrosOf(this.#lines, "S").at(-1);
    const found = hostIn(last?.value ?? "");
    const { relay } = this.#facts;
    if (found === "") this.#add("smart-host-missing", last?.line, { host: relay ?? "HOST" });
    else if (relay !== undefined && found !== hostIn(relay)) this.#add("smart-host-other", last?.line, { host: relay, found });
    else this.#add("smart-host-set", last?.line, { host: found });
  }

  submission(): void {
    const host = macrosOf(this.#lines, "MTAHost").at(-1);
    if (host === undefined || host.value.trim() === "") this.#add("mta-host-missing", host?.line);
    else this.#add("mta-host-set", host.line, { host: host.value.trim() });
    const user = optionsOf(this.#lines, "RunAsUser").at(-1);
    const name = userOf(user?.value);
    if (name === undefined) this.#add("run-as-user-missing", user?.line);
    else if (isRoot(name)) this.#add("run-as-user-root", user?.line);
    else this.#add("run-as-user-set", user?.line, { user: name });
  }

  map(): void {
    const maps = mapsOf(this.#lines).filter(({ name }) => name === AUTHINFO);
    const last = maps.at(-1);
    if (last === undefined) {
      this.#add("map-line-missing", undefined, { path: DEFAULT_MAP });
      return;
    }
    for (const { line } of maps.slice(0, -1)) this.#add("map-line-twice", line, { last: last.line.line });
    const { line, mapClass, flags, path } = last;
    if (path === undefined) {
      this.#add("map-path-missing", line, { path: DEFAULT_MAP });
      return;
    }
    const facts = this.#facts.map(path.replace(/\.db$/, ""));
    if (!MAP_CLASSES.includes(mapClass)) {
      const type = facts.content.kind === "database" ? facts.content.type : "hash";
      this.#add("map-class-unknown", line, { class: mapClass, type, path });
      return;
    }
    this.#add("map-named", line, { class: mapClass, path });
    if (flags.includes("m")) this.#add("map-match-only", line);
    if (flags.includes("N") && flags.includes("O")) this.#add("map-never-asked", line);
    if (flags.includes("o")) this.#add("map-optional", line);
    this.#mapFile(last, path.replace(/\.db$/, ""), facts);
  }

  #mapFile({ line, mapClass, flags }: CfMap, path: string, { file, content, writableFolder }: MapFacts): void {
    const args = { file, path, class: mapClass };
    if (baseName(file).replace(/\.db$/, "") !== baseName(path)) this.#add("map-name-differs", line, args);
    if (writableFolder !== undefined) {
      this.#add(isSubmission(this.#lines) ? "map-folder-open" : "map-folder-writable", line, { folder: writableFolder, file });
    }
    if (content.kind === "missing") this.#add("map-file-missing", line, args);
    if (content.kind === "unreadable") this.#add("map-file-unreadable", line, { ...args, why: content.why });
    if (content.kind !== "database") return;
    const { type, records, keyNuls, upperCaseKeys } = content;
    const more = { ...args, type, count: records };
    this.#add(type === mapClass ? "map-file-found" : "map-type-differs", line, more);
    if (flags.includes("N") && !flags.includes("O") && keyNuls === "none" && records > 0) this.#add("map-nul-asked", line, more);
    if (flags.includes("O") && !flags.includes("N") && keyNuls === "all") this.#add("map-nul-not-asked", line, more);
    if (keyNuls === "some") this.#add("map-nul-mixed", line, more);
    if (!flags.includes("f") && upperCaseKeys > 0) this.#add("map-case-folded", line, { ...more, count: upperCaseKeys });
    if (flags.includes("f") && upperCaseKeys === 0 && records > 0) this.#add("map-case-kept", line, more);
    if (isSubmission(this.#lines)) this.#reader(line, file, content.mode, content.gid);
  }

  /** Whoever hands mail in has the group of RunAsUser, and not its user. */
  #reader(line: CfLine, file: string, mode: number, gid: number): void {
    const option = optionsOf(this.#lines, "RunAsUser").at(-1);
    const user = userOf(option?.value);
    // The submission program does not run as root at all.
    if (user === undefined || isRoot(user)) return;
    const group = groupText(option?.value) ?? user;
    const args = { file, user, group, mode: mode.toString(8).padStart(4, "0") };
    if ((mode & OTHER_READ) !== 0) {
      this.#add("map-readable-by-all", line, args);
      return;
    }
    const wanted = this.#facts.groupOf(String(option?.value.trim()));
    if (wanted === undefined) this.#add("map-reader-unknown", line, args);
    else this.#add(gid === wanted && (mode & GROUP_READ) !== 0 ? "map-readable" : "map-not-readable", line, args);
  }

  rules(): void {
    const { blocks, rules, misplaced } = authinfoRulesetOf(this.#lines);
    for (const { line, ruleset } of misplaced) this.#add("rule-misplaced", line, { ruleset });
    const header = blocks[0]?.header;
    if (header === undefined) {
      this.#add("ruleset-missing");
      return;
    }
    for (const { header: again, rules: own } of blocks.slice(1)) {
      if (own.length > 0 && (blocks[0]?.rules.length ?? 0) > 0) this.#add("ruleset-twice", again);
    }
    const isDone = isComplete(rules);
    // What comes after the five is never reached.
    const before = isDone ? rules.slice(0, rules.findIndex(({ index }) => index === AUTHINFO_RULES.length - 1) + 1) : rules;
    for (const rule of before) {
      if (rule.index === undefined) this.#add("rule-foreign", rule.line);
      else if (rule.fault === "blanks")
        this.#add(faultOf(rule.line), rule.line, {
          number: rule.index + 1,
          rule: AUTHINFO_RULES[rule.index] ?? "",
        });
      else if (rule.fault === "comment") this.#add("rule-comment", rule.line);
    }
    if (isDone) this.#add("rules-complete", header);
    else
      this.#missingRules(
        header,
        before.flatMap(({ index }) => (index === undefined ? [] : [index])),
      );
    for (const { line } of optionsOf(this.#lines, "DefaultAuthInfo")) this.#add("default-auth-info", line);
  }

  #missingRules(header: CfLine, there: readonly number[]): void {
    for (const [index, rule] of AUTHINFO_RULES.entries()) {
      if (!there.includes(index)) this.#add("rule-missing", header, { number: index + 1, rule });
    }
    const first = [...new Set(there)];
    if (first.some((index, i) => i > 0 && index < (first[i - 1] as number))) {
      this.#add("rules-order", header, { order: there.map((index) => index + 1).join(" ") });
    }
  }
}

/** Of a rule that sendmail reads otherwise than it is meant. */
function faultOf(line: CfLine): CfFindingCode {
  const rule = parseRule(line);
  if (rule === undefined) return "rule-blanks";
  return rule.right.trim() === "" ? "rule-side-missing" : "rule-tab-misplaced";
}

/** The options of a port, with what the guide asks for. */
function mendedOptions({ option, modifiers }: CfDaemon): string {
  if (modifiers === undefined) return `${option.value}${option.value === "" ? "" : ", "}M=${MODIFIERS}`;
  const at = modifiers.at - option.valueAt;
  return option.value.slice(0, at) + withModifiers(modifiers.letters) + option.value.slice(at + modifiers.letters.length);
}

/** Those of the option, or those that sendmail has without it. */
function mechanismsOf(lines: readonly CfLine[]): string[] {
  return mechanismsIn(optionsOf(lines, "AuthMechanisms").at(-1)?.value ?? DEFAULT_MECHANISMS);
}

function isForPasswords(name: string): boolean {
  return PASSWORD_MECHANISMS.includes(name);
}

/** RunAsUser is a user, and perhaps a group behind a colon or a full stop. */
function userOf(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value.trim().split(/[:./]/)[0];
}

function isRoot(user: string): boolean {
  return user === "root" || /^0+$/.test(user);
}

function groupText(value: string | undefined): string | undefined {
  return value?.trim().split(/[:./]/)[1];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
