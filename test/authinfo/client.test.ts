/**
 * What the client does, beyond the recorded runs: reasons, the realm, names.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ClientOutcome, type ClientSettings, predictClient } from "#src/authinfo/client.js";
import { parseAuthinfoValue } from "#src/authinfo/value.js";
import { bytesOf, maybeTextOf } from "../support/bytes.ts";

const predict = (text: string, settings: ClientSettings = {}): ClientOutcome => predictClient(parseAuthinfoValue(bytesOf(text)), settings);

function mechanisms(text: string, settings?: ClientSettings): readonly string[] | string {
  const client = predict(text, settings);
  return client.outcome === "authenticates" ? client.mechanisms : client.reason.code;
}

describe("mechanisms", () => {
  it("are by default those of sendmail, which has no PLAIN and no LOGIN", () => {
    assert.deepEqual(mechanisms('"U:u" "P:x"'), ["DIGEST-MD5", "CRAM-MD5"]);
    assert.deepEqual(mechanisms('"U:u" "P:x"', { serverMechanisms: ["PLAIN", "LOGIN"] }), "no-common-mechanism");
    assert.deepEqual(mechanisms('"U:u" "P:x" "M:LOGIN PLAIN"'), ["PLAIN", "LOGIN"]);
  });

  it("end at EXTERNAL, with which nothing can begin", () => {
    const offer = ["EXTERNAL", "DIGEST-MD5", "CRAM-MD5"];
    const client = predict('"U:u" "P:x"', { serverMechanisms: offer });
    assert.deepEqual(client.outcome === "authenticates" && [client.mechanisms, client.ifRefused], [["DIGEST-MD5"], "deferred"]);
    assert.deepEqual(predict('"U:u" "P:x" "M:EXTERNAL CRAM-MD5"', { serverMechanisms: offer }), {
      outcome: "deferred",
      reason: { code: "cannot-begin", mechanism: "EXTERNAL" },
    });
  });
});

describe("reasons", () => {
  it("are told apart", () => {
    assert.deepEqual(predictClient(undefined), { outcome: "sent-without-auth", reason: { code: "no-entry" } });
    assert.equal(mechanisms('"U:u" "P:x"', { serverMechanisms: [] }), "not-offered");
    assert.equal(mechanisms("temp"), "temporary-failure");
    assert.equal(mechanisms("?"), "no-entry");
    assert.equal(mechanisms("no"), "bad-entry");
    assert.equal(mechanisms('"U:a" "I:" "P:x" "M:LOGIN"'), "unusable-name");
    assert.deepEqual(predict('"U:u" "P:x" "M:LOGIN,PLAIN"'), {
      outcome: "deferred",
      reason: { code: "no-common-mechanism", wanted: ["LOGIN,PLAIN"], offered: ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"] },
    });
  });

  it("hold no password", () => {
    for (const text of ['"P:topsecret"', '"U:u" "P:topsecret" "M:NONE"', '"U:u "P:topsecret"', "topsecret", '"U:u" "P=topsecret"']) {
      assert.doesNotMatch(JSON.stringify(predict(text)), /topsecret/);
    }
  });
});

describe("realm and names", () => {
  it("are the entry's, or the host's, without blanks around a name", () => {
    const client = predict('"U: a b " "I:c\t" "P:x"', { hostname: "client.example.net" });
    assert.ok(client.outcome === "authenticates");
    const { authorizationId, authenticationId, realm } = client;
    assert.deepEqual([authorizationId, authenticationId, realm].map(maybeTextOf), ["a b", "c", "client.example.net"]);
    const other = predict('"U:u" "P:x" "R:"', { hostname: "client.example.net" });
    assert.equal(other.outcome === "authenticates" && maybeTextOf(other.realm), "");
  });
});
