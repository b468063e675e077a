/**
 * Arguments that are not UTF-8, of which Node makes U+FFFD: as the name of a
 * file it would be another file's.
 */
import { printable } from "./printable.ts";

/** Of the first one what is to be said; undefined where there is none. */
export function unreadableArgument(args: readonly string[]): string | undefined {
  const found = args.find((arg) => arg.includes("\ufffd"));
  return found === undefined ? undefined : `"${printable(found)}": not UTF-8, or with U+FFFD in it, which stands for that`;
}
