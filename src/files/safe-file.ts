/**
 * The checks that makemap makes before it opens a map (sendmail, libsm and
 * libsmutil: safefile(), safedirpath()), with one difference: where root meets
 * a folder or a map of another user, which is usual in a build container, that
 * is a warning here and no refusal.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { getegid, geteuid } from "./own-process.ts";
import { resolveFolder, resolveLinks } from "./shared-folder.ts";

export type UnsafeReason = "symbolic-link" | "hard-link" | "not-regular" | "executable" | "name-too-long";

/** A file that is refused for what it is; other refusals are errors of `node:fs`. */
export class UnsafeFileError extends Error {
  readonly reason: UnsafeReason;

  constructor(reason: UnsafeReason, path: string) {
    super(`${path}: ${reason}`);
    this.name = "UnsafeFileError";
    this.reason = reason;
  }
}

export type SafetyWarning =
  | { readonly kind: "world-writable" | "group-writable"; readonly folder: string }
  | { readonly kind: "foreign-folder" | "foreign-file"; readonly path: string; readonly uid: number };

export interface SafeFileOptions {
  readonly access: "read" | "write";
  /** Whether a file that is not there is no error. */
  readonly mayCreate: boolean;
  /** -s: a link is followed. */
  readonly allowLinks: boolean;
  /** Who may own the file besides root (O TrustedUser). */
  readonly trustedUser: number | undefined;
  /** Called as the checks go on; makemap checks twice, and says twice what is writable. */
  readonly onWarning: (warning: SafetyWarning) => void;
}

export interface SafeFile {
  /** The file itself, behind a link that was followed. */
  readonly path: string;
  /** Undefined where there is none yet. */
  readonly status: fs.Stats | undefined;
}

const READ = 0o4;
const WRITE = 0o2;
const EXECUTE = 0o1;
const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;
const ANY_EXECUTE = 0o111;

/** Of the buffers that makemap keeps names in (MAXPATHLEN). */
const LONGEST_NAME = 4095;
/** What it follows of links to folders (MAXSYMLINKS). */
const MOST_LINKS = 20;

/**
 * @throws {UnsafeFileError} for a link, a folder, a device, an executable.
 * @throws {Error} of `node:fs`, with EACCES for what the mode bits deny root.
 */
export function checkSafeFile(path: string, options: SafeFileOptions): SafeFile {
  if (Buffer.byteLength(path) > LONGEST_NAME) throw new UnsafeFileError("name-too-long", path);
  const foreign = new Set<string>();
  const check = new Check({
    ...options,
    onWarning: (warning) => {
      if ("path" in warning && foreign.has(warning.path)) return;
      if ("path" in warning) foreign.add(warning.path);
      options.onWarning(warning);
    },
  });
  // Once before the file is locked, once as it is opened: to write is then to read as well.
  check.file(path, options.access === "write" ? WRITE : READ);
  const status = check.file(path, options.access === "write" ? READ | WRITE : READ);
  if (status === undefined && fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    // makemap opens with O_EXCL what is not there, and a link to nothing is there.
    throw systemError("EEXIST", path);
  }
  return { path: options.allowLinks && status !== undefined ? resolveLinks(path) : resolveFolder(path), status };
}

class Check {
  readonly #options: SafeFileOptions;
  readonly #isRoot = geteuid?.() === 0;

  constructor(options: SafeFileOptions) {
    this.#options = options;
  }

