/**
 * Which entry sendmail finds for a server: the lookups of the Sauthinfo
 * ruleset (FEATURE(`authinfo'), cf/feature/authinfo.m4) in a map, as
 * db_map_lookup() of sendmail 8.17.1 (map.c) asks for keys.
 */
import { AUTHINFO_TAG, foldByte, LONGEST_KEY } from "../makemap/map-key.ts";
import { type Expansion, expandPercent } from "./percent.ts";
import { type AuthinfoValue, parseAuthinfoValue } from "./value.ts";

/** The data of a key's first record, byte for byte; undefined where there is none. */
export type RecordLookup = (key: Uint8Array) => Uint8Array | undefined;

/** Flags of the map's K line. */
export interface MapFlags {
  /** -f: keys are asked for as they are, and not in lower case. */
  readonly keepCase?: boolean | undefined;
  /** "with": -N, keys have a NUL. "without": -O, they have none. Default: without, and then with. */
  readonly nul?: "with" | "without" | undefined;
}

/** What is asked for in one lookup. */
export interface FoundRecord {
  /** The key that the map has. */
  readonly key: Uint8Array;
  /** Up to its first NUL. It may hold a secret. */
  readonly data: Uint8Array;
}

/** A map as sendmail asks it. It remembers whether its keys have a NUL, from the first that is found. */
export class AuthinfoMap {
  readonly #get: RecordLookup;
  readonly #keepCase: boolean;
  #ways: readonly ("with" | "without")[];

  constructor(get: RecordLookup, { keepCase = false, nul }: MapFlags = {}) {
    this.#get = get;
    this.#keepCase = keepCase;
    this.#ways = nul === undefined ? ["without", "with"] : [nul];
  }

  /** The keys that `find` would ask the map for, in their order. */
  keysFor(key: Uint8Array): readonly Uint8Array[] {
    const cut = key.slice(0, LONGEST_KEY);
    const folded = this.#keepCase ? cut : cut.map(foldByte);
    return this.#ways.map((way) => (way === "with" ? Buffer.concat([folded, Buffer.alloc(1)]) : folded));
  }

  find(key: Uint8Array): FoundRecord | undefined {
    for (const [i, asked] of this.keysFor(key).entries()) {
      const data = this.#get(asked);
      if (data === undefined) continue;
      this.#ways = [this.#ways[i] as "with" | "without"];
      const nul = data.indexOf(0);
      return { key: asked, data: nul < 0 ? data : data.subarray(0, nul) };
    }
    return undefined;
  }
}

/** The server, as the client's sendmail knows it. */
export interface Server {
  /** `${server_name}`: a host name, or an address in brackets where the configuration has one, as in "[192.0.2.1]". */
  readonly name: string;
  /** `${server_addr}`. */
  readonly address?: string | undefined;
}

/** One lookup of the ruleset. */
export interface LookupStep {
  /** What the ruleset asks for: "AuthInfo:" and the name, the address, or nothing. */
  readonly key: string;
  /** What the map is asked for, in this order. */
  readonly asked: readonly Uint8Array[];
  /** Undefined where there is no such key. */
  readonly found: FoundEntry | undefined;
}

/** An entry that was found. */
export interface FoundEntry extends FoundRecord {
  readonly expansion: Expansion;
  readonly value: AuthinfoValue;
}

export interface AuthinfoLookup {
  readonly steps: readonly LookupStep[];
  /** The entry that wins. One whose value is "?" is passed over. */
  readonly entry: FoundEntry | undefined;
}

/** Looks an entry up as the ruleset does: by the server's name, by its address, and for any server. */
export function lookUpAuthinfo(map: AuthinfoMap, { name, address }: Server): AuthinfoLookup {
  const steps: LookupStep[] = [];
  for (const host of address === undefined ? [name, ""] : [name, address, ""]) {
    const key = AUTHINFO_TAG + host;
    const bytes = Buffer.from(key);
    const asked = map.keysFor(bytes);
    const record = map.find(bytes);
    const found = record === undefined ? undefined : read(record, bytes);
    steps.push({ key, asked, found });
    if (found !== undefined && found.value.special !== "not-found") return { steps, entry: found };
  }
  return { steps, entry: undefined };
}

function read(record: FoundRecord, key: Uint8Array): FoundEntry {
  const expansion = expandPercent(record.data, key);
  return { ...record, expansion, value: parseAuthinfoValue(expansion.bytes) };
}
