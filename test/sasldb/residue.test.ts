/**
 * Of a password that was changed or deleted no byte stays in the file, nor of
 * its one-time password: whoever made the file, and whoever else is changed.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, type TestContext, test } from "node:test";
import { Database, readFileHeader } from "berkeley-db-js";
import { type FileFormat, targetFormat } from "#src/hash-file/file-format.js";
import { OTP_SECRET, USER_PASSWORD } from "#src/sasldb/name.js";
import type { Sasldb } from "#src/sasldb/sasldb.js";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { pairsOf, sortedPairs } from "../support/bytes.ts";
import { databaseFixtures } from "../support/fixtures.ts";
import { needs, runNative } from "../support/native.ts";
import { assertVerified } from "../support/native-db.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
writeFileSync(join(top, "saslpasswd.conf"), "");

const REALM = "mail.example.com";
const VICTIM = "victim";

/** Text without a pattern: a piece of it in a file is no accident. */
function unmistakable(name: string, length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += createHash("sha512").update(`${name} ${i}`).digest("base64url");
  return text.slice(0, length);
}

const OLD = { short: unmistakable("old", 40), long: unmistakable("old", 2048) };
const NEW = { short: unmistakable("new", 23), long: unmistakable("new", 1900) };

const FORMATS: Record<string, FileFormat> = {
  native: targetFormat("native"),
  "big-endian": { ...targetFormat("native"), byteOrder: "big" },
  "pages of 512": { ...targetFormat("native"), pageSize: 512 },
  "pages of 65536": { ...targetFormat("native"), pageSize: 65536 },
  "version 8": { ...targetFormat("native"), hashVersion: 8 },
  "version 8, big-endian": targetFormat("aix"),
};

/** Enough for several pages, so that buckets split. */
const OTHERS = Array.from({ length: 12 }, (_, i) => `other${i}`);

let files = 0;

async function makeFile(format: FileFormat, password: string): Promise<string> {
  const file = join(top, `db${files++}`);
  await updateSasldb(
    file,
    (database) => {
      for (const user of OTHERS) database.setPassword(user, REALM, Buffer.from(unmistakable(user, 20 + user.length)));
      database.setPassword(VICTIM, REALM, Buffer.from(password));
    },
    { format },
  );
  return file;
}

function records(file: string): [string, string][] {
  using database = Database.open(new Uint8Array(readFileSync(file)), { readOnly: true });
  return sortedPairs(pairsOf(database));
}

function valueFor(file: string, property: string): string {
  return new Map(records(file)).get(`${VICTIM}\0${REALM}\0${property}`) ?? "";
}

/** What the file must not hold any more: the password, and the value of its OTP secret. */
function secretsIn(file: string): string[] {
  const secrets = [valueFor(file, USER_PASSWORD), valueFor(file, OTP_SECRET).split("\t")[3] ?? ""];
  assert.ok(secrets.every((secret) => secret.length >= 16));
  return secrets;
}

/** The pieces of a secret that stand in the file: of 8 bytes, so that half of one is found. */
function piecesIn(file: string, secret: string): string[] {
  const bytes = readFileSync(file);
  return Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8)).filter((piece) => bytes.includes(piece));
}

function isOthers([key]: readonly [string, string]): boolean {
  return !key.startsWith(`${VICTIM}\0`);
}

const made: string[] = [];

function assertSound(file: string, format: Pick<FileFormat, "byteOrder" | "pageSize" | "hashVersion">): void {
  assert.deepEqual(Database.verify(file), []);
  const header = readFileHeader(new Uint8Array(readFileSync(file).subarray(0, 512)));
  assert.deepEqual([header?.byteOrder, header?.pageSize, header?.version], [format.byteOrder, format.pageSize, format.hashVersion]);
  made.push(file);
}

