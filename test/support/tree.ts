/**
 * Everything in a folder, to be compared: files by content, mode and owner, folders
 * by mode, links by where they lead.
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { geteuid } from "node:process";

/** By path within the folder: "0640 file 9f86d0…". */
export type Tree = Readonly<Record<string, string>>;

export function treeOf(folder: string): Tree {
  return Object.fromEntries(namesIn(folder, "").map((name) => [name, describe(join(folder, name))]));
}

/** By hand: what Node's own way does with links to folders depends on its other options. */
function namesIn(folder: string, below: string): string[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const name = join(below, entry.name);
    return entry.isDirectory() ? [name, ...namesIn(folder, name)] : [name];
  });
}

function describe(path: string): string {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  const mode = (status.mode & 0o7777).toString(8).padStart(4, "0");
  if (status.isDirectory()) return `${mode} folder`;
  // What belongs to others has to stay theirs.
  const owner = status.uid === geteuid?.() ? "" : `of user ${status.uid} `;
  return `${mode} file ${owner}${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}
