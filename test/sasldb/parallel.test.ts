/**
 * Many who change and read one SASL database at the same time.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Database } from "berkeley-db-js";
import { LockedError, withFileLock } from "#src/files/file-lock.js";
import { SasldbError } from "#src/sasldb/error.js";
import { encodeName, OTP_SECRET, USER_PASSWORD } from "#src/sasldb/name.js";
import { openSasldb, updateSasldb } from "#src/sasldb/sasldb-file.js";
import { rootFolder } from "../support/fixtures.ts";
import { needs } from "../support/native.ts";
import { assertVerified } from "../support/native-db.ts";
import { type Outcome, run } from "../support/program.ts";
import { oneTimePassword } from "../support/sasl-login.ts";
import { temporaryFolder } from "../support/temp.ts";

const REALM = "mail.example.com";
const BOTH = [OTP_SECRET, USER_PASSWORD];
const DONE: Outcome = { exit: 0, signal: null, stdout: "", stderr: "" };

function program(name: string, folder: string, args: readonly string[], input = ""): Promise<Outcome> {
  return run(process.execPath, [`${rootFolder}bin/${name}.js`, ...args], { cwd: folder, input, env: { SASL_CONF_PATH: folder } });
}

function setPassword(folder: string, user: string, password: string): Promise<Outcome> {
  return program("tssaslpasswd", folder, ["-p", "-f", "db", "-u", REALM, "--hostname", REALM, user], password);
}

function range<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Nothing but the file is left, it is sound, and each user's password is one of those that were set, in both properties. */
function assertWhole(folder: string, passwords: Readonly<Record<string, readonly string[]>>): void {
  assert.deepEqual(readdirSync(folder), ["db"]);
  const file = join(folder, "db");
  assert.deepEqual(Database.verify(file), []);
  using database = openSasldb(file);
  const users = database.users();
  assert.deepEqual(users.map(({ user }) => user).sort(), Object.keys(passwords).sort());
  for (const { user, realm, properties } of users) {
    assert.deepEqual([realm, ...[...properties].sort()], [REALM, ...BOTH]);
    const text = (property: string): string => Buffer.from(database.get(user, realm, property) ?? []).toString();
    const password = text(USER_PASSWORD);
    assert.ok(passwords[user]?.includes(password), `${user}: ${password}`);
    const [algorithm, sequence, seed = "", value] = text(OTP_SECRET).split("\t");
    assert.equal(algorithm, "md5");
    assert.equal(value, oneTimePassword("md5", Number(sequence), seed, password), `${user}: the secret of another password`);
  }
}

function verifyNatively(t: TestContext, folder: string): void {
  if (needs(t, "db5.3_verify")) assertVerified([join(folder, "db")]);
}

/** Lists the database until `isOver` says so; what it gets is whole each time. */
async function keepReading(folder: string, atLeast: readonly string[], isOver: () => boolean): Promise<number> {
  let count = 0;
  while (!isOver()) {
    const { exit, stdout, stderr } = await program("tssasldblist", folder, ["-f", "db"]);
    assert.deepEqual([exit, stderr], [0, ""]);
    const seen = new Map<string, string[]>();
    for (const line of stdout.split("\n").slice(0, -1)) {
      const [user = "", property = ""] = line.split(": ");
      seen.set(user, [...(seen.get(user) ?? []), property]);
    }
    for (const [user, properties] of seen) assert.deepEqual(properties.sort(), BOTH, `part of ${user}`);
    for (const user of atLeast) assert.ok(seen.has(`${user}@${REALM}`), `${user} is gone`);
    count += 1;
  }
  return count;
}

suite("30 runs at once", () => {
  test("each makes another user of a new file", async (t) => {
    const folder = temporaryFolder(t);
    const outcomes = await Promise.all(range(30, (i) => setPassword(folder, `user${i}`, `password ${i}`)));
    for (const { exit, stdout, stderr } of outcomes) {
      assert.deepEqual([exit, stdout], [0, ""], stderr);
      // The last of them wait for longer than goes unnoticed.
      assert.match(stderr, /^(tssaslpasswd: waiting for .*\n)?$/);
    }
    assertWhole(folder, Object.fromEntries(range(30, (i) => [`user${i}`, [`password ${i}`]])));
    verifyNatively(t, folder);
  });

  test("half of them change the same user, while five readers list", async (t) => {
    const folder = temporaryFolder(t);
    for (const user of ["same", "kept"]) assert.deepEqual(await setPassword(folder, user, "first"), DONE);
    const changes = range(15, (i) => `change ${i}`);
    let isOver = false;
    const readers = range(5, () => keepReading(folder, ["same", "kept"], () => isOver));
    const outcomes = await Promise.all([
      ...changes.map((password) => setPassword(folder, "same", password)),
      ...range(15, (i) => setPassword(folder, `user${i}`, `password ${i}`)),
    ]).finally(() => {
      isOver = true;
    });
    for (const { exit, stderr } of outcomes) assert.equal(exit, 0, stderr);
    for (const reads of await Promise.all(readers)) assert.ok(reads > 0);
    assertWhole(folder, {
      same: changes,
      kept: ["first"],
      ...Object.fromEntries(range(15, (i) => [`user${i}`, [`password ${i}`]])),
    });
    verifyNatively(t, folder);
  });
});

