/**
 * How sendmail takes a value apart into tokens before a ruleset sees it:
 * prescan() of sendmail 8.17.1 (parseaddr.c), with the OperatorChars of its
 * stock configuration.
 */

/** A token, and where it stands. */
export interface Token {
  readonly bytes: Uint8Array;
  /** Offsets in the value: of its first byte, and behind its last one. */
  readonly start: number;
  readonly end: number;
  /** Whether sendmail had to add the closing quote. */
  readonly isUnclosed: boolean;
}

/** Why sendmail gives the whole value up. */
export type TokenFault =
  /** No token at all. */
  | { readonly code: "empty" }
  /** A token of more than `LONGEST_TOKEN` bytes. */
  | { readonly code: "token-too-long"; readonly offset: number; readonly length: number }
  /** More than sendmail's buffer holds, at this byte. */
  | { readonly code: "value-too-long"; readonly offset: number }
  | { readonly code: "too-many-tokens"; readonly offset: number };

/** Bytes of a token, quotes included: MAXNAME. */
export const LONGEST_TOKEN = 256;
/** Bytes that tokens share, a NUL behind each: MAXNAME + MAXATOM, less 6 of reserve. */
const BUFFER = 256 + 1000 - 6;
const MOST_TOKENS = 1000;

const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const LESS = 0x3c;
const GREATER = 0x3e;
const BACKSLASH = 0x5c;
const EXCLAMATION = 0x21;
/** sendmail has a use of its own for this byte, and reads the other instead. */
const NO_CHARACTER = 0xff;
const DELETE = 0x7f;
const OPERATORS = ".:%@!^/[]+()<>,;";
/** C1 codes that stand for macros in sendmail and take a byte with them. */
const ONE_MORE = [0x82, 0x93, 0x94, 0x95];

type Kind = "operator" | "atom" | "quote" | "space" | "one";

const KINDS: readonly Kind[] = Array.from({ length: 256 }, (_, byte) => kindOf(byte));

function kindOf(byte: number): Kind {
  if (byte === QUOTE) return "quote";
  if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === OPEN || byte === CLOSE) return "space";
  if (ONE_MORE.includes(byte)) return "one";
  if (byte >= 0x80 && byte < 0xa0) return "operator";
  return OPERATORS.includes(String.fromCharCode(byte)) ? "operator" : "atom";
}

/**
 * Takes a value apart.
 * @param value ends at its first NUL.
 */
export function tokenize(value: Uint8Array): readonly Token[] | TokenFault {
  const nul = value.indexOf(0);
  return new Scanner(nul < 0 ? value : value.subarray(0, nul)).run();
}

class Scanner {
  readonly #value: Uint8Array;
  readonly #tokens: Token[] = [];
  /** The token that is being read. */
  #bytes: number[] = [];
  #start = 0;
  #end = 0;
  /** Bytes of the buffer that earlier tokens take up. */
  #used = 0;
  #fault: TokenFault | undefined;

  constructor(value: Uint8Array) {
    this.#value = value;
  }

  run(): readonly Token[] | TokenFault {
    const value = this.#value;
    let state: Kind = "atom";
    let comments = 0;
    let angles = 0;
    let isEscaped = false;
    for (let at = 0; this.#fault === undefined; ) {
      const isEnd = at >= value.length;
      // At the end sendmail closes what is open, and reads the end again.
      const missing = state === "quote" ? QUOTE : comments > 0 ? CLOSE : angles > 0 ? GREATER : undefined;
      if (isEnd && missing === undefined) break;
      const byte = isEnd ? (missing as number) : value[at] === NO_CHARACTER ? DELETE : (value[at] as number);
      const here = at;
      if (!isEnd) at += 1;

      if (isEscaped) {
        isEscaped = false;
        if (comments > 0) continue;
        if (byte !== EXCLAMATION || state === "quote") {
          this.#add(BACKSLASH, here - 1);
          this.#add(byte, here);
          continue;
        }
      }
      if (byte === BACKSLASH) {
        // It is kept with the byte behind it, and begins a token as any other byte of an atom does.
        isEscaped = true;
      } else if (state !== "quote") {
        if (byte === OPEN) {
          comments += 1;
          continue;
        }
        if (byte === CLOSE) {
          // One too many is left out.
          if (comments === 0) continue;
          comments -= 1;
        } else if (comments > 0) continue;
        else if (byte === LESS) angles += 1;
        else if (byte === GREATER) {
          if (angles === 0) continue;
          angles -= 1;
        }
      }

      const kind = KINDS[byte] as Kind;
      const before = state;
      if (before === "quote") state = kind === "quote" ? "operator" : "quote";
      else if (before === "one") state = "operator";
      else state = kind;
      const isBreak = before !== "quote" && before !== "one" && (before === "atom" ? state !== "atom" : before === "operator");
      if (isBreak) this.#finish(here);
      const isDropped = before !== "quote" && before !== "one" && state === "space";
      if (!isDropped && !isEscaped) {
        this.#add(byte, here);
        if (before === "quote" && state === "operator") this.#finish(at, isEnd);
      }
    }
    if (this.#bytes.length > 0) this.#finish(value.length);
    if (this.#fault !== undefined) return this.#fault;
    return this.#tokens.length === 0 ? { code: "empty" } : this.#tokens;
  }

  #add(byte: number, offset: number): void {
    if (this.#used + this.#bytes.length >= BUFFER) this.#fault ??= { code: "value-too-long", offset };
    if (this.#bytes.length === 0) this.#start = offset;
    this.#bytes.push(byte);
    this.#end = Math.min(offset + 1, this.#value.length);
  }

  #finish(end: number, isUnclosed = false): void {
    const length = this.#bytes.length;
    if (length === 0) return;
    if (this.#tokens.length >= MOST_TOKENS) this.#fault ??= { code: "too-many-tokens", offset: this.#start };
    else if (length > LONGEST_TOKEN) this.#fault ??= { code: "token-too-long", offset: this.#start, length };
    this.#tokens.push({ bytes: Uint8Array.from(this.#bytes), start: this.#start, end: Math.min(end, this.#end), isUnclosed });
    this.#used += length + 1;
    this.#bytes = [];
  }
}
