/**
 * Who may read a SASL database after a change: its mode, its owner and its
 * names; and what is no SASL database, or may not be changed, stays as it is.
 */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { after, suite, type TestContext, test } from "node:test";
import { type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { openSasldb, updateSasldb } from "#src/sasldb/sasldb-file.js";
import { sha256 } from "../support/bytes.ts";
import { databaseFixture, rootFolder } from "../support/fixtures.ts";
import { isRoot, type Outcome, ordinaryUser, type RunOptions, run, whyNoOrdinaryUser } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const REALM = "mail.example.com";
const top = realpathSync(temporaryFolder({ after }));
chmodSync(top, 0o755);
/** Where is written what cannot be written beside the file. */
const elsewhere = join(top, "elsewhere");
mkdirSync(elsewhere);
chmodSync(elsewhere, 0o777);

function newFolder(mode = 0o755): string {
  const folder = mkdtempSync(join(top, "run-"));
  chmodSync(folder, mode);
  return folder;
}

function program(name: string, cwd: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const env = { SASL_CONF_PATH: elsewhere, TMPDIR: elsewhere };
  return run(process.execPath, [`${rootFolder}bin/${name}.js`, ...args], { cwd, env, ...options });
}

function setPassword(
  cwd: string,
  user: string,
  options: RunOptions & { readonly file?: string; readonly args?: string[] } = {},
): Promise<Outcome> {
  const { file = "db", args = [] } = options;
  return program("tssaslpasswd", cwd, ["-p", "-f", file, "-u", REALM, "--hostname", REALM, ...args, user], {
    input: "password",
    ...options,
  });
}

/** A file with a user "old", made in this process. */
async function makeFile(path: string): Promise<void> {
  await updateSasldb(path, (database) => database.setPassword("old", REALM, Buffer.from("password")));
}

function usersOf(path: string): string[] {
  using database = openSasldb(path);
  return database
    .users()
    .map(({ user }) => user)
    .sort();
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

function assertDone({ exit, stderr }: Outcome): void {
  assert.deepEqual([exit, stderr], [0, ""]);
}

suite("the mode of a new file", () => {
  for (const [umask, mode] of [
    [0o022, "640"],
    [0o077, "600"],
    [0, "640"],
  ] as const) {
    test(`${mode} at umask ${umask.toString(8).padStart(3, "0")}`, async () => {
      const folder = newFolder();
      assertDone(await setPassword(folder, "new", { umask }));
      assert.equal(modeOf(join(folder, "db")), mode);
    });
  }
});

suite("an existing file", () => {
  for (const args of [[], ["--in-place"]]) {
    test(`keeps its mode and owner ${args.join(" ")}`, async () => {
      for (const mode of [0o600, 0o640, 0o660, 0o664]) {
        const folder = newFolder();
        const file = join(folder, "db");
        await makeFile(file);
        if (isRoot) chownSync(file, 1234, 5678);
        chmodSync(file, mode);
        const { uid, gid } = statSync(file);
        assertDone(await setPassword(folder, "new", { umask: 0, args }));
        const now = statSync(file);
        assert.deepEqual([modeOf(file), now.uid, now.gid], [mode.toString(8), uid, gid]);
        assert.deepEqual(usersOf(file), ["new", "old"]);
      }
    });
  }

  test("that is empty keeps its mode", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "db"), "", { mode: 0o600 });
    assertDone(await setPassword(folder, "new", { umask: 0 }));
    assert.equal(modeOf(join(folder, "db")), "600");
    assert.deepEqual(usersOf(join(folder, "db")), ["new"]);
  });
});

suite("names", () => {
  test("a symbolic link is followed, and stays one", async () => {
    const [folder, home] = [newFolder(), newFolder()];
    await makeFile(join(home, "real"));
    symlinkSync(join(home, "real"), join(folder, "db"));
    symlinkSync("db", join(folder, "second"));
    assertDone(await setPassword(folder, "new", { file: "second" }));
    assert.deepEqual([readlinkSync(join(folder, "second")), readlinkSync(join(folder, "db"))], ["db", join(home, "real")]);
    assert.deepEqual(usersOf(join(home, "real")), ["new", "old"]);
    assert.deepEqual([readdirSync(folder), readdirSync(home)], [["db", "second"], ["real"]]);
  });

  test("a symbolic link to nothing becomes a file, of a file's mode", async () => {
    const folder = newFolder();
    symlinkSync("nowhere", join(folder, "db"));
    assertDone(await setPassword(folder, "new", { umask: 0 }));
    assert.ok(lstatSync(join(folder, "db")).isFile());
    assert.equal(modeOf(join(folder, "db")), "640");
    assert.deepEqual(readdirSync(folder), ["db"]);
  });

  test("a second name of the file does not part from it without a word", async () => {
    const folder = newFolder();
    await makeFile(join(folder, "db"));
    linkSync(join(folder, "db"), join(folder, "second"));
    const { stderr } = await setPassword(folder, "new");
    const isOne = statSync(join(folder, "db")).ino === statSync(join(folder, "second")).ino;
    assert.ok(isOne || /link/.test(stderr), `two files now, and nothing said: ${JSON.stringify(stderr)}`);
  });

  test("a second name of the file stays one, in place", async () => {
    const folder = newFolder();
    await makeFile(join(folder, "db"));
    linkSync(join(folder, "db"), join(folder, "second"));
    assertDone(await setPassword(folder, "new", { args: ["--in-place"] }));
    assert.deepEqual(usersOf(join(folder, "second")), ["new", "old"]);
    assert.equal(statSync(join(folder, "db")).nlink, 2);
  });
});

