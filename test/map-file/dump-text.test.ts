/**
 * Databases as text: byte for byte what db5.3_dump writes, of every file that
 * it can read; and of all others what their contents are known to be.
 */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Database, nodeFileSystem, type OpenOptions } from "berkeley-db-js";
import { DatabaseFile } from "#src/hash-file/database-file.js";
import { dumpHeaderOf, type TextFormat, TextWriter } from "#src/map-file/dump-text.js";
import { TextReader } from "#src/map-file/load-text.js";
import { pairsOf, sha256, sortedPairs } from "../support/bytes.ts";
import { type DatabaseFixture, databaseFixtures } from "../support/fixtures.ts";
import { needs, runNative } from "../support/native.ts";
import { temporaryFolder } from "../support/temp.ts";

const fixtures = databaseFixtures();
const folder = temporaryFolder({ after });

/** A text with its pieces put together. */
function textOfFile(path: string, format: TextFormat): Buffer {
  const file = nodeFileSystem.open(path, { write: false }, 0);
  try {
    const database = new DatabaseFile(file);
    const pieces: Buffer[] = [];
    const writer = new TextWriter(format, dumpHeaderOf(database.layout), (piece) => pieces.push(Buffer.from(piece)));
    database.visitRecords(writer.visit);
    writer.end();
    return Buffer.concat(pieces);
  } finally {
    file.close();
  }
}

/** The records of a text. */
function recordsOf(text: Uint8Array, format: "dump" | "json" | "csv"): [Uint8Array, Uint8Array][] {
  const records: [Uint8Array, Uint8Array][] = [];
  const reader = new TextReader(format, { onHeader: () => {}, onRecord: (key, data) => records.push([key.slice(), data.slice()]) });
  reader.write(text);
  reader.end();
  return records;
}

const LOAD_FORMAT = { bytevalue: "dump", print: "dump", json: "json", csv: "csv" } as const;

/** 5.3 empties a file of version 7, and refuses older ones and newer ones. */
const isNative = ({ type, version }: DatabaseFixture): boolean => type === "btree" || version === 8 || version === 9;

describe("a file of fixtures/db", () => {
  for (const fixture of fixtures) {
    it(`${fixture.name} has the records that it is known to have, in every format`, () => {
      for (const format of ["bytevalue", "print", "json", "csv"] as const) {
        const records = recordsOf(textOfFile(fixture.path, format), LOAD_FORMAT[format]);
        assert.deepEqual(sortedPairs(pairsOf(records)), sortedPairs(pairsOf(fixture.records)), format);
      }
      assert.equal(sha256(readFileSync(fixture.path)), fixture.sha256);
    });
  }

  for (const fixture of fixtures.filter(isNative)) {
    it(`${fixture.name} is dumped as by db5.3_dump`, (t) => {
      if (!needs(t, "db5.3_dump")) return;
      const copy = join(folder, "copy.db");
      copyFileSync(fixture.path, copy);
      assertDumpedTheSame(copy);
    });
  }

  it("of another version has a header that says what it is", () => {
    for (const fixture of fixtures) {
      const [version, format, type, ...rest] = textOfFile(fixture.path, "print").toString("latin1").split("\n");
      assert.deepEqual([version, format, type], ["VERSION=3", "format=print", `type=${fixture.type}`]);
      assert.ok(rest.indexOf(`db_pagesize=${fixture.pageSize}`) >= 0 === fixture.pageSize >= 512, fixture.name);
      assert.equal(rest.at(-2), "DATA=END");
    }
  });
});

function assertDumpedTheSame(path: string): void {
  for (const [format, options] of [
    ["bytevalue", []],
    ["print", ["-p"]],
  ] as const) {
    const { stdout, stderr, status } = runNative("db5.3_dump", [...options, path]);
    assert.equal(status, 0, stderr.toString());
    const ours = textOfFile(path, format);
    assert.ok(ours.equals(stdout), `${format}: ${ours.subarray(0, 200)}\n${stdout.subarray(0, 200)}`);
  }
}

/** Records of a kind: the same for the same number. */
function records(kind: string, count: number): [Uint8Array, Uint8Array][] {
  const encode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
  const bytes = (n: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + n * 13) & 255);
  return Array.from({ length: count }, (_, n) => {
    if (kind === "binary") return [bytes(n, (n % 40) + 1), bytes(n + 5, n % 300)];
    if (kind === "overflow") return [bytes(n, n % 3 === 0 ? 5000 : 4), bytes(n, 70_000 - n)];
    if (kind === "duplicates") return [encode(`key${n % 7}`), encode(`data ${(n * 37) % 1000}\\`)];
    return [encode(`user${n}@example.com`), encode(`RELAY ${n}\0`)];
  });
}

const KINDS: readonly (readonly [string, number, OpenOptions])[] = [
  ["text", 0, {}],
  ["text", 1, {}],
  ["text", 2, {}],
  ["text", 5000, { hashElements: 4096 }],
  ["text", 300, { fillFactor: 5, hashElements: 100 }],
  ["binary", 800, { pageSize: 512 }],
  ["overflow", 12, {}],
  ["duplicates", 900, { duplicates: "unsorted" }],
  ["duplicates", 900, { duplicates: "sorted" }],
  ["duplicates", 9, { duplicates: "sorted" }],
];

