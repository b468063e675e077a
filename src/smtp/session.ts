/**
 * A dialogue with an SMTP server, from the connection to QUIT, in which a client
 * logs in and sends no mail.
 *
 * Greeting, EHLO, STARTTLS (RFC 3207) and the reading of replies are
 * nodemailer's. What it leaves open is here: the host's addresses as the system
 * knows them, one limit for all of the time and one for all that a server says,
 * and what is a reply.
 */
import { connect, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import SMTPConnection, { type SMTPConnectionCustomAuthContext } from "nodemailer/lib/smtp-connection";
import type { Conversation } from "../authinfo/login/conversation.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { SmtpError, type SmtpErrorCode } from "./error.ts";
import { offeredMechanisms, offersStartTls, parseReply, type Reply } from "./reply.ts";
import { MASK, SecretMask } from "./secret-mask.ts";

/** Bytes of all that a server may say, and of one reply. */
const MOST_BYTES = 1 << 20;
const LONGEST_REPLY = 1 << 16;
/** Milliseconds between two looks at how much it was. */
const BYTES_INTERVAL = 25;
/** Milliseconds in which a server may say good-bye. */
const QUIT_LIMIT = 1000;
/** Milliseconds in which one of several addresses has to answer; there may be many of them. */
const ADDRESS_LIMIT = 5000;

export interface SessionOptions {
  /** A name or an address; the one that a certificate has to have. */
  readonly host: string;
  readonly port: number;
  /** Where to connect to, if not to what the host's name stands for. */
  readonly address?: string | undefined;
  /** STARTTLS, without which nothing goes on; undefined for none. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "rejectUnauthorized"> | undefined;
  /** Milliseconds for all of it. */
  readonly timeLimit: number;
  /** Mechanisms that `login` is called with. */
  readonly mechanisms: Iterable<string>;
  /** Called for each line of the dialogue, without secrets: text of others. */
  readonly onLine?: ((from: "client" | "server", line: string) => void) | undefined;
}

/** The rest of `login`'s arguments, through nodemailer. */
interface Task {
  readonly conversation: Conversation;
  readonly settle: (attempt: Promise<Attempt>) => void;
}

export class SmtpSession {
  readonly #options: SessionOptions;
  readonly #socket: Socket;
  readonly #connection: SMTPConnection;
  readonly #mask = new SecretMask();
  readonly #failure: Promise<never>;
  readonly #timers: NodeJS.Timeout[] = [];
  #fail: (error: SmtpError) => void = () => {};
  #isOver = false;
  #step = "connection";
  #reply: Reply | undefined;
  #ehlo: Reply | undefined;

  private constructor(options: SessionOptions) {
    this.#options = options;
    const { host, port, address, tls, timeLimit } = options;
    this.#failure = new Promise((_, reject) => {
      this.#fail = (error): void => {
        reject(error);
        this.close();
      };
    });
    this.#failure.catch(() => {});
    this.#socket = connect({ host: address ?? host, port, autoSelectFamilyAttemptTimeout: ADDRESS_LIMIT });
    this.#socket.on("error", (cause) => this.#fail(this.#error(this.#step === "connection" ? "connect" : "closed", { cause })));
    this.#timers.push(
      setTimeout(() => this.#fail(this.#error("time-limit")), timeLimit),
      setInterval(() => this.#socket.bytesRead > MOST_BYTES && this.#fail(this.#error("too-much")), BYTES_INTERVAL),
    );
    // Its own limits are never reached: what they are of is part of ours.
    const unreached = 2 * timeLimit + 1000;
    this.#connection = new SMTPConnection({
      ...{ host, port, connection: this.#socket },
      ...(tls === undefined ? { ignoreTLS: true } : { requireTLS: true, tls }),
      ...{ connectionTimeout: unreached, greetingTimeout: unreached, socketTimeout: unreached, socketCloseTimeout: 0 },
      ...{
        maxResponseSize: LONGEST_REPLY,
        transactionLog: true,
        logger: { debug: (entry: unknown, text: unknown) => this.#hear(entry, text) },
      },
      customAuth: Object.fromEntries([...options.mechanisms].map((name) => [name, (context) => this.#attempt(context)])),
    });
    this.#connection.on("error", (error: Error) => this.#fail(this.#translate(error)));
    this.#connection.on("end", () => this.#fail(this.#error("closed")));
  }

  /**
   * Connects, and says EHLO; with `tls` once more after STARTTLS.
   * @throws {SmtpError}
   */
  static async open(options: SessionOptions): Promise<SmtpSession> {
    const session = new SmtpSession(options);
    const opened = new Promise<void>((resolve) => {
      session.#socket.once("connect", () => {
        session.#step = "greeting";
        // What is wrong is told through its events too, but for a connection that is closed before the greeting.
        session.#connection.connect((error) => (error === undefined ? resolve() : session.#fail(session.#translate(error))));
      });
    });
    await Promise.race([opened, session.#failure]);
    session.#ehlo = session.#reply;
    return session;
  }

  /** The server's address; "" where the connection is over. */
  get address(): string {
    return this.#socket.remoteAddress ?? "";
  }

  /** The mechanisms that the server offers. */
  get mechanisms(): readonly string[] {
    return this.#ehlo === undefined ? [] : offeredMechanisms(this.#ehlo);
  }

  /** Whether the server offers STARTTLS, and was not asked for it. */
  get offersStartTls(): boolean {
    return this.#ehlo !== undefined && offersStartTls(this.#ehlo);
  }

  /** From now on neither the dialogue nor a reply shows these bytes, as they do not show what a login sends. */
  hide(secret: Uint8Array): void {
    this.#mask.add(secret);
  }

  /**
   * Logs in with one mechanism; one after another may be tried.
   * @returns what the server answered, without secrets.
   * @throws {SmtpError} the dialogue is over.
   */
  async login(mechanism: string, conversation: Conversation): Promise<Attempt> {
    const answered = new Promise<Attempt>((resolve, reject) => {
      const task: Task = { conversation, settle: (answer) => answer.then(resolve, reject) };
      this.#connection.login({ method: mechanism, task }, () => {});
    });
    const result = await Promise.race([answered, this.#failure]);
    return { ...result, reply: { code: result.reply.code, lines: [this.#textOf(result.reply)] } };
  }

  /** Says good-bye, whatever the server says to that, and closes the connection. */
  async quit(): Promise<void> {
    if (!this.#isOver) {
      this.#connection.quit();
      const patience = new Promise<void>((resolve) => this.#timers.push(setTimeout(resolve, QUIT_LIMIT)));
      await Promise.race([patience, this.#failure.catch(() => {})]);
    }
    this.close();
  }

  /** Closes the connection at once. */
  close(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#connection.close();
    this.#socket.destroy();
  }

  /** Called by nodemailer, to log in. */
  async #attempt({ auth, method, sendCommand }: SMTPConnectionCustomAuthContext): Promise<void> {
    const { conversation, settle } = auth["task"] as Task;
    const answer = attempt(method, conversation, async (line, message) => {
      if (message?.bytes !== undefined) {
        if (message.isName === true) this.#mask.addBase64(message.bytes);
        else this.#mask.add(message.bytes);
      }
      const isFirst = line.startsWith(`AUTH ${method}`);
      this.#step = isFirst ? `AUTH ${method}` : `a response of ${method}`;
      this.#say("client", shownCommand(line));
      await sendCommand(line);
      // What is no reply has ended the dialogue.
      return this.#reply ?? (await this.#failure);
    });
    settle(answer);
    const { result } = await answer;
    if (result !== "accepted") throw new Error(result);
  }

  /** All lines of the dialogue come by here; those of a login that the client says have been told already. */
  #hear(entry: unknown, text: unknown): void {
    if (this.#isOver || typeof text !== "string") return;
    const from = (entry as { readonly tnx?: unknown }).tnx;
    if (from === "client") {
      const verb = /^(?:EHLO|HELO|STARTTLS|QUIT)\b/.exec(text)?.[0];
      if (verb === undefined) return;
      this.#step = verb;
      this.#say("client", text);
    }
    if (from !== "server") return;
    this.#reply = parseReply(text);
    // A secret may be spread over several lines.
    const isSecret = this.#mask.isSecret(this.#reply?.lines.join("") ?? text);
    for (const line of text.split("\n")) this.#say("server", isSecret ? line.replace(/^(\d{3}[ -])?.*/s, `$1${MASK}`) : line);
    if (this.#reply === undefined) this.#fail(this.#error("malformed"));
    else if (this.#reply.code === 421 && this.#step !== "QUIT") this.#fail(this.#error("closing", { reply: this.#replyText() }));
    else if (this.#step === "STARTTLS" && this.#reply.code === 220) this.#step = "TLS handshake";
  }

  #say(from: "client" | "server", line: string): void {
    this.#options.onLine?.(from, from === "server" ? this.#mask.shown(line) : line);
  }

  #error(code: SmtpErrorCode, more: { readonly reply?: string | undefined; readonly cause?: unknown } = {}): SmtpError {
    return new SmtpError(code, this.#step, more);
  }

  /** Errors of nodemailer have the server's words in them, and are not passed on. */
  #translate(error: Error & { readonly code?: string | undefined; readonly response?: unknown }): SmtpError {
    if (this.#step === "TLS handshake") return this.#error("tls", { cause: error });
    const reply = error.response === undefined ? undefined : this.#replyText();
    if (error.code === "ETLS") return this.#error("no-tls", { reply });
    if (error.code !== "EPROTOCOL") return this.#error(reply === undefined ? "closed" : "refused", { reply });
    if (reply === undefined) return this.#error("too-much");
    return this.#error(/^Unexpected/.test(error.message) ? "unasked" : "refused", { reply });
  }

  #replyText(): string | undefined {
    return this.#reply === undefined ? undefined : `${this.#reply.code} ${this.#textOf(this.#reply)}`.trimEnd();
  }

  #textOf({ lines }: Reply): string {
    return this.#mask.isSecret(lines.join("")) ? MASK : this.#mask.shown(lines.join(" "));
  }
}

/** What a client says in a login, but for its responses. */
function shownCommand(line: string): string {
  const auth = /^AUTH \S+/.exec(line)?.[0];
  if (auth !== undefined) return line === auth ? auth : `${auth} ${MASK}`;
  return line === "*" || line === "" ? line : MASK;
}