suite("an ordinary user", () => {
  async function isPossible(t: TestContext): Promise<boolean> {
    const reason = await whyNoOrdinaryUser();
    if (reason !== undefined) t.skip(reason);
    return reason === undefined;
  }

  const { uid, gid } = ordinaryUser;

  async function ownFile(mode: number): Promise<string> {
    const folder = newFolder();
    const file = join(folder, "db");
    await makeFile(file);
    for (const path of [folder, file]) chownSync(path, uid, gid);
    chmodSync(file, mode);
    return folder;
  }

  test("does not change a file that is to be read only", async (t) => {
    if (!(await isPossible(t))) return;
    for (const args of [[], ["--in-place"], ["-d"]]) {
      const folder = await ownFile(0o444);
      const before = sha256(readFileSync(join(folder, "db")));
      const { exit, stderr } = await setPassword(folder, "old", { uid, args });
      assert.deepEqual([exit, stderr], [1, "tssaslpasswd: db: Permission denied\ntssaslpasswd: generic failure\n"]);
      assert.deepEqual([sha256(readFileSync(join(folder, "db"))), modeOf(join(folder, "db"))], [before, "444"]);
      assert.deepEqual(readdirSync(folder), ["db"]);
    }
  });

  test("changes in place a file in a folder that may not be written to", async (t) => {
    if (!(await isPossible(t))) return;
    const folder = await ownFile(0o600);
    chmodSync(folder, 0o555);
    const { ino } = statSync(join(folder, "db"));
    assertDone(await setPassword(folder, "new", { uid }));
    const now = statSync(join(folder, "db"));
    assert.deepEqual([now.ino, now.uid, modeOf(join(folder, "db"))], [ino, uid, "600"]);
    assert.deepEqual(usersOf(join(folder, "db")), ["new", "old"]);
    assert.deepEqual([readdirSync(folder), readdirSync(elsewhere)], [["db"], []]);
    chmodSync(folder, 0o755);
  });

  test("makes no file in a folder that may not be written to", async (t) => {
    if (!(await isPossible(t))) return;
    const folder = await ownFile(0o600);
    rmSync(join(folder, "db"));
    chmodSync(folder, 0o555);
    const { exit, stderr } = await setPassword(folder, "new", { uid });
    assert.deepEqual([exit, stderr], [1, "tssaslpasswd: db: Permission denied\ntssaslpasswd: generic failure\n"]);
    assert.deepEqual([readdirSync(folder), readdirSync(elsewhere)], [[], []]);
    chmodSync(folder, 0o755);
  });

  test("changes in place what belongs to another, and the group may write to", async (t) => {
    if (!isRoot) return t.skip("needs root, who gives files away");
    if (!(await isPossible(t))) return undefined;
    const folder = await ownFile(0o660);
    chownSync(join(folder, "db"), 0, gid);
    const { ino } = statSync(join(folder, "db"));
    assertDone(await setPassword(folder, "new", { uid }));
    const now = statSync(join(folder, "db"));
    assert.deepEqual([now.ino, now.uid, now.gid, modeOf(join(folder, "db"))], [ino, 0, gid, "660"]);
    assert.deepEqual(usersOf(join(folder, "db")), ["new", "old"]);
    assert.deepEqual(readdirSync(folder), ["db"]);
    return undefined;
  });
});

