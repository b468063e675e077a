/**
 * What a map is for, and how many of its records hold a secret; and whether
 * what is left of records in unused space may be of a secret.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type MapKind, RecordCounter } from "#src/map-file/map-kind.js";
import { ResidueCounter } from "#src/map-file/residue.js";

function count(records: readonly (readonly [key: string, data: string])[]): { kind: MapKind; secrets: number } {
  const counter = new RecordCounter();
  // Within something longer, as they are on a page.
  for (const [key, data] of records) {
    const page = Buffer.from(`P:x${key}${data}P:x`, "latin1");
    counter.add(page, 3, 3 + key.length, page, 3 + key.length, page.length - 3);
  }
  return { kind: counter.kind, secrets: counter.secrets };
}

describe("records", () => {
  const authinfo = ["authinfo:h", '"U:a" "P:b"'] as const;
  const sasl = ["u\0h.example\0userPassword", "secret"] as const;
  const postfix = ["[mail.h.example]:587", "user@h.example:secret"] as const;
  const route = ["h.example", "RELAY"] as const;
  const cases: readonly (readonly [string, Parameters<typeof count>[0], MapKind, number])[] = [
    ["none", [], "empty", 0],
    ["of authinfo", [authinfo, ["authinfo:i", "no"]], "authinfo", 1],
    ["of authinfo, without a password", [["authinfo:i", "no"]], "authinfo", 0],
    ["of an access map with authinfo", [authinfo, route], "access", 1],
    ["of a SASL database", [sasl, sasl], "sasldb", 2],
    ["of a sasl_passwd map", [postfix, ["mail.h.example", "relay:Summer.2024"]], "passwords", 2],
    ["of a sasl_passwd map, among others", [postfix, route], "map", 1],
    [
      "of aliases",
      [
        ["@", "@"],
        ["list", ":include:/etc/list"],
      ],
      "aliases",
      0,
    ],
    ["of an access map", [["connect:192.0.2.1", "REJECT go: away"], route], "map", 0],
  ];
  for (const [name, records, kind, secrets] of cases) {
    it(name, () => assert.deepEqual(count(records), { kind, secrets }));
  }
});

describe("residue may be of a secret", () => {
  const mayBeSecret = (text: string): boolean => {
    const counter = new ResidueCounter();
    counter.add(Buffer.from(`\0\0${text}\x01`), text.length);
    return counter.mayBeSecret;
  };
  for (const text of [
    "authinfo:h",
    '"U:user" "P:',
    "mail userPassword",
    "cmusaslsecretOTP",
    "user@h.example:secret",
    "[mail.h.example]:587",
    "local:secret",
  ])
    it(text, () => assert.equal(mayBeSecret(text), true));
  for (const text of [
    "h.example RELAY",
    "connect:192.0.2.1",
    "from:user@h.example",
    "550 5.7.1 no: go away",
    "smtp:[mail.h.example]",
    "2001:db8::1",
  ])
    it(`not: ${text}`, () => assert.equal(mayBeSecret(text), false));
});
