/**
 * A file that is made and not yet in its place.
 */

/** Until `commit` the old file is as it was. `abandon` is owed otherwise, and harmless at any time. */
export interface Pending<T> {
  /** What is to be said of it. */
  readonly result: T;
  /** @throws {Error} of the file system; the old file is there still. */
  commit(): void;
  abandon(): void;
}

/** Puts it in its place. */
export function commit<T>(pending: Pending<T>): T {
  try {
    pending.commit();
    return pending.result;
  } catch (error) {
    pending.abandon();
    throw error;
  }
}
