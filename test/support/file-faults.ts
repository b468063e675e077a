/**
 * Every call of `node:fs` that our programs make on the files of one folder:
 * counted, and made to fail, or to do a part of what it was asked for, as a
 * disc, a quota or a signal would have it.
 *
 * This is below the port `FileSystem`, so that nothing gets past it: locks,
 * modes, owners, folders and links are no matter of that port.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { relative, resolve } from "node:path";

/** A call, as it was made when nothing failed. */
export interface Call {
  /** Of the system: "write". */
  readonly name: string;
  /** Within the folder. Of a rename, the new name. */
  readonly path: string;
  /** Bytes that it was to write or read. */
  readonly length: number;
  /** Whether it opens a file that it may have to make, or to write to. */
  readonly writes: boolean;
}

/** What becomes of a call: an error code; or how many bytes it writes or reads of those that it was asked for. */
export type FaultKind = { readonly code: string } | { readonly call: "read" | "write"; readonly of: (length: number) => number };

export interface Fault {
  /** The number of the call, from 0. */
  readonly at: number;
  readonly kind: FaultKind;
  /** All calls from that one on that the kind is for. */
  readonly goesOn?: boolean;
}

/** The calls, and what the system calls them. */
const NAMES = {
  openSync: "open",
  readSync: "read",
  writeSync: "write",
  ftruncateSync: "ftruncate",
  fdatasyncSync: "fdatasync",
  fsyncSync: "fsync",
  fstatSync: "fstat",
  fchmodSync: "fchmod",
  fchownSync: "fchown",
  closeSync: "close",
  statSync: "stat",
  lstatSync: "lstat",
  accessSync: "access",
  realpathSync: "realpath",
  readlinkSync: "readlink",
  readdirSync: "scandir",
  readFileSync: "read",
  writeFileSync: "write",
  copyFileSync: "copyfile",
  chmodSync: "chmod",
  lchownSync: "lchown",
  renameSync: "rename",
  unlinkSync: "unlink",
  rmSync: "unlink",
  rmdirSync: "rmdir",
  mkdirSync: "mkdir",
  symlinkSync: "symlink",
} as const;

const { O_RDWR, O_WRONLY } = fs.constants;

type Name = keyof typeof NAMES;
type Action = (...args: unknown[]) => unknown;

/** Far more than any run makes: what makes as many goes round for ever. */
const MOST_CALLS = 20_000;

const STANDARD_INPUT = 0;
const STANDARD_INPUT_NAME = "(standard input)";

interface Watch {
  readonly folder: string;
  /** What standard input is read from. */
  readonly input: number | undefined;
  readonly fault: Fault | undefined;
  readonly calls: Call[];
  readonly files: Map<number, string>;
  injected: number;
}

let watch: Watch | undefined;
let isWithin = false;

/** From here on in this process; what is not of a watched run goes through. */
export function interposeFileCalls(): void {
  const table = fs as unknown as Record<Name, Action>;
  for (const key of Object.keys(NAMES) as Name[]) {
    const original = table[key];
    table[key] = Object.assign((...args: unknown[]) => pass(key, original, args), original);
  }
  syncBuiltinESMExports();
}

export interface Watched<T> {
  readonly result: T;
  readonly calls: readonly Call[];
  /** How many calls were other than they ought to be. */
  readonly injected: number;
}

/** Does something, whose calls on the files of this folder, and on standard input, are watched. */
export async function watched<T>(
  folder: string,
  input: string | undefined,
  fault: Fault | undefined,
  what: () => Promise<T>,
): Promise<Watched<T>> {
  const file = input === undefined ? undefined : fs.openSync(input, "r");
  const own: Watch = { folder, input: file, fault, calls: [], files: new Map(), injected: 0 };
  watch = own;
  try {
    const result = await what();
    return { result, calls: own.calls, injected: own.injected };
  } finally {
    watch = undefined;
    if (file !== undefined) fs.closeSync(file);
  }
}

function pass(key: Name, original: Action, args: unknown[]): unknown {
  // What one call of Node's does by others of them is one call here.
  if (watch === undefined || isWithin) return original(...args);
  const own = watch;
  const path = pathOf(own, args, key);
  if (path === undefined) return original(...args);
  const real = args[0] === STANDARD_INPUT && own.input !== undefined ? [own.input, ...args.slice(1)] : args;
  const call: Call = { name: NAMES[key], path, length: lengthOf(key, args), writes: doesWrite(key, args) };
  const number = own.calls.push(call) - 1;
  if (number > MOST_CALLS) throw new Error(`${call.name} ${call.path}: over and over again`);
  isWithin = true;
  try {
    const { fault } = own;
    const isIt = fault !== undefined && (number === fault.at || (fault.goesOn === true && number > fault.at)) && suits(fault.kind, call);
    if (isIt) own.injected += 1;
    if (isIt && "of" in fault.kind) return partly(key, original, real, fault.kind.of(call.length));
    // As with the operating system's, a file is closed whatever close() reports.
    const result = isIt && key !== "closeSync" ? undefined : original(...real);
    if (key === "closeSync") own.files.delete(args[0] as number);
    if (isIt) throw failure((fault.kind as { readonly code: string }).code, call, args);
    if (key === "openSync") own.files.set(result as number, path);
    return result;
  } finally {
    isWithin = false;
  }
}

/** Whether such a call can meet that. */
function suits(kind: FaultKind, call: Call): boolean {
  if ("of" in kind) return call.name === kind.call && call.length > 0;
  return true;
}

/** Undefined for a file of somebody else. */
function pathOf({ folder, input, files }: Watch, args: readonly unknown[], key: Name): string | undefined {
  const [first, second] = args;
  if (typeof first === "number") return first === STANDARD_INPUT && input !== undefined ? STANDARD_INPUT_NAME : files.get(first);
  const name = key === "renameSync" || key === "symlinkSync" ? second : first;
  if (typeof name !== "string") return undefined;
  const path = relative(folder, resolve(name));
  return path.startsWith("..") ? undefined : path;
}

function lengthOf(key: Name, [, content, , length]: readonly unknown[]): number {
  if (key !== "writeSync" && key !== "readSync") return 0;
  if (typeof content === "string") return Buffer.byteLength(content);
  return typeof length === "number" ? length : (content as Uint8Array).length;
}

function doesWrite(key: Name, [, flags]: readonly unknown[]): boolean {
  if (key === "openSync") return typeof flags === "number" ? (flags & (O_WRONLY | O_RDWR)) !== 0 : flags !== "r";
  return [
    "writeSync",
    "writeFileSync",
    "ftruncateSync",
    "fdatasyncSync",
    "fsyncSync",
    "copyFileSync",
    "renameSync",
    "mkdirSync",
    "symlinkSync",
  ].includes(key);
}

function partly(key: Name, original: Action, [file, content, from, , position]: unknown[], length: number): unknown {
  if (length === 0) return 0;
  if (key === "writeSync" && typeof content === "string") return original(file, Buffer.from(content).subarray(0, length));
  return original(file, content, from ?? 0, length, position ?? null);
}

/** As Node's: with the call, and the file where the call names one. */
function failure(code: string, { name }: Call, [path]: readonly unknown[]): Error {
  const isNamed = typeof path === "string" && name !== "read" && name !== "write";
  const message = `${code}: injected, ${name}${isNamed ? ` '${path}'` : ""}`;
  return Object.assign(new Error(message), { code, syscall: name, ...(isNamed && { path }) });
}
