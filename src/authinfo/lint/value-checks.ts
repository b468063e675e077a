/**
 * The value of an authinfo entry: what sendmail does with it, as value.ts and
 * client.ts have it, and what its author may have meant instead.
 */
import { isUtf8 } from "node:buffer";
import { decodeBase64 } from "../base64.ts";
import { type ClientOutcome, COMMON_OFFER, MECHANISM_ORDER, predictClient } from "../client.ts";
import { expandPercent } from "../percent.ts";
import { type AuthinfoFault, type AuthinfoItem, type AuthinfoValue, parseAuthinfoValue } from "../value.ts";
import { applyEdits, type Edit, type LocalFinding, latin1 } from "./finding.ts";
import type { LintCode, Severity } from "./rules.ts";

export interface ValueContext {
  /** As it would be asked for. */
  readonly key: Uint8Array;
  /** Whether the entry is the one for all servers. */
  readonly isDefault: boolean;
  /** Whether another entry is found where this one counts as none. */
  readonly hasDefault: boolean;
}

/** What does not need a password, and is offered where something else proves who the client is. */
const WITHOUT_PASSWORD: readonly string[] = ["EXTERNAL", "ANONYMOUS"];
const WITH_PASSWORD: readonly string[] = MECHANISM_ORDER.filter((name) => !WITHOUT_PASSWORD.includes(name));
/** A server that offers all that works with a password, and a client that takes it. */
const ANY_SERVER = { clientMechanisms: WITH_PASSWORD, serverMechanisms: WITH_PASSWORD };

/** Names of mechanisms besides, of this library or another. */
const OTHER_MECHANISMS =
  /^(?:EXTERNAL|ANONYMOUS|GSSAPI|GSS-SPNEGO|KERBEROS_V4|GS2-[\w-]+|SCRAM-SHA-(?:1|224|256|384|512)-PLUS|SRP|PASSDSS-3DES-1|SECURID|SKEY|XOAUTH2|OAUTHBEARER|ECDSA-NIST256P-CHALLENGE)$/i;

/** White space of ASCII. */
const BLANKS = " \t\n\v\f\r";

// One character a byte.
/** Nothing but items. */
const ITEMS = /^[ \t]*(?:"[UIPRM][:=][^"]*"[ \t]*)+$/i;
/** The same, of which some are in single quotes. */
const MIXED_ITEMS = /^[ \t]*(?:(?:"[UIPRM][:=][^"]*"|'[UIPRM][:=][^'"]*')[ \t]*)+$/i;

/** What becomes of mail by this entry alone. */
function predictEntry(value: Uint8Array, key: Uint8Array): ClientOutcome {
  return predictClient(parseAuthinfoValue(expandPercent(value, key).bytes), ANY_SERVER);
}

/** Whether sendmail takes the value for no entry, and goes on to the next. */
export function isNoEntry(value: Uint8Array, key: Uint8Array): boolean {
  return parseAuthinfoValue(expandPercent(value, key).bytes).special === "not-found";
}

export function checkValue(value: Uint8Array, context: ValueContext): LocalFinding[] {
  return new ValueCheck(value, context).run();
}

class ValueCheck {
  readonly #value: Uint8Array;
  readonly #text: string;
  readonly #context: ValueContext;
  readonly #offsets: readonly number[] | undefined;
  readonly #parsed: AuthinfoValue;
  readonly #outcome: ClientOutcome;
  readonly #found: LocalFinding[] = [];
  /** Of what makes the difference between mail with and without authentication. */
  readonly #severity: Severity;

  constructor(value: Uint8Array, context: ValueContext) {
    const { bytes, offsets } = expandPercent(value, context.key);
    this.#value = value;
    this.#text = latin1(value);
    this.#context = context;
    this.#offsets = offsets;
    this.#parsed = parseAuthinfoValue(bytes);
    this.#outcome = predictClient(this.#parsed, ANY_SERVER);
    this.#severity = this.#outcome.outcome === "authenticates" ? "warning" : "error";
  }

