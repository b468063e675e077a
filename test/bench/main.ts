/**
 * `npm run bench`: our programs and the native ones side by side, in turn, in
 * one run, so that a machine that slows down slows both. The exit code is 1
 * where a figure is not what it is to be.
 *
 * -- --large adds what takes half an hour and 5 GB of disk, ten million lines;
 * -- --growth draws bench/growth.svg, in five minutes and with as much disk;
 * -- --record puts the table into bench/results.md.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { nativePath } from "../support/native.ts";
import { drawGrowth, measureGrowth } from "./growth.ts";
import { writeLines, writeUsers } from "./inputs.ts";
import { type Measurement, measure, median } from "./measure.ts";
import { compileNative, nativeGet, ourGet } from "./random-get.ts";
import { cpu, peak, Report, wall } from "./report.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = `${root}.build/bench/`;
const records = `${root}bench/`;
const launcher = (name: string): string[] => [process.execPath, `${root}bin/${name}.js`];
const tsmakemap = [...launcher("tsmakemap"), "--no-progress", "-C", "/dev/null", "hash"];
/** Stock, or with a cache as large as the file. */
const makemap = (...options: string[]): string[] => [nativePath("makemap"), "-C", "/dev/null", ...options, "hash"];
const USERS = 100_000;
/** Of an input that is longer no warm-up is made. */
const NEEDS_NONE = 1e8;
/** libdb has a header for each page, and a table of them. */
const CACHE_OVERHEAD = 1.03;

const report = new Report();

/** The commands in turn. What takes minutes needs no warm-up. */
async function inTurn(rounds: number, input: string, ...commands: readonly (readonly string[])[]): Promise<Measurement[][]> {
  const results: Measurement[][] = commands.map(() => []);
  for (let round = statSync(input).size > NEEDS_NONE ? 0 : -1; round < rounds; round++) {
    for (const [i, command] of commands.entries()) {
      const measurement = await measure(command, input);
      if (round >= 0) results[i]?.push(measurement);
    }
    process.stderr.write(round < 0 ? "warm-up done\n" : `round ${round + 1} of ${rounds} done\n`);
  }
  return results;
}

/** @param goal the most that the wall time is to be of that of stock makemap. */
async function mapLines(lines: number, rounds: number, goal: number): Promise<void> {
  const input = `${folder}lines`;
  writeLines(input, lines);
  const [ours = [], stock = [], cached = []] = await inTurn(
    rounds,
    input,
    [...tsmakemap, `${folder}ours`],
    [...makemap(), `${folder}native`],
    [...makemap("-c", "2147483647"), `${folder}native`],
  );
  const what = `${lines.toLocaleString("en")} lines: `;
  report.compare(`${what}wall time against makemap`, wall, ours, stock, goal);
  if (lines < 1e6) return;
  report.compare(`${what}processor time against makemap -c 2147483647`, cpu, ours, cached, 1.4);
  const cache = (statSync(`${folder}ours.db`).size / 1e6) * CACHE_OVERHEAD;
  const most = Math.max(...ours.map(peak));
  // Of a large map many pages are not written to yet: the cache has less than the file.
  const beyond = Math.max(0, most - cache);
  report.add({ what: `${what}peak memory beyond the cache`, ours: `${most.toFixed(0)} MB`, figure: beyond, unit: "MB", most: 200 });
}

/** Of the map of a million lines. */
async function dumpLines(): Promise<void> {
  const [ours = [], native = []] = await inTurn(
    5,
    "/dev/null",
    [...launcher("tsmap"), "dump", "--show-secrets", `${folder}ours.db`],
    [nativePath("db5.3_dump"), `${folder}ours.db`],
  );
  report.compare("`tsmap dump` of it: wall time against db5.3_dump", wall, ours, native, 0.8);
}

/** Of the same. */
function getAtRandom(lines: number): void {
  const [file, program] = [`${folder}ours.db`, `${folder}random-get`];
  compileNative(`${root}test/bench/random-get.c`, program);
  const pairs = Array.from({ length: 5 }, () => [ourGet(file, lines), nativeGet(program, file, lines)]);
  const [ours, theirs] = [median(pairs.map(([a = 0]) => a)), median(pairs.map(([, b = 0]) => b))];
  const rate = (microseconds: number): string => `${Math.round(1e6 / microseconds).toLocaleString("en")} a second`;
  report.add({ what: "gets at random through the API", ours: rate(ours), figure: 1e6 / ours, unit: "a second", least: 300_000 });
  report.add({
    what: "the same: time against libdb in C",
    ours: `${ours.toFixed(2)} µs`,
    theirs: `${theirs.toFixed(2)} µs`,
    figure: median(pairs.map(([a = 0, b = 1]) => a / b)),
    most: 2,
  });
}

