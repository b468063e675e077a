/**
 * The guide of docs/aix-relay.md on two machines: a relay and a client with the
 * stock configuration of sendmail-cf, on which each step is done as the guide
 * says it, with this toolkit's programs. What stands besides in the files of
 * the machines is what Debian's packages would have put there.
 */
import { chownSync, existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Machine, MailNetwork } from "./mail-network.ts";
import { HOSTS } from "./mail-network-protocol.ts";
import { type NativeTool, nativePath, runNative, SENDMAIL_CF } from "./native.ts";
import { launcherOf, type Outcome } from "./program.ts";
import type { Cleanup } from "./temp.ts";

/** What `needsNetwork` has to be asked for. */
export const GUIDE_TOOLS: readonly NativeTool[] = ["sendmail", "sendmail cf", "m4", "sasl plugins", "sasl sasldb plugin"];

/** Of the mail's two ends: a user of each machine, in both for simplicity. */
const [READER, SENDER] = ["reader", "sender"];
const SENDER_ID = 2002;
const MSP_ID = 2003;

const LOG = "/run/log";
const MAP = "/etc/mail/authinfo/smtp-auth";
const SENDMAIL_CF_FILE = "/etc/mail/sendmail.cf";
const SUBMIT_CF_FILE = "/etc/mail/submit.cf";
const SASLDB = "/etc/sasldb2";

/** What the guide has for the client. */
const CLIENT_MECHANISMS = "EXTERNAL GSSAPI DIGEST-MD5 CRAM-MD5 LOGIN PLAIN";

/** Milliseconds within which the relay has to have delivered what it took. */
const DELIVERY_LIMIT = 20_000;

export interface RelaySettings {
  /** In place of the guide's own list, to have one of them tried. */
  readonly mechanisms?: string;
  /** Whether the daemon asks everyone to authenticate, as in the guide. */
  readonly requiresAuth?: boolean;
  /** The lines of relay-domains. */
  readonly domains?: readonly string[];
}

/** What one submission came to. */
export interface Submission {
  /** What `sendmail -v` showed the sender: the dialogue with the relay. */
  readonly transcript: string;
  /** The mechanisms that the relay offered. */
  readonly offered: readonly string[];
  /** The mechanisms in the order in which the client tried them, and the reply to each. */
  readonly attempts: readonly { readonly mechanism: string; readonly reply: string }[];
  /** The relay's reply to the last command that it refused, without those of AUTH. */
  readonly refusal: string | undefined;
  /** What the relay logged meanwhile. */
  readonly log: string;
  /** In words of `tsmap auth`. */
  readonly outcome: "authenticated" | "sent-without-auth" | "deferred";
}

/** What is used here of the JSON of three commands of tsmap. */
export interface Predictions {
  readonly auth: {
    readonly outcome: Submission["outcome"];
    readonly mechanism: string | null;
    readonly verdicts: readonly { readonly mechanism: string; readonly isAccepted: boolean }[];
  };
  readonly resolve: { readonly outcome: string; readonly mechanisms: readonly string[]; readonly ifRefused: string | null };
  readonly probe: {
    readonly outcome: Submission["outcome"];
    readonly mechanism: string | null;
    readonly attempts: readonly { readonly mechanism: string; readonly code: number }[];
  };
}

/** A configuration of sendmail-cf. */
function stockConfiguration(mc: string): string {
  const { stdout, stderr, status } = runNative("m4", [`-D_CF_DIR_=${SENDMAIL_CF}`, `${SENDMAIL_CF}m4/cf.m4`, "-"], { input: mc });
  if (status !== 0) throw new Error(`m4: ${stderr}`);
  return stdout.toString("latin1");
}

function stockSendmailCf(mailLocal: string): string {
  // linux.m4 has procmail deliver; the package of sendmail brings mail.local.
  return stockConfiguration(`OSTYPE(linux)
DOMAIN(generic)
define(\`LOCAL_MAILER_PATH', \`${mailLocal}')
define(\`LOCAL_MAILER_ARGS', \`mail.local -d $u')
MAILER(local)
MAILER(smtp)
`);
}

