/**
 * The source text of a map as lines whose parts have places: what makemap
 * takes for key and value, and what it refuses, by the rules of SourceParser
 * (sendmail 8.17.1.9, makemap.c). A test holds the two against each other.
 */
import type { SourceOptions } from "../../makemap/source-parser.ts";

/** The most that one fgets() of makemap returns. */
const PIECE = 1023;

const NUL = 0x00;
const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const NUMBER_SIGN = 0x23;

/** What a line is to makemap. */
type LineKind = "record" | "empty" | "comment" | "leading-blank" | "no-value" | "too-long" | "nul";

/** A line, or what makemap takes for one. Places are offsets in the text. */
export interface SourceLine {
  readonly kind: LineKind;
  /** As an editor counts, from 1. */
  readonly line: number;
  /** Where the line of the editor begins, for columns. */
  readonly lineStart: number;
  /** As makemap counts: the pieces of a line that is too long count each. */
  readonly piece: number;
  /** Whether it is what follows the first 1023 bytes of a line. */
  readonly isRest: boolean;
  readonly start: number;
  /** Behind its last byte; of a last line that a NUL cuts, the place of the NUL. */
  readonly end: number;
  /** Whether a newline follows. */
  readonly hasNewline: boolean;
  readonly keyEnd: number;
  readonly valueStart: number;
}

/** Which bytes divide a key from its value. */
function isDelimiter(byte: number, { delimiterByte }: SourceOptions): boolean {
  return delimiterByte === undefined ? byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN) : byte === delimiterByte;
}

/** All lines of a text. The bytes stay the caller's. */
export function scanSource(bytes: Uint8Array, options: SourceOptions = {}): SourceLine[] {
  const lines: SourceLine[] = [];
  let line = 1;
  let lineStart = 0;
  for (let at = 0, piece = 1; at < bytes.length; piece++) {
    const newline = bytes.indexOf(NEWLINE, at);
    const lineEnd = newline < 0 ? bytes.length : newline;
    const isTooLong = lineEnd - at >= PIECE;
    const end = isTooLong ? at + PIECE : lineEnd;
    const hasNewline = !isTooLong && newline >= 0;
    const place = { line, lineStart, piece, isRest: at > lineStart, start: at, hasNewline };
    lines.push(scanLine(bytes, place, end, isTooLong, options));
    at = hasNewline ? end + 1 : end;
    if (hasNewline) {
      line += 1;
      lineStart = at;
    }
  }
  return lines;
}

type Place = Omit<SourceLine, "kind" | "end" | "keyEnd" | "valueStart">;

function scanLine(bytes: Uint8Array, place: Place, end: number, isTooLong: boolean, options: SourceOptions): SourceLine {
  const { start, hasNewline } = place;
  const without = (kind: LineKind, to = end): SourceLine => ({ ...place, kind, end: to, keyEnd: start, valueStart: start });
  if (isTooLong) return without("too-long");
  const nul = bytes.subarray(start, end).indexOf(NUL);
  // The NUL hides the newline; a last line without one is cut.
  if (nul >= 0 && hasNewline) return without("nul");
  const textEnd = nul < 0 ? end : start + nul;
  if (start === textEnd) return without("empty", textEnd);
  const first = bytes[start] as number;
  if (first === (options.commentByte ?? NUMBER_SIGN)) return without("comment", textEnd);
  if (options.delimiterByte === undefined && isDelimiter(first, options)) return without("leading-blank", textEnd);
  let keyEnd = start;
  while (keyEnd < textEnd && !isDelimiter(bytes[keyEnd] as number, options)) keyEnd += 1;
  let valueStart = keyEnd;
  while (valueStart < textEnd && isDelimiter(bytes[valueStart] as number, options)) valueStart += 1;
  const kind = valueStart === textEnd && options.allowEmptyValue !== true ? "no-value" : "record";
  return { ...place, kind, end: textEnd, keyEnd, valueStart };
}
