/**
 * Which blocks of JavaScript an input reaches, as V8 counts them. WebAssembly is
 * not counted.
 *
 * V8 lists a block only where it is executed more or less often than what is
 * around it; so all blocks that were ever listed are kept, and the innermost
 * one that is listed now says of each whether it was reached.
 */
import { type Profiler, Session } from "node:inspector";

/** Ours, module by module, and the engine's wrapper, which all of it loads as it is published; not the tests. This file runs from .build/test/fuzz. */
const OURS = new RegExp(
  `^${new URL("../../../", import.meta.url).href.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?:\\.build/src|wasm/dist|wasm/\\.build/src)/`,
);

interface Block {
  readonly start: number;
  readonly end: number;
  readonly id: number;
}

/** The blocks of the functions of a script, by the places of the functions. */
type Script = Map<number, Block[]>;

/** More than the length of any script. */
const LONG = 2 ** 26;

export class BlockCoverage {
  readonly #session = new Session();
  /** By their URLs; undefined for those that do not count. */
  readonly #scripts = new Map<string, Script | undefined>();
  readonly #reached = new Set<number>();
  #covered = OURS;
  #count = 0;

  /** Counts what is loaded from now on. */
  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** @param covered whose blocks count besides. */
  alsoOf(covered: RegExp): void {
    this.#covered = new RegExp(`${OURS.source}|${covered.source}`);
  }

  /** Blocks that were reached and noted. */
  get reached(): number {
    return this.#reached.size;
  }

  /** How many of them are of scripts that have this in their URLs. */
  reachedIn(part: string): number {
    const scripts = [...this.#scripts].flatMap(([url, script]) => (script !== undefined && url.includes(part) ? [...script.values()] : []));
    return scripts.flat().filter(({ id }) => this.#reached.has(id)).length;
  }

  /** @returns the blocks that were reached since it was asked last, and never were before. */
  take(): number[] {
    const found: number[] = [];
    const { result } = this.#post("Profiler.takePreciseCoverage") as Profiler.TakePreciseCoverageReturnType;
    for (const { url, functions } of result) {
      const script = this.#script(url);
      if (script === undefined) continue;
      for (const { ranges } of functions) {
        for (const { id, start, end } of this.#blocks(script, ranges)) {
          if (!this.#reached.has(id) && countAt(ranges, start, end) > 0) found.push(id);
        }
      }
    }
    return found;
  }

  /** From now on these are nothing new. */
  note(ids: Iterable<number>): void {
    for (const id of ids) this.#reached.add(id);
  }

  /** Forgets what was reached, to find out which inputs are needed for it. */
  forget(): void {
    this.take();
    this.#reached.clear();
  }

  #script(url: string): Script | undefined {
    if (!this.#scripts.has(url)) this.#scripts.set(url, this.#covered.test(url) ? new Map() : undefined);
    return this.#scripts.get(url);
  }

  /** All of a function that were ever listed. */
  #blocks(script: Script, ranges: readonly Profiler.CoverageRange[]): readonly Block[] {
    const [whole] = ranges;
    if (whole === undefined) return [];
    const place = whole.startOffset * LONG + whole.endOffset;
    const blocks = script.get(place) ?? [];
    script.set(place, blocks);
    for (const { startOffset: start, endOffset: end } of ranges) {
      if (!blocks.some((block) => block.start === start && block.end === end)) blocks.push({ start, end, id: this.#count++ });
    }
    return blocks;
  }

  /** It is answered at once. */
  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(error.message);
      answer = result;
    });
    return answer;
  }
}

/** How often a block was executed: as often as the innermost block around it that is listed. They come from the outside in. */
function countAt(ranges: readonly Profiler.CoverageRange[], start: number, end: number): number {
  let count = 0;
  for (const range of ranges) if (range.startOffset <= start && range.endOffset >= end) count = range.count;
  return count;
}
