/**
 * The state of MD5 (RFC 1321) after one block, which no library gives: Cyrus
 * SASL 1 kept it of a password, instead of the password, for CRAM-MD5.
 */
import { nodeCrypto } from "../files/late.ts";

const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

/** The whole part of 2^32 times the sine of 1, 2, 3, … */
const SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

const MIX = [
  (x: number, y: number, z: number): number => (x & y) | (~x & z),
  (x: number, y: number, z: number): number => (x & z) | (y & ~z),
  (x: number, y: number, z: number): number => x ^ y ^ z,
  (x: number, y: number, z: number): number => y ^ (x | ~z),
] as const;

/** Which word of the block a step takes, by round. */
const WORD = [
  (step: number): number => step,
  (step: number): number => (5 * step + 1) % 16,
  (step: number): number => (3 * step + 5) % 16,
  (step: number): number => (7 * step) % 16,
] as const;

/** The state after a block of 64 bytes: 4 words. */
export function md5State(block: Uint8Array): Uint32Array {
  const words = new DataView(block.buffer, block.byteOffset, 64);
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (let step = 0; step < 64; step++) {
    const round = step >> 4;
    const word = words.getUint32(4 * (WORD[round] as (typeof WORD)[number])(step % 16), true);
    const sum = (a + (MIX[round] as (typeof MIX)[number])(b, c, d) + (SINES[step] as number) + word) >>> 0;
    const shift = SHIFTS[round]?.[step % 4] as number;
    [a, b, c, d] = [d, b + ((sum << shift) | (sum >>> (32 - shift))), b, c];
  }
  [a, b, c, d].forEach((word, i) => {
    state[i] = (state[i] as number) + word;
  });
  return state;
}

/**
 * The record `cmusaslsecretCRAM-MD5`: what HMAC-MD5 (RFC 2104) has of a key
 * before it comes to the message. 32 bytes, each word big-endian.
 */
export function cramMd5Secret(password: Uint8Array): Uint8Array {
  const key = new Uint8Array(64);
  key.set(password.length > 64 ? nodeCrypto().createHash("md5").update(password).digest() : password);
  const record = new Uint8Array(32);
  const out = new DataView(record.buffer);
  [0x36, 0x5c].forEach((pad, half) => {
    md5State(key.map((byte) => byte ^ pad)).forEach((word, i) => {
      out.setUint32(16 * half + 4 * i, word);
    });
  });
  key.fill(0);
  return record;
}
