/**
 * The inside of mail-network.ts: the first process of the namespaces, which
 * are the client's. It makes the relay's, lays the wire, and is itself the
 * name server and the mail server of the rest of the world.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { HOSTS, type MachineName, MOUNTS, type Request } from "./mail-network-protocol.ts";
import { nativePath } from "./native.ts";
import { type Outcome, run } from "./program.ts";

/** Milliseconds for a server to listen. */
const START_LIMIT = 30_000;

let filesOfMachines: string | undefined;
let relayHolder: ChildProcess;
const servers = new Map<number, ChildProcess>();
const received: string[] = [];

async function must(command: string, args: readonly string[]): Promise<Outcome> {
  const outcome = await run(command, args);
  if (outcome.exit !== 0) throw new Error(`${command} ${args.join(" ")}: ${outcome.stderr}`);
  return outcome;
}

/** The command as the machine runs it: the client's namespaces are these. */
function on(machine: MachineName, command: string, args: readonly string[]): [command: string, args: readonly string[]] {
  if (machine === "client") return [command, args];
  return [nativePath("nsenter"), ["-t", String(relayHolder.pid), "--net", "--mount", "--uts", command, ...args]];
}

async function build(folder: string): Promise<void> {
  filesOfMachines = folder;
  // The namespaces are there when it has said something.
  relayHolder = spawn(nativePath("unshare"), ["--net", "--mount", "--uts", "sh", "-c", "echo; exec sleep infinity"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (relayHolder.stdout !== null) await once(relayHolder.stdout, "data");
  await must(nativePath("ip"), ["link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", String(relayHolder.pid)]);
  for (const machine of ["relay", "client"] as const) {
    await must(...on(machine, nativePath("hostname"), [HOSTS[machine].hostname]));
    const addresses = machine === "relay" ? [HOSTS.relay.address] : [HOSTS.client.address, HOSTS.elsewhere.address];
    for (const address of addresses) await must(...on(machine, nativePath("ip"), ["addr", "add", `${address}/24`, "dev", "wire"]));
    for (const link of ["lo", "wire"]) await must(...on(machine, nativePath("ip"), ["link", "set", link, "up"]));
    for (const [inside, { outside }] of Object.entries(MOUNTS)) {
      await must(...on(machine, nativePath("mount"), ["--bind", `${folder}/${machine}/${outside}`, inside]));
    }
  }
  await serveNames();
  await serveMail();
}

/**
 * A name server (RFC 1035): it knows the addresses of the hosts and the names
 * of the two machines, and of everything else that there is no such record,
 * with the authority to say so: a refusal would be a temporary failure.
 */
async function serveNames(): Promise<void> {
  const [A, PTR, ANSWER] = [1, 12, Buffer.from([0xc0, 12])];
  const records = new Map<string, Buffer>();
  for (const { hostname, address } of Object.values(HOSTS)) {
    const octets = address.split(".");
    records.set(`${hostname} ${A}`, Buffer.from(octets.map(Number)));
    if (hostname === HOSTS.elsewhere.hostname) continue;
    const labels = hostname.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
    records.set(`${octets.reverse().join(".")}.in-addr.arpa ${PTR}`, Buffer.concat([...labels, Buffer.of(0)]));
  }
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    let end = 12;
    const labels: string[] = [];
    for (let length = query[end] ?? 0; length !== 0; length = query[end] ?? 0) {
      labels.push(query.toString("latin1", end + 1, end + 1 + length).toLowerCase());
      end += 1 + length;
    }
    const type = query.readUInt16BE(end + 1);
    const data = records.get(`${labels.join(".")} ${type}`);
    // Identification of the query; an answer with authority, recursion as asked; one question.
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8480 | (query.readUInt16BE(2) & 0x0100), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(data === undefined ? 0 : 1, 6);
    const answer: Buffer[] = [header, query.subarray(12, end + 5)];
    if (data !== undefined) {
      const fixed = Buffer.alloc(10);
      fixed.writeUInt16BE(type, 0);
      // Internet; an hour.
      fixed.writeUInt16BE(1, 2);
      fixed.writeUInt32BE(3600, 4);
      fixed.writeUInt16BE(data.length, 8);
      answer.push(ANSWER, fixed, data);
    }
    socket.send(Buffer.concat(answer), from.port, from.address);
  });
  socket.bind(53, HOSTS.elsewhere.address);
  await once(socket, "listening");
}

/** A mail server (RFC 5321) that takes everything and keeps it. */
async function serveMail(): Promise<void> {
  const server = createServer((socket) => void receive(socket).catch(() => socket.destroy()));
  server.listen(25, HOSTS.elsewhere.address);
  await once(server, "listening");
}

async function receive(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  const say = (text: string): boolean => socket.write(`${text}\r\n`);
  say(`220 ${HOSTS.elsewhere.hostname} ESMTP`);
  let message: string[] | undefined;
  for await (const line of createInterface({ input: socket.setEncoding("latin1") })) {
    if (message !== undefined) {
      if (line !== ".") message.push(line);
      else {
        received.push(message.join("\n"));
        message = undefined;
        say("250 kept");
      }
    } else if (/^DATA$/i.test(line)) {
      message = [];
      say("354 go on");
    } else if (/^QUIT$/i.test(line)) {
      socket.end("221 bye\r\n");
    } else say("250 ok");
  }
}

async function isListening(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function start({ start: machine, command, args, port, log }: Extract<Request, { start: MachineName }>): Promise<number> {
  const output = openSync(log, "a");
  const server = spawn(...on(machine, command, args), {
    stdio: ["ignore", output, output],
    cwd: "/",
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
  closeSync(output);
  let failure = "";
  server.on("error", (error) => {
    failure = error.message;
  });
  server.on("exit", (code, signal) => {
    failure = `ended: ${code ?? signal}`;
  });
  for (const end = Date.now() + START_LIMIT; !(await isListening(HOSTS[machine].address, port)); await delay(20)) {
    if (Date.now() > end) failure ||= "does not listen";
    if (failure !== "") throw new Error(`${command}: ${failure}`);
  }
  const pid = server.pid as number;
  servers.set(pid, server);
  return pid;
}

async function stop(pid: number): Promise<void> {
  const server = servers.get(pid);
  servers.delete(pid);
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) throw new Error(`process ${pid} is not there`);
  const ended = once(server, "exit");
  server.kill();
  await ended;
}

async function answer(request: Request): Promise<unknown> {
  if ("build" in request) return build(request.build);
  if ("run" in request) return run(...on(request.run, request.command, request.args), { cwd: "/", timeout: 30_000, ...request.options });
  if ("start" in request) return start(request);
  if ("stop" in request) return stop(request.stop);
  return received;
}

process.on("message", ({ id, request }: { id: number; request: Request }) => {
  answer(request).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
// The test is over, or gone: with this process everything in its namespaces ends.
process.on("disconnect", () => {
  for (const server of servers.values()) server.kill("SIGKILL");
  // One that is gone removes nothing any more.
  if (filesOfMachines !== undefined) rmSync(filesOfMachines, { recursive: true, force: true });
  process.exit();
});
