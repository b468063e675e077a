/**
 * What an option's value, or an operand, can be: for the completion of command
 * lines. What the option tables do not say themselves stands here.
 */
import { HASH_VERSIONS, TARGETS } from "../hash-file/file-format.ts";
import { MAP_TYPES } from "../makemap/map-type.ts";
import { NEW_OTP_ALGORITHMS } from "../sasldb/otp.ts";
import { SECRET_MECHANISMS } from "../sasldb/sasldb.ts";
import { PAGE_SIZES } from "./format-settings.ts";

export type Values =
  | { readonly kind: "file" }
  /** One of these. */
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** Some of these, with commas between them. */
  | { readonly kind: "list"; readonly words: readonly string[] }
  /** What nobody can guess. */
  | { readonly kind: "free" };

const FILE: Values = { kind: "file" };
const FREE: Values = { kind: "free" };

function words(list: readonly (string | number)[]): Values {
  return { kind: "words", words: list.map(String) };
}

/** By option. */
const OF_OPTIONS: Readonly<Record<string, Values>> = {
  "--target": words(TARGETS),
  "--byte-order": words(["big", "little"]),
  "--hash-version": words(HASH_VERSIONS),
  "--page-size": words(PAGE_SIZES),
  "--file-id": words(["content", "random"]),
  "--mechanisms": { kind: "list", words: ["none", ...SECRET_MECHANISMS] },
  "--otp-mda": words(NEW_OTP_ALGORITHMS),
};

/** By the name that help gives to the value, where the option does not say more. */
const OF_NAMES: Readonly<Record<string, Values>> = {
  file: FILE,
  sasldb: FILE,
  map: FILE,
  mapname: FILE,
  source: FILE,
  cffile: FILE,
  folder: FILE,
  link: FILE,
  manifest: FILE,
  path: FILE,
  a: FILE,
  b: FILE,
  type: words(MAP_TYPES),
  appname: FREE,
  cachesize: FREE,
  comment: FREE,
  day: FREE,
  commentchar: FREE,
  delimiter: FREE,
  dn: FREE,
  flags: FREE,
  host: FREE,
  "host:port": FREE,
  ip: FREE,
  key: FREE,
  list: FREE,
  name: FREE,
  old: FREE,
  realm: FREE,
  salt: FREE,
  seconds: FREE,
  seed: FREE,
  user: FREE,
  userid: FREE,
};

/** Whether the tables say something of such a value, so that no new one is forgotten; the parameters are those of valuesOf. */
export function isKnownValue(flag: string, name: string): boolean {
  return flag in OF_OPTIONS || name in OF_NAMES;
}

/**
 * @param flag the long option, or the short one where there is no long one; empty for an operand.
 * @param name as in the help, without its brackets.
 * @param choices those of the option table.
 */
export function valuesOf(flag: string, name: string, choices?: readonly string[]): Values {
  if (choices !== undefined) return words(choices);
  return OF_OPTIONS[flag] ?? OF_NAMES[name] ?? FREE;
}