async function beginnings(): Promise<void> {
  writeUsers(`${folder}user`, 1);
  const [record = [], user = [], node = []] = await inTurn(
    15,
    `${root}fixtures/authinfo/smtp-auth`,
    [...tsmakemap, `${folder}one`],
    [...launcher("tssasldblist"), "-f", `${folder}user`],
    [process.execPath, "-e", "0"],
  );
  report.compare("one record: wall time against `node -e 0`", wall, record, node, 1.8);
  report.compare("`tssasldblist` of one user: wall time against `node -e 0`", wall, user, node, 1.8);
}

/** Without use: what a program pays for naming it. Nobody looks at it meanwhile: that costs as much as a part of this. */
function imports(): void {
  for (const name of ["tsmakemap", "berkeley-db-js"]) {
    const code = `const start = performance.now(); await import("${name}"); console.log(performance.now() - start);`;
    const times: number[] = [];
    for (let round = 0; round < 31; round++) {
      const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: root, encoding: "utf8" });
      times.push(Number(stdout));
    }
    report.add({
      what: `import of ${name} without use`,
      ours: `${median(times).toFixed(1)} ms`,
      figure: median(times),
      unit: "ms",
      most: 15,
    });
  }
}

/** Of the engine, as it is published. */
function size(): void {
  const engine = readFileSync(`${root}wasm/dist/engine.wasm`);
  const add = (what: string, bytes: number, most: number): void =>
    report.add({ what, ours: `${(bytes / 1000).toFixed(0)} KB`, figure: bytes / 1000, unit: "KB", most });
  add("engine.wasm", engine.length, 700);
  add("engine.wasm with gzip", gzipSync(engine, { level: 9 }).length, 260);
}

async function listUsers(): Promise<void> {
  const file = `${folder}users`;
  writeUsers(file, USERS);
  const [ours = [], native = []] = await inTurn(
    11,
    "/dev/null",
    [...launcher("tssasldblist"), "-f", file],
    [nativePath("sasldblistusers2"), "-f", file],
  );
  report.compare(`\`tssasldblist\` of ${USERS.toLocaleString("en")} users: wall time against sasldblistusers2`, wall, ours, native, 1);
}

async function addUser(): Promise<void> {
  const password = `${folder}password`;
  writeFileSync(password, "secret\n");
  const add = (file: string): string[] => ["sh", "-c", 'exec "$@" "user$(date +%s%N)"', "sh", ...launcher("tssaslpasswd"), "-f", file];
  const none = `${folder}few`;
  const [many = [], first = []] = await inTurn(11, password, add(`${folder}users`), [
    "sh",
    "-c",
    'rm -f "$1"; shift; exec "$@"',
    "sh",
    none,
    ...add(none),
  ]);
  const what = `\`tssaslpasswd\`: a user more to ${USERS.toLocaleString("en")}: wall time against one to no file`;
  report.compare(what, wall, many, first, 3);
}

async function growth(): Promise<void> {
  const programs = [
    { name: "tsmakemap", command: [...tsmakemap, `${folder}ours`] },
    { name: "makemap", command: [...makemap(), `${folder}native`] },
    { name: "makemap -c 2147483647", command: [...makemap("-c", "2147483647"), `${folder}native`] },
  ];
  const points = await measureGrowth(programs, `${folder}lines`, ({ lines, best }) => {
    for (const [name, { wall, peak }] of best) {
      console.log(`${lines.toLocaleString("en")} lines, ${name}: ${wall.toFixed(2)} s, ${peak.toFixed(0)} MB`);
    }
  });
  const names = programs.map(({ name }) => name);
  writeFileSync(`${records}growth.svg`, drawGrowth(points, names));
}

async function rows(isLarge: boolean): Promise<void> {
  size();
  imports();
  await beginnings();
  await listUsers();
  await addUser();
  await mapLines(100_000, 7, 2);
  await mapLines(1_000_000, 5, 0.35);
  await dumpLines();
  getAtRandom(1_000_000);
  if (isLarge) await mapLines(10_000_000, 5, 0.2);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { large: { type: "boolean" }, growth: { type: "boolean" }, record: { type: "boolean" } } });
  for (const path of [folder, records]) mkdirSync(path, { recursive: true });
  try {
    if (values.growth) return await growth();
    await rows(values.large ?? false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const table = report.toMarkdown();
  console.log(table);
  if (values.record) writeFileSync(`${records}results.md`, `# Results of \`npm run bench\`\n\n${table}`);
  for (const { what } of report.missed) console.log(`not what it is to be: ${what}`);
  if (report.missed.length > 0) process.exitCode = 1;
}

await main();
