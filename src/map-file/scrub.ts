/**
 * Removes residue: the same file, with zeros where nothing is stored.
 *
 * Every page stays where it is, and every record; so it works on files of any
 * version, and what wrote a file goes on with it.
 */
import { BerkeleyDBError, type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { Replacement } from "../files/replacement.ts";
import { checkDatabase } from "../hash-file/check.ts";
import { DatabaseFile } from "../hash-file/database-file.ts";
import { HashFileError } from "../hash-file/error.ts";
import { surveyPages } from "../hash-file/page-survey.ts";
import { commit, type Pending } from "./pending.ts";
import { verify, verifyByLibdb } from "./verification.ts";

export interface Scrubbed {
  /** Bytes that were not zero before. */
  readonly bytes: number;
  readonly pages: number;
}

export interface ScrubOptions {
  /** Permission bits of the target. Default: a file that is there keeps its own, and a new one is its owner's alone. */
  readonly mode?: number | undefined;
  /** Write into the file that is there: it may have other names. */
  readonly inPlace?: boolean;
  readonly fileSystem?: FileSystem;
}

const OWNER_ALONE = 0o600;

/**
 * Scrubs a file, all or nothing.
 * @param target the file itself, or another to make or to replace; resolved: not a link.
 * @returns what was removed.
 * @throws {HashFileError} a file that is not sound, or cannot be changed; nothing has been written then.
 * @throws {Error} of the file system.
 */
export function scrub(path: string, target: string, options: ScrubOptions = {}): Scrubbed {
  return commit(prepareScrub(path, target, options));
}

/** As `scrub`, up to the moment in which the new file takes its place. */
export function prepareScrub(path: string, target: string, options: ScrubOptions = {}): Pending<Scrubbed> {
  const { fileSystem = nodeFileSystem, inPlace = false, mode } = options;
  const file = fileSystem.open(path, { write: false }, 0);
  try {
    const { layout } = checkDatabase(file, (problem) => {
      throw problem;
    });
    const before = asOfSystem(() => verifyByLibdb(path, layout, fileSystem))?.[0];
    const replacement = new Replacement(target, { fileSystem, mode: mode ?? OWNER_ALONE, setMode: mode !== undefined, inPlace });
    try {
      const result = copyWithoutResidue(file, replacement.handle);
      if (before === undefined) checkCopy(replacement);
      return { result, commit: () => replacement.commit(), abandon: () => replacement.abandon() };
    } catch (error) {
      replacement.abandon();
      throw error;
    }
  } finally {
    file.close();
  }
}

/** libdb has its own way through a file, and what only that leads to would be gone: where it found nothing, it may find nothing now. */
function checkCopy({ path, fileSystem }: Replacement): void {
  const [found] = asOfSystem(() => verify(path, { fileSystem })).problems;
  if (found !== undefined) throw new HashFileError(`cannot be scrubbed: without its unused space, ${found.message}`);
}

/** What the file system said tells more than what libdb made of it. */
function asOfSystem<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof BerkeleyDBError && error.cause instanceof Error ? error.cause : error;
  }
}

function copyWithoutResidue(file: FileHandle, copy: FileHandle): Scrubbed {
  const database = new DatabaseFile(file);
  const { layout } = database;
  if (layout.hasChecksums)
    throw new HashFileError("has a checksum on every page, of unused space too: tsmap convert makes one without residue");
  const reader = database.visitRecords(() => {});
  const scrubbed = { bytes: 0, pages: 0 };
  surveyPages(reader, layout, ({ page, unused, residue }, bytes) => {
    const clean = new Uint8Array(bytes);
    clean.fill(0, ...unused);
    copy.write(clean, page * layout.pageSize);
    if (residue === 0) return;
    scrubbed.bytes += residue;
    scrubbed.pages += 1;
  });
  return scrubbed;
}
