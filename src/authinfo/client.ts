/**
 * What sendmail's client does with what it found for a server: smtpauth() of
 * sendmail 8.17.1 (usersmtp.c), and the choice of a mechanism of Cyrus SASL
 * 2.1.28 (sasl_client_start()).
 */
import type { AuthinfoCredentials, AuthinfoFault, AuthinfoValue } from "./value.ts";

/** sendmail's default AuthMechanisms; PLAIN and LOGIN have to be named in its configuration. */
export const DEFAULT_AUTH_MECHANISMS: readonly string[] = ["EXTERNAL", "GSSAPI", "KERBEROS_V4", "DIGEST-MD5", "CRAM-MD5"];

/** The mechanisms that a server may offer to all, where it is not known what it offers. */
export const COMMON_OFFER: readonly string[] = ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"];

/**
 * The order in which the SASL library tries mechanisms, with the plugins of a
 * stock installation: an order of its own, whatever that of the lists is.
 */
export const MECHANISM_ORDER: readonly string[] = [
  "SCRAM-SHA-512",
  "SCRAM-SHA-384",
  "SCRAM-SHA-256",
  "SCRAM-SHA-224",
  "SCRAM-SHA-1",
  "DIGEST-MD5",
  "EXTERNAL",
  "OTP",
  "CRAM-MD5",
  "NTLM",
  "PLAIN",
  "LOGIN",
  "ANONYMOUS",
];

export interface ClientSettings {
  /** AuthMechanisms of the client's sendmail. Default: `DEFAULT_AUTH_MECHANISMS`. */
  readonly clientMechanisms?: readonly string[] | undefined;
  /** What the server offers. An empty list: it offers no AUTH at all. Default: `COMMON_OFFER`. */
  readonly serverMechanisms?: readonly string[] | undefined;
  /** `$j` of the client, the realm where the entry gives none. */
  readonly hostname?: string | undefined;
}

/** What sendmail says to the server, mechanism by mechanism until one is accepted. */
export interface ClientAttempt {
  readonly outcome: "authenticates";
  /** Without the blanks around it, which the SASL library takes away, as of the next. */
  readonly authorizationId: Uint8Array;
  readonly authenticationId: Uint8Array;
  /** R of the entry, or `$j`; undefined where neither is known. No mechanism of Cyrus SASL 2.1.28 was seen to send it. */
  readonly realm: Uint8Array | undefined;
  /** The mechanisms that are tried, in this order. */
  readonly mechanisms: readonly string[];
  /** What becomes of the message where the server refuses all of them. */
  readonly ifRefused: "sent-without-auth" | "deferred";
}

export type ClientOutcome =
  | ClientAttempt
  | { readonly outcome: "sent-without-auth"; readonly reason: WithoutAuthReason }
  | { readonly outcome: "deferred"; readonly reason: DeferredReason };

export type WithoutAuthReason =
  /** No entry for this server. */
  | { readonly code: "no-entry" }
  /** The entry cannot be used. */
  | { readonly code: "bad-entry"; readonly fault: AuthinfoFault }
  /** The server offers no authentication. */
  | { readonly code: "not-offered" }
  /** The library refuses the name for each of these mechanisms: see `isRefusedName`. */
  | { readonly code: "unusable-name"; readonly mechanisms: readonly string[] };

export type DeferredReason =
  /** The value says so: it begins with "temp". */
  | { readonly code: "temporary-failure" }
  /** No mechanism that the library knows is both wanted and offered. */
  | { readonly code: "no-common-mechanism"; readonly wanted: readonly string[]; readonly offered: readonly string[] }
  /** The library comes to a mechanism that it cannot begin with: EXTERNAL has nothing to go by, PLAIN has a name that is refused. */
  | { readonly code: "cannot-begin"; readonly mechanism: string };

/**
 * Predicts what becomes of a message.
 * @param value what the lookups found, undefined for nothing.
 */
