/**
 * The names of temporary files, and where they are: beside the file that they
 * are for, or in the folder for such files. A name tells whose it is, so that
 * what a killed run left behind is removed by the next run on the same file.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { FileSystem } from "berkeley-db-js";
import { nodeCrypto } from "./late.ts";
import { pid } from "./own-process.ts";
import { hostDigest, isLeftBehind } from "./running.ts";

/** Where temporary files are, and how their names begin. */
export interface Place {
  readonly folder: string;
  readonly prefix: string;
}

/** Short, whatever the length of the target's own name, and one for each target. */
function prefix(target: string): string {
  return `.${digest(target)}-${hostDigest()}-`;
}

function digest(text: string): string {
  return nodeCrypto().createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** How much of a prefix is the target's digest. */
const ANY_HOST = 10;

/** A name for a temporary file that nobody foresees. */
export function nameIn({ folder, prefix }: Place, ending = ""): string {
  return join(folder, `${prefix}${pid}-${nodeCrypto().randomBytes(4).toString("hex")}${ending}`);
}

export function besideOf(target: string): Place {
  return { folder: dirname(target), prefix: prefix(basename(target)) };
}

/** For a file in a folder that is not ours to write to. */
export function elsewhereOf(target: string): Place {
  return { folder: tmpdir(), prefix: prefix(resolve(target)) };
}

/** Removes what earlier runs on the same target left behind. */
export function removeStale(place: Place, kind: "new" | "old", fileSystem: FileSystem): void {
  for (const path of leftovers(place, kind)) tryUnlink(path, fileSystem);
}

/** What dead runs on the same target left behind: new content, or old content that was kept. */
export function leftovers({ folder, prefix }: Place, kind: "new" | "old"): string[] {
  const anyHost = prefix.slice(0, ANY_HOST);
  const found: string[] = [];
  for (const name of namesIn(folder)) {
    const match = name.startsWith(anyHost) ? /^\.[0-9a-f]{8}-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}(\.old)?$/.exec(name) : null;
    if (match === null || (match[3] === undefined ? "new" : "old") !== kind) continue;
    const path = join(folder, name);
    const mtimeMs = mtimeOf(path);
    if (mtimeMs === undefined) continue;
    const maker = { host: String(match[1]), pid: Number(match[2]), mtimeMs };
    // Old content is kept and gone in one piece of work: what is there of it could not be put back.
    const isOurs = kind === "old" && maker.host === hostDigest() && maker.pid === pid;
    if (isOurs || isLeftBehind(maker)) found.push(path);
  }
  return found;
}

/** It may be somebody else's, or gone; whatever made the work fail is what the caller hears of. */
export function tryUnlink(path: string, fileSystem: FileSystem): void {
  try {
    fileSystem.unlink(path);
  } catch {
    // As said above.
  }
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** What cannot be looked at is not ours to remove, and keeps no run from its work. */
function mtimeOf(path: string): number | undefined {
  try {
    return statOrUndefined(path)?.mtimeMs;
  } catch {
    return undefined;
  }
}

/** A link is none: what it leads to is not there, or it would have been followed. */
export function statOrUndefined(path: string): fs.Stats | undefined {
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  return status?.isSymbolicLink() ? undefined : status;
}
