/**
 * A password from where it comes: a terminal, a pipe, a file, the environment.
 * It is bytes from end to end, and the caller's to overwrite.
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";
import { readSome, readSomeAsync } from "../files/read-some.ts";
import { LONGEST_PASSWORD } from "../sasldb/password.ts";
import { onSignal } from "./cleanup.ts";
import type { Output } from "./output.ts";

const NEWLINE = 0x0a;
/** One byte more than a password may have, and its newline: what does not fit is too long. */
const ROOM = LONGEST_PASSWORD + 2;

/** Why there is no password, in a sentence. */
export class PasswordInputError extends Error {}

/** A password file, as `--password-file` has it. */
export function passwordFromFile(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    return readToEnd(file);
  } finally {
    closeSync(file);
  }
}

/** Takes it out of the environment, which reports and other programs are given. */
export function passwordFromEnvironment(name: string, environment: NodeJS.ProcessEnv): Uint8Array {
  const text = environment[name];
  if (text === undefined) throw new PasswordInputError(`--password-env: the environment has no ${name}`);
  delete environment[name];
  return Buffer.from(text);
}

/** Standard input to its end, whatever pieces it comes in. */
export async function passwordFromPipe(): Promise<Uint8Array> {
  const buffer = Buffer.alloc(ROOM);
  let length = 0;
  while (length < ROOM) {
    const count = await readSomeAsync(0, buffer, length);
    if (count === 0) break;
    length += count;
  }
  return takeLine(buffer, length);
}

/** One line of a terminal, without a prompt and with its echo as it is: -p. */
export async function passwordFromLine(): Promise<Uint8Array> {
  const buffer = Buffer.alloc(ROOM);
  return takeLine(buffer, await readLine(buffer));
}

/**
 * Prompts on standard output and reads a line of the terminal without echo,
 * twice.
 * @throws {PasswordInputError | OutputError}
 *
 * The terminal's own line editing is used, with the keys that its user has
 * set, and the bytes are taken as they come: prompts that draw themselves
 * decode them, and print more than the prompt.
 */
export async function passwordTwice(output: Output): Promise<readonly [Uint8Array, Uint8Array]> {
  const echo = new Echo();
  const forget = onSignal(() => void echo.restore());
  const again = (): void => echo.offAgain();
  process.on("SIGCONT", again);
  try {
    echo.off();
    return [await ask("Password: ", output), await ask("Again (for verification): ", output)];
  } finally {
    const isRestored = echo.restore();
    process.off("SIGCONT", again);
    forget();
    if (!isRestored) hangUp();
  }
}

/** The terminal is gone, and with it whoever typed: Node would abort at its end, and leave a dump of memory. */
function hangUp(): void {
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}

async function ask(prompt: string, output: Output): Promise<Uint8Array> {
  output.write(prompt);
  await output.flush();
  const buffer = Buffer.alloc(ROOM);
  const length = await readLine(buffer);
  // The newline that is seen is the terminal's; saslpasswd has not read it where the line was too long.
  if (length > 0 && !buffer.subarray(0, Math.min(length, LONGEST_PASSWORD)).includes(NEWLINE)) output.write("\n");
  await output.flush();
  return takeLine(buffer, length);
}

const OFF = ["-echo", "echonl", "icanon"];

/** The echo of the terminal on standard input, by stty(1): Node can set a terminal raw, and nothing else. */
class Echo {
  #saved: string | undefined;

  off(): void {
    this.#saved ??= this.#stty("-g");
    this.#stty(...OFF);
  }

  /** A shell may have turned it on while the program was stopped. */
  offAgain(): void {
    if (this.#saved !== undefined) spawnSync("stty", OFF, { stdio: [0, "ignore", "ignore"] });
  }

  /** Whether it is as it was before. */
  restore(): boolean {
    if (this.#saved === undefined) return true;
    return spawnSync("stty", [this.#saved], { stdio: [0, "ignore", "ignore"] }).status === 0;
  }

  #stty(...args: string[]): string {
    const { status, stdout, error } = spawnSync("stty", args, { stdio: [0, "pipe", "ignore"], encoding: "utf8" });
    if (status !== 0) {
      const reason = error === undefined ? "" : ` (${(error as NodeJS.ErrnoException).code})`;
      throw new PasswordInputError(`stty cannot turn off the echo of the terminal${reason}: use a pipe or --password-file`);
    }
    return stdout.trim();
  }
}

/** A line of the terminal. Of one that is too long the rest is read too, so that no shell takes it for a command. */
async function readLine(buffer: Buffer): Promise<number> {
  const length = await readSomeAsync(0, buffer, 0);
  const rest = Buffer.alloc(ROOM);
  for (let end = length; end === ROOM && buffer[length - 1] !== NEWLINE; ) {
    end = await readSomeAsync(0, rest, 0);
    if (rest[end - 1] === NEWLINE) break;
  }
  rest.fill(0);
  return length;
}

function readToEnd(file: number): Uint8Array {
  const buffer = Buffer.alloc(ROOM);
  let length = 0;
  for (let count = -1; count !== 0 && length < ROOM; length += count) count = readSome(file, buffer, length);
  return takeLine(buffer, length);
}

/** What was read, without one newline at its end; the buffer is overwritten. */
function takeLine(buffer: Buffer, length: number): Uint8Array {
  const end = length > 0 && buffer[length - 1] === NEWLINE ? length - 1 : length;
  // Memory of its own: small arrays without one are moved about, and leave copies.
  const password = new Uint8Array(new ArrayBuffer(end));
  password.set(buffer.subarray(0, end));
  buffer.fill(0);
  return password;
}

export function isTerminal(): boolean {
  return isatty(0);
}
