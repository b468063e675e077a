/**
 * Records fixtures/cases/authinfo-more.json anew: the cases below, by the
 * native makemap and sendmail, against a server that is made here.
 *
 *     node .build/test/support/record-authinfo-cases.js
 *
 * Needs root, m4, and Debian's sendmail-bin and sendmail-cf. It runs in
 * mount and host name namespaces of its own, and changes nothing on the host.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  type AuthinfoCase,
  CRAM_CHALLENGE,
  DIGEST_NONCE,
  DIGEST_REALM,
  type Exchange,
  HOSTNAME,
  MECHANISMS,
  SERVER,
} from "./authinfo-cases.ts";
import { fixturesFolder } from "./fixtures.ts";
import { nativePath } from "./native.ts";

type Draft = Omit<AuthinfoCase, "map_source_b64" | "auth_parsed" | "mail_from" | "log" | "outcome">;

const drafts: Draft[] = [];

/** One byte a character. */
function addSource(group: string, id: string, map_source: string, more: Partial<Draft> = {}): void {
  if (drafts.some((draft) => draft.id === id)) throw new Error(`${id}: twice`);
  drafts.push({ id, group, map_source, ...more });
}

function add(group: string, id: string, value: string, more: Partial<Draft> = {}): void {
  addSource(group, id, `AuthInfo: ${value}\n`, more);
}

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");
const plain = (password: string): string => `"U:user" "P:${password}" "M:PLAIN"`;
const user = (name: string): string => `"I:${name}" "P:x" "M:PLAIN"`;

const NAMES = ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"];

for (const name of NAMES) {
  add("mechanism", `U and I differ, ${name}`, `"U:azid" "I:user" "P:secret" "M:${name}"`);
  add("mechanism", `only U, ${name}`, `"U:user" "P:secret" "M:${name}"`);
  add("mechanism", `empty U, ${name}`, `"U:" "I:user" "P:secret" "M:${name}"`);
  add("mechanism", `empty I, ${name}`, `"U:azid" "I:" "P:secret" "M:${name}"`);
  add("mechanism", `blanks around I, ${name}`, `"U:azid" "I: us er " "P: sec ret " "M:${name}"`);
  add("mechanism", `blanks around U, ${name}`, `"U: azid " "I:user" "P:secret" "M:${name}"`);
  add("mechanism", `I of one blank, ${name}`, `"U:azid" "I: " "P:secret" "M:${name}"`);
  add("mechanism", `U of one blank, ${name}`, `"U: " "I:user" "P:secret" "M:${name}"`);
  for (const [tag, other, text] of [
    ["U", '"I:user"', " x"],
    ["U", '"I:user"', "  ab "],
    ["U", '"I:user"', " ab"],
    ["I", '"U:azid"', " x"],
    ["I", '"U:azid"', "  ab "],
    ["I", "", " x"],
    ["U", "", " x"],
    ["I", "", "  "],
  ]) {
    add("mechanism", `${tag} of "${text}"${other === "" ? " alone" : ""}, ${name}`, `${other} "${tag}:${text}" "P:secret" "M:${name}"`);
  }
  add("mechanism", `user@realm, ${name}`, `"U:root" "I:dummyuser@hostname.domain.com" "P:12345" "M:${name}"`);
  add("quoting", `quote and backslash, ${name}`, `"U=${base64('a"z\\i')}" "I=${base64('u"s\\e')}" "P=${base64('p"\\%w')}" "M:${name}"`);
  add("quoting", `8-bit bytes, ${name}`, `"U:\xc3\xa9z" "I:\xfc\xdf" "P:\xff\x80\xa0\xe4" "M:${name}"`);
  add("quoting", `utf-8, ${name}`, `"I:us\xc3\xa9r" "P:p\xc3\xa4ss" "M:${name}"`);
  add("realm", `R and user@realm, ${name}`, `"I:user@other" "P:x" "R:myrealm" "M:${name}"`);
  add("realm", `R of two words, ${name}`, `"I:user" "P:x" "R:one two" "M:${name}"`);
  add("realm", `empty R, ${name}`, `"I:user" "P:x" "R:" "M:${name}"`);
}

