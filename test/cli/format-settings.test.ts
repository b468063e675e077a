/**
 * What the file is to be like: from the command line, over the environment,
 * over the target.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { readFileHeader } from "berkeley-db-js";
import { type FormatFlags, readFormatSettings, SettingError } from "#src/cli/format-settings.js";
import { tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const NATIVE = { byteOrder: endianness() === "BE" ? "big" : "little", hashVersion: 9, pageSize: 4096 };
const AIX = { byteOrder: "big", hashVersion: 8, pageSize: 4096 };

const good: readonly [flags: FormatFlags, environment: NodeJS.ProcessEnv, format: object, fileId?: unknown][] = [
  [{}, {}, NATIVE, "content"],
  [{}, { PATH: "/bin", TSMAKEMAP: "x" }, NATIVE, "content"],
  [{ target: "native" }, {}, NATIVE],
  [{ target: "aix" }, {}, AIX],
  [{}, { TSMAKEMAP_TARGET: "aix" }, AIX],
  [{ target: "native" }, { TSMAKEMAP_TARGET: "aix" }, NATIVE],
  [{ byteOrder: "big" }, {}, { ...NATIVE, byteOrder: "big" }],
  [{ byteOrder: "little" }, { TSMAKEMAP_TARGET: "aix" }, { ...AIX, byteOrder: "little" }],
  [
    {},
    { TSMAKEMAP_TARGET: "aix", TSMAKEMAP_BYTE_ORDER: "little", TSMAKEMAP_PAGE_SIZE: "512" },
    { byteOrder: "little", hashVersion: 8, pageSize: 512 },
  ],
  [{ byteOrder: "big" }, { TSMAKEMAP_BYTE_ORDER: "little" }, { ...NATIVE, byteOrder: "big" }],
  [{ hashVersion: "7" }, { TSMAKEMAP_HASH_VERSION: "8" }, { ...NATIVE, hashVersion: 7 }],
  [{}, { TSMAKEMAP_HASH_VERSION: "8" }, { ...NATIVE, hashVersion: 8 }],
  [{ target: "aix", hashVersion: "9" }, {}, { ...AIX, hashVersion: 9 }],
  [{ pageSize: "65536" }, { TSMAKEMAP_PAGE_SIZE: "512" }, { ...NATIVE, pageSize: 65536 }],
  [{ fileId: "random" }, { TSMAKEMAP_FILE_ID: "content" }, NATIVE, "random"],
  [{}, { TSMAKEMAP_FILE_ID: "aB".repeat(20) }, NATIVE, new Uint8Array(20).fill(0xab)],
  // The environment may be another program's too.
  [{}, { TSMAKEMAP_SOMETHING: "x", TSMAKEMAP_TARGET_DIR: "y" }, NATIVE, "content"],
];

suite("layers", () => {
  for (const [flags, environment, format, fileId] of good) {
    test(JSON.stringify([flags, environment]), async () => {
      const settings = await readFormatSettings(flags, environment);
      assert.deepEqual(settings.format, format);
      if (fileId !== undefined) assert.deepEqual(settings.fileId, fileId);
    });
  }
});

const bad: readonly [name: string, values: readonly string[]][] = [
  ["target", ["", "AIX", "solaris", " aix"]],
  ["byte-order", ["", "BIG", "middle", "4321"]],
  ["hash-version", ["", "6", "10", "9.0", "eight", "08"]],
  ["page-size", ["", "0", "256", "1000", "131072", "4096.0", "-4096", "4k", "0x1000", "1e3", " 512"]],
  ["file-id", ["", "Random", "00", "g".repeat(40), "0".repeat(39), "0".repeat(41), "0".repeat(42)]],
];

suite("what cannot be", () => {
  for (const [name, values] of bad) {
    const variable = `TSMAKEMAP_${name.replace("-", "_").toUpperCase()}`;
    const flag = name.replace(/-(.)/, (_, letter: string) => letter.toUpperCase());
    for (const value of values) {
      test(`${name} "${value}"`, async () => {
        const said = (origin: string) => (error: unknown) => {
          assert.ok(error instanceof SettingError);
          assert.ok(error.message.startsWith(`${origin}: "${value}" is not `), error.message);
          return true;
        };
        await assert.rejects(readFormatSettings({ [flag]: value }, {}), said(`--${name}`));
        await assert.rejects(readFormatSettings({}, { [variable]: value }), said(variable));
      });
    }
  }
});

suite("the program", () => {
  const folder = temporaryFolder({ after });
  const make = async (args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ exit: number | null; stderr: string }> =>
    tsmakemap([...args, "m"], { cwd: folder, env, input: "a b\n" });
  const header = (): object => ({ ...readFileHeader(new Uint8Array(readFileSync(join(folder, "m.db")))) });

  test("makes what the options say, over the environment", async () => {
    const args = ["--byte-order=little", "--page-size", "1024", "--file-id", "0123456789".repeat(4), "hash"];
    assert.deepEqual(await make(args, { TSMAKEMAP_TARGET: "aix", TSMAKEMAP_PAGE_SIZE: "512" }), {
      exit: 0,
      signal: null,
      stdout: "",
      stderr: "",
    });
    assert.deepEqual(header(), { ...header(), byteOrder: "little", version: 8, pageSize: 1024 });
    const fileId = readFileSync(join(folder, "m.db")).subarray(52, 72).toString("hex");
    assert.equal(fileId, "0123456789".repeat(4));
  });

  test("makes what the environment says", async () => {
    assert.equal((await make(["hash"], { TSMAKEMAP_TARGET: "aix" })).exit, 0);
    assert.deepEqual(header(), { ...header(), byteOrder: "big", version: 8, pageSize: 4096 });
  });

  test("for AIX a btree file is big-endian; it has no hash version", async () => {
    assert.equal((await make(["--target", "aix", "btree"])).exit, 0);
    assert.deepEqual(header(), { ...header(), type: "btree", byteOrder: "big", version: 9 });
    const { exit, stderr } = await make(["--hash-version", "8", "btree"]);
    assert.deepEqual([exit, stderr], [64, "tsmakemap: --hash-version: a btree file has none\n"]);
  });

  test("a value that cannot be is told with its option or its variable, and leaves the map", async () => {
    const before = readFileSync(join(folder, "m.db"));
    for (const [args, env, message] of [
      [["--page-size=1000", "hash"], {}, '--page-size: "1000" is not a power of two from 512 to 65536'],
      [["hash"], { TSMAKEMAP_HASH_VERSION: "6" }, 'TSMAKEMAP_HASH_VERSION: "6" is not 7, 8 or 9'],
      [["--target=x", "hash"], { TSMAKEMAP_TARGET: "aix" }, '--target: "x" is not native or aix'],
      // Even where nothing is made.
      [["-u", "hash"], { TSMAKEMAP_TARGET: "x" }, 'TSMAKEMAP_TARGET: "x" is not native or aix'],
    ] as const) {
      const { exit, stderr } = await make([...args], env);
      assert.deepEqual([exit, stderr], [64, `tsmakemap: ${message}\n`]);
    }
    assert.deepEqual(readFileSync(join(folder, "m.db")), before);
  });

  test("a map that is added to stays what it is", async () => {
    for (const [args, version, byteOrder] of [
      [["--target=aix", "hash"], 8, "big"],
      [["--hash-version=8", "--byte-order=little", "hash"], 8, "little"],
      [["--byte-order=big", "hash"], 9, "big"],
    ] as const) {
      assert.equal((await make([...args])).exit, 0);
      const { exit, stderr } = await tsmakemap(["-o", "hash", "m"], { cwd: folder, input: "c d\n" });
      assert.deepEqual([exit, stderr], [0, ""]);
      assert.deepEqual(header(), { ...header(), version, byteOrder });
      assert.equal((await tsmakemap(["-u", "hash", "m"], { cwd: folder })).stdout.split("\n").sort().join(" "), " a\tb c\td");
    }
  });
});
