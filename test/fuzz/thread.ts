/**
 * A target in a thread of its own, which is ended where an input has no end, or
 * takes too much memory.
 */
import { Worker } from "node:worker_threads";
import { type FindingMessage, HEAD, type Message, type Progress, type Task } from "./fuzz.child.ts";

/** Milliseconds that a single run may take on a machine with other work. */
const MOST_TIME = 20_000;
/** Bytes of this whole process. */
const MOST_MEMORY = 2 ** 31;
const LONGEST_INPUT = 1 << 20;
/** Milliseconds between two looks. */
const INTERVAL = 200;

export type Result = { readonly kind: "end"; readonly progress: Progress } | FindingMessage;

/** @param onProgress called now and then. */
export async function runTask(task: Omit<Task, "current">, onProgress: (progress: Progress) => void): Promise<Result> {
  const current = new SharedArrayBuffer(HEAD + LONGEST_INPUT);
  const numbers = new Int32Array(current, 0, 2);
  const worker = new Worker(new URL("./fuzz.child.js", import.meta.url), { workerData: { ...task, current } satisfies Task });
  let progress: Progress = { runs: 0, corpus: 0, reached: 0 };
  let last: Result | undefined;
  try {
    return await new Promise<Result>((resolve, reject) => {
      const found = (message: string): void => {
        const input = Uint8Array.from(new Uint8Array(current, HEAD, Atomics.load(numbers, 1)));
        resolve({ kind: "finding", input, message, progress });
      };
      const stop = watch(numbers, found);
      worker.on("message", (message: Message) => {
        progress = message.progress;
        if (message.kind === "progress") onProgress(progress);
        else last = { ...message } as Result;
      });
      // What no target has caught: an error in a callback, or no memory left.
      worker.on("error", (error) => found(`ended by ${error instanceof Error ? error.stack : String(error)}`));
      worker.on("exit", (code) => {
        stop();
        // It cleans up before.
        if (last === undefined) reject(new Error(`the thread of ${task.target} ended with ${code}`));
        else resolve(last);
      });
    });
  } finally {
    await worker.terminate();
  }
}

function watch(numbers: Int32Array, found: (message: string) => void): () => void {
  let run = 0;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = Atomics.load(numbers, 0);
    if (now !== run || now === 0) {
      run = now;
      since = performance.now();
    } else if (performance.now() - since > MOST_TIME) found(`no end in ${MOST_TIME / 1000} s`);
    const { rss } = process.memoryUsage();
    if (rss > MOST_MEMORY) found(`takes ${rss >> 20} MiB`);
  }, INTERVAL);
  return () => clearInterval(timer);
}
