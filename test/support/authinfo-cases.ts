/**
 * The recorded runs of sendmail's client (fixtures/cases, authinfo.md), and
 * what our prediction for one looks like, so that both can be compared.
 */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { RecordBatch } from "berkeley-db-js";
import { type ClientAttempt, type ClientOutcome, predictClient } from "#src/authinfo/client.js";
import { AuthinfoMap, lookUpAuthinfo, type MapFlags } from "#src/authinfo/lookup.js";
import type { AuthinfoCredentials } from "#src/authinfo/value.js";
import { type SourceOptions, SourceParser } from "#src/makemap/source-parser.js";
import { textOf } from "./bytes.ts";
import { fixturesFolder } from "./fixtures.ts";

/** An AUTH exchange as the server saw it. */
export type Exchange =
  | { readonly mech: "PLAIN"; readonly authzid_b64: string; readonly authcid_b64: string; readonly password_b64: string }
  | { readonly mech: "LOGIN"; readonly authcid_b64: string; readonly password_b64: string }
  | { readonly mech: "CRAM-MD5"; readonly authcid: string; readonly digest: string; readonly challenge: string }
  | { readonly mech: "DIGEST-MD5"; readonly fields: Readonly<Record<string, string>> }
  /** Refused before anything was said. */
  | { readonly mech: string };

export interface AuthinfoCase {
  readonly id: string;
  readonly group: string;
  readonly map_source: string;
  readonly map_source_b64: string;
  readonly makemap?: string;
  readonly map_flags?: string;
  readonly client_mechanisms?: readonly string[];
  readonly offer?: readonly string[];
  readonly refuse?: boolean;
  readonly auth_parsed: readonly Exchange[];
  readonly mail_from: string | null;
  readonly log: readonly string[];
  readonly outcome: "authenticated" | "sent-without-auth" | "deferred";
}

export const MECHANISMS: readonly string[] = ["LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5"];
export const SERVER = { name: "[127.0.0.7]", address: "127.0.0.7" };
export const HOSTNAME = "client.example.net";
export const CRAM_CHALLENGE = "<1.2@fake>";
export const DIGEST_REALM = "srv.example";
export const DIGEST_NONCE = "abc";

export function authinfoCases(file: string): readonly AuthinfoCase[] {
  return (JSON.parse(readFileSync(`${fixturesFolder}cases/${file}`, "utf8")) as { readonly cases: readonly AuthinfoCase[] }).cases;
}

/** The records as makemap would store them, by key; of several with a key the first. */
export function recordsOf(source: Uint8Array, options: SourceOptions = {}): ReadonlyMap<string, Uint8Array> {
  const parser = new SourceParser(options);
  const sink = { batch: new RecordBatch(), lines: [], diagnostics: [] };
  parser.write(source, sink);
  parser.end(sink);
  const records = new Map<string, Uint8Array>();
  for (const [key, data] of sink.batch) if (!records.has(textOf(key))) records.set(textOf(key), data.slice());
  return records;
}

function sourceOptions(flags = ""): SourceOptions {
  return { includeNul: flags.includes("N"), keepCase: flags.includes("f"), allowEmptyValue: flags.includes("e") };
}

function mapFlags(flags = ""): MapFlags {
  return { keepCase: flags.includes("f"), nul: flags.includes("N") ? "with" : flags.includes("O") ? "without" : undefined };
}

/** What we say sendmail does. */
export function predictionFor({ map_source_b64, makemap, map_flags, client_mechanisms, offer }: AuthinfoCase): {
  readonly client: ClientOutcome;
  readonly credentials: AuthinfoCredentials | undefined;
} {
  const records = recordsOf(Buffer.from(map_source_b64, "base64"), sourceOptions(makemap));
  const map = new AuthinfoMap((key) => records.get(textOf(key)), mapFlags(map_flags));
  const { entry } = lookUpAuthinfo(map, SERVER);
  const client = predictClient(entry?.value, {
    clientMechanisms: client_mechanisms ?? MECHANISMS,
    serverMechanisms: offer ?? MECHANISMS,
    hostname: HOSTNAME,
  });
  return { client, credentials: entry?.value.credentials };
}

/** The outcome in the recording's words. */
export function outcomeOf(client: ClientOutcome): AuthinfoCase["outcome"] {
  return client.outcome === "authenticates" ? "authenticated" : client.outcome;
}

/** What the server would see of a mechanism, in the recording's form. */
export function exchangeOf(
  mech: string,
  client: ClientAttempt,
  credentials: AuthinfoCredentials,
  recorded: Exchange | undefined,
): Exchange {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const { authorizationId, authenticationId } = client;
  const { password } = credentials;
  const authcid_b64 = base64(authenticationId);
  switch (mech) {
    case "PLAIN":
      return { mech, authzid_b64: base64(authorizationId), authcid_b64, password_b64: base64(password) };
    case "LOGIN":
      return { mech, authcid_b64, password_b64: base64(password) };
    case "CRAM-MD5": {
      const digest = createHmac("md5", password).update(CRAM_CHALLENGE).digest("hex");
      return { mech, authcid: textOf(authenticationId), digest, challenge: CRAM_CHALLENGE };
    }
    default:
      return { mech: "DIGEST-MD5", fields: digestFields(client, credentials, recorded) };
  }
}

/** The fields of DIGEST-MD5 (RFC 2831); those that a recording masks are taken from it. */
function digestFields(
  { authorizationId, authenticationId }: ClientAttempt,
  credentials: AuthinfoCredentials,
  recorded: Exchange | undefined,
): Record<string, string> {
  const { cnonce = "", response = "" } = recorded !== undefined && "fields" in recorded ? recorded.fields : {};
  // An authorization id that is empty, or that of the user, is not sent.
  const isSent = credentials.authorizationId.length > 0 && Buffer.compare(authorizationId, authenticationId) !== 0;
  const authzid = isSent ? textOf(authorizationId) : undefined;
  const uri = `smtp/${SERVER.name}`;
  const md5 = (text: string): Buffer => createHash("md5").update(Buffer.from(text, "latin1")).digest();
  const secret = md5([authenticationId, Buffer.from(DIGEST_REALM), credentials.password].map((part) => textOf(hashed(part))).join(":"));
  const a1 = createHash("md5")
    .update(secret)
    .update(Buffer.from(`:${DIGEST_NONCE}:${cnonce}${authzid === undefined ? "" : `:${authzid}`}`, "latin1"))
    .digest("hex");
  const a2 = md5(`AUTHENTICATE:${uri}`).toString("hex");
  const computed = md5(`${a1}:${DIGEST_NONCE}:00000001:${cnonce}:auth:${a2}`).toString("hex");
  return {
    username: textOf(authenticationId),
    realm: DIGEST_REALM,
    ...(authzid === undefined ? {} : { authzid }),
    nonce: DIGEST_NONCE,
    cnonce,
    nc: "00000001",
    qop: "auth",
    maxbuf: "8192",
    "digest-uri": uri,
    response: cnonce === "..." ? response : computed,
  };
}

/** UTF-8 that is Latin-1 is hashed as that; other text as it is. */
function hashed(part: Uint8Array): Uint8Array {
  const text = Buffer.from(part).toString();
  return Buffer.from(text).equals(part) && /^[\0-\xff]*$/.test(text) ? Buffer.from(text, "latin1") : part;
}
