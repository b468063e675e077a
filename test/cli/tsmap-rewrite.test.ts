/**
 * tsmap convert and scrub: the same records, in files that the real programs
 * read; nothing of what was deleted; all or nothing.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, linkSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { Database } from "berkeley-db-js";
import { replaceWith } from "#src/cli/tsmap/replacing.js";
import { withFileLock } from "#src/files/file-lock.js";
import { prepareScrub } from "#src/map-file/scrub.js";
import { bytesOf, sha256, sortedPairs, textOf } from "../support/bytes.ts";
import { type DatabaseFixture, databaseFixture, databaseFixtures, fixturesFolder } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { nativePath, needs } from "../support/native.ts";
import { launcherOf, run } from "../support/program.ts";
import { Workbench } from "../support/tsmap.ts";

function recordsOf(path: string): [string, string][] {
  using database = Database.open(readFileSync(path), { readOnly: true });
  return sortedPairs(Array.from(database, ([key, data]) => [textOf(key), textOf(data)]));
}

function expected(name: string): [string, string][] {
  return sortedPairs(databaseFixture(name).records.map(([key, data]) => [textOf(key), textOf(data)]));
}

/** In the ordinary run one of each version, of one byte order or the other: every call of the program takes a while. */
function someOf(pattern: RegExp): DatabaseFixture[] {
  const all = databaseFixtures().filter(({ name }) => pattern.test(name));
  return isFull ? all : all.filter(({ name, version }) => name.includes(version % 2 === 0 ? "-be-" : "-le-"));
}

suite("convert", () => {
  const sets = someOf(/-(binary|residue|dup|dupsort)$/);
  for (const { name } of sets) {
    test(`${name}: to version 8 in the other byte order, read by db5.3_dump and sound to db5.3_verify`, async (t) => {
      if (!needs(t, "db5.3_verify")) return;
      const bench = new Workbench(t);
      const file = bench.fixture(name);
      const order = name.includes("-le-") ? "big" : "little";
      const btree = name.startsWith("btree");
      const args = ["--byte-order", order, "--page-size", "1024", ...(btree ? [] : ["--hash-version", "8"])];
      const { exit, stdout, stderr } = await bench.tsmap(["convert", file, "-o", "new.db", ...args]);
      assert.deepEqual([exit, stderr], [0, ""]);
      assert.match(
        stdout,
        new RegExp(`^new.db: ${databaseFixture(name).records.length} records, (hash version 8|btree version 9), ${order}-endian, `),
      );
      assert.deepEqual(recordsOf(bench.path("new.db")), expected(name));
      assert.equal(sha256(readFileSync(bench.path(file))), databaseFixture(name).sha256);
      assert.equal((await run(nativePath("db5.3_verify"), ["-q", bench.path("new.db")])).exit, 0);
      const { format } = JSON.parse((await bench.tsmap(["inspect", "--json", "new.db"])).stdout) as { format: Record<string, unknown> };
      assert.deepEqual([format["byteOrder"], format["pageSize"]], [order, 1024]);
    });
  }

  test("without options: the file's own format, where it can be written, and another where not", async (t) => {
    const bench = new Workbench(t);
    const formatOf = async (fixture: string): Promise<unknown[]> => {
      bench.fixture(fixture, "old.db");
      assert.equal((await bench.tsmap(["convert", "old.db", "-o", "new.db"])).exit, 0);
      const { format } = JSON.parse((await bench.tsmap(["inspect", "--json", "new.db"])).stdout) as { format: Record<string, unknown> };
      return [format["type"], format["version"], format["byteOrder"], format["pageSize"], format["duplicates"]];
    };
    assert.deepEqual(await formatOf("v8-db4.1.25-be-map"), ["hash", 8, "big", 4096, false]);
    assert.deepEqual(await formatOf("v7-db3.1.17-le-map"), ["hash", 7, "little", 4096, false]);
    assert.deepEqual(await formatOf("v9-db5.3.28-le-ps512-map"), ["hash", 9, "little", 512, false]);
    assert.deepEqual(await formatOf("v2-db1.85-be-map"), ["hash", 9, "big", 4096, false]);
    assert.deepEqual(await formatOf("v10-db18.1.40-le-map"), ["hash", 9, "little", 4096, false]);
    assert.deepEqual(await formatOf("btree9-db5.3.28-le-ps512-dupsort"), ["btree", 9, "little", 512, "sorted"]);
  });

  test("--type: hash to btree and back", async (t) => {
    const bench = new Workbench(t);
    bench.fixture("v9-db5.3.28-be-map", "hash.db");
    assert.equal((await bench.tsmap(["convert", "hash.db", "-o", "btree.db", "--type", "btree"])).exit, 0);
    assert.match((await bench.tsmap(["inspect", "btree.db"])).stdout, /format +btree/);
    assert.equal((await bench.tsmap(["convert", "btree.db", "-o", "again.db", "--type", "hash", "--target", "aix"])).exit, 0);
    assert.deepEqual(recordsOf(bench.path("again.db")), expected("v9-db5.3.28-be-map"));
    const { exit, stderr } = await bench.tsmap(["convert", "hash.db", "-o", "x.db", "--type", "btree", "--hash-version", "8"]);
    assert.deepEqual([exit, stderr], [2, "tsmap: --hash-version: a btree file has none\n"]);
  });

  test("twice gives the same bytes, and without residue", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v8-db4.1.25-be-residue");
    for (const name of ["one.db", "two.db"]) assert.equal((await bench.tsmap(["convert", file, "-o", name, "--target", "aix"])).exit, 0);
    assert.equal(sha256(readFileSync(bench.path("one.db"))), sha256(readFileSync(bench.path("two.db"))));
    const raw = readFileSync(bench.path("one.db"));
    for (const deleted of databaseFixture("v8-db4.1.25-be-residue").residue ?? []) assert.equal(raw.includes(Buffer.from(deleted)), false);
  });

  test("whoever may not read the old file may not read the new one, even where there is one", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v9-db5.3.28-le-sasldb");
    const modeOf = (name: string): string => (statSync(bench.path(name)).mode & 0o777).toString(8);
    for (const [source, old, made] of [
      [0o600, undefined, "600"],
      [0o600, 0o644, "600"],
      [0o640, 0o600, "600"],
      [0o644, 0o640, "640"],
    ] as const) {
      chmodSync(bench.path(file), source);
      for (const command of [["convert"], ["scrub"]]) {
        const target = `new-${command}-${made}.db`;
        if (old !== undefined) chmodSync(bench.path(bench.write(target, "old")), old);
        assert.equal((await bench.tsmap([...command, file, "-o", target])).exit, 0);
        assert.equal(modeOf(target), made, `${command} ${source.toString(8)} ${old?.toString(8)}`);
      }
    }
  });
});

