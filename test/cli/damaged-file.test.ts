/**
 * A file that is damaged is not changed: libdb, which believes what it reads,
 * would write over other records, and over its own memory.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Database, MemoryFileSystem } from "berkeley-db-js";
import { checkDatabase } from "#src/hash-file/check.js";
import { nativePath, needs } from "../support/native.ts";
import { launcherOf, type Outcome, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });

const PAGE = 512;
/** Of a page header: dbinc/db_page.h. */
const NEXT = 16;
const ENTRIES = 20;
const TYPE = 25;
const OVERFLOW = 7;
/** Of the first page: the free list. */
const FREE = 28;

const at = (page: number, field: number): number => page * PAGE + field;

/** Users of a realm, on some pages. */
function users(): Buffer {
  const database = Database.open(new Uint8Array(), { type: "hash", create: true, byteOrder: "little", pageSize: PAGE });
  for (let i = 0; i < 60; i++) database.put(Buffer.from(`user${i}\0example.com\0userPassword`), Buffer.from(`password ${i}`));
  const bytes = Buffer.from(database.toBytes());
  database.close();
  return bytes;
}

/** What is damaged, and what is said of it. */
const DAMAGE: Record<string, { readonly damage: (bytes: Buffer) => void; readonly said: RegExp }> = {
  "a bucket that goes on in another bucket": {
    damage: (bytes) => bytes.writeUInt32LE(2, at(1, NEXT)),
    said: /damaged: page 2: says that it follows another page/,
  },
  "a bucket that goes on in itself": {
    damage: (bytes) => bytes.writeUInt32LE(1, at(1, NEXT)),
    said: /damaged: page 1: reached twice, from page 1 now/,
  },
  "a bucket of an odd number of items": {
    damage: (bytes) => bytes.writeUInt16LE(bytes.readUInt16LE(at(1, ENTRIES)) - 1, at(1, ENTRIES)),
    said: /damaged: page 1: \d+ items/,
  },
  "a bucket on a page of another kind": {
    damage: (bytes) => bytes.writeUInt8(OVERFLOW, at(1, TYPE)),
    said: /damaged: page 1: of type 7, not of a hash bucket/,
  },
  "a free page that is in use": {
    damage: (bytes) => bytes.writeUInt32LE(1, at(0, FREE)),
    said: /damaged: page 1: free, and in use/,
  },
};

interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly exit: number;
  /** What it says last, in the words of the original. */
  readonly last: string;
}

const PROGRAMS: readonly Program[] = [
  {
    name: "tsmakemap -o",
    file: "m.db",
    args: ["tsmakemap", "-C", "/dev/null", "-o", "hash", "m"],
    input: "key value\n",
    exit: 73,
    last: "",
  },
  {
    name: "tssaslpasswd",
    file: "sasldb",
    args: ["tssaslpasswd", "-p", "-f", "sasldb", "-u", "example.com", "--mechanisms", "none", "user0"],
    input: "another password",
    exit: 1,
    last: "tssaslpasswd: generic failure\n",
  },
];

function runIn(folder: string, { args: [name = "", ...args], input }: Program): Promise<Outcome> {
  return run(process.execPath, [launcherOf(name), ...args], { cwd: folder, env: { SASL_CONF_PATH: folder }, input });
}

async function change(program: Program, bytes: Uint8Array): Promise<{ outcome: Outcome; after: Buffer }> {
  const { file } = program;
  const folder = mkdtempSync(join(top, "run-"));
  writeFileSync(join(folder, file), bytes);
  const outcome = await runIn(folder, program);
  assert.deepEqual(readdirSync(folder), [file]);
  return { outcome, after: readFileSync(join(folder, file)) };
}

for (const program of PROGRAMS) {
  suite(program.name, () => {
    for (const [name, { damage, said }] of Object.entries(DAMAGE)) {
      test(`${name}: is told, and the file stays as it is`, async () => {
        const bytes = users();
        damage(bytes);
        const { outcome, after } = await change(program, bytes);
        assert.match(outcome.stderr, said);
        const advice = ': it is left as it is; put back a sound copy, or make it anew ("tsmap verify" lists what is damaged)\n';
        assert.ok(outcome.stderr.endsWith(`${advice}${program.last}`), outcome.stderr);
        assert.equal(outcome.exit, program.exit);
        assert.ok(after.equals(bytes));
      });
    }

    test("a file far longer than it says is not copied to find that out", async () => {
      const folder = mkdtempSync(join(top, "run-"));
      const path = join(folder, program.file);
      writeFileSync(path, users());
      // More than the disc could take.
      truncateSync(path, 2 ** 40);
      const outcome = await runIn(folder, program);
      assert.match(outcome.stderr, /larger than any file that is read here/);
      assert.equal(outcome.exit, program.exit);
      assert.equal(statSync(path).size, 2 ** 40);
      assert.deepEqual(readdirSync(folder), [program.file]);
    });

    test("a file with checksums, in which old values would stay, is not changed", async (t) => {
      if (!needs(t, "db5.3_load")) return;
      const folder = mkdtempSync(join(top, "run-"));
      const path = join(folder, program.file);
      const input = "VERSION=3\nformat=print\ntype=hash\nchksum=1\nHEADER=END\n a\n b\nDATA=END\n";
      assert.equal(spawnSync(nativePath("db5.3_load"), [path], { input }).status, 0);
      const before = readFileSync(path);
      const outcome = await runIn(folder, program);
      assert.ok(outcome.stderr.includes('a file with checksums, in which old values would stay: "tsmap convert" makes one without\n'));
      assert.equal(outcome.exit, program.exit);
      assert.ok(readFileSync(path).equals(before));
    });

    test("records that no lookup finds do no harm: the file is changed", async () => {
      const bytes = users();
      // Pages 1 and 2 are buckets of one page: what stands on them changes places.
      const [first, second] = [1, 2].map((page) => Buffer.from(bytes.subarray(at(page, ENTRIES), at(page + 1, 0)))) as [Buffer, Buffer];
      assert.deepEqual([bytes.readUInt32LE(at(1, NEXT)), bytes.readUInt32LE(at(2, NEXT))], [0, 0]);
      second.copy(bytes, at(1, ENTRIES));
      first.copy(bytes, at(2, ENTRIES));
      const problems: string[] = [];
      const files = new MemoryFileSystem();
      files.writeFile("db", bytes);
      checkDatabase(files.open("db", { write: false }, 0), ({ message }) => problems.push(message));
      assert.match(problems.join("\n"), /belongs to bucket/);
      const { outcome, after } = await change(program, bytes);
      assert.deepEqual([outcome.exit, outcome.stderr], [0, ""]);
      assert.ok(!after.equals(bytes));
    });
  });
}
