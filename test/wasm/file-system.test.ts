/**
 * The FileSystem port: one suite over every implementation of it.
 */
import assert from "node:assert/strict";
import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type FileSystem, MemoryFileSystem, nodeFileSystem, type OpenFlags } from "berkeley-db-js";
import { bytesOf, textOf } from "../support/bytes.ts";
import { temporaryFolder } from "../support/temp.ts";

interface Place {
  readonly files: FileSystem;
  /** A path in an empty place of its own. */
  readonly at: (name: string) => string;
  readonly mode: (path: string) => number;
}

const IMPLEMENTATIONS: Readonly<Record<string, (t: TestContext) => Place>> = {
  nodeFileSystem: (t) => {
    const folder = temporaryFolder(t);
    return { files: nodeFileSystem, at: (name) => join(folder, name), mode: (path) => statSync(path).mode & 0o7777 };
  },
  MemoryFileSystem: () => {
    const files = new MemoryFileSystem();
    return { files, at: (name) => name, mode: (path) => files.mode(path) };
  },
};

const WRITE: OpenFlags = { write: true };
const CREATE: OpenFlags = { write: true, create: true };
const READ: OpenFlags = { write: false };

function code(expected: string): { code: string; message: RegExp } {
  return { code: expected, message: new RegExp(`^${expected}: `) };
}

function writeText(files: FileSystem, path: string, text: string): void {
  const file = files.open(path, { write: true, create: true, truncate: true }, 0o600);
  file.write(bytesOf(text), 0);
  file.close();
}

function readText(files: FileSystem, path: string): string {
  const file = files.open(path, READ, 0);
  const bytes = new Uint8Array(file.size());
  assert.equal(file.read(bytes, 0), bytes.length);
  file.close();
  return textOf(bytes);
}

