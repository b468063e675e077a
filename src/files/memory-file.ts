/**
 * A file that is made in memory, for whoever wants its bytes.
 */
import { type FileHandle, MemoryFileSystem } from "berkeley-db-js";
import type { NewFile } from "./replacement.ts";

export class MemoryFile implements NewFile {
  readonly path = "file";
  /** The file is the only one in it. */
  readonly fileSystem: MemoryFileSystem = new MemoryFileSystem();

  /** A copy; the caller owns it. */
  bytes(): Uint8Array {
    return this.fileSystem.readFile(this.path);
  }

  get handle(): FileHandle {
    return this.fileSystem.open(this.path, { write: true }, 0);
  }

  copyOld(): void {
    throw new Error("a file in memory has no content to begin with");
  }

  commit(): void {}

  abandon(): void {}
}