add("mechanism", "M in lower case", '"U:user" "P:secret" "M:plain"');
add("mechanism", "M in mixed case, two", '"U:user" "P:secret" "M:Login Plain"');
add("mechanism", "M empty", '"U:user" "P:secret" "M:"');
add("mechanism", "M of blanks", '"U:user" "P:secret" "M:   "');
add("mechanism", "M with blanks around", '"U:user" "P:secret" "M:  LOGIN   PLAIN  "');
add("mechanism", "M with a tab", '"U:user" "P:secret" "M:LOGIN\tPLAIN"');
add("mechanism", "M with a tab and more", '"U:user" "P:secret" "M:LOGIN\tPLAIN CRAM-MD5"');
add("mechanism", "M with a comma and a blank", '"U:user" "P:secret" "M:PLAIN, LOGIN"');
add("mechanism", "M with semicolons", '"U:user" "P:secret" "M:PLAIN;LOGIN"');
add("mechanism", "M with one name twice", '"U:user" "P:secret" "M:PLAIN PLAIN"');
add("mechanism", "M unknown and known", '"U:user" "P:secret" "M:FOO LOGIN BAR"');
add("mechanism", "M unknown", '"U:user" "P:secret" "M:FOO"');
add("mechanism", "M a part of a name", '"U:user" "P:secret" "M:CRAM"');
add("mechanism", "M more than a name", '"U:user" "P:secret" "M:PLAINX LOGIN"');
add("mechanism", "M in base64", `"U:user" "P:secret" "M=${base64("LOGIN")}"`);
add("mechanism", "M twice", '"U:user" "P:secret" "M:LOGIN" "M:CRAM-MD5"');
add("mechanism", "M twice, the last one empty", '"U:user" "P:secret" "M:LOGIN" "M:"');
add("mechanism", "M first", '"M:LOGIN" "P:secret" "U:user"');
add("mechanism", "M of all", '"U:user" "P:secret" "M:LOGIN PLAIN CRAM-MD5 DIGEST-MD5"');
add("mechanism", "M of those without hash", '"U:user" "P:secret" "M:PLAIN LOGIN CRAM-MD5"');
add("mechanism", "M EXTERNAL", '"U:user" "P:secret" "M:EXTERNAL"', { offer: ["EXTERNAL", "PLAIN"] });
add("mechanism", "M known here, not offered", '"U:user" "P:secret" "M:PLAIN"', { offer: ["LOGIN"] });
add("mechanism", "nothing offered", '"U:user" "P:secret"', { offer: [] });
add("mechanism", "temp, and nothing offered", "temp", { offer: [] });
add("mechanism", "offered in lower case", '"U:user" "P:secret" "M:PLAIN"', { offer: ["plain", "login"] });
add("mechanism", "default AuthMechanisms", '"U:user" "P:secret"', {
  client_mechanisms: ["EXTERNAL", "GSSAPI", "KERBEROS_V4", "DIGEST-MD5", "CRAM-MD5"],
});
add("mechanism", "default AuthMechanisms, PLAIN offered", '"U:user" "P:secret"', {
  client_mechanisms: ["EXTERNAL", "GSSAPI", "KERBEROS_V4", "DIGEST-MD5", "CRAM-MD5"],
  offer: ["PLAIN", "LOGIN"],
});
add("mechanism", "AuthMechanisms are no limit for M", '"U:user" "P:secret" "M:PLAIN"', { client_mechanisms: ["CRAM-MD5"] });
for (const one of ["ANONYMOUS", "EXTERNAL", "NTLM", "OTP", "SCRAM-SHA-1", "SCRAM-SHA-256", "GSSAPI"]) {
  for (const other of ["", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"]) {
    const offer = [one, other].filter((name) => name !== "");
    add("mechanism", `order of ${offer.join(" and ")}`, `"U:azid" "I:user" "P:secret" "M:${offer.join(" ")}"`, { refuse: true, offer });
  }
}
for (const offer of [
  ["SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"],
  ["NTLM", "OTP", "ANONYMOUS"],
  ["NTLM", "ANONYMOUS"],
  ["OTP", "ANONYMOUS"],
]) {
  add("mechanism", `order of ${offer.join(", ")}`, `"U:azid" "I:user" "P:secret" "M:${offer.join(" ")}"`, { refuse: true, offer });
}
for (const M of ["LOGIN PLAIN", "CRAM-MD5 LOGIN", "DIGEST-MD5 CRAM-MD5", "LOGIN PLAIN CRAM-MD5 DIGEST-MD5"]) {
  add("mechanism", `empty I, ${M}`, `"U:azid" "I:" "P:secret" "M:${M}"`);
}

add("mechanism", "U that is refused, all", '"I:user" "P:pw" "U: x"');
add("mechanism", "U that is refused, and those without it, answered", '"I:user" "P:pw" "U: x" "M:DIGEST-MD5 LOGIN"');
add("mechanism", "U that is refused, other than PLAIN", '"I:user" "P:pw" "U: x" "M:DIGEST-MD5 CRAM-MD5 FOO"');

add("realm", "R twice", '"I:user" "P:x" "R:one" "R:two" "M:DIGEST-MD5"');
add("realm", "R in base64", `"I:user" "P:x" "R=${base64("srv.example")}" "M:DIGEST-MD5"`);
add("realm", "R bad base64", '"I:user" "P:x" "R=***" "M:DIGEST-MD5"');
add("realm", "R alone", '"R:srv.example"');
add("realm", "R in lower case", '"i:user" "p:x" "r:other" "m:cram-md5"');

add("items", "tags in lower case", '"u:azid" "i:user" "p:secret" "m:PLAIN"');
add("items", "tags in lower case, base64", `"u=${base64("azid")}" "i=${base64("user")}" "p=${base64("secret")}" "m:PLAIN"`);
add("items", "P first", '"P:secret" "I:user" "M:PLAIN"');
add("items", "P twice", '"I:user" "P:one" "P:two" "M:PLAIN"');
add("items", "P twice, the last one empty", '"I:user" "P:one" "P:" "M:PLAIN"');
add("items", "P twice, the first one empty", '"I:user" "P:" "P:two" "M:PLAIN"');
add("items", "P twice, the first one bad base64", '"I:user" "P=***" "P:two" "M:PLAIN"');
add("items", "seven, P the seventh", '"U:1" "U:2" "U:3" "U:4" "M:PLAIN" "I:a" "P:seventh"');
add("items", "eight, P the eighth", '"U:1" "U:2" "U:3" "U:4" "M:PLAIN" "I:a" "R:r" "P:eighth"');
add("items", "eight, the eighth malformed", '"U:1" "U:2" "U:3" "U:4" "M:PLAIN" "I:a" "P:p" "X:"');
add("items", "seven, the seventh malformed", '"U:1" "U:2" "U:3" "P:p" "M:PLAIN" "I:a" "X:"');
add("items", "twenty", `"I:user" "P:p" "M:PLAIN" ${'"R:r" '.repeat(17)}`);
add("items", "blanks before", '    "I:user" "P:secret" "M:PLAIN"');
add("items", "blanks behind", '"I:user" "P:secret" "M:PLAIN"   \t ');
add("items", "form feed and vertical tab between", '"I:user"\f"P:secret"\v"M:PLAIN"');
add("items", "comma between", '"I:user","P:secret","M:PLAIN"');
add("items", "comma and blank between", '"I:user", "P:secret", "M:PLAIN"');
add("items", "semicolon between", '"I:user";"P:secret"');
add("items", "comma behind all", '"I:user" "P:secret" "M:PLAIN",');
add("items", "comment between", '"I:user" (comment) "P:secret" (and "this" \\) too) "M:PLAIN"');
add("items", "comment first", '(comment)"I:user" "P:secret" "M:PLAIN"');
add("items", "comment not closed", '"I:user" "P:secret" "M:PLAIN" (comment');
add("items", "comment closed twice", '"I:user") "P:secret" "M:PLAIN"');
add("items", "comment closed twice, and another", '"I:user" ) (no) "P:secret" "M:PLAIN"');
add("items", "nested comment", '"I:user" (a (b) c) "P:secret" "M:PLAIN"');
add("items", "number sign behind", '"I:user" "P:secret" "M:PLAIN" # comment "I:other"');
add("items", "number sign before", '# "I:user" "P:secret" "M:PLAIN"');
add("items", "CR between", '"I:user"\r"P:secret" "M:PLAIN"');
add("items", "backslash between", '"I:user" \\ "P:secret" "M:PLAIN"');
add("items", "backslash before a quote between", '"I:user" "P:secret" \\"M:PLAIN"');
add("items", "backslash behind all", '"I:user" "P:secret" "M:PLAIN"\\');
add("items", "exclamation behind a backslash", '"I:user" "P:secret" \\!"M:PLAIN"');
add("items", "angle brackets around", '<"I:user" "P:secret" "M:PLAIN">');
add("items", "angle bracket open", '"I:user" "P:secret" "M:PLAIN" <');
add("items", "angle bracket close between", '"I:user" > "P:secret" "M:PLAIN"');
add("items", "angle bracket close behind", '"I:user" "P:secret" "M:PLAIN" >');
add("items", "dollar between", '"I:user" "P:secret" $ "M:PLAIN"');
add("items", "at between", '"I:user"@"P:secret"');
add("items", "8-bit byte between", '"I:user" \xe9 "P:secret" "M:PLAIN"');
add("items", "8-bit blank between", '"I:user"\xa0"P:secret" "M:PLAIN"');
add("items", "C1 byte before a quote", '"I:user" "P:secret" \x82"M:PLAIN"');
add("items", "C1 bytes between", '"I:user" \x81 "P:secret" "M:PLAIN"');
add("items", "word before", 'x"I:user" "P:secret" "M:PLAIN"');
add("items", "no blank behind the key", '"I:user" "P:secret" "M:PLAIN"');
addSource("items", "no blank between key and value", 'AuthInfo:"I:user" "P:secret" "M:PLAIN"\n');
addSource("items", "tab between key and value", 'AuthInfo:\t"I:user" "P:secret" "M:PLAIN"\n');
addSource("items", "no newline at the end", 'AuthInfo: "I:user" "P:secret" "M:PLAIN"');

add("malformed", "only P", '"P:secret"');
add("malformed", "only U", '"U:user"');
add("malformed", "only M", '"M:PLAIN"');
add("malformed", "only quotes", '""');
add("malformed", "one quote", '"');
add("malformed", "three quotes", '"""');
add("malformed", "quotes behind good items", '"I:user" "P:secret" "M:PLAIN" ""');
add("malformed", "tag alone", '"I:user" "P"');
add("malformed", "tag alone, not closed", '"I:user" "P');
add("malformed", "tag and delimiter, not closed", '"I:user" "P:');
add("malformed", "empty P in base64", '"I:user" "P=" "M:PLAIN"');
add("malformed", "empty I", '"I:" "P:secret" "M:PLAIN"');
add("malformed", "empty U", '"U:" "P:secret" "M:PLAIN"');
add("malformed", "blank before the tag", '" I:user" "P:secret" "M:PLAIN"');
add("malformed", "blank behind the tag", '"I :user" "P:secret" "M:PLAIN"');
add("malformed", "no delimiter", '"Iuser" "P:secret" "M:PLAIN"');
add("malformed", "other delimiter", '"I;user" "P:secret" "M:PLAIN"');
add("malformed", "word for a tag", '"User:user" "Password:secret"');
add("malformed", "tag outside the quotes", 'I:"user" P:"secret" M:"PLAIN"');
add("malformed", "unknown tag last", '"I:user" "P:secret" "M:PLAIN" "Z:x"');
add("malformed", "unknown tag behind a word", '"I:user" "P:secret" "M:PLAIN" x "Z:x"');
add("malformed", "no quotes in the middle", '"I:user" P:secret "M:PLAIN"');
add("malformed", "typographic quotes", "\xe2\x80\x9cI:user\xe2\x80\x9d \xe2\x80\x9cP:secret\xe2\x80\x9d");
add("malformed", "a word", "secret");
add("malformed", "user:password", "user:secret");
add("malformed", "missing quote in the middle", '"I:user "P:secret" "M:PLAIN"');
add("malformed", "missing quote of I, no blank", '"I:user"P:secret" "M:PLAIN"');
add("malformed", "a comment alone", "(comment)");
add("malformed", "closed brackets alone", "<>");
addSource("malformed", "empty value", "AuthInfo:\n", { makemap: "-e" });
addSource("malformed", "empty value and one for the address", 'AuthInfo:[127.0.0.7]\nAuthInfo: "I:user" "P:secret" "M:PLAIN"\n', {
  makemap: "-e",
});
addSource("malformed", "comment for the name, a good one for all", 'AuthInfo:[127.0.0.7] (x)\nAuthInfo: "I:user" "P:secret" "M:PLAIN"\n');
addSource("malformed", "malformed for the name, a good one for all", 'AuthInfo:[127.0.0.7] x\nAuthInfo: "I:user" "P:secret" "M:PLAIN"\n');

for (const [name, text] of Object.entries({
  "backslash at the end": "a\\",
  "two backslashes at the end": "a\\\\",
  "three backslashes at the end": "a\\\\\\",
  "backslash n": "a\\nb",
  "backslash exclamation": "a\\!b",
  exclamation: "a!b",
  "escaped quote first": '\\"ab',
  "escaped quote last": 'ab\\"',
  "doubled quote": 'a""b',
  "single quote": "a'b'c",
  "dollar digits": "a$1b$2$&{server_name}$*$=w",
  "dollar macro": "$j$m$&m",
  "dollar parenthesis": "$(authinfo x $)",
  "parentheses not closed": "a(b",
  "parentheses closed": "a)b",
  "angle brackets": "a<b",
  "angle brackets turned round": "a>b<c",
  "at and comma": "a@b,c;d",
  tab: "a\tb",
  CR: "a\rb",
  "form feed": "a\fb",
  "control bytes": "a\x01\x02\x1f\x7fb",
  "C1 bytes": "a\x80\x81\x82\x85\x93\x94\x95\x9f\xa0b",
  "C1 macro byte": "\x81j",
  "255": "a\xff\xffb",
  "255 before a quote": "a\xff",
  braces: "{a}[b]`c`|~^*",
  "question mark": "?",
  temp: "temp",
  "a colon": ":",
  "an equals sign": "=",
  "a blank": " ",
  "number sign first": "#a",
})) {
  add("quoting", `password: ${name}`, plain(text));
}
add("quoting", "U and I in quotes of their own", '"I:"user"" "P:secret"');
add("quoting", "user with a backslash", user("DOMAIN\\user"));
add("quoting", "user with a backslash at the end", user("user\\"));
add("quoting", "last password with a backslash at the end", '"I:user" "M:PLAIN" "P:a\\"');
add("quoting", "last password with a backslash at the end, not closed", '"I:user" "M:PLAIN" "P:a\\');
add("quoting", "last password with an escaped quote", '"I:user" "M:PLAIN" "P:a\\""');
add("quoting", "not closed with blanks", '"I:user" "M:PLAIN" "P:abc   ');
add("quoting", "not closed with CR", '"I:user" "M:PLAIN" "P:abc\r');
add("quoting", "M not closed", '"I:user" "P:abc" "M:PLAIN');
add("quoting", "U not closed", '"I:user" "P:abc" "M:PLAIN" "U:x');

for (const text of [
  "%",
  "%%",
  "%%%",
  "%%%%",
  "%0",
  "%1",
  "%9",
  "a%0b",
  "a%1b",
  "a%%1b",
  "a%%%1b",
  "%00",
  "%10",
  "%a",
  "%-",
  "% 1",
  "%\\1",
  "100%%",
  "%s%d%n",
  "a%",
]) {
  add("percent", `password ${text}`, plain(text));
}
add("percent", "in the user", user("a%0b%1c%%d"));
add("percent", "in M", '"I:user" "P:x" "M:%1PLAIN"');
add("percent", "before the closing quote", '"I:user" "P:50%" "M:PLAIN"');
add("percent", "in base64", '"I:user" "P=JTA%=" "M:PLAIN"');
add("percent", "in base64, an argument", '"I:user" "P=%1JTA=" "M:PLAIN"');
add("percent", "between", '"I:user" %1 "P:secret" "M:PLAIN"');
add("percent", "makes a tag", '"%1I:user" "P:secret" "M:PLAIN"');
addSource("percent", "%0 with the name", 'AuthInfo:[127.0.0.7] "I:user" "P:%0" "M:PLAIN"\n');
addSource("percent", "%0 with the address", 'AuthInfo:127.0.0.7 "I:user" "P:%0" "M:PLAIN"\n');
add("percent", "a question mark that is made", "%1?");

for (const [name, text] of Object.entries({
  "no padding, two missing": "c2VjcmU",
  "no padding, one missing": "c2VjcmV0cw=",
  "one character": "c",
  "too much padding": "c2VjcmV0====",
  "padding alone": "====",
  "padding first": "=c2VjcmV0",
  "padding in the middle": "c2U=cmV0",
  "blank inside": "c2Vj cmV0",
  "blank at the end": "c2VjcmV0 ",
  "blank at the beginning": " c2VjcmV0",
  "CR at the end": "c2VjcmV0\r",
  "CR at the beginning": "\rc2VjcmV0",
  "tab inside": "c2Vj\tcmV0",
  "of text with a newline": base64("secret\n"),
  "of text with CR and newline": base64("secret\r\n"),
  "of text with a NUL": base64("sec\0ret"),
  "of a NUL first": base64("\0secret"),
  "of a NUL alone": base64("\0"),
  "of 8-bit bytes": base64("\xff\xfe\x80\x00"),
  "URL alphabet": "__--",
  "plus and slash": "++//",
  "bits left over, two": "c2VjcmV0c9==",
  "bits left over, one": "c2VjcmV0c3B=",
  "percent sign inside": "c2Vj%%mV0",
  "backslash inside": "c2Vj\\mV0",
  "plain text that looks like it": "password",
  "plain text": "secret!",
  "8-bit byte inside": "c2Vj\xe4mV0",
})) {
  add("base64", `password: ${name}`, `"I:user" "P=${text}" "M:PLAIN"`);
}
add("base64", "user", `"U=${base64("az id")}" "I=${base64("us\ter")}" "P:x" "M:PLAIN"`);
add("base64", "user with a NUL", `"I=${base64("us\0er")}" "P:x" "M:PLAIN"`);
add("base64", "user with a newline", `"I=${base64("user\n")}" "P:x" "M:PLAIN"`);
add("base64", "user empty", '"I=" "P:x" "M:PLAIN"');
add("base64", "not closed", '"I:user" "M:PLAIN" "P=c2VjcmV0');
add("base64", "M bad", '"I:user" "P:x" "M=*"');
add("base64", "second password bad", '"I:user" "P:x" "M:PLAIN" "P=*"');
add("base64", "U bad, behind good ones", '"I:user" "P:x" "M:PLAIN" "U=*"');

const entry = (name: string): string => `"U:${name}" "P:x" "M:PLAIN"`;
addSource("key", "name before all", `AuthInfo: ${entry("all")}\nAuthInfo:[127.0.0.7] ${entry("name")}\n`);
addSource("key", "address without brackets alone", `AuthInfo:127.0.0.7 ${entry("address")}\n`);
addSource("key", "key in upper case", `AUTHINFO: ${entry("upper")}\n`);
addSource("key", "key in lower case", `authinfo: ${entry("lower")}\n`);
addSource("key", "key without a colon", `AuthInfo ${entry("word")}\n`);
addSource("key", "blank in the key", `AuthInfo: [127.0.0.7] ${entry("blank")}\n`);
addSource("key", "two of the same", `AuthInfo: ${entry("one")}\nAuthInfo: ${entry("two")}\n`);
addSource("key", "two that fold together", `AuthInfo: ${entry("one")}\nauthinfo: ${entry("two")}\n`);
addSource("key", "part of the address", `AuthInfo:127.0.0 ${entry("net")}\nAuthInfo:127 ${entry("net")}\n`);
addSource("key", "port", `AuthInfo:[127.0.0.7]:25 ${entry("port")}\n`);
addSource("key", "trailing dot", `AuthInfo:127.0.0.7. ${entry("dot")}\n`);
addSource("key", "? for name and address", `AuthInfo:[127.0.0.7] ?\nAuthInfo:127.0.0.7 ?\nAuthInfo: ${entry("all")}\n`);
addSource("key", "? for all", "AuthInfo: ?\n");
addSource("key", "? with blanks", `AuthInfo:127.0.0.7 ? \nAuthInfo: ${entry("all")}\n`);
addSource("key", "? with a comment", `AuthInfo:127.0.0.7 ?(x)\nAuthInfo: ${entry("all")}\n`);
addSource("key", "? and more", `AuthInfo:127.0.0.7 ? x\nAuthInfo: ${entry("all")}\n`);
addSource("key", "?? ", `AuthInfo:127.0.0.7 ??\nAuthInfo: ${entry("all")}\n`);
addSource("key", "? in quotes", `AuthInfo:127.0.0.7 "?"\nAuthInfo: ${entry("all")}\n`);
addSource("key", "? in brackets", `AuthInfo:127.0.0.7 <?>\nAuthInfo: ${entry("all")}\n`);
addSource("key", "? escaped", `AuthInfo:127.0.0.7 \\?\nAuthInfo: ${entry("all")}\n`);
addSource("key", "no for the name", `AuthInfo:[127.0.0.7] no\nAuthInfo: ${entry("all")}\n`);
addSource("key", "temp for the name", `AuthInfo:[127.0.0.7] temp\nAuthInfo: ${entry("all")}\n`);
for (const text of [
  "tempfail",
  "TEMP",
  "Temporary failure",
  "tem",
  "temp.x",
  "te mp",
  "temp(x)",
  '"temp"',
  '"temp:x"',
  'temp "I:user" "P:x"',
  "$# temp",
  ":temp",
  "@temp",
  "(x)temp",
  "\\temp",
]) {
  add("key", `value ${text}`, text);
}
for (const makemap of [undefined, "-N", "-f", "-Nf"]) {
  for (const map_flags of [undefined, "-N", "-O", "-f", "-N -f", "-O -f"]) {
    const more = { ...(makemap === undefined ? {} : { makemap }), ...(map_flags === undefined ? {} : { map_flags }) };
    addSource("key", `makemap ${makemap ?? ""}, K ${map_flags ?? ""}`, `AuthInfo: ${entry("found")}\n`, more);
  }
}
addSource("key", "folded K line, -f map in lower case", `authinfo: ${entry("found")}\n`, { makemap: "-f" });
addSource("key", "-f map with both", `AuthInfo: ${entry("upper")}\nauthinfo: ${entry("lower")}\n`, { makemap: "-f" });
addSource("key", "-f map and K line with both", `AuthInfo: ${entry("upper")}\nauthinfo: ${entry("lower")}\n`, {
  makemap: "-f",
  map_flags: "-f",
});
addSource("key", "? in a map with NUL", `AuthInfo:127.0.0.7 ?\nAuthInfo: ${entry("all")}\n`, { makemap: "-N" });

for (const length of [250, 251, 252, 253, 260, 300, 600]) {
  add("limits", `password of ${length} bytes`, plain("p".repeat(length)));
  add("limits", `user of ${length} bytes`, user("u".repeat(length)));
}
for (const length of [180, 184, 188, 192, 300]) {
  add("limits", `password of ${length} bytes in base64`, `"I:user" "P=${base64("p".repeat(length))}" "M:PLAIN"`);
}
for (const length of [240, 255, 256, 300]) {
  add("limits", `a word of ${length} bytes behind`, `"I:user" "P:x" "M:PLAIN" ${"w".repeat(length)}`);
  add("limits", `a comment of ${length} bytes behind`, `"I:user" "P:x" "M:PLAIN" (${"c".repeat(length)})`);
}
add("limits", "a word of 255 bytes and an exclamation behind a backslash", `"I:user" "P:x" "M:PLAIN" ${"w".repeat(255)}\\!`);
add("limits", "a word of 255 bytes and a letter behind a backslash", `"I:user" "P:x" "M:PLAIN" ${"w".repeat(255)}\\a`);
add("limits", "300 C1 bytes", `"I:user" "P:x" "M:PLAIN" ${"\x81".repeat(300)}`);
add("limits", "300 C1 macro bytes", `"I:user" "P:x" "M:PLAIN" ${"\x82".repeat(300)}`);
add("limits", "300 bytes behind a quote behind a C1 macro byte", `"I:user" "P:x" "M:PLAIN" \x82"${"w ".repeat(150)}`);
add("limits", "300 8-bit bytes", `"I:user" "P:x" "M:PLAIN" ${"\xe9".repeat(300)}`);
add("limits", "seven items of 140 bytes", `"I:user" "P:x" "M:PLAIN" ${`"R:${"r".repeat(135)}" `.repeat(6)}`);
add("limits", "words of 950 bytes in all", `"I:user" "P:x" "M:PLAIN" ${"w ".repeat(475)}`);
add("limits", "dots of 900 bytes behind", `"I:user" "P:x" "M:PLAIN" ${".".repeat(900)}`);
for (const length of [600, 612, 613, 614])
  add("limits", `dots of ${length} bytes behind`, `"I:user" "P:x" "M:PLAIN" ${".".repeat(length)}`);
for (const length of [84, 85, 86, 87]) {
  add(
    "limits",
    `a word of ${length} bytes behind what %0 made long`,
    `"I:user" "P:x" "M:PLAIN" ${`"R:${"%0".repeat(10)}" `.repeat(12)}${"w".repeat(length)}`,
  );
}
add("limits", "%0 made long", `"I:user" "P:x" "M:PLAIN" ${'"R:%0%0%0%0%0%0%0%0%0%0" '.repeat(14)}`);
add("limits", "%0 beyond a token", `"I:user" "P:${"%0".repeat(30)}" "M:PLAIN"`);
add("limits", "%0 beyond the buffer", `"I:user" "P:x" "M:PLAIN" ${`"R:${"%0".repeat(20)}" `.repeat(8)}`);

/** The client took its AUTH back. */
class Cancelled extends Error {}

/** A server that does what a case needs, and keeps what it saw. */
class FakeServer {
  offer: readonly string[] = MECHANISMS;
  refuse = false;
  exchanges: Exchange[] = [];
  mailFrom: string | null = null;
  isAuthenticated = false;
  readonly #server: Server = createServer((socket) => void this.#serve(socket).catch(() => socket.destroy()));

  async listen(): Promise<number> {
    this.#server.listen(0, SERVER.address);
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  start(offer: readonly string[] = MECHANISMS, refuse = false): void {
    Object.assign(this, { offer, refuse, exchanges: [], mailFrom: null, isAuthenticated: false });
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on("error", () => {});
    const say = (text: string): boolean => socket.write(`${text}\r\n`);
    say("220 fake ESMTP");
    const lines = createInterface({ input: socket.setEncoding("latin1") })[Symbol.asyncIterator]();
    const read = async (): Promise<string> => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the client is gone");
      return value as string;
    };
    const ask = async (challenge: string): Promise<string> => {
      say(`334 ${base64(challenge)}`);
      const line = await read();
      if (line === "*") throw new Cancelled();
      return Buffer.from(line, "base64").toString("latin1");
    };
    for (let isData = false; ; ) {
      const line = await read();
      if (isData) {
        isData = line !== ".";
        if (!isData) say("250 ok");
      } else if (/^EHLO/.test(line)) say(this.offer.length === 0 ? "250 fake" : `250-fake\r\n250 AUTH ${this.offer.join(" ")}`);
      else if (/^AUTH /.test(line)) {
        const [, mech = "", initial] = line.split(" ");
        if (this.refuse) {
          this.exchanges.push({ mech });
          say("535 no");
        } else {
          const exchange = await this.#converse(mech, initial, ask).catch((error: unknown) => {
            if (!(error instanceof Cancelled)) throw error;
            return undefined;
          });
          if (exchange !== undefined) this.exchanges.push(exchange);
          this.isAuthenticated = exchange !== undefined;
          say(exchange === undefined ? "501 cancelled" : "235 ok");
        }
      } else if (line === "DATA") {
        isData = true;
        say("354 go on");
      } else if (line === "QUIT") {
        socket.end("221 bye\r\n");
        return;
      } else {
        if (/^MAIL /i.test(line)) this.mailFrom = line;
        say("250 ok");
      }
    }
  }

  async #converse(mech: string, initial: string | undefined, ask: (text: string) => Promise<string>): Promise<Exchange | undefined> {
    switch (mech) {
      case "PLAIN": {
        const response = initial === undefined ? await ask("") : Buffer.from(initial, "base64").toString("latin1");
        const [authzid = "", authcid = "", password = ""] = response.split("\0");
        return { mech, authzid_b64: base64(authzid), authcid_b64: base64(authcid), password_b64: base64(password) };
      }
      case "LOGIN": {
        const name = await ask("Username:");
        return { mech, authcid_b64: base64(name), password_b64: base64(await ask("Password:")) };
      }
      case "CRAM-MD5": {
        const [, authcid = "", digest = ""] = /^(.*) (\S+)$/s.exec(await ask(CRAM_CHALLENGE)) ?? [];
        return { mech, authcid, digest, challenge: CRAM_CHALLENGE };
      }
      case "DIGEST-MD5": {
        const response = await ask(`realm="${DIGEST_REALM}",nonce="${DIGEST_NONCE}",qop="auth",algorithm=md5-sess`);
        const fields = response.matchAll(/([\w-]+)=(?:"((?:\\.|[^"\\])*)"|([^,]*))/gs);
        return {
          mech,
          fields: Object.fromEntries(
            [...fields].map(([, name = "", quoted, token = ""]) => [name, quoted?.replace(/\\(.)/gs, "$1") ?? token]),
          ),
        };
      }
      default:
        return undefined;
    }
  }
}

