/**
 * A run that is ended from outside, or meets a disc without room: the old map
 * is there byte for byte, and what a run leaves, the next one clears away.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Database } from "berkeley-db-js";
import { makeInProcess } from "../support/in-process.ts";
import { isRoot, launcher, type Outcome, ordinaryUser, run, tsmakemap, whyNoOrdinaryUser } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
chmodSync(top, 0o755);

const SOURCE = Array.from({ length: 120_000 }, (_, i) => `key${i} value ${"v".repeat(40)} ${i}\n`).join("");
/** Larger than the disc. */
const LARGE = SOURCE.slice(0, 2 << 20);
const PASSWORD = "a-password-that-is-nobody's";

function newFolder(): { folder: string; map: string; before: Buffer } {
  const folder = mkdtempSync(join(top, "run-"));
  chmodSync(folder, 0o755);
  makeInProcess(["hash", "m"], Buffer.from("old 1\n"), folder);
  const map = join(folder, "m.db");
  return { folder, map, before: readFileSync(map) };
}

const others = (folder: string): string[] => readdirSync(folder).filter((name) => name !== "m.db");

async function* waitFor(condition: () => boolean): AsyncGenerator<void> {
  for (let i = 0; i < 500 && !condition(); i++) yield delay(10);
}

/** Starts a run that waits for more input, and acts when its temporary file is there. */
async function whileReading(folder: string, args: readonly string[], act: (child: ChildProcess) => void): Promise<Outcome> {
  let child: ChildProcess | undefined;
  const keepOpen = (function* () {
    yield Buffer.from(SOURCE.slice(0, 1 << 20));
    for (;;) yield Buffer.alloc(0);
  })();
  const outcome = run(process.execPath, [launcher, "-C", "/dev/null", ...args], {
    cwd: folder,
    input: keepOpen,
    onSpawn: (started) => {
      child = started;
    },
  });
  for await (const _ of waitFor(() => others(folder).length > 0));
  assert.equal(others(folder).length, 1);
  act(child as ChildProcess);
  return outcome;
}

suite("signals", { concurrency: 2 }, () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    for (const args of [
      ["hash", "m"],
      ["-o", "-r", "hash", "m"],
      ["--in-place", "hash", "m"],
    ]) {
      test(`${signal}, ${args.join(" ")}`, async () => {
        const { folder, map, before } = newFolder();
        const outcome = await whileReading(folder, args, (child) => child.kill(signal));
        assert.deepEqual(outcome, { exit: null, signal, stdout: "", stderr: "" });
        assert.deepEqual(others(folder), []);
        assert.ok(readFileSync(map).equals(before));
      });
    }
  }

  test("SIGKILL leaves the temporary file, which the next run removes", async () => {
    const { folder, map, before } = newFolder();
    assert.equal((await whileReading(folder, ["hash", "m"], (child) => child.kill("SIGKILL"))).signal, "SIGKILL");
    assert.equal(others(folder).length, 1);
    assert.ok(readFileSync(map).equals(before));
    const { exit } = await tsmakemap(["-C", "/dev/null", "hash", "m"], { cwd: folder, input: "new 1\n" });
    assert.equal(exit, 0);
    assert.deepEqual(others(folder), []);
  });

  test("the file of a run that goes on is left alone", async () => {
    const { folder } = newFolder();
    let second: Promise<Outcome> | undefined;
    const first = await whileReading(folder, ["hash", "m"], (child) => {
      second = tsmakemap(["-C", "/dev/null", "hash", "m"], { cwd: folder, input: "new 1\n" }).then((outcome) => {
        assert.equal(others(folder).length, 1);
        child.kill("SIGTERM");
        return outcome;
      });
    });
    assert.equal((await second)?.exit, 0);
    assert.equal(first.signal, "SIGTERM");
    assert.deepEqual(others(folder), []);
  });
});

