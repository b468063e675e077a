/**
 * Text is read as db5.3_load reads it, or refused with its line and the mend;
 * and what is written is read again, whatever the bytes and the chunks.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { TEXT_FORMATS, TextWriter } from "#src/map-file/dump-text.js";
import { type LoadFormat, type LoadHeader, TextError, TextReader } from "#src/map-file/load-text.js";
import { bytesOf, textOf } from "../support/bytes.ts";

interface Loaded {
  readonly header: LoadHeader | undefined;
  readonly records: readonly (readonly [key: string, data: string, line: number])[];
}

function load(format: LoadFormat, ...chunks: readonly (string | Uint8Array)[]): Loaded {
  const records: [string, string, number][] = [];
  let header: LoadHeader | undefined;
  const reader = new TextReader(format, {
    onHeader: (found) => {
      assert.equal(header, undefined);
      assert.equal(records.length, 0);
      header = found;
    },
    onRecord: (key, data, line) => records.push([textOf(key), textOf(data), line]),
  });
  for (const chunk of chunks) reader.write(typeof chunk === "string" ? bytesOf(chunk) : chunk);
  reader.end();
  return { header, records };
}

function dump(header: readonly string[], ...lines: readonly string[]): string {
  return [...header, "HEADER=END", ...lines, "DATA=END", ""].join("\n");
}

const PRINT = ["VERSION=3", "format=print", "type=hash"];
const HEX = ["VERSION=3", "format=bytevalue", "type=hash"];

describe("any records", () => {
  for (const format of TEXT_FORMATS) {
    it(`are the same when ${format} is read again, in whatever chunks it comes`, () => {
      const special = fc.string({ unit: fc.constantFrom(..."\\ \n\r\",'\0\x7f\xffDATA=END\xc3\xbc\xef\xbb\xbf") }).map(bytesOf);
      const item = fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.string().map(bytesOf), special);
      const property = fc.property(fc.array(fc.tuple(item, item)), fc.array(fc.nat(300)), (records, cuts) => {
        const pieces: Buffer[] = [];
        const writer = new TextWriter(format, { type: "btree", duplicates: "sorted", pageSize: 512, hashElements: 9 }, (piece) =>
          pieces.push(Buffer.from(piece)),
        );
        for (const [key, data] of records) writer.add(key, data);
        writer.end();
        const text = Buffer.concat(pieces);
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(text.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(text.subarray(at));
        const loaded = load(format === "json" || format === "csv" ? format : "dump", ...chunks);
        assert.deepEqual(
          loaded.records.map(([key, data]) => [key, data]),
          records.map(([key, data]) => [textOf(key), textOf(data)]),
        );
      });
      fc.assert(property, { numRuns: 300 });
    });
  }

  it("of any text are read or refused with a TextError that quotes nothing of it", () => {
    const word = fc.constantFrom(
      ...'VERSION=3|VERSION=2|format=print|format=bytevalue|type=hash|HEADER=END|DATA=END| 6162| a\\5cb|=|{}|encoding,key,data|text,a,b|"|,|\\|keys=1|h_nelem=7'.split(
        "|",
      ),
    );
    const line = fc.oneof(word, fc.string(), fc.uint8Array().map(textOf));
    const property = fc.property(fc.array(line), fc.constantFrom("dump", "json", "csv"), (lines, format) => {
      const secret = "s3cr3ts3cr3t";
      try {
        load(format, [...lines, secret, ` ${secret}\\`, `P=${secret}`, `{"key":"${secret}"}`, `text,${secret},"`].join("\n"));
      } catch (error) {
        assert.ok(error instanceof TextError, String(error));
        assert.ok(!error.message.includes(secret), error.message);
        assert.match(error.message, /^line \d+: [a-zA-Z"]/);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe("a dump", () => {
  it("has its header's words in any order, and its items in either format", () => {
    const words = "VERSION=3 format=print type=btree db_pagesize=512 db_lorder=4321 bt_minkey=3 h_ffactor=7 h_nelem=10 duplicates=1 keys=1";
    const expected = {
      type: "btree",
      pageSize: 512,
      byteOrder: "big",
      minimumKeys: 3,
      fillFactor: 7,
      hashElements: 10,
      duplicates: "unsorted",
      unsupported: [],
    };
    const line = " a\\\\b\\00\\ff \xfc";
    for (const order of [words.split(" "), words.split(" ").reverse()]) {
      const { header, records } = load("dump", dump(order, line, " "));
      assert.deepEqual(header, expected);
      assert.deepEqual(records, [["a\\b\0\xff \xfc", "", 12]]);
    }
    assert.deepEqual(load("dump", dump(HEX, " 00ff5c", " ")).records, [["\0\xff\\", "", 5]]);
    assert.deepEqual(load("dump", dump(["VERSION=2", "type=hash"], " 61", " 62")).records, [["a", "b", 4]]);
  });

  it("is of version 2 or 3, with or without a line's end behind DATA=END", () => {
    assert.equal(load("dump", dump(["VERSION=2", ...PRINT.slice(1)], " a", " b").trimEnd()).records.length, 1);
    assert.deepEqual(load("dump", dump(PRINT)).records, []);
  });

  it("has duplicates, sorted ones too, as its header says", () => {
    const of = (...words: string[]): unknown => load("dump", dump([...PRINT, ...words])).header?.duplicates;
    assert.equal(of(), false);
    assert.equal(of("duplicates=0", "dupsort=0"), false);
    assert.equal(of("duplicates=1"), "unsorted");
    assert.equal(of("duplicates=1", "dupsort=1"), "sorted");
    assert.equal(of("dupsort=1", "duplicates=1"), "sorted");
    assert.equal(of("dupsort=1"), "sorted");
  });

  it("says what it asks for that cannot be made", () => {
    const { header } = load("dump", dump([...PRINT, "chksum=1", "recnum=0", "compressed=1"]));
    assert.deepEqual(header?.unsupported, ["chksum", "compressed"]);
  });
});

/** Lines of JSON with what stands before and behind them. */
function json(...lines: readonly string[]): string {
  return ['{"format":"tsmap-records","version":1}', ...lines, `{"end":true,"records":${lines.length}}`, ""].join("\n");
}

