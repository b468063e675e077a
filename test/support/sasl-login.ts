/**
 * Logs in for real: Cyrus SASL's sample server reads a sasldb, its sample
 * client answers, and each line of the one is handed to the other.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { type NativeTool, nativePath } from "./native.ts";

export const MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OTP"] as const;
export type Mechanism = (typeof MECHANISMS)[number];

/** What `needs` has to be asked for. */
export function loginTools(mechanisms: readonly Mechanism[]): NativeTool[] {
  const tools: NativeTool[] = ["sasl-sample-server", "sasl-sample-client", "stdbuf", "sasl plugins", "sasl sasldb plugin"];
  return mechanisms.includes("OTP") ? [...tools, "sasl otp plugin"] : tools;
}

interface LoginServer {
  /** The name that it takes itself to have; default the host's. */
  readonly fqdn?: string;
  /** The realm of names without one; default the server's name. */
  readonly userRealm?: string;
  /** The user that it runs as; only root can be another. */
  readonly uid?: number;
  /** Lines of sample.conf that come first, and so instead of those made here. */
  readonly configuration?: readonly string[];
}

export interface Login {
  /** The path of the sasldb. */
  readonly database: string;
  readonly mechanism: Mechanism;
  readonly login: string;
  /** In UTF-8; no newline and no NUL, which the client cannot read. */
  readonly password: string;
  readonly server: LoginServer;
}

export interface Answer {
  readonly ok: boolean;
  /** The code of the SASL library, 0 for success; undefined where what was said stands for none. */
  readonly code: number | undefined;
  /** Who ended it. */
  readonly by: "server" | "client";
  /** The user as the server knows it, where it let in. */
  readonly user: string | undefined;
  /** What that program said last, without its name; empty where it let in. */
  readonly error: string;
  /** Everything that the two said on standard error: the reasons are in what the server logs. */
  readonly detail: string;
}

/** What sasl_errstring() says for each code of sasl.h. */
const CODES: ReadonlyMap<string, number> = new Map([
  ["needs user interaction", 2],
  ["successful result", 0],
  ["generic failure", -1],
  ["no memory available", -2],
  ["overflowed buffer", -3],
  ["no mechanism available", -4],
  ["bad protocol / cancel", -5],
  ["can't request information until later in exchange", -6],
  ["invalid parameter supplied", -7],
  ["transient failure (e.g., weak key)", -8],
  ["integrity check failed", -9],
  ["server failed mutual authentication step", -10],
  ["mechanism doesn't support requested feature", -11],
  ["SASL library is not initialized", -12],
  ["authentication failure", -13],
  ["authorization failure", -14],
  ["mechanism too weak for this user", -15],
  ["encryption needed to use mechanism", -16],
  ["One time use of a plaintext password will enable requested mechanism for user", -17],
  ["passphrase expired, has to be reset", -18],
  ["account disabled", -19],
  ["user not found", -20],
  ["version mismatch with plug-in", -23],
  ["remote authentication server unavailable", -24],
  ["user exists, but no verifier for user", -26],
  ["error when parsing configuration file", -100],
]);

/** Longer than the 10 s that a server waits for the lock of an OTP. */
const TIME_LIMIT = 20_000;
/** For what is to end by itself: a server that is killed leaves the lock of an OTP. */
const GRACE = 3_000;

const PROMPT = "Password: ";

/** One side: each gives its messages, in base64, to the other. */
interface Side {
  readonly errors: string;
  /** What it said last, and not in its log. */
  readonly lastError: string;
  readonly complete: boolean;
  readonly running: boolean;
  readonly ended: Promise<void>;
  onMessage(listener: (message: string) => void): void;
  receive(message: string): void;
  /** No more will come. */
  hangUp(): void;
  kill(): void;
}

/** One of the sample programs. */
class Program implements Side {
  readonly #name: NativeTool;
  readonly #mark: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #listener: (message: string) => void = () => {};
  #stderr = "";
  #signal: NodeJS.Signals | null = null;
  #prompts = 0;
  complete = false;
  user: string | undefined;
  running = true;
  readonly ended: Promise<void>;

