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
  /** More than sendmail's buffer holds, at this byte. Its limit of 1000 tokens is beyond that. */
  | { readonly code: "value-too-long"; readonly offset: number };

/** Bytes of a token, quotes included: MAXNAME. */
export const LONGEST_TOKEN = 256;
/** Bytes that tokens share, a NUL behind each: MAXNAME + MAXATOM, less 6 of reserve. */
const BUFFER = 256 + 1000 - 6;

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

type Kind = "operator" | "atom" | "quote" | "space";

const KINDS: readonly Kind[] = Array.from({ length: 256 }, (_, byte) => kindOf(byte));

function kindOf(byte: number): Kind {
  if (byte === QUOTE) return "quote";
  if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === OPEN || byte === CLOSE) return "space";
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
  #state: Kind = "atom";
  /** Comments and angle brackets that are open. */
  #comments = 0;
  #angles = 0;
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
    let isEscaped = false;
    for (let at = 0; this.#fault === undefined; at++) {
      const byte = at < this.#value.length ? this.#byteAt(at) : this.#missing();
      if (byte === undefined) break;
      const isBehindBackslash = isEscaped;
      isEscaped = false;
      if (isBehindBackslash && this.#comments > 0) continue;
      if (isBehindBackslash && (byte !== EXCLAMATION || this.#state === "quote")) {
        this.#add(BACKSLASH, at - 1);
        this.#add(byte, at);
        continue;
      }
      // A backslash is kept with the byte behind it; otherwise it is a byte of an atom.
      if (byte === BACKSLASH) isEscaped = true;
      else if (this.#state !== "quote" && this.#isLeftOut(byte)) continue;
      this.#take(byte, at, isEscaped);
    }
    this.#finish(false);
    if (this.#fault !== undefined) return this.#fault;
    return this.#tokens.length === 0 ? { code: "empty" } : this.#tokens;
  }

  #byteAt(at: number): number {
    const byte = this.#value[at] as number;
    return byte === NO_CHARACTER ? DELETE : byte;
  }

  /** At the end sendmail closes what is open. A quote alone matters: nothing is read behind a bracket that is open. */
  #missing(): number | undefined {
    return this.#state === "quote" ? QUOTE : undefined;
  }

  /** Counts comments and angle brackets. Left out is what a comment holds, and what closes none; the end of one is as a blank. */
  #isLeftOut(byte: number): boolean {
    if (byte === OPEN) {
      this.#comments += 1;
      return true;
    }
    if (byte === CLOSE) {
      if (this.#comments === 0) return true;
      this.#comments -= 1;
    } else if (this.#comments > 0) return true;
    else if (byte === LESS) this.#angles += 1;
    else if (byte === GREATER) {
      if (this.#angles === 0) return true;
      this.#angles -= 1;
    }
    return false;
  }

  /** Goes on to the next state, which may begin a token. */
  #take(byte: number, offset: number, isHeldBack: boolean): void {
    const before = this.#state;
    const kind = KINDS[byte] as Kind;
    if (before === "quote") {
      if (!isHeldBack) this.#add(byte, offset);
      if (kind !== "quote") return;
      this.#state = "operator";
      this.#finish(offset >= this.#value.length);
      return;
    }
    this.#state = kind;
    if (before === "operator" || (before === "atom" && kind !== "atom")) this.#finish(false);
    if (kind !== "space" && !isHeldBack) this.#add(byte, offset);
  }

  #add(byte: number, offset: number): void {
    if (this.#used + this.#bytes.length >= BUFFER) this.#fault ??= { code: "value-too-long", offset };
    if (this.#bytes.length === 0) this.#start = Math.min(offset, this.#value.length);
    this.#bytes.push(byte);
    this.#end = Math.min(offset + 1, this.#value.length);
  }

  #finish(isUnclosed: boolean): void {
    const length = this.#bytes.length;
    if (length === 0) return;
    if (length > LONGEST_TOKEN) this.#fault ??= { code: "token-too-long", offset: this.#start, length };
    this.#tokens.push({ bytes: Uint8Array.from(this.#bytes), start: this.#start, end: this.#end, isUnclosed });
    this.#used += length + 1;
    this.#bytes = [];
  }
}
