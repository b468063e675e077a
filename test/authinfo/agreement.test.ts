/**
 * A client's entry and its relay's users, held against each other.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Database } from "berkeley-db-js";
import { type Agreement, type AgreementSettings, checkAgreement } from "#src/authinfo/agreement.js";
import { Sasldb } from "#src/sasldb/sasldb.js";
import { bytesOf } from "../support/bytes.ts";

const RELAY = "hostname.domain.com";
const MECHANISMS = ["EXTERNAL", "GSSAPI", "KERBEROS_V4", "DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"];

interface User {
  readonly user: string;
  readonly realm: string;
  readonly plain?: boolean;
}

function check(value: string, users: readonly User[], settings: Partial<AgreementSettings> = {}): Agreement {
  using records = Database.open(new Uint8Array(), { type: "hash", create: true });
  const database = new Sasldb(records);
  for (const { user, realm, plain = true } of users) database.setPassword(user, realm, bytesOf("12345"), { plain });
  const entry = { key: bytesOf("authinfo:"), data: bytesOf(value) };
  return checkAgreement([entry], database, { name: RELAY }, { relayHostname: RELAY, relayMechanisms: MECHANISMS, ...settings });
}

const ours = { user: "dummyuser", realm: RELAY };

/** The reasons by mechanism. */
function reasons({ verdicts }: Agreement): Record<string, string> {
  return Object.fromEntries(verdicts.map(({ mechanism, prediction }) => [mechanism, prediction.reason]));
}

describe("the guide's client and relay", () => {
  it("agree, with the user as sasldblistusers shows it and without its realm", () => {
    for (const name of ["dummyuser@hostname.domain.com", "dummyuser"]) {
      const found = check(`"U:root" "I:${name}" "P:12345"`, [ours]);
      assert.deepEqual([found.outcome, found.mechanism], ["authenticated", "DIGEST-MD5"]);
      assert.deepEqual(
        found.verdicts.map(({ mechanism }) => mechanism),
        ["DIGEST-MD5", "CRAM-MD5"],
      );
    }
  });

  it("agree on every mechanism", () => {
    for (const mechanism of ["DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"]) {
      assert.equal(check(`"I:dummyuser@${RELAY}" "P:12345" "M:${mechanism}"`, [ours]).mechanism, mechanism);
    }
  });

  it("do not offer what needs a certificate or Kerberos", () => {
    assert.deepEqual(check('"U:u" "P:x"', []).offered, ["DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"]);
  });
});

describe("a relay refuses", () => {
  it("a wrong password", () => {
    const found = check('"I:dummyuser" "P:1234"', [ours]);
    assert.equal(found.outcome, "sent-without-auth");
    assert.equal(reasons(found)["CRAM-MD5"], `wrong password for dummyuser@${RELAY}`);
  });

  it("a user of another realm", () => {
    const found = check('"I:dummyuser" "P:12345"', [{ user: "dummyuser", realm: "hostname" }]);
    assert.equal(reasons(found)["DIGEST-MD5"], `no user "dummyuser" in realm "${RELAY}"; the user exists in realm "hostname"`);
    assert.equal(
      check('"I:dummyuser" "P:12345"', [{ user: "dummyuser", realm: "hostname" }], { relayRealm: "hostname" }).outcome,
      "authenticated",
    );
  });

  it("a user who has a secret of OTP alone", () => {
    const found = check('"I:dummyuser" "P:12345" "M:CRAM-MD5 PLAIN"', [{ ...ours, plain: false }]);
    assert.deepEqual(found.mechanism, undefined);
    assert.match(reasons(found)["CRAM-MD5"] ?? "", /has no userPassword, which CRAM-MD5 needs \(it has cmusaslsecretOTP\)/);
  });

  it("by what is left of the list, for now", () => {
    assert.equal(check('"I:dummyuser" "P:1234" "M:CRAM-MD5 FOO"', [ours], { relayMechanisms: ["CRAM-MD5", "FOO"] }).outcome, "deferred");
  });
});

describe("a client does not try", () => {
  it("without an entry that can be used, or without a common mechanism", () => {
    const code = (value: string): readonly unknown[] => {
      const { resolution, outcome, verdicts } = check(value, [ours]);
      assert.deepEqual(verdicts, []);
      return [outcome, resolution.client.outcome !== "authenticates" && resolution.client.reason.code];
    };
    assert.deepEqual(code("?"), ["sent-without-auth", "no-entry"]);
    assert.deepEqual(code("no"), ["sent-without-auth", "bad-entry"]);
    assert.deepEqual(code('"U:a" "P:x" "M:LOGIN,PLAIN"'), ["deferred", "no-common-mechanism"]);
  });
});