  /** @param password for each prompt. */
  constructor(name: NativeTool, args: readonly string[], folder: string, uid?: number, password?: string) {
    this.#name = name;
    this.#mark = name === "sasl-sample-server" ? "S: " : "C: ";
    // Into a pipe they would keep their lines back.
    this.#child = spawn(nativePath("stdbuf"), ["-oL", nativePath(name), ...args], {
      cwd: "/",
      // Detached it has no terminal: getpass() then reads standard input.
      detached: true,
      env: { PATH: process.env["PATH"], LC_ALL: "C", SASL_CONF_PATH: folder },
      stdio: ["pipe", "pipe", "pipe"],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (_, signal) => {
        this.running = false;
        this.#signal = signal;
        resolve();
      });
    });
    this.ended.catch(() => {});
    // One that has ended reads no more: what it said is what counts.
    this.#child.stdin.on("error", () => {});
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#read(line));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      if (password === undefined) return;
      for (; this.#stderr.split(PROMPT).length - 1 > this.#prompts; this.#prompts++) this.#child.stdin.write(`${password}\n`);
    });
  }

  #read(line: string): void {
    if (line.startsWith(this.#mark)) this.#listener(line.slice(this.#mark.length));
    else if (line === "Negotiation complete") this.complete = true;
    else if (line.startsWith("Username: ")) this.user = line.slice("Username: ".length);
  }

  get errors(): string {
    return this.#stderr.replaceAll(PROMPT, "");
  }

  get lastError(): string {
    if (this.#signal !== null) return `ended by ${this.#signal}`;
    const start = `${this.#name}: `;
    const lines = this.errors.split("\n").filter((line) => line.startsWith(start) && !line.startsWith(`${start}SASL `));
    return (lines.at(-1) ?? "").slice(start.length);
  }

  onMessage(listener: (message: string) => void): void {
    this.#listener = listener;
  }

  receive(message: string): void {
    this.#child.stdin.write(`${this.#mark === "S: " ? "C: " : "S: "}${message}\n`);
  }

  /** Where it waits for a line it fails, and undoes what it has to. */
  hangUp(): void {
    this.#child.stdin.end();
  }

  kill(): void {
    if (this.running) this.#child.kill("SIGKILL");
  }
}

/** Four digits: a client would count down from anything. */
const OTP_CHALLENGE = /^otp-(md5|sha1) (\d{1,4}) ([0-9A-Za-z]{1,16}) ext/;
/** Below it clients of Cyrus SASL begin anew, at 499 and with another seed. */
const REINITIALIZE = 490;

/** RFC 2289, in hex: the hash of seed and password, hashed again so many times. */
export function oneTimePassword(algorithm: "md5" | "sha1", sequence: number, seed: string, password: string): string {
  let value: Uint8Array = Buffer.from(seed + password);
  for (let n = 0; n <= sequence; n++) {
    const digest = createHash(algorithm).update(value).digest();
    const folded = Buffer.from(digest.subarray(0, 8));
    digest.subarray(8).forEach((byte, i) => {
      folded[i % 8] = (folded[i % 8] as number) ^ byte;
    });
    value = algorithm === "sha1" ? folded.swap32() : folded;
  }
  return Buffer.from(value).toString("hex");
}

/**
 * A client of OTP (RFC 2444): the sample client is of no use for that, since
 * its prompt refuses to be called without a place for a length, as the plugin
 * calls it.
 */
class OtpClient implements Side {
  readonly #login: Login;
  #listener: (message: string) => void = () => {};
  #received = 0;
  #end: () => void = () => {};
  errors = "";
  lastError = "";
  complete = false;
  running = true;
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });

  constructor(login: Login) {
    this.#login = login;
  }

  onMessage(listener: (message: string) => void): void {
    this.#listener = listener;
  }

  receive(message: string): void {
    this.#received++;
    // First the names of the mechanisms, then the challenge, then what comes after success.
    if (this.#received === 1) this.#send(`OTP\0\0${this.#login.login}`);
    else if (this.#received === 2) this.#answer(Buffer.from(message, "base64").toString());
    else this.hangUp();
  }

  #answer(challenge: string): void {
    const [, algorithm, number, seed] = OTP_CHALLENGE.exec(challenge) ?? [];
    if (seed === undefined || (algorithm !== "md5" && algorithm !== "sha1")) {
      this.lastError = `unusable challenge ${challenge}`;
      this.errors = `${this.lastError}\n`;
      return this.hangUp();
    }
    const { password } = this.#login;
    const sequence = Number(number);
    const response = oneTimePassword(algorithm, sequence, seed.toLowerCase(), password);
    this.complete = true;
    if (sequence >= REINITIALIZE) return this.#send(`hex:${response}`);
    const newSeed = `xx${randomInt(1, 10_000)}`;
    this.#send(`init-hex:${response}:${algorithm} 499 ${newSeed}:${oneTimePassword(algorithm, 499, newSeed, password)}`);
  }

  #send(text: string): void {
    this.#listener(Buffer.from(text).toString("base64"));
  }

  hangUp(): void {
    this.running = false;
    this.#end();
  }

  kill(): void {
    this.hangUp();
  }
}

