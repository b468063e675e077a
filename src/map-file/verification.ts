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
  /** None for a sound file; of very many the first. */
  readonly problems: readonly Problem[];
  /** Those that are not listed: how many, and on which pages, in order: "7, 9-12". */
  readonly more: { readonly count: number; readonly pages: string };
  /** Undefined where the first page is damaged. */
  readonly layout: Layout | undefined;
  readonly records: number;
  /** Whether libdb knows the version of the file. */
  readonly wasVerifiedByLibdb: boolean;
}

/** Of one file so many problems are listed; of the others the pages. */
const MOST_PROBLEMS = 100;

/**
 * Verifies a file, which is only read.
 * @throws {HashFileError} no database that is read here.
 * @throws {Error} of the file system.
 */
export function verify(path: string, { fileSystem = nodeFileSystem }: { readonly fileSystem?: FileSystem } = {}): Verification {
  const problems = new Problems();
  const file = fileSystem.open(path, { write: false }, 0);
  const { layout, records } = closing(file, () => walk(file, (found) => problems.add("walk", found.message, found.page)));
  const messages = layout === undefined ? undefined : verifyByLibdb(path, layout, fileSystem);
  for (const message of messages ?? []) {
    const page = /\bpage (\d+)\b/i.exec(message)?.[1];
    problems.add("libdb", message, page === undefined ? undefined : Number(page));
  }
  return { problems: problems.list, more: problems.more, layout, records, wasVerifiedByLibdb: messages !== undefined };
}

/**
 * What libdb alone has to say of a file.
 * @returns its messages, none for a sound file; undefined where it does not know the version.
 * @throws {Error} of the file system.
 */
export function verifyByLibdb(path: string, { type, version }: Layout, fileSystem: FileSystem): string[] | undefined {
  const isKnown = type === "btree" ? version === 9 : version === 8 || version === 9;
  return isKnown ? messagesOfLibdb(path, fileSystem) : undefined;
}

/** The first problems of each finder, and the pages of the rest. */
class Problems {
  readonly list: Problem[] = [];
  readonly #pages = new Set<number>();
  readonly #counts = { walk: 0, libdb: 0 };

  add(by: Problem["by"], message: string, page: number | undefined): void {
    this.#counts[by] += 1;
    if (this.#counts[by] <= MOST_PROBLEMS) this.list.push({ by, ...(page === undefined ? {} : { page }), message });
    else if (page !== undefined) this.#pages.add(page);
  }

  get more(): Verification["more"] {
    return { count: this.#counts.walk + this.#counts.libdb - this.list.length, pages: rangesOf([...this.#pages]) };
  }
}

function rangesOf(numbers: readonly number[]): string {
  const ranges: string[] = [];
  const sorted = [...numbers].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i] as number;
    while (sorted[i + 1] === (sorted[i] as number) + 1) i++;
    ranges.push(first === sorted[i] ? `${first}` : `${first}-${sorted[i]}`);
  }
  return ranges.join(", ");
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
    // What is no database is another answer than that it is damaged.
    if (!(error instanceof HashFileError) || !error.isDamage) throw error;
    found(error);
    return { layout: undefined, records: 0 };
  }
}

function messagesOfLibdb(path: string, fileSystem: FileSystem): string[] {
  try {
    return Database.verify(path, { fileSystem });
  } catch (error) {
    // A failure of the file system, or of memory, says nothing about the file.
    if (error instanceof BerkeleyDBError && error.cause === undefined && error.code !== "ENOMEM")
      return [error.message.replace(`${path}: `, "")];
    throw error;
  }
}