export class GuideMachines {
  readonly network: MailNetwork;
  readonly #sendmail: string = realpathSync(nativePath("sendmail"));
  readonly #mspGroup: number;
  /** The relay's sendmail.cf when the guide is through with it. */
  #patched = "";
  #daemon: number | undefined;
  #serial = 0;

  /** The two machines with sendmail's stock configuration, and nothing of the guide done. */
  static async start(t: Cleanup): Promise<GuideMachines> {
    const machines = new GuideMachines(await MailNetwork.start(t));
    await machines.#prepare();
    return machines;
  }

  private constructor(network: MailNetwork) {
    this.network = network;
    // It is set-group-ID, of the group that may read the client's map and queue.
    this.#mspGroup = statSync(this.#sendmail).gid;
  }

  get relay(): Machine {
    return this.network.relay;
  }

  get client(): Machine {
    return this.network.client;
  }

  async #prepare(): Promise<void> {
    const users = [
      "root:x:0:0::/:/bin/sh",
      "daemon:x:1:1::/:/bin/false",
      `${READER}:x:2001:2001::/:/bin/sh`,
      `${SENDER}:x:${SENDER_ID}:${SENDER_ID}::/:/bin/sh`,
      `smmsp:x:${MSP_ID}:${this.#mspGroup}::/:/bin/false`,
    ];
    for (const machine of [this.relay, this.client]) {
      machine.write("/etc/passwd", `${users.join("\n")}\n`);
      machine.write("/etc/group", `root:x:0:\ndaemon:x:1:\nmail:x:8:\nsmmsp:x:${this.#mspGroup}:\n`);
    }
    this.relay.write(SENDMAIL_CF_FILE, stockSendmailCf(`${dirname(this.#sendmail)}/mail.local`));
    // As in AIX's, so that the guide's first step has something to do.
    this.rewrite(this.relay, SENDMAIL_CF_FILE, (cf) => cf.replace(/^FR-o/m, "#FR-o"));
    this.relay.write("/etc/mail/local-host-names", "");
    this.relay.write("/etc/mail/aliases", "postmaster: root\nMAILER-DAEMON: root\n");
    this.relay.makeFolder("/var/spool/mqueue", 0o700);
    this.relay.makeFolder("/run/sendmail/mta");
    this.relay.write("/usr/lib/sasl2/Sendmail.conf", "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n");
    await this.#must(this.relay, this.#sendmail, ["-bi"]);

    this.client.write(SUBMIT_CF_FILE, stockConfiguration(readFileSync(`${SENDMAIL_CF}cf/submit.mc`, "latin1")));
    // However busy the machine is with other tests, mail does not wait.
    for (const [machine, file] of [
      [this.relay, SENDMAIL_CF_FILE],
      [this.client, SUBMIT_CF_FILE],
    ] as const) {
      this.rewrite(machine, file, (cf) => cf.replace(/^#O (QueueLA|RefuseLA)=.*$/gm, "O $1=10000"));
    }
    this.client.makeFolder("/var/spool/clientmqueue", 0o770);
    chownSync(this.client.path("/var/spool/clientmqueue"), MSP_ID, this.#mspGroup);
    this.client.makeFolder("/etc/mail/authinfo");
  }

  async #must(machine: Machine, command: string, args: readonly string[], input = ""): Promise<Outcome> {
    const outcome = await machine.run(command, args, { input });
    if (outcome.exit !== 0)
      throw new Error(`${command} ${args.join(" ")}: ${outcome.exit ?? outcome.signal}: ${outcome.stderr}${outcome.stdout}`);
    return outcome;
  }

  /** One of our programs, as it would be typed on that machine. */
  #ours(machine: Machine, program: string, args: readonly string[], input = ""): Promise<Outcome> {
    return this.#must(machine, process.execPath, [launcherOf(program), ...args], input);
  }

