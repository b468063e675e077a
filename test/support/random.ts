/**
 * Numbers at random that are the same again for the same seed: a test that
 * fails says its seed, and TSMAKEMAP_TEST_SEED has it fail once more.
 */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number = Number(process.env["TSMAKEMAP_TEST_SEED"] ?? Math.floor(Math.random() * 0xffff_ffff))) {
    this.seed = seed;
    this.#state = seed;
  }

  /** From 0 to before 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 to before `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }
}
