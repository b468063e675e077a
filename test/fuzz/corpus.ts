/**
 * The corpus of a target: fixtures/fuzz/TARGET, an input to a file. A file that
 * the fuzzer has made is named by its digest; one that was put there by hand, for
 * a bug that it once was, by the bug.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../support/bytes.ts";
import { fixturesFolder } from "../support/fixtures.ts";

export interface CorpusFile {
  readonly name: string;
  readonly input: Uint8Array;
}

const MADE = /^[0-9a-f]{12}$/;

/** For an input that nobody has named. */
export function nameOfInput(input: Uint8Array): string {
  return sha256(input).slice(0, 12);
}

function folderOf(target: string): string {
  return join(fixturesFolder, "fuzz", target);
}

/** In the order of their names. */
export function readCorpus(target: string): CorpusFile[] {
  const folder = folderOf(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, input: new Uint8Array(readFileSync(join(folder, name))) }));
}

/** Of a target: what a repository can have, and a test run, without being felt. */
const MOST_BYTES = 160_000;
const MOST_FILES = 150;

/** Puts these inputs, the first ones if they are too many, in the place of those that the fuzzer has made. @returns how many there was room for. */
export function writeCorpus(target: string, inputs: readonly Uint8Array[]): number {
  const folder = folderOf(target);
  mkdirSync(folder, { recursive: true });
  const kept = readCorpus(target).filter(({ name }) => !MADE.test(name));
  for (const { name } of readCorpus(target)) if (MADE.test(name)) rmSync(join(folder, name));
  const named = new Set(kept.map(({ input }) => nameOfInput(input)));
  let size = 0;
  let count = 0;
  for (const input of inputs) {
    if (named.has(nameOfInput(input))) continue;
    if (size + input.length > MOST_BYTES || count === MOST_FILES) continue;
    size += input.length;
    writeFileSync(join(folder, nameOfInput(input)), input);
    count += 1;
  }
  return count;
}