suite("scrub", () => {
  for (const { name, residue = [] } of someOf(/residue$/)) {
    test(`${name}: the same file, with the same records in the same places, and nothing of what was deleted`, async (t) => {
      const bench = new Workbench(t);
      const file = bench.fixture(name);
      const before = readFileSync(bench.path(file));
      const isThere = (bytes: Uint8Array): number => residue.filter((deleted) => Buffer.from(bytes).includes(Buffer.from(deleted))).length;
      assert.ok(isThere(before) > 0);
      const dump = async (): Promise<string> => (await bench.tsmap(["dump", "--show-secrets", file])).stdout;
      const dumped = await dump();
      const { exit, stdout, stderr } = await bench.tsmap(["scrub", file]);
      assert.deepEqual([exit, stderr], [0, ""]);
      assert.match(stdout, /^\S+: \d+ bytes? of old content removed from \d+ pages?\n$/);
      const after = readFileSync(bench.path(file));
      assert.equal(after.length, before.length);
      assert.equal(isThere(after), 0);
      assert.equal(await dump(), dumped);
      // Nothing but zeros is new.
      assert.ok(after.every((byte, i) => byte === before[i] || byte === 0));
      assert.match((await bench.tsmap(["inspect", file])).stdout, /residue +none/);
      assert.match((await bench.tsmap(["verify", file])).stdout, /: sound \(/);
      assert.match((await bench.tsmap(["scrub", file])).stdout, /nothing to remove/);
      assert.deepEqual(readFileSync(bench.path(file)), after);
    });
  }

  test("libdb goes on with a scrubbed file: puts, deletes and splits pages", (t) => {
    const bench = new Workbench(t);
    return (async () => {
      for (const fixture of ["v9-db5.3.28-le-residue", "v8-db4.1.25-be-residue", "btree9-db5.3.28-be-ps1024-residue"]) {
        const file = bench.fixture(fixture);
        await bench.tsmap(["scrub", file]);
        const records = new Map(expected(fixture));
        {
          using database = Database.open(bench.path(file));
          for (let i = 0; i < 3000; i++) {
            database.put(bytesOf(`new${i}`), bytesOf(`value ${i}`));
            records.set(`new${i}`, `value ${i}`);
          }
          for (const key of [...records.keys()].filter((_, i) => i % 3 === 0)) {
            database.delete(bytesOf(key));
            records.delete(key);
          }
        }
        assert.deepEqual(recordsOf(bench.path(file)), sortedPairs(records));
        assert.deepEqual(Database.verify(bench.path(file)), []);
      }
    })();
  });

  test("long keys of pages above the leaves stay, without which nothing below is found", async (t) => {
    const bench = new Workbench(t);
    const duplicates = Array.from({ length: 80 }, (_, i) => String(i).padStart(300, "d"));
    const databases = {
      btree: (database: Database): void => {
        for (let i = 0; i < 100; i++) database.put(bytesOf(String(i).padStart(150, "0")), bytesOf(`v${i}`));
      },
      hash: (database: Database): void => {
        for (const duplicate of duplicates) database.put(bytesOf("key"), bytesOf(duplicate), "duplicate");
      },
    };
    for (const [type, fill] of Object.entries(databases) as ["btree" | "hash", (database: Database) => void][]) {
      const file = `${type}.db`;
      {
        using database = Database.open(bench.path(file), { type, create: true, pageSize: 512, duplicates: type === "hash" && "sorted" });
        fill(database);
      }
      const records = recordsOf(bench.path(file));
      // Something to remove: behind the last page number of the first page.
      const bytes = readFileSync(bench.path(file));
      const pages = bytes.length / 512;
      const leaf = Array.from({ length: pages }, (_, i) => i).find((i) => i > 0 && [5, 12, 13].includes(bytes[i * 512 + 25] ?? 0)) ?? 0;
      bytes[leaf * 512 + 26 + 2 * bytes.readUInt16LE(leaf * 512 + 20)] = 1;
      writeFileSync(bench.path(file), bytes);
      const { exit, stdout, stderr } = await bench.tsmap(["scrub", file]);
      assert.deepEqual([exit, stderr, stdout], [0, "", `${file}: 1 byte of old content removed from 1 page\n`]);
      assert.deepEqual(Database.verify(bench.path(file)), []);
      using database = Database.open(bench.path(file), { readOnly: true });
      for (const [key, data] of records) {
        using cursor = database.cursor();
        const found = type === "hash" ? cursor.setBoth(bytesOf(key), bytesOf(data)) : database.get(bytesOf(key));
        assert.ok(found !== undefined, `${type}: ${key} ${data}`);
      }
    }
  });

  test("the lock of whoever changes the database is waited for", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v9-db5.3.28-le-residue", "map.db");
    const before = sha256(readFileSync(bench.path(file)));
    const line = [launcherOf("tsmap"), "scrub", file];
    await withFileLock(bench.path(file), () => {
      const { signal, stderr } = spawnSync(process.execPath, line, { cwd: bench.folder, timeout: 2500, encoding: "utf8" });
      assert.deepEqual([signal, stderr], ["SIGTERM", `tsmap: waiting for ${bench.path("map.db.lock")}\n`]);
    });
    assert.equal(sha256(readFileSync(bench.path(file))), before);
    assert.deepEqual(readdirSync(bench.folder), [file]);
    assert.equal((await bench.tsmap(["scrub", file])).exit, 0);
  });

  test("what another program changes meanwhile stays", async (t) => {
    const bench = new Workbench(t);
    const path = bench.path(bench.fixture("v9-db5.3.28-le-residue", "map.db"));
    const changed = replaceWith("tsmap", { source: path, target: "map.db", path }, () => {
      const pending = prepareScrub(path, path);
      using database = Database.open(path);
      database.put(bytesOf("new"), bytesOf("value"));
      return pending;
    });
    await assert.rejects(changed, /^Error: map\.db: another program has changed it meanwhile: it is as that has left it$/);
    using database = Database.open(path, { readOnly: true });
    assert.equal(textOf(database.get(bytesOf("new")) ?? bytesOf("")), "value");
    assert.deepEqual(readdirSync(bench.folder), ["map.db"]);
  });

  test("-o leaves the file as it is; a link is followed; other names of a file are scrubbed with it", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v9-db5.3.28-le-residue", "map.db");
    const { sha256: original } = databaseFixture("v9-db5.3.28-le-residue");
    assert.equal((await bench.tsmap(["scrub", file, "-o", "clean.db"])).exit, 0);
    assert.equal(sha256(readFileSync(bench.path(file))), original);
    assert.equal(statSync(bench.path("clean.db")).mode & 0o777, 0o600);
    symlinkSync("map.db", bench.path("link.db"));
    linkSync(bench.path("map.db"), bench.path("other.db"));
    assert.equal((await bench.tsmap(["scrub", "link.db"])).exit, 0);
    const clean = sha256(readFileSync(bench.path("clean.db")));
    for (const name of ["map.db", "link.db", "other.db"]) assert.equal(sha256(readFileSync(bench.path(name))), clean, name);
    assert.deepEqual(readdirSync(bench.folder).sort(), ["clean.db", "link.db", "map.db", "other.db"]);
  });
});

