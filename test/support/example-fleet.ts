/**
 * Copies of the fleets of examples/, in folders of the tests' own, to be built
 * and to be spoilt.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rootFolder } from "./fixtures.ts";
import { type Outcome, run } from "./program.ts";

export const EXAMPLES: string = `${rootFolder}examples/`;

/** Copies the examples, or a part of them, without what was built of them. */
export function copyExamples(target: string, part = ""): void {
  const isBuilt = (path: string): boolean => ["artifacts", ".artifacts.sets"].includes(basename(path));
  cpSync(`${EXAMPLES}${part}`, target, { recursive: true, filter: (path) => !isBuilt(path) });
}

/** Changes a text. @throws {Error} where what is to be changed is not there, or there more than once. */
export function edit(folder: string, file: string, from: string, to: string): void {
  const path = join(folder, file);
  const parts = readFileSync(path, "utf8").split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${JSON.stringify(from)} ${parts.length - 1} times`);
  writeFileSync(path, parts.join(to));
}

export type Answer = Pick<Outcome, "stdout" | "stderr"> & { readonly exit: number };

/** Runs many command lines of tsmap in one process. */
export async function tsmapBatch(folder: string, lines: readonly (readonly string[])[], env: NodeJS.ProcessEnv = {}): Promise<Answer[]> {
  const child = fileURLToPath(new URL("tsmap-batch.child.js", import.meta.url));
  const { exit, stdout, stderr } = await run(process.execPath, [child], {
    cwd: folder,
    env,
    input: JSON.stringify(lines),
    timeout: 300_000,
  });
  if (exit !== 0 || stderr !== "") throw new Error(`tsmap-batch: ${exit}: ${stderr}`);
  return JSON.parse(Buffer.from(stdout, "latin1").toString()) as Answer[];
}
