/**
 * A file is replaced whole, as what it was; and what killed runs left is
 * cleared away, though nothing else.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import nodeFs, * as fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { after, suite, test } from "node:test";
import { type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { Replacement, type ReplacementOptions } from "#src/files/replacement.js";
import { sha256 } from "../support/bytes.ts";
import { isRoot } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });

function newTarget(content?: string, name = "m.db"): string {
  const target = join(fs.mkdtempSync(join(top, "run-")), name);
  if (content !== undefined) fs.writeFileSync(target, content);
  return target;
}

const begin = (target: string, options: Partial<ReplacementOptions> = {}): Replacement =>
  new Replacement(target, { fileSystem: nodeFileSystem, mode: 0o640, ...options });

const modeOf = (path: string): number => fs.statSync(path).mode & 0o7777;
const folderOf = (target: string): string[] => fs.readdirSync(join(target, "..")).sort();

function withUmask<T>(umask: number, action: () => T): T {
  const before = process.umask(umask);
  try {
    return action();
  } finally {
    process.umask(before);
  }
}

test("a new file has the mode that is asked for, cut by the umask, from its first moment on", () => {
  for (const [umask, mode] of [
    [0o022, 0o640],
    [0o077, 0o600],
    [0o000, 0o640],
    [0o027, 0o640],
  ] as const) {
    const target = newTarget();
    const replacement = withUmask(umask, () => begin(target));
    assert.equal(modeOf(replacement.path), mode);
    assert.ok(!fs.existsSync(target));
    fs.writeFileSync(replacement.path, "new");
    replacement.commit();
    assert.equal(modeOf(target), mode);
    assert.deepEqual(folderOf(target), ["m.db"]);
  }
});

test("a file that is there gets the mode that is asked for, where setMode asks for it, in place too", () => {
  for (const inPlace of [false, true]) {
    const target = newTarget("old");
    fs.chmodSync(target, 0o666);
    const replacement = begin(target, { mode: 0o600, setMode: true, inPlace });
    fs.writeFileSync(replacement.path, "new");
    replacement.commit();
    assert.equal(modeOf(target), 0o600);
    assert.equal(fs.readFileSync(target, "utf8"), "new");
  }
});

test("a file that is there keeps its mode; until then the new content is for its owner alone", () => {
  for (const mode of [0o600, 0o644, 0o664, 0o444, 0o666, 0o2640]) {
    const target = newTarget("old");
    fs.chmodSync(target, mode);
    const replacement = withUmask(0, () => begin(target));
    assert.equal(modeOf(replacement.path), 0o600);
    fs.writeFileSync(replacement.path, "new");
    replacement.commit();
    assert.equal(modeOf(target), mode);
    assert.equal(fs.readFileSync(target, "utf8"), "new");
  }
});

test("a file of another's keeps owner and group; one may be asked for", (t) => {
  if (!isRoot) return t.skip("needs root, who gives files away");
  for (const [options, uid] of [
    [{}, 1234],
    [{ owner: 4321 }, 4321],
    [{ owner: 1234 }, 1234],
    [{ inPlace: true }, 1234],
    [{ inPlace: true, owner: 4321 }, 4321],
  ] as const) {
    const target = newTarget("old");
    fs.chownSync(target, 1234, 1235);
    const replacement = begin(target, options);
    fs.writeFileSync(replacement.path, "new");
    replacement.commit();
    assert.deepEqual([fs.statSync(target).uid, fs.statSync(target).gid], [uid, 1235]);
  }
  const target = newTarget();
  begin(target, { owner: 4321 }).commit();
  assert.equal(fs.statSync(target).uid, 4321);
  return undefined;
});

test("in place the file stays the file, for whoever has it open", () => {
  for (const inPlace of [true, false]) {
    const target = newTarget("the old content, which is longer");
    const fd = fs.openSync(target, "r");
    const replacement = begin(target, { inPlace });
    fs.writeFileSync(replacement.path, "new");
    replacement.commit();
    const seen = fs.readFileSync(fd, "utf8");
    fs.closeSync(fd);
    assert.equal(seen, inPlace ? "new" : "the old content, which is longer");
    assert.equal(fs.readFileSync(target, "utf8"), "new");
    assert.deepEqual(folderOf(target), ["m.db"]);
  }
});

suite("in place, where something fails", () => {
  const failure = (): Error => Object.assign(new Error("EIO: i/o error"), { code: "EIO" });

  /** The operating system's files, to one of which nothing is written so many times. */
  function failing(target: string, times: number): FileSystem {
    let left = times;
    return {
      ...nodeFileSystem,
      open(path, flags, mode): FileHandle {
        const file = nodeFileSystem.open(path, flags, mode);
        return {
          descriptor: file.descriptor,
          read: (bytes, offset) => file.read(bytes, offset),
          write: (bytes, offset) => {
            if (path === target && left-- > 0) throw failure();
            file.write(bytes, offset);
          },
          truncate: (size) => file.truncate(size),
          sync: () => file.sync(),
          size: () => file.size(),
          close: () => file.close(),
        };
      },
    };
  }

  test("the old content has its old mode, and its old owner, again", () => {
    const target = newTarget("old");
    fs.chmodSync(target, 0o664);
    const owner = isRoot ? 1234 : undefined;
    const replacement = begin(target, { mode: 0o600, setMode: true, owner, inPlace: true, fileSystem: failing(target, 1) });
    replacement.write(Buffer.from("new"));
    assert.throws(() => replacement.commit(), { code: "EIO" });
    replacement.abandon();
    assert.deepEqual([fs.readFileSync(target, "utf8"), modeOf(target), fs.statSync(target).uid], ["old", 0o664, process.geteuid?.()]);
    assert.deepEqual(folderOf(target), ["m.db"]);
  });

  test("what may be half of the new content has the mode that was asked for", () => {
    const target = newTarget("old");
    fs.chmodSync(target, 0o664);
    const replacement = begin(target, { mode: 0o600, setMode: true, inPlace: true, fileSystem: failing(target, 2) });
    replacement.write(Buffer.from("new"));
    assert.throws(() => replacement.commit(), { code: "EIO" });
    replacement.abandon();
    assert.equal(modeOf(target), 0o600);
    const [kept = ""] = folderOf(target).filter((name) => name.endsWith(".old"));
    assert.equal(fs.readFileSync(join(target, "..", kept), "utf8"), "old");
  });

  test("an owner that cannot be set leaves the old content", (t) => {
    const target = newTarget("old");
    const replacement = begin(target, { owner: 1234, inPlace: true });
    replacement.write(Buffer.from("new"));
    const fchown = t.mock.method(nodeFs, "fchownSync", () => {
      throw failure();
    });
    syncBuiltinESMExports();
    try {
      assert.throws(() => replacement.commit(), { code: "EIO" });
    } finally {
      fchown.mock.restore();
      syncBuiltinESMExports();
    }
    assert.equal(replacement.isCommitted, false);
    replacement.abandon();
    assert.deepEqual([fs.readFileSync(target, "utf8"), folderOf(target)], ["old", ["m.db"]]);
  });
});

