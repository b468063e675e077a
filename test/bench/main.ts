/**
 * `npm run bench`: our programs and the native ones side by side, in turn, in one
 * run, so that a machine that slows down slows both. Each ratio is the median
 * of those of the rounds. The exit code is 1 where one is above its limit.
 */
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Database, RecordBatch } from "berkeley-db-js";
import { nativePath } from "../support/native.ts";
import { type Measurement, measure, median } from "./measure.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = `${root}.build/bench/`;
const launcher = (name: string): string[] => [process.execPath, `${root}bin/${name}.js`];
const program = [...launcher("tsmakemap"), "--no-progress", "-C", "/dev/null"];
const LINES = 1_000_000;
const FEWER_LINES = 100_000;
const GETS = 300_000;
const USERS = 100_000;

interface Row {
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  readonly ratio: string;
  readonly limit: string;
}

const rows: Row[] = [];
let isOver = false;

function report(what: string, ours: string, theirs: string, value: number, limit: number, unit = ""): void {
  rows.push({ what, ours, theirs, ratio: `${value.toFixed(2)}${unit}`, limit: `${limit}${unit}` });
  if (value > limit) isOver = true;
}

/** The commands in turn, a warm-up first. */
async function inTurn(rounds: number, input: string, commands: readonly (readonly string[])[]): Promise<Measurement[][]> {
  const results: Measurement[][] = commands.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, command] of commands.entries()) {
      const measurement = await measure(command, input);
      if (round >= 0) results[i]?.push(measurement);
    }
    process.stderr.write(round < 0 ? "warm-up done\n" : `round ${round + 1} of ${rounds} done\n`);
  }
  return results;
}

function ratio(a: readonly Measurement[], b: readonly Measurement[], of: (m: Measurement) => number): number {
  return median(a.map((m, i) => of(m) / of(b[i] as Measurement)));
}

const seconds = (list: readonly Measurement[], of: (m: Measurement) => number): string => `${median(list.map(of)).toFixed(2)} s`;
const wall = (m: Measurement): number => m.wall;
const cpu = (m: Measurement): number => m.cpu;
const peak = (m: Measurement): number => m.peak;

async function manyLines(makemap: string, rounds: number): Promise<void> {
  const input = `${folder}million`;
  writeLines(input, LINES);
  const native = (...options: string[]): string[] => [makemap, "-C", "/dev/null", ...options, "hash", `${folder}native`];
  const [ours = [], stock = [], cached = []] = await inTurn(rounds, input, [
    [...program, "hash", `${folder}ours`],
    native(),
    native("-c", "268435456"),
  ]);
  const what = `${LINES.toLocaleString("en")} lines: `;
  report(`${what}wall time against makemap`, seconds(ours, wall), seconds(stock, wall), ratio(ours, stock, wall), 0.6);
  report(`${what}processor time against makemap -c 268435456`, seconds(ours, cpu), seconds(cached, cpu), ratio(ours, cached, cpu), 2);
  report(`${what}peak memory`, `${median(ours.map(peak)).toFixed(0)} MB`, "", Math.max(...ours.map(peak)), 300, " MB");
}

async function fewerLines(makemap: string, rounds: number): Promise<void> {
  const input = `${folder}fewer`;
  writeLines(input, FEWER_LINES);
  const [ours = [], stock = []] = await inTurn(rounds, input, [
    [...program, "hash", `${folder}ours`],
    [makemap, "-C", "/dev/null", "hash", `${folder}native`],
  ]);
  const what = `${FEWER_LINES.toLocaleString("en")} lines: wall time against makemap`;
  report(what, seconds(ours, wall), seconds(stock, wall), ratio(ours, stock, wall), 2);
}

/** Of what `manyLines` has made. */
async function dumpLines(dump: string, rounds: number): Promise<void> {
  const [ours = [], native = []] = await inTurn(rounds, "/dev/null", [
    [...launcher("tsmap"), "dump", "--show-secrets", `${folder}ours.db`],
    [dump, `${folder}ours.db`],
  ]);
  const what = `tsmap dump of ${LINES.toLocaleString("en")} records: wall time against db5.3_dump`;
  report(what, seconds(ours, wall), seconds(native, wall), ratio(ours, native, wall), 0.8);
}

