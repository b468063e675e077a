/**
 * tsmap auth: a client's authinfo map and its relay's SASL database held
 * against each other.
 */
import { type Agreement, checkAgreement } from "../../authinfo/agreement.ts";
import { DEFAULT_AUTH_MECHANISMS } from "../../authinfo/client.ts";
import type { Resolution } from "../../authinfo/resolve.ts";
import type { AuthinfoItem } from "../../authinfo/value.ts";
import { MASK } from "../../makemap/mask.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { kindOfRecords, type MapKind } from "../../map-file/map-kind.ts";
import { withMap } from "../../map-file/read-map.ts";
import type { Prediction } from "../../sasldb/authenticate.ts";
import { SasldbError } from "../../sasldb/error.ts";
import type { Sasldb } from "../../sasldb/sasldb.ts";
import { openSasldb } from "../../sasldb/sasldb-file.ts";
import { printable, shownBytes } from "../printable.ts";
import { type AuthinfoFlags, mechanismList, readAuthinfo } from "./authinfo-map.ts";
import { isShown, lookupLines, lookupsJson, missedText, OUTCOME_TEXTS, reasonText, shownItem, shownReason } from "./authinfo-texts.ts";
import type { Context } from "./context.ts";
import { Trouble, troubleWith, withFile } from "./trouble.ts";

interface Options extends AuthinfoFlags {
  readonly authinfo: string;
  readonly sasldb: string;
  readonly relay: string;
  readonly hostname?: string;
  readonly realm?: string;
}

/** @returns 0 where the client would be let in, 1 where it would not. */
export function run(context: Context, _operands: readonly (string | readonly string[])[], options: Options): number {
  const { records, mapFlags } = readAuthinfo(context, options.authinfo, options);
  using database = openDatabase(options.sasldb);
  const agreement = checkAgreement(
    records,
    database,
    { name: options.relay, address: options.addr },
    {
      mapFlags,
      clientMechanisms: mechanismList(options.clientMechanisms),
      relayMechanisms: mechanismList(options.serverMechanisms) ?? DEFAULT_AUTH_MECHANISMS,
      relayHostname: hostnameOf(options),
      relayRealm: options.realm,
    },
  );
  if (options.json) context.output.write(`${jsonText(toJson(agreement))}\n`);
  else for (const line of report(agreement)) context.output.write(`${printable(line)}\n`);
  return agreement.outcome === "authenticated" ? 0 : 1;
}

/** @throws {Trouble} */
function openDatabase(file: string): Sasldb {
  try {
    refuseOther(file);
    return openSasldb(file);
  } catch (error) {
    if (!(error instanceof SasldbError)) throw error;
    const trouble = troubleWith(file, error.cause);
    throw trouble instanceof Trouble ? trouble : new Trouble(`${file}: ${error.message}`);
  }
}

const OTHER_KINDS: Partial<Record<MapKind, string>> = {
  passwords: "a map of passwords",
  authinfo: "an authinfo map",
  access: "an access map",
  aliases: "an alias database",
  map: "a map",
};

/** @throws {Trouble} a database that holds something else. */
function refuseOther(file: string): void {
  withFile(file, () =>
    withMap(file, {}, (map) => {
      const kind = map.kind === "database" ? OTHER_KINDS[kindOfRecords(map.file.records())] : undefined;
      if (kind !== undefined) throw new Trouble(`${file}: ${kind}, and no SASL database`);
    }),
  );
}

/** @throws {Trouble} an address says nothing of a name. */
function hostnameOf({ relay, hostname }: Options): string {
  if (hostname !== undefined) return hostname;
  if (/^\[?[0-9a-f.:]+\]?$/i.test(relay) && /[.:].*[.:]/.test(relay)) {
    throw new Trouble(`--relay: "${relay}" is an address: name the relay's host with --hostname`);
  }
  return relay.replace(/^\[|\]$/g, "");
}

function* report({ resolution, offered, verdicts, mechanism, outcome }: Agreement): Generator<string> {
  const { steps, entry, missed } = resolution;
  yield* lookupLines(steps, entry);
  for (const key of missed) yield `note         ${missedText(key)}`;
  yield `relay        offers ${offered.length === 0 ? "nothing that works with a password" : offered.join(" ")}`;
  const name = loginItem(resolution);
  if (name !== undefined) yield `login        ${shownBytes(shownItem(name, false))}`;
  for (const { mechanism: tried, prediction } of verdicts) {
    yield `${tried.padEnd(12)} ${prediction.ok ? "yes" : "no"}: ${shownPrediction(prediction, name).reason}`;
  }
  if (mechanism !== undefined) yield `result       authenticates with ${mechanism}`;
  else if (verdicts.length > 0) yield `result       the relay refuses all mechanisms: ${OUTCOME_TEXTS[outcome]}`;
  else yield `result       ${OUTCOME_TEXTS[outcome]}: ${reasonText(shownReason(resolution))}`;
}

function loginItem({ entry }: Resolution): AuthinfoItem | undefined {
  return entry?.value.inForce.I ?? entry?.value.inForce.U;
}

/** A prediction speaks of the user, in whose name a password may stand where a quote is missing. */
function shownPrediction(prediction: Prediction, name: AuthinfoItem | undefined): Prediction {
  if (name === undefined || isShown(name, false)) return prediction;
  return { ...prediction, user: MASK, realm: MASK, reason: `${prediction.result}; the name seems to hold another item` };
}

function toJson({ resolution, offered, verdicts, mechanism, outcome }: Agreement): object {
  const { steps, entry, missed } = resolution;
  const name = loginItem(resolution);
  return {
    outcome,
    mechanism: mechanism ?? null,
    reason: shownReason(resolution) ?? null,
    lookups: lookupsJson(steps, entry),
    missedKeys: missed.map(({ key, differences }) => ({ ...jsonMember("key", key), differences })),
    offered,
    ...(name === undefined ? {} : jsonMember("login", shownItem(name, false))),
    verdicts: verdicts.map(({ mechanism: tried, prediction }) => {
      const { ok, result, code, user, realm, reason } = shownPrediction(prediction, name);
      return { mechanism: tried, isAccepted: ok, result, code, user, realm, reason };
    }),
  };
}