/** What can become of the victim, and the passwords of it that then are in the file once. */
const CHANGES: Record<string, (database: Sasldb) => readonly string[]> = {
  "changed to a short one": (database) => {
    database.setPassword(VICTIM, REALM, Buffer.from(NEW.short));
    return [NEW.short];
  },
  "changed to a long one": (database) => {
    database.setPassword(VICTIM, REALM, Buffer.from(NEW.long));
    return [NEW.long];
  },
  "changed twice": (database) => {
    database.setPassword(VICTIM, REALM, Buffer.from(unmistakable("between", 600)));
    database.setPassword(VICTIM, REALM, Buffer.from(NEW.short));
    return [NEW.short];
  },
  "disabled (-d)": (database) => {
    database.disable(VICTIM, REALM);
    return [];
  },
  deleted: (database) => {
    database.delete(VICTIM, REALM);
    return [];
  },
};

suite("files of ours", () => {
  for (const [name, format] of Object.entries(FORMATS)) {
    for (const [length, password] of Object.entries(OLD)) {
      test(`${name}, a ${length} password`, async () => {
        for (const [what, change] of Object.entries(CHANGES)) {
          for (const inPlace of [false, true]) {
            const file = await makeFile(format, password);
            const others = records(file).filter(isOthers);
            const secrets = secretsIn(file);
            const left = await updateSasldb(file, change, { inPlace });
            for (const secret of [...secrets, unmistakable("between", 600)]) assert.deepEqual(piecesIn(file, secret), [], what);
            for (const password of left) assert.equal(timesIn(file, password.slice(0, 16)), 1, what);
            assert.deepEqual(records(file).filter(isOthers), others, what);
            assertSound(file, format);
          }
        }
      });

      test(`${name}, a ${length} password, everybody deleted`, async () => {
        const file = await makeFile(format, password);
        const values = records(file).map(([, value]) => value.split("\t")[3] ?? value);
        await updateSasldb(file, (database) => {
          for (const { user, realm } of database.users()) database.delete(user, realm);
        });
        assert.deepEqual(records(file), []);
        for (const value of values) assert.deepEqual(piecesIn(file, value), []);
        assertSound(file, format);
      });

      test(`${name}, a ${length} password, its realm renamed`, async () => {
        const file = await makeFile(format, password);
        const before = records(file);
        await updateSasldb(file, (database) => database.renameRealm(REALM, "example.net"));
        const moved = before.map(([key, value]): [string, string] => [key.replace(REALM, "example.net"), value]);
        assert.deepEqual(records(file), sortedPairs(moved));
        assert.equal(timesIn(file, REALM), 0);
        for (const [, value] of before) assert.equal(timesIn(file, value.slice(-60, -20)), 1);
        // What the secrets were when they moved is gone once they change.
        const [, otp = ""] = before.find(([key]) => key.includes(VICTIM) && key.includes("OTP")) ?? [];
        await updateSasldb(file, (database) => database.setPassword(VICTIM, "example.net", Buffer.from(NEW.short)));
        for (const secret of [password, otp.split("\t")[3] ?? ""]) assert.deepEqual(piecesIn(file, secret), []);
        assertSound(file, format);
      });
    }
  }
});

/** How often it stands in the file. */
function timesIn(file: string, text: string): number {
  return readFileSync(file, "latin1").split(text).length - 1;
}

