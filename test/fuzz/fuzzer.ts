/**
 * The search: changed inputs are run, and those that reach something for the
 * first time are kept, to be changed further.
 */
import type { Random } from "../support/random.ts";
import type { BlockCoverage } from "./coverage.ts";
import { Mutator } from "./mutator.ts";
import type { Target } from "./target.ts";

/** Inputs between two looks at the coverage, each of which takes a millisecond or two. */
const BATCH = 64;
/** Runs that the shortening of one input may take. */
const MOST_TRIMS = 48;

/** What has to hold did not. */
export class Finding extends Error {
  readonly input: Uint8Array;

  constructor(input: Uint8Array, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.input = input;
  }

  /** What is wrong, without what is different in each input. */
  get kind(): string {
    return this.message.split(/[:\n]/)[0] as string;
  }
}

interface Reached {
  readonly blocks: readonly number[];
  readonly notes: readonly string[];
}

export class Fuzzer {
  readonly corpus: Uint8Array[] = [];
  /** How many inputs of the corpus are what the target begins with: the first. */
  seeds = 0;
  /** Inputs that were run. */
  runs = 0;
  /** When, by the clock of `performance`, inputs are not made shorter any more. */
  until: number = Number.POSITIVE_INFINITY;
  readonly #target: Target;
  readonly #coverage: BlockCoverage;
  readonly #random: Random;
  readonly #mutator: Mutator;
  readonly #notes = new Set<string>();
  readonly #onRun: (input: Uint8Array) => void;

  /** @param onRun called before each run, which may have no end. */
  constructor(target: Target, coverage: BlockCoverage, random: Random, onRun: (input: Uint8Array) => void = () => {}) {
    this.#target = target;
    this.#coverage = coverage;
    this.#random = random;
    this.#mutator = new Mutator(random, target);
    this.#onRun = onRun;
  }

  /** Blocks and notes. */
  get reached(): number {
    return this.#coverage.reached + this.#notes.size;
  }

  /**
   * Runs an input alone, and keeps it if it reaches something new.
   * @throws {Finding}
   */
  async add(input: Uint8Array): Promise<boolean> {
    const reached = await this.#runAlone(input);
    if (!isAny(reached)) return false;
    this.#note(reached);
    this.corpus.push(input);
    return true;
  }

  /**
   * Runs a number of changed inputs.
   * @throws {Finding}
   */
  async batch(): Promise<void> {
    await this.#search(Array.from({ length: this.#target.batch ?? BATCH }, () => this.#next()));
  }

  /** Inputs that reach all that was reached, but for what the seeds do: of those that reach it the short ones, and of these no more than are needed, the long ones first. */
  async distil(): Promise<Uint8Array[]> {
    this.until = Number.POSITIVE_INFINITY;
    const seeds = this.corpus.slice(0, this.seeds);
    for (const order of [1, -1]) {
      const inputs = this.corpus
        .splice(0)
        .slice(this.seeds)
        .sort((a, b) => order * (a.length - b.length));
      this.#coverage.forget();
      this.#notes.clear();
      for (const input of seeds) await this.add(input);
      this.seeds = this.corpus.length;
      for (const input of inputs) await this.add(input);
    }
    return this.corpus.slice(this.seeds);
  }

  /** As short as it can be, and still the same finding. */
  async shorten(finding: Finding): Promise<Finding> {
    let last = finding;
    this.#coverage.take();
    await this.#trim(finding.input, async (input) => {
      try {
        await this.#run(input);
        return false;
      } catch (error) {
        if (!(error instanceof Finding) || error.kind !== finding.kind) return false;
        last = error;
        return true;
      }
    });
    return last;
  }

  /** The seeds, which are good, and new inputs are looked at more often than others. */
  #next(): Buffer {
    const { corpus, seeds } = this;
    const kind = this.#random(4);
    const [from, count] = kind === 0 && seeds > 0 ? [0, seeds] : kind < 3 ? lastOf(corpus.length) : [0, corpus.length];
    const input = corpus[from + this.#random(count)] ?? new Uint8Array();
    return this.#mutator.mutate(input, corpus, this.#target.change?.bind(this.#target));
  }

  /** Runs inputs together, and looks for those that reach something new by halves. */
  async #search(inputs: readonly Uint8Array[]): Promise<void> {
    const reached = await this.#runTogether(inputs);
    if (!isAny(reached)) return;
    if (inputs.length === 1) await this.#keep(inputs[0] as Uint8Array, reached);
    else for (const half of [inputs.slice(0, inputs.length >> 1), inputs.slice(inputs.length >> 1)]) await this.#search(half);
    // Some blocks are reached once only, whatever the input: they say nothing of it.
    this.#coverage.note(reached.blocks);
  }

  async #keep(input: Uint8Array, reached: Reached): Promise<void> {
    const short = await this.#trim(input, async (shorter) => includes(await this.#runAlone(shorter), reached));
    this.#note(reached);
    this.corpus.push(short);
  }

  /** @returns the shortest input that is found to be as good. */
  async #trim(input: Uint8Array, isAsGood: (input: Uint8Array) => Promise<boolean>): Promise<Uint8Array> {
    let short = input;
    let runs = 0;
    for (let size = short.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at < short.length && runs < MOST_TRIMS && performance.now() < this.until; runs++) {
        const shorter = Buffer.concat([short.subarray(0, at), short.subarray(at + size)]);
        if (await isAsGood(shorter)) short = shorter;
        else at += size;
      }
    }
    return short;
  }

  async #runAlone(input: Uint8Array): Promise<Reached> {
    return this.#runTogether([input]);
  }

  /** What they reach that is new. */
  async #runTogether(inputs: readonly Uint8Array[]): Promise<Reached> {
    const notes: string[] = [];
    for (const input of inputs) notes.push(...(await this.#run(input)));
    return { blocks: this.#coverage.take(), notes };
  }

  /** @returns the notes that are new. */
  async #run(input: Uint8Array): Promise<string[]> {
    const notes = new Set<string>();
    this.runs += 1;
    this.#onRun(input);
    try {
      // A copy: what changes its input must not go unseen, nor harm the corpus.
      await this.#target.run(Uint8Array.from(input), (what) => {
        if (!this.#notes.has(what)) notes.add(what);
      });
    } catch (error) {
      throw new Finding(input, error);
    }
    return [...notes];
  }

  #note({ blocks, notes }: Reached): void {
    this.#coverage.note(blocks);
    for (const note of notes) this.#notes.add(note);
  }
}

/** An eighth. */
function lastOf(length: number): [from: number, count: number] {
  const count = Math.min(length, 1 + (length >> 3));
  return [length - count, count];
}

function isAny({ blocks, notes }: Reached): boolean {
  return blocks.length + notes.length > 0;
}

function includes(all: Reached, wanted: Reached): boolean {
  const blocks = new Set(all.blocks);
  const notes = new Set(all.notes);
  return wanted.blocks.every((id) => blocks.has(id)) && wanted.notes.every((note) => notes.has(note));
}
