/**
 * A file that is to be made or replaced.
 */
import { type Stats, statSync } from "node:fs";
import { resolveFolder, resolveLinks } from "../../files/shared-folder.ts";
import { Trouble, withFile } from "./trouble.ts";

export interface TargetFile {
  /** Resolved: not a link, unless it is one to nothing. */
  readonly path: string;
  /** Undefined where there is none. */
  readonly status: Stats | undefined;
}

/** @throws {Trouble} what is there is no file that could be replaced. */
export function targetFile(name: string): TargetFile {
  return withFile(name, () => {
    const status = statSync(name, { throwIfNoEntry: false });
    if (status === undefined) return { path: resolveFolder(name), status };
    if (!status.isFile()) throw new Trouble(`${name}: not a regular file, and not to be replaced by one`);
    return { path: resolveLinks(name), status };
  });
}

const PERMISSIONS = 0o777;

/** The permission bits of a target that takes the content of another file: whoever may not read the one may not read the other. */
export function modeFor(target: TargetFile, source: Stats): number {
  return (target.status?.mode ?? PERMISSIONS) & source.mode & PERMISSIONS;
}
