/**
 * The native tools that are compared with: where they are, and what becomes of
 * a test when they are not there. It is skipped, and the runner lists it at
 * its end; with TSMAKEMAP_REQUIRE_NATIVE=1 it fails.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { rootFolder } from "./fixtures.ts";

/** The Debian package of each tool. */
const PACKAGES = {
  "db5.3_dump": "db5.3-util",
  "db5.3_load": "db5.3-util",
  "db5.3_stat": "db5.3-util",
  "db5.3_upgrade": "db5.3-util",
  "db5.3_verify": "db5.3-util",
  editmap: "sendmail-bin",
  makemap: "sendmail-bin",
  praliases: "sendmail-bin",
  sendmail: "sendmail-bin",
  "sendmail cf": "sendmail-cf",
  "sendmail ldapmap": "sendmail-bin",
  "sendmail schema": "sendmail-base",
  sasldblistusers2: "sasl2-bin",
  saslpasswd2: "sasl2-bin",
  "sasl-sample-client": "sasl2-bin",
  "sasl-sample-server": "sasl2-bin",
  "sasl plugins": "libsasl2-modules",
  "sasl sasldb plugin": "libsasl2-modules-db",
  "sasl otp plugin": "libsasl2-modules-otp",
  postmap: "postfix",
  age: "age",
  "age-keygen": "age",
  bash: "bash",
  fish: "fish",
  git: "git",
  groff: "groff-base",
  hostname: "hostname",
  ip: "iproute2",
  ldapadd: "ldap-utils",
  ldapsearch: "ldap-utils",
  m4: "m4",
  mandoc: "mandoc",
  mount: "mount",
  nsenter: "util-linux",
  openssl: "openssl",
  patch: "patch",
  rsync: "rsync",
  script: "bsdutils",
  setpriv: "util-linux",
  sha256sum: "coreutils",
  shellcheck: "shellcheck",
  slapd: "slapd",
  stdbuf: "coreutils",
  stty: "coreutils",
  unshare: "util-linux",
  zsh: "zsh",
  "perl DB_File": "perl",
  "perl POSIX": "perl-base",
  "perl BerkeleyDB": "libberkeleydb-perl",
} as const;

export type NativeTool = keyof typeof PACKAGES;

const REQUIRE_VARIABLE = "TSMAKEMAP_REQUIRE_NATIVE";

/** Whether it is an error that something is not there. */
export const areToolsRequired: boolean = process.env[REQUIRE_VARIABLE] === "1";

/** Where Debian has them; the second half is in no ordinary user's PATH. */
const FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** A file of each package of plugins: what is there of it stands for the rest. */
const PLUGINS: Partial<Record<NativeTool, string>> = {
  "sasl plugins": "libscram.so",
  "sasl sasldb plugin": "libsasldb.so",
  "sasl otp plugin": "libotp.so",
};

/**
 * Postfix cannot be installed beside sendmail: .ci/run unpacks it here. It is
 * looked at for postmap alone, since it has a sendmail of its own.
 */
const UNPACKED = `${rootFolder}.build/native/usr`;

const found = new Map<NativeTool, string | undefined>();

/** Where sendmail-cf keeps what a sendmail.cf is made of, and m4 is told so. */
export const SENDMAIL_CF = "/usr/share/sendmail/cf/";

/** For OpenLDAP, as sendmail has it; the one that Debian calls version 2. */
export const SENDMAIL_SCHEMA = "/usr/share/sendmail/examples/ldap/sendmail.schema.v2";

/** Debian keeps them under the machine's name, others beside the libraries. */
function findPlugin(file: string): string | undefined {
  const libraries = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].filter((folder) => existsSync(folder));
  const folders = libraries.flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))]);
  return folders.map((folder) => join(folder, "sasl2", file)).find((path) => existsSync(path));
}

