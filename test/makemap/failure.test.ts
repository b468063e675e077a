/**
 * How the map builder goes about its files, and what it says of those that
 * fail. What is there after a failure, whatever it is and wherever, is a matter
 * of test/faults.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { type FileHandle, type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { targetFormat } from "#src/hash-file/file-format.js";
import { MapBuilder, type MapBuilderOptions, MapWriteError } from "#src/makemap/map-builder.js";
import { bytesOf, sha256 } from "../support/bytes.ts";
import { FailingFileSystem } from "../support/failing-file-system.ts";
import { makeInProcess } from "../support/in-process.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
/** Where a map is written if nothing can be made beside it: a folder of the test's own, so that what is left there is seen. */
const elsewhere = join(top, "elsewhere");
mkdirSync(elsewhere);
process.env["TMPDIR"] = elsewhere;

const OLD = bytesOf("old 1\nkept 2\n");
const NEW = bytesOf("k0 v\nold x\n");
/** More than the least cache of 1 MB holds, in an order that comes back to pages which are out already. */
const MANY = bytesOf(Array.from({ length: 1500 }, (_, i) => `key${(i * 7919) % 100_003} ${"v".repeat(900)}${i}\n`).join(""));

interface Scene {
  readonly hasOld: boolean;
  readonly options?: Partial<MapBuilderOptions>;
  readonly source?: Uint8Array;
}

const SCENES: Record<string, Scene> = {
  "a new map": { hasOld: false },
  "a new btree map": { hasOld: false, options: { type: "btree" } },
  "a map that is replaced": { hasOld: true },
  "a map that is replaced, version 8": { hasOld: true, options: { format: targetFormat("aix") } },
  "a map that is added to": { hasOld: true, options: { append: true, duplicates: "replace" } },
  "a map that is rewritten in place": { hasOld: true, options: { inPlace: true } },
  "a map that is added to in place": { hasOld: true, options: { inPlace: true, append: true, duplicates: "replace" } },
  "a map larger than the cache": { hasOld: true, source: MANY, options: { cacheSize: 1 } },
  "a map larger than the cache, version 8": { hasOld: true, source: MANY, options: { cacheSize: 1, format: targetFormat("aix") } },
};

/** A folder with or without an old map. */
function prepare({ hasOld }: Scene): { folder: string; file: string; before: Record<string, string> } {
  const folder = mkdtempSync(join(top, "run-"));
  if (hasOld) makeInProcess(["hash", "m"], OLD, folder);
  return { folder, file: join(folder, "m.db"), before: content(folder) };
}

/** The files: mode and sum of each. */
function content(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    names.map((name) => [name, `${statSync(join(folder, name)).mode} ${sha256(readFileSync(join(folder, name)))}`]),
  );
}

/** The sum alone: what is kept beside has another mode. */
function sumOf(listed: string | undefined): string | undefined {
  return listed?.split(" ")[1];
}

/** The same files, with closes that report nothing: there is nothing left to report once a file was synced, and libdb does not outlive it. */
function closingQuietly(files: FileSystem): FileSystem {
  return {
    open(path, flags, mode): FileHandle {
      const file = files.open(path, flags, mode);
      return {
        ...file,
        close: () => {
          try {
            file.close();
          } catch {
            // It is closed.
          }
        },
      };
    },
    stat: (path) => files.stat(path),
    rename: (from, to) => files.rename(from, to),
    unlink: (path) => files.unlink(path),
  };
}

/** Makes the map; returns what was thrown. */
function build(file: string, { options, source = NEW }: Scene, files: FileSystem): unknown {
  const fileSystem = files instanceof FailingFileSystem ? closingQuietly(files) : files;
  let builder: MapBuilder;
  try {
    builder = new MapBuilder(file, { type: "hash", sourceSize: source.length, fileSystem, onDiagnostic: () => {}, ...options });
  } catch (error) {
    assert.ok(!(error instanceof MapWriteError), "before there is anything to write it is no error of a write");
    return error;
  }
  try {
    builder.write(source);
    builder.commit();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof MapWriteError, String(error));
    return error;
  } finally {
    builder.abandon();
    // A second time does nothing.
    builder.abandon();
  }
}

/** The error and what it was caused by, and so on. */
function chainOf(error: unknown): unknown[] {
  return error instanceof Error ? [error, ...chainOf(error.cause)] : [];
}

/** Fails unless this is what injected failures ought to become: the open error or the write error, with one of them for a cause. */
function assertTold(error: unknown, injected: readonly Error[], what: string): void {
  const cause = chainOf(error).find((part) => injected.includes(part as Error));
  assert.ok(cause !== undefined, `${what}: not the cause of ${String(error)}`);
  // What the program puts into words: makemap's text is that of the code.
  const shown = error instanceof MapWriteError ? error.cause : error;
  assert.equal((shown as NodeJS.ErrnoException).code, (cause as NodeJS.ErrnoException).code, what);
}

