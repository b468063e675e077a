/**
 * The names of a SASL database's records, and of its users.
 *
 * Source: Cyrus SASL 2.1.28, sasldb/allockey.c and lib/common.c.
 */

/** One record of a user: its key is user NUL realm NUL property, without a NUL at the end. */
export interface RecordName {
  readonly user: string;
  readonly realm: string;
  readonly property: string;
}

/** The plain password, as it was typed. */
export const USER_PASSWORD = "userPassword";
export const OTP_SECRET = "cmusaslsecretOTP";
/** The secret of one SCRAM mechanism. */
export const SCRAM_SECRET = "authPassword";
/** Of Cyrus SASL 1: read still, and deleted wherever a password is set. */
export const LEGACY_SECRETS = ["cmusaslsecretCRAM-MD5", "cmusaslsecretDIGEST-MD5", "cmusaslsecretPLAIN"] as const;

/** Bytes: a longer user, realm or property is more than Cyrus SASL's buffers hold, less one for the NUL. */
export const LONGEST_PART = 16383;

const NUL = 0x00;

export function encodeName({ user, realm, property }: RecordName): Uint8Array {
  return Buffer.from(`${user}\0${realm}\0${property}`);
}

/** The parts of a key, as views of it; undefined where it is none: not two NULs, or a part that is too long. */
export function splitKey(key: Uint8Array): readonly [user: Uint8Array, realm: Uint8Array, property: Uint8Array] | undefined {
  const first = key.indexOf(NUL);
  const second = first < 0 ? -1 : key.indexOf(NUL, first + 1);
  if (second < 0 || key.indexOf(NUL, second + 1) >= 0) return undefined;
  const parts = [key.subarray(0, first), key.subarray(first + 1, second), key.subarray(second + 1)] as const;
  return parts.some((part) => part.length > LONGEST_PART) ? undefined : parts;
}

/** As `splitKey`, in text; what is no UTF-8 becomes U+FFFD. */
export function decodeName(key: Uint8Array): RecordName | undefined {
  const parts = splitKey(key);
  if (parts === undefined) return undefined;
  const [user, realm, property] = parts.map((part) => Buffer.from(part).toString()) as [string, string, string];
  return { user, realm, property };
}

/**
 * A userid is split at its first "@"; one without has the realm that is given.
 * Nothing is trimmed, and no case is changed.
 */
export function splitUserid(userid: string, defaultRealm: string): { readonly user: string; readonly realm: string } {
  const at = userid.indexOf("@");
  return at < 0 ? { user: userid, realm: defaultRealm } : { user: userid.slice(0, at), realm: userid.slice(at + 1) };
}

/** As the library makes a host's name lower case: letters of ASCII alone. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
