/**
 * Whether the clients of a fleet would be let in by its relays: their authinfo
 * maps against the relays' SASL databases.
 */
import { MemoryFileSystem } from "berkeley-db-js";
import { type Agreement, checkAgreement } from "../authinfo/agreement.ts";
import { DEFAULT_AUTH_MECHANISMS } from "../authinfo/client.ts";
import type { SourceRecord } from "../map-file/read-map.ts";
import type { Sasldb } from "../sasldb/sasldb.ts";
import { openSasldb } from "../sasldb/sasldb-file.ts";
import { type AuthinfoContent, serverOf } from "./authinfo-content.ts";
import type { CheckFinding } from "./check-finding.ts";
import type { Fleet, Host } from "./fleet.ts";

/**
 * @param maps the authinfo maps of all hosts.
 * @param databases the files of the relays' databases, by their paths.
 */
export function* checkAgreements(
  { hosts }: Fleet,
  maps: readonly AuthinfoContent[],
  databases: ReadonlyMap<string, Uint8Array>,
): Generator<CheckFinding> {
  for (const host of hosts) {
    const own = maps.filter(({ spec }) => spec.host === host.name);
    for (const name of relaysOf(host, own, hosts)) {
      const relay = hosts.find((other) => other.name === name) as Host;
      const args = { host: host.name, relay: name };
      if (relay.databases.length === 0) yield { kind: "check", code: "no-database", place: host.place, args };
      else if (own.length === 0) yield { kind: "check", code: "no-authinfo-map", place: host.place, args };
      else yield* checkMaps(host, own, relay, databases);
    }
  }
}

/** Those that the manifest names; or those that its maps have entries for. */
function relaysOf(host: Host, maps: readonly AuthinfoContent[], hosts: readonly Host[]): readonly string[] {
  if (host.relays.length > 0) return host.relays;
  const servers = new Set(maps.flatMap(({ records }) => records.map(serverOf)));
  return hosts.filter(({ name, databases }) => databases.length > 0 && servers.has(name.toLowerCase())).map(({ name }) => name);
}

/** One map and one database are enough: several of a host are for several programs, or share the relays out. */
function* checkMaps(
  host: Host,
  maps: readonly AuthinfoContent[],
  relay: Host,
  databases: ReadonlyMap<string, Uint8Array>,
): Generator<CheckFinding> {
  const found: { readonly map: AuthinfoContent; readonly entry: SourceRecord | undefined; readonly agreement: Agreement }[] = [];
  for (const map of maps) {
    const entry = map.records.find((record) => serverOf(record) === relay.name.toLowerCase());
    for (const { path } of relay.databases) {
      const bytes = databases.get(path);
      if (bytes === undefined) continue;
      const agreement = agree(host, map, relay, bytes);
      if (agreement.outcome === "authenticated") return;
      found.push({ map, entry, agreement });
    }
  }
  // Of the map that was meant to have an entry.
  const told = found.find(({ entry }) => entry !== undefined) ?? found[0];
  if (told === undefined) return;
  const { map, entry, agreement } = told;
  const args = { host: host.name, relay: relay.name, path: map.spec.path };
  const place = entry === undefined ? map.spec.place : map.placeOf(entry.line);
  yield { kind: "check", code: "would-not-authenticate", place, args, agreement };
}

function agree(host: Host, { spec, records }: AuthinfoContent, relay: Host, bytes: Uint8Array): Agreement {
  using users = openUsers(bytes);
  return checkAgreement(
    records,
    users,
    { name: relay.name },
    {
      mapFlags: { keepCase: spec.options.keepCase, nul: spec.options.includeNul ? "with" : undefined },
      clientMechanisms: host.authMechanisms,
      relayMechanisms: relay.authMechanisms ?? DEFAULT_AUTH_MECHANISMS,
      relayHostname: relay.name,
      hostname: host.name,
    },
  );
}

function openUsers(bytes: Uint8Array): Sasldb {
  const memory = new MemoryFileSystem();
  memory.writeFile("sasldb", bytes);
  return openSasldb("sasldb", { fileSystem: memory });
}
