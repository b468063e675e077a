/**
 * Whenever a run is killed: the old database is there whole or the new one is,
 * and nothing else that the next run does not remove. And what the library
 * says of what fails; what is there then is a matter of test/faults.
 */
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { after, suite, test } from "node:test";
import { Database, type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { targetFormat } from "#src/hash-file/file-format.js";
import { SasldbError } from "#src/sasldb/error.js";
import type { Sasldb } from "#src/sasldb/sasldb.js";
import { openSasldb, type UpdateOptions, updateSasldb } from "#src/sasldb/sasldb-file.js";
import { FailingFileSystem } from "../support/failing-file-system.ts";
import { rootFolder } from "../support/fixtures.ts";
import { type Outcome, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = realpathSync(temporaryFolder({ after }));
/** Where the new content is written if nothing can be made beside the file: so that what is left there is seen. */
const elsewhere = join(top, "elsewhere");
mkdirSync(elsewhere);
process.env["TMPDIR"] = elsewhere;

const REALM = "mail.example.com";
const LONG = "long ".repeat(400);
/** What the program makes of the same user must not differ by chance. */
const SEED = "ma1234";

function setPassword(database: Sasldb, user: string, password: string): void {
  database.setPassword(user, REALM, Buffer.from(password), { otpSeed: SEED });
}

interface Scene {
  readonly hasOld: boolean;
  readonly options?: UpdateOptions;
  change(database: Sasldb): void;
}

const SCENES: Record<string, Scene> = {
  "a new file": { hasOld: false, change: (database) => setPassword(database, "new", "password") },
  "a new file of version 8": {
    hasOld: false,
    options: { format: targetFormat("aix") },
    change: (database) => setPassword(database, "new", "password"),
  },
  "a password set among others": { hasOld: true, change: (database) => setPassword(database, "user 3", LONG) },
  "a password set in place": { hasOld: true, options: { inPlace: true }, change: (database) => setPassword(database, "user 3", LONG) },
  "a user deleted": { hasOld: true, change: (database) => database.delete("long", REALM) },
  "a realm renamed": { hasOld: true, change: (database) => database.renameRealm(REALM, "example.net") },
};

interface Place {
  readonly folder: string;
  /** As it is named to those who change it: by way of a link. */
  readonly path: string;
  /** Undefined for none. */
  readonly before: Buffer | undefined;
}

const old = await (async () => {
  const file = join(top, "old");
  await updateSasldb(file, (database) => {
    for (let i = 0; i < 8; i++) setPassword(database, `user ${i}`, `password ${i}`);
    setPassword(database, "long", LONG);
  });
  return readFileSync(file);
})();

let places = 0;

function newPlace({ hasOld }: { readonly hasOld: boolean }): Place {
  const folder = mkdtempSync(join(top, "run-"));
  const link = join(top, `link ${places++}`);
  symlinkSync(folder, link);
  if (hasOld) writeFileSync(join(folder, "db"), old, { mode: 0o640 });
  return { folder, path: join(link, "db"), before: hasOld ? old : undefined };
}

function remove({ folder, path }: Place): void {
  rmSync(folder, { recursive: true });
  rmSync(join(path, ".."));
}

function contentOf({ folder }: Place): Buffer | undefined {
  return others(folder).length === readdirSync(folder).length ? undefined : readFileSync(join(folder, "db"));
}

function others(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== "db");
}

function isSame(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.equals(b));
}

/** Injected errors as Node's: with the call, and the file where the call names one. */
function likeNode(files: FileSystem): FileSystem {
  const dressed = <T>(syscall: string, path: string | undefined, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("injected"))) throw error;
      throw Object.assign(error, { syscall, path, message: `${error.message}, ${syscall}${path === undefined ? "" : ` '${path}'`}` });
    }
  };
  return {
    open(path, flags, mode): FileHandle {
      const file = dressed("open", path, () => files.open(path, flags, mode));
      return {
        read: (bytes, offset) => dressed("read", undefined, () => file.read(bytes, offset)),
        write: (bytes, offset) => dressed("write", undefined, () => file.write(bytes, offset)),
        truncate: (size) => dressed("ftruncate", undefined, () => file.truncate(size)),
        sync: () => dressed("fdatasync", undefined, () => file.sync()),
        size: () => dressed("fstat", undefined, () => file.size()),
        close: () => dressed("close", undefined, () => file.close()),
      };
    },
    stat: (path) => dressed("lstat", path, () => files.stat(path)),
    rename: (from, to) => dressed("rename", from, () => files.rename(from, to)),
    unlink: (path) => dressed("unlink", path, () => files.unlink(path)),
  };
}

