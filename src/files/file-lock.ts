/**
 * One writer of a file at a time, among all processes that ask here. Programs
 * that know nothing of it are not kept out.
 *
 * The lock is a file beside it that says which process has it. A process has
 * it for one uninterrupted piece of work, so that no signal that is handled
 * comes between; one that was killed is found to be gone.
 */
import * as fs from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "./late.ts";
import { pid } from "./own-process.ts";
import { readSome } from "./read-some.ts";
import { hostDigest, isLeftBehind } from "./running.ts";

/** Nobody works this long: a lock that is older, in milliseconds, is nobody's, whatever process has that number now. */
const STALE_AFTER = 600_000;
/** A lock that does not say whose it is, is being made; unless it is older than this. */
const MAKING = 5_000;
const PATIENCE = 60_000;
/** Bytes of a lock: a number, and the name of a host. */
const LONGEST = 1024;
/** Milliseconds of waiting that somebody notices. */
const NOTICEABLE = 1_000;
/** Milliseconds between two tries, at least and at most. */
const RETRY = { least: 3, most: 30 } as const;

/** Another process kept the lock for too long, with no other in between. */
export class LockedError extends Error {
  /** The lock itself: a file. */
  readonly lock: string;

  constructor(path: string, lock: string) {
    super(`${path}: another program is changing it (${lock})`);
    this.name = "LockedError";
    this.lock = lock;
  }
}

export interface LockOptions {
  /** How long to wait for one who has it, in milliseconds. Default a minute. Where many take turns the wait may be longer. */
  readonly patience?: number;
  /** Called once, with the lock's path, where the wait is long enough for somebody to notice. */
  readonly onWait?: ((lock: string) => void) | undefined;
}

/**
 * Waits for the lock of a file, which need not exist, and works while it has it.
 * @param path the same for everybody: links resolved.
 * @param work synchronous.
 * @returns what `work` returned.
 * @throws {LockedError} one and the same had it for all that time.
 * @throws {Error} of `node:fs`, where no lock can be made; and what `work` throws.
 */
export async function withFileLock<T>(path: string, work: () => T, { patience = PATIENCE, onWait }: LockOptions = {}): Promise<T> {
  const start = performance.now();
  let isTold = false;
  let holder: string | undefined;
  let since = start;
  for (;;) {
    const attempt = tryLock(path);
    if (attempt.isHeld) {
      try {
        return work();
      } finally {
        release(attempt.lock, attempt.owner);
      }
    }
    const now = performance.now();
    const current = identityOf(attempt.lock);
    // Where one has it after the other, work is being done, and whoever waits has a turn yet.
    if (current !== holder) since = now;
    holder = current;
    if (now - since >= patience) throw new LockedError(path, attempt.lock);
    if (now - start >= NOTICEABLE && !isTold) {
      isTold = true;
      onWait?.(attempt.lock);
    }
    const pause = RETRY.least + Math.random() * (RETRY.most - RETRY.least);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

interface Attempt {
  readonly lock: string;
  readonly owner: string;
  readonly isHeld: boolean;
}

function tryLock(path: string): Attempt {
  const owner = ownName();
  const beside = `${path}.lock`;
  try {
    return { lock: beside, owner, isHeld: take(beside, owner) };
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(codeOf(error) ?? "")) throw error;
  }
  // Nothing can be made beside the file, which may be written to all the same.
  const elsewhere = join(tmpdir(), `.${nodeCrypto().createHash("sha256").update(path).digest("hex").slice(0, 16)}.lock`);
  return { lock: elsewhere, owner, isHeld: take(elsewhere, owner) };
}

/** Another for every time that it is taken; undefined where it is nobody's. */
function identityOf(lock: string): string | undefined {
  const status = fs.lstatSync(lock, { bigint: true, throwIfNoEntry: false });
  return status && `${status.ino} ${status.mtimeNs}`;
}

/** Whether the lock is ours now. */
function take(lock: string, owner: string): boolean {
  if (make(lock, owner)) return true;
  if (isStale(lock)) removeStale(lock, owner);
  return make(lock, owner);
}

/** Whether there was none. */
function make(lock: string, owner: string): boolean {
  let file: number;
  try {
    file = fs.openSync(lock, "wx", 0o644);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  try {
    try {
      // All of it, in however many parts: who reads less takes it for that of a run which was killed.
      fs.writeFileSync(file, owner);
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    fs.rmSync(lock, { force: true });
    throw error;
  }
  return true;
}

/**
 * Removes a lock that is nobody's: one process at a time, or the second would
 * remove the one that the first has made since.
 */
function removeStale(lock: string, owner: string): void {
  const turn = `${lock}-stale`;
  if (!make(turn, owner)) {
    // Somebody is at it this very moment, or was killed then.
    if (isStale(turn)) tryRemove(turn);
    return;
  }
  try {
    if (isStale(lock)) tryRemove(lock);
  } finally {
    release(turn, owner);
  }
}

/**
 * With the sticky bit one user's lock is not another's to remove. It keeps its
 * place then: who locked elsewhere would not be seen by those who do remove it.
 */
function tryRemove(lock: string): void {
  try {
    // Not rmSync, which takes what may not be removed for a folder.
    fs.unlinkSync(lock);
  } catch (error) {
    if (!["ENOENT", "EACCES", "EPERM"].includes(codeOf(error) ?? "")) throw error;
  }
}

/** Whether its process is gone. */
function isStale(lock: string): boolean {
  let text: string;
  let mtimeMs: number;
  try {
    const status = fs.lstatSync(lock);
    // No program of ours has made it: it is not ours to remove.
    if (!status.isFile()) return false;
    mtimeMs = status.mtimeMs;
    text = read(lock);
  } catch (error) {
    // It is gone; or it is not to be read, or has become a link, and then it is somebody else's.
    if (["ENOENT", "EACCES", "ELOOP"].includes(codeOf(error) ?? "")) return false;
    throw error;
  }
  const age = Date.now() - mtimeMs;
  if (age > STALE_AFTER) return true;
  const [number = "", place] = text.split(" ");
  if (!/^\d+$/.test(number) || place === undefined) return age > MAKING;
  return place === ownPlace() && isLeftBehind({ host: hostDigest(), pid: Number(number), mtimeMs });
}

/** Gives it back, unless others have taken it for dead and for themselves. */
function release(lock: string, owner: string): void {
  try {
    if (read(lock) === owner) fs.unlinkSync(lock);
  } catch {
    // What was to be done is done, or has failed for a reason of its own; the lock is nobody's when this process is gone.
  }
}

/** Whose it says that it is. Whoever may make files beside it can put anything in its place: a pipe, a link, a file without an end. */
function read(lock: string): string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const file = fs.openSync(lock, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0));
  try {
    if (!fs.fstatSync(file).isFile()) return "";
    const bytes = Buffer.alloc(LONGEST);
    let length = 0;
    for (let count = -1; count !== 0 && length < LONGEST; length += count) count = readSome(file, bytes, length);
    return bytes.toString("utf8", 0, length);
  } finally {
    fs.closeSync(file);
  }
}

function ownName(): string {
  return `${pid} ${ownPlace()}`;
}

let place: string | undefined;

/** Where process numbers mean the same: a host, and in it a container. */
function ownPlace(): string {
  place ??= `${hostname()}/${processNamespace()}`.replace(/\s/g, "_");
  return place;
}

function processNamespace(): string {
  try {
    return fs.readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
