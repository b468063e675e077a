/**
 * Text of others in a message: control characters do nothing to a terminal.
 */
import { isUtf8 } from "node:buffer";

/** The text, with its control characters spelt out: `\x1b`, `\u{200e}`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Keys and data, which are bytes, as text in which control characters and bytes that are no text are spelt out. */
export function shownBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isUtf8(buffer)) return printable(buffer.toString());
  return printable(buffer.toString("latin1").replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`));
}

const NEWLINE = "\n";
const TAB = "\t";

/** A line for a terminal: it stays one line, with its TABs and the newline at its end. */
export function shownLine(line: string | Uint8Array): string {
  const text = typeof line === "string" ? line : Buffer.from(line).toString("latin1");
  const end = text.endsWith(NEWLINE) ? NEWLINE : "";
  const parts = text.slice(0, text.length - end.length).split(TAB);
  return parts.map((part) => (typeof line === "string" ? printable(part) : shownBytes(Buffer.from(part, "latin1")))).join(TAB) + end;
}
