/**
 * The thread in which one target is fuzzed. It may come to no end, or take all
 * memory: the input at hand is where the main thread sees it, and can end the
 * thread.
 */
import { inspect } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { generator } from "../support/random.ts";
import { readCorpus, writeCorpus } from "./corpus.ts";
import { BlockCoverage } from "./coverage.ts";
import { Finding, Fuzzer } from "./fuzzer.ts";
import { loadTarget } from "./targets.ts";

export interface Task {
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  /** Whether the corpus is written anew. */
  readonly isSaved: boolean;
  /** The number of the run, the length of its input, and its bytes. */
  readonly current: SharedArrayBuffer;
}

export interface Progress {
  readonly runs: number;
  readonly corpus: number;
  readonly reached: number;
  readonly saved?: number;
}

export type Message = { readonly kind: "progress" | "end"; readonly progress: Progress } | FindingMessage;

export interface FindingMessage {
  readonly kind: "finding";
  readonly input: Uint8Array;
  readonly message: string;
  readonly progress: Progress;
}

/** Bytes before the input. */
export const HEAD = 8;
/** Milliseconds between two reports. */
const INTERVAL = 1000;
/** Milliseconds for the shortening of a finding. */
const MOST_SHORTENING = 10_000;
/** Characters of a value. */
const MOST_SHOWN = 1200;

async function fuzz({ target: name, seed, seconds, isSaved, current }: Task): Promise<void> {
  const send = (message: Message): void => parentPort?.postMessage(message);
  const numbers = new Int32Array(current, 0, 2);
  const bytes = new Uint8Array(current, HEAD);
  const coverage = new BlockCoverage();
  const target = await loadTarget(name);
  if (target.covered !== undefined) coverage.alsoOf(target.covered);
  const fuzzer = new Fuzzer(target, coverage, generator(seed), (input) => {
    bytes.set(input.subarray(0, bytes.length));
    Atomics.store(numbers, 1, Math.min(input.length, bytes.length));
    Atomics.add(numbers, 0, 1);
  });
  const progress = (): Progress => ({ runs: fuzzer.runs, corpus: fuzzer.corpus.length, reached: fuzzer.reached });
  try {
    for (const input of target.seeds()) await fuzzer.add(input);
    fuzzer.seeds = fuzzer.corpus.length;
    for (const { input } of readCorpus(name)) await fuzzer.add(input);
    let told = performance.now();
    fuzzer.until = told + 1000 * seconds;
    while (performance.now() < fuzzer.until) {
      await fuzzer.batch();
      if (performance.now() < told + INTERVAL) continue;
      told = performance.now();
      send({ kind: "progress", progress: progress() });
    }
    const end = progress();
    const saved = isSaved ? writeCorpus(name, await fuzzer.distil()) : undefined;
    send({ kind: "end", progress: { ...end, ...(saved !== undefined && { saved }) } });
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    fuzzer.until = performance.now() + MOST_SHORTENING;
    const { input, cause } = await fuzzer.shorten(error);
    send({ kind: "finding", input, message: textOf(cause), progress: progress() });
  }
  // What a target has open, such as a server, ends with the thread.
  setImmediate(() => process.exit());
}

/** Where it happened, and what is not as it should be. */
function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { stack = cause.message, actual, expected } = cause as Error & { readonly actual?: unknown; readonly expected?: unknown };
  const shown = (value: unknown): string => inspect(value, { depth: 4, maxStringLength: 400, maxArrayLength: 20 }).slice(0, MOST_SHOWN);
  return actual === undefined && expected === undefined ? stack : `${stack}\nis:        ${shown(actual)}\nshould be: ${shown(expected)}`;
}

if (parentPort !== null) await fuzz(workerData as Task);
