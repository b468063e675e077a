/**
 * What is read before anything is written: names, configuration, passwords.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { Configuration, ConfigurationError, parseConfiguration, readConfiguration } from "#src/sasldb/configuration.js";
import { decodeName, encodeName, LONGEST_PART, lowerCase, splitKey, splitUserid } from "#src/sasldb/name.js";
import { LONGEST_PASSWORD, passwordDoubt, passwordFault } from "#src/sasldb/password.js";
import { bytesOf, textOf } from "../support/bytes.ts";
import { temporaryFolder } from "../support/temp.ts";

suite("names", () => {
  test("a key is user, realm and property between NULs, without one at its end", () => {
    const name = { user: "dummyuser", realm: "mail.example.com", property: "userPassword" };
    assert.equal(textOf(encodeName(name)), "dummyuser\0mail.example.com\0userPassword");
    assert.deepEqual(decodeName(encodeName(name)), name);
    assert.deepEqual(decodeName(encodeName({ user: "", realm: "", property: "" })), { user: "", realm: "", property: "" });
  });

  test("what has not two NULs, or too long a part, is no key", () => {
    const long = "u".repeat(LONGEST_PART + 1);
    for (const key of ["", "a", "a\0b", "a\0b\0c\0", "a\0b\0c\0d", `${long}\0r\0p`, `u\0${long}\0p`, `u\0r\0${long}`])
      assert.equal(splitKey(bytesOf(key)), undefined, key.slice(0, 20));
    assert.ok(splitKey(bytesOf(`${long.slice(1)}\0${long.slice(1)}\0${long.slice(1)}`)) !== undefined);
  });

  test("a userid is split at its first @", () => {
    const split = (userid: string): string => Object.values(splitUserid(userid, "host")).join(" | ");
    assert.deepEqual(["bob", "bob@r", "bob@a@b", "bob@", "@r", "", " bob "].map(split), [
      "bob | host",
      "bob | r",
      "bob | a@b",
      "bob | ",
      " | r",
      " | host",
      " bob  | host",
    ]);
  });

  test("letters of ASCII alone are made lower case", () => assert.equal(lowerCase("MAIL-ÄÖ.Example"), "mail-ÄÖ.example"));
});

suite("configuration", () => {
  test("keys of any case, comments, blanks, the first of two", () => {
    const text = "# c\n\n  SASLDB_PATH:   /a b/c   \r\nMech_List:PLAIN\tOTP  LOGIN\nmech_list: x\n: empty key\n   # more\nn: 1";
    const configuration = parseConfiguration(text, "x.conf");
    assert.equal(configuration.get("sasldb_path"), "/a b/c");
    assert.deepEqual(configuration.list("mech_list"), ["PLAIN", "OTP", "LOGIN"]);
    assert.equal(configuration.get("nothing"), undefined);
    assert.equal(configuration.list("nothing"), undefined);
  });

  test("what is no setting names file and line", () => {
    for (const [text, line] of [
      ["this is not valid\n", 1],
      ["a: b\n\nkey :value", 3],
      ["a: b\nkey:   \n", 2],
      ["\ufeffa: b", 1],
      [`a: ${"x".repeat(4096)}`, 1],
    ] as const) {
      assert.throws(
        () => parseConfiguration(text, "x.conf"),
        (error: ConfigurationError) =>
          error instanceof ConfigurationError && error.line === line && error.message.startsWith(`x.conf: line ${line}: `),
        text.slice(0, 20),
      );
    }
  });

  test("switches", () => {
    const isOn = (value: string): boolean => new Configuration(new Map([["k", value]])).isOn("k");
    assert.deepEqual(["1", "yes", "y", "true", "t", "on", "one"].filter(isOn), ["1", "yes", "y", "true", "t", "on", "one"]);
    assert.deepEqual(["0", "no", "off", "o", "Yes", "ON", "True"].filter(isOn), []);
    assert.equal(new Configuration().isOn("k"), false);
  });

  test("the first folder that has the file counts, and what cannot be read is passed over", (t) => {
    const folder = temporaryFolder(t);
    for (const name of ["a", "b", "c"]) mkdirSync(join(folder, name));
    mkdirSync(join(folder, "a", "app.conf"));
    writeFileSync(join(folder, "b", "app.conf"), "k: b\n");
    writeFileSync(join(folder, "c", "app.conf"), "k: c\n");
    const folders = ["none", "a", "b", "c"].map((name) => join(folder, name));
    const found = readConfiguration("app", folders);
    assert.deepEqual([found.get("k"), found.path], ["b", join(folder, "b", "app.conf")]);
    assert.equal(readConfiguration("other", folders).path, undefined);
  });
});

suite("passwords", () => {
  test("faults", () => {
    const fault = (text: string): string | undefined => passwordFault(bytesOf(text));
    assert.equal(fault(""), "empty");
    assert.equal(fault("a\0b"), "nul");
    assert.equal(fault("\0"), "nul");
    assert.equal(fault("a".repeat(LONGEST_PASSWORD + 1)), "too-long");
    assert.equal(fault("a".repeat(LONGEST_PASSWORD)), undefined);
    assert.equal(fault(" \xff "), undefined);
  });

  test("doubts", async () => {
    const cases: [Uint8Array, string | undefined][] = [
      [bytesOf("12345"), undefined],
      [bytesOf(" blanks ~!"), undefined],
      [Buffer.from("grün"), undefined],
      [Buffer.from("12345\r"), "carriage-return"],
      [Buffer.from("grün\r"), "carriage-return"],
      [bytesOf("gr\xfcn"), "not-utf-8"],
      [Buffer.from("a\nb"), "forbidden-character"],
      [Buffer.from("a\tb"), "forbidden-character"],
      [Buffer.from("a\u00adb"), "prepared-differently"],
      [Buffer.from("a\u00a0b"), "prepared-differently"],
      [Buffer.from("u\u0308"), "prepared-differently"],
      [Buffer.from("\u2168"), "prepared-differently"],
      [Buffer.from("\ufeffpw"), "prepared-differently"],
    ];
    for (const [password, doubt] of cases) assert.equal(await passwordDoubt(password), doubt, JSON.stringify(textOf(password)));
  });
});
