/**
 * What makemap takes from sendmail.cf: the trusted user, and the type of a map
 * (sendmail 8.17.1.9, makemap.c).
 */
import { readFileSync } from "node:fs";

export type TrustedUser = { readonly uid: number } | { readonly unknownName: string };

/** isspace() of the C locale. */
const SPACE = " \t\n\v\f\r";

/**
 * A folder has no lines: makemap opens it and reads nothing.
 * @throws {Error} of `node:fs`.
 */
export function readControlFile(path: string): string[] {
  try {
    // One byte, one character: the lines are compared, not shown.
    return readFileSync(path, "latin1").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return [];
    throw error;
  }
}

/** Every "O TrustedUser" line with exactly one blank, in order; the last one counts, and if its name is unknown there is none. */
export function trustedUsers(lines: readonly string[]): TrustedUser[] {
  const found: TrustedUser[] = [];
  for (const line of lines) {
    const equals = /^O trusteduser(?![a-z0-9])/i.test(line) ? line.indexOf("=") : -1;
    if (equals < 0) continue;
    const value = line.slice(equals + 1).replace(new RegExp(`^[${SPACE}]*`), "");
    const number = /^\d+/.exec(value);
    found.push(number === null ? lookUpUser(value) : { uid: toUid(number[0]) });
  }
  return found;
}

/** A number that no user can have is nobody's: 0 stands for none. */
function toUid(digits: string): number {
  const uid = Number(digits);
  return uid < 0xffffffff ? uid : 0;
}

/** Node has no getpwnam(); users that are not in /etc/passwd have to be given by number. */
function lookUpUser(name: string): TrustedUser {
  let passwd = "";
  try {
    passwd = readFileSync("/etc/passwd", "latin1");
  } catch {
    // Without the file every name is unknown.
  }
  for (const line of passwd.split("\n")) {
    const [user, , uid] = line.split(":");
    if (user === name && uid !== undefined) return { uid: Number.parseInt(uid, 10) };
  }
  return { unknownName: name };
}

/**
 * The type of the first K line for this map; undefined where there is none.
 * @param byBaseName compare base names: the given one cut at its first dot, the
 *   line's argument at its last.
 */
export function mapTypeOf(lines: readonly string[], mapName: string, byBaseName: boolean): string | undefined {
  const wanted = byBaseName ? cutAt(mapName.slice(mapName.lastIndexOf("/") + 1), ".") : mapName;
  if (wanted === "") return undefined;
  for (const line of lines) {
    if (line.startsWith("K") && isFor(trimEnd(line), wanted, byBaseName)) return classOf(line);
  }
  return undefined;
}

/** Whether the last argument of the line is the map: what stands behind the last blank, where a tab separates too. */
function isFor(line: string, wanted: string, byBaseName: boolean): boolean {
  const blank = line.lastIndexOf(" ");
  // The first place where the name occurs has to be the argument: makemap looks no further.
  const at = blank < 0 ? -1 : line.indexOf(wanted, blank);
  if (at <= 0) return false;
  const argument = line.slice(at);
  const dot = byBaseName ? argument.lastIndexOf(".") : -1;
  if ((dot < 0 ? argument : argument.slice(0, dot)) !== wanted) return false;
  const before = line.charAt(at - 1);
  return SPACE.includes(before) || (byBaseName && before === "/");
}

/** The class of a K line: behind the name and one byte, whichever it is. */
function classOf(line: string): string | undefined {
  const name = new RegExp(`^K[${SPACE}]*[A-Za-z0-9][A-Za-z0-9_.]*`).exec(line);
  if (name === null) return undefined;
  return new RegExp(`^[${SPACE}]*([A-Za-z0-9]+)`).exec(line.slice(name[0].length + 1))?.[1];
}

function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && SPACE.includes(line.charAt(end - 1))) end -= 1;
  return line.slice(0, end);
}

function cutAt(text: string, mark: string): string {
  const index = text.indexOf(mark);
  return index < 0 ? text : text.slice(0, index);
}
