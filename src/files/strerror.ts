/**
 * The text of a system error, as strerror() of the C library has it.
 */
const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EAI_AGAIN: "Temporary failure in name resolution",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EDQUOT: "Disk quota exceeded",
  EEXIST: "File exists",
  EFBIG: "File too large",
  EHOSTUNREACH: "No route to host",
  EINTR: "Interrupted system call",
  EINVAL: "Invalid argument",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENETUNREACH: "Network is unreachable",
  ENFILE: "Too many open files in system",
  ENOENT: "No such file or directory",
  ENOMEM: "Cannot allocate memory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  ENOTFOUND: "Name or service not known",
  EPERM: "Operation not permitted",
  EPIPE: "Broken pipe",
  EROFS: "Read-only file system",
  ESPIPE: "Illegal seek",
  ETIMEDOUT: "Connection timed out",
  ETXTBSY: "Text file busy",
};

/** The text for an error's code, or its own message where it has none that is known. */
export function strerror(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "string" && TEXTS[code] !== undefined) return TEXTS[code];
  return error instanceof Error ? error.message : String(error);
}

/** Whether it is the system that failed, below the engine and whatever else there is: libdb's own words for that are of its insides. */
export function isOfSystem(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return "syscall" in error || (isOfSystem(error.cause) && (error.cause as NodeJS.ErrnoException).code === error.code);
}