describe("a new database", () => {
  for (const type of ["hash", "btree"] as const) {
    for (const byteOrder of ["little", "big"] as const) {
      for (const [kind, count, options] of KINDS) {
        it(`${type}, ${byteOrder}-endian, ${count} records (${kind}) ${JSON.stringify(options)} is dumped as by db5.3_dump`, (t) => {
          if (!needs(t, "db5.3_dump")) return;
          const { hashElements, fillFactor, ...both } = options;
          const path = join(folder, `${type}-${byteOrder}-${kind}.db`);
          const settings = type === "hash" ? options : { ...both, minimumKeys: count === 5000 ? 4 : 2 };
          const database = Database.open(path, { ...settings, type, byteOrder, create: true, truncate: true });
          for (const [key, data] of records(kind, count)) put(database, key, data);
          database.close();
          assertDumpedTheSame(path);
        });
      }
    }
  }
});

/** A record that is there already, among sorted ones, is left alone. */
function put(database: Database, key: Uint8Array, data: Uint8Array): void {
  try {
    database.put(key, data, database.duplicates === false ? "replace" : "duplicate");
  } catch (error) {
    if ((error as { code?: string }).code !== "DB_KEYEXIST") throw error;
  }
}

it("a database with record numbers is dumped as by db5.3_dump", (t) => {
  if (!needs(t, "db5.3_dump", "db5.3_load")) return;
  const path = join(folder, "numbers.db");
  const input = "VERSION=3\nformat=print\ntype=btree\nrecnum=1\nbt_minkey=3\nHEADER=END\n a\n b\nDATA=END\n";
  assert.equal(runNative("db5.3_load", [path], { input }).status, 0);
  assertDumpedTheSame(path);
  assert.match(textOfFile(path, "print").toString(), /^recnum=1\nbt_minkey=3\n/m);
});

it("a database with checksums is dumped as by db5.3_dump", (t) => {
  if (!needs(t, "db5.3_dump", "db5.3_load")) return;
  for (const type of ["hash", "btree"]) {
    const path = join(folder, `checksums-${type}.db`);
    const input = `VERSION=3\nformat=print\ntype=${type}\nchksum=1\nduplicates=1\nHEADER=END\n a\n b\n a\n c\nDATA=END\n`;
    assert.equal(runNative("db5.3_load", [path], { input }).status, 0);
    assertDumpedTheSame(path);
    assert.match(textOfFile(path, "print").toString(), /^chksum=1\nduplicates=1\n/m);
  }
});

it("a page size that no library after 1.85 makes is left out of the header", () => {
  const fixture = fixtures.find(({ version }) => version === 2) as DatabaseFixture;
  const file = nodeFileSystem.open(fixture.path, { write: false }, 0);
  const { layout } = new DatabaseFile(file);
  file.close();
  assert.equal(dumpHeaderOf(layout).pageSize, fixture.pageSize);
  assert.equal(dumpHeaderOf({ ...layout, pageSize: 256 } as typeof layout).pageSize, undefined);
});

describe("CSV and JSON", () => {
  const write = (format: TextFormat, pairs: readonly (readonly [string, string])[]): string => {
    let text = "";
    const writer = new TextWriter(format, { type: "hash", duplicates: false }, (piece) => {
      text += Buffer.from(piece).toString("latin1");
    });
    for (const [key, data] of pairs) writer.add(Buffer.from(key, "latin1"), Buffer.from(data, "latin1"));
    writer.end();
    return text;
  };

  it("have text that is UTF-8 as text, and all else in base64", () => {
    const pairs = [
      ["a", "plain"],
      ['q"', "b,c"],
      ["m\xc3\xbcller", "tab\there"],
      ["nul\0", "x"],
      ["delete\x7f", "x"],
      ["latin1 \xfc", "\n"],
      ["", ""],
    ] as const;
    assert.equal(
      write("json", pairs),
      `{"format":"tsmap-records","version":1,"type":"hash","duplicates":false}
{"key":"a","data":"plain"}
{"key":"q\\"","data":"b,c"}
{"key":"m\xc3\xbcller","data":"tab\\there"}
{"key":"nul\\u0000","data":"x"}
{"key":"delete\\u007f","data":"x"}
{"keyBase64":"bGF0aW4xIPw=","data":"\\n"}
{"key":"","data":""}
{"end":true,"records":7}
`,
    );
    assert.equal(
      write("csv", pairs),
      [
        "encoding,key,data",
        "text,a,plain",
        'text,"q""","b,c"',
        "text,m\xc3\xbcller,tab\there",
        "base64,bnVsAA==,eA==",
        "base64,ZGVsZXRlfw==,eA==",
        "base64,bGF0aW4xIPw=,Cg==",
        "text,,",
        "end,7,",
        "",
      ].join("\r\n"),
    );
  });
});

it("items longer than any buffer are written whole", () => {
  const key = Uint8Array.from({ length: 700_001 }, (_, i) => (i * 31) & 255);
  const path = join(folder, "text");
  for (const format of ["bytevalue", "print", "json", "csv"] as const) {
    for (const data of [key.map((byte) => (byte & 63) + 32), key]) {
      const pieces: Buffer[] = [];
      const writer = new TextWriter(format, { type: "hash", duplicates: false }, (piece) => pieces.push(Buffer.from(piece)));
      for (let i = 0; i < 3; i++) writer.add(key.subarray(i), data);
      writer.end();
      writeFileSync(path, Buffer.concat(pieces));
      const found = recordsOf(readFileSync(path), LOAD_FORMAT[format]);
      assert.equal(found.length, 3);
      for (const [i, [k, d]] of found.entries()) assert.ok(Buffer.compare(k, key.subarray(i)) === 0 && Buffer.compare(d, data) === 0);
    }
  }
});
