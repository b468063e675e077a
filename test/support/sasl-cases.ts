/**
 * The recorded runs of saslpasswd2 and sasldblistusers2 (fixtures/cases), how
 * one is set up, run by a program, and how what came of it is put so that it
 * can be compared.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import * as fs from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BerkeleyDBError, Database, type OpenOptions } from "berkeley-db-js";
import { fixturesFolder, rootFolder } from "./fixtures.ts";
import { nativePath } from "./native.ts";
import { isRoot, NOBODY } from "./program.ts";

interface Piece {
  readonly hex: string;
  readonly times: number;
}

export type Bytes = { readonly hex: string } | { readonly pieces: readonly Piece[] };

/** What cannot be recorded as it is, since it is new with every run. */
export type Compare =
  | { readonly kind: "otp"; readonly alg: string; readonly seq: number; readonly seed_prefix: string; readonly password_hex: string }
  | { readonly kind: "scram"; readonly mech: string; readonly iterations: number; readonly password_hex: string };

export interface SaslRecord {
  /** Parts, joined by NUL. */
  readonly key: readonly (string | Piece)[];
  readonly value_hex?: string;
  readonly value_pieces?: readonly Piece[];
  readonly value_text?: string;
  readonly compare?: Compare;
  readonly value_sample?: string;
}

export type SetupStep =
  | {
      readonly op: "load";
      readonly path: string;
      readonly type: "hash" | "btree";
      readonly records: readonly SaslRecord[];
      readonly options?: Pick<OpenOptions, "byteOrder" | "pageSize" | "duplicates">;
    }
  | { readonly op: "write"; readonly path: string; readonly content: Bytes }
  /** A file of fixtures/db or fixtures/corrupt. */
  | { readonly op: "fixture"; readonly path: string; readonly name: string }
  | { readonly op: "truncate"; readonly path: string; readonly size: number }
  | { readonly op: "mkdir"; readonly path: string }
  | { readonly op: "chmod"; readonly path: string; readonly mode: string }
  | { readonly op: "symlink"; readonly path: string; readonly target: string };

export type Stdin =
  | { readonly kind: "pipe"; readonly writes: readonly Bytes[]; readonly delay_ms?: number }
  | { readonly kind: "tty"; readonly writes: readonly Bytes[] }
  | { readonly kind: "closed" };

export interface Expectation {
  readonly exit: number | null;
  readonly signal?: number;
  readonly never_terminates?: true;
  readonly stdout?: string;
  readonly stdout_hex?: string;
  readonly stderr?: string;
  readonly stderr_regex?: string;
  readonly tty_echo?: string;
  readonly db_file: { readonly mode: string; readonly size: number } | null;
  readonly db_after: readonly SaslRecord[] | null | typeof NO_DATABASE;
  /** What else is in {D} that was not there before. */
  readonly other_files?: readonly string[];
}

export interface SaslCase {
  readonly id: string;
  readonly group: string;
  readonly description: string;
  readonly program: "saslpasswd2" | "sasldblistusers2" | "sasldbconverter2";
  readonly argv0: string;
  readonly args: readonly string[];
  readonly setup: readonly SetupStep[];
  readonly context: {
    readonly hostname: string;
    readonly plugins: "default" | "otp" | "dbonly" | "none";
    readonly umask: string;
    readonly run_as: "root" | "unprivileged";
    readonly config?: Readonly<Record<string, string>>;
    readonly env?: Readonly<Record<string, string>>;
  };
  readonly stdin: Stdin;
  readonly expect: Expectation;
  readonly nondeterministic?: readonly string[];
  readonly note?: string;
}

/** A case before its run is recorded. */
export type UnrecordedCase = Omit<SaslCase, "expect"> & { readonly expect?: Expectation };

const NO_DATABASE = "not a hash database";

/** @param name "sasl" or "sasl-more". */
export function readCases(name: string): readonly SaslCase[] {
  return (JSON.parse(fs.readFileSync(`${fixturesFolder}cases/${name}.json`, "utf8")) as { cases: SaslCase[] }).cases;
}

/** What a run came to; one byte, one character. */
export interface Observed {
  /** "endless" where it had to be killed. */
  readonly exit: number | NodeJS.Signals | "endless";
  readonly stdout: string | RegExp;
  readonly stderr: string | RegExp;
  readonly ttyEcho?: string;
  readonly file: { readonly mode: string; readonly size: number } | null;
  /** [hex key, hex value], in the order of the file; for what is new with every run, what it has to agree with. */
  readonly records: readonly (readonly [string, string])[] | null | typeof NO_DATABASE;
  readonly otherFiles: readonly string[];
}

