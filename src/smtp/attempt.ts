/**
 * AUTH (RFC 4954) with one mechanism, as attemptauth() of sendmail 8.17.1
 * (usersmtp.c) does it.
 */
import { decodeBase64 } from "../authinfo/base64.ts";
import { type ClientMessage, type Conversation, LoginError } from "../authinfo/login/conversation.ts";
import type { Reply } from "./reply.ts";

export interface Attempt {
  readonly mechanism: string;
  /**
   * "accepted": 235. "refused": 5xx, or the client gave up. "temporary": any
   * other answer. After all but the first sendmail tries the next mechanism.
   */
  readonly result: "accepted" | "refused" | "temporary";
  /** The last reply. */
  readonly reply: Reply;
  /** Why the client gave up; undefined where it did not. */
  readonly problem: LoginError | undefined;
  /** Whether the client has checked all that it can of the server, in a mechanism that has such a thing. */
  readonly isProven: boolean;
}

/** Sends a line, and gives the reply. */
export type Ask = (line: string, message: ClientMessage | undefined) => Promise<Reply>;

const CANCEL = "*";

/** @throws what `ask` throws. */
export async function attempt(mechanism: string, conversation: Conversation, ask: Ask): Promise<Attempt> {
  let message: ClientMessage = conversation.next().value ?? { bytes: undefined };
  let reply = await ask(`AUTH ${mechanism}${initialResponse(message.bytes)}`, message);
  for (;;) {
    const { code } = reply;
    const isProven = message.isLast === true;
    if (code === 235) return { mechanism, result: "accepted", reply, problem: undefined, isProven };
    if (code !== 334) return { mechanism, result: code >= 500 ? "refused" : "temporary", reply, problem: undefined, isProven };
    try {
      message = nextOf(conversation, challengeOf(reply));
    } catch (problem) {
      if (!(problem instanceof LoginError)) throw problem;
      return { mechanism, result: "refused", reply: await ask(CANCEL, undefined), problem, isProven: false };
    }
    reply = await ask(base64(message.bytes), message);
  }
}

function initialResponse(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  return bytes.length === 0 ? " =" : ` ${base64(bytes)}`;
}

/** @throws {LoginError} */
function nextOf(conversation: Conversation, challenge: Uint8Array): ClientMessage {
  const { done, value } = conversation.next(challenge);
  if (done === true || value === undefined) throw new LoginError("challenge", "it asks for more than the mechanism has");
  return value;
}

/** sendmail takes what is no base64 for nothing. */
function challengeOf({ lines }: Reply): Uint8Array {
  const decoded = decodeBase64(Buffer.from(lines.at(-1) ?? "", "latin1"));
  return decoded instanceof Uint8Array ? decoded : new Uint8Array();
}

function base64(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
