/**
 * Commands that make a file, most of them of another.
 */
import { BerkeleyDBError } from "berkeley-db-js";
import { turn } from "../../files/turn.ts";
import { HashFileError } from "../../hash-file/error.ts";
import type { Pending } from "../../map-file/pending.ts";
import { onSignal } from "../cleanup.ts";
import { troubleWith } from "./trouble.ts";

export interface Files {
  readonly source: string;
  readonly target: string;
}

type Uncommitted = Pick<Pending<unknown>, "commit" | "abandon">;

/**
 * Makes a file, and puts it in its place unless a signal came meanwhile, which
 * then ends the program with the old file as it was.
 * @param make hands on what is to be committed, or abandoned, as soon as there is such.
 */
export async function putInPlace(make: (begin: (pending: Uncommitted) => void) => void | Promise<void>): Promise<void> {
  let pending: Uncommitted | undefined;
  // Before there is a file to remove, so that no signal comes between.
  const forget = onSignal(() => pending?.abandon());
  try {
    await make((begun) => {
      pending = begun;
    });
    await turn();
    pending?.commit();
  } catch (error) {
    pending?.abandon();
    throw error;
  } finally {
    forget();
  }
}

/**
 * The same, of a file that is made of another.
 * @param isWanted whether it is to be put in its place.
 * @throws {Trouble} names the file that something is wrong with.
 */
export async function replaceWith<T>(files: Files, make: () => Pending<T>, isWanted: (result: T) => boolean = () => true): Promise<T> {
  try {
    let made: Pending<T> | undefined;
    await putInPlace((begin) => {
      const pending = make();
      made = pending;
      const commit = (): void => (isWanted(pending.result) ? pending.commit() : pending.abandon());
      begin({ commit, abandon: () => pending.abandon() });
    });
    return (made as Pending<T>).result;
  } catch (error) {
    throw troubleWith(faultyFile(error, files), error);
  }
}

/** A file is found faulty where it is read; what cannot be written is the other one. */
function faultyFile(error: unknown, { source, target }: Files): string {
  if (error instanceof HashFileError) return source;
  if (error instanceof BerkeleyDBError || !(error instanceof Error)) return target;
  return (error as NodeJS.ErrnoException).path === source ? source : target;
}
