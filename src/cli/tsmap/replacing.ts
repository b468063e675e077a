/**
 * Commands that make one file of another.
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

/**
 * Makes a file, and puts it in its place unless a signal came meanwhile, which
 * then ends the program with the old file as it was.
 * @throws {Trouble} names the file that something is wrong with.
 */
export async function replaceWith<T>(files: Files, make: () => Pending<T>, isWanted: (result: T) => boolean = () => true): Promise<T> {
  let pending: Pending<T> | undefined;
  const forget = onSignal(() => pending?.abandon());
  try {
    pending = make();
    await turn();
    if (isWanted(pending.result)) pending.commit();
    else pending.abandon();
    return pending.result;
  } catch (error) {
    pending?.abandon();
    throw troubleWith(faultyFile(error, files), error);
  } finally {
    forget();
  }
}

/** A file is found faulty where it is read; what cannot be written is the other one. */
function faultyFile(error: unknown, { source, target }: Files): string {
  if (error instanceof HashFileError) return source;
  if (error instanceof BerkeleyDBError || !(error instanceof Error)) return target;
  return (error as NodeJS.ErrnoException).path === source ? source : target;
}
