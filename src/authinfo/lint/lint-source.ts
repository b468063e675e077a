/**
 * The source text of an authinfo map: what makemap and sendmail would make of
 * it otherwise than its author thinks.
 */
import { foldKey } from "../../makemap/map-key.ts";
import { type Edit, type LintFinding, type LocalFinding, latin1 } from "./finding.ts";
import { FindingList } from "./finding-list.ts";
import { duplicateEffect, type LintOptions } from "./options.ts";
import type { FindingArguments, LintCode, Severity } from "./rules.ts";
import { addressInBrackets, checkKey, hasTag, TAG } from "./server-key.ts";
import { type SourceLine, scanSource } from "./source-lines.ts";
import { checkValue, isNoEntry } from "./value-checks.ts";

const UTF8_MARK = "\xef\xbb\xbf";
const UTF16_MARKS = ["\xff\xfe", "\xfe\xff"];
/** Newline included, as makemap reads it. */
const LONGEST_LINE = 1022;
const NUL = 0x00;
const CARRIAGE_RETURN = 0x0d;
const NUMBER_SIGN = 0x23;

/**
 * Looks at a whole text. No finding holds a password, or what may be one.
 * @param bytes stay the caller's.
 * @returns in the order of the text.
 */
export function lintSource(bytes: Uint8Array, options: LintOptions = {}): LintFinding[] {
  return new SourceLint(bytes, options).run();
}

/** An entry that makemap stores. */
interface Entry {
  readonly line: SourceLine;
  /** As it stands, one character a byte, without a byte order mark. */
  readonly key: string;
  readonly keyStart: number;
}

class SourceLint {
  readonly #bytes: Uint8Array;
  readonly #options: LintOptions;
  readonly #found: FindingList;
  readonly #mark: number;
  readonly #lines: readonly SourceLine[];
  /** Of each key that is stored, its first line. */
  readonly #first = new Map<string, SourceLine>();
  /** Keys that mends make. */
  readonly #mended = new Set<string>();
  /** Whether an entry that sendmail does not pass over is for all servers. */
  #hasDefault = false;
  /** Whether the key behind the byte order mark is there again. */
  #isMarkedAgain = false;

  constructor(bytes: Uint8Array, options: LintOptions) {
    this.#bytes = bytes;
    this.#options = options;
    this.#found = new FindingList(options.most);
    this.#mark = latin1(bytes.subarray(0, UTF8_MARK.length)) === UTF8_MARK ? UTF8_MARK.length : 0;
    this.#lines = scanSource(bytes, options);
  }

