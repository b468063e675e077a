/**
 * Everything in a folder, to be compared: files by content and mode, folders by
 * mode, links by where they lead.
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** By path within the folder: "0640 file 9f86d0…". */
export type Tree = Readonly<Record<string, string>>;

export function treeOf(folder: string): Tree {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(names.map((name) => [name, describe(join(folder, name))]));
}

function describe(path: string): string {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  const mode = (status.mode & 0o7777).toString(8).padStart(4, "0");
  if (status.isDirectory()) return `${mode} folder`;
  return `${mode} file ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}
