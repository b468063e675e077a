/**
 * Long work that others get a turn in between of.
 */

/** Milliseconds of work between two turns that nobody notices. */
const LONG = 50;

/** Resolves when the signals have been heard that came while the program was busy. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** @returns a function that waits for a turn where the last one is long ago. */
export function turns(): () => Promise<void> {
  let last = Date.now();
  return async () => {
    if (Date.now() - last < LONG) return;
    await turn();
    last = Date.now();
  };
}
