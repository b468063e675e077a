/**
 * The checks that makemap makes before it opens a map (sendmail, libsm and
 * libsmutil: safefile(), safedirpath()), with one difference: where root meets
 * a folder or a map of another user, which is usual in a build container, that
 * is a warning here and no refusal.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { getegid, geteuid } from "node:process";

export type UnsafeReason = "symbolic-link" | "hard-link" | "not-regular" | "executable";

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
  /** -s: a link is followed. */
  readonly allowLinks: boolean;
  /** Who may own the file besides root (O TrustedUser). */
  readonly trustedUser: number | undefined;
}

export interface SafeFile {
  /** The file itself, behind a link that was followed. */
  readonly path: string;
  /** Undefined where there is none yet. */
  readonly status: fs.Stats | undefined;
  readonly warnings: readonly SafetyWarning[];
}

const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;
const ANY_EXECUTE = 0o111;

/**
 * @throws {UnsafeFileError} for a link, a folder, a device, an executable.
 * @throws {Error} of `node:fs`, with EACCES for what the mode bits deny root.
 */
export function checkSafeFile(path: string, options: SafeFileOptions): SafeFile {
  const isRoot = geteuid?.() === 0;
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  const warnings = isRoot ? checkFolders(path) : [];
  if (status === undefined) {
    const folder = fs.statSync(dirname(path));
    if (isRoot && options.access === "write") checkRoot(dirname(path), folder, "write", options, "foreign-folder", warnings);
    return { path, status, warnings };
  }
  if (status.isSymbolicLink()) {
    if (!options.allowLinks) throw new UnsafeFileError("symbolic-link", path);
    const followed = checkSafeFile(followLink(path), options);
    return { ...followed, warnings: [...warnings, ...followed.warnings] };
  }
  if (!status.isFile()) throw new UnsafeFileError("not-regular", path);
  if ((status.mode & ANY_EXECUTE) !== 0) throw new UnsafeFileError("executable", path);
  if (status.nlink !== 1 && !options.allowLinks) throw new UnsafeFileError("hard-link", path);
  if (isRoot) checkRoot(path, status, options.access, options, "foreign-file", warnings);
  else fs.accessSync(path, options.access === "write" ? fs.constants.R_OK | fs.constants.W_OK : fs.constants.R_OK);
  return { path, status, warnings };
}

/** makemap opens with O_EXCL what is not there, and a link to nothing is there. */
function followLink(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw Object.assign(new Error(`EEXIST: file already exists, open '${path}'`), { code: "EEXIST" });
  }
}

/** Each folder of the path that others may write to; of a relative path only what it names. */
function checkFolders(path: string): SafetyWarning[] {
  const warnings: SafetyWarning[] = [];
  for (const folder of foldersOf(path)) {
    const status = fs.statSync(folder);
    if ((status.mode & OTHER_WRITE) !== 0) warnings.push({ kind: "world-writable", folder });
    else if ((status.mode & GROUP_WRITE) !== 0) warnings.push({ kind: "group-writable", folder });
  }
  return warnings;
}

function foldersOf(path: string): string[] {
  const folders = path.startsWith("/") ? ["/"] : [];
  for (let slash = path.indexOf("/", 1); slash > 0; slash = path.indexOf("/", slash + 1)) folders.push(path.slice(0, slash));
  return folders.length === 0 ? ["."] : folders;
}

/** Root is held to the mode bits, as makemap holds it. */
function checkRoot(
  path: string,
  status: fs.Stats,
  access: "read" | "write",
  options: SafeFileOptions,
  foreign: "foreign-folder" | "foreign-file",
  warnings: SafetyWarning[],
): void {
  const want = access === "write" ? 2 : 4;
  const isOwn = status.uid === 0 || status.uid === options.trustedUser;
  const bits = isOwn ? status.mode >> 6 : status.gid === getegid?.() ? status.mode >> 3 : status.mode;
  if ((bits & want) !== 0) return;
  if (isOwn) throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: "EACCES" });
  warnings.push({ kind: foreign, path, uid: status.uid });
}
