/**
 * A SASL database by the library's functions.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { openSasldb, type Sasldb, SasldbError, UserExistsError, updateSasldb } from "tsmakemap";
import { temporaryFolder } from "../support/temp.ts";

const PASSWORD = Buffer.from("pw");
const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => (value === undefined ? undefined : Buffer.from(value).toString());

async function filled(t: TestContext): Promise<string> {
  const path = join(temporaryFolder(t), "sasldb2");
  await updateSasldb(path, (database) => {
    database.setPassword("alice", "r1", PASSWORD);
    database.setPassword("alice", "r2", PASSWORD, { mechanisms: [] });
    database.setProperty("bob", "r1", "mail", bytes("bob@example.com"));
  });
  return path;
}

suite("Sasldb", () => {
  test("users, get, secrets", async (t) => {
    using database = openSasldb(await filled(t));
    const users = database.users().sort((a, b) => `${a.user}${a.realm}`.localeCompare(`${b.user}${b.realm}`));
    assert.deepEqual(
      users.map(({ user, realm, properties }) => [user, realm, [...properties].sort()]),
      [
        ["alice", "r1", ["cmusaslsecretOTP", "userPassword"]],
        ["alice", "r2", ["userPassword"]],
        ["bob", "r1", ["mail"]],
      ],
    );
    assert.equal(text(database.get("bob", "r1", "mail")), "bob@example.com");
    assert.equal(database.get("bob", "r2", "mail"), undefined);
    assert.deepEqual(database.secrets("alice", "r1"), ["userPassword", "cmusaslsecretOTP"]);
    assert.deepEqual(database.secrets("bob", "r1"), []);
  });

  test("setPassword says what it set and deleted", async (t) => {
    const path = await filled(t);
    const changes = await updateSasldb(path, (database) => {
      database.setProperty("alice", "r1", "cmusaslsecretPLAIN", bytes("old"));
      return [
        database.setPassword("alice", "r1", PASSWORD, { mechanisms: ["SCRAM-SHA-256", "SCRAM-SHA-1"], plain: false }),
        database.disable("alice", "r1"),
        database.delete("alice", "r1"),
        database.delete("alice", "r1", "nothing"),
      ];
    });
    assert.deepEqual(changes, [
      { set: ["authPassword"], deleted: ["cmusaslsecretPLAIN"] },
      { set: [], deleted: ["userPassword", "cmusaslsecretOTP"] },
      { set: [], deleted: ["authPassword"] },
      { set: [], deleted: [] },
    ]);
  });

  test("what changes nothing does not touch the file", async (t) => {
    const path = await filled(t);
    const { mtimeNs, ino } = statSync(path, { bigint: true });
    await updateSasldb(path, (database) => database.delete("nobody", "r1"));
    const after = statSync(path, { bigint: true });
    assert.deepEqual([after.mtimeNs, after.ino], [mtimeNs, ino]);
  });

  test("renameRealm tells of secrets that the realm is part of", async (t) => {
    const path = await filled(t);
    const renamed = await updateSasldb(path, (database) => {
      database.setProperty("bob", "r1", "cmusaslsecretDIGEST-MD5", bytes("0123456789abcdef"));
      return database.renameRealm("r1", "r3");
    });
    assert.deepEqual([[...renamed.users].sort(), renamed.bound], [["alice", "bob"], ["bob"]]);
    await assert.rejects(
      updateSasldb(path, (database) => database.renameRealm("r2", "r3")),
      (error) => error instanceof UserExistsError && error.users.join() === "alice",
    );
    using database = openSasldb(path);
    assert.deepEqual(new Set(database.users().map(({ realm }) => realm)), new Set(["r2", "r3"]));
  });

  test("names that cannot be are refused", async (t) => {
    const path = await filled(t);
    const before = readFileSync(path);
    for (const [name, error] of [
      ["a\0b", TypeError],
      ["u".repeat(16384), RangeError],
    ] as const)
      await assert.rejects(
        updateSasldb(path, (database) => database.setPassword(name, "r", PASSWORD)),
        error,
      );
    assert.deepEqual(readFileSync(path), before);
  });
});

suite("updateSasldb", () => {
  test("a change that throws leaves the file, and the lock is free", async (t) => {
    const path = await filled(t);
    const before = readFileSync(path);
    const failure = new Error("mine");
    await assert.rejects(
      updateSasldb(path, (database) => {
        database.delete("alice", "r1");
        throw failure;
      }),
      failure,
    );
    assert.deepEqual([readFileSync(path), readdirSync(join(path, ".."))], [before, ["sasldb2"]]);
  });

  test("a change that is asynchronous is refused, and nothing is written", async (t) => {
    const path = await filled(t);
    const before = readFileSync(path);
    await assert.rejects(
      updateSasldb(path, async (database) => void database.delete("alice", "r1")),
      /has to be synchronous/,
    );
    assert.deepEqual(readFileSync(path), before);
  });

  test("changes that come at the same time in one process are all made", async (t) => {
    const path = await filled(t);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        updateSasldb(path, (database) => database.setPassword(`user${i}`, "r", PASSWORD, { mechanisms: [] })),
      ),
    );
    using database = openSasldb(path);
    assert.equal(database.users().filter(({ realm }) => realm === "r").length, 20);
  });

  test("a change from within a change comes after it", async (t) => {
    const path = await filled(t);
    let inner: Promise<unknown> = Promise.resolve();
    await updateSasldb(path, (database) => {
      inner = updateSasldb(path, (later) => void later.setProperty("bob", "r1", "mail", bytes("second")));
      database.setProperty("bob", "r1", "mail", bytes("first"));
    });
    await inner;
    using database = openSasldb(path);
    assert.equal(text(database.get("bob", "r1", "mail")), "second");
  });

  test("what has been closed cannot be used", async (t) => {
    const path = await filled(t);
    let kept: Sasldb | undefined;
    await updateSasldb(path, (database) => {
      kept = database;
    });
    assert.throws(() => kept?.users(), TypeError);
  });

  test("openSasldb: what is none, or not there, is an error that names the file", (t) => {
    const folder = temporaryFolder(t);
    for (const [path, code] of [
      [join(folder, "none"), "ENOENT"],
      [folder, "EISDIR"],
      [import.meta.filename, "EINVAL"],
    ] as const)
      assert.throws(
        () => openSasldb(path),
        (error) => error instanceof SasldbError && error.path === path && error.code === code,
        path,
      );
  });
});

suite("what a caller gets wrong", () => {
  const fill = async (t: TestContext): Promise<string> => {
    const path = join(temporaryFolder(t), "db");
    await updateSasldb(path, (users) => users.setPassword("a", "r", Buffer.from("pw"), { mechanisms: [] }));
    return path;
  };
  const usersOf = (path: string): unknown => {
    const database = openSasldb(path);
    try {
      return database.users();
    } finally {
      database.close();
    }
  };

  test("a realm or a password that cannot be stored is refused, and the file stays", async (t) => {
    const path = await fill(t);
    const before = readFileSync(path);
    for (const change of [
      (users: Sasldb) => users.renameRealm("r", "x\0y"),
      (users: Sasldb) => users.renameRealm("r", "x".repeat(20_000)),
      (users: Sasldb) => users.setPassword("b", "r", Buffer.alloc(0)),
      (users: Sasldb) => users.setPassword("b", "r", Buffer.from("a\0b")),
      (users: Sasldb) => users.setPassword("b", "r", Buffer.alloc(2049, "x")),
    ])
      await assert.rejects(updateSasldb<unknown>(path, change), /^(?:TypeError|RangeError): /);
    assert.ok(readFileSync(path).equals(before));
  });

  test("a change that goes on later is refused, and what comes of it is nobody's rejection", async (t) => {
    const path = await fill(t);
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", note);
    try {
      const later = async (users: Sasldb): Promise<void> => {
        await new Promise(setImmediate);
        users.setPassword("b", "r", Buffer.from("pw"));
      };
      await assert.rejects(updateSasldb(path, later), new TypeError("change: has to be synchronous"));
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
      assert.deepEqual(rejections, []);
    } finally {
      process.off("unhandledRejection", note);
    }
    assert.equal((usersOf(path) as unknown[]).length, 1);
  });

  test("what the change throws comes as it is, also an error of another file", async (t) => {
    const path = await fill(t);
    const missing = updateSasldb(path, () => readFileSync("/no/such/password"));
    await assert.rejects(
      missing,
      (error) => !(error instanceof SasldbError) && (error as NodeJS.ErrnoException).path === "/no/such/password",
    );
  });
});