/** How a case is given to a program. */
interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
}

export interface Program {
  /** Milliseconds until it is killed. */
  readonly timeout: number;
  /** Whether Berkeley DB's own lines on stderr are compared. */
  readonly sameLibrary: boolean;
  /** What stands for {BIN}/NAME. */
  executable(name: string): string;
  /** The name that it is told it has, where its messages are not to be compared by the recorded one. */
  ownName(recorded: UnrecordedCase): string | undefined;
  launch(recorded: UnrecordedCase, executable: string, args: readonly string[], inner: string): Launch;
}

export function bytesOf(bytes: Bytes): Buffer {
  if ("hex" in bytes) return Buffer.from(bytes.hex, "hex");
  return Buffer.concat(bytes.pieces.map(pieceBytes));
}

function pieceBytes({ hex, times }: Piece): Buffer {
  return Buffer.from(hex.repeat(times), "hex");
}

export function keyBytes(key: SaslRecord["key"]): Buffer {
  const parts = key.map((part) => (typeof part === "string" ? Buffer.from(part) : pieceBytes(part)));
  return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.alloc(1), part])));
}

export function valueBytes({ value_hex, value_pieces }: SaslRecord): Buffer {
  return bytesOf(value_pieces === undefined ? { hex: value_hex ?? "" } : { pieces: value_pieces });
}

/** The bytes of a database that db_load -T makes of the records: it puts them in their order, and its file is for all to read. */
export function load(path: string, step: Extract<SetupStep, { op: "load" }>): void {
  const { type, records, options } = step;
  const database = Database.open(path, { create: true, exclusive: true, mode: 0o644, type, ...options });
  try {
    for (const record of records) database.put(keyBytes(record.key), valueBytes(record));
  } finally {
    database.close();
  }
  fs.chmodSync(path, 0o644);
}

/** The settings of a configuration file: of a repeated key the first. */
function settings(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, key = "", value = ""] of text.matchAll(/^[ \t]*([\w-]+):[ \t]*(.*?)\s*$/gm)) {
    if (!found.has(key.toLowerCase())) found.set(key.toLowerCase(), value);
  }
  return found;
}

/** As the plugins read it: by its first character. */
function generatesScram({ context }: UnrecordedCase): boolean {
  return Object.values(context.config ?? {}).some((text) => /^([1yt]|on)/.test(settings(text).get("scram_secret_generate") ?? ""));
}

const SCRAM_MECHANISMS = ["SCRAM-SHA-512", "SCRAM-SHA-384", "SCRAM-SHA-256", "SCRAM-SHA-224", "SCRAM-SHA-1"];

/** What tells which plugins of a case store a secret of their own; with all of them it is what ours does by itself. */
function mechanisms(recorded: UnrecordedCase): string[] {
  const { plugins } = recorded.context;
  if (plugins === "otp") return [];
  const hasScram = plugins === "default" && generatesScram(recorded);
  return ["--mechanisms", hasScram ? SCRAM_MECHANISMS.join(",") : "none"];
}

/** The launchers by the names of the programs that they stand for; sasldbconverter2 has none. */
export const LAUNCHERS: Readonly<Record<string, string>> = {
  saslpasswd2: `${rootFolder}bin/tssaslpasswd.js`,
  sasldblistusers2: `${rootFolder}bin/tssasldblist.js`,
};

export const ours: Program = {
  timeout: 60_000,
  sameLibrary: false,
  executable: (name) => LAUNCHERS[name] ?? "",
  ownName: ({ argv0, program }) => basename(argv0.startsWith("{BIN}/") ? (LAUNCHERS[program] ?? "") : argv0, ".js"),
  launch(recorded, executable, args) {
    const { hostname, run_as } = recorded.context;
    const told = recorded.program === "saslpasswd2" ? ["--hostname", hostname, ...mechanisms(recorded)] : [];
    const user = run_as === "unprivileged" && isRoot ? { uid: NOBODY } : {};
    return { command: process.execPath, args: [executable, ...told, ...args], env: {}, ...user };
  },
};

