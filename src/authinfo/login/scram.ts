/**
 * The SCRAM mechanisms (RFC 5802, RFC 7677) without channel binding, as Cyrus
 * SASL 2.1.28's client has them (plugins/scram.c): the password is taken as it is.
 */
import { nodeCrypto } from "../../files/late.ts";
import { type ScramMechanism, scramClientKeys, scramDigestName } from "../../sasldb/scram.ts";
import { decodeBase64 } from "../base64.ts";
import { type Conversation, type Login, LoginError, latin1 } from "./conversation.ts";

/** More would keep this process busy for a second and longer; servers take some thousands. */
const MOST_ITERATIONS = 1_000_000;

const SERVER_FIRST = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=([1-9]\d{0,9})(?:,|$)/;
const SERVER_FINAL = /^(?:v=([A-Za-z0-9+/=]+)|e=.*?)(?:,|$)/s;

export function* scram(mechanism: ScramMechanism, { authorizationId, authenticationId, password, nonce }: Login): Conversation {
  const header = authorizationId === undefined ? "n,," : `n,a=${saslName(authorizationId)},`;
  const clientNonce = nonce();
  const clientFirst = `n=${saslName(authenticationId)},r=${clientNonce}`;
  const serverFirst = latin1(yield { bytes: Buffer.from(header + clientFirst, "latin1") });

  const [, fullNonce = "", saltText = "", count] = SERVER_FIRST.exec(serverFirst) ?? [];
  const salt = decodeBase64(Buffer.from(saltText));
  if (count === undefined || !(salt instanceof Uint8Array))
    throw new LoginError("challenge", "its challenge has no nonce, salt and iteration count");
  if (!fullNonce.startsWith(clientNonce) || fullNonce === clientNonce)
    throw new LoginError("challenge", "its nonce is not made from the client's");
  const iterations = Number(count);
  if (iterations > MOST_ITERATIONS) throw new LoginError("challenge", `it asks for more than ${MOST_ITERATIONS} iterations`);

  const { clientKey, storedKey, serverKey } = scramClientKeys(password, { mechanism, salt, iterations });
  const withoutProof = `c=${Buffer.from(header, "latin1").toString("base64")},r=${fullNonce}`;
  const message = Buffer.from([clientFirst, serverFirst, withoutProof].join(","), "latin1");
  const sign = (key: Uint8Array): Buffer => nodeCrypto().createHmac(scramDigestName(mechanism), key).update(message).digest();
  const signature = sign(storedKey);
  const proof = clientKey.map((byte, i) => byte ^ (signature[i] as number));

  const serverFinal = latin1(yield { bytes: Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString("base64")}`, "latin1") });
  const final = SERVER_FINAL.exec(serverFinal);
  if (final === null) throw new LoginError("challenge", "its last message is no server signature");
  if (final[1] === undefined) throw new LoginError("refused", "it answers with an error of SCRAM");
  if (final[1] !== sign(serverKey).toString("base64")) {
    throw new LoginError("proof", "its signature is not that of a server that knows the password");
  }
  yield { bytes: new Uint8Array(), isLast: true };
}

/** RFC 5802, section 5.1: "," and "=" are spelt out. */
function saslName(name: Uint8Array): string {
  return latin1(name).replaceAll("=", "=3D").replaceAll(",", "=2C");
}
