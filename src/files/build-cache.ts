/**
 * How much memory the pages of a database may take while it is built. Records
 * come in the order of their source and go to pages all over the file: one that
 * does not fit is written and read again for almost every record, which takes
 * ten times as long. The bytes of the file do not depend on it.
 */
import { availableMemory } from "./own-process.ts";

const LEAST = 1 << 20;
/** The most that libdb can be given here. */
const MOST = 0x7fff_ffff;
/** The rest of the machine is not ours. */
const SHARE = 0.5;

/**
 * @param expected bytes that the file may come to; undefined where nobody knows.
 * @param wanted bytes that the user asks for in place of that.
 * @returns bytes. What is not needed of it is not taken.
 */
export function buildCacheSize(expected: number | undefined, wanted?: number): number {
  const size = wanted ?? Math.min(expected ?? MOST, availableMemory() * SHARE);
  return Math.max(LEAST, Math.min(MOST, Math.floor(size)));
}
