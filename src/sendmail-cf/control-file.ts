/**
 * What makemap takes from sendmail.cf: the trusted user, and the type of a map
 * (sendmail 8.17.1.9, makemap.c).
 */
import { readFileSync } from "node:fs";

export type TrustedUser = { readonly uid: number } | { readonly unknownName: string };

/** @throws {Error} of `node:fs`. */
export function readControlFile(path: string): string[] {
  // One byte, one character: the lines are compared, not shown.
  return readFileSync(path, "latin1").split("\n");
}

/** Every "O TrustedUser" line with exactly one blank, in order; the last one counts. */
export function trustedUsers(lines: readonly string[]): TrustedUser[] {
  const found: TrustedUser[] = [];
  for (const line of lines) {
    const equals = line.startsWith("O TrustedUser") ? line.indexOf("=") : -1;
    if (equals < 0) continue;
    const value = /^\s*(\S*)/.exec(line.slice(equals + 1))?.[1] ?? "";
    if (/^\d/.test(value)) found.push({ uid: Number.parseInt(value, 10) });
    else found.push(lookUpUser(value));
  }
  return found;
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
 * The type of the first K line for this map.
 * @param byBaseName compare base names: the given one cut at its first dot, the
 *   line's argument cut at its last.
 */
export function mapTypeOf(lines: readonly string[], mapName: string, byBaseName: boolean): string | undefined {
  const wanted = byBaseName ? cutAt(mapName, mapName.indexOf(".")) : mapName;
  for (const line of lines) {
    if (!line.startsWith("K")) continue;
    const type = /^K\s*\S+\s+(\S+)/.exec(line)?.[1];
    if (type === undefined) continue;
    // The first place where the name occurs has to be the argument: makemap looks no further.
    const at = line.indexOf(wanted);
    const before = at > 0 ? line[at - 1] : undefined;
    if (before !== " " && !(byBaseName && before === "/")) continue;
    const argument = line.slice(at).trimEnd();
    if ((byBaseName ? cutAt(argument, argument.lastIndexOf(".")) : argument) === wanted) return type;
  }
  return undefined;
}

function cutAt(text: string, index: number): string {
  return index < 0 ? text : text.slice(0, index);
}
