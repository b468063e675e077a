/**
 * What is derived from a fleet's key: vectors that openssl computes too, and
 * that whatever is different makes something different.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { Derivation, type UserIdentity } from "#src/artifacts/derivation.js";
import { isOtpSeed } from "#src/sasldb/otp.js";
import { needs, runNative } from "../support/native.ts";

const SECRET = Buffer.from("0123456789abcdef0123456789abcdef");
const ALICE: UserIdentity = {
  host: "relay1.example.com",
  file: "relay1.example.com/sasldb2",
  user: "alice",
  realm: "relay1.example.com",
  generation: 1,
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Of ALICE with the key above. Files are made of them: another version of this package has to have the same. */
const VECTORS = {
  scramSalt: "4e44fb35e186d2db18a8e21d734be150",
  otpSeed: "1dfe48f640bf91f9",
  fileId: "a881378263579b9ad1f82ad353789934b944fe95",
  inputDigest: "3bf6fe494dbef78e866c13e958aff66ac880026fe5ddc600eaabb251908586fd",
} as const;

/** Each with its purpose and its parts, as they are written out for HMAC. */
const MESSAGES: Readonly<Record<keyof typeof VECTORS, readonly [purpose: string, message: string]>> = {
  scramSalt: ["scram-salt", "18:relay1.example.com26:relay1.example.com/sasldb25:alice18:relay1.example.com1:113:SCRAM-SHA-256"],
  otpSeed: ["otp-seed", "18:relay1.example.com26:relay1.example.com/sasldb25:alice18:relay1.example.com1:1"],
  fileId: ["file-id", "26:relay1.example.com/sasldb23:\x01\x02\x03"],
  inputDigest: ["input-digest", "9:env ALICE7:s\xc3\xa9cret"],
};

function derived(derivation: Derivation): Record<keyof typeof VECTORS, string> {
  return {
    scramSalt: hex(derivation.scramSalt(ALICE, "SCRAM-SHA-256")),
    otpSeed: derivation.otpSeed(ALICE),
    fileId: hex(derivation.fileId(ALICE.file, Buffer.from([1, 2, 3]))),
    inputDigest: derivation.inputDigest("env ALICE", Buffer.from("s\u00e9cret")),
  };
}

/** RFC 5869 for one block, written out: extract with no salt, and expand. */
function expandedKey(purpose: string): Buffer {
  const extracted = createHmac("sha256", Buffer.alloc(32)).update(SECRET).digest();
  return createHmac("sha256", extracted).update(`tsmap ${purpose} v1\x01`).digest();
}

describe("what is derived from a key", () => {
  it("is always the same", () => {
    assert.deepEqual(derived(new Derivation(SECRET)), VECTORS);
  });

  it("is HMAC under a key of HKDF, by the text of the RFCs", () => {
    for (const [name, [purpose, message]] of Object.entries(MESSAGES)) {
      const mac = createHmac("sha256", expandedKey(purpose)).update(Buffer.from(message, "latin1")).digest("hex");
      assert.ok(mac.startsWith(VECTORS[name as keyof typeof VECTORS]), name);
    }
  });

  it("is what openssl says", (t) => {
    if (!needs(t, "openssl")) return;
    for (const [name, [purpose, message]] of Object.entries(MESSAGES)) {
      const kdf = [
        "-keylen",
        "32",
        "-kdfopt",
        "digest:SHA256",
        "-kdfopt",
        `hexkey:${hex(SECRET)}`,
        "-kdfopt",
        `info:tsmap ${purpose} v1`,
        "HKDF",
      ];
      const key = `${runNative("openssl", ["kdf", ...kdf]).stdout}`.trim().replaceAll(":", "");
      assert.match(key, /^[0-9A-F]{64}$/);
      const input = Buffer.from(message, "latin1");
      const mac = `${runNative("openssl", ["mac", "-digest", "SHA256", "-macopt", `hexkey:${key}`, "-in", "-", "HMAC"], { input }).stdout}`;
      assert.ok(
        mac
          .trim()
          .toLowerCase()
          .startsWith(VECTORS[name as keyof typeof VECTORS]),
        `${name}: ${mac}`,
      );
    }
  });

  it("is another for another purpose, key, host, file, user, realm, generation or mechanism", () => {
    const derivation = new Derivation(SECRET);
    const others: Partial<UserIdentity>[] = [
      {},
      { host: "relay2.example.com" },
      { file: "relay1.example.com/other" },
      { user: "bob" },
      { realm: "example.com" },
      { generation: 2 },
      // Parts that put together would be the same.
      { user: "alic", realm: "erelay1.example.com" },
      { user: "alice18:relay1.example.com", realm: "" },
      { host: "relay1.example.com26:", file: "relay1.example.com/sasldb2" },
    ];
    const identities = others.map((other) => ({ ...ALICE, ...other }));
    const keys = [SECRET, Buffer.from(`${SECRET}x`), SECRET.subarray(0, 16)].map((secret) => new Derivation(secret));
    const all = [
      ...keys.flatMap((each) =>
        identities.flatMap((identity) => [
          hex(each.scramSalt(identity, "SCRAM-SHA-1")),
          hex(each.scramSalt(identity, "SCRAM-SHA-256")),
          each.otpSeed(identity),
        ]),
      ),
      ...keys.flatMap((each) =>
        ["a", "b"].flatMap((path) =>
          [Buffer.from("x"), Buffer.from("y"), Buffer.alloc(0)].map((content) => hex(each.fileId(path, content))),
        ),
      ),
      ...keys.flatMap((each) =>
        ["a", "b"].flatMap((name) => [Buffer.from("x"), Buffer.from("y")].map((content) => each.inputDigest(name, content))),
      ),
    ];
    assert.equal(new Set(all.map((text) => text.slice(0, 16))).size, all.length);
    assert.deepEqual(derivation.scramSalt(ALICE, "SCRAM-SHA-1"), keys[0]?.scramSalt({ ...ALICE }, "SCRAM-SHA-1"));
  });

  it("has the lengths that its users want", () => {
    const derivation = new Derivation(SECRET);
    for (let generation = 1; generation <= 200; generation++) {
      const seed = derivation.otpSeed({ ...ALICE, generation });
      assert.match(seed, /^[a-z0-9]{16}$/);
      assert.ok(isOtpSeed(seed));
    }
    assert.equal(derivation.scramSalt(ALICE, "SCRAM-SHA-512").length, 16);
    assert.equal(derivation.fileId("a", new Uint8Array()).length, 20);
    assert.match(derivation.inputDigest("a", new Uint8Array()), /^[0-9a-f]{64}$/);
  });

  it("wants a key of 16 bytes", () => {
    assert.throws(() => new Derivation(SECRET.subarray(0, 15)), {
      name: "RangeError",
      message: "a key of 15 bytes: at least 16 are needed",
    });
    new Derivation(SECRET.subarray(0, 16));
  });
});
