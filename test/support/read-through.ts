/**
 * Everything that a reader can ask of a database, and what comes of it where
 * the file is damaged.
 */
import { BerkeleyDBError, type Database, type DatabaseRecord } from "berkeley-db-js";
import { bytesOf } from "./bytes.ts";

export interface Outcome {
  /** Records that the walk forward gave. */
  records: number;
  /** Code of the failure of each part that failed. */
  readonly errors: Record<string, string>;
}

/** @throws what is no BerkeleyDBError: nothing else may come out of a damaged file. */
export function readThrough(open: () => Database): Outcome {
  const outcome: Outcome = { records: 0, errors: {} };
  const keys: Uint8Array[] = [bytesOf(""), bytesOf("not there"), bytesOf("not there either")];
  const attempt = (name: string, action: (database: Database) => void): void => {
    // One database a part: after a trap nothing more can be learnt from it.
    let database: Database | undefined;
    try {
      database = open();
      action(database);
    } catch (error) {
      if (!(error instanceof BerkeleyDBError)) throw error;
      outcome.errors[database === undefined ? "open" : name] = error.code;
    } finally {
      closeQuietly(database);
    }
  };
  attempt("forward", (database) => {
    for (const [key] of database) {
      outcome.records += 1;
      if (keys.length < 100) keys.push(key);
    }
  });
  attempt("backward", (database) => {
    for (const _ of database.records("backward"));
  });
  attempt("steps", (database) => {
    const cursor = database.cursor();
    let record: DatabaseRecord | undefined;
    do record = cursor.next();
    while (record !== undefined);
  });
  attempt("count", (database) => void database.count());
  attempt("stat", (database) => void database.stat());
  attempt("get", (database) => {
    for (const key of keys) database.get(key);
  });
  return outcome;
}

function closeQuietly(database: Database | undefined): void {
  try {
    database?.close();
  } catch (error) {
    // libdb refuses to close what it has given up, and has closed it then.
    if (!(error instanceof BerkeleyDBError)) throw error;
  }
}