/** What stands in the lock of a process that was killed. */
async function lockOfTheDead(t: TestContext): Promise<string> {
  const file = join(temporaryFolder(t), "dead");
  const code = `
    import { withFileLock } from "${rootFolder}.build/src/files/file-lock.js";
    await withFileLock("${file}", () => process.kill(process.pid, "SIGKILL"));`;
  const { signal } = await run(process.execPath, ["--input-type=module", "--eval", code]);
  assert.equal(signal, "SIGKILL");
  return readFileSync(`${file}.lock`, "utf8");
}

suite("a lock beside the file", () => {
  test("of a run that was killed is taken over, at once", async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "db.lock"), await lockOfTheDead(t));
    assert.deepEqual(await setPassword(folder, "user", "password"), DONE);
    assertWhole(folder, { user: ["password"] });
  });

  for (const [what, text, age] of [
    ["that does not say whose it is", "", 6],
    ["of another host", "1 elsewhere/pid:[1]", 601],
  ] as const) {
    test(`${what} is taken over when it is old`, async (t) => {
      const folder = temporaryFolder(t);
      const lock = join(folder, "db.lock");
      writeFileSync(lock, text);
      const then = Date.now() / 1000 - age;
      utimesSync(lock, then, then);
      assert.deepEqual(await setPassword(folder, "user", "password"), DONE);
      assertWhole(folder, { user: ["password"] });
    });

    test(`${what} is not taken over before`, async (t) => {
      const file = join(temporaryFolder(t), "db");
      writeFileSync(`${file}.lock`, text);
      await assert.rejects(
        withFileLock(file, () => assert.fail("taken"), { patience: 100 }),
        (error) => error instanceof LockedError && error.lock === `${file}.lock`,
      );
      assert.equal(readFileSync(`${file}.lock`, "utf8"), text);
    });
  }

  test("of a run that goes on is waited for, and after a second that is said", async (t) => {
    const folder = temporaryFolder(t);
    const lock = join(folder, "db.lock");
    // Of a process that is alive: this one.
    writeFileSync(lock, (await lockOfTheDead(t)).replace(/^\d+/, String(process.pid)));
    const start = Date.now();
    let told = 0;
    const outcome = run(
      process.execPath,
      [`${rootFolder}bin/tssaslpasswd.js`, "-p", "-f", "db", "-u", REALM, "--hostname", REALM, "user"],
      {
        cwd: folder,
        input: "password",
        env: { SASL_CONF_PATH: folder },
        onSpawn: (child) =>
          child.stderr?.once("data", () => {
            told = Date.now() - start;
          }),
      },
    );
    for (let i = 0; i < 80 && told === 0; i++) await delay(100);
    assert.ok(told >= 1000, `told after ${told} ms`);
    assert.deepEqual(readdirSync(folder), ["db.lock"]);
    rmSync(lock);
    const stderr = "tssaslpasswd: waiting for another program that is changing db (db.lock)\n";
    assert.deepEqual(await outcome, { ...DONE, stderr });
    assertWhole(folder, { user: ["password"] });
  });

  test("that one has after the other is waited for, however long the patience with each of them", async (t) => {
    const file = join(temporaryFolder(t), "db");
    const lock = `${file}.lock`;
    let turns = 0;
    const take = (): void => writeFileSync(lock, `1 elsewhere/${turns++}`);
    take();
    const others = setInterval(() => {
      // As another takes it: there is none for an instant.
      rmSync(lock);
      if (turns < 8) take();
      else clearInterval(others);
    }, 50);
    const start = Date.now();
    assert.equal(await withFileLock(file, () => "done", { patience: 250 }), "done");
    assert.ok(Date.now() - start > 300 && turns === 8, `after ${Date.now() - start} ms, ${turns} turns`);
  });

  test("of a run that was killed is taken over by one at a time, of many that come at once", async (t) => {
    const folder = temporaryFolder(t);
    const rounds = 30;
    const dead = await lockOfTheDead(t);
    for (let round = 0; round < rounds; round++) writeFileSync(join(folder, `${round}.lock`), dead);
    // All of them are at the same lock at the same time.
    const start = Date.now() + 1000;
    const code = `
      import { withFileLock } from "${rootFolder}.build/src/files/file-lock.js";
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      for (let round = 0; round < ${rounds}; round++) {
        const at = ${start} + 80 * round;
        while (Date.now() < at - 3) await pause(1);
        while (Date.now() < at);
        try {
          await withFileLock("${folder}/" + round, () => {
            const from = process.hrtime.bigint();
            while (process.hrtime.bigint() < from + 3_000_000n);
            console.log(round, String(from), String(process.hrtime.bigint()));
          });
        } catch (error) {
          console.error(error.message);
        }
      }`;
    const outcomes = await Promise.all(range(4, () => run(process.execPath, ["--input-type=module", "--eval", code])));
    assert.deepEqual(
      outcomes.flatMap(({ stderr }) => stderr.split("\n").slice(0, -1)),
      [],
    );
    const held = outcomes.flatMap(({ stdout }) =>
      stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split(" ").map(Number)),
    );
    assert.equal(held.length, 4 * rounds);
    held.sort(([a = 0, from = 0], [b = 0, since = 0]) => a - b || from - since);
    const together = held.filter(([round, from = 0], i) => {
      const [before, , to = 0] = held[i - 1] ?? [];
      return before === round && from < to;
    });
    assert.equal(together.length, 0, `${together.length} times two had it`);
  });

  test("that somebody took over meanwhile is left to them", async (t) => {
    const file = join(temporaryFolder(t), "db");
    const lock = `${file}.lock`;
    await updateSasldb(file, (database) => {
      database.setPassword("user", REALM, Buffer.from("password"));
      // A run that stands still for ten minutes is taken for dead.
      writeFileSync(lock, "1 elsewhere");
    });
    assert.equal(readFileSync(lock, "utf8"), "1 elsewhere");
  });
});

