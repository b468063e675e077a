/**
 * The map types of makemap (libsmdb), and which of them are here.
 */
import type { DatabaseType } from "berkeley-db-js";

/** Types that are built, in the order of `makemap -l`. */
export const MAP_TYPES = ["hash", "btree", "implicit"] as const;
export type MapType = (typeof MAP_TYPES)[number];

/** Types that makemap knows but that need another library than Berkeley DB, with the option that it is built with. */
export const MISSING_TYPES: ReadonlyMap<string, string> = new Map([
  ["dbm", "NDBM"],
  ["cdb", "CDB"],
]);

/** Types that are looked up in sendmail.cf: "cf" by the map's name as given, "CF" (and "Cf", "cF") by its base name. */
export const CF_TYPES = ["cf", "CF"] as const;

export function isMapType(name: string): name is MapType {
  return (MAP_TYPES as readonly string[]).includes(name);
}

export function isCfType(name: string): boolean {
  return name.toLowerCase() === "cf";
}

/** A map of type "implicit" is made as the first type that there is. */
export function creationType(type: MapType): DatabaseType {
  return type === "implicit" ? "hash" : type;
}
