/**
 * What of a record is masked: of authinfo values in every shape that a mistake
 * gives them, of SASL databases and sasl_passwd maps; and what is left alone.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { holdsSecret, maskRecord } from "#src/map-file/secrets.js";
import { bytesOf, textOf } from "../support/bytes.ts";

/** As makemap splits a line of the source: the key is folded, and ends at the first blank. */
function recordOf(line: string): [key: string, data: string] {
  const [, key = "", data = ""] = /^([^ \t]*)[ \t]*(.*)$/s.exec(line) as RegExpExecArray;
  return [key, data];
}

function masked(key: string, data: string): [key: string, data: string, isMasked: boolean] {
  const record = maskRecord(bytesOf(key), bytesOf(data));
  return [textOf(record.key), textOf(record.data), record.isMasked];
}

type Shape = (password: string) => string;
const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");

/** Lines of a source: as they should be, and with the mistakes that sendmail's client was recorded with. */
const SHAPES: Readonly<Record<string, Shape>> = {
  "all items": (p) => `AuthInfo: "U:u1" "I:u2" "P:${p}" "M:LOGIN"`,
  "a server": (p) => `AuthInfo:mail.h.example "U:u1" "I:u2" "P:${p}" "R:h.example" "M:LOGIN PLAIN"`,
  "password first": (p) => `AuthInfo:[192.0.2.1] "P:${p}" "U:u1"`,
  "lower case": (p) => `authinfo:h "u:u1" "p:${p}"`,
  base64: (p) => `AuthInfo: "I=dXNlcg==" "P=${base64(p)}" "M:PLAIN"`,
  "base64 under a plain delimiter": (p) => `AuthInfo: "I:u1" "P:${base64(p)}"`,
  "base64 without quotes": (p) => `AuthInfo: I=dXNlcg== P=${base64(p)}`,
  "no quotes": (p) => `AuthInfo: U:u1 I:u2 P:${p}`,
  "no quotes, no blanks": (p) => `AuthInfo: U:u1I:u2P:${p}`,
  "password alone without quotes": (p) => `AuthInfo: "U:u1" P:${p} "M:PLAIN"`,
  "an unquoted remark": (p) => `AuthInfo: "I:u1" "P:${p}" M:PLAIN`,
  "unknown tag before": (p) => `AuthInfo: "X:u1" "P:${p}"`,
  "unknown tag of the password": (p) => `AuthInfo: "U:u1" "Q:${p}"`,
  "unknown delimiter": (p) => `AuthInfo: "U:u1" "P;${p}"`,
  "no delimiter": (p) => `AuthInfo: "U:u1" "${p}"`,
  "no blanks between items": (p) => `AuthInfo: "U:u1""P:${p}""M:PLAIN"`,
  tabs: (p) => `AuthInfo:\t "U:u1"\t  "P:${p}" \t"M:PLAIN"  `,
  CRLF: (p) => `AuthInfo: "U:u1" "P:${p}" "M:PLAIN"\r`,
  "single quotes": (p) => `AuthInfo: 'U:u1' 'P:${p}'`,
  "no last quote": (p) => `AuthInfo: "U:u1" "M:PLAIN" "P:${p}`,
  "no first quote": (p) => `AuthInfo: U:u1" "P:${p}" "M:PLAIN"`,
  "no quote before the password": (p) => `AuthInfo: "U:u1" P:${p}" "M:PLAIN"`,
  "no quotes between user and password": (p) => `AuthInfo: "U:u1 P:${p}" "M:PLAIN"`,
  "no closing quote of the user": (p) => `AuthInfo: "U:u1 "P:${p}" "M:PLAIN"`,
  "an escaped quote": (p) => `AuthInfo: "U:u1" "P:${p}\\"x" "M:PLAIN"`,
  "an inner quote": (p) => `AuthInfo: "U:u1" "P:a"${p}" "M:PLAIN"`,
  "a user that cannot be base64": (p) => `AuthInfo: "U=****" "P:${p}"`,
  "more than six items": (p) => `AuthInfo: "U:a" "I:b" "R:d" "M:PLAIN" "U:e" "U:f" "U:g" "P:${p}"`,
  "two passwords": (p) => `AuthInfo: "U:a" "P:x" "P:${p}"`,
  "the ruleset's mark": (p) => `AuthInfo: $# "U:u1" "P:${p}"`,
  "a blank behind the tag": (p) => `AuthInfo: mail.h.example "U:u1" "P:${p}"`,
  "no colon behind the tag": (p) => `AuthInfo mail.h.example "U:u1" "P:${p}"`,
  "a tag that is misspelt": (p) => `AuthInf:mail.h.example "U:u1" "P:${p}"`,
  "a tag that is misspelt, no quotes": (p) => `AuthInf:mail.h.example U:u1 P:${p}`,
  "a tag that is misspelt, base64 without quotes": (p) => `AuthInf:mail.h.example U=dXNlcg== P=${base64(p)}`,
  "a byte order mark": (p) => `\xef\xbb\xbfAuthInfo: "Q;${p}"`,
  "a quoted key": (p) => `"AuthInfo:" "U:u1" "Q:${p}"`,
  "no tag": (p) => `mail.h.example "U:u1" "P:${p}"`,
  "no blank behind the key": (p) => `AuthInfo:mail.h.example"U:u1""P:${p}""M:PLAIN"`,
  "no blank behind the key, password next": (p) => `AuthInfo:mail.h.example"P:${p}" "U:u1"`,
  "no blank, no quotes": (p) => `AuthInfo:U:u1 P:${p}`,
  "no blank, no quotes, password next": (p) => `AuthInfo:P:${p} U:u1`,
  "no blank, no tag": (p) => `mail.h.example"U:u1""P:${p}"`,
  "no tag, base64 alone": (p) => `mail.h.example U=dTE= P=${base64(p)}`,
  "no tag, no blank, base64 alone": (p) => `mail.h.example"P=${base64(p)}"`,
  "no blank, single quotes": (p) => `AuthInfo:h'U:u1' 'P:${p}'`,
  sasl_passwd: (p) => `[mail.h.example]:587 u1:${p}`,
  "sasl_passwd of a host": (p) => `mail.h.example u1@h.example:${p}`,
  "sasl_passwd of a mailer's name": (p) => `[mail.h.example]:25 smtp:${p}`,
  "sasl_passwd of a host in brackets": (p) => `[mail.h.example] u1:${p}`,
  "sasl_passwd of a host and a port": (p) => `mail.h.example:587 u1:${p}`,
  "sasl_passwd of a user in digits": (p) => `[mail.h.example]:587 412345@h.example:${p}`,
  "sasl_passwd of a user in digits, of a host": (p) => `mail.h.example 250123:${p}`,
  "sasl_passwd of a user like a status": (p) => `mail.h.example 5.7.1@x:${p}`,
  "sasl_passwd of a user like a reply": (p) => `[mail.h.example]:587 550:${p}`,
  "sasl_passwd of a user who is called relay": (p) => `[mail.h.example] relay:${p}.2024`,
  "sasl_passwd of a user who is called local": (p) => `mail.h.example local:${p}`,
  "sasl_passwd of a user who is called discard": (p) => `user@h.example discard:${p}`,
  "a SASL database": (p) => `u1\0h.example\0userPassword ${p}`,
  "a SASL database with a NUL more": (p) => `u1\0h.example\0userPassword\0 ${p}\0`,
  "a SASL database without a realm": (p) => `u1\0\0cmusaslsecretOTP ${p}`,
};