function csv(...rows: readonly string[]): string {
  return ["encoding,key,data", ...rows, `end,${rows.length},`, ""].join("\n");
}

const RECORD = '{"key":"a","data":"b"}';

describe("what is wrong is told with its line", () => {
  const cases: readonly (readonly [name: string, format: LoadFormat, text: string, line: number, message: RegExp])[] = [
    ["empty", "dump", "", 1, /ends before its HEADER=END/],
    ["cut off in the header", "dump", "VERSION=3\ntype=hash\n", 3, /ends before its HEADER=END/],
    ["no DATA=END", "dump", dump(PRINT, " a", " b").replace("DATA=END\n", ""), 7, /cut off/],
    ["cut off in DATA=END", "dump", dump(PRINT, " a", " b").slice(0, -3), 7, /last line is DATA=END/],
    ["a key without data", "dump", dump(PRINT, " a", " b", " c"), 8, /a key without data/],
    ["cut off behind a key", "dump", dump(PRINT, " a", " b", " c").replace("DATA=END\n", ""), 8, /cut off/],
    ["no VERSION", "dump", dump(["format=print", "type=hash"], " a", " b"), 3, /no VERSION/],
    ["VERSION=1", "dump", dump(["VERSION=1", "type=hash"]), 1, /VERSION=2 and VERSION=3/],
    ["VERSION=4", "dump", dump(["VERSION=4", "type=hash"]), 1, /VERSION=2 and VERSION=3/],
    ["an unknown word", "dump", dump([...PRINT, "foo=1"]), 4, /not a word.*"foo"/],
    [
      "an unknown word that may be anything",
      "dump",
      dump([...PRINT, 'AuthInfo: "P=x"']),
      4,
      /^line 4: not a word of the header of a hash or btree database; /,
    ],
    ["a first line that may be anything", "dump", "topsecret=x\n", 1, /^line 1: not a word of the header of a hash or btree database; /],
    ["no =", "dump", dump([...PRINT, "foo"]), 4, /name=value/],
    ["no value", "dump", dump([...PRINT, "h_nelem="]), 4, /name=value/],
    ["no name", "dump", dump([...PRINT, "=1"]), 4, /name=value/],
    ["a format", "dump", dump(["VERSION=3", "format=hex"]), 2, /bytevalue or print/],
    ["a type", "dump", dump(["VERSION=3", "type=recno"]), 2, /hash and btree/],
    ["a page size that is none", "dump", dump([...PRINT, "db_pagesize=1000"]), 4, /power of two/],
    ["a small page size", "dump", dump([...PRINT, "db_pagesize=256"]), 4, /from 512 to 65536/],
    ["a byte order", "dump", dump([...PRINT, "db_lorder=1"]), 4, /1234.*4321/],
    ["a number", "dump", dump([...PRINT, "h_nelem=12x"]), 4, /h_nelem is a number from 0 to 4294967295/],
    ["a number too large", "dump", dump([...PRINT, "h_nelem=4294967296"]), 4, /h_nelem is a number/],
    ["a small bt_minkey", "dump", dump([...PRINT, "bt_minkey=1"]), 4, /bt_minkey is a number from 2/],
    ["buckets without end", "dump", dump([...PRINT, "h_nelem=3000000000", "h_ffactor=1"]), 6, /too many buckets/],
    ["a flag", "dump", dump([...PRINT, "duplicates=x"]), 4, /duplicates is 0 or 1/],
    ["keys", "dump", dump([...PRINT, "keys=2"]), 4, /keys is 0 or 1/],
    ["a database in a file", "dump", dump([...PRINT, "database=x"]), 4, /database within a file/],
    ["another end of the header", "dump", "VERSION=3\nHEADER=foo\n", 2, /HEADER=END/],
    ["CR LF", "dump", dump(PRINT).replaceAll("\n", "\r\n"), 1, /CR LF/],
    ["CR LF behind DATA=END", "dump", dump(PRINT).replace("DATA=END", "DATA=END\r"), 5, /CR LF/],
    ["an odd digit", "dump", dump(HEX, " 61", " 616"), 6, /odd number/],
    ["no digit", "dump", dump(HEX, " 61", " 6g"), 6, /hexadecimal digits/],
    ["an upper-case digit, which db_load takes for f", "dump", dump(HEX, " 6A", " 61"), 5, /hexadecimal digits/],
    ["text in a dump of digits", "dump", dump(HEX, " user", " 61"), 5, /format=print/],
    ["an escape", "dump", dump(PRINT, " a\\z1", " b"), 5, /behind a backslash/],
    ["half an escape", "dump", dump(PRINT, " a", " b\\6"), 6, /behind a backslash/],
    ["an escape at the end", "dump", dump(PRINT, " a", " b\\"), 6, /behind a backslash/],
    ["a line without a blank", "dump", dump(PRINT, " a", "b"), 6, /begins with a blank/],
    ["an empty line", "dump", dump(PRINT, " a", ""), 6, /begins with a blank/],
    ["more behind the end", "dump", `${dump(PRINT, " a", " b")}\n`, 8, /more behind DATA=END/],
    ["a second database", "dump", dump(PRINT).repeat(2), 6, /one by one/],
    ["JSON, empty", "json", "", 1, /the text is empty/],
    ["JSON, empty lines", "json", "\n\n", 3, /the text is empty/],
    ["JSON without its first line", "json", RECORD, 1, /first line is .*tsmap dump --format json/],
    ["JSON of something else", "json", '{"format":"x","version":1}', 1, /first line is/],
    ["JSON of another version", "json", '{"format":"tsmap-records","version":2}', 1, /only version 1/],
    ["JSON that is none, first", "json", "{", 1, /no JSON; the first line is/],
    ["a type of JSON", "json", '{"format":"tsmap-records","version":1,"type":"recno"}', 1, /hash or btree/],
    ["duplicates of JSON", "json", '{"format":"tsmap-records","version":1,"duplicates":true}', 1, /unsorted or sorted/],
    ["a page size of JSON", "json", '{"format":"tsmap-records","version":1,"pageSize":1000}', 1, /power of two/],
    ["a number of JSON", "json", '{"format":"tsmap-records","version":1,"hashElements":-1}', 1, /hashElements is a number/],
    ["minimumKeys of JSON", "json", '{"format":"tsmap-records","version":1,"minimumKeys":1}', 1, /minimumKeys is a number from 2/],
    ["another word of JSON", "json", '{"format":"tsmap-records","version":1,"x":1}', 1, /alone/],
    ["JSON without its last line", "json", json(RECORD).replace(/.*\n$/, ""), 3, /cut off/],
    ["JSON without a line in between", "json", json(RECORD, RECORD).replace(`${RECORD}\n`, ""), 3, /does not count the 1 records/],
    ["JSON with a wrong end", "json", json(RECORD).replace("true", "1"), 3, /the last line is/],
    ["more behind the end of JSON", "json", json(RECORD) + RECORD, 4, /more behind/],
    ["no JSON", "json", json(RECORD, "{"), 3, /no JSON/],
    ["a JSON array", "json", "[]", 1, /no JSON object/],
    ["a JSON null", "json", json("null"), 2, /no JSON object/],
    ["a JSON text", "json", json('"x"'), 2, /no JSON object/],
    ["no data", "json", json("", '{"key":"a"}'), 3, /either data or dataBase64/],
    ["both kinds of data", "json", json('{"key":"a","data":"b","dataBase64":"Yg=="}'), 2, /either data or dataBase64/],
    ["a number for data", "json", json('{"key":"a","data":1}'), 2, /data is a text/],
    ["null for data", "json", json('{"key":"a","data":null}'), 2, /data is a text/],
    ["another member", "json", json('{"key":"a","data":"b","x":1}'), 2, /nothing else/],
    ["a masked record", "json", json('{"key":"a","data":"***","masked":true}'), 2, /--show-secrets/],
    ["no base64", "json", json('{"key":"a","dataBase64":"Yg="}'), 2, /dataBase64 is no base64/],
    ["half a character", "json", json('{"key":"\\ud800","data":"b"}'), 2, /keyBase64/],
    ["no UTF-8", "json", json('{"key":"\xff","data":"b"}'), 2, /not UTF-8/],
    ["CSV, empty", "csv", "", 1, /the text is empty/],
    ["another first row", "csv", "key,data\n", 1, /encoding,key,data/],
    ["CSV without its last row", "csv", csv("text,a,b").replace(/end.*\n/, ""), 3, /cut off/],
    ["CSV that ends in its last row", "csv", csv("text,a,b").slice(0, -2), 3, /three fields/],
    ["CSV without a row in between", "csv", csv("text,a,b", "text,a,b").replace("text,a,b\n", ""), 3, /does not count the 1 records/],
    ["CSV with a wrong number", "csv", csv("text,a,b").replace("end,1", "end,x"), 3, /does not count/],
    ["more behind the end of CSV", "csv", `${csv()}text,a,b\n`, 3, /more behind/],
    ["two fields", "csv", csv("text,a"), 2, /three fields/],
    ["four fields", "csv", csv("text,a,b,c"), 2, /three fields/],
    ["another encoding", "csv", csv("hex,61,62"), 2, /text, base64 or/],
    ["no base64 in CSV", "csv", csv("base64,YQ==,Yg"), 2, /the data is no base64/],
    ["open quotes", "csv", csv('text,a,"b', "c"), 2, /not closed/],
    ["a quote within a field", "csv", csv('text,a"b,"c"d"'), 2, /doubled/],
    ["no UTF-8 in CSV", "csv", csv("text,a,\xff"), 2, /not UTF-8/],
  ];
  for (const [name, format, text, line, message] of cases) {
    it(name, () => {
      assert.throws(
        () => load(format, text),
        (error) =>
          error instanceof TextError && error.line === line && message.test(error.message) && error.message.startsWith(`line ${line}: `),
      );
    });
  }
});

