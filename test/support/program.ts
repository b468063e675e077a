/**
 * Runs a program as a user's shell would: with a user, a umask, a folder, an
 * environment and bytes on standard input, and keeps what it answers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { getegid, geteuid } from "node:process";
import { rootFolder } from "./fixtures.ts";

/** The launcher of one of our programs. */
export function launcherOf(name: string): string {
  return `${rootFolder}bin/${name}.js`;
}

export const launcher: string = launcherOf("tsmakemap");

/** The user of the tests that are no matter of root. */
export const NOBODY = 65534;

export const isRoot: boolean = geteuid?.() === 0;

export interface Outcome {
  /** Null where a signal ended it. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  /** One byte, one character. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The name that the program is told it has. */
  readonly argv0?: string | undefined;
  /** User and group; only root can be another. */
  readonly uid?: number | undefined;
  readonly umask?: number;
  /** Besides PATH, HOME and the C locale. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input: bytes through a pipe (the default: none), in these chunks, or an open file. */
  readonly input?: string | Uint8Array | Iterable<Uint8Array> | { readonly fd: number };
  /** Called when it runs. */
  readonly onSpawn?: (child: ChildProcess) => void;
  /** Milliseconds; default a minute. It is killed then. */
  readonly timeout?: number;
}

/** Starts it: `spawn` forks at once, so that the umask is that of the child alone. */
function start(command: string, args: readonly string[], options: RunOptions): ChildProcess {
  const before = options.umask === undefined ? undefined : process.umask(options.umask);
  try {
    return spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined || options.uid === geteuid?.() ? {} : { uid: options.uid, gid: options.uid }),
      ...(options.argv0 === undefined ? {} : { argv0: options.argv0 }),
      env: { PATH: process.env["PATH"], HOME: "/", LC_ALL: "C", ...options.env },
      stdio: [isFile(options.input) ? options.input.fd : "pipe", "pipe", "pipe"],
      timeout: options.timeout ?? 60_000,
      killSignal: "SIGKILL",
    });
  } finally {
    if (before !== undefined) process.umask(before);
  }
}

function isFile(input: RunOptions["input"]): input is { readonly fd: number } {
  return typeof input === "object" && "fd" in input;
}

export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(command, args, options);
  const { input = "" } = options;
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("no pipes");
  const output: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  stdout.on("data", (chunk: Buffer) => output.stdout.push(chunk));
  stderr.on("data", (chunk: Buffer) => output.stderr.push(chunk));
  options.onSpawn?.(child);
  if (!isFile(input) && child.stdin !== null) feed(child.stdin, input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit, signal) =>
      resolve({
        exit,
        signal,
        stdout: Buffer.concat(output.stdout).toString("latin1"),
        stderr: Buffer.concat(output.stderr).toString("latin1"),
      }),
    );
  });
}

/** A program that ends before it has read everything is no error of the test. */
function feed(stdin: NodeJS.WritableStream, input: string | Uint8Array | Iterable<Uint8Array>): void {
  stdin.on("error", () => {});
  if (typeof input === "string") stdin.end(Buffer.from(input, "latin1"));
  else if (input instanceof Uint8Array) stdin.end(input);
  else {
    const chunks = input[Symbol.iterator]();
    const next = (): void => {
      const chunk = chunks.next();
      if (chunk.done === true) stdin.end();
      // The next turn: so that chunks are written, and read, one by one.
      else stdin.write(chunk.value, (error) => (error == null ? setImmediate(next) : undefined));
    };
    next();
  }
}

/** tsmakemap, or the launcher under another name. */
export function tsmakemap(args: readonly string[], options: RunOptions & { readonly program?: string } = {}): Promise<Outcome> {
  return run(process.execPath, [options.program ?? launcher, ...args], options);
}

let nobodyReaches: Promise<boolean> | undefined;

/** Why a test cannot run something as a user that is not root; undefined where it can. As no root it runs as the user that it is. */
export async function whyNoOrdinaryUser(): Promise<string | undefined> {
  if (!isRoot) return undefined;
  nobodyReaches ??= tsmakemap(["-l"], { uid: NOBODY }).then(
    ({ exit }) => exit === 0,
    () => false,
  );
  return (await nobodyReaches)
    ? undefined
    : `uid ${NOBODY} may not read ${rootFolder}, or node: run the tests where it can, or not as root`;
}

/** The user for what is no matter of root: not root, whoever runs the tests. */
export const ordinaryUser: { readonly uid: number; readonly gid: number } = isRoot
  ? { uid: NOBODY, gid: NOBODY }
  : { uid: geteuid?.() ?? 0, gid: getegid?.() ?? 0 };
