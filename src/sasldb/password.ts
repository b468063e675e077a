/**
 * What can be wrong with a password before it is stored.
 */

/** Bytes that saslpasswd reads of a password. */
export const LONGEST_PASSWORD = 2048;

/** Refused: it could not be stored as it is. */
export type PasswordFault = "empty" | "nul" | "too-long";

/**
 * Stored, and yet a login with it may fail: it ends in a carriage return, is no
 * UTF-8, has characters that SASLprep forbids, or is changed by SASLprep.
 */
export type PasswordDoubt = "carriage-return" | "not-utf-8" | "forbidden-character" | "prepared-differently";

const NUL = 0x00;
const CARRIAGE_RETURN = 0x0d;

/** @param password bytes. */
export function passwordFault(password: Uint8Array): PasswordFault | undefined {
  if (password.length === 0) return "empty";
  if (password.length > LONGEST_PASSWORD) return "too-long";
  return password.includes(NUL) ? "nul" : undefined;
}

/** What a client does to a password before it is used: SASLprep (RFC 4013). */
export async function passwordDoubt(password: Uint8Array): Promise<PasswordDoubt | undefined> {
  if (password.at(-1) === CARRIAGE_RETURN) return "carriage-return";
  if (password.every((byte) => byte >= 0x20 && byte < 0x7f)) return undefined;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(password);
  } catch {
    return "not-utf-8";
  }
  // Its tables are large, and most passwords need none of them.
  const { saslprep } = await import("@mongodb-js/saslprep");
  try {
    return saslprep(text) === text ? undefined : "prepared-differently";
  } catch {
    return "forbidden-character";
  }
}
