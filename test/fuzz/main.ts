/**
 * `npm run fuzz -- [--seconds N] [--target NAME] [--seed S] [--save]`: fuzzes one
 * target after another, a line for each; ends with 1 where something was found.
 * `--replay FILE --target NAME` runs one input again.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { rootFolder } from "../support/fixtures.ts";
import { nameOfInput } from "./corpus.ts";
import { loadTarget, TARGET_NAMES } from "./targets.ts";
import { runTask } from "./thread.ts";

const FINDINGS = join(rootFolder, ".build", "fuzz");

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    target: { type: "string", multiple: true, default: [...TARGET_NAMES] },
    seed: { type: "string" },
    save: { type: "boolean", default: false },
    replay: { type: "string" },
  },
});

/** @returns whether nothing was found. */
async function fuzz(target: string, seconds: number, seed: number): Promise<boolean> {
  const start = performance.now();
  const line = (text: string): string =>
    `${target.padEnd(15)} ${String(Math.round((performance.now() - start) / 1000)).padStart(5)} s  ${text}`;
  const show = (text: string): void => void (process.stdout.isTTY && process.stdout.write(`\r\x1b[K${line(text)}`));
  const result = await runTask({ target, seed, seconds, isSaved: values.save }, ({ runs, corpus, reached }) =>
    show(`${runs} runs, corpus of ${corpus}, ${reached} reached`),
  );
  const { runs, corpus, reached, saved } = result.progress;
  const counts = `${String(runs).padStart(8)} runs  ${String(reached).padStart(5)} reached  corpus of ${corpus}${saved === undefined ? "" : `, ${saved} saved`}`;
  process.stdout.write(`${process.stdout.isTTY ? "\r\x1b[K" : ""}${line(counts)}  ${result.kind === "end" ? "nothing found" : "FOUND"}\n`);
  if (result.kind === "end") return true;
  mkdirSync(FINDINGS, { recursive: true });
  const file = join(FINDINGS, `${target}-${nameOfInput(result.input)}`);
  writeFileSync(file, result.input);
  const path = relative(process.cwd(), file);
  process.stdout.write(
    `${result.message.replace(/^/gm, "    ")}\n    input: ${path}\n    again: npm run fuzz -- --target ${target} --replay ${path}\n`,
  );
  return false;
}

async function replay(file: string, [name = "", ...more]: readonly string[]): Promise<void> {
  if (more.length > 0) throw new Error("--replay: --target says of which target the input is");
  await (await loadTarget(name)).run(new Uint8Array(readFileSync(file)), (what) => process.stdout.write(`note: ${what}\n`));
  process.stdout.write(`${name}: nothing found\n`);
  process.exit();
}

if (values.replay !== undefined) await replay(values.replay, values.target);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const seconds = Number(values.seconds);
if (!Number.isInteger(seed) || !(seconds > 0)) throw new Error("--seed is a whole number, --seconds a number");
process.stdout.write(`fuzz: seed ${seed}, ${seconds} s each\n`);
for (const name of values.target) {
  await loadTarget(name);
  if (!(await fuzz(name, seconds, seed))) process.exitCode = 1;
}
