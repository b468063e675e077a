/**
 * A client's authinfo map and the SASL database of its relay, held against each
 * other: would the relay let the client in?
 */
import { authenticate, type Prediction } from "../sasldb/authenticate.ts";
import type { Sasldb } from "../sasldb/sasldb.ts";
import type { ClientAttempt } from "./client.ts";
import type { Server } from "./lookup.ts";
import { type MapRecord, type Resolution, type ResolveSettings, resolveAuthinfo } from "./resolve.ts";

export interface AgreementSettings extends Omit<ResolveSettings, "serverMechanisms"> {
  /** `$j` of the relay, whose realm a login without one has. */
  readonly relayHostname: string;
  /** AuthRealm of the relay's sendmail; undefined for none. */
  readonly relayRealm?: string | undefined;
  /** AuthMechanisms of the relay's sendmail. */
  readonly relayMechanisms: readonly string[];
}

/** The relay's answer to one mechanism. */
export interface MechanismVerdict {
  readonly mechanism: string;
  readonly prediction: Prediction;
}

export interface Agreement {
  readonly resolution: Resolution;
  /** What the relay offers, of its AuthMechanisms. */
  readonly offered: readonly string[];
  /** The mechanisms that both have, in the order in which they are tried; empty where none is. */
  readonly verdicts: readonly MechanismVerdict[];
  /** The first that the relay accepts. */
  readonly mechanism: string | undefined;
  readonly outcome: "authenticated" | "sent-without-auth" | "deferred";
}

/** Not offered because of what stands in a database: they need a client's certificate, or Kerberos. */
const WITHOUT_DATABASE = new Set(["EXTERNAL", "GSSAPI", "KERBEROS_V4"]);

/**
 * Predicts a login; nothing is written.
 * @param records of the authinfo map.
 * @param relay as the client's sendmail knows it.
 */
export function checkAgreement(
  records: Iterable<MapRecord>,
  database: Sasldb,
  relay: Server,
  { relayHostname, relayRealm, relayMechanisms, ...settings }: AgreementSettings,
): Agreement {
  const offered = relayMechanisms.filter((name) => !WITHOUT_DATABASE.has(name.toUpperCase()));
  const resolution = resolveAuthinfo(records, relay, { ...settings, serverMechanisms: offered });
  const { client, entry } = resolution;
  const password = entry?.value.credentials?.password;
  if (client.outcome !== "authenticates" || password === undefined) {
    const outcome = client.outcome === "deferred" ? "deferred" : "sent-without-auth";
    return { resolution, offered, verdicts: [], mechanism: undefined, outcome };
  }
  const server = { hostname: relayHostname, fqdn: relayHostname, userRealm: relayRealm };
  const login = Buffer.from(client.authenticationId).toString();
  const verdicts = client.mechanisms.map((mechanism) => ({
    mechanism,
    prediction: authenticate(database, { login, mechanism, password, server }),
  }));
  const mechanism = verdicts.find(({ prediction }) => prediction.ok)?.mechanism;
  return { resolution, offered, verdicts, mechanism, outcome: outcomeOf(client, mechanism) };
}

function outcomeOf(client: ClientAttempt, mechanism: string | undefined): Agreement["outcome"] {
  return mechanism === undefined ? client.ifRefused : "authenticated";
}
