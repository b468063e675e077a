/**
 * Where a set of files is: a link, which leads to a folder with all of them.
 *
 * A new set is written into a folder of its own, and the link is then put in the
 * place of the old one by one rename: whoever goes through the link finds the
 * whole old set or the whole new one, whenever the program ends. Nothing in
 * Node exchanges two folders in one step.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { nodeFileSystem } from "berkeley-db-js";
import { withFileLock } from "../files/file-lock.ts";
import { makeFile } from "../files/held-file.ts";
import { pid } from "../files/own-process.ts";
import { hostDigest, isLeftBehind } from "../files/running.ts";
import { isForeign } from "../files/shared-folder.ts";
import { syncFolder } from "../files/sync-folder.ts";
import type { SetFile } from "./set-files.ts";

/** What is being written: by which host, and by which process. */
const NEW = /^new-([0-9a-f]{8})-(\d+)-/;
const PRIVATE = 0o700;

/** What is there is no set, and not to be replaced by one. */
export class SetFolderError extends Error {}

export class SetFolder {
  /** The link, as it was named. */
  readonly path: string;
  readonly #sets: string;

  constructor(path: string) {
    // With a slash at its end, as shells complete it, it would be what the link leads to.
    this.path = path.replace(/(?<=.)\/+$/, "");
    this.#sets = join(dirname(this.path), `.${basename(this.path)}.sets`);
  }