/** Debian's folder of plugins, with a file of theirs in it. */
function pluginFolder(file: string): string | undefined {
  return fs
    .readdirSync("/usr/lib")
    .map((name) => `/usr/lib/${name}/sasl2`)
    .find((folder) => fs.existsSync(`${folder}/${file}`));
}

const PLUGIN_FILES: Readonly<Record<SaslCase["context"]["plugins"], readonly string[]>> = (() => {
  const plain = ["anonymous", "crammd5", "digestmd5", "login", "ntlm", "plain", "scram", "sasldb"];
  return { default: plain, otp: [...plain, "otp"], dbonly: ["sasldb"], none: [] };
})();

/** The Debian package of a file of the plugins. */
function pluginPackage(name: string): string {
  if (name === "otp") return "libsasl2-modules-otp";
  return name === "sasldb" ? "libsasl2-modules-db" : "libsasl2-modules";
}

/** Why the native programs cannot be run as recorded. */
export function whyNotNative({ context }: SaslCase): string | undefined {
  if (!isRoot) return "needs root: the host name is set for the run";
  const missing = PLUGIN_FILES[context.plugins].find((name) => pluginFolder(`lib${name}.so`) === undefined);
  return missing === undefined ? undefined : `needs lib${missing}.so (Debian package ${pluginPackage(missing)})`;
}

/** Not by `hostname`, which refuses names that the system takes. And no file of a size that tells of a file gone wrong. */
const AS_HOST = 'printf %s "$1" >/proc/sys/kernel/hostname || exit 126; shift; ulimit -c 0; ulimit -f 40960; exec "$@"';

export const native: Program = {
  timeout: 3_000,
  sameLibrary: true,
  executable: (name) => join(dirname(nativePath("saslpasswd2")), name),
  ownName: () => undefined,
  launch({ context }, executable, args, inner) {
    const plugins = join(inner, "plugins");
    fs.mkdirSync(plugins);
    for (const name of PLUGIN_FILES[context.plugins]) {
      const file = `lib${name}.so`;
      fs.symlinkSync(`${pluginFolder(file)}/${file}`, join(plugins, file));
    }
    const user = context.run_as === "unprivileged" ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
    return {
      command: nativePath("unshare"),
      args: ["--uts", "sh", "-c", AS_HOST, "sh", context.hostname, ...user, executable, ...args],
      env: { SASL_PATH: plugins },
    };
  },
};

interface Ended {
  readonly exit: Observed["exit"];
  readonly stdout: string;
  readonly stderr: string;
  readonly ttyEcho?: string;
}

/** A folder in which cases are run, each in a {D} of its own. */
export class SaslFolder {
  readonly #path: string;
  #runs = 0;

