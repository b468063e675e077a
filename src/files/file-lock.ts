/**
 * One writer of a file at a time, among all processes that ask here. Programs
 * that know nothing of it are not kept out.
 */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A lock whose process is gone is taken over after this many milliseconds. */
const STALE_AFTER = 10_000;
/** A process that has the lock says so this often. */
const REFRESH = 3_000;
const PATIENCE = 60_000;
/** Milliseconds of waiting that somebody notices. */
const NOTICEABLE = 1_000;
/** Milliseconds between two tries, at least and at most. */
const RETRY = { least: 5, most: 50 } as const;

/** Another process kept the lock for too long. */
export class LockedError extends Error {
  /** The lock itself: a folder. */
  readonly lock: string;

  constructor(path: string, lock: string) {
    super(`${path}: another program is changing it (${lock})`);
    this.name = "LockedError";
    this.lock = lock;
  }
}

export interface LockOptions {
  /** How long to wait for others, in milliseconds. Default a minute. */
  readonly patience?: number;
  /** Called once, with the lock's path, where the wait is long enough for somebody to notice. */
  readonly onWait?: ((lock: string) => void) | undefined;
}

/**
 * Waits for the lock of a file, which need not exist.
 * @param path the same for everybody: links resolved.
 * @returns a function that gives the lock back; the process' end does so too.
 * @throws {LockedError} others had it for all that time.
 * @throws {Error} of `node:fs`, where no lock can be made.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  try {
    return await lock(path, `${path}.lock`, options);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EACCES", "EPERM", "EROFS"].includes(code)) throw error;
    // Nothing can be made beside the file, which may be written to all the same.
    const name = createHash("sha256").update(path).digest("hex").slice(0, 16);
    return await lock(path, join(tmpdir(), `.${name}.lock`), options);
  }
}

async function lock(path: string, lockfilePath: string, { patience = PATIENCE, onWait }: LockOptions): Promise<() => Promise<void>> {
  // Loaded where something is changed: it takes hold of signals and of the process' end.
  const { default: lockfile } = await import("proper-lockfile");
  const start = Date.now();
  let isTold = false;
  for (;;) {
    try {
      // What becomes of a lock that others took for dead shows where the file is replaced.
      return await lockfile.lock(path, { lockfilePath, realpath: false, stale: STALE_AFTER, update: REFRESH, onCompromised: () => {} });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
    }
    const waited = Date.now() - start;
    if (waited >= patience) throw new LockedError(path, lockfilePath);
    if (waited >= NOTICEABLE && !isTold) {
      isTold = true;
      onWait?.(lockfilePath);
    }
    const pause = RETRY.least + Math.random() * (RETRY.most - RETRY.least);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
