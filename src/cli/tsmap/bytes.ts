/**
 * Keys and data, which are bytes, to a person and in JSON.
 */
import { isUtf8 } from "node:buffer";
import { printable } from "../printable.ts";

/** As text in which control characters and bytes that are no text are spelt out. */
export function shownBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isUtf8(buffer)) return printable(buffer.toString());
  return printable(buffer.toString("latin1").replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`));
}

/** A member of a JSON object: text as it is, other bytes in base64 under a name that says so. */
export function jsonBytes(name: string, bytes: Uint8Array): Record<string, string> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? { [name]: buffer.toString() } : { [`${name}Base64`]: buffer.toString("base64") };
}