for (const [name, make] of Object.entries(IMPLEMENTATIONS)) {
  describe(name, () => {
    test("open: ENOENT for what is not there, and nothing is made", (t) => {
      const { files, at } = make(t);
      for (const flags of [READ, WRITE, { write: true, truncate: true }]) {
        assert.throws(() => files.open(at("a"), flags, 0o600), code("ENOENT"));
      }
      assert.throws(() => files.stat(at("a")), code("ENOENT"));
    });

    test("open: create makes an empty file, and opens one that is there as it is", (t) => {
      const { files, at } = make(t);
      files.open(at("a"), CREATE, 0o600).close();
      assert.equal(readText(files, at("a")), "");
      writeText(files, at("a"), "content");
      files.open(at("a"), CREATE, 0o600).close();
      assert.equal(readText(files, at("a")), "content");
    });

    test("open: exclusive is EEXIST for what is there, and leaves it", (t) => {
      const { files, at } = make(t);
      const flags = { write: true, create: true, exclusive: true, truncate: true };
      files.open(at("a"), flags, 0o600).close();
      writeText(files, at("a"), "content");
      assert.throws(() => files.open(at("a"), flags, 0o600), code("EEXIST"));
      assert.equal(readText(files, at("a")), "content");
    });

    test("open: truncate cuts to nothing", (t) => {
      const { files, at } = make(t);
      writeText(files, at("a"), "content");
      const file = files.open(at("a"), { write: true, truncate: true }, 0o600);
      assert.equal(file.size(), 0);
      file.write(bytesOf("x"), 3);
      file.close();
      assert.equal(readText(files, at("a")), "\0\0\0x");
    });

    test("open: a file is made with the mode asked for, and one that is there keeps its own", (t) => {
      const { files, at, mode } = make(t);
      for (const asked of [0o600, 0o640, 0o400]) {
        files.open(at(`${asked}`), CREATE, asked).close();
        assert.equal(mode(at(`${asked}`)), asked);
      }
      files.open(at(`${0o640}`), CREATE, 0o600).close();
      assert.equal(mode(at(`${0o640}`)), 0o640);
    });

    test("read: all that is asked for, fewer bytes at the end, none behind it", (t) => {
      const { files, at } = make(t);
      writeText(files, at("a"), "0123456789");
      const file = files.open(at("a"), READ, 0);
      const bytes = new Uint8Array(6).fill(0xff);
      assert.equal(file.read(bytes, 2), 6);
      assert.equal(textOf(bytes), "234567");
      assert.equal(file.read(bytes, 7), 3);
      assert.equal(textOf(bytes), "789567");
      assert.equal(file.read(bytes, 10), 0);
      assert.equal(file.read(bytes, 1_000_000), 0);
      assert.equal(textOf(bytes), "789567");
      assert.equal(file.read(new Uint8Array(0), 0), 0);
      file.close();
    });

    test("read and write: a part of a larger buffer", (t) => {
      const { files, at } = make(t);
      const file = files.open(at("a"), CREATE, 0o600);
      file.write(bytesOf("..abc..").subarray(2, 5), 0);
      const buffer = bytesOf("-------");
      assert.equal(file.read(buffer.subarray(3, 5), 1), 2);
      assert.equal(textOf(buffer), "---bc--");
      file.close();
    });

    test("write: a gap reads as zeros; what was there is replaced; the rest stays", (t) => {
      const { files, at } = make(t);
      const file = files.open(at("a"), CREATE, 0o600);
      file.write(bytesOf("end"), 10_000);
      assert.equal(file.size(), 10_003);
      const bytes = new Uint8Array(10_003).fill(0xff);
      assert.equal(file.read(bytes, 0), 10_003);
      assert.deepEqual(bytes, new Uint8Array([...new Uint8Array(10_000), ...bytesOf("end")]));
      file.write(bytesOf("middle"), 5000);
      file.write(bytesOf("MID"), 5000);
      const middle = new Uint8Array(8);
      file.read(middle, 4999);
      assert.equal(textOf(middle), "\0MIDdle\0");
      assert.equal(file.size(), 10_003);
      file.close();
    });

    test("write: the bytes are the caller's again", (t) => {
      const { files, at } = make(t);
      const file = files.open(at("a"), CREATE, 0o600);
      const bytes = bytesOf("secret");
      file.write(bytes, 0);
      bytes.fill(0);
      file.close();
      assert.equal(readText(files, at("a")), "secret");
    });

    test("write: no bytes make a file no longer", (t) => {
      const { files, at } = make(t);
      const file = files.open(at("a"), CREATE, 0o600);
      file.write(new Uint8Array(0), 100);
      assert.equal(file.size(), 0);
      file.close();
    });

    test("truncate: shorter, longer, and what was cut off does not come back", (t) => {
      const { files, at } = make(t);
      writeText(files, at("a"), "0123456789");
      const file = files.open(at("a"), WRITE, 0);
      file.truncate(4);
      assert.equal(file.size(), 4);
      file.truncate(8);
      file.close();
      assert.equal(readText(files, at("a")), "0123\0\0\0\0");
    });

    test("a file open for reading cannot be changed", (t) => {
      const { files, at } = make(t);
      writeText(files, at("a"), "content");
      const file = files.open(at("a"), READ, 0);
      assert.throws(() => file.write(bytesOf("x"), 0), code("EBADF"));
      // POSIX allows both for ftruncate.
      assert.throws(() => file.truncate(0), { code: /^(EBADF|EINVAL)$/ });
      file.close();
      assert.equal(readText(files, at("a")), "content");
    });

    test("two handles see the same file", (t) => {
      const { files, at } = make(t);
      const one = files.open(at("a"), CREATE, 0o600);
      const two = files.open(at("a"), WRITE, 0);
      one.write(bytesOf("one"), 0);
      two.write(bytesOf("two"), 3);
      one.sync();
      assert.equal(one.size(), 6);
      const bytes = new Uint8Array(6);
      assert.equal(two.read(bytes, 0), 6);
      assert.equal(textOf(bytes), "onetwo");
      one.close();
      two.truncate(2);
      assert.equal(two.size(), 2);
      two.close();
      assert.equal(readText(files, at("a")), "on");
    });

    test("a closed handle: EBADF, even when its number stands for another file", (t) => {
      const { files, at } = make(t);
      const file = files.open(at("a"), CREATE, 0o600);
      file.close();
      writeText(files, at("b"), "content");
      const other = files.open(at("b"), WRITE, 0);
      assert.throws(() => file.read(new Uint8Array(1), 0), code("EBADF"));
      assert.throws(() => file.write(bytesOf("x"), 0), code("EBADF"));
      assert.throws(() => file.truncate(0), code("EBADF"));
      assert.throws(() => file.sync(), code("EBADF"));
      assert.throws(() => file.size(), code("EBADF"));
      assert.throws(() => file.close(), code("EBADF"));
      assert.equal(other.size(), 7);
      other.close();
    });

    test("stat: the size, and that it is a file", (t) => {
      const { files, at } = make(t);
      writeText(files, at("a"), "content");
      assert.deepEqual(files.stat(at("a")), { size: 7, isFile: true });
    });

    test("rename: replaces, in one step for those who have it open", (t) => {
      const { files, at } = make(t);
      writeText(files, at("new"), "new content");
      writeText(files, at("old"), "old");
      const open = files.open(at("old"), READ, 0);
      files.rename(at("new"), at("old"));
      assert.equal(readText(files, at("old")), "new content");
      assert.throws(() => files.stat(at("new")), code("ENOENT"));
      const bytes = new Uint8Array(10);
      assert.equal(open.read(bytes, 0), 3);
      open.close();
      assert.throws(() => files.rename(at("new"), at("old")), code("ENOENT"));
      assert.equal(readText(files, at("old")), "new content");
      files.rename(at("old"), at("old"));
      assert.equal(readText(files, at("old")), "new content");
    });

    test("unlink: takes the name away, not the file from those who have it open", (t) => {
      const { files, at } = make(t);
      writeText(files, at("a"), "content");
      const open = files.open(at("a"), READ, 0);
      files.unlink(at("a"));
      assert.throws(() => files.stat(at("a")), code("ENOENT"));
      assert.throws(() => files.unlink(at("a")), code("ENOENT"));
      assert.equal(open.read(new Uint8Array(10), 0), 7);
      open.close();
    });
  });
}

