/**
 * Dumps, JSON and CSV: a text is read, in whatever chunks it comes, or refused
 * with its line and without a word of it; and what was read is the same when it
 * is written and read again, by itself and through a database. The first line
 * of an input is the format.
 */
import assert from "node:assert/strict";
import { BerkeleyDBError, MemoryFileSystem } from "berkeley-db-js";
import { DatabaseFile } from "#src/hash-file/database-file.js";
import { targetFormat } from "#src/hash-file/file-format.js";
import { DatabaseBuilder } from "#src/map-file/database-builder.js";
import { type DumpHeader, dumpHeaderOf, TEXT_FORMATS, type TextFormat, TextWriter } from "#src/map-file/dump-text.js";
import { type LoadFormat, type LoadHeader, TextError, TextReader } from "#src/map-file/load-text.js";
import { bytesOf, textOf } from "../../support/bytes.ts";
import { assertSilent, CANARY, chunksOf, randomOf, shapeOf, splitHead } from "../oracle.ts";
import type { Note, Target } from "../target.ts";

interface Loaded {
  readonly header: LoadHeader;
  readonly records: readonly (readonly [key: string, data: string])[];
  readonly lines: readonly number[];
}

/** Buckets and records of a database that is made of a text: larger ones take long, and say no more. */
const MOST_BUCKETS = 256;
const MOST_RECORDS = 400;

function load(format: LoadFormat, chunks: Iterable<Uint8Array>): Loaded | TextError {
  const records: [string, string][] = [];
  const lines: number[] = [];
  let header: LoadHeader | undefined;
  const reader = new TextReader(format, {
    onHeader: (found) => {
      assert.ok(header === undefined && records.length === 0, "a header comes late");
      header = found;
    },
    onRecord: (key, data, line) => {
      lines.push(line);
      records.push([textOf(key), textOf(data)]);
    },
  });
  try {
    for (const chunk of chunks) reader.write(chunk);
    reader.end();
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return error;
  }
  assert.ok(header !== undefined, "a text has no header");
  return { header, records, lines };
}

function write(format: TextFormat, header: DumpHeader, records: Loaded["records"]): Buffer {
  const pieces: Buffer[] = [];
  const writer = new TextWriter(format, header, (piece) => pieces.push(Buffer.from(piece)));
  for (const [key, data] of records) writer.add(bytesOf(key), bytesOf(data));
  writer.end();
  return Buffer.concat(pieces);
}

function examineError(error: TextError, text: Uint8Array): void {
  const last = textOf(text).split("\n").length + 1;
  assert.ok(error.line >= 1 && error.line <= last, `an error has no line: ${error.line}`);
  assert.match(error.message, new RegExp(`^line ${error.line}: [^\\n]*\\S[^\\n]*$`), "an error does not tell its line");
  assertSilent(error.message, "the reader of texts");
}

/** What is no text must not be taken for one with another character in its place. */
function examineCharacters({ records, lines }: Loaded, text: string): void {
  if (/\xef\xbf\xbd|\\ufffd/i.test(text)) return;
  const written = text.split("\n");
  records.forEach((record, i) => {
    const isBase64 = /base64/i.test(written[(lines[i] as number) - 1] ?? "");
    assert.ok(isBase64 || !record.some((item) => item.includes("\xef\xbf\xbd")), "a character was replaced");
  });
}

/** In each format: what is written is read, and written the same again. */
function examineFixedPoint({ header, records }: Loaded): void {
  const { type = "hash", duplicates = false, unsupported: _, ...rest } = header;
  for (const format of TEXT_FORMATS) {
    const text = write(format, { type, duplicates, ...rest }, records);
    const again = load(loadFormat(format), [text]);
    assert.ok(!(again instanceof Error), `what is written as ${format} is not read: ${(again as Error).message}`);
    assert.deepEqual(again.records, records, `what is written as ${format} is read as something else`);
    const header2 = { type: again.header.type ?? type, duplicates: again.header.duplicates ?? duplicates, ...without(again.header) };
    assert.ok(
      write(format, format === "csv" ? { type, duplicates } : header2, again.records).equals(text),
      `what is read of ${format} is written otherwise`,
    );
  }
}

function without({ unsupported: _, ...header }: LoadHeader): Partial<DumpHeader> {
  return header;
}

function loadFormat(format: TextFormat): LoadFormat {
  return format === "json" || format === "csv" ? format : "dump";
}

/** The same through a database, as tsmap load and tsmap dump do it. */
function examineDatabase(loaded: Loaded, note: Note): void {
  const { hashElements = 0, fillFactor = 0 } = loaded.header;
  if (fillFactor > 0 && hashElements / fillFactor > MOST_BUCKETS) return;
  if (loaded.records.length > MOST_RECORDS) return;
  const fileSystem = new MemoryFileSystem();
  let first: Buffer;
  try {
    first = dumpOf(fileSystem, "a", loaded);
  } catch (error) {
    // Records that no page of this size holds.
    if (!(error instanceof BerkeleyDBError)) throw error;
    assertSilent(error.message, "the engine");
    assert.deepEqual(fileSystem.list(), [], "something is left of what failed");
    note(`build: ${error.code}`);
    return;
  }
  const again = load("dump", [first]);
  assert.ok(!(again instanceof Error), `a dump is not read: ${(again as Error).message}`);
  const second = dumpOf(fileSystem, "b", again);
  assert.equal(withoutCount(second), withoutCount(first), "a dump that is loaded is dumped otherwise");
}

