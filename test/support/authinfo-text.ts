/**
 * Arbitraries for fast-check: AuthInfo values and source texts that are about
 * what sendmail and makemap are particular about. One character a byte.
 */
import * as fc from "fast-check";

const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

const TEXTS = [
  ...["user", "secret", "root@mail.example", "12345", "", " ", "c2VjcmV0", "dXNlcg==", "AA==", "se*ret", "PLAIN", "LOGIN", "EXTERNAL"],
  ...["SCRAM-SHA-256", "LOGIN,PLAIN", "LOGIN, PLAIN", "GSSAPI", "PLAYN", "%", "%%", "%0", "%7", "a%1b", "50%", "\\", '\\"', "it's"],
  ...["x".repeat(251), "x".repeat(300), utf8("p\u{e4}ss"), utf8("\u{2019}"), utf8("\u{201d}"), "\xff", "(", ")", "<", ">", "!", "\t"],
];

const text = fc.constantFrom(...TEXTS);
const tag = fc.constantFrom("U", "I", "P", "R", "M", "u", "p", "m", "X", " ", "");
const delimiter = fc.constantFrom(":", ":", ":", "=", " ", "");
const quote = fc.constantFrom('"', '"', '"', '"', '"', "'", "", utf8("\u{201c}"));
const separator = fc.constantFrom(" ", " ", " ", "\t", "", ",", ", ", " x ", "\r", utf8("\u{a0}"), " # ", "(a)", "(");

/** An item that is well formed. */
const goodItem = fc.tuple(fc.constantFrom("U:", "I:", "P:", "P:", "M:"), text).map(([start, inner]) => `"${start}${inner}"`);
const anyItem = fc
  .tuple(quote, tag, delimiter, text, quote)
  .map(([open, letter, sign, inner, close]) => `${open}${letter}${sign}${inner}${close}`);
const item = fc.oneof({ weight: 4, arbitrary: goodItem }, { weight: 1, arbitrary: anyItem });

const special = fc.constantFrom("no", "?", "temp", "TEMPFAIL", "$#", '$# "U:user" "P:secret"', "", "OK", "??", "no way", "? ?");

/** A value: mostly items, good ones and others. */
export const authinfoValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: special },
  {
    weight: 20,
    arbitrary: fc
      .array(fc.tuple(item, separator), { minLength: 1, maxLength: 9 })
      .map((parts) => parts.map(([one, behind]) => one + behind).join("")),
  },
);

const server = fc.constantFrom("", "relay", "Relay", "[192.0.2.1]", "192.0.2.1", "relay:587", "mail.example", "*.x", "h.", "\xc2\xa0");
const keyTag = fc.constantFrom("AuthInfo:", "AuthInfo:", "AuthInfo:", "authinfo:", "AuthInfo", "", "Connect:", '"AuthInfo:');
const blank = fc.constantFrom(" ", " ", " ", "\t", "", "  ", utf8("\u{a0}"));
const entry = fc.tuple(keyTag, server, blank, authinfoValue).map((parts) => parts.join(""));
const line = fc.oneof(
  { weight: 8, arbitrary: entry },
  { weight: 1, arbitrary: fc.constantFrom("# remark", "", " ", "\t# x", ' "P:more"', `# ${"x y ".repeat(300)}`, "key", "\0") },
  { weight: 1, arbitrary: entry.map((one) => ` ${one}`) },
);
const lineEnd = fc.constantFrom("\n", "\n", "\n", "\r\n", "\r\r\n", "\r");

/** A source text of an authinfo map, with whatever may be wrong in one. */
export const authinfoSource: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom("", "", "", "\xef\xbb\xbf", "\xff\xfe"), fc.array(fc.tuple(line, lineEnd), { maxLength: 8 }), fc.boolean())
  .map(([mark, lines, isEnded]) => {
    const all = lines.map(([one, end]) => one + end).join("");
    return mark + (isEnded ? all : all.slice(0, -1));
  });
