/**
 * What sendmail does to a value that a ruleset looks up, before anything else
 * (map_rewrite() of sendmail 8.17.1, map.c).
 */

const PERCENT = 0x25;
const ZERO = 0x30;
const NINE = 0x39;

export interface Expansion {
  readonly bytes: Uint8Array;
  /** For each byte, and for the end, the offset in the value of what it came from; undefined where they are the same. */
  readonly offsets: readonly number[] | undefined;
}

/**
 * `%%` is a "%", `%0` the key, `%1` to `%9` arguments, of which the Sauthinfo
 * ruleset gives none; any other "%" stays.
 * @param value stays the caller's; without a "%" its bytes are the result's too.
 * @param key as it was asked for: "AuthInfo:" and the server's name.
 */
export function expandPercent(value: Uint8Array, key: Uint8Array): Expansion {
  if (!value.includes(PERCENT)) return { bytes: value, offsets: undefined };
  const bytes: number[] = [];
  const offsets: number[] = [];
  const put = (byte: number, offset: number): void => {
    bytes.push(byte);
    offsets.push(offset);
  };
  for (let at = 0; at < value.length; at++) {
    const byte = value[at] as number;
    const next = value[at + 1];
    if (byte !== PERCENT || next === undefined) put(byte, at);
    else if (next === PERCENT) put(byte, at++);
    else if (next < ZERO || next > NINE) put(byte, at);
    else {
      if (next === ZERO) for (const part of key) put(part, at);
      at += 1;
    }
  }
  offsets.push(value.length);
  return { bytes: Uint8Array.from(bytes), offsets };
}
