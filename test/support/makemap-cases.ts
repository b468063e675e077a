/**
 * The recorded runs of makemap (fixtures/cases), how one is set up, and how
 * what a program did with it is put so that it can be compared.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { BerkeleyDBError, Database } from "berkeley-db-js";
import { fixturesFolder } from "./fixtures.ts";
import { isRoot, NOBODY, type Outcome, ordinaryUser, run } from "./program.ts";

export type SetupStep =
  | { readonly op: "makemap"; readonly argv: readonly string[]; readonly stdin_b64: string }
  | { readonly op: "write"; readonly path: string; readonly data_b64: string }
  /** A file of fixtures/db. */
  | { readonly op: "fixture"; readonly path: string; readonly name: string }
  | { readonly op: "fill"; readonly path: string; readonly byte: number; readonly count: number }
  | { readonly op: "mkdir"; readonly path: string }
  | { readonly op: "symlink"; readonly target: string; readonly path: string }
  | { readonly op: "link"; readonly target: string; readonly path: string }
  | { readonly op: "chmod"; readonly path: string; readonly mode: string }
  | { readonly op: "chown"; readonly path: string; readonly uid: number; readonly gid: number };

interface FileEntry {
  readonly kind: "file" | "dir" | "link";
  readonly mode?: string;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
}

interface MapEntry {
  readonly type: "hash" | "btree";
  /** Null for a large map, which has a number and a hash instead. */
  readonly records_cursor_order: readonly (readonly [string, string])[] | null;
  readonly record_count?: number;
  readonly records_sha256?: string;
}

interface Answer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MakemapCase {
  readonly id: string;
  readonly group: string;
  readonly argv: readonly string[];
  readonly uid: number;
  readonly umask: string;
  readonly setup: string;
  readonly setup_steps: readonly SetupStep[];
  readonly note: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin_b64: string | null;
  readonly stdin_text: string;
  readonly stdin_gen?: { readonly line: string; readonly from: number; readonly count: number };
  readonly exit: number;
  readonly stdout: string;
  readonly stdout_b64: string;
  readonly stderr: string;
  readonly stderr_b64: string;
  readonly files_after: Readonly<Record<string, FileEntry>>;
  readonly maps: Readonly<Record<string, MapEntry | null>>;
  readonly golden?: string;
  /** The differing run may say what is in the folder after it, too. */
  readonly as_user:
    | "same"
    | "recorded as that user"
    | (Answer & { readonly files_after?: MakemapCase["files_after"]; readonly maps?: MakemapCase["maps"] });
}

export interface CaseFile {
  readonly binary: string;
  readonly defaults: { readonly control_files: Readonly<Record<string, string>> };
  readonly cases: readonly MakemapCase[];
}

/** @param name "makemap" or "makemap-more". */
export function readCases(name: string): CaseFile {
  return JSON.parse(fs.readFileSync(`${fixturesFolder}cases/${name}.json`, "utf8")) as CaseFile;
}

/** What a run came to. */
export interface Observed {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: Readonly<Record<string, unknown>>;
  readonly maps: Readonly<Record<string, unknown>>;
}

/** Whom a case is run as: the user it was recorded with, or an ordinary user who owns the folder. */
export type As = "recorded" | "user";

function uidOf(recorded: MakemapCase, as: As): number {
  return as === "user" || recorded.uid === NOBODY ? ordinaryUser.uid : recorded.uid;
}

/** What was recorded, in the shape of what is observed; for a user other than the recorded one, files without their owners. */
export function expectedOf(recorded: MakemapCase, as: As): Observed {
  const other = as === "user" && typeof recorded.as_user === "object" ? recorded.as_user : undefined;
  const withOwner = as === "recorded" && isRoot;
  const answer = other ?? {
    exit: recorded.exit,
    stdout: Buffer.from(recorded.stdout_b64, "base64").toString("latin1"),
    stderr: Buffer.from(recorded.stderr_b64, "base64").toString("latin1"),
  };
  // A run that ended otherwise than root's left other files, and not every recording has them.
  const knowsFiles = other === undefined || other.files_after !== undefined;
  const { files_after = recorded.files_after, maps = recorded.maps } = other ?? {};
  return {
    exit: answer.exit,
    stdout: answer.stdout,
    stderr: answer.stderr,
    files: knowsFiles ? mapValues(files_after, (entry) => significant(entry, withOwner)) : {},
    maps: knowsFiles ? maps : {},
  };
}

