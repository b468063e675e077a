/**
 * The client's side of a SASL mechanism (RFC 4422): what it says, and what it
 * makes of what the server says, without any network.
 */

/** Who logs in; bytes without a NUL, which stay the caller's. */
export interface Login {
  /** For whom; undefined: the user itself. Without the blanks around it, of which one of blanks alone leaves nothing. */
  readonly authorizationId: Uint8Array | undefined;
  readonly authenticationId: Uint8Array;
  readonly password: Uint8Array;
  /** "smtp/" and the server's name, as the client knows it: what DIGEST-MD5 binds its answer to. */
  readonly digestUri: string;
  /** Text that is another one each time: printable, without a comma and quotes. */
  readonly nonce: () => string;
}

export interface ClientMessage {
  /** Undefined as the first of a mechanism in which the server speaks first. */
  readonly bytes: Uint8Array | undefined;
  /** Whether the client has nothing more to say or to check. A server that ends it before has not proved that it knows the password. */
  readonly isLast?: boolean;
  /** Whether it is no more than the user's name. */
  readonly isName?: boolean;
}

/**
 * Yields what the client says, and is given what the server answers.
 * @throws {LoginError} from `next`: the server's answer is not what it has to be.
 */
export type Conversation = Generator<ClientMessage, void, Uint8Array>;

/** What a client does not go on with. Its message does not quote the server. */
export class LoginError extends Error {
  /** "challenge": nothing that could be answered. "proof": the server does not know the password. "refused": the server says no in the mechanism's own words. */
  readonly code: "challenge" | "proof" | "refused";

  constructor(code: LoginError["code"], message: string) {
    super(message);
    this.name = "LoginError";
    this.code = code;
  }
}

/** The bytes, one to a character: texts of these mechanisms are put together as they are. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
