/**
 * Map source text to records, byte by byte as makemap does it: sendmail
 * 8.17.1.9, makemap.c, which reads with fgets() into 1024 bytes.
 */
import type { RecordBatch } from "berkeley-db-js";
import type { SourceDiagnostic } from "./diagnostic.ts";
import { foldByte } from "./map-key.ts";

/** The most that one fgets() returns: the buffer less its NUL. */
const PIECE = 1023;

const NUL = 0x00;
const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const NUMBER_SIGN = 0x23;
const BYTES = 256;

export interface SourceOptions {
  /** -D: a line that begins with this byte is a comment; 0 for none. Default "#". */
  readonly commentByte?: number | undefined;
  /** -t: the byte between key and value. Default: any white space of ASCII. */
  readonly delimiterByte?: number | undefined;
  /** -e: a key may stand without a value. */
  readonly allowEmptyValue?: boolean;
  /** -f: keys keep their upper case. */
  readonly keepCase?: boolean;
  /** -N: a NUL is stored behind key and value. */
  readonly includeNul?: boolean;
}

/** Where the parser puts what it finds. */
export interface SourceSink {
  readonly batch: RecordBatch;
  /** The line of each record in the batch. */
  readonly lines: number[];
  readonly diagnostics: SourceDiagnostic[];
}

/** Takes the text in chunks of any size. */
export class SourceParser {
  readonly #commentByte: number;
  readonly #allowEmptyValue: boolean;
  /** A line that begins with one of these has no key: the default delimiters. */
  readonly #leadingSpace: Uint8Array;
  // Tables, since these two are asked of every byte.
  /** 1 for each byte that is a delimiter. */
  readonly #isDelimiter: Uint8Array;
  /** What each byte of a key is stored as. */
  readonly #folded: Uint8Array;
  readonly #nul: 0 | 1;
  /** The beginning of a line whose end has not been seen. */
  readonly #rest = new Uint8Array(PIECE);
  #restLength = 0;
  #line = 0;

  constructor(options: SourceOptions = {}) {
    this.#commentByte = options.commentByte ?? NUMBER_SIGN;
    this.#allowEmptyValue = options.allowEmptyValue ?? false;
    this.#isDelimiter = tableOf((byte) => (options.delimiterByte === undefined ? isSpace(byte) : Number(byte === options.delimiterByte)));
    this.#leadingSpace = options.delimiterByte === undefined ? this.#isDelimiter : new Uint8Array(BYTES);
    this.#folded = tableOf((byte) => (options.keepCase ? byte : foldByte(byte)));
    this.#nul = options.includeNul ? 1 : 0;
  }

  /** The pieces of lines read so far. */
  get line(): number {
    return this.#line;
  }

  /**
   * Reads a chunk. What it holds of an unfinished line is copied; the chunk is
   * the caller's again on return.
   */
  write(chunk: Uint8Array, sink: SourceSink): void {
    let at = this.#restLength > 0 ? this.#finishRest(chunk, sink) : 0;
    const hasNul = chunk.indexOf(NUL, at) >= 0;
    while (at < chunk.length) {
      let end = chunk.indexOf(NEWLINE, at);
      if (end < 0) end = chunk.length;
      if (end < chunk.length && end - at < PIECE) {
        this.#piece(chunk, at, end, true, hasNul, sink);
        at = end + 1;
      } else if (end - at >= PIECE) {
        this.#piece(chunk, at, at + PIECE, false, hasNul, sink);
        at += PIECE;
      } else {
        this.#rest.set(chunk.subarray(at));
        this.#restLength = chunk.length - at;
        at = chunk.length;
      }
    }
  }

  /** Reads what is left at the end of the text: a last line without a newline. */
  end(sink: SourceSink): void {
    if (this.#restLength === 0) return;
    const rest = this.#rest.subarray(0, this.#restLength);
    const nul = rest.indexOf(NUL);
    this.#line += 1;
    this.#text(this.#rest, 0, nul < 0 ? this.#restLength : nul, sink);
    this.#forgetRest();
  }

  /** Completes the line that an earlier chunk began; returns where the next one begins. */
  #finishRest(chunk: Uint8Array, sink: SourceSink): number {
    const rest = this.#rest;
    const length = this.#restLength;
    const newline = chunk.subarray(0, PIECE - length).indexOf(NEWLINE);
    const take = newline < 0 ? Math.min(chunk.length, PIECE - length) : newline;
    rest.set(chunk.subarray(0, take), length);
    this.#restLength += take;
    if (newline < 0 && this.#restLength < PIECE) return take;
    const end = this.#restLength;
    this.#piece(rest, 0, end, newline >= 0, true, sink);
    this.#forgetRest();
    return newline < 0 ? take : newline + 1;
  }

  #forgetRest(): void {
    this.#rest.fill(0, 0, this.#restLength);
    this.#restLength = 0;
  }

  /** What one fgets() returns. A NUL hides the newline from strchr(). */
  #piece(bytes: Uint8Array, start: number, end: number, hasNewline: boolean, mayHaveNul: boolean, sink: SourceSink): void {
    this.#line += 1;
    if (!hasNewline || (mayHaveNul && bytes.subarray(start, end).includes(NUL))) {
      sink.diagnostics.push({ problem: "line-too-long", line: this.#line });
    } else {
      this.#text(bytes, start, end, sink);
    }
  }

  /** A line without its newline, and without a NUL. */
  #text(bytes: Uint8Array, start: number, end: number, sink: SourceSink): void {
    const first = bytes[start] as number;
    if (start === end || first === this.#commentByte) return;
    if (this.#leadingSpace[first] === 1) {
      sink.diagnostics.push({ problem: "leading-space", line: this.#line });
      return;
    }
    const isDelimiter = this.#isDelimiter;
    let keyEnd = start;
    while (keyEnd < end && isDelimiter[bytes[keyEnd] as number] === 0) keyEnd += 1;
    let value = keyEnd;
    while (value < end && isDelimiter[bytes[value] as number] === 1) value += 1;
    if (value === end && !this.#allowEmptyValue) {
      const key = bytes.slice(start, keyEnd);
      this.#copyKey(bytes, start, keyEnd, key, 0);
      sink.diagnostics.push({ problem: "no-value", line: this.#line, key });
      return;
    }
    this.#store(bytes, start, keyEnd, value, end, sink);
  }

  #store(bytes: Uint8Array, key: number, keyEnd: number, value: number, valueEnd: number, sink: SourceSink): void {
    const nul = this.#nul;
    const keyLength = keyEnd - key + nul;
    let to = sink.batch.reserve(keyLength, valueEnd - value + nul);
    const target = sink.batch.bytes;
    this.#copyKey(bytes, key, keyEnd, target, to);
    to += keyLength;
    if (nul === 1) target[to - 1] = NUL;
    for (let at = value; at < valueEnd; at++, to++) target[to] = bytes[at] as number;
    if (nul === 1) target[to] = NUL;
    sink.lines.push(this.#line);
  }

  #copyKey(bytes: Uint8Array, start: number, end: number, target: Uint8Array, to: number): void {
    const folded = this.#folded;
    for (let at = start, out = to; at < end; at++, out++) target[out] = folded[bytes[at] as number] as number;
  }
}

function tableOf(value: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: BYTES }, (_, byte) => value(byte));
}

/** isspace() of the C locale, for bytes of ASCII. */
function isSpace(byte: number): 0 | 1 {
  return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN) ? 1 : 0;
}