/** Whether expectedOf() knows what files are there afterwards. */
export function knowsFiles(recorded: MakemapCase, as: As): boolean {
  return as === "recorded" || typeof recorded.as_user !== "object" || recorded.as_user.files_after !== undefined;
}

function mapValues<T, U>(object: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

/** The mode and size of links and folders say nothing. */
function significant({ kind, mode, size, uid, gid }: FileEntry, withOwner: boolean): object {
  return { kind, ...(kind === "file" ? { mode, size } : {}), ...(withOwner ? { uid, gid } : {}) };
}

export interface Program {
  readonly command: string;
  /** The name that it is told it has. */
  readonly argv0?: string;
  /** Before the arguments of the case. */
  readonly args: readonly string[];
}

/** A folder {D} in which cases are run. */
export class CaseFolder {
  readonly path: string;
  #runs = 0;

  /** @param folder new and empty. */
  constructor(folder: string, controlFiles: Readonly<Record<string, string>>) {
    // Of the path of a test's folder, only what is above it may be for all to write.
    this.path = fs.realpathSync(folder);
    fs.chmodSync(this.path, 0o755);
    for (const [name, text] of Object.entries(controlFiles)) fs.writeFileSync(name.replace("{D}", this.path), text);
  }

  /** {W}: the folder above that is for all to write, or undefined. */
  get worldWritable(): string | undefined {
    for (let folder = dirname(this.path); ; folder = dirname(folder)) {
      if ((fs.statSync(folder).mode & 0o002) !== 0) return folder;
      if (folder === "/") return undefined;
    }
  }

  /** Runs a case with a program, in a new folder of the case's name below one of the run's. */
  async run(recorded: MakemapCase, as: As, program: Program): Promise<Observed> {
    const uid = uidOf(recorded, as);
    const top = join(this.path, String(this.#runs++));
    const cwd = join(top, recorded.id);
    fs.mkdirSync(cwd, { recursive: true, mode: 0o755 });
    fs.chmodSync(top, 0o755);
    fs.chmodSync(cwd, 0o755);
    const fill = (text: string): string => text.replace(`{D}/${recorded.id}/`, `${cwd}/`).replaceAll("{D}", this.path);
    const given = await this.#setUp(recorded.setup_steps, cwd, program, fill);
    if (!given.has(".")) chown(cwd, uid, uid);
    if (as === "user") giveAway(cwd, uid, given);
    const outcome = await run(program.command, [...program.args, ...recorded.argv.slice(1).map(fill)], {
      cwd,
      uid,
      argv0: program.argv0,
      umask: Number(recorded.umask),
      input: stdinOf(recorded),
      env: recorded.env ?? {},
    });
    return this.#observe(cwd, recorded, as, outcome);
  }

  /** By the user of the tests, in a folder of his. Returns the paths that were given to somebody else. */
  async #setUp(steps: readonly SetupStep[], cwd: string, program: Program, fill: (text: string) => string): Promise<Set<string>> {
    const given = new Set<string>();
    for (const step of steps) {
      if (step.op === "makemap") {
        const { command, args } = program;
        const input = Buffer.from(step.stdin_b64, "base64");
        const { exit, stderr } = await run(command, [...args, ...step.argv.slice(1).map(fill)], { cwd, input, umask: 0o022 });
        if (exit !== 0) throw new Error(`${step.argv.join(" ")}: exit ${exit}: ${stderr}`);
        continue;
      }
      const path = join(cwd, step.path);
      if (step.op === "write") writeNew(path, Buffer.from(step.data_b64, "base64"));
      else if (step.op === "fixture") writeNew(path, fs.readFileSync(`${fixturesFolder}db/${step.name}.db`));
      else if (step.op === "fill") writeNew(path, Buffer.alloc(step.count, step.byte));
      else if (step.op === "mkdir") fs.mkdirSync(path);
      else if (step.op === "symlink") fs.symlinkSync(step.target, path);
      else if (step.op === "link") fs.linkSync(join(cwd, step.target), path);
      else if (step.op === "chmod") fs.chmodSync(path, Number.parseInt(step.mode, 8));
      else {
        chown(path, step.uid, step.gid);
        if (step.uid !== 0 || step.path === ".") given.add(step.path);
      }
    }
    return given;
  }

  #observe(cwd: string, recorded: MakemapCase, as: As, { exit, signal, stdout, stderr }: Outcome): Observed {
    if (signal !== null) throw new Error(`${recorded.id}: ended by ${signal}: ${stderr}`);
    const unfill = (text: string): string => {
      const own = text.replaceAll(cwd, `{D}/${recorded.id}`).replaceAll(this.path, "{D}");
      return this.worldWritable === undefined ? own : own.replaceAll(`directory ${this.worldWritable}\n`, "directory {W}\n");
    };
    const files: Record<string, unknown> = {};
    const maps: Record<string, unknown> = {};
    for (const name of fs.readdirSync(cwd)) {
      const status = fs.lstatSync(join(cwd, name));
      const kind = status.isSymbolicLink() ? "link" : status.isDirectory() ? "dir" : "file";
      const mode = `0o${(status.mode & 0o7777).toString(8)}`;
      files[name] = significant({ kind, mode, size: status.size, uid: status.uid, gid: status.gid }, as === "recorded" && isRoot);
      if (name in recorded.maps || (name === "m.db" && kind === "file")) maps[name] = readMap(join(cwd, name), recorded.maps[name]);
    }
    return { exit, stdout: unfill(stdout), stderr: unfill(stderr), files, maps };
  }
}

function writeNew(path: string, data: Uint8Array): void {
  fs.writeFileSync(path, data, { flag: "wx" });
  fs.chmodSync(path, 0o644);
}

/** What an ordinary user makes is his already. */
function chown(path: string, uid: number, gid: number): void {
  if (isRoot) fs.lchownSync(path, uid, gid);
}

function giveAway(cwd: string, uid: number, except: ReadonlySet<string>): void {
  for (const name of fs.readdirSync(cwd)) if (!except.has(name)) chown(join(cwd, name), uid, uid);
}

export function stdinOf({ stdin_b64, stdin_gen }: Pick<MakemapCase, "stdin_b64" | "stdin_gen">): Uint8Array {
  if (stdin_gen === undefined) return Buffer.from(stdin_b64 ?? "", "base64");
  const { line, from, count } = stdin_gen;
  const lines = Array.from({ length: count }, (_, i) => line.replaceAll("%05d", String(from + i).padStart(5, "0")));
  return Buffer.from(lines.join(""));
}

/** The records in cursor order; of a map that was recorded by number and hash, these. Null for what is no database. */
export function readMap(file: string, like?: MapEntry | null): object | null {
  let database: Database;
  try {
    // As bytes, so that the file is not opened for anything but reading.
    database = Database.open(new Uint8Array(fs.readFileSync(file)), { readOnly: true });
  } catch (error) {
    if (error instanceof BerkeleyDBError || error instanceof TypeError) return null;
    throw error;
  }
  try {
    const records = Array.from(database, ([key, value]) => [hex(key), hex(value)] as const);
    if (like?.records_cursor_order !== null) return { type: database.type, records_cursor_order: records };
    const hash = createHash("sha256");
    for (const [key, value] of records) hash.update(`${key} ${value}\n`);
    return { type: database.type, records_cursor_order: null, record_count: records.length, records_sha256: hash.digest("hex") };
  } finally {
    database.close();
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
