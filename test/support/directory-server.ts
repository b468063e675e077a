/**
 * A real OpenLDAP server with sendmail's schema, in a folder of the test's own,
 * on a socket in that folder: no port, and nothing of the system's slapd.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type NativeTool, nativePath, needs, runNative, SENDMAIL_SCHEMA, type Skippable } from "./native.ts";
import { temporaryFolder } from "./temp.ts";

const TOOLS: readonly NativeTool[] = ["slapd", "setpriv", "ldapadd", "ldapsearch", "sendmail schema"];

/** Whether all of it is there; if not, the test is marked as skipped and has to return. */
export function needsDirectory(t: Skippable): boolean {
  return needs(t, ...TOOLS);
}

/** The entry that is there from the beginning. */
export const BASE = "dc=example,dc=org";
const MANAGER = `cn=manager,${BASE}`;
const PASSWORD = "manager";

/** Milliseconds. */
const PATIENCE = 10_000;
const PAUSE = 20;

/** One that can wait for what is done after it. */
interface AsyncCleanup {
  after(action: () => void | Promise<void>): void;
}

export interface Entry {
  readonly dn: string;
  /** One byte, one character. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export class DirectoryServer {
  readonly #folder: string;
  readonly #child: ChildProcess;
  /** Where it is, for all programs. */
  readonly uri: string;

  private constructor(folder: string, child: ChildProcess, uri: string) {
    this.#folder = folder;
    this.#child = child;
    this.uri = uri;
  }

  static async start(t: AsyncCleanup): Promise<DirectoryServer> {
    let removeFolder = (): void => {};
    const folder = temporaryFolder({
      after: (remove) => {
        removeFolder = remove;
      },
    });
    const socket = join(folder, "socket");
    const uri = `ldapi://${encodeURIComponent(socket)}`;
    mkdirSync(join(folder, "db"));
    writeFileSync(
      join(folder, "slapd.conf"),
      `include /etc/ldap/schema/core.schema
include ${SENDMAIL_SCHEMA}
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "${BASE}"
rootdn "${MANAGER}"
rootpw ${PASSWORD}
directory ${join(folder, "db")}
dbnosync
index objectClass,sendmailMTAMapName,sendmailMTAKey eq
`,
    );
    // With -d it stays in the foreground. Whoever kills the tests kills it too.
    const child = spawn(
      nativePath("setpriv"),
      ["--pdeathsig", "KILL", nativePath("slapd"), "-d", "0", "-f", join(folder, "slapd.conf"), "-h", uri],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const server = new DirectoryServer(folder, child, uri);
    t.after(async () => {
      await server.#stop();
      removeFolder();
    });
    let complaint = "";
    child.stderr.on("data", (text: Buffer) => {
      complaint += text.toString();
    });
    for (const end = Date.now() + PATIENCE; !(await isListening(socket)); ) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`slapd: exit ${child.exitCode}: ${complaint}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    server.add(`dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n`);
    return server;
  }

  /** @throws {Error} with what ldapadd says. */
  add(ldif: string): void {
    const said = this.tryToAdd(ldif);
    if (said !== "") throw new Error(said);
  }

  /** @returns what ldapadd complains of: "" where it is done. */
  tryToAdd(ldif: string): string {
    const args = ["-x", "-H", this.uri, "-D", MANAGER, "-w", PASSWORD];
    const { status, stderr } = runNative("ldapadd", args, { input: Buffer.from(ldif, "latin1") });
    return status === 0 ? "" : stderr.toString();
  }

  /** As whoever asks: nobody in particular. */
  search(filter: string, attributes: readonly string[] = []): Entry[] {
    const args = ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", this.uri, "-b", BASE, filter, ...attributes];
    const { status, stdout, stderr } = runNative("ldapsearch", args);
    if (status !== 0) throw new Error(`ldapsearch: ${stderr}`);
    return readEntries(stdout.toString("latin1"));
  }

  /** A file beside its own, for programs that read one. */
  file(name: string, content: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content, { encoding: "latin1", mode: 0o600 });
    return path;
  }

  async #stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE);
    await ended;
    clearTimeout(killer);
  }
}

function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on("error", () => resolve(false));
  });
}

/** LDIF as RFC 2849 has it, without changes and URLs. */
export function readEntries(ldif: string): Entry[] {
  const blocks = ldif
    .replace(/\n /g, "")
    .replace(/^version: 1\n/, "")
    .split(/\n\n+/);
  return blocks.flatMap((block) => {
    const lines = block.split("\n").filter((line) => line !== "");
    if (lines.length === 0) return [];
    const pairs = lines.map(readLine);
    const [first, ...rest] = pairs;
    if (first?.[0] !== "dn") throw new Error(`no dn: ${block}`);
    const attributes = new Map<string, string[]>();
    for (const [name, value] of rest) attributes.set(name, [...(attributes.get(name) ?? []), value]);
    return [{ dn: first[1], attributes }];
  });
}

function readLine(line: string): [string, string] {
  const [, name = "", mark = "", value = ""] = /^([A-Za-z][A-Za-z0-9-]*):(:?) *(.*)$/s.exec(line) ?? [];
  if (name === "") throw new Error(`no attribute: ${line}`);
  if (mark === "") {
    // SAFE-STRING.
    if (/^[ :<]|[\0\r\n\x80-\xff]/.test(value)) throw new Error(`not safe: ${line}`);
    return [name, value];
  }
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)) throw new Error(`no Base64: ${line}`);
  return [name, Buffer.from(value, "base64").toString("latin1")];
}
