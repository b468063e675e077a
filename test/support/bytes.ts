/**
 * Byte strings and text, to and fro.
 */
import { createHash } from "node:crypto";

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** As text, or undefined: for comparing what a lookup returned. */
export function maybeTextOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : textOf(bytes);
}

/** Records as pairs of text, which `assert.deepEqual` compares and prints well. */
export function pairsOf(records: Iterable<readonly [Uint8Array, Uint8Array]>): [string, string][] {
  return Array.from(records, ([key, data]) => [textOf(key), textOf(data)]);
}

export function sortedPairs(pairs: Iterable<readonly [string, string]>): [string, string][] {
  const list = Array.from(pairs, ([key, data]): [string, string] => [key, data]);
  return list.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
}

/** The order of latin1 text is the order of its bytes. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
