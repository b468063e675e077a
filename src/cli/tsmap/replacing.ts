/**
 * Commands that make a file, most of them of another.
 */
import { statSync } from "node:fs";
import { BerkeleyDBError } from "berkeley-db-js";
import { withFileLock } from "../../files/file-lock.ts";
import { type FileState, isSameState, stateOf } from "../../files/file-state.ts";
import { turn } from "../../files/turn.ts";
import { HashFileError } from "../../hash-file/error.ts";
import type { Pending } from "../../map-file/pending.ts";
import { onSignal } from "../cleanup.ts";
import { say } from "../error-output.ts";
import { printable } from "../printable.ts";
import { Trouble, troubleWith, withFile } from "./trouble.ts";

export interface Files {
  readonly source: string;
  readonly target: string;
  /** The target, resolved. */
  readonly path: string;
}

type Uncommitted = Pick<Pending<unknown>, "commit" | "abandon">;

/** How what was made is put in its place. */
type Commit = (action: () => void) => void | Promise<void>;

/**
 * Makes a file, and puts it in its place unless a signal came meanwhile, which
 * then ends the program with the old file as it was.
 * @param make hands on what is to be committed, or abandoned, as soon as there is such.
 */
export async function putInPlace(
  make: (begin: (pending: Uncommitted) => void) => void | Promise<void>,
  commit: Commit = (action) => action(),
): Promise<void> {
  let pending: Uncommitted | undefined;
  // Before there is a file to remove, so that no signal comes between.
  const forget = onSignal(() => pending?.abandon());
  try {
    await make((begun) => {
      pending = begun;
    });
    await turn();
    await commit(() => pending?.commit());
  } catch (error) {
    pending?.abandon();
    throw error;
  } finally {
    forget();
  }
}

/**
 * Puts a database in its place as those do who change one: with its lock, so
 * that nobody's change falls between.
 * @param path resolved.
 * @param check called with the lock; what it throws is thrown.
 */
export function withLock(program: string, path: string, check: () => void = () => {}): Commit {
  const onWait = (lock: string): void => say(`${program}: waiting for ${printable(lock)}\n`);
  return (action) =>
    withFileLock(
      path,
      () => {
        check();
        action();
      },
      { onWait },
    );
}

/**
 * Takes a look at a file before it is read.
 * @param name for the user.
 * @param path resolved.
 * @returns what to call before what was made of it takes its place.
 * @throws {Trouble}
 */
export function watchFor(name: string, path: string): () => void {
  const look = (): FileState | undefined => withFile(name, () => stateOf(path));
  const before = look();
  return () => {
    if (!isSameState(before, look())) throw new Trouble(`${name}: another program has changed it meanwhile: it is as that has left it`);
  };
}

/**
 * Makes a database of another, or of itself.
 * @param isWanted whether it is to be put in its place.
 * @throws {Trouble} names the file that something is wrong with.
 */
export async function replaceWith<T>(
  program: string,
  files: Files,
  make: () => Pending<T>,
  isWanted: (result: T) => boolean = () => true,
): Promise<T> {
  try {
    let made: Pending<T> | undefined;
    const check = isItself(files) ? watchFor(files.target, files.path) : undefined;
    await putInPlace(
      (begin) => {
        const pending = make();
        made = pending;
        const commit = (): void => (isWanted(pending.result) ? pending.commit() : pending.abandon());
        begin({ commit, abandon: () => pending.abandon() });
      },
      withLock(program, files.path, check),
    );
    return (made as Pending<T>).result;
  } catch (error) {
    throw troubleWith(faultyFile(error, files), error);
  }
}

function isItself({ source, path }: Files): boolean {
  const [from, to] = [statSync(source), statSync(path, { throwIfNoEntry: false })];
  return from.dev === to?.dev && from.ino === to.ino;
}

/** A file is found faulty where it is read; what cannot be written is the other one. */
function faultyFile(error: unknown, { source, target }: Files): string {
  if (error instanceof HashFileError) return source;
  if (error instanceof BerkeleyDBError || !(error instanceof Error)) return target;
  return (error as NodeJS.ErrnoException).path === source ? source : target;
}
