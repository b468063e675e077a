/**
 * Why a command of tsmap could not do what it was asked for.
 */
import { BerkeleyDBError } from "berkeley-db-js";
import { LockedError } from "../../files/file-lock.ts";
import { isOfSystem, strerror } from "../../files/strerror.ts";
import { HashFileError } from "../../hash-file/error.ts";

/** The exit code of a command that could not answer. */
export const TROUBLE = 2;
/** That of plan, whose 2 says that there is something to do. */
export const PLAN_TROUBLE = 1;

/** Ends a command; the message is for its user, and names the file. */
export class Trouble extends Error {
  readonly lines: readonly string[];

  /** @param message several where there is more than one thing to say. */
  constructor(message: string | readonly string[], options?: ErrorOptions) {
    const lines = [message].flat();
    super(lines.join("\n"), options);
    this.lines = lines;
  }
}

/**
 * Does something with a file.
 * @throws {Trouble} in place of what the file system and the readers of files throw.
 */
export function withFile<T>(file: string, what: () => T): T {
  try {
    return what();
  } catch (error) {
    throw troubleWith(file, error);
  }
}

/** What an error about a file is to its user; an error of another kind is returned as it is. */
export function troubleWith(file: string, error: unknown): unknown {
  if (error instanceof BerkeleyDBError) return new Trouble(`${file}: ${isOfSystem(error) ? strerror(error) : withoutPath(error)}`);
  if (error instanceof LockedError) return new Trouble(`${error.message}: remove that file if none is running`);
  if (error instanceof HashFileError) return new Trouble(`${file}: ${error.message}`, { cause: error });
  if (error instanceof Error && "code" in error && "syscall" in error) return new Trouble(`${file}: ${strerror(error)}`);
  return error;
}

/** Its message names the file first, which may be one of our own. */
function withoutPath({ message, path }: BerkeleyDBError): string {
  return path === undefined ? message : message.replaceAll(`${path}: `, "");
}
