/**
 * An SMTP server that says what a test has written down, on a port of loopback
 * that the system gives.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Cleanup } from "./temp.ts";

/** What a server does next: text goes out as it is, one byte to a character. */
export type Step = string | "drop" | ((socket: Socket) => void);

/** Called with each line of the client, and with undefined for the connection. Undefined: silence. */
export type Script = (line: string | undefined, socket: Socket) => Step | undefined;

/** The name of the step that closes the connection. */
export const DROP = "drop";

export class ScriptedServer {
  readonly #script: Script;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#serve(socket));
  /** All lines of all clients. */
  readonly lines: string[] = [];

  private constructor(script: Script) {
    this.#script = script;
  }

  static async start(t: Cleanup, script: Script): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    t.after(() => {
      server.#server.close();
      for (const socket of server.#sockets) socket.destroy();
    });
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get relay(): string {
    return `[127.0.0.1]:${(this.#server.address() as AddressInfo).port}`;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    this.#do(socket, this.#script(undefined, socket));
    const lines = createInterface({ input: socket });
    // It tells of the connection's end once more.
    lines.on("error", () => {});
    lines.on("line", (line) => {
      this.lines.push(line);
      this.#do(socket, this.#script(line, socket));
    });
  }

  #do(socket: Socket, step: Step | undefined): void {
    if (step === undefined || socket.destroyed) return;
    if (step === DROP) socket.destroy();
    else if (typeof step === "string") socket.write(step, "latin1");
    else step(socket);
  }
}

/** What a server says to what the table does not name. */
const ORDINARY: Readonly<Record<string, Step>> = {
  connection: "220 relay.example.com ESMTP\r\n",
  EHLO: "250-relay.example.com Hello\r\n250 AUTH PLAIN\r\n",
  QUIT: "221 2.0.0 bye\r\n",
};

/**
 * A script by the verbs of the client: "connection", "EHLO", "AUTH", and
 * "response" for what is no command.
 * @param table a list is of what is said the first time, the second, and so on; undefined in it is silence.
 */
export function byVerb(table: Readonly<Record<string, Step | readonly (Step | undefined)[] | undefined>>): Script {
  const count = new Map<string, number>();
  return (line) => {
    const verb = line === undefined ? "connection" : (/^(?:EHLO|HELO|STARTTLS|AUTH|QUIT|MAIL)\b/.exec(line)?.[0] ?? "response");
    const step = verb in table ? table[verb] : ORDINARY[verb];
    const at = count.get(verb) ?? 0;
    count.set(verb, at + 1);
    return Array.isArray(step) ? (step as readonly (Step | undefined)[])[at] : (step as Step | undefined);
  };
}
