/**
 * SCRAM: the published exchanges, and the records of the plugins.
 */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { suite, test } from "node:test";
import { parseScramSecret, SCRAM_MECHANISMS, scramKeys, scramSecret } from "#src/sasldb/scram.js";
import { textOf } from "../support/bytes.ts";

/** The examples of RFC 5802, section 5, and RFC 7677, section 3. */
const EXCHANGES = [
  {
    mechanism: "SCRAM-SHA-1",
    digest: "sha1",
    nonce: "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
    clientNonce: "fyko+d2lbbFgONRv9qkxdawL",
    salt: "QSXCR+Q6sek8bf92",
    proof: "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  {
    mechanism: "SCRAM-SHA-256",
    digest: "sha256",
    nonce: "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    clientNonce: "rOprNGfwEbeRWgbNEkqO",
    salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
    proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
] as const;

suite("RFC 5802 and RFC 7677", () => {
  for (const { mechanism, digest, nonce, clientNonce, salt, proof, signature } of EXCHANGES) {
    test(mechanism, () => {
      const keys = scramKeys(Buffer.from("pencil"), { mechanism, salt: Buffer.from(salt, "base64"), iterations: 4096 });
      const message = `n=user,r=${clientNonce},r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
      const serverSignature = createHmac(digest, keys.serverKey).update(message).digest("base64");
      assert.equal(serverSignature, signature);
      // What the server does with the proof: out comes the client's key, whose hash is stored.
      const clientSignature = createHmac(digest, keys.storedKey).update(message).digest();
      const clientKey = Buffer.from(proof, "base64").map((byte, i) => byte ^ (clientSignature[i] as number));
      assert.equal(createHash(digest).update(clientKey).digest("hex"), Buffer.from(keys.storedKey).toString("hex"));
    });
  }
});

suite("records", () => {
  for (const mechanism of SCRAM_MECHANISMS) {
    test(`${mechanism}: written and read back`, () => {
      const salt = Buffer.from("0123456789abcdef");
      const record = scramSecret(Buffer.from("pw"), { mechanism, salt, iterations: 10 });
      assert.match(textOf(record), new RegExp(`^${mechanism}\\$10:MDEyMzQ1Njc4OWFiY2RlZg==\\$[A-Za-z0-9+/]+=*:[A-Za-z0-9+/]+=*$`));
      const { salt: its, storedKey, serverKey } = scramKeys(Buffer.from("pw"), { mechanism, salt, iterations: 10 });
      assert.deepEqual(parseScramSecret(record), {
        mechanism,
        iterations: 10,
        salt: Buffer.from(its),
        storedKey: Buffer.from(storedKey),
        serverKey: Buffer.from(serverKey),
      });
    });
  }

  test("what is none is not read", () => {
    const good = textOf(scramSecret(Buffer.from("pw"), { mechanism: "SCRAM-SHA-1", salt: Buffer.alloc(16) }));
    assert.ok(parseScramSecret(Buffer.from(good)) !== undefined);
    for (const bad of ["", "x", good.toLowerCase(), `${good}\n`, good.replace(":", ""), good.replace("SHA-1", "SHA-3"), `{${good}}`])
      assert.equal(parseScramSecret(Buffer.from(bad)), undefined, bad);
  });

  test("salt and iterations are checked", () => {
    const make = (salt: Uint8Array, iterations: number) => () =>
      scramKeys(Buffer.from("pw"), { mechanism: "SCRAM-SHA-1", salt, iterations });
    assert.throws(make(Buffer.alloc(0), 1), RangeError);
    for (const iterations of [0, -1, 1.5, 2 ** 31]) assert.throws(make(Buffer.alloc(16), iterations), RangeError);
  });
});