  /** safefile(). Undefined for a file that may be made. */
  file(path: string, want: number): fs.Stats | undefined {
    const { allowLinks, mayCreate } = this.#options;
    let status: fs.Stats | undefined;
    let failure: unknown;
    try {
      status = allowLinks ? fs.statSync(path) : fs.lstatSync(path);
    } catch (error) {
      failure = error;
    }
    const slash = path.lastIndexOf("/");
    // What other users may do is for the system to say.
    if (this.#isRoot) this.#folders(slash < 0 ? "." : path.slice(0, slash) || "/", 0, 0);
    if (status === undefined) {
      if (!mayCreate || (failure as NodeJS.ErrnoException).code !== "ENOENT") throw failure;
      const folder = dirname(path);
      if (this.#isRoot) this.#root(folder, fs.statSync(folder), WRITE | EXECUTE, "foreign-folder");
      return undefined;
    }
    if (status.isSymbolicLink()) throw new UnsafeFileError("symbolic-link", path);
    if (!status.isFile()) throw new UnsafeFileError("not-regular", path);
    if ((want & WRITE) !== 0 && (status.mode & ANY_EXECUTE) !== 0) throw new UnsafeFileError("executable", path);
    if (status.nlink !== 1 && !allowLinks) throw new UnsafeFileError("hard-link", path);
    if (this.#isRoot) this.#root(path, status, want, "foreign-file");
    else fs.accessSync(path, ((want & WRITE) === 0 ? 0 : fs.constants.W_OK) | ((want & READ) === 0 ? 0 : fs.constants.R_OK));
    return status;
  }

  /** safedirpath(): each folder of the path, from an offset on, and those that a link leads to in the link's place. */
  #folders(path: string, offset: number, level: number): void {
    if (level > MOST_LINKS) throw systemError("ELOOP", path);
    for (const folder of foldersOf(path, offset)) {
      const status = fs.lstatSync(folder);
      if (status.isSymbolicLink()) {
        const target = fs.readlinkSync(folder);
        const parent = folder.slice(0, folder.lastIndexOf("/") + 1);
        if (target.startsWith("/")) this.#folders(target, sharedLength(folder, target), level + 1);
        else this.#folders(parent + target, parent.length, level + 1);
        continue;
      }
      if ((status.mode & OTHER_WRITE) !== 0) this.#options.onWarning({ kind: "world-writable", folder });
      else if ((status.mode & GROUP_WRITE) !== 0) this.#options.onWarning({ kind: "group-writable", folder });
      // Any of these bits will do here: of the file it is the user's own class that counts.
      const isGroup = status.gid === getegid?.() && (status.mode & 0o010) !== 0;
      const isUser = status.uid === 0 && (status.mode & 0o100) !== 0;
      if (isUser || isGroup || (status.mode & 0o001) !== 0) continue;
      if (status.uid === 0 || !status.isDirectory()) throw systemError("EACCES", folder);
      this.#options.onWarning({ kind: "foreign-folder", path: folder, uid: status.uid });
    }
  }

  /** Root is held to the mode bits, as makemap holds it; but what belongs to another is a warning here. */
  #root(path: string, status: fs.Stats, want: number, foreign: "foreign-folder" | "foreign-file"): void {
    const isOwn = status.uid === 0 || status.uid === this.#options.trustedUser;
    const bits = isOwn ? status.mode >> 6 : status.gid === getegid?.() ? status.mode >> 3 : status.mode;
    if ((bits & want) === want) return;
    if (isOwn) throw systemError("EACCES", path);
    this.#options.onWarning({ kind: foreign, path, uid: status.uid });
  }
}

/** "/a/b" as "/", "/a", "/a/b", without what ends in "." or "..", which has been passed. */
function foldersOf(path: string, offset: number): string[] {
  const ends = path.startsWith("/") && offset === 0 ? ["/"] : [];
  for (let at = Math.max(offset, 1); at <= path.length; at++) {
    // Of two slashes the first is a folder's name to makemap, but for the end of the path.
    if (at === path.length ? path[at - 1] !== "/" : path[at] === "/") ends.push(path.slice(0, at));
  }
  return ends.filter((folder) => !/\/\.\.?$/.test(folder));
}

/** How much of the target need not be looked at again: the folders that it has in common with the link. */
function sharedLength(link: string, target: string): number {
  let length = 0;
  while (length < link.length && link[length] === target[length]) length += 1;
  return target.lastIndexOf("/", Math.max(length - 1, 0)) + 1;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: '${path}'`), { code });
}
