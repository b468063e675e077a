/**
 * Files of the operating system, over `node:fs`. The only file of this package
 * with `node.ts` that needs Node.
 */
import * as fs from "node:fs";
import type { FileHandle, FileStatus, FileSystem, OpenFlags } from "./file-system.ts";

const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants;

class NodeFileHandle implements FileHandle {
  readonly #path: string;
  readonly #isWritten: boolean;
  /** Undefined once closed: the number may by then stand for another file. */
  #fd: number | undefined;

  constructor(fd: number, path: string, isWritten: boolean) {
    this.#fd = fd;
    this.#path = path;
    this.#isWritten = isWritten;
  }

  get descriptor(): number | undefined {
    return this.#fd;
  }

  read(bytes: Uint8Array, offset: number): number {
    return this.#call("read", (fd) => {
      let done = 0;
      while (done < bytes.length) {
        const count = readSome(fd, bytes, done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(bytes: Uint8Array, offset: number): void {
    this.#call("write", (fd) => {
      let isStuck = false;
      for (let done = 0; done < bytes.length; ) {
        const count = fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
        // A device or a network file system that is full may say so in this way, and for ever.
        if (count === 0 && isStuck) throw failure("ENOSPC", "no space left on device", "write");
        isStuck = count === 0;
        done += count;
      }
    });
  }

  truncate(size: number): void {
    this.#call("ftruncate", (fd) => fs.ftruncateSync(fd, size));
  }

  sync(): void {
    this.#call("fdatasync", (fd) => fs.fdatasyncSync(fd));
  }

  size(): number {
    return this.#call("fstat", (fd) => fs.fstatSync(fd).size);
  }

  close(): void {
    this.#call("close", (fd) => {
      this.#fd = undefined;
      try {
        fs.closeSync(fd);
      } catch (error) {
        // A file that was only read is as good as closed: nothing of it can be lost any more.
        if (this.#isWritten) throw error;
      }
    });
  }

  /** What fails names the file, as it does where the system is given a path. */
  #call<T>(syscall: string, action: (fd: number) => T): T {
    if (this.#fd === undefined) throw failure("EBADF", "bad file descriptor", syscall);
    try {
      return action(this.#fd);
    } catch (error) {
      throw error instanceof Error ? Object.assign(error, { path: this.#path }) : error;
    }
  }
}

/** Once more where a signal came in between, which libuv does for all calls but this one. */
function readSome(fd: number, bytes: Uint8Array, from: number, offset: number): number {
  for (;;) {
    try {
      return fs.readSync(fd, bytes, from, bytes.length - from, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EINTR") throw error;
    }
  }
}

/** As those of `node:fs`. */
function failure(code: string, text: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { code, syscall });
}

/** The operating system's files. */
export const nodeFileSystem: FileSystem = {
  open(path: string, flags: OpenFlags, mode: number): FileHandle {
    // A pipe is no database: to wait for whoever writes to it, deaf to signals, would be for nothing.
    let bits = (flags.write ? O_RDWR : O_RDONLY) | (O_NONBLOCK ?? 0);
    if (flags.create) bits |= O_CREAT;
    if (flags.exclusive) bits |= O_EXCL;
    if (flags.truncate) bits |= O_TRUNC;
    return new NodeFileHandle(fs.openSync(path, bits, mode), path, flags.write);
  },

  stat(path: string): FileStatus {
    const status = fs.lstatSync(path);
    return { size: status.size, isFile: status.isFile() };
  },

  rename(from: string, to: string): void {
    fs.renameSync(from, to);
  },

  unlink(path: string): void {
    fs.unlinkSync(path);
  },
};
