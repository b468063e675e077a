/**
 * What sendmail's client does with what it found for a server: smtpauth() of
 * sendmail 8.17.1 (usersmtp.c), and the choice of a mechanism of Cyrus SASL
 * 2.1.28 (sasl_client_start()).
 */
import type { AuthinfoFault, AuthinfoValue } from "./value.ts";

/** sendmail's default AuthMechanisms; PLAIN and LOGIN have to be named in its configuration. */
export const DEFAULT_AUTH_MECHANISMS: readonly string[] = ["EXTERNAL", "GSSAPI", "KERBEROS_V4", "DIGEST-MD5", "CRAM-MD5"];

/** The order in which the SASL library prefers mechanisms that work with a password: the best first. */
export const MECHANISM_ORDER: readonly string[] = ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"];

export interface ClientSettings {
  /** AuthMechanisms of the client's sendmail. Default: `DEFAULT_AUTH_MECHANISMS`. */
  readonly clientMechanisms?: readonly string[] | undefined;
  /** What the server offers. An empty list: it offers no AUTH at all. Default: as sendmail does, `DEFAULT_AUTH_MECHANISMS`. */
  readonly serverMechanisms?: readonly string[] | undefined;
  /** `$j` of the client, the realm where the entry gives none. */
  readonly hostname?: string | undefined;
}

export type ClientOutcome =
  | {
      readonly outcome: "authenticates";
      readonly authorizationId: Uint8Array;
      readonly authenticationId: Uint8Array;
      /** R of the entry, or `$j`; undefined where neither is known. No mechanism of Cyrus SASL 2.1.28 was seen to send it. */
      readonly realm: Uint8Array | undefined;
      /** The mechanisms that are tried one after the other until one is accepted. */
      readonly mechanisms: readonly string[];
    }
  | { readonly outcome: "sent-without-auth"; readonly reason: WithoutAuthReason }
  | { readonly outcome: "deferred"; readonly reason: DeferredReason };

export type WithoutAuthReason =
  /** No entry for this server. */
  | { readonly code: "no-entry" }
  /** The entry cannot be used. */
  | { readonly code: "bad-entry"; readonly fault: AuthinfoFault }
  /** The server offers no authentication. */
  | { readonly code: "not-offered" };

export type DeferredReason =
  /** The value says so: it begins with "temp". */
  | { readonly code: "temporary-failure" }
  /** None of the mechanisms is both wanted and offered, in the client's list of `wanted`. */
  | { readonly code: "no-common-mechanism"; readonly wanted: readonly string[]; readonly offered: readonly string[] };

/**
 * Predicts what becomes of a message.
 * @param value what the lookups found, undefined for nothing.
 */
export function predictClient(value: AuthinfoValue | undefined, settings: ClientSettings = {}): ClientOutcome {
  const { clientMechanisms = DEFAULT_AUTH_MECHANISMS, serverMechanisms = DEFAULT_AUTH_MECHANISMS, hostname } = settings;
  // The ruleset is not asked for a server that offers nothing.
  if (serverMechanisms.length === 0) return { outcome: "sent-without-auth", reason: { code: "not-offered" } };
  if (value === undefined || value.special === "not-found") return { outcome: "sent-without-auth", reason: { code: "no-entry" } };
  if (value.special === "temporary-failure") return { outcome: "deferred", reason: { code: "temporary-failure" } };
  const { credentials } = value;
  if (credentials === undefined) {
    return { outcome: "sent-without-auth", reason: { code: "bad-entry", fault: value.fault ?? { code: "no-user" } } };
  }
  const wanted =
    credentials.mechanisms === undefined ? clientMechanisms : Buffer.from(credentials.mechanisms).toString("latin1").split(/ +/);
  const mechanisms = commonMechanisms(wanted, serverMechanisms);
  if (mechanisms.length === 0) {
    const names = wanted.filter((name) => name !== "");
    return { outcome: "deferred", reason: { code: "no-common-mechanism", wanted: names, offered: serverMechanisms } };
  }
  const { authorizationId, authenticationId, realm } = credentials;
  return {
    outcome: "authenticates",
    authorizationId,
    authenticationId,
    realm: realm ?? (hostname === undefined ? undefined : Buffer.from(hostname)),
    mechanisms,
  };
}

/** The mechanisms that both lists have, in the order in which they are tried. Upper and lower case are the same. */
export function commonMechanisms(wanted: readonly string[], offered: readonly string[]): readonly string[] {
  const has = (list: readonly string[], name: string): boolean => list.some((one) => one.toUpperCase() === name);
  return MECHANISM_ORDER.filter((name) => has(wanted, name) && has(offered, name));
}