test("what another run has put there meanwhile is what is copied, and replaced as what it is", () => {
  const target = newTarget("old");
  const replacement = begin(target);
  fs.writeFileSync(`${target}.other`, "of another run", { mode: 0o600 });
  fs.renameSync(`${target}.other`, target);
  replacement.copyOld();
  assert.equal(fs.readFileSync(replacement.path, "utf8"), "of another run");
  replacement.commit();
  assert.deepEqual([fs.readFileSync(target, "utf8"), modeOf(target), folderOf(target)], ["of another run", 0o600, ["m.db"]]);
});

test("a link that has been put there meanwhile is not followed", () => {
  const target = newTarget("old");
  fs.writeFileSync(`${target}.secret`, "of somebody else");
  const replacement = begin(target);
  fs.unlinkSync(target);
  fs.symlinkSync(`${target}.secret`, target);
  assert.throws(() => replacement.copyOld(), { code: "ERR_FILE_REPLACED" });
  replacement.abandon();
  assert.deepEqual([fs.readFileSync(target, "utf8"), folderOf(target)], ["of somebody else", ["m.db", "m.db.secret"]]);
});

test("given up, all is as it was, any number of times", () => {
  const target = newTarget("old");
  const replacement = begin(target);
  replacement.copyOld();
  assert.equal(fs.readFileSync(replacement.path, "utf8"), "old");
  replacement.abandon();
  replacement.abandon();
  assert.deepEqual(folderOf(target), ["m.db"]);
  assert.equal(fs.readFileSync(target, "utf8"), "old");

  const done = begin(target);
  fs.writeFileSync(done.path, "new");
  done.commit();
  done.abandon();
  assert.equal(fs.readFileSync(target, "utf8"), "new");
});