export function predictClient(value: AuthinfoValue | undefined, settings: ClientSettings = {}): ClientOutcome {
  const { clientMechanisms = DEFAULT_AUTH_MECHANISMS, serverMechanisms = COMMON_OFFER, hostname } = settings;
  // The ruleset is not asked for a server that offers nothing.
  if (serverMechanisms.length === 0) return withoutAuth({ code: "not-offered" });
  if (value === undefined || value.special === "not-found") return withoutAuth({ code: "no-entry" });
  if (value.special === "temporary-failure") return deferred({ code: "temporary-failure" });
  const { credentials, fault } = value;
  if (credentials === undefined) return withoutAuth({ code: "bad-entry", fault: fault ?? { code: "empty" } });

  const wanted = (credentials.mechanisms === undefined ? clientMechanisms : words(credentials.mechanisms)).filter((name) => name !== "");
  const { mechanisms, cancelled, stuckAt, ifRefused } = choose(wanted, serverMechanisms, credentials);
  if (mechanisms.length === 0) {
    if (stuckAt !== undefined) return deferred({ code: "cannot-begin", mechanism: stuckAt });
    if (cancelled.length === 0 || ifRefused === "deferred") {
      return deferred({ code: "no-common-mechanism", wanted, offered: serverMechanisms });
    }
    return withoutAuth({ code: "unusable-name", mechanisms: cancelled });
  }
  return {
    outcome: "authenticates",
    authorizationId: trimmed(credentials.authorizationId),
    authenticationId: trimmed(credentials.authenticationId),
    realm: credentials.realm ?? (hostname === undefined ? undefined : Buffer.from(hostname)),
    mechanisms,
    ifRefused,
  };
}

function withoutAuth(reason: WithoutAuthReason): ClientOutcome {
  return { outcome: "sent-without-auth", reason };
}

function deferred(reason: DeferredReason): ClientOutcome {
  return { outcome: "deferred", reason };
}

interface Choice {
  readonly mechanisms: readonly string[];
  /** Those that the client begins with and takes back, since it has no name for them. */
  readonly cancelled: readonly string[];
  /** A mechanism that the library cannot begin with, where it comes to one; sendmail gives up there. */
  readonly stuckAt: string | undefined;
  readonly ifRefused: ClientAttempt["ifRefused"];
}

/** Mechanisms that send the authorization id. */
const WITH_AUTHORIZATION_ID = /^(?:PLAIN|DIGEST-MD5|OTP|SCRAM-.*)$/;

/** Upper and lower case are the same. */
function choose(wanted: readonly string[], offered: readonly string[], credentials: AuthinfoCredentials): Choice {
  const offers = new Set(offered.map((name) => name.toUpperCase()));
  const common = new Set(wanted.map((name) => name.toUpperCase()).filter((name) => offers.has(name)));
  const known = MECHANISM_ORDER.filter((name) => common.has(name));
  const { authorizationId, authenticationId } = credentials;
  const isRefused = isRefusedName(authenticationId);
  const isRefusedToo = authorizationId.length > 0 && isRefusedName(authorizationId);
  const fails = (name: string): boolean => isRefused || (isRefusedToo && WITH_AUTHORIZATION_ID.test(name));

  const stuck = known.findIndex((name) => name === "EXTERNAL" || (name === "PLAIN" && fails(name)));
  const begun = stuck < 0 ? known : known.slice(0, stuck);
  // What is left of the list when all have been refused is asked for again, to no avail.
  const isDeferred = stuck >= 0 || known.length < common.size;
  return {
    mechanisms: begun.filter((name) => !fails(name)),
    cancelled: begun.filter(fails),
    stuckAt: known[stuck],
    ifRefused: isDeferred ? "deferred" : "sent-without-auth",
  };
}

/**
 * Whether the SASL library takes a name for an empty one: one that is empty,
 * and, by a slip of _sasl_canon_user() in 2.1.28, one with as many blanks
 * before it as it is long without them. One of blanks alone is taken.
 */
function isRefusedName(name: Uint8Array): boolean {
  const leading = name.findIndex((byte) => !isSpace(byte));
  return (leading < 0 ? name.length : leading) === trimmed(name).length;
}

/** M is taken apart at blanks alone. */
function words(text: Uint8Array): readonly string[] {
  return Buffer.from(text).toString("latin1").split(/ +/);
}

function trimmed(name: Uint8Array): Uint8Array {
  const start = name.findIndex((byte) => !isSpace(byte));
  return start < 0 ? new Uint8Array() : name.slice(start, name.findLastIndex((byte) => !isSpace(byte)) + 1);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
