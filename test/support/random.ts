/**
 * Numbers that look random and are the same for the same start, so that what
 * was found with them can be found again.
 */

/** A number below another. */
export type Random = (below: number) => number;

/** The same numbers for the same start: mulberry32. */
export function generator(start: number): Random {
  let state = Math.imul(start + 1, 0x9e3779b1) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