  /** Changes a file of a machine. @throws {Error} where nothing changes. */
  rewrite(machine: Machine, file: string, change: (text: string) => string): void {
    const text = machine.read(file);
    const changed = change(text);
    if (changed === text) throw new Error(`${file} stays as it is`);
    machine.write(file, changed);
  }

  /** What `tsmap cf check` says of the relay's sendmail.cf and of the client's submit.cf. */
  async check(): Promise<{ readonly relay: Outcome; readonly client: Outcome }> {
    const check = (machine: Machine, file: string): Promise<Outcome> =>
      machine.run(process.execPath, [launcherOf("tsmap"), "cf", "check", "--role", machine.name, file]);
    return { relay: await check(this.relay, SENDMAIL_CF_FILE), client: await check(this.client, SUBMIT_CF_FILE) };
  }

  /** The relay's sendmail.cf and the client's submit.cf, changed as the guide says. */
  async patch(): Promise<void> {
    await this.#ours(this.relay, "tsmap", ["cf", "patch", "--role", "relay", SENDMAIL_CF_FILE]);
    await this.#ours(this.client, "tsmap", ["cf", "patch", "--role", "client", "--relay", HOSTS.relay.hostname, SUBMIT_CF_FILE]);
    this.#patched = this.relay.read(SENDMAIL_CF_FILE);
  }

  /** The step for mail to local names: the daemon that it is handed to is the relay's. */
  async patchMtaHost(): Promise<void> {
    const args = ["--role", "client", "--relay", HOSTS.relay.hostname, "--mta-host", HOSTS.relay.hostname];
    await this.#ours(this.client, "tsmap", ["cf", "patch", ...args, SUBMIT_CF_FILE]);
  }

