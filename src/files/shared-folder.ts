/**
 * What another user may have put in the way, in a folder where everybody may
 * put something, such as /tmp. A link there leads to a file that nobody named; a
 * file there is open to whoever made it; and of a file that has other names
 * nobody knows where those are.
 *
 * Linux keeps from the same where the folder has the sticky bit
 * (fs.protected_symlinks, protected_regular, protected_hardlinks) and its
 * administrator has not turned that off; other systems do not, and a program
 * that resolves links by itself goes past it.
 */
import * as fs from "node:fs";
import { dirname, join, parse, resolve, sep } from "node:path";
import { geteuid } from "./own-process.ts";

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
/** As Linux has it. */
const MOST_LINKS = 40;

/** Whether another user made it, where everybody may. */
export function isForeign(path: string, { uid }: fs.Stats): boolean {
  const folder = fs.statSync(dirname(path));
  // Whose folder it is can put anything there anyway.
  return isShared(folder) && uid !== geteuid?.() && uid !== folder.uid;
}

/**
 * Checks a file that is to be replaced or written to.
 * @param path not a link.
 * @throws {Error} another user made it, or another name of it, where everybody may.
 */
export function refuseForeign(path: string, status: fs.Stats): void {
  if (isForeign(path, status)) throw foreignError(path, "belongs to another user, in a folder where everybody may write");
  if (status.nlink > 1 && isShared(fs.statSync(dirname(path))))
    throw foreignError(path, "has other names, in a folder where everybody may write");
}

/**
 * The path of the file itself, with all links followed.
 * @throws {Error} a link on the way is one that another user made, where everybody may; and what the file system throws.
 */
export function resolveLinks(path: string): string {
  const { root } = parse(resolve(path));
  const names = (path.startsWith(root) ? path.slice(root.length) : `${resolve(".").slice(root.length)}${sep}${path}`).split(sep);
  let at = root;
  for (let links = 0; names.length > 0; ) {
    const name = names.shift() as string;
    const next = name === ".." ? dirname(at) : join(at, name);
    const status = fs.lstatSync(next);
    if (!status.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > MOST_LINKS) throw Object.assign(new Error("ELOOP: too many symbolic links"), { code: "ELOOP", syscall: "lstat", path });
    if (isForeign(next, status)) throw foreignError(next, "a link of another user, in a folder where everybody may write");
    const target = fs.readlinkSync(next);
    if (target.startsWith(root)) at = root;
    names.unshift(...target.split(sep));
  }
  return at;
}

/**
 * The path of a file that need not be there, with the links to its folder
 * followed; as it was named, where there are none. It may be a link itself, for
 * its user to say what becomes of it.
 * @throws {Error} as resolveLinks(), and where there is no such folder.
 */
export function resolveFolder(path: string): string {
  const start = path.lastIndexOf(sep) + 1;
  const folder = resolveLinks(path.slice(0, start));
  return folder === resolve(path.slice(0, start)) ? path : join(folder, path.slice(start));
}

/** With the sticky bit a group that may write is one whose users do not trust each other. */
function isShared({ mode }: fs.Stats): boolean {
  return (mode & OTHERS_WRITE) !== 0 || ((mode & STICKY) !== 0 && (mode & GROUP_WRITE) !== 0);
}

function foreignError(path: string, what: string): Error {
  return Object.assign(new Error(what), { code: "ERR_FOREIGN_FILE", syscall: "open", path });
}
