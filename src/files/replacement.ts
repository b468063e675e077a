/**
 * Replaces a file whole or not at all: what is new is written beside it and
 * renamed over it, with its mode and owner.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import type { FileHandle, FileSystem } from "berkeley-db-js";
import { type HeldFile, isReplacedError, makeFile, openKnown, replacedError } from "./held-file.ts";
import { geteuid } from "./own-process.ts";
import { refuseForeign } from "./shared-folder.ts";
import { syncFolder } from "./sync-folder.ts";
import { besideOf, elsewhereOf, leftovers, nameIn, type Place, removeStale, statOrUndefined, tryUnlink } from "./temporary-names.ts";

export interface ReplacementOptions {
  /** Where the files are; modes and owners are set, and folders brought to the disc, through `node:fs`. */
  readonly fileSystem: FileSystem;
  /** Permission bits of a new file, cut by the umask. A file that is there keeps its own. */
  readonly mode: number;
  /** Whether a file that is there gets this mode too. */
  readonly setMode?: boolean;
  /** The owner that the file is to have, where that is another than it had. */
  readonly owner?: number | undefined;
  /** Keep the file itself and write the new content into it, for a program that holds it open. */
  readonly inPlace?: boolean;
}

/** A file that is being made, and comes to be at once or not at all. */
export interface NewFile {
  /** Where to write it. */
  readonly path: string;
  /** What to write it through: whatever others put at the path, it is this file that is written to. */
  readonly fileSystem: FileSystem;
  /** Its content, open until the end. */
  readonly handle: FileHandle;
  /** Begins with the content of the file that is there. */
  copyOld(): void;
  commit(): void;
  abandon(): void;
}

const STRETCH = 1 << 20;
/** How often a file is looked at anew that others keep replacing. */
const TRIES = 5;
const OWNER_ALONE = 0o600;
/** Bits of a mode. */
const FOR_OTHERS = 0o077;

/**
 * Puts back the old content of a file that a killed run was writing into, where
 * what is there now is no good. Of several that are kept, one may be of a run
 * that was killed as it began to keep it: it is the newest good one.
 * @param isGood of a path; asked only where there is an old content.
 * @throws {Error} of the file system.
 */
export function putBack(target: string, fileSystem: FileSystem, isGood: (path: string) => boolean): void {
  const old = statOrUndefined(target);
  if (old === undefined) return;
  refuseForeign(target, old);
  const all = keptOf(target, old);
  if (all.length === 0 || isGood(target)) return;
  const kept = all.find(({ path }) => isGood(path));
  if (kept === undefined) return;
  copyOver(kept.path, kept.status, target, old, fileSystem);
  if (isGood(target)) tryUnlink(kept.path, fileSystem);
}

interface Kept {
  readonly path: string;
  readonly status: fs.Stats;
}

/** The newest first. */
function keptOf(target: string, old: fs.Stats): Kept[] {
  return [besideOf(target), elsewhereOf(target)]
    .flatMap((place) => leftovers(place, "old"))
    .flatMap((path) => {
      const status = statOrUndefined(path);
      return status !== undefined && isKeptBy(status, old) ? [{ path, status }] : [];
    })
    .sort((a, b) => b.status.mtimeMs - a.status.mtimeMs);
}

