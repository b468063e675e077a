/**
 * What somebody may have meant: the known word that a mistyped one is nearest to.
 */
import { closest, distance } from "fastest-levenshtein";

/** @returns undefined where none is near: more than two letters, or a third of it, are others. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const best = closest(word, known);
  return distance(word, best) <= Math.min(2, Math.floor(word.length / 3)) ? best : undefined;
}