/** h_nelem is what was expected, and what came: more each time. */
function withoutCount(dump: Buffer): string {
  return dump.toString("latin1").replace(/^h_nelem=\d+\n/m, "");
}

function dumpOf(fileSystem: MemoryFileSystem, name: string, { header, records }: Loaded): Buffer {
  const { type = "hash", duplicates = false, byteOrder, pageSize, hashElements, fillFactor, minimumKeys } = header;
  const format = { ...targetFormat("native"), ...(byteOrder && { byteOrder }), ...(pageSize && { pageSize }) };
  const builder = new DatabaseBuilder(name, {
    type,
    duplicates,
    format,
    hashElements,
    fillFactor,
    minimumKeys,
    expectedSize: 1 << 16,
    fileSystem,
  });
  try {
    records.forEach(([key, data], i) => {
      builder.add(bytesOf(key), bytesOf(data), i);
    });
    builder.commit();
  } catch (error) {
    builder.abandon();
    throw error;
  }
  const file = new DatabaseFile(fileSystem.open(name, { write: false }, 0));
  const pieces: Buffer[] = [];
  const writer = new TextWriter("print", dumpHeaderOf(file.layout), (piece) => pieces.push(Buffer.from(piece)));
  file.visitRecords(writer.visit);
  writer.end();
  return Buffer.concat(pieces);
}

const DUMP = "VERSION=3\nformat=print\ntype=hash\nh_nelem=3\ndb_pagesize=512\nHEADER=END\n key\n data\\0a\n other\n \nDATA=END\n";
const HEX = "VERSION=3\nformat=bytevalue\ntype=btree\nduplicates=1\ndupsort=1\nHEADER=END\n 6162\n 00ff\n 6162\n 01\nDATA=END\n";
const JSON_TEXT = `{"format":"tsmap-records","version":1,"type":"hash"}\n{"key":"a key","data":"some data"}\n{"keyBase64":"/w==","data":""}\n{"end":true,"records":2}\n`;
const CSV = `encoding,key,data\r\ntext,a,"b ""c"", d"\r\nbase64,/w==,AA==\r\nend,2,\r\n`;

export const target: Target = {
  name: "dump-text",
  longest: 6000,
  dictionary: [
    CANARY,
    ...[
      "dump\n",
      "json\n",
      "csv\n",
      "\n",
      "\r\n",
      " ",
      "\\",
      "\\\\",
      "\\0a",
      "\\zz",
      " 00\n",
      " \n",
      "=",
      ",",
      '"',
      '""',
      "{}",
      "\xef\xbb\xbf",
    ],
    ...["VERSION=2\n", "VERSION=3\n", "format=print\n", "format=bytevalue\n", "type=hash\n", "type=btree\n", "HEADER=END\n", "DATA=END\n"],
    ...["duplicates=1\n", "dupsort=1\n", "db_pagesize=512\n", "db_lorder=4321\n", "h_nelem=", "h_ffactor=", "bt_minkey=", "chksum=1\n"],
    ...["recnum=1\n", "keys=0\n", "database=x\n", "type=recno\n", '"key":"', '"data":"', '"keyBase64":', '"dataBase64":', '{"end":true,'],
    ...[
      '"records":',
      "null",
      "\\ud800",
      "\\u0000",
      "true",
      "1e0",
      '"type":"btree",',
      '"pageSize":512,',
      '"minimumKeys":2,',
      '"masked":true',
    ],
    ...["encoding,key,data\n", "text,", "base64,", "end,", "QUI=", "QQ==", "QR==", "\xc3\xbc", "\xff", "x".repeat(600)],
  ],
  *seeds(): Iterable<Uint8Array> {
    for (const [format, text] of [
      ["dump", DUMP],
      ["dump", HEX],
      ["json", JSON_TEXT],
      ["csv", CSV],
    ])
      yield bytesOf(`${format}\n${text}`);
  },
  run(input, note) {
    const [head, text] = splitHead(input);
    const format = head === "json" || head === "csv" ? head : "dump";
    const loaded = load(format, [text]);
    const chunked = load(format, chunksOf(text, randomOf(input)));
    if (loaded instanceof Error || chunked instanceof Error) {
      assert.equal(String(chunked), String(loaded), "chunks make another error");
      examineError(loaded as TextError, text);
      note(`${format}: ${shapeOf(String(loaded))}`);
      return;
    }
    assert.deepEqual(chunked, loaded, "chunks make other records");
    if (format !== "dump") examineCharacters(loaded, textOf(text));
    examineFixedPoint(loaded);
    examineDatabase(loaded, note);
  },
};
