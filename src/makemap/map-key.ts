/**
 * Keys of maps as sendmail 8.17.1 stores and asks for them (makemap.c, map.c),
 * and the tag of those for its client (FEATURE(`authinfo')).
 */

/** sendmail cuts a key that it asks for to so many bytes: MAXNAME. */
export const LONGEST_KEY = 256;

/** As the ruleset asks for it. */
export const AUTHINFO_TAG = "AuthInfo:";

const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const CASE_BIT = 0x20;

/** tolower() of the C locale. */
export function foldByte(byte: number): number {
  return byte >= UPPER_A && byte <= UPPER_Z ? byte | CASE_BIT : byte;
}

/** A key, one character a byte, in lower case: ASCII alone. */
export function foldKey(key: string): string {
  return key.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
