/**
 * The keys of a hash file, read page by page without the engine.
 */
import type { FileHandle } from "berkeley-db-js";
import { DatabaseFile } from "./database-file.ts";
import { HashFileError } from "./error.ts";
import type { VisitItem } from "./visit.ts";

/**
 * Calls `visit` for the key of each record, in the order of libdb's cursor. A
 * key with several records comes several times.
 * @param file stays the caller's, and open.
 * @throws {HashFileError} the file is no hash file that is read here, or damaged; the keys before the damage have been visited.
 */
export function visitKeys(file: FileHandle, visit: VisitItem): void {
  const database = new DatabaseFile(file);
  if (database.layout.type !== "hash") throw new HashFileError(`a Berkeley DB ${database.layout.type} file, not a hash file`);
  database.visitRecords(visit, { keysOnly: true });
}
