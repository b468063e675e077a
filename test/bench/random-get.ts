/**
 * Gets at random through the API of berkeley-db-js, and through that of libdb.
 */
import { spawnSync } from "node:child_process";
import { Database } from "berkeley-db-js";
import { keyOf } from "./inputs.ts";
import { median } from "./measure.ts";

const GETS = 300_000;
const ROUNDS = 6;
const CACHE = 256 << 20;

/** Microseconds that a get takes here. The first round fills the cache, and does not count. */
export function ourGet(file: string, lines: number): number {
  using database = Database.open(file, { readOnly: true, cacheSize: CACHE });
  const keys = keyNumbers(lines).map((n) => Buffer.from(keyOf(n)));
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    for (const key of keys) if (database.get(key) === undefined) throw new Error("a record is missing");
    return ((performance.now() - start) * 1000) / GETS;
  });
  return median(rounds.slice(1));
}

/** @throws {Error} where random-get.c cannot be compiled. */
export function compileNative(source: string, program: string): void {
  const { status, stderr } = spawnSync("cc", ["-O2", "-o", program, source, "-ldb-5.3"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`random-get.c needs a C compiler and libdb (Debian packages gcc and libdb5.3-dev)\n${stderr ?? ""}`);
}

/** Microseconds that a get takes in C. The first round does not count either. */
export function nativeGet(program: string, file: string, lines: number): number {
  const { status, stdout } = spawnSync(program, [file, String(lines), String(GETS), String(ROUNDS)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: exit code ${status}`);
  return median(stdout.trim().split("\n").slice(1).map(Number));
}

/** The numbers of random-get.c. */
function keyNumbers(lines: number): number[] {
  let state = 1;
  return Array.from({ length: GETS }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state * lines) / 2 ** 32);
  });
}