  run(): LocalFinding[] {
    if (this.#isSpecial()) return this.#found;
    this.#checkStop();
    this.#checkTypographic();
    this.#checkFault();
    this.#checkPercent();
    for (const [i, item] of this.#parsed.items.entries()) this.#checkItem(item, i);
    this.#checkMechanisms();
    const isExplained = this.#found.some(({ severity }) => severity === "error");
    if (this.#severity === "error" && !isExplained) this.#addWhole("not-authenticated", "error", { outcome: outcomeText(this.#outcome) });
    return this.#found;
  }

  #add(code: LintCode, severity: Severity, offset: number, length: number, more: Partial<LocalFinding> = {}): void {
    this.#found.push({ code, severity, offset, length, ...more });
  }

  #addWhole(code: LintCode, severity: Severity, args?: LocalFinding["args"]): void {
    this.#add(code, severity, 0, this.#value.length, args === undefined ? {} : { args });
  }

  /** In the value, of an offset in what it was expanded to. */
  #at(offset: number): number {
    return (this.#offsets === undefined ? offset : this.#offsets[offset]) ?? this.#value.length;
  }

  #isSpecial(): boolean {
    const { isDefault, hasDefault } = this.#context;
    const { special } = this.#parsed;
    if (special === "not-found") this.#addWhole("value-question", !isDefault && hasDefault ? "warning" : "error");
    else if (special === "temporary-failure") this.#addWhole("value-temp", "error");
    else if (/^no[\t-\r ]*$/i.test(this.#text)) this.#addWhole("value-no", "error");
    else if (this.#text.startsWith("$#")) {
      const length = /^\$#[\t-\r ]*/.exec(this.#text)?.[0].length ?? 0;
      const isCertain = this.#authenticates(this.#text.slice(length));
      this.#add("dollar-hash", "error", 0, 2, isCertain ? { edits: [{ offset: 0, length, text: "" }] } : {});
    } else return false;
    return true;
  }

  /** Where sendmail ends its reading before the end. */
  #checkStop(): void {
    const { items, stop } = this.#parsed;
    if (stop.reason !== "not-quoted" && stop.reason !== "item-limit") return;
    const at = this.#at(stop.offset);
    const length = this.#value.length - at;
    const rest = this.#text.slice(at);
    if (stop.reason === "item-limit") this.#add("too-many-items", this.#severity, at, length);
    else if (rest.startsWith("'"))
      this.#addMended("single-quotes", at, 1, MIXED_ITEMS.test(this.#trimmed) ? singleQuotes(this.#trimmed) : []);
    else if (/^\xc2\xa0/.test(rest)) this.#addMended("no-break-space", at, 2, noBreakSpaces(this.#trimmed));
    else if (items.length === 0) this.#addUnquoted(at);
    else if (/^\xe2\x80[\x98-\x9f]/.test(rest)) return;
    else {
      const isInner = at > 0 && this.#text[at - 1] === '"';
      this.#add(isInner ? "inner-quote" : "ignored-text", this.#severity, isInner ? at - 1 : at, isInner ? 1 : length);
    }
  }

  #addUnquoted(at: number): void {
    const first = /^[^\t-\r "]*/.exec(this.#text.slice(at))?.[0] ?? "";
    if (/^\xe2\x80[\x98-\x9f]/.test(first)) return;
    const isServer = this.#context.isDefault && /^[[\]a-z0-9.:_-]+$/i.test(first) && !/^[UIPRM][:=]/i.test(first);
    if (isServer && /[\t-\r ]"/.test(this.#text)) this.#add("blank-after-tag", "error", at, first.length);
    else this.#add("unquoted-item", "error", at, first.length);
  }

  #checkTypographic(): void {
    const first = this.#text.search(/\xe2\x80[\x98-\x9f]/);
    if (first < 0) return;
    const { stop, items } = this.#parsed;
    // What is part of a text that is sent stays as it is.
    const double = stop.reason === "end" ? [] : typographicQuotes(this.#trimmed, /\xe2\x80[\x9c-\x9f]/g);
    const any = stop.reason === "end" ? [] : typographicQuotes(this.#trimmed, /\xe2\x80[\x98-\x9f]/g);
    const edits = [double, any].find((some) => this.#isMend(some));
    const [item] = items.filter(({ textStart, textEnd }) => first >= this.#at(textStart) && first < this.#at(textEnd));
    if (edits !== undefined || item === undefined) {
      this.#add("typographic-quotes", this.#severity, first, 3, edits && { edits });
      return;
    }
    // About the whole text they are more likely meant as quotes.
    const isInner = first > this.#at(item.textStart) && first + 3 < this.#at(item.textEnd);
    this.#add("typographic-quotes-in-text", isInner ? "note" : "warning", first, 3);
  }

  /** A finding with its mend, if that makes the value nothing but good items. */
  #addMended(code: LintCode, at: number, length: number, edits: readonly Edit[]): void {
    this.#add(code, this.#severity, at, length, this.#isMend(edits) ? { edits } : {});
  }

  #isMend(edits: readonly Edit[]): boolean {
    if (edits.length === 0) return false;
    const after = applyEdits(this.#trimmed, edits);
    return ITEMS.test(after) && this.#authenticates(after);
  }

  /** Without blanks, and a CR, at the end. */
  get #trimmed(): string {
    let end = this.#text.length;
    while (end > 0 && BLANKS.includes(this.#text[end - 1] as string)) end -= 1;
    return this.#text.slice(0, end);
  }

  #authenticates(text: string): boolean {
    return predictEntry(new Uint8Array(Buffer.from(text, "latin1")), this.#context.key).outcome === "authenticates";
  }

  #checkFault(): void {
    const { fault, stop } = this.#parsed;
    if (fault === undefined) return;
    const isSaid = this.#found.some(({ severity }) => severity === "error");
    switch (fault.code) {
      case "not-quoted":
        return;
      case "empty":
        this.#addWhole("empty-value", "error");
        return;
      case "no-password":
      case "no-user":
        // What is missing may stand where it is not read.
        if (!isSaid || stop.reason !== "not-quoted")
          this.#addWhole(fault.code === "no-user" ? "missing-user" : "missing-password", "error");
        return;
      default: {
        const at = this.#at(fault.offset);
        if (!isSaid || !startsTypographic(this.#text.slice(at)))
          this.#add(FAULTS[fault.code], "error", at, Math.min(1, this.#value.length - at));
      }
    }
  }

  #checkPercent(): void {
    if (!this.#text.includes("%")) return;
    const { stop, items } = this.#parsed;
    const end = stop.reason === "end" ? this.#value.length : this.#at(stop.offset);
    const read = this.#text.slice(0, end);
    const [expanded, doubled] = [percents(read, /[0-9]/), percents(read, /%/)];
    if (doubled[0] !== undefined) this.#add("doubled-percent", "note", doubled[0], 2);
    if (expanded[0] === undefined) return;
    // Where some are doubled already, the others may be meant as they are.
    const places = items.filter(({ tag }) => tag !== "M").map(({ start, end: itemEnd }) => [this.#at(start), this.#at(itemEnd)] as const);
    const edits = expanded.map((offset): Edit => ({ offset, length: 0, text: "%" }));
    const isCertain =
      doubled.length === 0 &&
      expanded.every((at) => places.some(([from, to]) => at >= from && at < to)) &&
      read.length === this.#value.length &&
      (this.#severity === "error" || this.#authenticates(applyEdits(this.#text, edits)));
    this.#add("percent-expansion", this.#severity, expanded[0], 2, isCertain ? { edits } : {});
  }

  #checkItem(item: AuthinfoItem, index: number): void {
    const { tag, delimiter, text } = item;
    const [start, end, from, to] = [item.start, item.end, item.textStart, item.textEnd].map((offset) => this.#at(offset)) as [
      number,
      number,
      number,
      number,
    ];
    const { items, inForce, fault } = this.#parsed;
    if (items.findIndex((other) => other.tag === tag) < index) this.#add("repeated-item", "warning", start, end - start, { args: { tag } });
    if (tag === "R") this.#add("realm-without-effect", "note", start, end - start);
    const isUser = tag === "U" || tag === "I";
    if (isUser && text.length === 0 && inForce[tag] === item && fault?.code !== "empty-user")
      this.#add("empty-user", tag === "I" ? this.#severity : "warning", start, end - start);
    if (item.isUnclosed) this.#checkUnclosed(end, from, to);
    if (tag === "M") return;
    if (delimiter === "=") {
      this.#checkDecoded(start, from, to);
      return;
    }
    const plain = this.#text.slice(from, to);
    const backslash = plain.indexOf("\\");
    if (backslash >= 0) this.#add("backslash", "warning", from + backslash, 1);
    const altered = plain.indexOf("\xff");
    if (altered >= 0) this.#add("altered-byte", "warning", from + altered, 1);
    if (/^[ \t]|[ \t]$/.test(plain)) this.#add("blank-at-end", isUser && fault === undefined ? this.#severity : "warning", from, to - from);
    if (looksLikeBase64(text)) this.#add("base64-in-plain", "warning", start + 2, 1);
  }

  #checkDecoded(start: number, from: number, to: number): void {
    const decoded = decodeBase64(new Uint8Array(Buffer.from(this.#text.slice(from, to), "latin1")));
    if (!(decoded instanceof Uint8Array)) return;
    const text = latin1(decoded);
    if (/[^\n\r]\r?\n$/.test(text)) this.#add("newline-in-base64", "warning", start + 2, 1);
    else if (!isUtf8(decoded) || hasControls(decoded)) this.#add("base64-not-text", "warning", start + 2, 1);
  }

  #checkUnclosed(end: number, from: number, to: number): void {
    const plain = this.#text.slice(from, to);
    // A blank or a CR at the end, or an item swallowed, may be meant otherwise.
    const isCertain = this.#severity !== "error" && !/[\t-\r ]$|\\|[UIPRM][:=]/i.test(plain);
    this.#add("unclosed-quote", this.#severity, end, 0, isCertain ? { edits: [{ offset: end, length: 0, text: '"' }] } : {});
  }

  #checkMechanisms(): void {
    const item = this.#parsed.inForce.M;
    if (item === undefined) return;
    const [start, end] = [this.#at(item.start), this.#at(item.end)];
    const names = latin1(item.text)
      .split(/[\t-\r ,;]+/)
      .filter((name) => name !== "");
    const known = names.filter((name) => WITH_PASSWORD.includes(name.toUpperCase()));
    const isOther = (name: string): boolean => OTHER_MECHANISMS.test(name);
    if (/[\t-\r,;]/.test(latin1(item.text))) {
      const from = this.#at(item.textStart);
      const text = this.#text.slice(from, this.#at(item.textEnd));
      const at = Math.max(0, text.search(/[\t-\r,;]/));
      const edits = item.delimiter === ":" ? separators(text, from) : [];
      this.#add("comma-in-mechanisms", this.#severity, from + at, 1, edits.length > 0 ? { edits } : {});
    }
    const isUnknown = names.some((name) => !known.includes(name) && !isOther(name));
    if (isUnknown) this.#add("unknown-mechanism", known.length === 0 ? "error" : "warning", start, end - start);
    if (names.length === 0) this.#add("empty-mechanisms", item.text.length === 0 ? "warning" : this.#severity, start, end - start);
    else if (known.length === 0 && !isUnknown) this.#add("unusable-mechanism", "error", start, end - start);
    else if (known.length > 0 && !known.some((name) => COMMON_OFFER.includes(name.toUpperCase())))
      this.#add("uncommon-mechanism", "warning", start, end - start);
  }
}

const FAULTS: Readonly<Record<Exclude<AuthinfoFault["code"], "not-quoted" | "empty" | "no-password" | "no-user">, LintCode>> = {
  "token-too-long": "text-too-long",
  "value-too-long": "text-too-long",
  "unknown-tag": "unknown-item",
  "item-too-short": "short-item",
  "unknown-delimiter": "bad-delimiter",
  "bad-base64": "bad-base64",
  "empty-password": "empty-password",
  "empty-user": "empty-user",
};

function outcomeText(outcome: ClientOutcome): string {
  return outcome.outcome === "deferred" ? "mail is deferred" : "mail is sent without authentication";
}

function startsTypographic(text: string): boolean {
  return /^\xe2\x80[\x98-\x9f]/.test(text);
}

/** Where a % stands that takes the byte behind it with it. */
function percents(text: string, next: RegExp): number[] {
  return Array.from(text.matchAll(/%([%0-9])/g)).flatMap((match) => (next.test(match[1] ?? "") ? [match.index] : []));
}

/** Blanks for what divides mechanisms; where one stands beside it already, none. */
function separators(text: string, from: number): Edit[] {
  return Array.from(text.matchAll(/[\t-\r,;]+/g), (match): Edit => {
    const [before, after] = [text[match.index - 1], text[match.index + match[0].length]];
    const isEdge = before === " " || after === " " || before === undefined || after === undefined;
    return { offset: from + match.index, length: match[0].length, text: isEdge ? "" : " " };
  });
}

// The text of an edit is never one of an item, which may be a password.

function singleQuotes(text: string): Edit[] {
  return Array.from(text.matchAll(/"[^"]*"|'[^'"]*'/g)).flatMap(({ 0: whole, index }): Edit[] => {
    if (whole.startsWith('"')) return [];
    return [index, index + whole.length - 1].map((offset) => ({ offset, length: 1, text: '"' }));
  });
}

function typographicQuotes(text: string, pattern: RegExp): Edit[] {
  return Array.from(text.matchAll(pattern), ({ 0: whole, index }): Edit => ({ offset: index, length: whole.length, text: '"' }));
}

function noBreakSpaces(text: string): Edit[] {
  return Array.from(text.matchAll(/"[^"]*"|(?:\xc2\xa0)+/g)).flatMap(({ 0: whole, index }): Edit[] =>
    whole.startsWith('"') ? [] : [{ offset: index, length: whole.length, text: " " }],
  );
}

function hasControls(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte < 0x20 || byte === 0x7f);
}

/** Base64 of text that one could type, which plain text hardly ever is by chance. */
function looksLikeBase64(text: Uint8Array): boolean {
  const isPadded = text.at(-1) === 0x3d;
  if (text.length < (isPadded ? 4 : 8) || text.length % 4 !== 0) return false;
  const decoded = decodeBase64(text);
  return decoded instanceof Uint8Array && decoded.length > 0 && /^[ -~]+$/.test(latin1(decoded));
}
