/**
 * One run of a program: wall time, processor time and peak memory of the
 * process itself, its start included.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";

export interface Measurement {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of processor time, the system's included, of all its threads. */
  readonly cpu: number;
  /** Megabytes (1e6 bytes), read every few milliseconds. */
  readonly peak: number;
  /** What it wrote to its standard error. */
  readonly errors: string;
}

/** How often the peak is read, in milliseconds. */
const INTERVAL = 5;

/**
 * bash tells the processor time of its child to the millisecond, and is on
 * every Debian; its own share is not counted.
 */
const SCRIPT = '"$@"; code=$?; times >&3; exit $code';

/** @throws {Error} where the program fails. */
export async function measure(command: readonly string[], inputFile: string): Promise<Measurement> {
  const input = openSync(inputFile, "r");
  const start = performance.now();
  const shell = spawn("bash", ["-c", SCRIPT, "bash", ...command], { stdio: [input, "ignore", "pipe", "pipe"] });
  closeSync(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    shell.once("error", reject);
    shell.once("exit", resolve);
  });
  const [errors, times] = [collect(shell.stderr), collect(shell.stdio[3] as Readable)];
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakOfChild(shell.pid ?? 0));
  }, INTERVAL);
  const code = await ended;
  const wall = (performance.now() - start) / 1000;
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}: ${await errors}`);
  return { wall, cpu: childSeconds(await times), peak, errors: await errors };
}

async function collect(stream: Readable | null): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** The second line of `times`: what the children took, user and system. */
function childSeconds(times: string): number {
  const fields = (times.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g);
  return Array.from(fields, ([, minutes, seconds]) => 60 * Number(minutes) + Number(seconds)).reduce((a, b) => a + b, 0);
}

function peakOfChild(shell: number): number {
  try {
    const child = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").trim().split(" ")[0];
    const peak = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${child}/status`, "utf8"))?.[1];
    return (Number(peak ?? 0) * 1024) / 1e6;
  } catch {
    return 0; // not begun yet, or over
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
