/**
 * Maps as LDIF: any bytes come out of it as they went in, whatever is in them,
 * and every line is one that RFC 2849 knows.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { isDn, LdifWriter, type MapPlace } from "#src/map-file/ldif.js";
import { readEntries } from "../support/directory-server.ts";

const PLACE: MapPlace = { base: "dc=example,dc=org", name: "authinfo", scope: { attribute: "sendmailMTACluster", value: "Servers" } };

type Records = readonly (readonly [key: Uint8Array, data: Uint8Array])[];

function ldifOf(records: Records, place: MapPlace = PLACE): string {
  const pieces: Buffer[] = [];
  const writer = new LdifWriter((piece) => pieces.push(Buffer.from(piece)));
  writer.begin(place);
  for (const [key, data] of records) writer.visit(Buffer.from(key), 0, key.length, Buffer.from(data), 0, data.length);
  writer.end();
  return Buffer.concat(pieces).toString("latin1");
}

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** The first value of a DN, without its escapes (RFC 4514, 3). */
function firstValue(dn: string): string {
  const [, text = ""] = /^[A-Za-z]+=((?:[^\\,+"<>;]|\\(?:[0-9A-F]{2}|[ #+,;<>"\\]))*),/.exec(dn) ?? [];
  return text.replace(/\\([0-9A-F]{2}|.)/g, (_, code: string) =>
    code.length === 2 ? String.fromCharCode(Number.parseInt(code, 16)) : code,
  );
}

describe("a map as LDIF", () => {
  it("is what cf/README shows", () => {
    assert.equal(
      ldifOf([[bytesOf("example.com"), bytesOf("relay:[smtp.example.com]")]], { ...PLACE, name: "mailer" }),
      `version: 1

dn: sendmailMTAMapName=mailer,dc=example,dc=org
objectClass: sendmailMTA
objectClass: sendmailMTAMap
sendmailMTAMapName: mailer
sendmailMTACluster: Servers

dn: sendmailMTAKey=example.com,sendmailMTAMapName=mailer,dc=example,dc=org
objectClass: sendmailMTA
objectClass: sendmailMTAMap
objectClass: sendmailMTAMapObject
sendmailMTAMapName: mailer
sendmailMTACluster: Servers
sendmailMTAKey: example.com
sendmailMTAMapValue: relay:[smtp.example.com]
`,
    );
  });

  it("folds a line at 76 bytes, and writes in Base64 what is not safe", () => {
    const [, , entry = ""] = ldifOf([[bytesOf("a"), bytesOf("x".repeat(76))]]).split("\n\n");
    assert.ok(entry.endsWith(`\nsendmailMTAMapValue: ${"x".repeat(55)}\n ${"x".repeat(21)}\n`));
    const safe = {
      " a": false,
      "a ": false,
      ":a": false,
      "<a": false,
      "a:<b": true,
      "a b": true,
      "\xfc": false,
      "\t": false,
      "\x7f": false,
    };
    for (const [value, isSafe] of Object.entries(safe))
      assert.equal(/MapValue: /.test(ldifOf([[bytesOf("a"), bytesOf(value)]])), isSafe, JSON.stringify(value));
  });

  it("escapes what a DN has marks for", () => {
    const [, , entry = ""] = ldifOf([[bytesOf(' #a"+,;<>\\=\xfc\0 '), bytesOf("x")]], { ...PLACE, name: "#a,b" }).split("\n\n");
    const [dn] = readEntries(entry);
    assert.equal(
      dn?.dn,
      '\\ #a\\"\\+\\,\\;\\<\\>\\\\=\\FC\\00\\ ,sendmailMTAMapName=\\#a\\,b,dc=example,dc=org'.replace(/^/, "sendmailMTAKey="),
    );
  });

  it("gives any keys and values back, but for the NUL at their end", () => {
    // Characters that LDIF and DNs have marks for come often enough.
    const marks = fc.constantFrom(...Buffer.from(' #:<>"+,;=\\\0\r\n\t\xffa', "latin1"));
    const byte = fc.oneof(marks, fc.integer({ min: 0, max: 255 }));
    const bytes = fc.oneof(
      { weight: 9, arbitrary: fc.array(byte, { maxLength: 120 }) },
      fc.array(byte, { maxLength: 2000, minLength: 500 }),
    );
    const some = bytes.map((array) => Uint8Array.from(array));
    fc.assert(
      fc.property(fc.array(fc.tuple(some, some), { maxLength: 8 }), some.map(latin1), (records, name) => {
        const text = ldifOf(records, { ...PLACE, name, scope: { attribute: "sendmailMTAHost", value: "a.example" } });
        for (const line of text.split("\n")) assert.match(line, /^[ -~]{0,76}$/);
        const [map, ...entries] = readEntries(text);
        assert.equal(firstValue(map?.dn ?? ""), Buffer.from(name).toString("latin1"));
        const withoutNul = (part: Uint8Array): string => latin1(part).replace(/\0$/, "");
        assert.deepEqual(
          entries.map(({ dn, attributes }) => [firstValue(dn), attributes.get("sendmailMTAKey"), attributes.get("sendmailMTAMapValue")]),
          records.map(([key, data]) => [withoutNul(key), [withoutNul(key)], [withoutNul(data)]]),
        );
        for (const { dn, attributes } of entries) {
          assert.ok(dn.endsWith(`,${map?.dn}`));
          assert.deepEqual(attributes.get("objectClass"), ["sendmailMTA", "sendmailMTAMap", "sendmailMTAMapObject"]);
          assert.deepEqual(attributes.get("sendmailMTAHost"), ["a.example"]);
        }
      }),
    );
  });

  it("comes whole, where it is longer than a piece", () => {
    const data = Buffer.alloc(1_000_000, "0123456789");
    const entries = readEntries(
      ldifOf([
        [bytesOf("a"), data],
        [bytesOf("b"), data],
      ]),
    );
    assert.deepEqual(
      entries.slice(1).map(({ attributes }) => attributes.get("sendmailMTAMapValue")),
      [[latin1(data)], [latin1(data)]],
    );
  });
});

it("a DN is told from what is none", () => {
  for (const dn of ["dc=org", "ou=mail, dc=example, dc=org", "cn=a+sn=b,o=x", "o=a\\,b\\2C\\ ,c=de", "2.5.4.10=x", "O=J\xfcrgen = x"])
    assert.ok(isDn(dn), dn);
  for (const text of [
    "",
    "example.org",
    "dc=",
    "dc=example,",
    ",dc=org",
    "dc=example;dc=org",
    "dc=a,b",
    "dc=a\n,dc=b",
    "dc=a\\",
    "=a",
    "d c=a",
  ])
    assert.ok(!isDn(text), JSON.stringify(text));
});
