/**
 * Colour and weight, on a terminal that has them and whose user wants them
 * (NO_COLOR, no-color.org; Node knows it, FORCE_COLOR and TERM=dumb).
 */
import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/** Returns the text in a format, or as it is. */
export type Paint = (format: Format, text: string) => string;

/** @param stream the one that the text goes to. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const isWanted = stream.isTTY === true && stream.hasColors();
  return isWanted ? (format, text) => styleText(format, text) : (_, text) => text;
}