suite("no room", () => {
  /** Fills a disc of 1 MB with a map; root can have one. */
  function smallDisc(): string | undefined {
    const folder = mkdtempSync(join(top, "disc-"));
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=755", "none", folder]).status !== 0) return undefined;
    after(() => spawnSync("umount", [folder]));
    return folder;
  }

  for (const args of [
    ["hash", "m"],
    ["btree", "m"],
    ["-v", "hash", "m"],
    ["-o", "-r", "hash", "m"],
    ["--in-place", "hash", "m"],
    ["hash", "new"],
  ]) {
    test(`on the disc: ${args.join(" ")}`, async (t) => {
      const folder = isRoot ? smallDisc() : undefined;
      if (folder === undefined) return t.skip("needs root, who may mount a small tmpfs");
      makeInProcess(["hash", "m"], Buffer.from("old 1\n"), folder);
      const before = readFileSync(join(folder, "m.db"));
      const { exit, stderr } = await tsmakemap(["-C", "/dev/null", ...args], { cwd: folder, input: LARGE });
      assert.equal(exit, 74);
      assert.match(stderr, /^tsmakemap: (close\((m|new)\)|m: line \d+: key key\d+: put error): No space left on device\n$/);
      assert.deepEqual(readdirSync(folder), ["m.db"]);
      assert.ok(readFileSync(join(folder, "m.db")).equals(before));
      return undefined;
    });

    test(`under a limit of file size: ${args.join(" ")}`, async () => {
      const { folder, map, before } = newFolder();
      // The limit is in blocks of 512 bytes; Node itself writes no files.
      const { exit, stderr } = await run(
        "/bin/sh",
        ["-c", 'ulimit -f 600; exec "$@"', "sh", process.execPath, launcher, "-C", "/dev/null", ...args],
        {
          cwd: folder,
          input: LARGE,
        },
      );
      assert.equal(exit, 74);
      assert.match(stderr, /^tsmakemap: (close\((m|new)\)|m: line \d+: key key\d+: put error): File too large\n$/);
      assert.deepEqual(others(folder), []);
      assert.ok(readFileSync(map).equals(before));
    });
  }

  test("not even for the first page: it ends, and soon", async (t) => {
    const folder = isRoot ? smallDisc() : undefined;
    if (folder === undefined) return t.skip("needs root, who may mount a small tmpfs");
    const { fd, full } = fill(folder);
    assert.ok(full > 0 && fd);
    const { exit, stderr } = await tsmakemap(["-C", "/dev/null", "hash", "m"], { cwd: folder, input: `k ${PASSWORD}\n`, timeout: 20_000 });
    assert.ok(exit === 73 || exit === 74, `exit ${exit}`);
    assert.match(stderr, /No space left on device\n$/);
    assert.ok(!existsSync(join(folder, "m.db")));
    assert.deepEqual(readdirSync(folder), ["full"]);
    return undefined;
  });

  function fill(folder: string): { fd: string; full: number } {
    const path = join(folder, "full");
    let full = 0;
    try {
      for (;;) {
        writeFileSync(path, Buffer.alloc(4096), { flag: "a" });
        full += 4096;
      }
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
    return { fd: path, full };
  }
});

suite("a folder that cannot be written to", () => {
  function foreignFolder(mapMode: number): { folder: string; map: string; before: Buffer } {
    const made = newFolder();
    if (isRoot) chownSync(made.map, ordinaryUser.uid, ordinaryUser.gid);
    chmodSync(made.map, mapMode);
    chmodSync(made.folder, 0o555);
    return made;
  }

  test("nothing is made there", async (t) => {
    const reason = await whyNoOrdinaryUser();
    if (reason !== undefined) return t.skip(reason);
    const { folder } = foreignFolder(0o640);
    const { exit, stderr } = await tsmakemap(["hash", "new"], { cwd: folder, input: "a b\n", uid: ordinaryUser.uid });
    assert.deepEqual([exit, stderr], [73, "tsmakemap: error opening type hash map new: Permission denied\n"]);
    assert.deepEqual(readdirSync(folder), ["m.db"]);
    return undefined;
  });

  for (const args of [
    ["hash", "m"],
    ["-o", "hash", "m"],
  ]) {
    test(`a map of one's own is written to as it is: ${args.join(" ")}`, async (t) => {
      const reason = await whyNoOrdinaryUser();
      if (reason !== undefined) return t.skip(reason);
      const { folder, map } = foreignFolder(0o640);
      const elsewhere = mkdtempSync(join(top, "tmp-"));
      chmodSync(elsewhere, 0o777);
      const env = { TMPDIR: elsewhere };
      const { exit, stderr } = await tsmakemap(args, { cwd: folder, input: "new 1\n", uid: ordinaryUser.uid, env });
      assert.deepEqual([exit, stderr], [0, ""]);
      assert.deepEqual([readdirSync(folder), readdirSync(elsewhere)], [["m.db"], []]);
      using database = Database.open(new Uint8Array(readFileSync(map)), { readOnly: true });
      assert.equal(database.count(), args.includes("-o") ? 2 : 1);
      return undefined;
    });
  }

  test("a map that is not to be written to is left", async (t) => {
    const reason = await whyNoOrdinaryUser();
    if (reason !== undefined) return t.skip(reason);
    const { folder, map, before } = foreignFolder(0o440);
    const { exit, stderr } = await tsmakemap(["hash", "m"], { cwd: folder, input: "new 1\n", uid: ordinaryUser.uid });
    assert.deepEqual([exit, stderr], [73, "tsmakemap: error opening type hash map m: Permission denied\n"]);
    assert.ok(readFileSync(map).equals(before));
    return undefined;
  });

  after(() => {
    for (const name of readdirSync(top)) chmodSync(join(top, name), 0o755);
  });
});

test("a folder that goes away meanwhile is an error of the write, told once", () => {
  const { folder } = newFolder();
  mkdirSync(join(folder, "d"));
  const { status, stderr } = spawnSync(
    "/bin/sh",
    [
      "-c",
      `(echo a b; until ls d/.??* >/dev/null 2>&1; do sleep 0.05; done; sleep 1; rm -rf d; echo c d) | "$0" "$1" -v -C /dev/null hash d/m`,
      process.execPath,
      launcher,
    ],
    {
      cwd: folder,
      encoding: "latin1",
    },
  );
  // Whether the map was open by then decides which of makemap's errors it is.
  if (status === 73) assert.equal(stderr, "tsmakemap: error opening type hash map d/m: No such file or directory\n");
  else assert.deepEqual([status, stderr], [74, "tsmakemap: close(d/m): No such file or directory\n"]);
  rmSync(folder, { recursive: true });
});
