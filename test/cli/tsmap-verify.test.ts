/**
 * tsmap verify: real files are sound, damaged ones are not, and each damage is
 * named with its page.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { corruptFixtures, databaseFixture, databaseFixtures } from "../support/fixtures.ts";
import { tsmap, Workbench } from "../support/tsmap.ts";

interface Verification {
  readonly isSound: boolean;
  readonly records: number;
  readonly wasVerifiedByLibdb: boolean;
  readonly problems: readonly { readonly by: string; readonly page?: number; readonly message: string }[];
}

async function verify(files: readonly string[]): Promise<Verification[]> {
  const { stdout, stderr } = await tsmap(["verify", "--json", ...files]);
  assert.equal(stderr, "");
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Verification);
}

test("every real file is sound, by the walk and, where libdb knows its version, by libdb", async () => {
  const fixtures = databaseFixtures();
  const found = await verify(fixtures.map(({ path }) => path));
  for (const [i, { name, type, version, records }] of fixtures.entries()) {
    const wasVerifiedByLibdb = type === "btree" || version === 8 || version === 9;
    const { file: _, ...rest } = found[i] as Verification & { file: string };
    const more = { count: 0, pages: "" };
    assert.deepEqual(rest, { isSound: true, records: records.length, wasVerifiedByLibdb, problems: [], more }, name);
  }
});

suite("damaged files", () => {
  for (const { name, path, broken } of corruptFixtures()) {
    test(`${name}: ${broken}`, async () => {
      const { exit, stdout, stderr } = await tsmap(["verify", path]);
      if (exit === 1) assert.match(stdout, /\.db: damaged/);
      else assert.match(stderr, /^tsmap: \S+: not a Berkeley DB file[^\n]*\n$/);
      assert.equal(exit, /zero|magic|random|text|gzip/.test(name) ? 2 : 1);
    });
  }

  const PAGE = 4096;
  /** What is done to a file of three pages: the first one, and two buckets with some 100 records each. */
  const faults: readonly (readonly [what: string, damage: (bytes: Buffer) => void, page: number, message: RegExp])[] = [
    ["pages of two buckets that changed places", (bytes) => swapPages(bytes, 1, 2), 1, /a key that belongs to bucket 1 is in bucket 0/],
    [
      "keys that are not in order",
      (bytes) => {
        // The first two keys, which are of one length, exchanged.
        const [length, page] = [20, bytes.subarray(PAGE, 2 * PAGE)];
        const [first, second] = [page.readUInt16LE(26) + 1, page.readUInt16LE(30) + 1];
        const key = Buffer.from(page.subarray(first, first + length));
        page.copyWithin(first, second, second + length);
        key.copy(page, second);
      },
      1,
      /its keys are not in order/,
    ],
    ["a page that names another number", (bytes) => bytes.writeUInt32LE(7, 2 * PAGE + 8), 2, /says that it is page 7/],
    ["a page of another type", (bytes) => bytes.writeUInt8(5, PAGE + 25), 1, /of type 5, not of a hash bucket/],
    ["a list of free pages that leads to one in use", (bytes) => bytes.writeUInt32LE(2, 28), 2, /free, and in use/],
    ["a list of free pages that leads nowhere", (bytes) => bytes.writeUInt32LE(9, 28), 9, /free, and beyond the end of the file/],
    // With the masks of one.
    ["fewer buckets than there are", (bytes) => bytes.fill(0, 72, 84), 2, /holds items, and nothing leads to it/],
    // The last bit of the hash is that of the last byte.
    [
      "one bit of a key",
      (bytes) => bytes.writeUInt8((bytes[2 * PAGE - 1] as number) ^ 1, 2 * PAGE - 1),
      1,
      /belongs to bucket 1 is in bucket 0/,
    ],
  ];
  for (const [what, damage, page, message] of faults) {
    test(what, async (t) => {
      const bench = new Workbench(t);
      const bytes = readFileSync(databaseFixture("v9-db5.3.28-le-map").path);
      damage(bytes);
      bench.write("map.db", bytes);
      const { exit, stdout } = await bench.tsmap(["verify", "--json", "map.db"]);
      const { isSound, problems } = JSON.parse(stdout) as Verification;
      assert.deepEqual([exit, isSound], [1, false]);
      assert.ok(
        problems.some((problem) => problem.by === "walk" && problem.page === page && message.test(problem.message)),
        JSON.stringify(problems),
      );
      assert.match((await bench.tsmap(["verify", "map.db"])).stdout, /^map.db: damaged; \d+ records could be read$/m);
    });
  }

  test("more damage than is listed: how much, and on which pages", async (t) => {
    const bench = new Workbench(t);
    await bench.makemap("map", Array.from({ length: 9000 }, (_, i) => `key${i} some value ${i}\n`).join(""), ["--page-size", "512"]);
    const bytes = readFileSync(bench.path("map.db"));
    for (let page = 1; page < bytes.length / 512; page++) bytes.writeUInt8(9, page * 512 + 25);
    bench.write("map.db", bytes);
    const { exit, stdout } = await bench.tsmap(["verify", "map.db"]);
    assert.equal(exit, 1);
    assert.match(stdout, /^map.db: \d+ problems more, on pages [\d, -]+\d$/m);
    const { problems, more } = JSON.parse((await bench.tsmap(["verify", "--json", "map.db"])).stdout) as Verification & {
      more: { count: number };
    };
    assert.ok(problems.length >= 100 && more.count > 100);
    assert.match((await bench.tsmap(["inspect", "map.db"])).stdout, /damaged: in \d+ more places/);
  });

  test("a file that is not there is trouble, and no damage", async () => {
    assert.deepEqual(await tsmap(["verify", "/missing/map.db"]), {
      exit: 2,
      signal: null,
      stdout: "",
      stderr: "tsmap: /missing/map.db: No such file or directory\n",
    });
  });
});

function swapPages(bytes: Buffer, a: number, b: number): void {
  const size = 4096;
  const first = Buffer.from(bytes.subarray(a * size, (a + 1) * size));
  bytes.copyWithin(a * size, b * size, (b + 1) * size);
  first.copy(bytes, b * size);
  // Each still says which page it is.
  bytes.writeUInt32LE(a, a * size + 8);
  bytes.writeUInt32LE(b, b * size + 8);
}
