/**
 * Reads a configuration of sendmail for the commands cf check and cf patch.
 */
import { readWhole } from "../../files/read-whole.ts";
import { Trouble, troubleWith } from "./trouble.ts";

/** No configuration comes near it; what does is another file. */
const LARGEST = 1 << 20;

/**
 * @returns one character for each byte.
 * @throws {Trouble}
 */
export function readCfFile(name: string): string {
  try {
    return readWhole(name, LARGEST).toString("latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EFBIG") throw new Trouble(`${name}: too large for a configuration of sendmail`);
    throw troubleWith(name, error);
  }
}

/**
 * A path or a host that is to stand in a configuration.
 * @throws {Trouble} sendmail would read another one.
 */
export function cfWord(option: string, word: string | undefined): string | undefined {
  if (word !== undefined && !/^[^\s#$"\\\p{Cc}]+$/u.test(word)) {
    throw new Trouble(`${option}: "${word}" cannot stand in a configuration: blanks, quotes, #, $ and \\ mean something else there`);
  }
  return word === undefined ? undefined : Buffer.from(word).toString("latin1");
}
