/**
 * Base64 as sendmail reads it: sasl_decode64() of Cyrus SASL 2.1.28
 * (lib/saslutil.c), which takes canonical text alone.
 */

export type Base64Fault =
  /** A byte that is none of the alphabet, blanks and line ends included. */
  | { readonly problem: "character"; readonly offset: number }
  /** "=" where there is none, or something behind it. */
  | { readonly problem: "padding"; readonly offset: number }
  /** Not a multiple of four bytes: the padding is missing. */
  | { readonly problem: "length"; readonly offset: number };

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const EQUALS = 0x3d;

const VALUES: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => ALPHABET.indexOf(String.fromCharCode(byte)));

/** @returns the bytes, or what is wrong and at which offset of the text. */
export function decodeBase64(text: Uint8Array): Uint8Array | Base64Fault {
  const decoded: number[] = [];
  for (let at = 0; at < text.length; at += 4) {
    const group = text.subarray(at, at + 4);
    // What sendmail reads is the same; what is wrong is told byte by byte, so that it can be pointed at.
    const wrong = group.findIndex((byte) => byte !== EQUALS && VALUES[byte] === -1);
    if (wrong >= 0) return { problem: "character", offset: at + wrong };
    const equals = group.indexOf(EQUALS);
    const isPadded = equals >= 0;
    if (isPadded && (equals < 2 || (equals === 2 && group.length === 4 && group[3] !== EQUALS))) {
      return { problem: "padding", offset: at + equals };
    }
    if (group.length < 4) return { problem: "length", offset: text.length };
    if (isPadded && at + 4 < text.length) return { problem: "padding", offset: at + 4 };
    const [a, b, c, d] = [...group].map((byte) => VALUES[byte] as number) as [number, number, number, number];
    decoded.push((a << 2) | (b >> 4));
    if (equals !== 2) decoded.push(((b << 4) & 0xf0) | (c >> 2));
    if (!isPadded) decoded.push(((c << 6) & 0xc0) | d);
  }
  return Uint8Array.from(decoded);
}
