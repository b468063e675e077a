/**
 * The mechanisms that send the password: PLAIN (RFC 4616) and LOGIN (an expired
 * draft, draft-murchison-sasl-login), as Cyrus SASL 2.1.28's client has them.
 */
import type { Conversation, Login } from "./conversation.ts";

/** The authorization id is sent even where it is that of the user. */
export function* plain({ authorizationId, authenticationId, password }: Login): Conversation {
  const nul = Buffer.alloc(1);
  yield { bytes: Buffer.concat([authorizationId ?? new Uint8Array(), nul, authenticationId, nul, password]), isLast: true };
}

/** What the server asks with is not looked at. */
export function* login({ authenticationId, password }: Login): Conversation {
  yield { bytes: undefined };
  yield { bytes: authenticationId, isName: true };
  yield { bytes: password, isLast: true };
}