suite("trouble", () => {
  test("names the file that it is with", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v9-db5.3.28-le-map");
    for (const command of ["convert", "scrub"]) {
      const stderrOf = async (...args: string[]): Promise<string> => (await bench.tsmap([command, ...args])).stderr;
      assert.equal(await stderrOf(file, "-o", "nowhere/new.db"), "tsmap: nowhere/new.db: No such file or directory\n");
      assert.equal(await stderrOf("missing.db", "-o", "new.db"), "tsmap: missing.db: No such file or directory\n");
    }
  });

  test("a signal ends it, with the old file as it was and nothing beside it", async (t) => {
    const bench = new Workbench(t);
    const records = Array.from({ length: 150_000 }, (_, i) => `key${i} value${i}\n`).join("");
    await bench.makemap("large", records);
    bench.write("target.db", "old content");
    for (const command of ["convert", "scrub"]) {
      const { signal, stdout } = await bench.tsmap([command, "large.db", "-o", "target.db"], {
        onSpawn: (child) => {
          // When the new file is being made.
          const timer = setInterval(() => {
            if (child.exitCode === null && readdirSync(bench.folder).length === 2) return;
            clearInterval(timer);
            child.kill("SIGINT");
          }, 5);
        },
      });
      assert.deepEqual([signal, stdout], ["SIGINT", ""], command);
      assert.equal(readFileSync(bench.path("target.db"), "utf8"), "old content");
      assert.deepEqual(readdirSync(bench.folder).sort(), ["large.db", "target.db"]);
    }
  });

  test("a file without residue stays the file that it is", async (t) => {
    const bench = new Workbench(t);
    const file = await bench.makemap("map", "a b\n");
    const { ino } = statSync(bench.path(file));
    assert.match((await bench.tsmap(["scrub", file])).stdout, /nothing to remove/);
    assert.equal(statSync(bench.path(file)).ino, ino);
    assert.deepEqual(readdirSync(bench.folder), [file]);
  });
});

suite("what is not sound stays as it is", () => {
  for (const name of readdirSync(`${fixturesFolder}corrupt`).filter((each) => each.endsWith(".db"))) {
    test(name, async (t) => {
      const bench = new Workbench(t);
      const bytes = readFileSync(`${fixturesFolder}corrupt/${name}`);
      bench.write(name, bytes);
      bench.write("target.db", "old content");
      for (const args of [
        ["scrub", name],
        ["scrub", name, "-o", "target.db"],
        ["convert", name, "-o", "target.db"],
        ["convert", name, "-o", "fresh.db"],
      ]) {
        const { exit, stdout, stderr } = await bench.tsmap(args);
        assert.deepEqual([exit, stdout], [2, ""], args.join(" "));
        assert.match(stderr, new RegExp(`^tsmap: ${name}: [^\\n]+\\n$`));
      }
      assert.deepEqual(readFileSync(bench.path(name)), bytes);
      assert.equal(readFileSync(bench.path("target.db"), "utf8"), "old content");
      assert.equal(existsSync(bench.path("fresh.db")), false);
      assert.equal(readdirSync(bench.folder).length, 2);
    });
  }
});
