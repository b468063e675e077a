/**
 * What is built of the example fleet, in the hands of the native programs: for
 * AIX, as it is built, and for this machine; the same users and records.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { copyExamples, tsmapBatch } from "../support/example-fleet.ts";
import { needs, runNative } from "../support/native.ts";
import { assertVerified, dump } from "../support/native-db.ts";
import { type Login, logIn, loginTools } from "../support/sasl-login.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
const TARGETS = ["aix", "native"] as const;

interface Indexed {
  readonly path: string;
  readonly host: string;
  readonly kind: string;
  readonly format: string;
  readonly records: number;
}

const built = (target: string, path = ""): string => join(top, target, "artifacts", path);
const index = (target: string): readonly Indexed[] =>
  (JSON.parse(readFileSync(built(target, "index.json"), "utf8")) as { files: readonly Indexed[] }).files;

const passwords: Record<string, string> = {};

before(async () => {
  for (const target of TARGETS) copyExamples(join(top, target), "fleet");
  const answers = await tsmapBatch(
    top,
    TARGETS.map((target) => ["build", `${target}/tsmap.yaml`, "--target", target]),
  );
  for (const { exit, stderr } of answers) assert.deepEqual([exit, stderr], [0, ""]);
  const text = readFileSync(join(top, "aix/secrets/passwords.yaml"), "utf8");
  for (const [, name = "", password = ""] of text.matchAll(/^(\w+): (.*)$/gm)) passwords[name] = password;
  assert.equal(Object.keys(passwords).length, 40);
});

for (const target of TARGETS) {
  suite(`built for ${target}`, () => {
    test("db5.3_verify finds every file sound, and db5.3_dump as many records as are said to be there", (t) => {
      if (!needs(t, "db5.3_verify", "db5.3_dump")) return;
      const files = index(target);
      assert.equal(files.length, 11);
      assertVerified(files.map(({ path }) => built(target, path)));
      for (const { path, records, format } of files) {
        const found = dump(built(target, path));
        assert.equal(found.length, records, path);
        assert.equal(format.includes("big-endian"), target === "aix");
        // The order is that of pages: the other target's has the same ones.
        const other = dump(built(target === "aix" ? "native" : "aix", path));
        assert.deepEqual(found.sort(), other.sort(), path);
      }
    });

    test("sasldblistusers2 lists the users of each relay, and no other", (t) => {
      if (!needs(t, "sasldblistusers2")) return;
      const manifest = readFileSync(join(top, target, "tsmap.yaml"), "utf8");
      let users = 0;
      for (const relay of ["relay1", "relay2", "relay3"]) {
        const { stdout, status } = runNative("sasldblistusers2", ["-f", built(target, `${relay}.example.com/sasldb2`)]);
        assert.equal(status, 0);
        const listed = new Set(
          Array.from(stdout.toString().matchAll(/^(.+): (?:cmusaslsecretOTP|userPassword|authPassword)$/gm), ([, name]) => name),
        );
        const own = new RegExp(`^  ${relay}\\.example\\.com:\\n((?: {4}.*\\n)+)`, "m").exec(manifest)?.[1] ?? "";
        const names = Array.from(own.matchAll(/^ {10}(\w+): /gm), ([, name]) => name as string);
        if (relay !== "relay3") names.push("client1", "client2", "client3", "client4");
        assert.deepEqual([...listed].sort(), names.map((name) => `${name}@${relay}.example.com`).sort());
        users += names.length;
      }
      assert.equal(users, 44);
    });

    test("makemap reads every map", (t) => {
      if (!needs(t, "makemap")) return;
      for (const { path, records, kind } of index(target)) {
        if (!path.endsWith(".db")) continue;
        const { stdout, status, stderr } = runNative("makemap", [
          "-C",
          "/dev/null",
          "-u",
          "hash",
          built(target, path).replace(/\.db$/, ""),
        ]);
        assert.equal(status, 0, path);
        // It says so of the folder for temporary files.
        assert.match(stderr.toString(), /^(?:WARNING: World writable directory .*\n)*$/);
        const lines = stdout.toString("latin1").split("\n").slice(0, -1);
        assert.equal(lines.length, records, path);
        if (kind === "authinfo")
          for (const line of lines)
            assert.match(line, /^authinfo:relay\d\.example\.com\t"U:root" "I:client\d@relay\d\.example\.com" "P:example-/);
      }
    });
  });
}

suite("logins through Cyrus SASL", () => {
  const LOGINS = {
    "DIGEST-MD5": { relay: "relay1", user: "client1" },
    "CRAM-MD5": { relay: "relay2", user: "maria" },
    "SCRAM-SHA-256": { relay: "relay3", user: "dora" },
  } as const;
  for (const [name, { relay, user }] of Object.entries(LOGINS)) {
    const mechanism = name as keyof typeof LOGINS;
    test(`${user} of ${relay} by ${mechanism}, and not with another's password`, async (t) => {
      if (!needs(t, ...loginTools([mechanism]))) return;
      const fqdn = `${relay}.example.com`;
      const login: Login = {
        database: built("aix", `${fqdn}/sasldb2`),
        mechanism,
        login: `${user}@${fqdn}`,
        password: passwords[user] ?? "",
        server: { fqdn },
      };
      const { ok, detail } = await logIn(login);
      assert.ok(ok, detail);
      assert.equal((await logIn({ ...login, password: passwords["anna"] ?? "" })).ok, false);
    });
  }
});
