/**
 * What sendmail's client does with what it found for a server: smtpauth() of
 * sendmail 8.17.1 (usersmtp.c), and the choice of a mechanism of Cyrus SASL
 * 2.1.28 (sasl_client_start()).
 */
import type { AuthinfoFault, AuthinfoValue } from "./value.ts";

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
  /** I is empty, and the client takes back what it has begun with each of these mechanisms. */
  | { readonly code: "empty-authentication-id"; readonly mechanisms: readonly string[] };

export type DeferredReason =
  /** The value says so: it begins with "temp". */
  | { readonly code: "temporary-failure" }
  /** No mechanism that the library knows is both wanted and offered. */
  | { readonly code: "no-common-mechanism"; readonly wanted: readonly string[]; readonly offered: readonly string[] }
  /** The library prefers a mechanism that it cannot begin with: EXTERNAL has nothing to go by, PLAIN has no authentication id. */
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
  const isNameless = credentials.authenticationId.length === 0;
  const choice = choose(wanted, serverMechanisms, isNameless);
  const { mechanisms, stuckAt, ifRefused } = choice;
  if (mechanisms.length === 0) {
    if (stuckAt === undefined) return deferred({ code: "no-common-mechanism", wanted, offered: serverMechanisms });
    return deferred({ code: "cannot-begin", mechanism: stuckAt });
  }
  if (isNameless) {
    if (ifRefused === "sent-without-auth") return withoutAuth({ code: "empty-authentication-id", mechanisms });
    return deferred({ code: "cannot-begin", mechanism: stuckAt ?? (mechanisms.at(-1) as string) });
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
  /** A mechanism that the library cannot begin with, where it comes to one. */
  readonly stuckAt: string | undefined;
  readonly ifRefused: ClientAttempt["ifRefused"];
}

/** Upper and lower case are the same. */
function choose(wanted: readonly string[], offered: readonly string[], isNameless: boolean): Choice {
  const offers = new Set(offered.map((name) => name.toUpperCase()));
  const common = new Set(wanted.map((name) => name.toUpperCase()).filter((name) => offers.has(name)));
  const known = MECHANISM_ORDER.filter((name) => common.has(name));
  const stuck = known.findIndex((name) => name === "EXTERNAL" || (isNameless && name === "PLAIN"));
  const mechanisms = stuck < 0 ? known : known.slice(0, stuck);
  // What is left of the list when all have been refused is asked for again, to no avail.
  const isDeferred = stuck >= 0 || known.length < common.size;
  return { mechanisms, stuckAt: known[stuck], ifRefused: isDeferred ? "deferred" : "sent-without-auth" };
}

/** M is taken apart at blanks alone. */
function words(text: Uint8Array): readonly string[] {
  return Buffer.from(text).toString("latin1").split(/ +/);
}

function trimmed(name: Uint8Array): Uint8Array {
  const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
  const start = name.findIndex((byte) => !isSpace(byte));
  return start < 0 ? new Uint8Array() : name.slice(start, name.findLastIndex((byte) => !isSpace(byte)) + 1);
}