/** A stock sendmail.cf with what the cases share. */
function configuration(folder: string, port: number): string {
  const mc = `divert(0)dnl
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`${HOSTNAME}')dnl
define(\`SMART_HOST', \`relay:${SERVER.name}')dnl
define(\`confAUTH_MECHANISMS', \`MECHANISMS')dnl
define(\`confAUTH_OPTIONS', \`A')dnl
define(\`QUEUE_DIR', \`${folder}/queue')dnl
define(\`STATUS_FILE', \`${folder}/statistics')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`confSERVICE_SWITCH_FILE', \`${folder}/switch')dnl
define(\`RELAY_MAILER_ARGS', \`TCP $h ${port}')dnl
FEATURE(\`authinfo', \`hash -o FLAGS ${folder}/authinfo')dnl
MAILER(\`local')dnl
MAILER(\`smtp')dnl
`;
  const cf = "/usr/share/sendmail/cf/";
  return must(spawnSync("m4", [`-D_CF_DIR_=${cf}`, `${cf}m4/cf.m4`, "-"], { input: mc, encoding: "latin1" })).stdout;
}

function must<T extends { readonly status: number | null; readonly stderr: string }>(result: T): T {
  if (result.status !== 0) throw new Error(`exit ${result.status}: ${result.stderr}`);
  return result;
}

async function record(folder: string, only: string | undefined): Promise<void> {
  const server = new FakeServer();
  const stock = configuration(folder, await server.listen());
  const cases: object[] = [];
  for (const draft of drafts) {
    if (only !== undefined && draft.id !== only) continue;
    const source = Buffer.from(draft.map_source, "latin1");
    for (const name of ["queue", "authinfo.db"]) rmSync(join(folder, name), { recursive: true, force: true });
    mkdirSync(join(folder, "queue"));
    spawnSync(nativePath("makemap"), [...(draft.makemap === undefined ? [] : [draft.makemap]), "hash", join(folder, "authinfo")], {
      input: source,
    });
    const cf = stock
      .replace(/ FLAGS /g, ` ${draft.map_flags ?? ""} `)
      .replace("MECHANISMS", (draft.client_mechanisms ?? MECHANISMS).join(" "));
    writeFileSync(join(folder, "sendmail.cf"), cf, { mode: 0o644 });
    server.start(draft.offer, draft.refuse);
    const sendmail: ChildProcess = spawn(
      nativePath("sendmail"),
      ["-C", join(folder, "sendmail.cf"), "-v", "-odi", "-f", "s@a.b", "r@c.d"],
      { stdio: ["pipe", "pipe", "inherit"], timeout: 60_000, env: { PATH: process.env["PATH"], LC_ALL: "C" } },
    );
    sendmail.stdin?.end("Subject: x\n\nx\n");
    let transcript = "";
    sendmail.stdout?.on("data", (chunk: Buffer) => {
      transcript += chunk.toString("latin1");
    });
    await once(sendmail, "close");
    if (only !== undefined) process.stderr.write(transcript);
    const { exchanges, mailFrom, isAuthenticated } = server;
    const outcome = mailFrom === null ? "deferred" : isAuthenticated ? "authenticated" : "sent-without-auth";
    const { id, group, map_source, ...more } = draft;
    cases.push({
      ...{ id, group, map_source, map_source_b64: source.toString("base64"), ...more },
      ...{ auth_parsed: exchanges, mail_from: mailFrom, log: transcript.match(/^r@c\.d\.\.\. (?!Connecting).*$/gm) ?? [], outcome },
    });
  }
  server.close();
  const note = "made by test/support/record-authinfo-cases.ts; see authinfo.md. log: what sendmail -v says of the recipient";
  const text = `{"note":${JSON.stringify(note)},"cases":[\n${cases.map((recorded) => JSON.stringify(recorded)).join(",\n")}\n]}\n`;
  if (only === undefined) writeFileSync(`${fixturesFolder}cases/authinfo-more.json`, text);
  else process.stdout.write(text);
}

/** sendmail wants a host name of its own that is qualified and known, and a map below folders that root alone may write to. */
function enter(folder: string, args: readonly string[]): number {
  writeFileSync(join(folder, "hosts"), `127.0.0.1 ${HOSTNAME} localhost\n`);
  writeFileSync(join(folder, "switch"), "hosts files\n");
  const script = 'mount --bind "$1/hosts" /etc/hosts && hostname "$2" && shift 2 && exec "$@"';
  const command = [folder, HOSTNAME, process.execPath, process.argv[1] as string, "--inside", folder, ...args];
  return spawnSync(nativePath("unshare"), ["-m", "-u", "sh", "-c", script, "sh", ...command], { stdio: "inherit" }).status ?? 1;
}

const [first, second, ...rest] = process.argv.slice(2);
if (first === "--inside") await record(second as string, rest[0]);
else {
  const folder = mkdtempSync(join(homedir(), "record-authinfo-"));
  try {
    process.exitCode = enter(folder, first === undefined ? [] : [first]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