function copyOver(from: string, known: fs.Stats, to: string, old: fs.Stats, fileSystem: FileSystem): void {
  const source = openKnown(from, known, { write: false }, fileSystem);
  try {
    const target = openKnown(to, old, { write: true }, fileSystem);
    try {
      copyContent(source, target);
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

/** Whether it is what a run of ours kept, or of the file's owner: in a folder of many users anybody can make a file of such a name. */
function isKeptBy(kept: fs.Stats, { uid }: fs.Stats): boolean {
  const isTrusted = kept.uid === geteuid?.() || kept.uid === uid;
  return isTrusted && kept.isFile() && kept.nlink === 1 && (kept.mode & FOR_OTHERS) === 0;
}

/** @throws {Error} it is no regular file, in whose place one would be put; or another user's, where everybody may write. */
function refuseOthers(target: string, status: fs.Stats): void {
  if (!status.isFile()) throw Object.assign(new Error("not a regular file"), { code: "ERR_NOT_REGULAR", syscall: "open", path: target });
  refuseForeign(target, status);
}

/** The new content of a file, until it is committed or abandoned. */
export class Replacement implements NewFile {
  /** The file that will be replaced. */
  readonly target: string;
  /** The file to write the new content to. It exists, with 0 bytes. */
  readonly path: string;
  readonly #options: ReplacementOptions;
  readonly #file: HeldFile;
  #old: fs.Stats | undefined;
  readonly #inPlace: boolean;
  readonly #place: Place;
  #done = false;
  #isCommitted = false;

  /**
   * @param target resolved: not a link.
   * @throws {Error} of `node:fs`, where nothing can be made beside the file.
   */
  constructor(target: string, options: ReplacementOptions) {
    this.target = target;
    this.#options = options;
    this.#old = statOrUndefined(target);
    if (this.#old !== undefined) refuseOthers(target, this.#old);
    // Nobody else reads it before it has the old file's owner and mode.
    const mode = this.#old === undefined ? options.mode : OWNER_ALONE;
    const make = (place: Place): HeldFile => makeFile(nameIn(place), mode, options.fileSystem);
    const beside = besideOf(target);
    removeStale(beside, "new", options.fileSystem);
    try {
      this.#file = make(beside);
      this.#place = beside;
      this.#inPlace = options.inPlace === true && this.#old !== undefined;
    } catch (error) {
      // A map of one's own in a folder of another's can be written to, and not be replaced.
      const mayWrite = this.#old !== undefined && ["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
      if (!mayWrite) throw error;
      const elsewhere = elsewhereOf(target);
      removeStale(elsewhere, "new", options.fileSystem);
      this.#file = make(elsewhere);
      this.#place = elsewhere;
      this.#inPlace = true;
    }
    this.path = this.#file.path;
    this.#checkUmask();
  }

  /** @throws {Error} the umask keeps the new file from its own user, as makemap finds who opens it again. */
  #checkUmask(): void {
    if (this.#old !== undefined) return;
    try {
      if (this.#file.status() === undefined) return;
      fs.accessSync(this.path, fs.constants.R_OK | fs.constants.W_OK);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  get fileSystem(): FileSystem {
    return this.#file.fileSystem;
  }

  /** The new content. */
  get handle(): FileHandle {
    return this.#file.handle;
  }

  /**
   * Begins with the content of the file that is there.
   * @param change called with each stretch of it, whose length is a multiple of 65536 but for the last, to be changed in place.
   */
  copyOld(change?: (stretch: Uint8Array) => void): void {
    const old = this.#openOld();
    try {
      copyContent(old, this.#file, change);
    } finally {
      old.close();
    }
  }

  /** The file that is there: where another run has put one of its own there meanwhile, that one, which is replaced then. */
  #openOld(): HeldFile {
    for (let tries = 1; ; tries++) {
      try {
        return openKnown(this.target, this.#old, { write: false }, this.#options.fileSystem);
      } catch (error) {
        const now = statOrUndefined(this.target);
        if (!isReplacedError(error) || now?.isFile() !== true || tries === TRIES) throw error;
        refuseOthers(this.target, now);
        this.#old = now;
      }
    }
  }

  /** Writes the whole of the new content, of somebody who has it in memory. */
  write(content: Uint8Array): void {
    this.#file.handle.write(content, 0);
  }

  /**
   * Puts the new content in the place of the old.
   * @throws {Error} of the file system; the old content is then there still, unless it was the
   *   folder that could not be brought to the disc: whether a power failure leaves the old
   *   content or the new one is then not known.
   */
  commit(): void {
    const { fileSystem } = this.#options;
    if (this.#inPlace || !this.#setOwnerAndMode()) {
      this.#writeInPlace();
      this.abandon();
    } else {
      this.#file.sync();
      // What another user has put there is not to be handed on as ours.
      if (this.#file.isReplaced()) throw replacedError(this.path);
      this.#file.close();
      fileSystem.rename(this.path, this.target);
      this.#done = true;
      this.#isCommitted = true;
      syncFolder(dirname(this.target));
    }
    removeStale(this.#place, "old", fileSystem);
  }

  /** Whether the new content is in the place of the old, also where commit() has thrown since. */
  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  /** Removes the new content, unless it is committed; a second time does nothing. */
  abandon(): void {
    if (this.#done) return;
    this.#done = true;
    this.#file.close();
    tryUnlink(this.path, this.#options.fileSystem);
  }

  /** Whether the new file could be made what the old one is; an owner that was asked for besides is set if it can be. */
  #setOwnerAndMode(): boolean {
    const old = this.#old;
    if (old !== undefined) {
      const made = this.#file.status() ?? fs.lstatSync(this.path);
      // Only root gives files away: what belongs to another has to stay that file.
      if ((old.uid !== made.uid || old.gid !== made.gid) && !this.#file.tryChown(old.uid, old.gid)) return false;
    }
    const { owner } = this.#options;
    if (owner !== undefined && owner !== old?.uid) this.#file.tryChown(owner, -1);
    // After the owner: a change of owner may clear bits of the mode.
    if (old !== undefined) this.#file.chmod(this.#options.setMode ? this.#options.mode : old.mode & 0o7777);
    return true;
  }

  /**
   * The old content is kept until the new one is whole, and put back if it does
   * not get so far. Where that fails too, what was kept stays until a later run
   * succeeds.
   */
  #writeInPlace(): void {
    const { fileSystem } = this.#options;
    // Of a file that may not be written to nothing is kept: it stays as it is.
    const target = openKnown(this.target, this.#old, { write: true }, fileSystem);
    let hasOld = true;
    try {
      const saved = this.#keepOld(target);
      try {
        // Nobody else reads what is new, and nothing is left to fail after it.
        this.#setOwnerAndModeOf(target);
        hasOld = false;
        copyContent(this.#file, target);
        this.#isCommitted = true;
      } catch (error) {
        if (!hasOld) hasOld = tryCopy(saved, target);
        if (hasOld) tryUnlink(saved.path, fileSystem);
        throw error;
      } finally {
        saved.close();
      }
      tryUnlink(saved.path, fileSystem);
    } catch (error) {
      // Where half of the new content is in it, those who might read the old one may not be meant to.
      if (hasOld) this.#restoreOwnerAndModeOf(target);
      throw error;
    } finally {
      target.close();
    }
  }

  #setOwnerAndModeOf(target: HeldFile): void {
    const { owner, mode, setMode } = this.#options;
    const old = this.#old;
    if (owner !== undefined && owner !== old?.uid) target.tryChown(owner, -1);
    if (setMode && old !== undefined && (old.mode & 0o777) !== mode) target.chmod(mode);
  }

  /** Whatever made the work fail is what the caller hears of. */
  #restoreOwnerAndModeOf(target: HeldFile): void {
    const old = this.#old;
    const { owner, setMode } = this.#options;
    if (old === undefined) return;
    try {
      if (owner !== undefined && owner !== old.uid) target.tryChown(old.uid, -1);
      if (setMode) target.chmod(old.mode & 0o7777);
    } catch {
      // As said above.
    }
  }

  #keepOld(target: HeldFile): HeldFile {
    const { fileSystem } = this.#options;
    // A name that no earlier run of our number has kept anything under.
    const saved = makeFile(nameIn(this.#place, ".old"), OWNER_ALONE, fileSystem);
    try {
      copyContent(target, saved);
      // Its name too, before the only other copy is written over.
      syncFolder(this.#place.folder);
      return saved;
    } catch (error) {
      saved.close();
      tryUnlink(saved.path, fileSystem);
      throw error;
    }
  }
}

/** Copies the content, which is on the disc then. */
function copyContent({ handle: source }: HeldFile, { handle: target }: HeldFile, change?: (stretch: Uint8Array) => void): void {
  const stretch = new Uint8Array(STRETCH);
  try {
    let offset = 0;
    for (let length = source.read(stretch, 0); length > 0; length = source.read(stretch, offset)) {
      const part = stretch.subarray(0, length);
      change?.(part);
      target.write(part, offset);
      offset += length;
    }
    target.truncate(offset);
    target.sync();
  } finally {
    stretch.fill(0);
  }
}

/** Whether it could be done. */
function tryCopy(source: HeldFile, target: HeldFile): boolean {
  try {
    copyContent(source, target);
    return true;
  } catch {
    return false;
  }
}