/** Native programs leave there what they change and delete. */
suite("files that saslpasswd2 has changed", () => {
  function native(file: string, args: readonly string[], password: string): void {
    const env = { PATH: process.env["PATH"], SASL_CONF_PATH: top };
    const { status, stderr } = runNative("saslpasswd2", ["-p", ...args, "-f", file, "-u", REALM], { input: password, env });
    assert.equal(status, 0, stderr.toString());
  }

  /** @returns what is residue now. */
  function leaveResidue(file: string): string[] {
    const secrets: string[] = [];
    for (const password of [OLD.short, unmistakable("third", 300), OLD.long]) {
      native(file, [VICTIM], password);
      secrets.push(password);
      const otp = valueFor(file, OTP_SECRET).split("\t")[3];
      if (otp !== undefined) secrets.push(otp);
    }
    native(file, ["gone"], unmistakable("gone", 1500));
    // A page at the file's end would be given back, and not stay as free.
    native(file, ["last"], unmistakable("last", 2048));
    native(file, ["-d", "gone"], "");
    native(file, ["-d", VICTIM], "");
    // One of the two pages that are free now is used again, and only the beginning of it.
    native(file, ["again"], unmistakable("again", 1100));
    return [...secrets, unmistakable("gone", 1500)];
  }

  const MORE: Record<string, (database: Sasldb) => void> = {
    "another user is set": (database) => database.setPassword("new", REALM, Buffer.from("p")),
    "another user is changed": (database) => database.setPassword("other0", REALM, Buffer.from("p")),
    "another user is deleted": (database) => database.delete("other0", REALM),
    "the user is set anew": (database) => database.setPassword(VICTIM, REALM, Buffer.from(NEW.long)),
    "the realm is renamed": (database) => database.renameRealm(REALM, "example.net"),
  };

  async function assertCleared(file: string, secrets: readonly string[], format: FileFormat): Promise<void> {
    const found = secrets.filter((secret) => piecesIn(file, secret).length > 0);
    assert.ok(found.includes(OLD.long) && found.length >= 2, `residue of ${found.map((secret) => secret.length).join()}`);
    for (const [what, change] of Object.entries(MORE)) {
      const copy = join(top, `db${files++}`);
      copyFileSync(file, copy);
      const kept = records(copy).filter(([key]) => !key.startsWith("other0\0"));
      await updateSasldb(copy, change);
      for (const secret of secrets) assert.deepEqual(piecesIn(copy, secret), [], what);
      const now = new Set(records(copy).map(([, value]) => value));
      for (const [key, value] of kept) assert.ok(now.has(value), `${what}: ${key}`);
      assertSound(copy, format);
    }
  }

  function isPossible(t: TestContext): boolean {
    return needs(t, "saslpasswd2", "sasl sasldb plugin");
  }

  test("and made", async (t) => {
    if (!isPossible(t)) return;
    const file = join(top, `db${files++}`);
    for (const user of ["other0", "other1", "other2"]) native(file, [user], unmistakable(user, 30));
    await assertCleared(file, leaveResidue(file), { byteOrder: "little", pageSize: 4096, hashVersion: 9 });
  });

  for (const [name, format] of Object.entries(FORMATS)) {
    test(`after us: ${name}`, async (t) => {
      if (!isPossible(t)) return;
      const file = await makeFile(format, "first");
      await assertCleared(file, leaveResidue(file), format);
    });
  }
});

suite("fixtures with residue", () => {
  const changeable = databaseFixtures().filter(
    ({ type, version, residue }) => type === "hash" && (version === 8 || version === 9) && residue !== undefined,
  );
  assert.ok(changeable.length >= 4);
  for (const { name, path, residue = [], byteOrder, pageSize, version } of changeable) {
    test(name, async () => {
      const file = join(top, `db${files++}`);
      copyFileSync(path, file);
      const found = (bytes: Buffer): number => residue.filter((piece) => bytes.includes(Buffer.from(piece))).length;
      const before = records(file);
      assert.ok(found(readFileSync(file)) > 0);
      await updateSasldb(file, (database) => database.setPassword("new", REALM, Buffer.from("password")));
      assert.equal(found(readFileSync(file)), 0);
      assert.deepEqual(
        records(file).filter(([key]) => !key.startsWith("new\0")),
        before,
      );
      assertSound(file, { byteOrder, pageSize, hashVersion: version === 8 ? 8 : 9 });
    });
  }
});

test("nothing else is left beside, and db5.3_verify finds all of them sound", (t) => {
  assert.deepEqual(
    readdirSync(top).filter((name) => !/^(db\d+|saslpasswd\.conf)$/.test(name)),
    [],
  );
  assert.ok(made.length > 100);
  if (needs(t, "db5.3_verify")) assertVerified(made);
});
