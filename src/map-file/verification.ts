/**
 * Whether a database file is sound: a walk of our own over every page, and
 * libdb's DB->verify where it knows the version.
 */
import { BerkeleyDBError, Database, type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { checkDatabase } from "../hash-file/check.ts";
import type { Layout } from "../hash-file/database-file.ts";
import { HashFileError } from "../hash-file/error.ts";

export interface Problem {
  readonly by: "walk" | "libdb";
  /** Where it is on one page. */
  readonly page?: number;
  readonly message: string;
}

export interface Verification {
  /** None for a sound file. */
  readonly problems: readonly Problem[];
  /** Undefined where the first page is damaged. */
  readonly layout: Layout | undefined;
  readonly records: number;
  /** Whether libdb knows the version of the file, and could be given what is damaged in it. */
  readonly wasVerifiedByLibdb: boolean;
}

/** Of one file so many problems are told. */
const MOST_PROBLEMS = 100;

/**
 * Verifies a file, which is only read.
 * @throws {Error} of the file system.
 */
export function verify(path: string, { fileSystem = nodeFileSystem }: { readonly fileSystem?: FileSystem } = {}): Verification {
  const problems: Problem[] = [];
  const found = (problem: HashFileError): void => {
    const page = problem.page === undefined ? {} : { page: problem.page };
    if (problems.length < MOST_PROBLEMS) problems.push({ by: "walk", ...page, message: problem.message });
  };
  const file = fileSystem.open(path, { write: false }, 0);
  const { layout, records } = closing(file, () => walk(file, found));
  const isKnown = layout !== undefined && (layout.type === "btree" ? layout.version === 9 : layout.version === 8 || layout.version === 9);
  // In a tree whose pages lead back to each other libdb's own verification has no end.
  const mayHaveNoEnd = problems.length > 0 && (layout?.type === "btree" || layout?.duplicates !== false);
  const wasVerifiedByLibdb = isKnown && !mayHaveNoEnd;
  if (wasVerifiedByLibdb) problems.push(...verifyByLibdb(path, fileSystem).slice(0, MOST_PROBLEMS));
  return { problems, layout, records, wasVerifiedByLibdb };
}

function closing<T>(file: FileHandle, use: () => T): T {
  try {
    return use();
  } finally {
    file.close();
  }
}

function walk(file: FileHandle, found: (problem: HashFileError) => void): { layout: Layout | undefined; records: number } {
  try {
    return checkDatabase(file, found);
  } catch (error) {
    if (!(error instanceof HashFileError)) throw error;
    found(error);
    return { layout: undefined, records: 0 };
  }
}

function verifyByLibdb(path: string, fileSystem: FileSystem): Problem[] {
  return messages(path, fileSystem).map((message) => {
    const page = /\bpage (\d+)\b/i.exec(message)?.[1];
    return { by: "libdb", ...(page === undefined ? {} : { page: Number(page) }), message };
  });
}

function messages(path: string, fileSystem: FileSystem): string[] {
  try {
    return Database.verify(path, { fileSystem });
  } catch (error) {
    // A failure of the file system, or of memory, says nothing about the file.
    if (error instanceof BerkeleyDBError && error.cause === undefined && error.code !== "ENOMEM")
      return [error.message.replace(`${path}: `, "")];
    throw error;
  }
}
