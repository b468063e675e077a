/**
 * What stands where the lock of a file is to be, and is none: nobody waits for
 * what it leads to, reads what has no end, or removes it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { LockedError, withFileLock } from "#src/files/file-lock.js";
import { isRoot, NOBODY } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
const OLD = new Date(Date.now() - 3_600_000);

const PLANTS: Record<string, (lock: string) => void> = {
  "a pipe": (lock) => void spawnSync("mkfifo", [lock]),
  "a link to a device": (lock) => fs.symlinkSync("/dev/zero", lock),
  "a link to nothing": (lock) => fs.symlinkSync("nothing", lock),
  "a link to a file": (lock) => {
    fs.writeFileSync(`${lock}.other`, "1 nowhere");
    fs.symlinkSync(`${lock}.other`, lock);
  },
  "a folder": (lock) => fs.mkdirSync(lock),
};

suite("in the place of a lock", () => {
  for (const [title, plant] of Object.entries(PLANTS)) {
    test(title, async () => {
      const path = join(fs.mkdtempSync(join(top, "run-")), "db");
      const lock = `${path}.lock`;
      plant(lock);
      fs.lutimesSync(lock, OLD, OLD);
      const before = fs.lstatSync(lock).ino;
      await assert.rejects(
        withFileLock(path, () => assert.fail("not locked"), { patience: 100 }),
        (error) => error instanceof LockedError && error.lock === lock,
      );
      assert.equal(fs.lstatSync(lock).ino, before);
    });
  }

  test("a file without an end is old, and goes", async () => {
    const path = join(fs.mkdtempSync(join(top, "run-")), "db");
    const lock = `${path}.lock`;
    fs.writeFileSync(lock, "");
    fs.truncateSync(lock, 2 ** 42);
    fs.utimesSync(lock, OLD, OLD);
    assert.equal(await withFileLock(path, () => 1, { patience: 1000 }), 1);
    assert.ok(!fs.existsSync(lock));
  });

  test("what has come to stand there meanwhile is not waited for", async () => {
    const path = join(fs.mkdtempSync(join(top, "run-")), "db");
    const lock = `${path}.lock`;
    for (const plant of Object.values(PLANTS)) {
      await withFileLock(path, () => {
        fs.rmSync(lock);
        plant(lock);
      });
      fs.rmSync(lock, { recursive: true });
    }
  });
});

test("a lock with our number is that of an earlier process if it is older than this one, and else our own", async () => {
  const path = join(fs.mkdtempSync(join(top, "run-")), "db");
  const lock = `${path}.lock`;
  await withFileLock(path, async () => {
    const own = fs.readFileSync(lock, "utf8");
    // Not yet: it is held by this very process.
    await assert.rejects(
      withFileLock(path, () => assert.fail("not locked"), { patience: -1 }),
      LockedError,
    );
    return own;
  });
  const own = await withFileLock(path, () => fs.readFileSync(lock, "utf8"));
  fs.writeFileSync(lock, own);
  const earlier = performance.timeOrigin / 1000 - 60;
  fs.utimesSync(lock, earlier, earlier);
  assert.equal(await withFileLock(path, () => 1, { patience: 100 }), 1);
});

test("what another user's killed run has left, with the sticky bit, is not gone round", async (t) => {
  if (!isRoot) return t.skip("needs root, who makes files of other users");
  fs.chmodSync(top, 0o755);
  const folder = fs.mkdtempSync(join(top, "run-"));
  fs.chmodSync(folder, 0o1777);
  const path = join(folder, "db");
  const lock = `${path}.lock`;
  fs.writeFileSync(lock, "1 nowhere");
  fs.utimesSync(lock, OLD, OLD);
  const elsewhere = fs.mkdtempSync(join(top, "elsewhere-"));
  fs.chmodSync(elsewhere, 0o777);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = elsewhere;
  process.seteuid?.(NOBODY);
  try {
    await assert.rejects(
      withFileLock(path, () => assert.fail("not locked"), { patience: 100 }),
      (error) => error instanceof LockedError && error.lock === lock,
    );
    assert.deepEqual([fs.readdirSync(folder), fs.readdirSync(elsewhere)], [["db.lock"], []]);
  } finally {
    process.seteuid?.(0);
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
  return undefined;
});