  run(): LintFinding[] {
    const [first] = this.#lines;
    if (first === undefined) return [];
    if (UTF16_MARKS.includes(latin1(this.#bytes.subarray(0, 2)))) {
      this.#add(first, "utf16-text", "error", 0, 2);
      return this.#found.all();
    }
    // Entries are made twice rather than kept: there may be a million.
    for (const line of this.#lines) this.#storeEntry(line);
    if (this.#mark > 0) this.#checkMark(first);
    if (this.#bytes.includes(CARRIAGE_RETURN)) this.#checkCarriageReturns();
    for (const line of this.#lines) this.#checkLine(line);
    for (const line of this.#lines) this.#checkEntry(line);
    return this.#found.all((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
  }

  #add(
    line: SourceLine,
    code: LintCode,
    severity: Severity,
    offset: number,
    length: number,
    more: { readonly args?: FindingArguments | undefined; readonly edits?: readonly Edit[] | undefined } = {},
  ): void {
    const { args = {}, edits } = more;
    const column = offset - line.lineStart + 1;
    // A line that grows too long is no mend.
    const growth = (edits ?? []).reduce((sum, edit) => sum + edit.text.length - edit.length, 0);
    const fits = growth <= 0 || line.end - line.start + growth <= LONGEST_LINE;
    this.#found.add({
      code,
      severity,
      args,
      line: line.line,
      column,
      offset,
      length,
      ...(edits !== undefined && fits && { edits }),
    });
  }

  #checkMark(line: SourceLine): void {
    const isEntry = line.kind === "record" && hasTag(this.#text(this.#mark, line.keyEnd));
    const edits = this.#isMarkedAgain ? undefined : [{ offset: 0, length: this.#mark, text: "" }];
    this.#add(line, "utf8-byte-order-mark", isEntry ? "error" : "warning", 0, this.#mark, { edits });
  }

  /** All lines together: they have one cause. */
  #checkCarriageReturns(): void {
    const text = latin1(this.#bytes);
    const edits = Array.from(
      text.matchAll(/(?<!\r)\r+(?=\n)/g),
      ({ 0: all, index }): Edit => ({ offset: index, length: all.length, text: "" }),
    );
    const [first] = edits;
    if (first !== undefined) {
      const args = { lines: edits.length };
      const isCertain = !this.#lines.some((line) => this.#isHeldByReturn(line));
      this.#add(this.#lineAt(first.offset), "crlf", "warning", first.offset, 1, { args, edits: isCertain ? edits : undefined });
    }
    const stray = text.search(/(?<!\r)\r+(?![\r\n])/);
    if (stray >= 0) this.#add(this.#lineAt(stray), "stray-carriage-return", "warning", stray, 1);
  }

  /** With -t a CR alone may be the value, or the end of a key: without it makemap would refuse the line, or store another key. */
  #isHeldByReturn({ kind, valueStart, end }: SourceLine): boolean {
    if (kind !== "record" || this.#bytes[end - 1] !== CARRIAGE_RETURN) return false;
    return /^\r*$/.test(this.#text(valueStart, end));
  }

  #lineAt(offset: number): SourceLine {
    let [low, high] = [0, this.#lines.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] as SourceLine).start <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#lines[low] as SourceLine;
  }

  /** Lines that makemap refuses, or cuts. */
  #checkLine(line: SourceLine): void {
    const { kind, start, end, isRest } = line;
    // What follows the first piece of a line is no line of the author's.
    if (isRest) return;
    const isComment = this.#bytes[start] === (this.#options.commentByte ?? NUMBER_SIGN);
    if (kind === "leading-blank") this.#checkLeadingBlank(line);
    else if (kind === "too-long") this.#add(line, "line-too-long", isComment ? "warning" : "error", start, end - start);
    else if (kind === "no-value") this.#add(line, "missing-value", "error", start, line.keyEnd - start);
    else if (kind === "nul" || (!line.hasNewline && this.#bytes[end] === NUL)) {
      const nul = this.#bytes.indexOf(NUL, start);
      this.#add(line, "nul-byte", isComment ? "warning" : "error", nul, 1);
    }
  }

  #checkLeadingBlank(line: SourceLine): void {
    const text = this.#text(line.start, line.end);
    const length = /^[\t-\r ]*/.exec(text)?.[0].length ?? 0;
    const rest = text.slice(length);
    const isHarmless = rest === "" || rest.charCodeAt(0) === (this.#options.commentByte ?? NUMBER_SIGN);
    // What begins with anything else may continue the line before.
    const isCertain = isHarmless || hasTag(rest);
    const edits = isCertain ? [{ offset: line.start, length, text: "" }] : undefined;
    this.#add(line, "leading-blank", isHarmless ? "warning" : "error", line.start, length, { edits });
  }

  #entryOf(line: SourceLine): Entry | undefined {
    if (line.kind !== "record") return undefined;
    const keyStart = line.start === 0 ? Math.min(this.#mark, line.keyEnd) : line.start;
    const key = this.#text(keyStart, line.keyEnd);
    if (line.isRest && !hasTag(key)) return undefined;
    // A comment that a byte order mark hides.
    if (keyStart > line.start && key.charCodeAt(0) === (this.#options.commentByte ?? NUMBER_SIGN)) return undefined;
    return { line, key, keyStart };
  }

  /** As makemap stores it. */
  #stored(key: string): string {
    return this.#options.keepCase === true ? key : foldKey(key);
  }

  #storeEntry(line: SourceLine): void {
    const entry = this.#entryOf(line);
    if (entry === undefined) return;
    const stored = this.#stored(entry.key);
    const before = this.#first.get(stored);
    if (before === undefined) this.#first.set(stored, line);
    else this.#addDuplicate(before, entry);
    if (isTag(entry.key) && !isNoEntry(bytesOf(this.#value(line)), bytesOf(entry.key))) this.#hasDefault = true;
  }

  #addDuplicate(before: SourceLine, entry: Entry): void {
    if (before.start === 0) this.#isMarkedAgain = true;
    const code = this.#entryOf(before)?.key === entry.key ? "duplicate-key" : "keys-fold-together";
    const args = { first: `line ${before.line}`, effect: duplicateEffect(this.#options) };
    this.#add(entry.line, code, "warning", entry.keyStart, entry.key.length, { args });
  }

  /** Whether a mend of the key makes none that is there already: makemap would refuse one of them. */
  #isNewKey(key: string): boolean {
    const stored = this.#stored(key);
    if (this.#first.has(stored) || this.#mended.has(stored)) return false;
    this.#mended.add(stored);
    return true;
  }

  #checkEntry(line: SourceLine): void {
    const entry = this.#entryOf(line);
    if (entry === undefined) return;
    const { key, keyStart } = entry;
    const { delimiterByte, keepCase = false } = this.#options;
    const delimiter = delimiterByte === undefined ? " " : String.fromCharCode(delimiterByte);
    const addAll = (findings: readonly LocalFinding[], base: number): void => {
      for (const { code, severity, offset, length, args, edits } of findings) {
        const moved = edits?.map((edit) => ({ ...edit, offset: edit.offset + base }));
        this.#add(line, code, severity, base + offset, length, { args, edits: moved });
      }
    };
    const check = checkKey(key, this.#value(line), { keepCase, delimiter });
    const address = check.server === undefined ? undefined : addressInBrackets(check.server);
    const other =
      address === undefined ? undefined : (this.#first.get(`${key.slice(0, TAG.length)}${address}`) ?? this.#first.get(`${TAG}${address}`));
    const ofKey = check.findings.map((found): LocalFinding => {
      if (found.code === "brackets-around-address" && other !== undefined)
        return { ...found, code: "brackets-win" as const, args: { other: `line ${other.line}` } };
      const { edits, ...bare } = found;
      return edits !== undefined && !this.#isNewKey(key.slice(0, edits[0]?.offset)) ? bare : found;
    });
    addAll(ofKey, keyStart);
    if (!check.isEntry) return;
    const base = check.itemsAt === undefined ? line.valueStart : keyStart + check.itemsAt;
    const asked = check.itemsAt === undefined ? key : key.slice(0, check.itemsAt);
    const context = { key: bytesOf(asked), isDefault: isTag(key), hasDefault: this.#hasDefault };
    const found = checkValue(this.#bytes.subarray(base, line.end), context);
    // What is part of a key that stays as it is makes another key.
    const isMendable = check.itemsAt === undefined || ofKey.some(({ edits }) => edits !== undefined);
    addAll(isMendable ? found : found.map(({ edits, ...bare }) => bare), base);
  }

  #value(line: SourceLine): string {
    return this.#text(line.valueStart, line.end);
  }

  #text(start: number, end: number): string {
    return latin1(this.#bytes.subarray(start, end));
  }
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Whether a key is the tag alone, for all servers. */
function isTag(key: string): boolean {
  return key.length === TAG.length && foldKey(key) === TAG;
}
