/**
 * Files for other hosts: byte order, page size, and the versions 7 and 8 of the
 * hash format.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Database, readFileHeader } from "berkeley-db-js";
import { HASH_VERSIONS, type HashVersion, targetFormat } from "#src/hash-file/file-format.js";
import { MapBuilder } from "#src/makemap/map-builder.js";
import { bytesOf, pairsOf, sortedPairs } from "../support/bytes.ts";
import { type NativeTool, needs, runNative } from "../support/native.ts";
import { assertVerified, dump } from "../support/native-db.ts";
import { maskDatabase } from "../support/page-mask.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });

const SOURCES: Record<string, string> = {
  none: "",
  one: 'AuthInfo:smtp.example.com "U:root" "I:user" "P:secret"\n',
  "a thousand": Array.from({ length: 1000 }, (_, i) => `AuthInfo:host${i}.example.com "U:user${i}" "P:secret${i}"\n`).join(""),
  "with overflow pages": Array.from(
    { length: 200 },
    (_, i) => `key${i} ${String.fromCharCode(97 + (i % 26)).repeat(500 + (i % 500))}\n`,
  ).join(""),
  // Values that have, wherever a page's type could be looked for, what a bucket page has there.
  "with thirteens": Array.from({ length: 300 }, (_, i) => `k${i} v${"\x0d".repeat(1000)}\n`).join(""),
};

const LARGE = Array.from({ length: 5000 }, (_, i) => `Key${i}@example.com value ${i} ${"v".repeat((i * 7) % 500)}\n`).join("");

interface Wanted {
  readonly type?: "hash" | "btree";
  readonly byteOrder?: "big" | "little";
  readonly hashVersion?: HashVersion;
  readonly pageSize?: number;
}

function make(source: string, { type = "hash", ...format }: Wanted): Uint8Array {
  const file = join(folder, "m.db");
  const builder = new MapBuilder(file, {
    type,
    duplicates: "keep",
    format: { byteOrder: "little", hashVersion: 9, pageSize: 4096, ...format },
    sourceSize: source.length,
    onDiagnostic: ({ problem }) => assert.fail(problem),
  });
  builder.write(bytesOf(source));
  builder.commit();
  return new Uint8Array(readFileSync(file));
}

function records(bytes: Uint8Array): [string, string][] {
  using database = Database.open(bytes, { readOnly: true });
  return pairsOf(database);
}

function verify(bytes: Uint8Array, tool: NativeTool = "db5.3_verify"): void {
  const file = join(folder, "verify.db");
  writeFileSync(file, bytes);
  const { status, stderr } = runNative(tool, ["-q", file]);
  assert.equal(status, 0, String(stderr));
}

const KEYDATA_THIRTEEN = 13;
const UNSORTED = 2;

for (const byteOrder of ["little", "big"] as const) {
  suite(`${byteOrder}-endian`, () => {
    for (const [name, source] of Object.entries(SOURCES)) {
      test(`${name}: versions 7 and 8 differ from 9 in the version number and the type of bucket pages alone`, () => {
        const nine = make(source, { byteOrder });
        const view = new DataView(nine.buffer);
        const little = byteOrder === "little";
        for (const hashVersion of HASH_VERSIONS) {
          const expected = nine.slice();
          new DataView(expected.buffer).setUint32(16, hashVersion, little);
          let buckets = 0;
          for (let page = 4096; page < expected.length; page += 4096) {
            if (hashVersion === 9 || expected[page + 25] !== KEYDATA_THIRTEEN) continue;
            expected[page + 25] = UNSORTED;
            buckets += 1;
          }
          if (hashVersion !== 9 && source !== "") assert.ok(buckets > 0);
          const made = make(source, { byteOrder, hashVersion });
          assert.ok(Buffer.from(made).equals(Buffer.from(expected)), `version ${hashVersion}`);
          assert.deepEqual(readFileHeader(made)?.version, hashVersion);
        }
        assert.equal(view.getUint32(12, little), 0x061561);
      });

      test(`${name}: the records are those of the native build's, in its order`, () => {
        const expected = records(make(source, {}));
        for (const hashVersion of [8, 9] as const) assert.deepEqual(records(make(source, { byteOrder, hashVersion })), expected);
        const tree = records(make(source, { type: "btree", byteOrder }));
        assert.deepEqual(tree, records(make(source, { type: "btree" })));
      });

      test(`${name}: db5.3_verify finds no fault`, (t) => {
        if (!needs(t, "db5.3_verify")) return;
        for (const hashVersion of [8, 9] as const) verify(make(source, { byteOrder, hashVersion }));
        verify(make(source, { type: "btree", byteOrder }));
        for (const pageSize of [512, 1024, 8192, 65536]) verify(make(source, { byteOrder, pageSize }));
      });
    }

    // More than is read and written at once, which page sizes divide in their own ways.
    test("every page size, more than a stretch: version 8 differs from 9 in the version number and the type of bucket pages alone", () => {
      const little = byteOrder === "little";
      for (const source of [SOURCES["one"] ?? "", LARGE]) {
        for (let pageSize = 512; pageSize <= 65536; pageSize *= 2) {
          const expected = make(source, { byteOrder, pageSize });
          if (source === LARGE) assert.ok(expected.length > 1 << 20);
          new DataView(expected.buffer).setUint32(16, 8, little);
          for (let page = pageSize; page < expected.length; page += pageSize) {
            if (expected[page + 25] === KEYDATA_THIRTEEN) expected[page + 25] = UNSORTED;
          }
          const made = make(source, { byteOrder, pageSize, hashVersion: 8 });
          assert.ok(Buffer.from(made).equals(Buffer.from(expected)), `pages of ${pageSize} bytes`);
        }
      }
    });

    test("an addition to a version 8 map leaves no page of version 9, and db5.3_dump lists all", (t) => {
      if (!needs(t, "db5.3_dump", "db5.3_verify")) return;
      const first = SOURCES["a thousand"] ?? "";
      const second = Array.from({ length: 2000 }, (_, i) => `added${i} value ${"a".repeat(i % 300)}\n`).join("");
      const expected = [...records(make(first, {})), ...records(make(second, {}))];
      const file = join(folder, "added-to.db");
      writeFileSync(file, make(first, { byteOrder, hashVersion: 8 }));
      const builder = new MapBuilder(file, { type: "hash", append: true, onDiagnostic: ({ problem }) => assert.fail(problem) });
      builder.write(bytesOf(second));
      builder.commit();
      const bytes = new Uint8Array(readFileSync(file));
      for (let page = 4096; page < bytes.length; page += 4096) assert.notEqual(bytes[page + 25], KEYDATA_THIRTEEN, `page at ${page}`);
      const header = readFileHeader(bytes);
      assert.deepEqual({ ...header }, { ...header, version: 8, byteOrder });
      assertVerified([file]);
      assert.deepEqual(sortedPairs(dump(file)), sortedPairs(expected));
    });

    test("every page size", () => {
      const source = SOURCES["with overflow pages"] ?? "";
      const expected = records(make(source, {})).sort();
      for (let pageSize = 512; pageSize <= 65536; pageSize *= 2) {
        const bytes = make(source, { byteOrder, pageSize });
        assert.deepEqual({ ...readFileHeader(bytes) }, { ...readFileHeader(bytes), pageSize, byteOrder, version: 9, type: "hash" });
        assert.deepEqual(records(bytes).sort(), expected);
        assert.deepEqual(Database.verify(bytes), []);
        bytes.fill(0, 52, 72);
        assert.ok(Buffer.from(bytes).equals(maskDatabase(bytes)), `unused space of pages of ${pageSize} bytes`);
      }
    });
  });
}

test("aix is big-endian, version 8, in pages of 4096 bytes", () => {
  assert.deepEqual(targetFormat("aix"), { byteOrder: "big", hashVersion: 8, pageSize: 4096 });
  const bytes = make(SOURCES["one"] ?? "", targetFormat("aix"));
  assert.equal(bytes.length, 12288);
  // As the meta page has it: magic, version, page size.
  assert.equal(Buffer.from(bytes.subarray(12, 24)).toString("hex"), "000615610000000800001000");
});

test("db5.3_dump lists the same of the file for AIX and of makemap's", (t) => {
  if (!needs(t, "makemap", "db5.3_dump", "db5.3_verify")) return;
  const file = join(folder, "theirs.db");
  const input = Buffer.from(LARGE, "latin1");
  assert.equal(runNative("makemap", ["-C", "/dev/null", "hash", file], { input }).status, 0);
  const theirs = dump(file);
  writeFileSync(file, make(LARGE, targetFormat("aix")));
  assertVerified([file]);
  assert.deepEqual(sortedPairs(dump(file)), sortedPairs(theirs));
});

test("native is what makemap makes here", (t) => {
  if (!needs(t, "makemap")) return;
  const { status } = runNative("makemap", ["-C", "/dev/null", "hash", "native"], { cwd: folder, input: "a b\n" });
  assert.equal(status, 0);
  const header = readFileHeader(new Uint8Array(readFileSync(join(folder, "native.db"))));
  const { byteOrder, hashVersion: version, pageSize } = targetFormat("native");
  assert.deepEqual({ ...header }, { ...header, byteOrder, version, pageSize });
});