describe("CSV", () => {
  it("may have quoted fields with line ends in them, LF alone, a byte order mark and empty lines", () => {
    const text = '\xef\xbb\xbfencoding,key,data\n"text","a ""b"", c","d\r\ne"\r\n\r\nbase64,,AP8=\ntext,,\nend,3,';
    assert.deepEqual(load("csv", text), {
      header: { unsupported: [] },
      records: [
        ['a "b", c', "d\r\ne", 2],
        ["", "\0\xff", 5],
        ["", "", 6],
      ],
    });
  });
});

describe("JSON", () => {
  it("may have members in any order, blanks, empty lines and a byte order mark", () => {
    const text = `\xef\xbb\xbf${json('{ "dataBase64": "AP8=", "key": "\\u00fc" }\r', "", '{"key":"\\"","data":""}').replace("3}", "2} ")}`;
    assert.deepEqual(load("json", text).records, [
      ["\xc3\xbc", "\0\xff", 2],
      ['"', "", 4],
    ]);
  });

  it("says in its first line what the database is", () => {
    const pieces: string[] = [];
    const header = { type: "btree", duplicates: "sorted", pageSize: 512, hashElements: 9, minimumKeys: 3 } as const;
    const writer = new TextWriter("json", header, (piece) => pieces.push(textOf(piece)));
    writer.end();
    assert.deepEqual(load("json", ...pieces), { header: { ...header, unsupported: [] }, records: [] });
  });
});
