/**
 * Files of the operating system, over `node:fs`. The only file of this package
 * with `node.ts` that needs Node.
 */
import * as fs from "node:fs";
import type { FileHandle, FileStatus, FileSystem, OpenFlags } from "./file-system.ts";

const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants;

class NodeFileHandle implements FileHandle {
  /** Undefined once closed: the number may by then stand for another file. */
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get descriptor(): number | undefined {
    return this.#fd;
  }

  read(bytes: Uint8Array, offset: number): number {
    const fd = this.#open("read");
    let done = 0;
    while (done < bytes.length) {
      const count = fs.readSync(fd, bytes, done, bytes.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(bytes: Uint8Array, offset: number): void {
    const fd = this.#open("write");
    for (let done = 0; done < bytes.length; ) {
      done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
    }
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#open("ftruncate"), size);
  }

  sync(): void {
    fs.fdatasyncSync(this.#open("fdatasync"));
  }

  size(): number {
    return fs.fstatSync(this.#open("fstat")).size;
  }

  close(): void {
    const fd = this.#open("close");
    this.#fd = undefined;
    fs.closeSync(fd);
  }

  #open(syscall: string): number {
    if (this.#fd === undefined) throw Object.assign(new Error(`EBADF: bad file descriptor, ${syscall}`), { code: "EBADF", syscall });
    return this.#fd;
  }
}

/** The operating system's files. */
export const nodeFileSystem: FileSystem = {
  open(path: string, flags: OpenFlags, mode: number): FileHandle {
    // A pipe is no database: to wait for whoever writes to it, deaf to signals, would be for nothing.
    let bits = (flags.write ? O_RDWR : O_RDONLY) | (O_NONBLOCK ?? 0);
    if (flags.create) bits |= O_CREAT;
    if (flags.exclusive) bits |= O_EXCL;
    if (flags.truncate) bits |= O_TRUNC;
    return new NodeFileHandle(fs.openSync(path, bits, mode));
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
