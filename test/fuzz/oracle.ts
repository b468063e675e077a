/**
 * What the targets share: a word that stands for a password, and sizes of chunks.
 */
import assert from "node:assert/strict";
import { generator, type Random } from "../support/random.ts";

/** Dictionaries have it, so that it comes to stand anywhere; no message may say it. */
export const CANARY = "Tr0ub4dor-26zXq";

/** @param message as somebody gets to see it. */
export function assertSilent(message: string, what: string): void {
  const text = message.toLowerCase();
  const forms = [CANARY, Buffer.from(CANARY).toString("base64").slice(0, -1), Buffer.from(CANARY).toString("hex")];
  for (const form of forms) assert.ok(!text.includes(form.toLowerCase()), `${what} says a secret: ${message}`);
}

/** Numbers that depend on the input alone, for what is tried in one way of many. */
export function randomOf(input: Uint8Array): Random {
  return generator(input.reduce((hash, byte) => Math.imul(hash ^ byte, 16777619) >>> 0, input.length));
}

/** The input in pieces. */
export function* chunksOf(input: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let at = 0; at < input.length; ) {
    const length = 1 + random(random(2) === 0 ? 4 : 1100);
    // The chunk is its owner's again when it was read.
    const lent = input.slice(at, at + length);
    yield lent;
    lent.fill(0x21);
    at += length;
  }
}

/** The first line, and what stands behind it. */
export function splitHead(input: Uint8Array): [head: string, rest: Uint8Array] {
  const end = input.indexOf(0x0a);
  const head = input.subarray(0, end < 0 ? input.length : end);
  return [Buffer.from(head).toString("latin1"), end < 0 ? new Uint8Array() : input.subarray(end + 1)];
}

/** A message without what is different in each: numbers, and what stands in quotes. */
export function shapeOf(message: string): string {
  return message
    .replace(/"[^"]*"/g, '""')
    .replace(/\d+/g, "N")
    .slice(0, 100);
}