/** `what: what the library says for the code`, which the server says again in brackets. */
function codeOf(error: string): number | undefined {
  const text = error.slice(error.indexOf(": ") + 2);
  for (const [known, code] of CODES) if (text === known || text === `${known} (${known})`) return code;
  return undefined;
}

async function within(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function writeConfiguration(folder: string, { database, server }: Login): void {
  const lines = [
    ...(server.configuration ?? []),
    "pwcheck_method: auxprop",
    "auxprop_plugin: sasldb",
    `sasldb_path: ${database}`,
    `mech_list: ${MECHANISMS.join(" ")}`,
  ];
  writeFileSync(join(folder, "sample.conf"), lines.map((line) => `${line}\n`).join(""));
  // For a server that is another user.
  chmodSync(folder, 0o755);
  chmodSync(join(folder, "sample.conf"), 0o644);
}

/** No security layer: it would need ciphers that the machine may not have. */
function commonArguments(login: Login): string[] {
  return ["-b", "min=0,max=0", "-s", "smtp", "-m", login.mechanism];
}

function startServer(login: Login, folder: string): Program {
  const { fqdn, userRealm, uid } = login.server;
  const names = [...(fqdn === undefined ? [] : ["-d", fqdn]), ...(userRealm === undefined ? [] : ["-u", userRealm])];
  return new Program("sasl-sample-server", [...commonArguments(login), ...names], folder, uid);
}

function startClient(login: Login, folder: string): Side {
  const { mechanism, password, server } = login;
  if (mechanism === "OTP") return new OtpClient(login);
  const names = ["-n", server.fqdn ?? hostname(), "-u", "", "-a", login.login];
  return new Program("sasl-sample-client", [...commonArguments(login), ...names], folder, undefined, password);
}

/**
 * Logs in, and ends both programs.
 * @throws {Error} where they do not come to an end by themselves.
 */
export async function logIn(login: Login): Promise<Answer> {
  if (/[\n\0]/.test(login.password)) throw new Error("the sample client reads no newline and no NUL");
  const folder = mkdtempSync(join(tmpdir(), `tsmakemap-sasl-${process.pid}-`));
  const sides: Side[] = [];
  const detail = (): string => sides.map(({ errors }) => errors).join("");
  try {
    writeConfiguration(folder, login);
    const client = startClient(login, folder);
    sides.push(client);
    const server = startServer(login, folder);
    sides.push(server);
    client.onMessage((message) => server.receive(message));
    server.onMessage((message) => client.receive(message));

    const first = Promise.race([client.ended, server.ended]);
    if (!(await within(TIME_LIMIT, first))) throw new Error(`${login.mechanism}: no end in ${TIME_LIMIT} ms: ${detail()}`);
    const serverWasFirst = !server.running;
    for (const side of sides) side.hangUp();
    if (!(await within(GRACE, Promise.all([client.ended, server.ended])))) throw new Error(`${login.mechanism}: one hangs: ${detail()}`);

    if (server.complete && client.complete) return { ok: true, code: 0, by: "server", user: server.user, error: "", detail: detail() };
    const by = serverWasFirst && !server.complete ? "server" : "client";
    const { lastError } = by === "server" ? server : client;
    return { ok: false, code: codeOf(lastError), by, user: undefined, error: lastError, detail: detail() };
  } finally {
    for (const side of sides) side.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
