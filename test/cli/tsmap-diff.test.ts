/**
 * tsmap diff: the same records whatever the file, every difference there can be,
 * and no secret.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { Database } from "berkeley-db-js";
import { databaseFixtures, fixturesFolder } from "../support/fixtures.ts";
import { nativePath, needs } from "../support/native.ts";
import { run } from "../support/program.ts";
import { Workbench } from "../support/tsmap.ts";

const SOURCE = readFileSync(`${fixturesFolder}authinfo/smtp-auth`, "utf8");
const MANY = Array.from({ length: 500 }, (_, i) => `host${i}.example.com smtp:[relay${i % 7}.example.com]\n`).join("");

/** A database with these records; a key may come several times. */
function database(
  bench: Workbench,
  name: string,
  records: readonly (readonly [string, string])[],
  type: "hash" | "btree" = "hash",
): string {
  using made = Database.open(bench.path(name), { type, create: true, duplicates: "unsorted" });
  for (const [key, data] of records) made.put(Buffer.from(key, "latin1"), Buffer.from(data, "latin1"), "duplicate");
  return name;
}

suite("no difference", () => {
  test("between makemap's map and ours, in every format that ours can have, and their source", async (t) => {
    if (!needs(t, "makemap")) return;
    for (const [i, source] of [SOURCE, MANY, ""].entries()) {
      const bench = new Workbench(t);
      bench.write("source", source);
      bench.write("sendmail.cf", "");
      const { exit } = await run(nativePath("makemap"), ["-C", bench.path("sendmail.cf"), "hash", bench.path("native")], {
        cwd: bench.folder,
        input: source,
      });
      assert.equal(exit, 0);
      const formats = [[], ["--target", "aix"], ["--hash-version", "7"], ["--byte-order", "big", "--page-size", "512"]];
      for (const [n, format] of formats.entries()) {
        const ours = await bench.makemap(`ours${n}`, source, format);
        const { exit: code, stdout, stderr } = await bench.tsmap(["diff", "native.db", ours]);
        assert.deepEqual([code, stderr], [0, ""], `${i} ${format.join(" ")}`);
        assert.match(stdout, /records: the same/);
        // The formats are another thing, that is asked for.
        const strict = await bench.tsmap(["diff", "--same-format", "-q", "native.db", ours]);
        assert.deepEqual(strict, { exit: n === 0 ? 0 : 1, signal: null, stdout: "", stderr: "" }, format.join(" "));
        assert.equal((await bench.tsmap(["diff", "-q", "source", ours])).exit, 0);
      }
    }
  });

  test("between real files with the same records, whatever made them", async (t) => {
    const bench = new Workbench(t);
    for (const set of ["map", "binary", "authinfo", "sasldb"]) {
      const alike = databaseFixtures().filter(({ name }) => name.startsWith("v") && name.endsWith(`-${set}`));
      const [first, ...rest] = alike;
      assert.ok(first !== undefined && rest.length > 8, set);
      // Some of each version: every spawn takes a while.
      for (const { name, path } of rest.filter((_, i) => i % 3 === 0)) {
        const { exit, stdout } = await bench.tsmap(["diff", first.path, path]);
        assert.deepEqual([exit, /records: the same/.test(stdout)], [0, true], name);
      }
    }
  });

  test("in the order of duplicates, or in what was deleted", async (t) => {
    const bench = new Workbench(t);
    database(bench, "a", [
      ["k", "1"],
      ["k", "2"],
      ["l", "3"],
    ]);
    database(
      bench,
      "b",
      [
        ["l", "3"],
        ["k", "2"],
        ["k", "1"],
      ],
      "btree",
    );
    assert.equal((await bench.tsmap(["diff", "-q", "a", "b"])).exit, 0);
    bench.fixture("v9-db5.3.28-le-residue", "residue.db");
    await bench.tsmap(["scrub", "residue.db", "-o", "clean.db"]);
    assert.equal((await bench.tsmap(["diff", "-q", "--same-format", "residue.db", "clean.db"])).exit, 0);
  });
});

