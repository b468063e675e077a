/**
 * Two machines and a wire between them, in namespaces of Linux: a mail relay
 * and a client with a host name, an address, /etc, /var/spool, /var/mail and
 * /run of their own, so that nothing of the machine's own mail set-up is seen
 * or touched, and sendmail finds each file where a guide says it is.
 *
 * All of it hangs on one process, the first of its own process namespace:
 * when that ends, or the test does, the kernel ends everything inside, and
 * the namespaces with their mounts and wires are gone.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HOSTS, type MachineName, MOUNTS, type Reply, type Request } from "./mail-network-protocol.ts";
import { areToolsRequired, type NativeTool, nativePath, needs, type Skippable } from "./native.ts";
import { isRoot, type Outcome } from "./program.ts";
import type { Cleanup } from "./temp.ts";

const TOOLS: readonly NativeTool[] = ["unshare", "nsenter", "mount", "hostname", "ip"];

const NAMESPACES = ["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];

let refusal: string | undefined;

/** Why root cannot have such namespaces, as in many a container; empty where it can. */
function whyNoNamespaces(): string {
  const wire = [nativePath("ip"), "link", "add", "wire", "type", "veth", "peer", "name", "end"];
  if (refusal === undefined) {
    const { status, signal, stderr } = spawnSync(nativePath("unshare"), [...NAMESPACES, ...wire], { encoding: "utf8", timeout: 30_000 });
    refusal = status === 0 ? "" : stderr.trim() || `unshare ends with ${status ?? signal}`;
  }
  return refusal;
}

/**
 * Whether there can be such a network; if not, the test is marked as skipped
 * and has to return.
 * @throws {Error} where native tools are required, and root cannot have it.
 */
export function needsNetwork(t: Skippable, ...tools: readonly NativeTool[]): boolean {
  if (!needs(t, ...TOOLS, ...tools)) return false;
  if (!isRoot) {
    // With a namespace of users there would be root alone in it, and sendmail wants others to run as.
    t.skip("needs root, for namespaces");
    return false;
  }
  const why = whyNoNamespaces();
  if (why === "") return true;
  const reason = `needs root that may make namespaces: ${why}`;
  if (areToolsRequired) throw new Error(reason);
  t.skip(reason);
  return false;
}

export interface InsideOptions {
  /** Of user and group; default root. Only the client has others. */
  readonly uid?: number;
  /** Standard input. */
  readonly input?: string;
  /** Milliseconds; default 30 s. It is killed then. */
  readonly timeout?: number;
}

export class Machine {
  readonly #network: MailNetwork;
  readonly #folder: string;
  readonly name: MachineName;
  readonly hostname: string;
  readonly address: string;

  constructor(network: MailNetwork, folder: string, name: MachineName) {
    this.#network = network;
    this.#folder = folder;
    this.name = name;
    this.hostname = HOSTS[name].hostname;
    this.address = HOSTS[name].address;
    mkdirSync(folder);
    for (const [inside, { mode, outside }] of Object.entries(MOUNTS)) {
      mkdirSync(`${folder}/${outside}`);
      // mkdir's mode is less the umask.
      chmodSync(this.path(inside), mode);
    }
    this.write("/etc/hosts", "127.0.0.1 localhost\n");
    this.write("/etc/resolv.conf", `nameserver ${HOSTS.elsewhere.address}\n`);
    this.write("/etc/services", "smtp 25/tcp\nsubmission 587/tcp\n");
    this.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
  }

  /** Where a file of this machine is to be found from outside. */
  path(inside: string): string {
    const mount = Object.entries(MOUNTS).find(([folder]) => inside === folder || inside.startsWith(`${folder}/`));
    if (mount === undefined) throw new Error(`${inside} is not the machine's own`);
    const [folder, { outside }] = mount;
    return `${this.#folder}/${outside}${inside.slice(folder.length)}`;
  }

  /** Folders that are missing are made, for all to read. */
  write(inside: string, content: string | Uint8Array, mode = 0o644): void {
    const path = this.path(inside);
    this.makeFolder(inside.slice(0, inside.lastIndexOf("/")));
    writeFileSync(path, content);
    chmodSync(path, mode);
  }

  makeFolder(inside: string, mode = 0o755): void {
    const path = this.path(inside);
    if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, mode);
  }

  read(inside: string): string {
    return readFileSync(this.path(inside), "latin1");
  }

  /** Runs a program on this machine and waits for its end. */
  run(command: string, args: readonly string[], options: InsideOptions = {}): Promise<Outcome> {
    return this.#network.ask({ run: this.name, command, args, options }) as Promise<Outcome>;
  }

  /**
   * Starts a server on this machine and waits until it listens.
   * @param log a file of this machine, for all that it writes.
   * @returns its process, for `stop`.
   */
  start(command: string, args: readonly string[], port: number, log: string): Promise<number> {
    return this.#network.ask({ start: this.name, command, args, port, log: this.path(log) }) as Promise<number>;
  }

  /** Ends what was started, and waits for its end. */
  async stop(pid: number): Promise<void> {
    await this.#network.ask({ stop: pid });
  }
}

export class MailNetwork {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #asked = 0;
  readonly relay: Machine;
  readonly client: Machine;

  /** @throws {Error} where it cannot be built. */
  static async start(t: Cleanup): Promise<MailNetwork> {
    const network = new MailNetwork(mkdtempSync(join(tmpdir(), "tsmakemap-network-")));
    t.after(() => network.stop());
    await network.ask({ build: network.#folder });
    return network;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    const program = fileURLToPath(new URL("mail-network.child.js", import.meta.url));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const args = [...NAMESPACES, process.execPath, program];
    this.#process = spawn(nativePath("unshare"), args, { stdio: ["ignore", "inherit", "inherit", "ipc"], env });
    this.#process.on("message", (reply: Reply) => {
      const { resolve, reject } = this.#waiting.get(reply.id) ?? {};
      this.#waiting.delete(reply.id);
      if (reply.error !== undefined) reject?.(new Error(reply.error));
      else resolve?.(reply.value);
    });
    const fail = (): void => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the network of the machines has ended"));
      this.#waiting.clear();
    };
    this.#process.on("error", fail);
    this.#process.on("exit", fail);
    this.relay = new Machine(this, `${folder}/relay`, "relay");
    this.client = new Machine(this, `${folder}/client`, "client");
  }

  /** What the machines are told to do; see mail-network-protocol.ts. */
  ask(request: Request): Promise<unknown> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ id, request }, (error) => (error === null ? undefined : reject(error)));
    });
  }

  /** The messages that the third host of the network has received, as they were sent. */
  elsewhere(): Promise<string[]> {
    return this.ask({ elsewhere: true }) as Promise<string[]>;
  }

  /** Ends everything, and removes the files of the machines. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      if (this.#process.connected) this.#process.disconnect();
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
