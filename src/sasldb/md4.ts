/**
 * MD4 (RFC 1320), which one-time passwords may be made with and Node's OpenSSL
 * has no more. Of no use against anybody.
 */
const ROUNDS = [
  { shifts: [3, 7, 11, 19], order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], constant: 0 },
  { shifts: [3, 5, 9, 13], order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], constant: 0x5a827999 },
  { shifts: [3, 9, 11, 15], order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], constant: 0x6ed9eba1 },
] as const;

const MIX = [
  (x: number, y: number, z: number): number => (x & y) | (~x & z),
  (x: number, y: number, z: number): number => (x & y) | (x & z) | (y & z),
  (x: number, y: number, z: number): number => x ^ y ^ z,
] as const;

/** @returns 16 bytes. */
export function md4(message: Uint8Array): Uint8Array {
  const padded = pad(message);
  const words = new DataView(padded.buffer);
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  for (let block = 0; block < padded.length; block += 64) addBlock(state, words, block);
  padded.fill(0);
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  state.forEach((word, i) => {
    out.setUint32(4 * i, word, true);
  });
  return digest;
}

function addBlock(state: Uint32Array, words: DataView, block: number): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  ROUNDS.forEach(({ shifts, order, constant }, round) => {
    const mix = MIX[round] as (typeof MIX)[number];
    order.forEach((word, step) => {
      const sum = (a + mix(b, c, d) + words.getUint32(block + 4 * word, true) + constant) >>> 0;
      const shift = shifts[step % 4] as number;
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    });
  });
  // A Uint32Array keeps 32 bits of each sum.
  [a, b, c, d].forEach((word, i) => {
    state[i] = (state[i] as number) + word;
  });
}

/** The message, a bit, zeros, and its length in bits, to whole blocks of 64 bytes. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true);
  return padded;
}