describe("a password", () => {
  const anything = fc
    .string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)), minLength: 6, maxLength: 40 })
    .filter((text) => !/[\n\r]/.test(text));
  const withBlanks = fc.tuple(anything, fc.constantFrom("", " ", "\t", "  "), anything).map((parts) => parts.join(""));
  const digits = fc.integer({ min: 10_000, max: 999_999_999 }).map(String);
  const password = fc
    .oneof(anything, withBlanks, digits, fc.string({ minLength: 6, unit: fc.constantFrom(..."abpP:=\"' ") }))
    // Where its own tag is missing, a password that looks like an item of another kind is one.
    .filter((text) => !/(?:^|["'\s])[uirm][:=]/i.test(text));

  for (const [name, shape] of Object.entries(SHAPES)) {
    it(`is never in the masked record: ${name}`, () => {
      const property = fc.property(password, (secret) => {
        const [key, data] = recordOf(shape(secret));
        for (const [k, d] of [
          [key, data],
          [key.toLowerCase(), data],
          [`${key}\0`, `${data}\0`],
        ] as const) {
          const [maskedKey, maskedData, isMasked] = masked(k, d);
          assert.ok(isMasked);
          assert.ok(holdsSecret(bytesOf(k), bytesOf(d)));
          const shown = `${maskedKey} ${maskedData}`.toLowerCase();
          for (const text of [secret, base64(secret)]) assert.ok(!shown.includes(text.toLowerCase()), `${shown} shows ${text}`);
          // Nor any great part of it, unless it ends what it stands in.
          if (/["']/.test(secret)) continue;
          for (let i = 0; i + 6 <= secret.length; i++) assert.ok(!shown.includes(secret.slice(i, i + 6).toLowerCase()), shown);
        }
      });
      fc.assert(property, { numRuns: 150 });
    });
  }

  it("of a record without mistakes alone is masked, and the rest shown", () => {
    assert.deepEqual(masked("authinfo:h", '"U:a" "I:b" "P:secret" "R:h.example" "M:LOGIN PLAIN"'), [
      "authinfo:h",
      '"U:a" "I:b" "P:***" "R:h.example" "M:LOGIN PLAIN"',
      true,
    ]);
    assert.deepEqual(masked("AuthInfo:\0", '"I=dXNlcg==""p=c2VjcmV0"\t\r\0').slice(0, 2), ["AuthInfo:\0", '"I=dXNlcg==""p=***"\t\r\0']);
    assert.deepEqual(masked("authinfo:h", '"P:"'), ["authinfo:h", "***", true]);
  });

  it("within a key is masked up to the server's name", () => {
    assert.deepEqual(masked('authinfo:mail.h.example"u:a""p:secret"', ""), ["authinfo:mail.h.example***", "", true]);
    assert.deepEqual(masked('AuthInfo:"U:a"', '"P:secret"'), ["AuthInfo:***", "***", true]);
    assert.deepEqual(masked("AuthInfo:P:1234", "x"), ["AuthInfo:***", "***", true]);
    assert.deepEqual(masked("AuthInfo:mail.corpP:1234", "x"), ["AuthInfo:***", "***", true]);
  });
});

describe("what may be a password, or something else, is masked", () => {
  for (const [key, data] of [
    ["[smtp.qq.com]:587", "412345@qq.com:AUTHCODE"],
    ["smtp.qq.com", "250123:pw"],
    ["mail.h.example", "5.7.1@x:pw"],
    ["mail.h.example", "relay:Summer.2024"],
    ["mail.h.example", "relay:Summer.2024:25"],
    ["mail.h.example", "smtp:a.b"],
    ["mail.h.example", "smtp:[secret]"],
    ["mail.h.example", "smtp:mail.other.example"],
    ["mail.h.example", "local:pw"],
    ["mail.h.example", "local:user"],
    ["mail.h.example", "error:pw"],
    ["mail.h.example", "ERROR:pw"],
    ["mail.h.example", "error:my pass word"],
    ["mail.h.example", "retry:pw"],
    ["mail.h.example", "VERIFY:123456"],
    ["mail.h.example:587", "smtp:[mail.h.example]"],
    ["[mail.h.example]:587", "error:5.1.1 no: go"],
    ["mail.h.example:25", "550 a:b"],
  ] as const) {
    it(`${key} ${data}`, () => {
      assert.deepEqual(masked(key, data), [key, "***", true]);
      assert.deepEqual(masked(`${key}\0`, `${data}\0`), [`${key}\0`, "***", true]);
    });
  }
});

describe("a record without a secret is left alone", () => {
  const records: readonly (readonly [string, string])[] = [
    ["example.com", "RELAY"],
    ["connect:192.0.2.1", "RELAY"],
    ["connect:IPv6:2001:db8::1", "REJECT"],
    ["from:a@b.example", "ERROR:5.7.1:550 not welcome: go"],
    ["from:a@b.example", "550 5.7.1 no: go away"],
    ["192.0.2", "REJECT go away: now"],
    ["tls_srv:mail.h.example", "TEMP+VERIFY:112"],
    ["h.example", "smtp:[mail.h.example]"],
    ["h.example", "smtp:[mail.h.example]:587"],
    ["h.example", "relay:mail.h.example:smtp"],
    ["h.example\0", "esmtp:[192.0.2.1]\0"],
    ["h.example", "error:nouser 550 No such user: sorry"],
    ["h.example", "error:5.1.1 mailbox is gone: sorry"],
    ["h.example", "ERROR:4.7.1:450 later: please"],
    ["h.example", "error:"],
    ["h.example", "local:"],
    ["*", "local:user"],
    [".h.example", "smtp:mail.other.example"],
    ["*", "relay:mail.other.example:25"],
    ["h.example", "smtp:[2001:db8::1]:25"],
    ["h.example", "relay:h.example"],
    ["h.example", "relay:[mail.other.example]"],
    ["h.example", "smtp:"],
    ["connect:10.1", "450 4.7.1 later: please"],
    ["connect:10", "REJECT go: away"],
    ["user@h.example", "a@h.example, b@h.example"],
    ["list", ":include:/etc/mail/list"],
    ["prog", "|/usr/bin/filter a:b"],
    ["prog", '"|/usr/bin/filter a:b"'],
    ["host", "2001:db8::1"],
    ["host", "IPv6:2001:db8::1"],
    ["authinfo:h", "no"],
    ["AuthInfo:", "?"],
    ["authinfo:h", '"U:a" "M:PLAIN"'],
    ["authinfo:mail.h.example:587", '"U:a" "M:PLAIN"'],
    ["authinfo:mail.corp", "no"],
    ["AuthInfo:[IPv6:2001:db8::1]", "temp"],
    ["AuthInfo:[mail.h.example]", ""],
    ["user0000@example.com", "RELAY value 0"],
    ["", ""],
  ];
  for (const [key, data] of records) {
    it(`${key} ${data}`.trim() || "empty", () => {
      const [k, d] = [bytesOf(key), bytesOf(data)];
      const record = maskRecord(k, d);
      assert.deepEqual([textOf(record.key), textOf(record.data), record.isMasked], [key, data, false]);
      assert.equal(record.key, k);
      assert.equal(record.data, d);
      assert.equal(holdsSecret(k, d), false);
    });
  }
});

it("any bytes are masked in time that goes with their length, and come back the same or masked", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: fc.constantFrom(..."authinfo: \"'pP=[]:\0") }).map(bytesOf));
  fc.assert(
    fc.property(bytes, bytes, (key, data) => {
      const copies = [key.slice(), data.slice()];
      const record = maskRecord(key, data);
      assert.deepEqual([key, data], copies);
      if (!record.isMasked) assert.deepEqual([record.key, record.data], copies);
    }),
  );
  for (const part of ['"U:', "\0", " ", '" "', "a.", "[", "p", ":", "a:", '"U:a" ']) {
    const long = bytesOf(part.repeat(300_000 / part.length));
    const start = performance.now();
    maskRecord(bytesOf("authinfo:"), long);
    maskRecord(long, long);
    maskRecord(bytesOf("a"), long);
    assert.ok(performance.now() - start < 1000, `${part}: ${performance.now() - start} ms`);
  }
});
