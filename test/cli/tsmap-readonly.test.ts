/**
 * Every file of fixtures/db: what tsmap says of it is so, and the file is as it
 * was, for root and for another user, where nothing may be written.
 */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Output } from "#src/cli/output.js";
import * as dump from "#src/cli/tsmap/dump.js";
import * as list from "#src/cli/tsmap/list.js";
import { compare, sha256, textOf } from "../support/bytes.ts";
import { type DatabaseFixture, databaseFixtures } from "../support/fixtures.ts";
import { isRoot, NOBODY, type RunOptions, whyNoOrdinaryUser } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { tsmap } from "../support/tsmap.ts";

type TextRecord = readonly [key: string, data: string];

const fixtures = databaseFixtures();

/** Copies that nobody may write to, in a folder that nobody may write to. */
const folder = ((): string => {
  let path = "";
  const base = temporaryFolder({
    after: (remove) =>
      after(() => {
        chmodSync(path, 0o755);
        remove();
      }),
  });
  chmodSync(base, 0o755);
  path = join(base, "maps");
  mkdirSync(path);
  for (const fixture of fixtures) {
    const copy = join(path, `${fixture.name}.db`);
    copyFileSync(fixture.path, copy);
    chmodSync(copy, 0o444);
    utimesSync(copy, 1_000_000_000, 1_000_000_000);
  }
  chmodSync(path, 0o555);
  return path;
})();
const copyOf = ({ name }: DatabaseFixture): string => join(folder, `${name}.db`);

function assertUntouched({ name, sha256: sum }: DatabaseFixture): void {
  const path = join(folder, `${name}.db`);
  assert.equal(sha256(readFileSync(path)), sum);
  const { mode, mtimeMs } = statSync(path);
  assert.deepEqual({ mode: mode & 0o7777, mtimeMs }, { mode: 0o444, mtimeMs: 1_000_000_000_000 });
  assert.equal(readdirSync(folder).length, fixtures.length);
}

/** By key; the records of one key stay in their order. */
function byKey(records: readonly TextRecord[]): TextRecord[] {
  return [...records].sort(([a], [b]) => compare(a, b));
}

function assertRecords(found: readonly TextRecord[], { records }: DatabaseFixture): void {
  assert.deepEqual(byKey(found), byKey(records.map(([key, data]) => [textOf(key), textOf(data)] as const)));
}

interface JsonRecord {
  readonly key?: string;
  readonly keyBase64?: string;
  readonly data?: string;
  readonly dataBase64?: string;
}

function listedRecords(json: string): TextRecord[] {
  const bytes = (text: string | undefined, base64: string | undefined): string =>
    (text === undefined ? Buffer.from(base64 ?? "", "base64") : Buffer.from(text)).toString("latin1");
  return json
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JsonRecord)
    .map(({ key, keyBase64, data, dataBase64 }) => [bytes(key, keyBase64), bytes(data, dataBase64)] as const);
}

/** The records of a dump in db_dump's format, and what its header says. */
function dumped(text: string): { readonly header: Readonly<Record<string, string>>; readonly records: TextRecord[] } {
  const lines = text.split("\n");
  const start = lines.indexOf("HEADER=END");
  const end = lines.indexOf("DATA=END");
  assert.ok(start > 0 && end > start && lines[end + 1] === "" && lines.length === end + 2);
  const items = lines.slice(start + 1, end).map((line) => {
    assert.match(line, /^ ([0-9a-f]{2})*$/);
    return Buffer.from(line.slice(1), "hex").toString("latin1");
  });
  const records: TextRecord[] = [];
  for (let i = 0; i < items.length; i += 2) records.push([items[i] as string, items[i + 1] as string]);
  return { header: Object.fromEntries(lines.slice(0, start).map((line) => line.split("=", 2) as [string, string])), records };
}

function assertDump(text: string, fixture: DatabaseFixture): void {
  const { header, records } = dumped(text);
  assertRecords(records, fixture);
  assert.equal(header["format"], "bytevalue");
  assert.equal(header["type"], fixture.type);
  if (header["db_pagesize"] !== undefined) assert.equal(Number(header["db_pagesize"]), fixture.pageSize);
}

/** Keeps what is written. */
class Kept extends Output {
  readonly #chunks: Buffer[] = [];

  override write(bytes: Uint8Array | string): void {
    this.#chunks.push(Buffer.from(bytes as Uint8Array));
  }

  override push(): void {}