suite("each difference", () => {
  const base: readonly (readonly [string, string])[] = Array.from({ length: 50 }, (_, i) => [`key${i}`, `data ${i}`] as const);
  const cases: readonly (readonly [what: string, other: readonly (readonly [string, string])[], lines: readonly RegExp[]])[] = [
    [
      "one key",
      [...base.slice(0, 49), ["key50", "data 49"]],
      [/^-key49\tdata 49$/m, /^\+key50\tdata 49$/m, /1 only in the first, 1 only in the second, 0 with/],
    ],
    [
      "one byte of data",
      [...base.slice(0, 49), ["key49", "data 48"]],
      [/^-key49\tdata 49$/m, /^\+key49\tdata 48$/m, /49 keys the same, 0 only .*, 1 with other data/],
    ],
    ["one missing record", base.slice(0, 49), [/^-key49\tdata 49$/m, /1 only in the first, 0 only in the second/]],
    ["one record more", [...base, ["more", "x"]], [/^\+more\tx$/m]],
    ["a duplicate more", [...base, ["key49", "data 49"]], [/^-key49\tdata 49$/m, /^\+key49\tdata 49\n\+key49\tdata 49$/m]],
    ["a NUL more behind one key", [...base.slice(0, 49), ["key49\0", "data 49"]], [/^\+key49\\x00\tdata 49$/m]],
    ["a NUL more behind some data", [...base.slice(0, 49), ["key49", "data 49\0"]], [/^\+key49\tdata 49\\x00$/m]],
    [
      "a NUL more everywhere",
      base.map(([key, data]) => [`${key}\0`, `${data}\0`] as const),
      [/in other every key and all data have a NUL more, as makemap -N makes it/],
    ],
    ["the case of a key", [...base.slice(0, 49), ["Key49", "data 49"]], [/^\+Key49\tdata 49$/m]],
    ["a byte that is no text", [...base.slice(0, 49), ["key49", "data \xff\x1b"]], [/^\+key49\tdata \\xff\\x1b$/m]],
    ["no record at all", [], [/50 only in the first/]],
  ];
  for (const [what, other, lines] of cases) {
    test(what, async (t) => {
      const bench = new Workbench(t);
      database(bench, "base", base);
      database(bench, "other", other);
      const { exit, stdout, stderr } = await bench.tsmap(["diff", "base", "other"]);
      assert.deepEqual([exit, stderr], [1, ""]);
      for (const line of lines) assert.match(stdout, line);
      const json = JSON.parse((await bench.tsmap(["diff", "--json", "base", "other"])).stdout) as { isSame: boolean };
      assert.equal(json.isSame, false);
      assert.deepEqual(await bench.tsmap(["diff", "-q", "other", "base"]), { exit: 1, signal: null, stdout: "", stderr: "" });
    });
  }

  test("between a source text and a map that is older than it", async (t) => {
    const bench = new Workbench(t);
    bench.write("smtp-auth", SOURCE);
    await bench.makemap("smtp-auth", SOURCE);
    assert.equal((await bench.tsmap(["diff", "smtp-auth", "smtp-auth.db"])).exit, 0);
    bench.write("smtp-auth", `${SOURCE}AuthInfo:new.example.com "U:u" "P:w0rd"\n`);
    const { exit, stdout } = await bench.tsmap(["diff", "smtp-auth", "smtp-auth.db"]);
    assert.equal(exit, 1);
    assert.match(stdout, /^-authinfo:new.example.com\t"U:u" "P:\*\*\*" \(fingerprint [0-9a-f]{8}\)$/m);
  });

  test("lines of a source text that makemap leaves out are said", async (t) => {
    const bench = new Workbench(t);
    bench.write("source", "a 1\n a 2\nb 1\nb 2\nc\n");
    await bench.makemap("map", "a 1\nb 1\n");
    const { exit, stdout, stderr } = await bench.tsmap(["diff", "source", "map.db"]);
    assert.deepEqual([exit, /records: the same/.test(stdout)], [0, true]);
    assert.match(stderr, /^tsmap: source: line 2: .*\ntsmap: source: line 4: .*\ntsmap: source: line 5: .*\n$/);
  });

  test("between a source text read one way or another: -N, -f, -r, -d, -t, -D, -e", async (t) => {
    const bench = new Workbench(t);
    const source = "Key a\nKey b\n%comment c\nempty\n";
    bench.write("source", source);
    for (const args of [["-N"], ["-f"], ["-r"], ["-d"], ["-D", "%"], ["-e"]]) {
      // A key that comes twice, or has no value, is an error to makemap, and the map is made.
      await bench.makemap("map", source, args).catch(() => {});
      const { exit, stdout } = await bench.tsmap(["diff", ...args, "source", "map.db"]);
      assert.equal(exit, 0, `${args.join(" ")} ${stdout}`);
      assert.equal((await bench.tsmap(["diff", "-q", "source", "map.db"])).exit, 1, args.join(" "));
    }
  });
});

