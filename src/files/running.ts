/**
 * Whose a file is that a process was to remove: its host and number are in the
 * name of the file, or in the file. Numbers mean nothing on another host.
 */
import { hostname } from "node:os";
import { nodeCrypto } from "./late.ts";
import { kill, pid as ownPid } from "./own-process.ts";

/** What is of another host is taken for nobody's after this many milliseconds. */
const STALE_AFTER = 24 * 60 * 60 * 1000;

/** Who has made a file, and when it was last written to. */
export interface Maker {
  /** As `hostDigest` has it. */
  readonly host: string;
  readonly pid: number;
  readonly mtimeMs: number;
}

/** Whether the process that made it is gone. */
export function isLeftBehind({ host, pid, mtimeMs }: Maker): boolean {
  if (host !== hostDigest()) return Date.now() - mtimeMs > STALE_AFTER;
  // In a container one process after the other has the same number: what is older than this one was another's.
  if (pid === ownPid) return mtimeMs < performance.timeOrigin;
  return !isRunning(pid);
}

/** This host, in the names of files. */
export function hostDigest(): string {
  return nodeCrypto().createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
}

/** One of another user counts too. */
function isRunning(pid: number): boolean {
  try {
    kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
