/**
 * Whether a file is still what it was when somebody looked.
 */
import * as fs from "node:fs";

export interface FileState {
  readonly size: bigint;
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly nlink: bigint;
  readonly isFile: boolean;
}

/** Undefined where there is none: a link that leads nowhere is as good as nothing. */
export function stateOf(path: string): FileState | undefined {
  const status = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (status === undefined || status.isSymbolicLink()) return undefined;
  const { size, ino, mtimeNs, nlink } = status;
  return { size, ino, mtimeNs, nlink, isFile: status.isFile() };
}

export function isSameState(a: FileState | undefined, b: FileState | undefined): boolean {
  return a?.size === b?.size && a?.ino === b?.ino && a?.mtimeNs === b?.mtimeNs;
}
