/**
 * What is taken from sendmail.cf. What makemap makes of these lines is recorded
 * in fixtures/cases (groups type and trusted-user); here are the functions.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import * as fc from "fast-check";
import { mapTypeOf, readControlFile, trustedUsers } from "#src/sendmail-cf/control-file.js";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });

suite("the type of a map", () => {
  const cases: readonly [line: string, map: string, byPath: string | undefined, byBaseName: string | undefined][] = [
    ["Kauthinfo hash -o /etc/mail/authinfo", "/etc/mail/authinfo", "hash", "hash"],
    ["Kauthinfo hash -o /etc/mail/authinfo", "authinfo", undefined, "hash"],
    ["Kauthinfo hash -o /etc/mail/authinfo.db", "authinfo", undefined, "hash"],
    ["Kauthinfo hash -o /etc/mail/authinfo", "elsewhere/authinfo.txt", undefined, "hash"],
    ["Kauthinfo btree authinfo", "authinfo", "btree", "btree"],
    ["Kauthinfo\tbtree\tauthinfo", "authinfo", undefined, undefined],
    ["Kauthinfo btree -o\tauthinfo", "authinfo", "btree", "btree"],
    ["Kauthinfo btree authinfo  \t", "authinfo", "btree", "btree"],
    ["K authinfo btree authinfo", "authinfo", "btree", "btree"],
    ["Ka.b_c btree authinfo", "authinfo", "btree", "btree"],
    ["K-x btree authinfo", "authinfo", undefined, undefined],
    ["Kx -o authinfo", "authinfo", undefined, undefined],
    ["Kx hash:y authinfo", "authinfo", "hash", "hash"],
    [" Kx hash authinfo", "authinfo", undefined, undefined],
    ["#Kx hash authinfo", "authinfo", undefined, undefined],
    ["Kx hash my-authinfo", "authinfo", undefined, undefined],
    ["Kx hash authinfo2", "authinfo", undefined, undefined],
    ["Kx hash authinfo", "", undefined, undefined],
    // The first place where the name occurs has to be the argument.
    ["Kx hash /mail/mail", "mail", undefined, undefined],
    ["", "authinfo", undefined, undefined],
  ];
  for (const [line, map, byPath, byBaseName] of cases) {
    test(JSON.stringify([line, map]), () => {
      assert.deepEqual([mapTypeOf([line], map, false), mapTypeOf([line], map, true)], [byPath, byBaseName]);
    });
  }

  test("the first line counts, whether or not it has a type", () => {
    assert.equal(mapTypeOf(["Ka btree m", "Kb hash m"], "m", false), "btree");
    assert.equal(mapTypeOf(["K- btree m", "Kb hash m"], "m", false), undefined);
  });
});

suite("the trusted user", () => {
  const root = { uid: 0 };
  const cases: readonly [line: string, expected: object[]][] = [
    ["O TrustedUser=12", [{ uid: 12 }]],
    ["O TrustedUser= \t12 ", [{ uid: 12 }]],
    ["O trusteduser=12x", [{ uid: 12 }]],
    ["O TrustedUser =12", [{ uid: 12 }]],
    ["O TrustedUser, so to say=12", [{ uid: 12 }]],
    ["O TrustedUserX=12", []],
    ["O  TrustedUser=12", []],
    ["OTrustedUser=12", []],
    ["O TrustedUser", []],
    ["#O TrustedUser=12", []],
    ["O TrustedUser=root", [root]],
    ["O TrustedUser=root ", [{ unknownName: "root " }]],
    ["O TrustedUser=no-such-user", [{ unknownName: "no-such-user" }]],
    ["O TrustedUser=", [{ unknownName: "" }]],
    // A number that is no user is none.
    ["O TrustedUser=4294967295", [root]],
    ["O TrustedUser=99999999999999999999999", [root]],
  ];
  for (const [line, expected] of cases) test(JSON.stringify(line), () => assert.deepEqual(trustedUsers([line]), expected));

  test("is found by the names of /etc/passwd", () => {
    for (const entry of readFileSync("/etc/passwd", "latin1")
      .split("\n")
      .filter((text) => text !== "")) {
      const [name, , uid] = entry.split(":");
      assert.deepEqual(trustedUsers([`O TrustedUser=${name}`]), [{ uid: Number(uid) }]);
    }
  });
});

test("whatever is in the file, it is read", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .array(fc.constantFrom("K", "O", " ", "TrustedUser", "=", "m", "/", ".", "hash", "\t", "1"), { maxLength: 12 })
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(fc.array(line), fc.string({ maxLength: 4 }), fc.boolean(), (lines, map, byBaseName) => {
      const type = mapTypeOf(lines, map, byBaseName);
      assert.ok(type === undefined || /^[A-Za-z0-9]+$/.test(type));
      for (const user of trustedUsers(lines)) assert.ok("unknownName" in user || (user.uid >= 0 && user.uid < 0xffffffff));
    }),
    { numRuns: 1000, interruptAfterTimeLimit: 3000 },
  );
});

test("a folder has no lines, and what is not there is an error", () => {
  mkdirSync(join(folder, "d"));
  writeFileSync(join(folder, "f"), "a\nb\xff");
  assert.deepEqual(readControlFile(join(folder, "d")), []);
  assert.deepEqual(readControlFile(join(folder, "f")), ["a", "b\xc3\xbf"]);
  assert.throws(() => readControlFile(join(folder, "none")), { code: "ENOENT" });
});