test("nodeFileSystem: the umask cuts the mode", (t) => {
  const path = join(temporaryFolder(t), "a");
  const before = process.umask(0o027);
  t.after(() => process.umask(before));
  nodeFileSystem.open(path, CREATE, 0o666).close();
  assert.equal(statSync(path).mode & 0o7777, 0o640);
});

test("nodeFileSystem: a folder and a link are no file; a folder that is not there is ENOENT", (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "folder"));
  symlinkSync("folder", join(folder, "link"));
  assert.equal(nodeFileSystem.stat(join(folder, "folder")).isFile, false);
  assert.equal(nodeFileSystem.stat(join(folder, "link")).isFile, false);
  assert.throws(() => nodeFileSystem.open(join(folder, "none", "a"), CREATE, 0o600), code("ENOENT"));
});

test("MemoryFileSystem: readFile and writeFile copy, list is in the order of making", () => {
  const files = new MemoryFileSystem();
  const bytes = bytesOf("one");
  files.writeFile("b", bytes);
  files.writeFile("a", bytesOf("two"), 0o644);
  bytes.fill(0);
  assert.equal(textOf(files.readFile("b")), "one");
  files.readFile("b").fill(0);
  assert.equal(textOf(files.readFile("b")), "one");
  assert.deepEqual(files.list(), ["b", "a"]);
  assert.deepEqual([files.mode("b"), files.mode("a")], [0o600, 0o644]);
  assert.throws(() => files.readFile("c"), code("ENOENT"));
  assert.throws(() => files.mode("c"), code("ENOENT"));
});
