/**
 * One-time passwords: the published vectors, and the records of the plugin.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { md4 } from "#src/sasldb/md4.js";
import { cramMd5Secret, md5State } from "#src/sasldb/md5-state.js";
import { isOtpSeed, makeOtpSeed, OTP_ALGORITHMS, type OtpAlgorithm, otpSecret, otpValue, parseOtpSecret } from "#src/sasldb/otp.js";
import { textOf } from "../support/bytes.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** RFC 2289, appendix C: pass phrase, seed, and the values for 0, 1 and 99. */
const VECTORS: Readonly<Record<OtpAlgorithm, readonly (readonly [phrase: string, seed: string, ...values: string[]])[]>> = {
  md4: [
    ["This is a test.", "TeSt", "d1854218ebbb0b51", "63473ef01cd0b444", "c5e612776e6c237a"],
    ["AbCdEfGhIjK", "alpha1", "50076f47eb1ade4e", "65d20d1949b5f7ab", "d150c82cce6f62d1"],
    ["OTP's are good", "correct", "849c79d4f6f55388", "8c0992fb250847b1", "3f3bf4b4145fd74b"],
  ],
  md5: [
    ["This is a test.", "TeSt", "9e876134d90499dd", "7965e05436f5029f", "50fe1962c4965880"],
    ["AbCdEfGhIjK", "alpha1", "87066dd9644bf206", "7cd34c1040add14b", "5aa37a81f212146c"],
    ["OTP's are good", "correct", "f205753943de4cf9", "ddcdac956f234937", "b203e28fa525be47"],
  ],
  sha1: [
    ["This is a test.", "TeSt", "bb9e6ae1979d8ff4", "63d936639734385b", "87fec7768b73ccf9"],
    ["AbCdEfGhIjK", "alpha1", "ad85f658ebe383c9", "d07ce229b5cf119b", "27bc71035aaf3dc6"],
    ["OTP's are good", "correct", "d51f3e99bf8e6f0b", "82aeb52d943774e4", "4f296a74fe1567ec"],
  ],
};

suite("RFC 2289, appendix C", () => {
  for (const algorithm of OTP_ALGORITHMS) {
    for (const [phrase, seed, ...values] of VECTORS[algorithm]) {
      test(`${algorithm}, ${phrase}, ${seed}`, () => {
        // The seed counts in lower case (section 6).
        const value = (sequence: number): string => hex(otpValue(Buffer.from(phrase), { algorithm, seed: seed.toLowerCase(), sequence }));
        assert.deepEqual([0, 1, 99].map(value), values);
      });
    }
  }
});

test("RFC 1320's vectors for MD4", () => {
  const vectors = {
    "": "31d6cfe0d16ae931b73c59d7e0c089c0",
    a: "bde52cb31de33e46245e05fbdbd6fb24",
    abc: "a448017aaf21d8525fc10ae87aa6729d",
    "message digest": "d9130a8164549fe818874806e1c7014b",
    abcdefghijklmnopqrstuvwxyz: "d79e1c308aa5bbcdeea8ed63df412da9",
    ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789: "043f8582f241db351ce627e153e7f0e4",
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890": "e33b4ddc9c38f2199c3e7b164fcc0536",
  };
  for (const [message, digest] of Object.entries(vectors)) assert.equal(hex(md4(Buffer.from(message))), digest, message);
});

test("the state of MD5 after its one block is the digest", () => {
  for (let length = 0; length < 56; length++) {
    const message = Buffer.alloc(length, `${length} bytes`);
    const block = Buffer.alloc(64);
    message.copy(block);
    block[length] = 0x80;
    block.writeUInt32LE(8 * length, 56);
    const state = Buffer.alloc(16);
    md5State(block).forEach((word, i) => void state.writeUInt32LE(word, 4 * i));
    assert.equal(hex(state), createHash("md5").update(message).digest("hex"));
  }
});

test("a key of more than 64 bytes is hashed first for CRAM-MD5", () => {
  const long = Buffer.alloc(65, "k");
  assert.deepEqual(cramMd5Secret(long), cramMd5Secret(createHash("md5").update(long).digest()));
  assert.equal(cramMd5Secret(long).length, 32);
});

suite("records", () => {
  test("what saslpasswd2 stored", () => {
    const stored = [
      ["md5", "ma2372", "12345", "acfeba5f9be05673"],
      ["sha1", "ma1630", "12345", "dafb3693d27e07bc"],
      ["md5", "x7741", "This is a test.", "d66fcbb068b95aee"],
    ] as const;
    for (const [algorithm, seed, password, value] of stored) {
      const record = textOf(otpSecret(Buffer.from(password), { algorithm, seed }));
      assert.equal(record, `${algorithm}\t0499\t${seed}\t${value}\t00000000000000000000`);
    }
  });

  test("the password counts up to its first NUL", () => {
    const secret = (text: string): string => hex(otpSecret(Buffer.from(text), { seed: "ma1234" }));
    assert.equal(secret("pw\0more"), secret("pw"));
  });

  test("are read back", () => {
    const record = otpSecret(Buffer.from("pw"), { seed: "ma1234", algorithm: "sha1", sequence: 7 });
    const secret = parseOtpSecret(record);
    assert.ok(typeof secret === "object");
    const { value, ...rest } = secret;
    assert.deepEqual(rest, { algorithm: "sha1", sequence: 7, seed: "ma1234", timeout: 0 });
    assert.deepEqual(Buffer.from(value), Buffer.from(otpValue(Buffer.from("pw"), { algorithm: "sha1", seed: "ma1234", sequence: 7 })));
  });

  test("what is none is not read", () => {
    assert.equal(parseOtpSecret(Buffer.from("md5\t0499\tx\tabc")), "too short");
    for (const record of [
      "sha256\t0499\tma1234\t0123456789abcdef\t00000000000000000000",
      "md5\t0499\tma1234\t0123456789abcdeX\t00000000000000000000",
      "md5\t0499\tma1234\t0123456789abcdef\t0000000000000000000x",
      "md5 0499 ma1234 0123456789abcdef 00000000000000000000",
    ])
      assert.equal(parseOtpSecret(Buffer.from(record)), undefined, record);
  });

  test("seed and sequence are held to RFC 2289", () => {
    for (const seed of ["", "MA1234", "m-1234", "ä1", "a b", "12345678901234567"])
      assert.throws(() => otpSecret(Buffer.from("pw"), { seed }), RangeError, seed);
    for (const sequence of [0, -1, 1.5, 10_000])
      assert.throws(() => otpSecret(Buffer.from("pw"), { seed: "a1", sequence }), RangeError, String(sequence));
  });

  test("a seed is usable whatever the host's name", () => {
    for (const [host, prefix] of [
      ["mail.example.com", "ma"],
      ["MAIL", "ma"],
      ["x", "x"],
      ["m-x", "mx"],
      ["--", "x"],
      ["", "x"],
      ["öl", "l"],
      ["1.2", "12"],
    ] as const) {
      const seeds = Array.from({ length: 50 }, () => makeOtpSeed(host));
      for (const seed of seeds) assert.ok(isOtpSeed(seed) && new RegExp(`^${prefix}(?!0000)\\d{4}$`).test(seed), `${host}: ${seed}`);
      assert.ok(new Set(seeds).size > 25, `${host}: ${seeds.join(" ")}`);
    }
  });
});