  /** @param folder new and empty. */
  constructor(folder: string) {
    this.#path = fs.realpathSync(folder);
    fs.chmodSync(this.#path, 0o755);
  }

  async run(recorded: UnrecordedCase, program: Program): Promise<Observed> {
    const inner = join(this.#path, String(this.#runs++));
    const cwd = join(inner, "d");
    for (const path of [inner, cwd, join(cwd, "conf")]) {
      fs.mkdirSync(path);
      fs.chmodSync(path, 0o755);
    }
    const fill = (text: string): string =>
      text.replaceAll(/\{BIN\}\/(\w+)/g, (_, name: string) => program.executable(name)).replaceAll("{D}", cwd);
    setUp(recorded, cwd, fill);
    const before = new Set(["db", ...fs.readdirSync(cwd)]);
    const executable = fill(recorded.argv0);
    const launch = program.launch(recorded, executable, recorded.args.map(fill), inner);
    const env = {
      PATH: process.env["PATH"],
      HOME: "/",
      LC_ALL: "C",
      SASL_CONF_PATH: `${cwd}/conf`,
      ...launch.env,
      ...Object.fromEntries(Object.entries(recorded.context.env ?? {}).map(([name, value]) => [name, fill(value)])),
    };
    const ended = await runIn({ ...launch, env }, recorded, cwd, inner, program.timeout);
    const unfill = (text: string): string => text.replaceAll(executable, "{ARGV0}").replaceAll(cwd, "{D}");
    const status = fs.existsSync(join(cwd, "db")) ? fs.statSync(join(cwd, "db")) : undefined;
    return {
      ...ended,
      stdout: unfill(ended.stdout),
      stderr: unfill(ended.stderr),
      file: status === undefined ? null : { mode: (status.mode & 0o7777).toString(8).padStart(4, "0"), size: status.size },
      records: status === undefined ? null : readRecords(join(cwd, "db"), recorded.expect?.db_after),
      otherFiles: fs
        .readdirSync(cwd)
        .filter((name) => !before.has(name))
        .sort(),
    };
  }
}

function setUp({ setup, context }: UnrecordedCase, cwd: string, fill: (text: string) => string): void {
  for (const [name, text] of Object.entries(context.config ?? {})) fs.writeFileSync(join(cwd, "conf", name), fill(text));
  for (const step of setup) {
    const path = fill(step.path);
    if (step.op === "load") load(path, step);
    else if (step.op === "write") writeNew(path, bytesOf(step.content));
    else if (step.op === "fixture") writeNew(path, fs.readFileSync(`${fixturesFolder}${step.name}.db`));
    else if (step.op === "truncate") fs.truncateSync(path, step.size);
    else if (step.op === "mkdir") fs.mkdirSync(path);
    else if (step.op === "chmod") fs.chmodSync(path, Number.parseInt(step.mode, 8));
    else {
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.symlinkSync(fill(step.target), path);
    }
  }
}

function writeNew(path: string, data: Uint8Array): void {
  fs.writeFileSync(path, data);
  fs.chmodSync(path, 0o644);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function runIn(launch: Launch, recorded: UnrecordedCase, cwd: string, inner: string, timeout: number): Promise<Ended> {
  const { stdin, context } = recorded;
  const files = { stdout: join(inner, "stdout"), stderr: join(inner, "stderr") };
  let command = [launch.command, ...launch.args];
  if (stdin.kind === "closed") command = ["sh", "-c", 'exec "$@" <&-', "sh", ...command];
  if (stdin.kind === "tty") {
    const line = `exec ${command.map(quote).join(" ")} >${quote(files.stdout)} 2>${quote(files.stderr)}`;
    command = ["script", "--quiet", "--return", "--echo", "always", "--command", line, "/dev/null"];
  }
  const { uid } = launch;
  const child = startWithUmask(command, Number.parseInt(context.umask, 8), cwd, launch.env, uid);
  const output = collect(child);
  let killed = false;
  const timer = setTimeout(() => {
    killed = true;
    child.kill("SIGKILL");
  }, timeout);
  const closed = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit, signal) => resolve(exit ?? signal ?? "SIGKILL"));
  });
  child.stdin?.on("error", () => {});
  try {
    if (stdin.kind === "pipe") await writeAll(child, stdin.writes, stdin.delay_ms ?? 0);
    else if (stdin.kind === "tty") await typeAll(child, stdin.writes, files.stdout, recorded.expect?.stdout);
    const exit = await closed;
    const terminal = stdin.kind === "tty";
    return {
      exit: killed ? "endless" : exit,
      stdout: terminal ? fs.readFileSync(files.stdout, "latin1") : output.stdout(),
      stderr: terminal ? fs.readFileSync(files.stderr, "latin1") : output.stderr(),
      ...(terminal ? { ttyEcho: output.stdout() } : {}),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** `spawn` forks at once, so that the umask is that of the child alone. */
function startWithUmask(command: readonly string[], umask: number, cwd: string, env: NodeJS.ProcessEnv, uid?: number): ChildProcess {
  const [program = "", ...args] = command;
  const before = process.umask(umask);
  try {
    return spawn(program, args, { cwd, env, stdio: "pipe", ...(uid === undefined ? {} : { uid, gid: uid }) });
  } finally {
    process.umask(before);
  }
}

function collect(child: ChildProcess): Record<"stdout" | "stderr", () => string> {
  const chunks: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  child.stdout?.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
  return {
    stdout: () => Buffer.concat(chunks.stdout).toString("latin1"),
    stderr: () => Buffer.concat(chunks.stderr).toString("latin1"),
  };
}

async function writeAll(child: ChildProcess, writes: readonly Bytes[], delay: number): Promise<void> {
  for (const [i, write] of writes.entries()) {
    if (i > 0) await sleep(delay);
    child.stdin?.write(bytesOf(write));
  }
  child.stdin?.end();
}

const PROMPT = /Password: |Again \(for verification\): /g;
/** Between a prompt and the answer: the prompt comes before the terminal is set, and what was typed till then is dropped. */
const SETTLE_MS = 150;
const PAUSE_MS = 400;

/**
 * Types each write when its prompt is there; where the recording has no more
 * prompts, after a pause.
 * @param prompts standard output as recorded; undefined while it is being recorded.
 */
async function typeAll(child: ChildProcess, writes: readonly Bytes[], file: string, prompts: string | undefined): Promise<void> {
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const count = (text: string): number => Array.from(text.matchAll(PROMPT)).length;
  const shown = (): number => (fs.existsSync(file) ? count(fs.readFileSync(file, "latin1")) : 0);
  const toCome = prompts === undefined ? Number.POSITIVE_INFINITY : count(prompts);
  for (const [i, write] of writes.entries()) {
    const deadline = Date.now() + (prompts === undefined ? 2 * PAUSE_MS : 30_000);
    while (i < toCome && shown() <= i && !over() && Date.now() < deadline) await sleep(20);
    await sleep(i < toCome ? SETTLE_MS : PAUSE_MS);
    if (over()) return;
    child.stdin?.write(bytesOf(write));
  }
}

function readRecords(file: string, like: Expectation["db_after"] | undefined): Observed["records"] {
  const compares = new Map<string, Compare | undefined>();
  if (Array.isArray(like))
    for (const { key, compare } of like as readonly SaslRecord[]) compares.set(keyBytes(key).toString("hex"), compare);
  let database: Database;
  try {
    // As bytes, so that the file is not opened for anything but reading.
    database = Database.open(new Uint8Array(fs.readFileSync(file)), { readOnly: true });
  } catch (error) {
    if (error instanceof BerkeleyDBError || error instanceof TypeError || (error as NodeJS.ErrnoException).code === "EISDIR")
      return NO_DATABASE;
    throw error;
  }
  try {
    return Array.from(database, ([key, value]) => {
      const hex = Buffer.from(key).toString("hex");
      const compare = compares.get(hex);
      const bytes = Buffer.from(value);
      return [hex, compare === undefined ? bytes.toString("hex") : (whyNotLike(bytes, compare) ?? JSON.stringify(compare))] as const;
    });
  } finally {
    database.close();
  }
}

/** XORed to eight bytes; SHA-1's words are turned round (RFC 2289, appendix A). */
function fold(alg: string, data: Uint8Array): Buffer {
  const digest = createHash(alg).update(data).digest();
  const folded = Buffer.alloc(8);
  for (const [i, byte] of digest.entries()) folded[i % 8] = (folded[i % 8] ?? 0) ^ byte;
  return alg === "sha1" ? folded.swap32() : folded;
}

function oneTimePassword(alg: string, seq: number, seed: string, password: Uint8Array): string {
  let value = fold(alg, Buffer.concat([Buffer.from(seed, "latin1"), password]));
  for (let i = 0; i < seq; i++) value = fold(alg, value);
  return value.toString("hex");
}

/** What is wrong with a secret, recomputed from its own seed or salt. */
export function whyNotLike(value: Uint8Array, compare: Compare): string | undefined {
  const text = Buffer.from(value).toString("latin1");
  const password = Buffer.from(compare.password_hex, "hex");
  if (compare.kind === "otp") {
    const { alg, seq, seed_prefix } = compare;
    const [, foundAlg, foundSeq, seed = "", otp] = /^(\w+)\t(\d{4})\t([^\t]+)\t([0-9a-f]{16})\t0{20}$/.exec(text) ?? [];
    const digits = seed.slice(-4);
    if (foundAlg !== alg || Number(foundSeq) !== seq || seed !== seed_prefix + digits)
      return `not like ${JSON.stringify(compare)}: ${text}`;
    if (!/^\d{4}$/.test(digits) || digits === "0000") return `a seed that ends in other than 0001 to 9999: ${text}`;
    return oneTimePassword(alg, seq, seed, password) === otp ? undefined : `not the one-time password of its seed: ${text}`;
  }
  const { mech, iterations } = compare;
  const [, foundMech, foundIterations, salt = "", keys] = /^([\w-]+)\$(\d+):([^$]+)\$(.+)$/.exec(text) ?? [];
  if (foundMech !== mech || Number(foundIterations) !== iterations) return `not like ${JSON.stringify(compare)}: ${text}`;
  const saltBytes = Buffer.from(salt, "base64");
  if (saltBytes.length !== 16 || saltBytes.toString("base64") !== salt) return `not a salt of 16 bytes: ${text}`;
  return scramKeys(mech, iterations, saltBytes, password) === keys ? undefined : `not the keys of its salt: ${text}`;
}

/** RFC 5802, section 3; without iterations it is what one makes. */
function scramKeys(mech: string, iterations: number, salt: Uint8Array, password: Uint8Array): string {
  const alg = mech.replace("SCRAM-", "").replace("-", "").toLowerCase();
  const salted = pbkdf2Sync(password, salt, Math.max(iterations, 1), createHash(alg).digest().length, alg);
  const hmac = (text: string): Buffer => createHmac(alg, salted).update(text).digest();
  const storedKey = createHash(alg).update(hmac("Client Key")).digest("base64");
  return `${storedKey}:${hmac("Server Key").toString("base64")}`;
}

/** The case with another beginning of the seeds that it wants. */
export function withSeedPrefix(recorded: SaslCase, seed_prefix: string): SaslCase {
  const { db_after } = recorded.expect;
  if (!Array.isArray(db_after)) throw new Error(`${recorded.id}: no seed`);
  const other = (db_after as readonly SaslRecord[]).map((record) =>
    record.compare?.kind === "otp" ? { ...record, compare: { ...record.compare, seed_prefix } } : record,
  );
  return { ...recorded, expect: { ...recorded.expect, db_after: other } };
}

const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

/** Berkeley DB's own lines, and what it says of a folder. */
const LIBRARY_LINE = /^(BDB\d{4} .*|\{D\}: Is a directory)\n/gm;

function stderrOf({ expect }: SaslCase, program: Program): string | RegExp {
  const { stderr, stderr_regex } = expect;
  if (stderr_regex === undefined) return program.sameLibrary ? utf8(stderr ?? "") : utf8(stderr ?? "").replaceAll(LIBRARY_LINE, "");
  if (program.sameLibrary) return new RegExp(stderr_regex.replaceAll("{D}", "\\{D\\}"));
  // Every one of these has the library's lines, and then perhaps one of the program's own.
  const last =
    stderr_regex
      .replace(/\\n\$$/, "")
      .split("\\n")
      .at(-1)
      ?.replace(/^\)[+*]?(\{\d\})?/, "") ?? "";
  return last.startsWith("BDB") ? "" : `${last}\n`;
}

function signalOf(number: number | undefined): NodeJS.Signals | undefined {
  return (Object.keys(constants.signals) as NodeJS.Signals[]).find((name) => constants.signals[name] === number);
}

/** What was recorded, in the shape of what is observed, with the program's own name. */
export function expectedOf(recorded: SaslCase, program: Program): Observed {
  const { expect, argv0, stdin } = recorded;
  const name = program.ownName(recorded);
  const rename = (text: string): string =>
    name === undefined ? text : text.replaceAll("{ARGV0}", name).replaceAll(new RegExp(`\\b${basename(argv0)}\\b`, "g"), name);
  const stderr = stderrOf(recorded, program);
  const exit = expect.never_terminates === true ? "endless" : (expect.exit ?? signalOf(expect.signal));
  if (exit === undefined) throw new Error(`${recorded.id}: neither exit nor signal`);
  return {
    exit,
    stdout: rename(expect.stdout_hex === undefined ? utf8(expect.stdout ?? "") : Buffer.from(expect.stdout_hex, "hex").toString("latin1")),
    stderr: typeof stderr === "string" ? rename(stderr) : stderr,
    ...(stdin.kind === "tty" ? { ttyEcho: expect.tty_echo ?? "" } : {}),
    file: expect.db_file,
    records: Array.isArray(expect.db_after)
      ? (expect.db_after as readonly SaslRecord[]).map((record) => [
          keyBytes(record.key).toString("hex"),
          record.compare === undefined ? valueBytes(record).toString("hex") : JSON.stringify(record.compare),
        ])
      : (expect.db_after as null | typeof NO_DATABASE),
    otherFiles: expect.other_files ?? [],
  };
}

/** What an observation and an expectation are compared as: a text that is as a regular expression wants it becomes that expression. */
export function comparable(observed: Observed, expected: Observed, program: Program): Observed {
  const stderr = program.sameLibrary ? observed.stderr : String(observed.stderr).replaceAll(LIBRARY_LINE, "");
  const agreed = (text: string | RegExp, wanted: string | RegExp): string | RegExp =>
    wanted instanceof RegExp && wanted.test(String(text)) ? wanted : text;
  return { ...observed, stdout: agreed(observed.stdout, expected.stdout), stderr: agreed(stderr, expected.stderr) };
}