  /** The folder of the set that is there; undefined where there is none. */
  current(): string | undefined {
    const status = fs.lstatSync(this.path, { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    if (!status.isSymbolicLink()) {
      if (status.isDirectory() && fs.readdirSync(this.path).length === 0) return undefined;
      throw new SetFolderError(`${this.path}: not a link that tsmap build made: move it away, or choose another output`);
    }
    const target = join(dirname(this.path), fs.readlinkSync(this.path));
    if (dirname(target) !== this.#sets)
      throw new SetFolderError(`${this.path}: a link to something else than a set of tsmap build: remove it, or choose another output`);
    return fs.existsSync(target) ? target : undefined;
  }

  /** The paths of the files of the set that is there, sorted, with slashes. */
  list(): string[] {
    const folder = this.current();
    if (folder === undefined) return [];
    return fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .sort();
  }

  /** A file of the set that is there; undefined where it has none. */
  read(path: string): { readonly bytes: Uint8Array; readonly mode: number } | undefined {
    const folder = this.current();
    if (folder === undefined) return undefined;
    let file: number;
    try {
      file = fs.openSync(join(folder, path), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
      throw error;
    }
    return about(join(this.path, path), () => {
      try {
        return { bytes: fs.readFileSync(file), mode: fs.fstatSync(file).mode & 0o7777 };
      } finally {
        fs.closeSync(file);
      }
    });
  }

  /** Begins a new set. What killed programs left is removed: there are secrets in it. */
  begin(): NewSet {
    this.current();
    return about(this.path, () => {
      this.#checkSets();
      if (fs.existsSync(this.#sets)) removeWhere(this.#sets, (name, path) => NEW.test(name) && !isBeingWritten(name, path));
      return new NewSet(this.path, this.#sets, () => void this.current());
    });
  }

  /** @throws {SetFolderError} where whoever made it could exchange what is in it. */
  #checkSets(): void {
    const status = fs.lstatSync(this.#sets, { throwIfNoEntry: false });
    if (status === undefined) return;
    if (!status.isDirectory()) throw new SetFolderError(`${this.#sets}: not a folder: remove it, or choose another output`);
    if (isForeign(this.#sets, status))
      throw new SetFolderError(`${this.#sets}: belongs to another user, in a folder where everybody may write: choose another output`);
  }

  /**
   * Removes what builds have left that were killed: old sets, and halves of new ones.
   * @throws {LockedError} another program has been at it for too long.
   */
  async tidy(): Promise<void> {
    await locked(this.path, () => {
      const current = this.current();
      if (current !== undefined) removeOthers(this.#sets, basename(current));
    });
  }
}

/** A set that is being written. Until `commit` the one that is there is untouched. */
export class NewSet {
  readonly #link: string;
  readonly #sets: string;
  #folder: string;
  readonly #check: () => void;
  #done = false;

  /** @param check throws where something is in the place of the link that is not to be replaced. */
  constructor(link: string, sets: string, check: () => void) {
    this.#link = link;
    this.#sets = sets;
    this.#check = check;
    this.#folder = join(sets, newName());
    try {
      makeFolder(this.#folder);
    } catch (error) {
      removeIfEmpty(sets);
      throw error;
    }
  }

  /** Writes a file, which is on the disc then. */
  write({ path, mode }: Pick<SetFile, "path" | "mode">, content: Uint8Array | string): void {
    about(join(this.#link, path), () => this.#write(join(this.#folder, path), mode, content));
  }

  #write(target: string, mode: number, content: Uint8Array | string): void {
    fs.mkdirSync(dirname(target), { recursive: true });
    const file = makeFile(target, 0o600, nodeFileSystem);
    try {
      file.handle.write(typeof content === "string" ? Buffer.from(content) : content, 0);
      // Whatever the umask.
      file.chmod(mode);
      file.sync();
    } finally {
      file.close();
    }
  }

  /**
   * Puts the set in the place of the one that is there.
   * @param digest hexadecimal digits that stand for all of it.
   * @throws {LockedError} another program has been at it for too long.
   */
  async commit(digest: string): Promise<void> {
    await locked(this.#link, () => this.#commit(digest.slice(0, 16)));
  }

  #commit(digest: string): void {
    for (const folder of foldersIn(this.#folder)) finishFolder(folder);
    this.#check();
    const name = this.#name(digest);
    finishFolder(this.#sets);
    fs.renameSync(this.#folder, join(this.#sets, name));
    this.#folder = join(this.#sets, name);
    syncFolder(this.#sets);
    this.#switchTo(name);
    removeOthers(this.#sets, name);
  }

  /** Removes what was written, unless it is committed; a second time does nothing. */
  abandon(): void {
    if (this.#done) return;
    this.#done = true;
    remove(this.#folder);
    // Where it was the first.
    removeIfEmpty(this.#sets);
  }

  /** The name of the folder: that of its content, unless one with that name is there, which is not to be touched. */
  #name(digest: string): string {
    if (!fs.existsSync(join(this.#sets, digest))) return digest;
    return `${digest}-${randomBytes(4).toString("hex")}`;
  }

  #switchTo(name: string): void {
    const status = fs.lstatSync(this.#link, { throwIfNoEntry: false });
    // An empty folder is what somebody made for the set to be in.
    if (status?.isDirectory()) fs.rmdirSync(this.#link);
    const link = join(this.#sets, newName());
    fs.symlinkSync(join(basename(this.#sets), name), link);
    try {
      fs.renameSync(link, this.#link);
      this.#done = true;
    } catch (error) {
      remove(link);
      throw error;
    }
    syncFolder(dirname(this.#link));
  }
}

/** Old sets hold old secrets. One that another program is writing stays. */
function removeOthers(sets: string, name: string): void {
  removeWhere(sets, (other, path) => other !== name && !isBeingWritten(other, path));
}

/** Has an error speak of the file as its user knows it; that of a write names none. */
function about<T>(path: string, what: () => T): T {
  try {
    return what();
  } catch (error) {
    throw named(path, error);
  }
}

/** The same, while nobody else switches the link. */
async function locked(link: string, work: () => void): Promise<void> {
  try {
    await withFileLock(link, work);
  } catch (error) {
    throw named(link, error);
  }
}

function named(path: string, error: unknown): unknown {
  return error instanceof Error && "syscall" in error ? Object.assign(error, { path }) : error;
}

function newName(): string {
  return `new-${hostDigest()}-${pid}-${randomBytes(8).toString("hex")}`;
}

function removeWhere(folder: string, isUnwanted: (name: string, path: string) => boolean): void {
  for (const name of fs.readdirSync(folder)) {
    const path = join(folder, name);
    if (isUnwanted(name, path)) fs.rmSync(path, { recursive: true, force: true });
  }
}

function isBeingWritten(name: string, path: string): boolean {
  const match = NEW.exec(name);
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  if (match === null || status === undefined) return false;
  return !isLeftBehind({ host: String(match[1]), pid: Number(match[2]), mtimeMs: status.mtimeMs });
}

/** The folder and all within it. */
function foldersIn(folder: string): string[] {
  const within = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...within.map((entry) => join(entry.parentPath, entry.name)), folder];
}

/** Everybody may enter it, whatever the umask, and it is on the disc. */
function finishFolder(folder: string): void {
  const file = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  try {
    fs.fchmodSync(file, 0o755);
  } finally {
    fs.closeSync(file);
  }
  syncFolder(folder);
}

/** Whatever made the work fail is what its caller hears of; the next build removes it. */
function remove(path: string): void {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch {
    // As said above.
  }
}

function removeIfEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder);
  } catch {
    // There is a set in it.
  }
}

/** How often a folder is made anew that another program, which has nothing to do, has removed meanwhile. */
const TRIES = 5;

/**
 * Makes a folder and those around it, of which some may be there. Node's own way
 * to do this has no end where none can be made, as in /proc.
 */
function makeFolder(path: string, tries = TRIES): void {
  try {
    fs.mkdirSync(path, { mode: PRIVATE });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || tries === 0) throw error;
    makeFolder(dirname(path));
    makeFolder(path, tries - 1);
  }
}
