/**
 * Removes residue: the same file, with zeros where nothing is stored.
 *
 * Every page stays where it is, and every record; so it works on files of any
 * version, and what wrote a file goes on with it.
 */
import { type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { Replacement } from "../files/replacement.ts";
import { checkDatabase } from "../hash-file/check.ts";
import { DatabaseFile } from "../hash-file/database-file.ts";
import { HashFileError } from "../hash-file/error.ts";
import { surveyPages } from "../hash-file/page-survey.ts";

/** Of a file that is made; one that is there keeps its own. */
const MODE = 0o600;

export interface Scrubbed {
  /** Bytes that were not zero before. */
  readonly bytes: number;
  readonly pages: number;
}

export interface ScrubOptions {
  /** Write into the file that is there: it may have other names. */
  readonly inPlace?: boolean;
  readonly fileSystem?: FileSystem;
}

/**
 * @param target the file itself, or another to make or to replace; resolved: not a link.
 * @throws {HashFileError} a file that is not sound, or cannot be changed; nothing has been written then.
 * @throws {Error} of the file system.
 */
export function scrub(path: string, target: string, { fileSystem = nodeFileSystem, inPlace = false }: ScrubOptions = {}): Scrubbed {
  const file = fileSystem.open(path, { write: false }, 0);
  try {
    checkDatabase(file, (problem) => {
      throw problem;
    });
    const replacement = new Replacement(target, { fileSystem, mode: MODE, inPlace });
    try {
      const scrubbed = copyWithoutResidue(file, replacement.path, fileSystem);
      replacement.commit();
      return scrubbed;
    } catch (error) {
      replacement.abandon();
      throw error;
    }
  } finally {
    file.close();
  }
}

function copyWithoutResidue(file: FileHandle, path: string, fileSystem: FileSystem): Scrubbed {
  const database = new DatabaseFile(file);
  const { layout } = database;
  if (layout.hasChecksums)
    throw new HashFileError("has a checksum on every page, of unused space too: tsmap convert makes one without residue");
  const reader = database.visitRecords(() => {});
  const scrubbed = { bytes: 0, pages: 0 };
  const copy = fileSystem.open(path, { write: true }, 0);
  try {
    surveyPages(reader, layout, ({ page, unused, residue }, bytes) => {
      const clean = new Uint8Array(bytes);
      clean.fill(0, ...unused);
      copy.write(clean, page * layout.pageSize);
      if (residue === 0) return;
      scrubbed.bytes += residue;
      scrubbed.pages += 1;
    });
    copy.sync();
  } finally {
    copy.close();
  }
  return scrubbed;
}
