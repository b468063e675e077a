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

const USAGE = `npm run fuzz -- [--seconds N] [--seed S] [--save] [--target NAME]… [--replay FILE]
targets: ${TARGET_NAMES.join(", ")}
`;

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

async function replay(file: string, target: string): Promise<never> {
  await (await loadTarget(target)).run(new Uint8Array(readFileSync(file)), (what) => process.stdout.write(`note: ${what}\n`));
  process.stdout.write(`${target}: nothing found\n`);
  // What the target has open would keep it.
  process.exit();
}

const targets = values.target;
const [first = ""] = targets;
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const seconds = Number(values.seconds);
const isReplay = values.replay !== undefined;
if (
  !targets.every((name) => TARGET_NAMES.includes(name)) ||
  !Number.isInteger(seed) ||
  !(seconds > 0) ||
  (isReplay && targets.length > 1)
) {
  process.stderr.write(USAGE);
  process.exit(2);
}
if (values.replay !== undefined) await replay(values.replay, first);
process.stdout.write(`fuzz: seed ${seed}, ${seconds} s each\n`);
for (const name of targets) if (!(await fuzz(name, seconds, seed))) process.exitCode = 1;