suite("secrets", () => {
  test("are shown by fingerprints: the same for the same, and of nothing that could be tried", async (t) => {
    const bench = new Workbench(t);
    await bench.makemap("a", 'AuthInfo:x "U:u" "P:s3cret"\nAuthInfo:y "U:u" "P:s3cret"\nAuthInfo:z "U:u" "P:an0ther"\n');
    await bench.makemap("b", "");
    const prints = (text: string): string[] => [...text.matchAll(/fingerprint[": ]+([0-9a-f]{8})/g)].map(([, print]) => print as string);
    for (const json of [[], ["--json"]]) {
      const { stdout } = await bench.tsmap(["diff", ...json, "a.db", "b.db"]);
      assert.doesNotMatch(stdout, /s3cret|an0ther/);
      const [x, y, z] = prints(stdout);
      assert.ok(x === y && y !== z && z !== undefined, stdout);
      assert.notDeepEqual(prints((await bench.tsmap(["diff", ...json, "a.db", "b.db"])).stdout), [x, y, z], "another run, another key");
      const keyed = async (key: string): Promise<string[]> => {
        bench.write("key", key);
        return prints((await bench.tsmap(["diff", ...json, "--fingerprint-key", "key", "a.db", "b.db"])).stdout);
      };
      const [one, two] = ["1".repeat(16), "2".repeat(16)];
      assert.deepEqual(await keyed(one), await keyed(one));
      assert.notDeepEqual(await keyed(one), await keyed(two));
      assert.deepEqual(await keyed("1".repeat(15)), [], "a key that can be guessed is refused");
    }
    assert.match((await bench.tsmap(["diff", "--show-secrets", "a.db", "b.db"])).stdout, /"P:s3cret"/);
  });
});

suite("trouble", () => {
  test("names the file that it is with, whichever it is, and ends with 2", async (t) => {
    const bench = new Workbench(t);
    await bench.makemap("good", "a b\n");
    const damaged = `${fixturesFolder}corrupt/07-next-pgno-self.db`;
    for (const [bad, message] of [
      ["missing", /^tsmap: missing: No such file or directory\n$/],
      [".", /^tsmap: \.: Is a directory\n$/],
      [damaged, /^tsmap: \S*07-next-pgno-self.db: damaged: page 1: reached twice, from page 1 now\n$/],
      [`${fixturesFolder}corrupt/15-gzip.db`, /compressed with gzip: decompress it first\n$/],
    ] as const) {
      for (const pair of [
        [bad, "good.db"],
        ["good.db", bad],
      ]) {
        const { exit, stdout, stderr } = await bench.tsmap(["diff", ...pair]);
        assert.deepEqual([exit, stdout], [2, ""]);
        assert.match(stderr, message);
      }
    }
  });
});
