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

/** Which bytes divide a key from its value: 1 for each. A table, since it is asked of every byte. */
function delimiters({ delimiterByte }: SourceOptions): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    Number(delimiterByte === undefined ? byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN) : byte === delimiterByte),
  );
}

/** All lines of a text. The bytes stay the caller's. */
export function scanSource(bytes: Uint8Array, options: SourceOptions = {}): SourceLine[] {
  const lines: SourceLine[] = [];
  const isDelimiter = delimiters(options);
  let line = 1;
  let lineStart = 0;
  // Of the first NUL that is not before the line.
  let nul = bytes.indexOf(NUL);
  // The same of the newline: a line of very many pieces is looked through once.
  let newline = bytes.indexOf(NEWLINE);
  for (let at = 0, piece = 1; at < bytes.length; piece++) {
    if (newline >= 0 && newline < at) newline = bytes.indexOf(NEWLINE, at);
    const lineEnd = newline < 0 ? bytes.length : newline;
    const isTooLong = lineEnd - at >= PIECE;
    const end = isTooLong ? at + PIECE : lineEnd;
    const hasNewline = !isTooLong && newline >= 0;
    if (nul >= 0 && nul < at) nul = bytes.indexOf(NUL, at);
    const hasNul = nul >= 0 && nul < end;
    const parts = isTooLong
      ? withoutParts("too-long", at, end)
      : hasNul && hasNewline
        ? // It hides the newline.
          withoutParts("nul", at, end)
        : // A last line without a newline is cut.
          scanLine(bytes, at, hasNul ? nul : end, isDelimiter, options);
    const { kind, end: textEnd, keyEnd, valueStart } = parts;
    lines.push({ kind, line, lineStart, piece, isRest: at > lineStart, start: at, end: textEnd, hasNewline, keyEnd, valueStart });
    at = hasNewline ? end + 1 : end;
    if (hasNewline) {
      line += 1;
      lineStart = at;
    }
  }
  return lines;
}

type Parts = Pick<SourceLine, "kind" | "end" | "keyEnd" | "valueStart">;

function withoutParts(kind: LineKind, start: number, end: number): Parts {
  return { kind, end, keyEnd: start, valueStart: start };
}

function scanLine(bytes: Uint8Array, start: number, end: number, isDelimiter: Uint8Array, options: SourceOptions): Parts {
  if (start === end) return withoutParts("empty", start, end);
  const first = bytes[start] as number;
  if (first === (options.commentByte ?? NUMBER_SIGN)) return withoutParts("comment", start, end);
  if (options.delimiterByte === undefined && isDelimiter[first] === 1) return withoutParts("leading-blank", start, end);
  let keyEnd = start;
  while (keyEnd < end && isDelimiter[bytes[keyEnd] as number] === 0) keyEnd += 1;
  let valueStart = keyEnd;
  while (valueStart < end && isDelimiter[bytes[valueStart] as number] === 1) valueStart += 1;
  const kind = valueStart === end && options.allowEmptyValue !== true ? "no-value" : "record";
  return { kind, end, keyEnd, valueStart };
}