/** @returns what was thrown. */
async function update({ path }: Place, { change, options }: Scene, fileSystem: FileSystem): Promise<unknown> {
  try {
    await updateSasldb(path, change, { ...options, fileSystem });
    return undefined;
  } catch (error) {
    return error ?? "nothing was thrown";
  }
}

async function rehearse(scene: Scene): Promise<{ readonly operations: number; readonly made: Buffer }> {
  const place = newPlace(scene);
  const files = new FailingFileSystem(nodeFileSystem, "EIO");
  assert.equal(await update(place, scene, likeNode(files)), undefined);
  const made = contentOf(place);
  assert.ok(made !== undefined && !isSame(made, place.before));
  assert.deepEqual(Database.verify(new Uint8Array(made)), []);
  remove(place);
  return { operations: files.operations, made };
}

function assertTold(error: unknown, code: string, { path }: Place, what: string): void {
  assert.ok(error instanceof SasldbError, `${what}: ${String(error)}`);
  assert.deepEqual([error.path, error.code], [path, code], what);
}

test("an error speaks of the file as its caller does, and of no other", async () => {
  const wrong = new Set<string>();
  for (const scene of Object.values(SCENES)) {
    const { operations } = await rehearse(scene);
    for (let position = 0; position < operations; position++) {
      const place = newPlace(scene);
      const files = new FailingFileSystem(nodeFileSystem, "ENOSPC");
      files.failFrom = position;
      const error = await update(place, scene, likeNode(files));
      if (error !== undefined) assertTold(error, "ENOSPC", place, files.thrown[0]?.message ?? "nothing was injected");
      const said = error === undefined ? "" : (error as Error).message;
      if (/\.[0-9a-f]{8}-[0-9a-f]{8}-/.test(said) || said.includes(place.folder))
        wrong.add(said.replaceAll(/operation \d+|link \d+|run-\w+/g, "…"));
      remove(place);
    }
  }
  assert.deepEqual([...wrong], []);
});

test("what `change` throws comes through, and the file is as it was", async () => {
  for (const hasOld of [true, false]) {
    const place = newPlace({ hasOld });
    const thrown = new Error("of the caller");
    const change = (database: Sasldb): void => {
      setPassword(database, "user 3", "password");
      throw thrown;
    };
    assert.equal(await update(place, { hasOld, change }, nodeFileSystem), thrown);
    assert.ok(isSame(contentOf(place), place.before));
    assert.deepEqual(others(place.folder), []);
  }
});

test("a change that fails on a full disc: its own error comes through, and nothing is left", async () => {
  for (const hasOld of [true, false]) {
    const place = newPlace({ hasOld });
    let isFull = false;
    const thrown = new Error("of the caller");
    const change = (database: Sasldb): void => {
      setPassword(database, "user 3", "password");
      isFull = true;
      throw thrown;
    };
    const error = await update(
      place,
      { hasOld, change },
      writingThrough((write) => {
        if (isFull) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" });
        write();
      }),
    );
    assert.deepEqual([error, others(place.folder)], [thrown, []]);
    assert.ok(isSame(contentOf(place), place.before));
  }
});

/** The operating system's files, each write of which is handed to `onWrite`. */
function writingThrough(onWrite: (write: (length?: number) => void, path: string, length: number) => void): FileSystem {
  return {
    ...nodeFileSystem,
    open(path, flags, mode): FileHandle {
      const file = nodeFileSystem.open(path, flags, mode);
      return {
        read: (bytes, offset) => file.read(bytes, offset),
        write: (bytes, offset) => onWrite((length) => file.write(bytes.subarray(0, length), offset), path, bytes.length),
        truncate: (size) => file.truncate(size),
        sync: () => file.sync(),
        size: () => file.size(),
        close: () => file.close(),
      };
    },
  };
}

