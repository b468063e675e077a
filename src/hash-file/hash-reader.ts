/**
 * The keys of a hash file, read page by page without the engine.
 */
import type { FileHandle } from "berkeley-db-js";
import { HashWalk } from "./hash-walk.ts";
import { readHashLayout } from "./layout.ts";
import { PageReader } from "./page-reader.ts";
import type { VisitItem } from "./visit.ts";

/**
 * Calls `visit` for the key of each record, in the order of libdb's cursor. A
 * key with several records comes several times.
 * @param file stays the caller's, and open.
 * @throws {HashFileError} the file is no hash file of version 4 to 10, or damaged; the keys before the damage have been visited.
 */
export function visitKeys(file: FileHandle, visit: VisitItem): void {
  const layout = readHashLayout(file);
  const walk = new HashWalk(new PageReader(file, layout), layout, visit, { keysOnly: true });
  const steps = walk.steps();
  while (steps.next().done !== true) {
    // Each step visits.
  }
}
