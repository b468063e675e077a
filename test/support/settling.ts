/**
 * Runs of an asynchronous property: one that is interrupted by its time limit
 * goes on, and has to end before its files are removed.
 */
export interface Settling<Values extends unknown[]> {
  readonly predicate: (...values: Values) => Promise<void>;
  /** Resolves when the last run has ended, however it ended: what fails is told by the property, or came too late. */
  readonly settled: () => Promise<void>;
}

export function settling<Values extends unknown[]>(predicate: (...values: Values) => Promise<void>): Settling<Values> {
  let last: Promise<void> = Promise.resolve();
  return {
    predicate: (...values) => {
      last = predicate(...values);
      return last;
    },
    settled: () => last.catch(() => {}),
  };
}