  /** Starts the relay's daemon, or starts it again with other settings. */
  async startRelay({
    mechanisms,
    requiresAuth = true,
    domains = ["austin.example.com", "xyz.example.com"],
  }: RelaySettings = {}): Promise<void> {
    await this.stopRelay();
    this.relay.write(SENDMAIL_CF_FILE, this.#patched);
    const replaceLine = (line: RegExp, by: string): void => this.rewrite(this.relay, SENDMAIL_CF_FILE, (cf) => cf.replace(line, by));
    if (mechanisms !== undefined) replaceLine(/^O AuthMechanisms=.*$/m, `O AuthMechanisms=${mechanisms}`);
    if (!requiresAuth) replaceLine(/^O DaemonPortOptions=Name=MTA, M=Ea$/m, "O DaemonPortOptions=Name=MTA");
    this.relay.write("/etc/mail/relay-domains", domains.map((domain) => `${domain}\n`).join(""));
    // 89.8: what is for the system's log goes to this file, and not into the middle of a dialogue.
    this.#daemon = await this.relay.start(this.#sendmail, ["-D", LOG, "-d89.8", "-bD", "-q30m"], 25, "/run/output");
  }

  async stopRelay(): Promise<void> {
    if (this.#daemon !== undefined) await this.relay.stop(this.#daemon);
    this.#daemon = undefined;
  }

  /** The relay's database, seen from outside. */
  get sasldb(): string {
    return this.relay.path(SASLDB);
  }

  /** The client's map, seen from outside. */
  get map(): string {
    return this.client.path(`${MAP}.db`);
  }

  /** A user of the relay, in a database of its own. @param args of tssaslpasswd, such as a realm or the form of the file. */
  async makeSasldb(user: string, password: string, args: readonly string[] = []): Promise<void> {
    await this.relay.run("rm", ["-f", SASLDB]);
    await this.#ours(this.relay, "tssaslpasswd", [...args, "-p", user], password);
  }

  /** What the guide looks at: the users with their realms. */
  async listSasldb(): Promise<string> {
    return (await this.#ours(this.relay, "tssasldblist", [])).stdout;
  }

  /** The client's map, for the group that the submission runs under. @param args of tsmakemap, such as the form of the file. */
  async makeMap(source: string, args: readonly string[] = [], mode = "640"): Promise<void> {
    await this.#ours(this.client, "tsmakemap", [...args, "hash", MAP], source);
    await this.#must(this.client, "chgrp", [String(this.#mspGroup), `${MAP}.db`]);
    await this.#must(this.client, "chmod", [mode, `${MAP}.db`]);
  }

  /** What tsmap says of the map and the database that are there, and of the relay that runs. @param offered by the relay. */
  async predict(offered: readonly string[]): Promise<Predictions> {
    const { hostname, address } = HOSTS.relay;
    const shared = ["--addr", address, "--client-mechanisms", CLIENT_MECHANISMS, "--json"];
    const server = ["--server-mechanisms", offered.join(" ")];
    const json = async (args: readonly string[]): Promise<unknown> => {
      const { stdout, stderr, exit } = await this.client.run(process.execPath, [launcherOf("tsmap"), ...args, ...shared]);
      if (exit !== 0 && exit !== 1) throw new Error(stderr);
      return JSON.parse(stdout);
    };
    const [auth, resolve, probe] = await Promise.all([
      json(["auth", "--authinfo", this.map, "--sasldb", this.sasldb, "--relay", hostname, ...server]),
      json(["resolve", this.map, "--server", hostname, ...server]),
      json(["probe", "--map", this.map, "--relay", hostname]),
    ]);
    return { auth, resolve, probe } as Predictions;
  }

  /** Hands a message to sendmail on the client, as `mail -v` does. @returns it, when the client is through with it. */
  async submit(recipient: string): Promise<{ readonly body: string; readonly submission: Submission }> {
    const body = `message ${++this.#serial} of ${process.pid}`;
    const before = this.relay.read(LOG).length;
    const { stdout, stderr } = await this.client.run(this.#sendmail, ["-v", "-i", recipient], {
      uid: SENDER_ID,
      input: `Subject: test mail\n\n${body}\n`,
      timeout: 120_000,
    });
    return { body, submission: readTranscript(recipient, stdout + stderr, this.relay.read(LOG).slice(before)) };
  }

  /** The messages of the relay's user. */
  mailbox(): string {
    const path = this.relay.path(`/var/mail/${READER}`);
    return existsSync(path) ? readFileSync(path, "latin1") : "";
  }

  /** Waits until the relay's queue is empty: then what it took is delivered, or came to nothing. */
  async settle(): Promise<void> {
    const queue = this.relay.path("/var/spool/mqueue");
    for (const end = Date.now() + DELIVERY_LIMIT; readdirSync(queue).length > 0; await delay(20)) {
      if (Date.now() > end) throw new Error(`the relay keeps ${readdirSync(queue).join(", ")}:\n${this.relay.read(LOG)}`);
    }
  }
}

function readTranscript(recipient: string, transcript: string, log: string): Submission {
  const attempts: { mechanism: string; reply: string }[] = [];
  let mechanism: string | undefined;
  let refusal: string | undefined;
  for (const line of transcript.split("\n")) {
    const command = /^(?:.*\.\.\. )?>>> (.*)/.exec(line)?.[1];
    if (command !== undefined) {
      const started = /^AUTH (\S+)/.exec(command)?.[1];
      if (started !== undefined) mechanism = started;
    } else if (mechanism !== undefined && /^[245]\d\d /.test(line)) {
      attempts.push({ mechanism, reply: line });
      mechanism = undefined;
    } else if (/^[45]\d\d /.test(line)) refusal ??= line;
  }
  const isAuthenticated = attempts.some(({ reply }) => reply.startsWith("235 "));
  // What is said of the sender is the fate of the report to him.
  const isDeferred = transcript.split("\n").some((line) => line.startsWith(`${recipient}... Deferred: `));
  const offered = /^250[- ]AUTH (.*)/m.exec(transcript)?.[1]?.trim().split(" ") ?? [];
  return {
    transcript,
    offered,
    attempts,
    refusal,
    log,
    outcome: isAuthenticated ? "authenticated" : isDeferred ? "deferred" : "sent-without-auth",
  };
}