/** The path of the program: of perl itself for a module of perl, of the file for a plugin, of the folder for what is no program. */
function find(tool: NativeTool): string | undefined {
  if (found.has(tool)) return found.get(tool);
  const plugin = PLUGINS[tool];
  if (plugin !== undefined) {
    const path = findPlugin(plugin);
    found.set(tool, path);
    return path;
  }
  if (tool === "sendmail cf") {
    const folder = existsSync(`${SENDMAIL_CF}m4/cf.m4`) ? SENDMAIL_CF : undefined;
    found.set(tool, folder);
    return folder;
  }
  if (tool === "sendmail schema") {
    const file = existsSync(SENDMAIL_SCHEMA) ? SENDMAIL_SCHEMA : undefined;
    found.set(tool, file);
    return file;
  }
  if (tool === "sendmail ldapmap") {
    const sendmail = find("sendmail");
    // The name of the option, which -d0.1 shows; but that waits a minute for a host name.
    const path = sendmail !== undefined && readFileSync(sendmail).includes("\0LDAPMAP\0") ? sendmail : undefined;
    found.set(tool, path);
    return path;
  }
  const [program = tool, module] = tool.split(" ");
  const folders = [...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""), ...FOLDERS];
  if (tool === "postmap") folders.push(`${UNPACKED}/sbin`);
  let path = folders.map((folder) => join(folder, program)).find(isExecutable);
  if (path !== undefined && module !== undefined && spawnSync(path, [`-M${module}`, "-e", "1"]).status !== 0) path = undefined;
  found.set(tool, path);
  return path;
}

/**
 * The path of a tool.
 * @throws {Error} where it is not there, with its Debian package.
 */
export function nativePath(tool: NativeTool): string {
  const path = find(tool);
  if (path === undefined) throw new Error(reasonFor(tool));
  return path;
}

/** Where what is unpacked finds its libraries: Postfix's own, and those of packages unpacked with it. */
function libraryPath(path: string): NodeJS.ProcessEnv {
  if (!path.startsWith(UNPACKED)) return {};
  const folders = readdirSync(`${UNPACKED}/lib`).map((name) => `${UNPACKED}/lib/${name}`);
  return { LD_LIBRARY_PATH: folders.join(delimiter) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a test's context has for this. */
export interface Skippable {
  skip(message: string): void;
}

/**
 * Whether all the tools are there; if not, the test is marked as skipped and
 * has to return.
 * @throws {Error} where tools are required.
 */
export function needs(t: Skippable, ...tools: readonly NativeTool[]): boolean {
  const missing = tools.filter((tool) => find(tool) === undefined);
  if (missing.length === 0) return true;
  const reason = missing.map(reasonFor).join("; ");
  if (areToolsRequired) throw new Error(`${reason}, and ${REQUIRE_VARIABLE} is set`);
  t.skip(reason);
  return false;
}

function reasonFor(tool: NativeTool): string {
  return `needs ${tool} (Debian package ${PACKAGES[tool]})`;
}

/** Reads what `needs` gave for a reason: the tools and their packages. */
export function readReason(reason: string): { readonly tool: string; readonly debianPackage: string }[] {
  return Array.from(reason.matchAll(/needs (.+?) \(Debian package (\S+?)\)/g), ([, tool = "", debianPackage = ""]) => ({
    tool,
    debianPackage,
  }));
}

export interface NativeOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds; default 30 s. */
  readonly timeout?: number;
}

/**
 * Runs a native tool, with the C locale and without a shell.
 * @throws {Error} where it is not there, or does not end in time.
 */
export function runNative(tool: NativeTool, args: readonly string[], options: NativeOptions = {}): SpawnSyncReturns<Buffer> {
  const path = nativePath(tool);
  const module = tool.split(" ")[1];
  const result = spawnSync(path, module === undefined ? args : [`-M${module}`, ...args], {
    timeout: 30_000,
    maxBuffer: 1 << 28,
    ...options,
    env: { ...(options.env ?? process.env), ...libraryPath(path), LC_ALL: "C" },
  });
  // A program that ends before it has read everything is no error of the test.
  const endedEarly = (result.error as NodeJS.ErrnoException | undefined)?.code === "EPIPE" && result.status !== null;
  if (result.error !== undefined && !endedEarly)
    throw new Error(`${tool} ${args.join(" ")}: ${result.error.message}`, { cause: result.error });
  return result;
}
