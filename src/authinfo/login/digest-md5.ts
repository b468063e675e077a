/**
 * DIGEST-MD5 (RFC 2831) without a security layer, as Cyrus SASL 2.1.28's client
 * has it (plugins/digestmd5.c), and sendmail's callbacks for it.
 */
import { nodeCrypto } from "../../files/late.ts";
import { type Conversation, type Login, LoginError, latin1 } from "./conversation.ts";

/** RFC 2831, section 2.1.1. */
const LONGEST_CHALLENGE = 2048;
/** What sendmail says that it takes; without a security layer it has no meaning. */
const MAXBUF = 8192;

export function* digestMd5({ authorizationId, authenticationId, password, digestUri, nonce }: Login): Conversation {
  const challenge = readChallenge(yield { bytes: undefined }, digestUri);
  const cnonce = nonce();
  // The user's own name is not sent as that of another.
  const isSent = authorizationId !== undefined && Buffer.compare(authorizationId, authenticationId) !== 0;
  const authzid = isSent ? latin1(authorizationId) : undefined;

  const secret = md5([authenticationId, Buffer.from(challenge.realm, "latin1"), password].map((part) => latin1(hashed(part))).join(":"));
  const a1 = Buffer.concat([
    secret,
    Buffer.from([``, challenge.nonce, cnonce, ...(authzid === undefined ? [] : [authzid])].join(":"), "latin1"),
  ]);
  const proof = (a2: string): string =>
    hex([hex(a1), challenge.nonce, "00000001", cnonce, "auth", hex(Buffer.from(a2, "latin1"))].join(":"));

  const response = [
    `username=${quoted(latin1(authenticationId))}`,
    `realm=${quoted(challenge.realm)}`,
    ...(authzid === undefined ? [] : [`authzid=${quoted(authzid)}`]),
    `nonce=${quoted(challenge.nonce)}`,
    `cnonce=${quoted(cnonce)}`,
    "nc=00000001",
    "qop=auth",
    ...(challenge.isUtf8 ? ["charset=utf-8"] : []),
    `maxbuf=${MAXBUF}`,
    `digest-uri=${quoted(digestUri)}`,
    `response=${proof(`AUTHENTICATE:${digestUri}`)}`,
  ];
  const answer = readDirectives(yield { bytes: Buffer.from(response.join(","), "latin1") });
  if (answer.get("rspauth")?.[0] !== proof(`:${digestUri}`)) {
    throw new LoginError("proof", "its answer (rspauth) is not that of a server that knows the password");
  }
  yield { bytes: new Uint8Array(), isLast: true };
}

interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly isUtf8: boolean;
}

/** @throws {LoginError} */
function readChallenge(bytes: Uint8Array, digestUri: string): Challenge {
  const directives = readDirectives(bytes);
  const all = (name: string): readonly string[] => directives.get(name) ?? [];
  const [nonce, ...nonces] = all("nonce");
  if (nonce === undefined || nonces.length > 0) throw new LoginError("challenge", "its challenge has no nonce, or several");
  const algorithms = all("algorithm");
  if (algorithms.length !== 1 || algorithms[0]?.toLowerCase() !== "md5-sess") {
    throw new LoginError("challenge", "its challenge does not ask for the algorithm md5-sess");
  }
  const layers = all("qop").flatMap((list) => list.toLowerCase().split(/[\s,]+/));
  if (layers.length > 0 && !layers.includes("auth"))
    throw new LoginError("challenge", "it wants a security layer, and offers none to go without");
  const realms = all("realm");
  // sendmail is asked which, and takes the list for something else: it finds no realm in it.
  if (realms.length > 1) throw new LoginError("challenge", "it offers several realms, of which sendmail cannot choose one");
  return {
    realm: realms[0] ?? digestUri.slice(digestUri.indexOf("/") + 1),
    nonce,
    isUtf8: all("charset").some((name) => name.toLowerCase() === "utf-8"),
  };
}

const DIRECTIVE = /[\s,]*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/sy;

/** RFC 2831, section 7.1: `name=value` and `name="value"`, with commas between them. */
function readDirectives(bytes: Uint8Array): ReadonlyMap<string, readonly string[]> {
  const text = latin1(bytes);
  const directives = new Map<string, string[]>();
  if (text.length > LONGEST_CHALLENGE) throw new LoginError("challenge", "its challenge is too long");
  DIRECTIVE.lastIndex = 0;
  for (let at = 0; at < text.length; at = DIRECTIVE.lastIndex) {
    const found = DIRECTIVE.exec(text);
    if (found === null) throw new LoginError("challenge", "its challenge is no list of directives");
    const [, name = "", quotedValue, token = ""] = found;
    const values = directives.get(name.toLowerCase()) ?? [];
    values.push(quotedValue?.replace(/\\(.)/gs, "$1") ?? token);
    directives.set(name.toLowerCase(), values);
  }
  return directives;
}

/** UTF-8 that is Latin-1 is hashed as that; other text as it is. */
function hashed(part: Uint8Array): Uint8Array {
  const text = Buffer.from(part).toString();
  return Buffer.from(text).equals(part) && /^[\0-\xff]*$/.test(text) ? Buffer.from(text, "latin1") : part;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function md5(text: string | Uint8Array): Buffer {
  return nodeCrypto()
    .createHash("md5")
    .update(typeof text === "string" ? Buffer.from(text, "latin1") : text)
    .digest();
}

function hex(text: string | Uint8Array): string {
  return md5(text).toString("hex");
}
