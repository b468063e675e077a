/**
 * From a server's name to what sendmail does: the lookups, and then the client.
 */
import { type ClientOutcome, type ClientSettings, predictClient } from "./client.ts";
import { type AuthinfoLookup, AuthinfoMap, lookUpAuthinfo, type MapFlags, type Server } from "./lookup.ts";

export interface ResolveSettings extends ClientSettings {
  /** Flags of the map's K line. Default: none. */
  readonly mapFlags?: MapFlags | undefined;
}

export interface Resolution extends AuthinfoLookup {
  readonly client: ClientOutcome;
  /** Keys that were asked for and are stored in another way. Empty where an entry was found. */
  readonly missed: readonly MissedKey[];
}

/** A key that the map has, and that sendmail asks for in another way. */
export interface MissedKey {
  readonly key: Uint8Array;
  /** "case": in lower case, or the other way round. "nul": with a NUL behind it, or without. */
  readonly differences: readonly ("case" | "nul")[];
}

/** A record of a map. */
export interface MapRecord {
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

/**
 * Says which entry of a map sendmail uses for a server, and what it does with it.
 * @param records of several with a key the first counts.
 */
export function resolveAuthinfo(records: Iterable<MapRecord>, server: Server, settings: ResolveSettings = {}): Resolution {
  const byKey = new Map<string, Uint8Array>();
  for (const { key, data } of records) if (!byKey.has(latin1(key))) byKey.set(latin1(key), data);
  const map = new AuthinfoMap((key) => byKey.get(latin1(key)), settings.mapFlags);
  const lookup = lookUpAuthinfo(map, server);
  const client = predictClient(lookup.entry?.value, settings);
  return { ...lookup, client, missed: lookup.entry === undefined ? missedKeys([...byKey.keys()], lookup) : [] };
}

function missedKeys(stored: readonly string[], { steps }: AuthinfoLookup): readonly MissedKey[] {
  const asked = steps.flatMap(({ asked: keys, found }) => (found === undefined ? keys.map(latin1) : []));
  return stored.flatMap((key) => {
    const similar = asked.filter((one) => withoutNul(one).toLowerCase() === withoutNul(key).toLowerCase());
    if (similar.length === 0 || similar.includes(key)) return [];
    const isSameCase = similar.some((one) => withoutNul(one) === withoutNul(key));
    const isSameNul = similar.some((one) => one.endsWith("\0") === key.endsWith("\0"));
    const differences = [...(isSameCase ? [] : (["case"] as const)), ...(isSameNul ? [] : (["nul"] as const))];
    return [{ key: Buffer.from(key, "latin1"), differences }];
  });
}

function withoutNul(key: string): string {
  return key.replace(/\0$/, "");
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