/** Of the same, in this process. */
function getAtRandom(): void {
  using database = Database.open(`${folder}ours.db`, { readOnly: true, cacheSize: 256 << 20 });
  const keys = Array.from({ length: GETS }, () => {
    const n = String(Math.floor(Math.random() * LINES)).padStart(7, "0");
    return Buffer.from(`authinfo:host${n}.example.com`);
  });
  const rates = Array.from({ length: 6 }, () => {
    const start = performance.now();
    for (const key of keys) if (database.get(key) === undefined) throw new Error("a record is missing");
    return GETS / (performance.now() - start);
  });
  // The first round fills the cache.
  const rate = median(rates.slice(1));
  report(
    "gets at random through the API: microseconds each",
    `${Math.round(rate * 1000).toLocaleString("en")} a second`,
    "",
    1000 / rate,
    3.3,
    " µs",
  );
}

async function beginnings(rounds: number): Promise<void> {
  writeUsers(`${folder}user`, 1);
  const input = `${root}fixtures/authinfo/smtp-auth`;
  const [record = [], user = [], node = []] = await inTurn(rounds, input, [
    [...program, "hash", `${folder}one`],
    [...launcher("tssasldblist"), "-f", `${folder}user`],
    [process.execPath, "-e", "0"],
  ]);
  report("one record: wall time against node -e 0", seconds(record, wall), seconds(node, wall), ratio(record, node, wall), 2);
  report("tssasldblist of one user: wall time against node -e 0", seconds(user, wall), seconds(node, wall), ratio(user, node, wall), 1.8);
}

/** Of the engine, as it is published. */
function size(): void {
  const engine = readFileSync(`${root}wasm/dist/engine.wasm`);
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} KB`;
  report("engine.wasm", kilobytes(engine.length), "", engine.length / 1000, 700, " KB");
  const packed = gzipSync(engine, { level: 9 }).length;
  report("engine.wasm with gzip", kilobytes(packed), "", packed / 1000, 260, " KB");
}

/** A SASL database of so many users, each with a password and an OTP secret. */
function writeUsers(path: string, count: number): void {
  using database = Database.open(path, { type: "hash", create: true, truncate: true, cacheSize: 1 << 27 });
  const batch = new RecordBatch(1 << 20);
  const put = (name: string, value: string): void => batch.append(Buffer.from(name), Buffer.from(value));
  for (let i = 0; i < count; i++) {
    const key = `user${String(i).padStart(6, "0")}\0mail.example.com`;
    put(`${key}\0userPassword`, `secret${i}`);
    put(`${key}\0cmusaslsecretOTP`, "md5\t0499\tma1001\tf32bb8ac5977df18\t00000000000000000000");
    if (batch.count < 4096 && i + 1 < count) continue;
    database.putMany(batch);
    batch.clear();
  }
}

async function listUsers(lister: string, rounds: number): Promise<void> {
  const file = `${folder}users`;
  writeUsers(file, USERS);
  const [ours = [], native = []] = await inTurn(rounds, "/dev/null", [
    [...launcher("tssasldblist"), "-f", file],
    [lister, "-f", file],
  ]);
  const what = `${USERS.toLocaleString("en")} users: wall time against sasldblistusers2`;
  report(what, seconds(ours, wall), seconds(native, wall), ratio(ours, native, wall), 1.5);
}

async function addUser(rounds: number): Promise<void> {
  const password = `${folder}password`;
  writeFileSync(password, "secret\n");
  const add = (file: string): string[] => ["sh", "-c", 'exec "$@" "user$(date +%s%N)"', "sh", ...launcher("tssaslpasswd"), "-f", file];
  const none = `${folder}few`;
  const [many = [], first = []] = await inTurn(rounds, password, [
    add(`${folder}users`),
    ["sh", "-c", 'rm -f "$1"; shift; exec "$@"', "sh", none, ...add(none)],
  ]);
  const what = `a user more to ${USERS.toLocaleString("en")}: wall time against one to no file`;
  report(what, seconds(many, wall), seconds(first, wall), ratio(many, first, wall), 3);
}

function writeLines(path: string, count: number): void {
  const file = openSync(path, "w");
  for (let from = 0; from < count; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, i) => {
      const n = String(from + i).padStart(7, "0");
      return `AuthInfo:host${n}.example.com\t"U:root" "I:user${n}@example.com" "P:secret"\n`;
    });
    writeSync(file, lines.join(""));
  }
}

async function main(): Promise<void> {
  const makemap = nativePath("makemap");
  const lister = nativePath("sasldblistusers2");
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(`${folder}.gitignore`, "*\n");
    size();
    await beginnings(15);
    await listUsers(lister, 11);
    await addUser(11);
    await fewerLines(makemap, 7);
    await manyLines(makemap, 5);
    await dumpLines(nativePath("db5.3_dump"), 5);
    getAtRandom();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} processors`);
  console.table(rows);
  if (isOver) {
    console.log("A figure is above its limit.");
    process.exitCode = 1;
  }
}

await main();