/** Writes to a file of this name fail after so many bytes of the first. */
function cutOff(name: string, length: number): FileSystem {
  let left = length;
  return writingThrough((write, path, size) => {
    if (basename(path) !== name || size <= left) return write();
    write(left);
    left = 0;
    throw Object.assign(new Error("EIO: i/o error, write"), { code: "EIO", syscall: "write" });
  });
}

test("a file half written in place, and the old one kept beside: the next run loses nobody", async () => {
  const scene = SCENES["a password set in place"] as Scene;
  for (let length = 4096; length < old.length; length += 4096) {
    const place = newPlace(scene);
    assert.ok((await update(place, scene, cutOff("db", length))) instanceof SasldbError);
    const [kept = ""] = others(place.folder);
    assert.ok(readFileSync(join(place.folder, kept)).equals(old));
    const error = await update(place, { hasOld: true, change: (database) => setPassword(database, "new", "password") }, nodeFileSystem);
    const what = `${length} bytes written: ${String(error)}`;
    // Either it takes up what is kept, or it says what is wrong and leaves it.
    if (error !== undefined) assert.ok(readFileSync(join(place.folder, kept)).equals(old), what);
    else assert.deepEqual(usersIn(place.path), [...usersIn(join(top, "old")), "new"].sort(), what);
    remove(place);
  }
});

test("of several old ones that are kept the good one is put back, and the change is made once", async () => {
  const scene = SCENES["a password set in place"] as Scene;
  for (const torn of [0, 4096]) {
    const place = newPlace(scene);
    await update(place, scene, cutOff("db", 4096));
    const [kept = ""] = others(place.folder);
    truncateSync(join(place.folder, "db"), torn);
    // Of runs that were killed as they began to keep it, one before and one after.
    for (const [ending, seconds] of [
      ["00000000", -60],
      ["ffffffff", 60],
    ] as const) {
      const begun = join(place.folder, kept.replace(/[0-9a-f]{8}\.old$/, `${ending}.old`));
      writeFileSync(begun, "", { mode: 0o600 });
      const then = Date.now() / 1000 + seconds;
      utimesSync(begun, then, then);
    }
    const seen: number[] = [];
    const change = (database: Sasldb): void => {
      seen.push(database.users().length);
      setPassword(database, "new", "password");
    };
    assert.equal(await update(place, { hasOld: true, change }, nodeFileSystem), undefined);
    assert.deepEqual(seen, [9]);
    assert.deepEqual(usersIn(place.path), [...usersIn(join(top, "old")), "new"].sort());
    assert.deepEqual(others(place.folder), []);
    remove(place);
  }
});

test("where nothing that is kept is any good, the file is left as it is", async () => {
  const scene = SCENES["a password set in place"] as Scene;
  const place = newPlace(scene);
  await update(place, scene, cutOff("db", 4096));
  const [kept = ""] = others(place.folder);
  truncateSync(join(place.folder, kept), 0);
  const torn = readFileSync(join(place.folder, "db"));
  await update(place, { hasOld: true, change: () => assert.fail("no database") }, nodeFileSystem);
  assert.ok(readFileSync(join(place.folder, "db")).equals(torn));
  remove(place);
});

function usersIn(path: string): string[] {
  using database = openSasldb(path);
  assert.deepEqual(Database.verify(path), []);
  return database
    .users()
    .map(({ user }) => user)
    .sort();
}

/**
 * Sends the program a signal as it is about to do its nth operation on files,
 * counted from the making of the lock, and writes how many there were.
 */
