/**
 * Open files that leave one thing out which is somebody else's to do.
 */
import type { FileHandle, FileSystem } from "berkeley-db-js";

/** The same file, which stays open when this is closed. */
export function keptOpen(file: FileHandle): FileHandle {
  return { ...handedOn(file), close: () => {} };
}

/**
 * The file system for whoever writes to the path of a Replacement: what counts
 * is on the disc when it is committed, and need not be at every step before.
 */
export function withoutSync(fileSystem: FileSystem): FileSystem {
  return {
    open: (path, flags, mode) => ({ ...handedOn(fileSystem.open(path, flags, mode)), sync: () => {} }),
    stat: (path) => fileSystem.stat(path),
    rename: (from, to) => fileSystem.rename(from, to),
    unlink: (path) => fileSystem.unlink(path),
  };
}

/** Without its descriptor: what goes past these calls is not left out. */
function handedOn(file: FileHandle): FileHandle {
  return {
    read: (bytes, offset) => file.read(bytes, offset),
    write: (bytes, offset) => file.write(bytes, offset),
    truncate: (size) => file.truncate(size),
    sync: () => file.sync(),
    size: () => file.size(),
    close: () => file.close(),
  };
}
