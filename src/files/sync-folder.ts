/**
 * The names in a folder, on the disc: a file that was renamed is found by its
 * new name after a power failure too.
 */
import { closeSync, fsyncSync, openSync } from "node:fs";

/** Of a folder that may be written to and not read, and of file systems that have no such call. */
const NOT_POSSIBLE = ["EACCES", "EPERM", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EISDIR"];

/** @throws {Error} of the file system, unless it has no way to do it. */
export function syncFolder(folder: string): void {
  try {
    const file = openSync(folder, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!NOT_POSSIBLE.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
