/**
 * Files that a manifest names.
 */
import { isAbsolute, join } from "node:path";
import { strerror } from "../files/strerror.ts";

/**
 * The path of a file that is named relative to a folder, as somebody in the
 * current folder would write it.
 */
export function fileIn(folder: string, name: string): string {
  return isAbsolute(name) ? name : join(folder, name);
}

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : code === "EISDIR" ? "a folder" : strerror(error);
}
