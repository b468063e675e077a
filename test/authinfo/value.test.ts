/**
 * Values of AuthInfo entries: what of one counts, where it stands, and what is
 * wrong with it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { expandPercent } from "#src/authinfo/percent.js";
import { type AuthinfoFault, type AuthinfoValue, formatAuthinfoValue, parseAuthinfoValue } from "#src/authinfo/value.js";
import { bytesOf, maybeTextOf, textOf } from "../support/bytes.ts";

const parse = (text: string): AuthinfoValue => parseAuthinfoValue(bytesOf(text));
const fault = (text: string): AuthinfoFault | undefined => parse(text).fault;

/** The credentials in text: authorization id, authentication id, password, realm, mechanisms. */
function credentials(text: string): readonly (string | undefined)[] | undefined {
  const found = parse(text).credentials;
  if (found === undefined) return undefined;
  const { authorizationId, authenticationId, password, realm, mechanisms } = found;
  return [authorizationId, authenticationId, password, realm, mechanisms].map(maybeTextOf);
}

describe("items", () => {
  it("stand where they are said to", () => {
    const text = ' "U:root"\t"i=dXNlcg==" "P:12 3" rest';
    const { items, stop } = parse(text);
    assert.deepEqual(
      items.map((item) => [item.tag, item.delimiter, textOf(item.text), item.isUnclosed]),
      [
        ["U", ":", "root", false],
        ["I", "=", "user", false],
        ["P", ":", "12 3", false],
      ],
    );
    assert.deepEqual(
      items.map(({ start, end, textStart, textEnd }) => [text.slice(start, end), text.slice(textStart, textEnd)]),
      [
        ['"U:root"', "root"],
        ['"i=dXNlcg=="', "dXNlcg=="],
        ['"P:12 3"', "12 3"],
      ],
    );
    assert.deepEqual(stop, { reason: "not-quoted", offset: text.indexOf("rest") });
  });

  it("are the last of those with a tag, and at most seven", () => {
    assert.deepEqual(credentials('"U:1" "U:2" "P:1" "P:2" "R:1" "M:1" "M:2" "U:3" "P:3"'), ["2", "2", "2", "1", "2"]);
    assert.deepEqual(parse('"U:1" "P:1" "U:2" "U:3" "U:4" "U:5" "U:6" "U:7"').stop, { reason: "item-limit", offset: 42 });
  });

  it("are copied where U or I is missing, and not where it is empty", () => {
    assert.deepEqual(credentials('"U:a" "P:x"')?.slice(0, 2), ["a", "a"]);
    assert.deepEqual(credentials('"I:a" "P:x"')?.slice(0, 2), ["a", "a"]);
    assert.deepEqual(credentials('"U:" "I:a" "P:x"')?.slice(0, 2), ["", "a"]);
  });

  it("end at their quote, which a backslash keeps from ending them", () => {
    assert.equal(credentials('"U:a" "P:x"y"')?.[2], "x");
    assert.equal(credentials('"U:a" "P:x\\"y"')?.[2], 'x\\"y');
    assert.equal(credentials('"U:a" "P:x\\\\"y"')?.[2], "x\\\\");
    const unclosed = parse('"U:a" "P:x ');
    assert.deepEqual(unclosed.items[1], {
      ...{ tag: "P", delimiter: ":", text: bytesOf("x "), start: 6, end: 11, textStart: 9, textEnd: 11, isUnclosed: true },
    });
  });

  it("may have a comment between them, and nothing else", () => {
    assert.deepEqual(credentials('"U:a"(a comment)"P:x"')?.slice(0, 3), ["a", "a", "x"]);
    assert.deepEqual(parse('"U:a",  "P:x"').stop, { reason: "not-quoted", offset: 5 });
  });

  it("of base64 end at a NUL", () => {
    assert.equal(credentials(`"U:a" "P=${Buffer.from("x\0y").toString("base64")}"`)?.[2], "x");
  });
});

