/**
 * The source text of an authinfo map: what makemap and sendmail would make of
 * it otherwise than its author thinks.
 */
import { type Edit, type LintFinding, type LocalFinding, latin1 } from "./finding.ts";
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
  /** As it is stored. */
  readonly stored: string;
}

class SourceLint {
  readonly #bytes: Uint8Array;
  readonly #options: LintOptions;
  readonly #found: LintFinding[] = [];
  readonly #mark: number;
  readonly #lines: readonly SourceLine[];

  constructor(bytes: Uint8Array, options: LintOptions) {
    this.#bytes = bytes;
    this.#options = options;
    this.#mark = latin1(bytes.subarray(0, UTF8_MARK.length)) === UTF8_MARK ? UTF8_MARK.length : 0;
    this.#lines = scanSource(bytes, options);
  }

  run(): LintFinding[] {
    const [first] = this.#lines;
    if (first === undefined) return [];
    if (UTF16_MARKS.includes(latin1(this.#bytes.subarray(0, 2)))) {
      this.#add(first, "utf16-text", "error", 0, 2);
      return this.#found;
    }
    if (this.#mark > 0) this.#checkMark(first);
    this.#checkCarriageReturns();
    for (const line of this.#lines) this.#checkLine(line);
    this.#checkEntries(this.#entries());
    return this.#found.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
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
    this.#found.push({
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
    const edits = [{ offset: 0, length: this.#mark, text: "" }];
    this.#add(line, "utf8-byte-order-mark", isEntry ? "error" : "warning", 0, this.#mark, { edits });
  }

  /** All lines together: they have one cause. */
  #checkCarriageReturns(): void {
    const text = latin1(this.#bytes);
    const edits = Array.from(text.matchAll(/\r\n/g), ({ index }): Edit => ({ offset: index, length: 1, text: "" }));
    const [first] = edits;
    if (first !== undefined)
      this.#add(this.#lineAt(first.offset), "crlf", "warning", first.offset, 1, { args: { lines: edits.length }, edits });
    const stray = text.search(/\r(?!\n)/);
    if (stray >= 0) this.#add(this.#lineAt(stray), "stray-carriage-return", "warning", stray, 1);
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

  #entries(): Entry[] {
    return this.#lines.flatMap((line): Entry[] => {
      if (line.kind !== "record") return [];
      const keyStart = line.start === 0 ? Math.min(this.#mark, line.keyEnd) : line.start;
      const key = this.#text(keyStart, line.keyEnd);
      if (line.isRest && !hasTag(key)) return [];
      // A comment that a byte order mark hides.
      if (keyStart > line.start && key.charCodeAt(0) === (this.#options.commentByte ?? NUMBER_SIGN)) return [];
      return [{ line, key, keyStart, stored: this.#options.keepCase === true ? key : lower(key) }];
    });
  }

  #checkEntries(entries: readonly Entry[]): void {
    const first = new Map<string, Entry>();
    for (const entry of entries) {
      const before = first.get(entry.stored);
      if (before === undefined) first.set(entry.stored, entry);
      else this.#addDuplicate(before, entry);
    }
    const hasDefault = entries.some((entry) => lower(entry.key) === TAG && !isNoEntry(bytesOf(this.#value(entry)), bytesOf(entry.key)));
    for (const entry of entries) this.#checkEntry(entry, first, hasDefault);
  }

  #addDuplicate(before: Entry, entry: Entry): void {
    const code = before.key === entry.key ? "duplicate-key" : "keys-fold-together";
    const args = { first: `line ${before.line.line}`, effect: duplicateEffect(this.#options) };
    this.#add(entry.line, code, "warning", entry.keyStart, entry.key.length, { args });
  }

  #checkEntry(entry: Entry, all: ReadonlyMap<string, Entry>, hasDefault: boolean): void {
    const { line, key, keyStart } = entry;
    const { delimiterByte, keepCase = false } = this.#options;
    const delimiter = delimiterByte === undefined ? " " : String.fromCharCode(delimiterByte);
    const addAll = (findings: readonly LocalFinding[], base: number): void => {
      for (const { code, severity, offset, length, args, edits } of findings) {
        const moved = edits?.map((edit) => ({ ...edit, offset: edit.offset + base }));
        this.#add(line, code, severity, base + offset, length, { args, edits: moved });
      }
    };
    const check = checkKey(key, this.#value(entry), { keepCase, delimiter });
    const address = check.server === undefined ? undefined : addressInBrackets(check.server);
    const other = address === undefined ? undefined : (all.get(`${key.slice(0, TAG.length)}${address}`) ?? all.get(`${TAG}${address}`));
    addAll(
      check.findings.map((found) =>
        found.code === "brackets-around-address" && other !== undefined
          ? { ...found, code: "brackets-win" as const, args: { other: `line ${other.line.line}` } }
          : found,
      ),
      keyStart,
    );
    if (!check.isEntry) return;
    const base = check.itemsAt === undefined ? line.valueStart : keyStart + check.itemsAt;
    const asked = check.itemsAt === undefined ? key : key.slice(0, check.itemsAt);
    const context = { key: bytesOf(asked), isDefault: lower(key) === TAG, hasDefault };
    addAll(checkValue(this.#bytes.subarray(base, line.end), context), base);
  }

  #value({ line }: Entry): string {
    return this.#text(line.valueStart, line.end);
  }

  #text(start: number, end: number): string {
    return latin1(this.#bytes.subarray(start, end));
  }
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** As makemap folds: ASCII alone. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