for (const [name, scene] of Object.entries(SCENES)) {
  test(`${name}: all of it is on the disc before it is the map, and goes there once`, () => {
    const { file } = prepare(scene);
    /** Files with something in them that is not on the disc. */
    const unsafe = new Set<string>();
    let renamed = 0;
    let synced = 0;
    const error = build(file, scene, {
      ...nodeFileSystem,
      open(path, flags, mode): FileHandle {
        const opened = nodeFileSystem.open(path, flags, mode);
        return {
          read: (bytes, offset) => opened.read(bytes, offset),
          write: (bytes, offset) => {
            opened.write(bytes, offset);
            unsafe.add(path);
          },
          truncate: (size) => {
            opened.truncate(size);
            unsafe.add(path);
          },
          sync: () => {
            opened.sync();
            unsafe.delete(path);
            synced += 1;
          },
          size: () => opened.size(),
          close: () => opened.close(),
        };
      },
      rename(from, to) {
        assert.deepEqual([...unsafe], []);
        renamed += 1;
        nodeFileSystem.rename(from, to);
      },
      unlink(path) {
        nodeFileSystem.unlink(path);
        unsafe.delete(path);
      },
    });
    assert.equal(error, undefined);
    assert.deepEqual([...unsafe], []);
    const { append = false, inPlace = false } = scene.options ?? {};
    assert.equal(renamed, inPlace ? 0 : 1);
    // Besides the copy of what was there, and of what is written in its place.
    assert.equal(synced, (append ? 1 : 0) + (inPlace ? 2 : 1));
  });
}

/** Fails every write to one file. */
function failWritesTo(name: string): FileSystem {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  return {
    ...nodeFileSystem,
    open(path, flags, mode): FileHandle {
      const file = nodeFileSystem.open(path, flags, mode);
      return {
        read: (bytes, offset) => file.read(bytes, offset),
        write: (bytes, offset) => {
          if (basename(path) === name) throw full;
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

test("in place, where even the old content cannot be put back, it is kept beside until a run succeeds", () => {
  const scene: Scene = { hasOld: true, options: { inPlace: true } };
  const { folder, file, before } = prepare(scene);
  const error = build(file, scene, failWritesTo("m.db"));
  assert.ok(error instanceof MapWriteError);
  assert.equal((error.cause as NodeJS.ErrnoException).code, "ENOSPC");
  const kept = Object.entries(content(folder)).filter(([name]) => name !== "m.db");
  assert.equal(kept.length, 1);
  const [name = "", listed] = kept[0] ?? [];
  assert.equal(sumOf(listed), sumOf(before["m.db"]));
  assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, "it has passwords in it");
  // A run that fails as well leaves it as it is.
  assert.notEqual(build(file, scene, failWritesTo("m.db")), undefined);
  assert.equal(content(folder)[name], listed);
  assert.equal(build(file, { hasOld: true }, nodeFileSystem), undefined);
  assert.deepEqual(Object.keys(content(folder)), ["m.db"]);
});

test("a record that cannot be stored is named by its line and its key", () => {
  const scene = SCENES["a map larger than the cache"] as Scene;
  const { folder, file, before } = prepare(scene);
  const files = new FailingFileSystem(nodeFileSystem, "ENOSPC");
  let lines = 0;
  const onRecord = (): void => {
    lines += 1;
    if (lines === 1000) files.failFrom = files.operations;
  };
  const error = build(file, { ...scene, options: { ...scene.options, includeNul: true, onRecord } }, files);
  assert.ok(error instanceof MapWriteError);
  assert.ok(error.line !== undefined && error.line >= 1000 && error.line === lines);
  assert.equal(Buffer.from(error.key ?? []).toString(), `key${((error.line - 1) * 7919) % 100_003}`);
  assertTold(error, files.thrown, "a put");
  assert.equal(content(folder)["m.db"], before["m.db"]);
});

test("a builder that has failed, or is over, does nothing more", () => {
  const folder = mkdtempSync(join(top, "over-"));
  const options = { type: "hash", onDiagnostic: () => {} } as const;
  let records = 0;
  const failing = new MapBuilder(join(folder, "failed.db"), {
    ...options,
    onRecord: () => {
      records += 1;
      if (records === 2) throw new Error("of the caller's own");
    },
  });
  assert.throws(() => failing.write(bytesOf("a 1\nb 2\nc 3\n")), /of the caller's own/);
  for (const again of [() => failing.write(bytesOf("d 4\n")), () => failing.commit()])
    assert.throws(again, new TypeError("the map has failed"));
  failing.abandon();
  const done = new MapBuilder(join(folder, "done.db"), options);
  done.write(bytesOf("a 1\n"));
  done.commit();
  assert.throws(() => done.commit(), new TypeError("the map is committed"));
  done.abandon();
  const abandoned = new MapBuilder(join(folder, "abandoned.db"), options);
  abandoned.abandon();
  assert.throws(() => abandoned.commit(), new TypeError("the map is abandoned"));
  assert.deepEqual(readdirSync(folder), ["done.db"]);
});
