/**
 * The names in a database, for those who want none of its secrets.
 */
import type { Database } from "berkeley-db-js";

/** The keys of all records; the values that come with them are overwritten. */
export function* keysOf(database: Database): Generator<Uint8Array, void, undefined> {
  for (const [key, data] of database) {
    data.fill(0);
    yield key;
  }
}
