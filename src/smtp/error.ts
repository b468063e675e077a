/**
 * Why a dialogue with a server came to no end.
 */

export type SmtpErrorCode =
  /** No connection; `cause` says why. */
  | "connect"
  /** No end in the time given. */
  | "time-limit"
  /** The server closed the connection, or it broke. */
  | "closed"
  /** The server said that it closes the connection: 421. */
  | "closing"
  /** The server does not want to speak to this client, or not in SMTP. */
  | "refused"
  /** What the server said is no reply. */
  | "malformed"
  /** The server said something that nobody asked for. */
  | "unasked"
  /** The server said more than anybody would listen to. */
  | "too-much"
  /** The server does not begin with TLS. */
  | "no-tls"
  /** TLS failed; `cause` says why. */
  | "tls";

export class SmtpError extends Error {
  readonly code: SmtpErrorCode;
  /** What was being done: "connection", "greeting", "EHLO", "AUTH PLAIN", … */
  readonly step: string;
  /** What the server said, on one line and without secrets: text of others. */
  readonly reply: string | undefined;

  constructor(code: SmtpErrorCode, step: string, { reply, cause }: { reply?: string | undefined; cause?: unknown } = {}) {
    super(`${code} at ${step}`, { cause });
    this.name = "SmtpError";
    this.code = code;
    this.step = step;
    this.reply = reply;
  }
}