describe("faults", () => {
  const cases: readonly (readonly [string, AuthinfoFault])[] = [
    ["", { code: "empty" }],
    ["  ", { code: "empty" }],
    ["U:a P:x", { code: "not-quoted", offset: 0 }],
    [" 'U:a' \"P:x\"", { code: "not-quoted", offset: 1 }],
    ['"X:a" "P:x"', { code: "unknown-tag", offset: 1 }],
    ['" U:a" "P:x"', { code: "unknown-tag", offset: 1 }],
    ['"" "P:x"', { code: "unknown-tag", offset: 1 }],
    ['"U:a" "P"', { code: "item-too-short", offset: 6 }],
    ['"U:a" "Px"', { code: "unknown-delimiter", offset: 8 }],
    ['"U:a" "P =x"', { code: "unknown-delimiter", offset: 8 }],
    ['"U:a"', { code: "no-password" }],
    ['"P:x"', { code: "no-user" }],
    ['"U:a" "P:"', { code: "empty-password", offset: 6 }],
    ['"U:" "I:" "P:x"', { code: "empty-user", offset: 5 }],
    ['"U:a" "P=eA="', { code: "bad-base64", tag: "P", problem: "length", offset: 12 }],
    ['"U:a" "P=eA"', { code: "bad-base64", tag: "P", problem: "length", offset: 11 }],
    ['"U:a" "P=eA==eA=="', { code: "bad-base64", tag: "P", problem: "padding", offset: 13 }],
    ['"U:a" "P=e A=="', { code: "bad-base64", tag: "P", problem: "character", offset: 10 }],
    ['"U:a" "P:x" "M=*"', { code: "bad-base64", tag: "M", problem: "character", offset: 15 }],
  ];
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text)} is ${expected.code}`, () => {
      assert.deepEqual(fault(text), expected);
      assert.equal(credentials(text), undefined);
    });
  }

  it("are none of an entry that has a meaning of its own", () => {
    assert.deepEqual(
      ["?", " ?\t", "temp", "TEMPfail now", "tem", "??"].map((text) => [parse(text).special, fault(text)?.code]),
      [
        ["not-found", undefined],
        ["not-found", undefined],
        ["temporary-failure", undefined],
        ["temporary-failure", undefined],
        [undefined, "not-quoted"],
        [undefined, "not-quoted"],
      ],
    );
  });
});

describe("the percent expansion", () => {
  const expand = (text: string): string => textOf(expandPercent(bytesOf(text), bytesOf("KEY")).bytes);

  it("halves doubled signs, puts in the key, and leaves arguments out", () => {
    assert.equal(expand("a%%b%0c%1d%9e%xf%"), "a%bKEYcde%xf%");
    assert.equal(expand("%%0%%%0%%"), "%0%KEY%");
  });

  it("says where its bytes are from", () => {
    assert.deepEqual(expandPercent(bytesOf("a%%%0b%1"), bytesOf("KEY")).offsets, [0, 1, 3, 3, 3, 5, 8]);
  });
});

describe("reading", () => {
  it("comes to an end with whatever bytes, and stays within them", () => {
    const byte = fc.oneof(fc.constantFrom(...bytesOf('"\\():=UIPM<> %')), fc.integer({ min: 0, max: 255 }));
    const value = fc.array(byte, { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(value, (bytes) => {
        const { items, stop, credentials: found, fault: wrong, special } = parseAuthinfoValue(bytes);
        for (const { start, textStart, textEnd, end } of items) {
          assert.ok(0 <= start && start < textStart && textStart <= textEnd && textEnd <= end && end <= bytes.length);
          assert.equal(bytes[start], 0x22);
        }
        assert.ok(stop.offset <= bytes.length);
        assert.equal([found, wrong, special].filter((part) => part !== undefined).length, 1);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a value that is written", () => {
  it("is read back, whatever its parts hold", () => {
    const part = fc
      .oneof(
        fc.uint8Array({ minLength: 1, maxLength: 180 }),
        fc.string({ unit: fc.constantFrom(...'ab"%\\( \t\r\n<'), minLength: 1 }).map(bytesOf),
      )
      .map((bytes) => bytes.map((byte) => byte || 1));
    const names = fc.uniqueArray(fc.constantFrom("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"));
    const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
    fc.assert(
      fc.property(part, maybe(part), part, maybe(part), names, fc.boolean(), (one, other, password, realm, mechanisms, isUser) => {
        const [authorizationId, authenticationId] = isUser ? [one, other] : [other, one];
        const text = formatAuthinfoValue({ authorizationId, authenticationId, password, realm, mechanisms });
        const { bytes } = expandPercent(bytesOf(text), bytesOf("AuthInfo:"));
        const found = parseAuthinfoValue(bytes).credentials;
        assert.ok(found !== undefined);
        const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): void => assert.equal(maybeTextOf(a), maybeTextOf(b));
        same(found.authorizationId, authorizationId ?? one);
        same(found.authenticationId, authenticationId ?? one);
        same(found.password, password);
        same(found.realm, realm);
        assert.equal(maybeTextOf(found.mechanisms), mechanisms.length === 0 ? undefined : mechanisms.join(" "));
      }),
      { numRuns: 500 },
    );
  });

  it("is plain where it can be", () => {
    assert.equal(
      formatAuthinfoValue({ authorizationId: "root", authenticationId: "a@b", password: "1 2", mechanisms: ["LOGIN", "PLAIN"] }),
      '"U:root" "I:a@b" "P:1 2" "M:LOGIN PLAIN"',
    );
    assert.equal(formatAuthinfoValue({ authenticationId: "a", password: '50%"' }), '"I:a" "P=NTAlIg=="');
  });

  it("is refused where sendmail could not read it", () => {
    const good = { authenticationId: "a", password: "x" };
    for (const bad of [
      { password: "" },
      { authenticationId: "" },
      { password: "a\0" },
      { password: "x".repeat(253) },
      { mechanisms: ["A,B"] },
    ]) {
      assert.throws(() => formatAuthinfoValue({ ...good, ...bad }), RangeError);
    }
    assert.equal(credentials(formatAuthinfoValue({ ...good, password: "x".repeat(252) }))?.[2], "x".repeat(252));
  });

  it("shows no secret where it is refused", () => {
    assert.throws(
      () => formatAuthinfoValue({ authenticationId: "a", password: "topsecret\0" }),
      (error: Error) => !error.message.includes("topsecret"),
    );
  });
});
