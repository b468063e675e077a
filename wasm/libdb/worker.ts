/**
 * A worker thread that compiles units as they are handed to it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { clang, compilerTree, place } from "./clang.ts";
import type { SourceTree } from "./unpack.ts";

export interface WorkerData {
  readonly source: SourceTree;
  /** The files of config/, by their names. */
  readonly config: ReadonlyMap<string, Uint8Array>;
  /** Further files of ours, by path. */
  readonly shim: ReadonlyMap<string, Uint8Array>;
}

export interface Job {
  readonly text: string;
  readonly flags: readonly string[];
}

export type JobResult = { readonly object: Uint8Array } | { readonly error: string };

if (parentPort !== null) {
  const port = parentPort;
  const { source, config, shim } = workerData as WorkerData;
  const tree = compilerTree(source, config);
  for (const [path, bytes] of shim) place(tree, path, bytes);
  port.on("message", async (job: Job) => {
    try {
      const object = await clang([...job.flags, "-c", "unit.c"], { ...tree, "unit.c": job.text }, "unit.o");
      port.postMessage({ object } satisfies JobResult);
    } catch (error) {
      port.postMessage({ error: (error as Error).message } satisfies JobResult);
    }
  });
}