const hook = join(top, "hook.cjs");
writeFileSync(
  hook,
  `const fs = require("node:fs");
let count = 0;
let counting = false;
const names = ["openSync", "readSync", "writeSync", "ftruncateSync", "fdatasyncSync", "closeSync", "chmodSync", "chownSync", "renameSync", "unlinkSync", "rmSync", "lstatSync"];
for (const name of names) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (name === "openSync" && String(args[0]).endsWith(".lock")) counting = true;
    if (counting && count++ === Number(process.env.SIGNAL_AT)) process.kill(process.pid, process.env.SIGNAL);
    return original(...args);
  };
}
require("node:module").syncBuiltinESMExports();
process.on("exit", () => {
  counting = false;
  if (process.env.COUNT_FILE) fs.writeFileSync(process.env.COUNT_FILE, String(count));
});
`,
);

/** Sets the password of "user 3" by the program, with a signal to itself. */
function interrupt({ path }: Place, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  const all = ["-p", ...args, "-f", path, "--hostname", REALM, "--otp-seed", SEED, "user 3"];
  return run(process.execPath, [`${rootFolder}bin/tssaslpasswd.js`, ...all], {
    input: "password",
    env: { SASL_CONF_PATH: top, NODE_OPTIONS: `--require=${hook}`, ...env },
  });
}

const WAYS = {
  "a new file": { hasOld: false, args: [] },
  "a file with others in it": { hasOld: true, args: [] },
  "a file with others in it, in place": { hasOld: true, args: ["--in-place"] },
};

suite("a signal at operations on files", { concurrency: 2 }, () => {
  for (const [name, way] of Object.entries(WAYS)) {
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      test(`${signal}, ${name}`, async () => {
        const rehearsal = newPlace(way);
        const countFile = join(top, `count ${signal} ${name}`);
        assert.equal((await interrupt(rehearsal, way.args, { COUNT_FILE: countFile })).exit, 0);
        const made = contentOf(rehearsal);
        const operations = Number(readFileSync(countFile, "utf8"));
        assert.ok(operations >= 25, `${operations} operations`);
        const seen = { old: 0, new: 0 };
        for (const at of signal === "SIGKILL" ? killedAt(operations) : [0, 1, 2, 20, operations - 2, operations - 1]) {
          const place = newPlace(way);
          const outcome = await interrupt(place, way.args, { SIGNAL: signal, SIGNAL_AT: String(at) });
          const left = others(place.folder);
          const what = `operation ${at} of ${operations}: ${JSON.stringify(outcome)}, left ${left.join(" ")}`;
          assert.deepEqual([outcome.stdout, outcome.stderr], ["", ""], what);
          const content = contentOf(place);
          assert.ok(isSame(content, made) || isSame(content, place.before), what);
          seen[isSame(content, made) ? "new" : "old"] += 1;
          for (const file of left.filter((name) => name !== "db.lock"))
            assert.equal(statSync(join(place.folder, file)).mode & 0o037, 0, `${what}: others may read it`);
          if (signal === "SIGTERM") {
            // What is being done is done to its end before the signal is heard.
            assert.ok(outcome.signal === signal || outcome.exit === 0, what);
            assert.deepEqual(left, [], what);
          } else {
            assert.equal(outcome.signal, signal, what);
            await finish(place, made, what);
          }
          remove(place);
        }
        assert.ok((seen.old > 0 || signal === "SIGTERM") && seen.new > 0, JSON.stringify(seen));
      });
    }
  }
});

/** Some of the places, and all those at the end, where the new file takes its place. */
function killedAt(operations: number): number[] {
  const all = Array.from({ length: operations }, (_, i) => i);
  return all.filter((at) => at % 5 === 0 || at >= operations - 10);
}

/** The next run, at once: the lock is that of a process that is gone. */
async function finish(place: Place, made: Buffer | undefined, what: string): Promise<void> {
  assert.equal(
    await update(place, { hasOld: true, change: (database) => setPassword(database, "user 3", "password") }, nodeFileSystem),
    undefined,
  );
  assert.deepEqual(others(place.folder), [], what);
  if (place.before === undefined) assert.ok(isSame(contentOf(place), made), what);
  assert.deepEqual(Database.verify(join(place.folder, "db")), [], what);
}
