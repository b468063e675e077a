/**
 * Keys and data, which are bytes, to a person.
 */
import { isUtf8 } from "node:buffer";
import { printable } from "../printable.ts";

/** As text in which control characters and bytes that are no text are spelt out. */
export function shownBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isUtf8(buffer)) return printable(buffer.toString());
  return printable(buffer.toString("latin1").replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`));
}
