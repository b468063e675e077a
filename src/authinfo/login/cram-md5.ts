/**
 * CRAM-MD5 (RFC 2195), as Cyrus SASL 2.1.28's client has it (plugins/cram.c).
 */
import { nodeCrypto } from "../../files/late.ts";
import { type Conversation, type Login, LoginError } from "./conversation.ts";

/** The client takes no longer one. */
const LONGEST_CHALLENGE = 1024;

export function* cramMd5({ authenticationId, password }: Login): Conversation {
  const challenge = yield { bytes: undefined };
  if (challenge.length === 0) throw new LoginError("challenge", "its challenge is empty, or no base64");
  if (challenge.length > LONGEST_CHALLENGE) throw new LoginError("challenge", "its challenge is too long");
  const digest = nodeCrypto().createHmac("md5", password).update(challenge).digest("hex");
  yield { bytes: Buffer.concat([authenticationId, Buffer.from(` ${digest}`)]), isLast: true };
}
