/**
 * The one error of this package, and the names of the codes that it carries.
 */

/** DB_* codes of libdb 5.3 (db.h, "DB error codes"). */
const DB_CODES: ReadonlyMap<number, string> = new Map([
  [-30999, "DB_BUFFER_SMALL"],
  [-30995, "DB_KEYEMPTY"],
  [-30994, "DB_KEYEXIST"],
  [-30993, "DB_LOCK_DEADLOCK"],
  [-30992, "DB_LOCK_NOTGRANTED"],
  [-30988, "DB_NOTFOUND"],
  [-30987, "DB_OLD_VERSION"],
  [-30986, "DB_PAGE_NOTFOUND"],
  [-30973, "DB_RUNRECOVERY"],
  [-30972, "DB_SECONDARY_BAD"],
  [-30970, "DB_VERIFY_BAD"],
  [-30969, "DB_VERSION_MISMATCH"],
  [-30898, "DB_CHKSUM_FAIL"],
  [-30895, "DB_NEEDSPLIT"],
  [-30889, "DB_SWAPBYTES"],
  [-30887, "DB_VERIFY_FATAL"],
]);

/** The errno of wasi-libc (its <errno.h>), which is what the engine speaks. */
const ERRNO = {
  EACCES: 2,
  EAGAIN: 6,
  EBADF: 8,
  EBUSY: 10,
  EDQUOT: 19,
  EEXIST: 20,
  EFBIG: 22,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  EMLINK: 34,
  ENAMETOOLONG: 37,
  ENFILE: 41,
  ENODEV: 43,
  ENOENT: 44,
  ENOMEM: 48,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTSUP: 58,
  ENXIO: 60,
  EOVERFLOW: 61,
  EPERM: 63,
  EPIPE: 64,
  ERANGE: 68,
  EROFS: 69,
  ESPIPE: 70,
  ETIMEDOUT: 73,
  ETXTBSY: 74,
  EXDEV: 75,
} as const;

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name]));

/** The `code` of what was thrown: an Error may be that of another realm. */
export function codeOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The engine's number for the `code` of a thrown system error; EIO for anything else. */
export function errnoOf(error: unknown): number {
  const code = codeOf(error);
  return code !== undefined && Object.hasOwn(ERRNO, code) ? ERRNO[code as keyof typeof ERRNO] : ERRNO.EIO;
}

/** The name of a code that the engine returned. */
export function codeName(code: number): string {
  return (code < 0 ? DB_CODES.get(code) : ERRNO_NAMES.get(code)) ?? `UNKNOWN_${code}`;
}

/** The engine's numbers for the codes that are no failure everywhere. */
export const DB_KEYEMPTY = -30995;
export const DB_NOTFOUND = -30988;
/** libdb has found the database in a state that it cannot go on from. */
export const DB_RUNRECOVERY = -30973;
/** What a module that trapped is said to have returned. */
export const ENGINE_TRAP = "ENGINE_TRAP";

export interface BerkeleyDBErrorDetails {
  readonly code: string;
  readonly operation: string;
  readonly path?: string | undefined;
  /** What libdb itself said, one line a message. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/**
 * A failure of the engine or of the files under it. (A misuse of the API is a
 * `TypeError` or a `RangeError`.)
 */
export class BerkeleyDBError extends Error {
  /**
   * What happened, in a word that does not change: a code of libdb
   * (`DB_KEYEXIST`, `DB_OLD_VERSION`, …), a POSIX one (`ENOENT`, `ENOSPC`, …)
   * or `ENGINE_TRAP`, after which every use of the handle fails.
   */
  readonly code: string;
  /** The upstream call that failed: "DB->open". */
  readonly operation: string;
  /** The file, as the caller named it; undefined for a database given as bytes. */
  readonly path: string | undefined;
  /** libdb's own text, one line a message; empty if it had none. */
  readonly detail: string;

  constructor(summary: string, { code, operation, path, detail = "", cause }: BerkeleyDBErrorDetails) {
    const where = path === undefined ? "" : `${path}: `;
    super(`${where}${summary}${shorten(detail)}`, cause === undefined ? {} : { cause });
    this.name = "BerkeleyDBError";
    this.code = code;
    this.operation = operation;
    this.path = path;
    this.detail = detail;
  }
}

/** The first few of libdb's messages: one fault can give hundreds. */
function shorten(detail: string): string {
  if (detail === "") return "";
  const lines = detail.split("\n");
  const rest = lines.length - 3;
  return ` (${lines.slice(0, 3).join("; ")}${rest > 0 ? `; and ${rest} more` : ""})`;
}