test("the longest name there can be", () => {
  const target = newTarget("old", `${"n".repeat(252)}.db`);
  const replacement = begin(target);
  assert.ok(basename(replacement.path).length < 40);
  replacement.commit();
  assert.deepEqual(folderOf(target), [basename(target)]);
});

suite("what earlier runs left", () => {
  const digest = (text: string): string => sha256(Buffer.from(text)).slice(0, 8);
  const ours = `.${digest("m.db")}-${digest(hostname())}-`;
  /** A number that no process has: that of one which is over. */
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;

  function leftAfter(name: string, age = 0, commit = false): boolean {
    const target = newTarget("old");
    const path = join(target, "..", name);
    fs.writeFileSync(path, "left");
    const then = new Date(Date.now() - age);
    fs.utimesSync(path, then, then);
    const replacement = begin(target);
    if (commit) replacement.commit();
    const isThere = fs.existsSync(path) && fs.readFileSync(path, "utf8") === "left";
    replacement.abandon();
    return isThere;
  }

  const HOUR = 3_600_000;
  const cases: readonly [what: string, name: string, age: number, stays: boolean][] = [
    ["of a process that is over goes", `${ours}${dead}-89abcdef`, 0, false],
    ["of a process that runs stays", `${ours}${process.ppid}-0123abcd`, 99 * HOUR, true],
    ["of an earlier process with our number goes", `${ours}${process.pid}-0123abcd`, HOUR, false],
    ["of another run in this process stays", `${ours}${process.pid}-0123abcd`, 0, true],
    ["of process 1, which is another's, stays", `${ours}1-0123abcd`, 99 * HOUR, true],
    ["of another host stays for a day", `.${digest("m.db")}-00000000-${dead}-0123abcd`, 23 * HOUR, true],
    ["of another host goes after a day", `.${digest("m.db")}-00000000-${dead}-0123abcd`, 25 * HOUR, false],
    ["of another map stays", `.${digest("n.db")}-${digest(hostname())}-${dead}-0123abcd`, 99 * HOUR, true],
    ["without a number stays", `${ours}0123abcd`, 99 * HOUR, true],
    ["with another ending stays", `${ours}${dead}-0123abcd.txt`, 99 * HOUR, true],
    ["with something before it stays", `x${ours}${dead}-0123abcd`, 99 * HOUR, true],
  ];
  for (const [what, name, age, stays] of cases) test(what, () => assert.equal(leftAfter(name, age), stays));

  test("old content that could not be put back stays until there is a new map", () => {
    for (const name of [`${ours}${dead}-0123abcd.old`]) {
      assert.equal(leftAfter(name), true);
      assert.equal(leftAfter(name, 0, true), false);
    }
    assert.equal(leftAfter(`${ours}${process.ppid}-0123abcd.old`, 0, true), true);
  });
});

test("a pipe, a device or a folder is not replaced by a file", () => {
  const target = newTarget();
  assert.equal(spawnSync("mkfifo", [target]).status, 0);
  assert.throws(() => begin(target), { code: "ERR_NOT_REGULAR", message: "not a regular file" });
  assert.throws(() => begin(join(target, "..")), { code: "ERR_NOT_REGULAR" });
  assert.deepEqual(folderOf(target), ["m.db"]);
  assert.ok(fs.lstatSync(target).isFIFO());
});