  override flushNow(): void {}

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

/** What a command writes to standard output. */
async function runHere(command: typeof dump | typeof list, file: string, options: object): Promise<string> {
  const output = new Kept();
  const context = { program: "tsmap", output, environment: {}, commands: undefined as never };
  assert.equal(await command.run(context, [file], { format: "dump", showSecrets: true, ...options } as never), 0);
  return output.text;
}

describe("list and dump of every file", () => {
  for (const fixture of fixtures) {
    it(`${fixture.name}: its records, and the file is as it was`, async () => {
      assertRecords(listedRecords(await runHere(list, copyOf(fixture), { json: true })), fixture);
      assertRecords(listedRecords(await runHere(list, copyOf(fixture), { json: true, sort: true })), fixture);
      assertDump(await runHere(dump, copyOf(fixture), {}), fixture);
      const lines = (await runHere(dump, copyOf(fixture), { format: "json" })).split(/(?<=\n)/);
      assertRecords(listedRecords(lines.slice(1, -1).join("")), fixture);
      assertUntouched(fixture);
    });
  }
});

interface Inspected {
  readonly file: string;
  readonly format: { readonly type: string; readonly version: number; readonly byteOrder: string; readonly pageSize: number };
  readonly content: { readonly records: number };
  readonly damage: readonly string[];
  readonly mode: string;
}

/** One file of each version, byte order and type, whose records fit a pipe. */
const chosen = [...new Map(fixtures.map((fixture) => [`${fixture.type} ${fixture.version} ${fixture.byteOrder}`, fixture])).values()];

function describeUser(title: string, options: RunOptions, why: () => Promise<string | undefined>): void {
  describe(title, () => {
    const inFolder = { cwd: folder, umask: 0o022, ...options };
    const files = fixtures.map(({ name }) => `${name}.db`);

    it("inspect --json says version, byte order, page size and how many records", async (t) => {
      const reason = await why();
      if (reason !== undefined) return t.skip(reason);
      const { exit, stdout, stderr } = await tsmap(["inspect", "--json", ...files], inFolder);
      assert.deepEqual([exit, stderr], [0, ""]);
      const found = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Inspected);
      assert.equal(found.length, fixtures.length);
      for (const [i, fixture] of fixtures.entries()) {
        const { name, type, version, byteOrder, pageSize, records } = fixture;
        const { file, format, content, damage, mode } = found[i] as Inspected;
        assert.deepEqual(
          { file, type: format.type, version: format.version, byteOrder: format.byteOrder, pageSize: format.pageSize },
          { file: `${name}.db`, type, version, byteOrder, pageSize },
        );
        assert.deepEqual({ records: content.records, damage, mode }, { records: records.length, damage: [], mode: "0444" }, name);
        assertUntouched(fixture);
      }
    });

    it("verify finds every one of them sound", async (t) => {
      const reason = await why();
      if (reason !== undefined) return t.skip(reason);
      const { exit, stdout, stderr } = await tsmap(["verify", ...files], inFolder);
      assert.deepEqual([exit, stderr], [0, ""], stdout);
      for (const fixture of fixtures) assertUntouched(fixture);
    });

    for (const fixture of chosen) {
      it(`${fixture.name}: list and dump print its records`, async (t) => {
        const reason = await why();
        if (reason !== undefined) return t.skip(reason);
        const [listed, dump] = await Promise.all([
          tsmap(["list", "--json", "--show-secrets", `${fixture.name}.db`], inFolder),
          tsmap(["dump", "--show-secrets", `${fixture.name}.db`], inFolder),
        ]);
        assert.deepEqual([listed.exit, listed.stderr, dump.exit, dump.stderr], [0, "", 0, ""]);
        assertRecords(listedRecords(Buffer.from(listed.stdout, "latin1").toString()), fixture);
        assertDump(dump.stdout, fixture);
        assertUntouched(fixture);
      });
    }

    it("nothing else is made there: what would write beside a file is refused", async (t) => {
      const reason = await why();
      if (reason !== undefined) return t.skip(reason);
      // Root may write where nobody may.
      if (isRoot && options.uid === undefined) return;
      const elsewhere = temporaryFolder(t);
      chmodSync(elsewhere, 0o777);
      const name = "v9-db5.3.28-le-residue.db";
      for (const args of [
        ["scrub", name],
        ["convert", name, "-o", name],
        ["convert", name, "-o", "new.db"],
      ]) {
        const { exit, stderr } = await tsmap(args, { ...inFolder, env: { TMPDIR: elsewhere } });
        assert.equal(exit, 2, args.join(" "));
        assert.deepEqual(readdirSync(elsewhere), []);
        assert.match(stderr, /^tsmap: [^\n]+: Permission denied\n$/);
      }
      for (const fixture of fixtures) assertUntouched(fixture);
    });
  });
}

describeUser(isRoot ? "as root" : "as who runs the tests", {}, () => Promise.resolve(undefined));
if (isRoot) describeUser("as another user", { uid: NOBODY }, whyNoOrdinaryUser);
