/**
 * JSON that does nothing to a terminal: what JSON itself leaves as it is, the
 * control characters above DEL, those that turn text around or cannot be seen,
 * and the separators of lines, is escaped. It means the same.
 */

/** One line, without a newline at its end. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
