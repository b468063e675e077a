/**
 * Compiles and links the engine, on as many workers as there are processors,
 * with the objects of unchanged units taken from the cache.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { clang, LIBDB_FLAGS, LINK_FLAGS, SHIM_FLAGS } from "./clang.ts";
import { libdbUnits } from "./modules.ts";
import type { SourceTree } from "./unpack.ts";
import type { Job, JobResult, WorkerData } from "./worker.ts";

export interface CompileInput {
  readonly source: SourceTree;
  /** Identifies the source and the compiler: part of every object's name in the cache. */
  readonly identity: string;
  /** The files of config/, by their names. */
  readonly config: ReadonlyMap<string, Uint8Array>;
  /** The files of shim/, by their names. */
  readonly shim: ReadonlyMap<string, Uint8Array>;
  /** Where objects are kept, or undefined to compile everything anew. */
  readonly objectFolder: string | undefined;
  readonly onProgress: (done: number, total: number, unit: string) => void;
}

interface Unit {
  readonly name: string;
  readonly text: string;
  readonly flags: readonly string[];
  /** The object's name in the cache. */
  readonly key: string;
}

/** @returns the bytes of engine.wasm: a pure function of the input. */
export async function compileEngine(input: CompileInput): Promise<Uint8Array> {
  const units = listUnits(input);
  const objects = new Map<string, Uint8Array>();
  let done = 0;
  input.onProgress(0, units.length + 1, "compiling");
  const finished = (unit: Unit, object: Uint8Array): void => {
    objects.set(unit.name, object);
    done += 1;
    input.onProgress(done, units.length + 1, unit.name);
  };

  const missing: Unit[] = [];
  for (const unit of units) {
    const kept = input.objectFolder && (await readFile(join(input.objectFolder, unit.key)).catch(() => undefined));
    if (kept) finished(unit, kept);
    else missing.push(unit);
  }
  await compileUnits(input, missing, async (unit, object) => {
    if (input.objectFolder !== undefined) await keepObject(input.objectFolder, unit.key, object);
    finished(unit, object);
  });

  // The order of the objects is part of the result.
  const names = units.map((unit) => unit.name);
  const tree = Object.fromEntries(names.map((name) => [`${name}.o`, objects.get(name) ?? new Uint8Array()]));
  const engine = await clang([...LINK_FLAGS, ...names.map((name) => `${name}.o`)], tree, "engine.wasm");
  input.onProgress(units.length + 1, units.length + 1, "engine.wasm");
  return engine;
}

function listUnits(input: CompileInput): Unit[] {
  const shimSources = [...input.shim.keys()].filter((name) => name.endsWith(".c")).sort();
  const configDigest = filesDigest(input.config);
  const shimDigest = filesDigest(input.shim);
  const unit = (name: string, text: string, flags: readonly string[], identity: string): Unit => {
    const hash = createHash("sha256").update(`${input.identity}\0${identity}\0${flags.join(" ")}\0${text}\0${configDigest}`);
    return { name, text, flags, key: `${name}-${hash.digest("hex").slice(0, 32)}.o` };
  };
  return [
    ...libdbUnits(input.source).map(({ name, text }) => unit(name, text, LIBDB_FLAGS, "")),
    ...shimSources.map((name) => unit(`shim-${name.slice(0, -2)}`, `#include "shim/${name}"\n`, SHIM_FLAGS, shimDigest)),
  ];
}

/** One digest of files and their names. */
export function filesDigest(files: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash("sha256");
  for (const [name, bytes] of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  return hash.digest("hex");
}

async function keepObject(folder: string, key: string, object: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, key);
  await writeFile(`${path}.${process.pid}`, object);
  await rename(`${path}.${process.pid}`, path);
}

async function compileUnits(
  input: CompileInput,
  units: readonly Unit[],
  onObject: (unit: Unit, object: Uint8Array) => Promise<void>,
): Promise<void> {
  // The largest first, so that no worker is left with a long unit at the end.
  const queue = [...units].sort((a, b) => b.text.length - a.text.length);
  const shim = new Map([...input.shim].map(([name, bytes]) => [`shim/${name}`, bytes]));
  const workerData: WorkerData = { source: input.source, config: input.config, shim };
  const count = Math.min(availableParallelism(), queue.length, 8);
  const workers = Array.from({ length: count }, () => new Worker(new URL("./worker.js", import.meta.url), { workerData }));
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
          await onObject(unit, await compileOn(worker, unit));
        }
      }),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function compileOn(worker: Worker, unit: Unit): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (result: JobResult) => {
      worker.off("error", reject);
      if ("object" in result) resolve(result.object);
      else reject(new Error(`${unit.name}: ${result.error}`));
    });
    worker.postMessage({ text: unit.text, flags: unit.flags } satisfies Job);
  });
}