suite("a program that takes no lock", () => {
  /** As a server at an OTP login: in place, and at another moment by the file system's clock. */
  function changeInPlace(file: string, value: string): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    using database = Database.open(file);
    database.put(encodeName({ user: "server", realm: REALM, property: OTP_SECRET }), Buffer.from(value));
  }

  async function newFile(t: TestContext): Promise<string> {
    const file = join(temporaryFolder(t), "db");
    await updateSasldb(file, (database) => database.setPassword("kept", REALM, Buffer.from("first")));
    return file;
  }

  for (const inPlace of [false, true]) {
    test(`that is faster loses nothing${inPlace ? ", in place" : ""}`, async (t) => {
      const file = await newFile(t);
      let calls = 0;
      const result = await updateSasldb(
        file,
        (database) => {
          calls += 1;
          if (calls === 1) changeInPlace(file, "theirs");
          database.setPassword("ours", REALM, Buffer.from("password"));
          return calls;
        },
        { inPlace },
      );
      assert.deepEqual([result, calls], [2, 2]);
      using database = openSasldb(file);
      assert.equal(Buffer.from(database.get("server", REALM, OTP_SECRET) ?? []).toString(), "theirs");
      assert.deepEqual(database.secrets("ours", REALM), [USER_PASSWORD, OTP_SECRET]);
      assert.deepEqual(database.secrets("kept", REALM), [USER_PASSWORD, OTP_SECRET]);
      assert.deepEqual(readdirSync(join(file, "..")), ["db"]);
    });
  }

  test("that makes the file meanwhile loses nothing", async (t) => {
    const file = join(temporaryFolder(t), "db");
    let calls = 0;
    await updateSasldb(file, (database) => {
      calls += 1;
      if (calls === 1) Database.open(file, { type: "hash", create: true, fileId: new Uint8Array(20) }).close();
      if (calls === 1) changeInPlace(file, "theirs");
      database.setPassword("ours", REALM, Buffer.from("password"));
    });
    assert.equal(calls, 2);
    using database = openSasldb(file);
    assert.deepEqual(database.secrets("server", REALM), [OTP_SECRET]);
    assert.deepEqual(database.secrets("ours", REALM), [USER_PASSWORD, OTP_SECRET]);
  });

  test("that is faster five times keeps the file", async (t) => {
    const file = await newFile(t);
    let calls = 0;
    let theirs = Buffer.alloc(0);
    const update = updateSasldb(file, (database) => {
      calls += 1;
      changeInPlace(file, `theirs ${calls}`);
      theirs = readFileSync(file);
      database.setPassword("ours", REALM, Buffer.from("password"));
    });
    await assert.rejects(update, (error) => error instanceof SasldbError && error.code === "EBUSY" && error.path === file);
    assert.equal(calls, 5);
    assert.ok(readFileSync(file).equals(theirs));
    assert.deepEqual(readdirSync(join(file, "..")), ["db"]);
  });
});