/** What is no database that can be changed: how it is made, why it is refused, and whether it can be listed. */
const REFUSED: Record<string, { readonly make: (path: string) => void; readonly why: string; readonly listed: 0 | 1 }> = {
  "a folder": { make: (path) => mkdirSync(path), why: "not a regular file", listed: 1 },
  "a text file": {
    make: (path) => writeFileSync(path, "alice:password\n".repeat(1000)),
    why: "not a Berkeley DB file, but text",
    listed: 1,
  },
  "a short text file": { make: (path) => writeFileSync(path, "alice\n"), why: "not a Berkeley DB file, but text", listed: 1 },
  "a btree": {
    make: (path) => copyFileSync(databaseFixture("btree9-db5.3.28-le-map").path, path),
    why: "a Berkeley DB btree file, not a hash file",
    listed: 1,
  },
  "a hash file of version 7": {
    make: (path) => copyFileSync(databaseFixture("v7-db3.1.17-le-sasldb").path, path),
    why: "a hash file of version 7, which Berkeley DB 5.3 cannot change",
    listed: 0,
  },
  "a hash file of version 10": {
    make: (path) => copyFileSync(databaseFixture("v10-db18.1.40-be-sasldb").path, path),
    why: "a hash file of version 10, which Berkeley DB 5.3 cannot change",
    listed: 0,
  },
};

suite("what is no SASL database stays as it is", () => {
  for (const [title, { make, why, listed }] of Object.entries(REFUSED)) {
    test(title, async () => {
      const folder = newFolder();
      const path = join(folder, "db");
      make(path);
      const state = (): string[] => [modeOf(path), statSync(path).isFile() ? sha256(readFileSync(path)) : readdirSync(path).join()];
      const before = state();
      for (const args of [["user"], ["--in-place", "user"], ["-d", "user"], ["--rename-realm", REALM, "example.net"]]) {
        const { exit, stdout, stderr } = await program("tssaslpasswd", folder, ["-p", "-f", "db", ...args], { input: "password" });
        assert.deepEqual([exit, stdout, stderr], [1, "", `tssaslpasswd: db: ${why}\ntssaslpasswd: generic failure\n`]);
      }
      const listing = await program("tssasldblist", folder, ["-f", "db"]);
      assert.equal(listing.exit, listed);
      if (listed === 0) assert.match(listing.stdout, /^\S+@\S+: userPassword$/m);
      else assert.match(listing.stderr, /^tssasldblist: db: .+\nlistusers failed\n$/);
      assert.deepEqual(state(), before);
      assert.deepEqual(readdirSync(folder), ["db"]);
    });
  }

  test("a folder that is not there", async () => {
    const folder = newFolder();
    const { exit, stderr } = await setPassword(folder, "user", { file: "no/db" });
    assert.deepEqual([exit, stderr], [1, "tssaslpasswd: no/db: No such file or directory\ntssaslpasswd: generic failure\n"]);
    const listing = await program("tssasldblist", folder, ["-f", "no/db"]);
    assert.deepEqual([listing.exit, listing.stderr], [1, "tssasldblist: no/db: No such file or directory\nlistusers failed\n"]);
    assert.ok(!existsSync(join(folder, "no")));
  });
});

/** Calls `look` with the path before every read and write of a file, and before every rename. */
function watched(look: (path: string) => void): FileSystem {
  return {
    ...nodeFileSystem,
    open(path, flags, mode): FileHandle {
      const file = nodeFileSystem.open(path, flags, mode);
      const looking = <A extends unknown[], R>(action: (...args: A) => R) => {
        return (...args: A): R => {
          look(path);
          return action(...args);
        };
      };
      return {
        read: looking((bytes: Uint8Array, offset: number) => file.read(bytes, offset)),
        write: looking((bytes: Uint8Array, offset: number) => file.write(bytes, offset)),
        truncate: looking((size: number) => file.truncate(size)),
        sync: looking(() => file.sync()),
        size: () => file.size(),
        close: () => file.close(),
      };
    },
  };
}

test("no temporary file is open to more than its owner before it is whole", async () => {
  for (const inPlace of [false, true]) {
    const folder = newFolder();
    const file = join(folder, "db");
    await makeFile(file);
    chmodSync(file, 0o666);
    const seen: string[] = [];
    const umask = process.umask(0);
    try {
      const fileSystem = watched((path) => {
        if (basename(path) !== "db" && existsSync(path)) seen.push(modeOf(path));
      });
      await updateSasldb(file, (database) => database.setPassword("new", REALM, Buffer.from("password")), { inPlace, fileSystem });
    } finally {
      process.umask(umask);
    }
    assert.ok(seen.length > 5);
    // The last is the sync before the new file takes the old one's place, with its mode.
    const allowed = inPlace ? [] : [seen.pop()];
    assert.deepEqual(new Set(seen), new Set(["600"]), `and ${allowed.join()}`);
    assert.equal(modeOf(file), "666");
  }
});
