/**
 * Reads the text that dump-text.ts writes: the format of db_load (Berkeley DB
 * 5.3, util/db_load.c), JSON and CSV.
 *
 * Stricter than db_load: what it takes for something else than it says (a text
 * that was cut off, digits that are none, a dump without VERSION, whose blanks
 * it takes for data) is an error here. Errors never quote the text, which may
 * be any file, with secrets in it.
 */
import { isUtf8 } from "node:buffer";
import { isPageSize } from "../hash-file/layout.ts";
import { type DumpHeader, JSON_FORMAT, JSON_VERSION } from "./dump-text.ts";

/** Of a dump the header says which of its two formats it has. */
export type LoadFormat = "dump" | "json" | "csv";

/** What a text says of the database that is to be made; CSV says nothing. */
export interface LoadHeader extends Partial<DumpHeader> {
  /** What the header asks for that is not made here: "chksum", "recnum", "compressed". */
  readonly unsupported: readonly string[];
}

export interface TextSink {
  /** Called once, before the first record. */
  readonly onHeader: (header: LoadHeader) => void;
  /** Called with each record; the bytes are views, good during the call. */
  readonly onRecord: (key: Uint8Array, data: Uint8Array, line: number) => void;
}

/** What is wrong with a text; the message names the line and the mend, and quotes nothing of a record. */
export class TextError extends Error {
  /** From 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = "TextError";
    this.line = line;
  }
}

/** What reads one line after another; the line's end is not part of it. */
interface LineReader {
  line(bytes: Buffer, line: number): void;
  /** @param line the one behind the last. */
  end(line: number): void;
}

const NEWLINE = 0x0a;

/** Reads a text that comes in chunks. */
export class TextReader {
  readonly #reader: LineReader;
  /** The beginning of a line whose end is in a chunk to come. */
  #begun: Buffer[] = [];
  #line = 0;

  constructor(format: LoadFormat, sink: TextSink) {
    this.#reader = format === "dump" ? new DumpReader(sink) : format === "json" ? new JsonReader(sink) : new CsvReader(sink);
  }

  /** Lines read so far. */
  get lines(): number {
    return this.#line;
  }

  /** @throws {TextError} also what the sink throws. */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      this.#take(bytes.subarray(from, to));
      from = to + 1;
    }
    if (from < bytes.length) this.#begun.push(Buffer.from(bytes.subarray(from)));
  }

  /** @throws {TextError} the text ends too early. */
  end(): void {
    if (this.#begun.length > 0) this.#take(Buffer.alloc(0));
    this.#reader.end(this.#line + 1);
  }

  #take(rest: Buffer): void {
    this.#line += 1;
    if (this.#begun.length === 0) {
      this.#reader.line(rest, this.#line);
      return;
    }
    const line = Buffer.concat([...this.#begun, rest]);
    this.#begun = [];
    this.#reader.line(line, this.#line);
  }
}

const BLANK = 0x20;
const RETURN = 0x0d;
const BACKSLASH = 0x5c;
const DATA_END = Buffer.from("DATA=END");
const LARGEST = 0xffff_ffff;
/** Each has a page from the beginning; db_load goes on without end from 2147483649 on. */
const MOST_BUCKETS = 1 << 22;
const LORDER: Readonly<Record<string, "little" | "big">> = { "1234": "little", "4321": "big" };
const NO_DIGIT = 0xff;

/** The value of each digit, which is one of those that db_dump writes. */
const DIGIT = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, digit] of [..."0123456789abcdef"].entries()) DIGIT[digit.charCodeAt(0)] = value;

type Writable<T> = { -readonly [K in keyof T]?: T[K] };

class DumpReader implements LineReader {
  readonly #sink: TextSink;
  readonly #header: Writable<DumpHeader> & { isPrint?: boolean; version?: number; readonly unsupported: string[] } = { unsupported: [] };
  #state: "header" | "key" | "data" | "end" = "header";
  #key = new Uint8Array(1024);
  #data = new Uint8Array(1024);
  #keyLength = 0;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  line(bytes: Buffer, line: number): void {
    if (this.#state === "header") this.#headerLine(bytes, line);
    else if (this.#state !== "end") this.#recordLine(bytes, line);
    else throw new TextError(line, "there is more behind DATA=END; a text of several databases has to be loaded one by one");
  }

  end(line: number): void {
    this.#key.fill(0);
    this.#data.fill(0);
    if (this.#state === "end") return;
    if (this.#state === "header") throw new TextError(line, "the text ends before its HEADER=END: no dump, or one that was cut off");
    throw new TextError(line, "the text ends without DATA=END: it was cut off; dump the database again");
  }

  #recordLine(bytes: Buffer, line: number): void {
    if (bytes[0] !== BLANK) {
      if (!bytes.equals(DATA_END)) throw new TextError(line, this.#noRecord(bytes));
      if (this.#state === "data") throw new TextError(line, "a key without data: a line is missing before DATA=END");
      this.#state = "end";
    } else if (this.#state === "key") {
      if (this.#key.length < bytes.length) this.#key = new Uint8Array(2 * bytes.length);
      this.#keyLength = this.#decode(bytes, this.#key, line);
      this.#state = "data";
    } else {
      if (this.#data.length < bytes.length) this.#data = new Uint8Array(2 * bytes.length);
      const length = this.#decode(bytes, this.#data, line);
      this.#sink.onRecord(this.#key.subarray(0, this.#keyLength), this.#data.subarray(0, length), line - 1);
      this.#state = "key";
    }
  }

  #noRecord(bytes: Buffer): string {
    if (bytes.at(-1) === RETURN) return CRLF;
    return "a line of a record begins with a blank, and the last line is DATA=END";
  }

  #decode(bytes: Buffer, into: Uint8Array, line: number): number {
    return this.#header.isPrint ? decodePrint(bytes, into, line) : decodeHex(bytes, into, line);
  }

  #headerLine(bytes: Buffer, line: number): void {
    const text = bytes.toString("latin1");
    if (text.endsWith("\r")) throw new TextError(line, CRLF);
    const at = text.indexOf("=");
    if (at <= 0 || at === text.length - 1)
      throw new TextError(line, "a line of the header is name=value, and its last one HEADER=END; is this a dump?");
    this.#word(text.slice(0, at), text.slice(at + 1), line);
  }

  #word(name: string, value: string, line: number): void {
    const header = this.#header;
    const number = (least: number, most: number): number => readNumber(name, value, least, most, line);
    const isOn = (): boolean => readFlag(name, value, line);
    switch (name) {
      case "VERSION":
        header.version = readVersion(value, line);
        break;
      case "format":
        if (value !== "bytevalue" && value !== "print") throw new TextError(line, "format is bytevalue or print");
        header.isPrint = value === "print";
        break;
      case "type":
        if (value !== "hash" && value !== "btree") throw new TextError(line, "a type other than hash and btree cannot be loaded here");
        header.type = value;
        break;
      case "duplicates":
        if (isOn()) header.duplicates ||= "unsorted";
        break;
      case "dupsort":
        if (isOn()) header.duplicates = "sorted";
        break;
      case "db_pagesize":
        header.pageSize = number(512, 65536);
        if (!isPageSize(header.pageSize)) throw new TextError(line, "db_pagesize is a power of two from 512 to 65536");
        break;
      case "db_lorder":
        header.byteOrder = LORDER[value] ?? fail(line, "db_lorder is 1234 (little-endian) or 4321 (big-endian)");
        break;
      case "h_nelem":
        header.hashElements = number(0, LARGEST);
        break;
      case "h_ffactor":
        header.fillFactor = number(0, LARGEST);
        break;
      case "bt_minkey":
        header.minimumKeys = number(2, LARGEST);
        break;
      case "chksum":
      case "recnum":
      case "compressed":
        if (isOn()) header.unsupported.push(name);
        break;
      case "keys":
        // Of hash and btree, which have keys whatever it says.
        isOn();
        break;
      case "database":
      case "subdatabase":
        throw new TextError(
          line,
          "a database within a file (database=) cannot be made here; remove the line to load it as a file of its own",
        );
      case "HEADER":
        this.#endHeader(value, line);
        break;
      default: {
        // Unless it looks like a word, in what looks like a header, it may be anything.
        const shown = header.version !== undefined && /^[a-z_]{1,24}$/.test(name) ? ` ("${name}")` : "";
        throw new TextError(line, `not a word of the header of a hash or btree database${shown}; remove the line if it does not matter`);
      }
    }
  }

  #endHeader(value: string, line: number): void {
    if (value !== "END") throw new TextError(line, "the header ends with HEADER=END");
    const { isPrint: _, version, ...header } = this.#header;
    if (version === undefined) throw new TextError(line, "the header has no VERSION: it begins with VERSION=3");
    const { hashElements = 0, fillFactor = 0 } = header;
    if (fillFactor > 0 && hashElements / fillFactor > MOST_BUCKETS)
      throw new TextError(line, "h_nelem by h_ffactor is too many buckets for a file to begin with: a greater h_ffactor makes fewer");
    this.#state = "key";
    this.#sink.onHeader({ duplicates: false, ...header });
  }
}

const CRLF = "the line ends in CR LF; the lines of a dump end in LF alone";

function fail(line: number, message: string): never {
  throw new TextError(line, message);
}

function readVersion(value: string, line: number): number {
  if (value === "2" || value === "3") return Number(value);
  throw new TextError(line, "only VERSION=2 and VERSION=3 can be read");
}

function readNumber(name: string, value: string, least: number, most: number, line: number): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : -1;
  if (number < least || number > most) throw new TextError(line, `${name} is a number from ${least} to ${most}`);
  return number;
}

function readFlag(name: string, value: string, line: number): boolean {
  if (value !== "0" && value !== "1") throw new TextError(line, `${name} is 0 or 1`);
  return value === "1";
}

/** @returns the number of bytes. */
function decodeHex(line: Buffer, into: Uint8Array, number: number): number {
  const { length } = line;
  if (length % 2 === 0) throw new TextError(number, "an odd number of hexadecimal digits: two are a byte");
  let to = 0;
  for (let from = 1; from < length; from += 2) {
    const high = DIGIT[line[from] as number] as number;
    const low = DIGIT[line[from + 1] as number] as number;
    if ((high | low) === NO_DIGIT) throw noDigits(number);
    into[to++] = (high << 4) | low;
  }
  return to;
}

function decodePrint(line: Buffer, into: Uint8Array, number: number): number {
  const { length } = line;
  let to = 0;
  for (let from = 1; from < length; from++) {
    const byte = line[from] as number;
    if (byte !== BACKSLASH) {
      into[to++] = byte;
    } else if (line[from + 1] === BACKSLASH) {
      into[to++] = BACKSLASH;
      from += 1;
    } else {
      const high = from + 1 < length ? (DIGIT[line[from + 1] as number] as number) : NO_DIGIT;
      const low = from + 2 < length ? (DIGIT[line[from + 2] as number] as number) : NO_DIGIT;
      if ((high | low) === NO_DIGIT) throw new TextError(number, "behind a backslash stands another, or two hexadecimal digits (0-9, a-f)");
      into[to++] = (high << 4) | low;
      from += 2;
    }
  }
  return to;
}

function noDigits(line: number): TextError {
  return new TextError(line, "hexadecimal digits are 0-9 and a-f; with format=print in the header the text is taken as it stands");
}

const NAMES = ["key", "data"] as const;
const BOM = /^\ufeff/;

/** A line as text. */
function textOf(bytes: Buffer, line: number): string {
  if (!isUtf8(bytes)) throw new TextError(line, "not UTF-8; bytes that are no text are written in base64");
  const text = bytes.toString();
  return line === 1 ? text.replace(BOM, "") : text;
}

function fromBase64(text: string, what: string, line: number): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new TextError(line, `${what} is no base64`);
  return bytes;
}

const EMPTY = "the text is empty: what was to write it has failed";
const JSON_FIRST = `the first line is {"format":"${JSON_FORMAT}","version":${JSON_VERSION},…}, as tsmap dump --format json writes it`;
const JSON_LAST = '{"end":true,"records":…}';
const CUT_OFF = "it was cut off; dump the database again";

/** A line for the database; {"key":"…","data":"…"}, or keyBase64, dataBase64, to a line; and one for the end. */
class JsonReader implements LineReader {
  readonly #sink: TextSink;
  #state: "header" | "records" | "end" = "header";
  #records = 0;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  line(bytes: Buffer, line: number): void {
    const text = textOf(bytes, line);
    if (text.trim() === "") return;
    const members = this.#parse(text, line);
    if (this.#state === "header") this.#header(members, line);
    else if (this.#state === "end")
      throw new TextError(line, `there is more behind ${JSON_LAST}; several texts have to be loaded one by one`);
    else if (members.has("end")) this.#endRecords(members, line);
    else this.#record(members, line);
  }

  end(line: number): void {
    if (this.#state === "header") throw new TextError(line, EMPTY);
    if (this.#state === "records") throw new TextError(line, `the text ends without ${JSON_LAST}: ${CUT_OFF}`);
  }

  #parse(text: string, line: number): Map<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new TextError(
        line,
        this.#state === "header" ? `no JSON; ${JSON_FIRST}` : 'no JSON; a record is a line of its own: {"key":"…","data":"…"}',
      );
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TextError(line, "no JSON object");
    return new Map<string, unknown>(Object.entries(value));
  }

  #header(members: Map<string, unknown>, line: number): void {
    if (members.get("format") !== JSON_FORMAT) throw new TextError(line, JSON_FIRST);
    if (members.get("version") !== JSON_VERSION) throw new TextError(line, `only version ${JSON_VERSION} of the format can be read`);
    members.delete("format");
    members.delete("version");
    const header = readJsonHeader(members, line);
    this.#state = "records";
    this.#sink.onHeader({ ...header, unsupported: [] });
  }

  #record(members: Map<string, unknown>, line: number): void {
    const [key, data] = NAMES.map((name) => takeMember(members, name, line)) as [Uint8Array, Uint8Array];
    if (members.has("masked")) throw new TextError(line, "the record is masked: make the text with --show-secrets");
    if (members.size > 0) throw new TextError(line, "a record has key (or keyBase64) and data (or dataBase64), and nothing else");
    this.#records += 1;
    this.#sink.onRecord(key, data, line);
  }

  #endRecords(members: Map<string, unknown>, line: number): void {
    if (members.get("end") !== true || members.size !== 2) throw new TextError(line, `the last line is ${JSON_LAST}`);
    checkCount(members.get("records"), this.#records, line);
    this.#state = "end";
  }
}

/** The members that a header has besides its format and version, none of which has to be there. */
function readJsonHeader(members: Map<string, unknown>, line: number): Partial<DumpHeader> {
  const header: Writable<DumpHeader> = {};
  for (const [name, value] of members) {
    const number = (least: number, most: number): number => readNumber(name, String(value), least, most, line);
    if (name === "type") {
      if (value !== "hash" && value !== "btree") throw new TextError(line, "type is hash or btree");
      header.type = value;
    } else if (name === "duplicates") {
      if (value !== false && value !== "unsorted" && value !== "sorted")
        throw new TextError(line, "duplicates is false, unsorted or sorted");
      header.duplicates = value;
    } else if (name === "pageSize") {
      header.pageSize = number(512, 65536);
      if (!isPageSize(header.pageSize)) throw new TextError(line, "pageSize is a power of two from 512 to 65536");
    } else if (name === "hashElements") header.hashElements = number(0, LARGEST);
    else if (name === "minimumKeys") header.minimumKeys = number(2, LARGEST);
    else throw new TextError(line, "the first line has format, version, type, duplicates, pageSize, hashElements and minimumKeys alone");
  }
  return header;
}

/** @throws {TextError} there are other records than the end says. */
function checkCount(said: unknown, found: number, line: number): void {
  if (said !== found && said !== String(found))
    throw new TextError(
      line,
      `the end does not count the ${found} records before it: lines are missing, or were added; dump the database again`,
    );
}

function takeMember(members: Map<string, unknown>, name: "key" | "data", line: number): Uint8Array {
  const text = members.get(name);
  const base64 = members.get(`${name}Base64`);
  members.delete(name);
  members.delete(`${name}Base64`);
  if ((text === undefined) === (base64 === undefined)) throw new TextError(line, `a record has either ${name} or ${name}Base64`);
  if (typeof (text ?? base64) !== "string") throw new TextError(line, `${name} is a text in quotes`);
  if (base64 !== undefined) return fromBase64(base64 as string, `${name}Base64`, line);
  if (/\p{Surrogate}/u.test(text as string)) throw new TextError(line, `${name} is no text: half of a character; use ${name}Base64`);
  return Buffer.from(text as string);
}

const CSV_NAMES = "encoding,key,data";
const QUOTE = 0x22;
/** A field and what ends it; a quote in quotes is doubled. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/gy;

/** RFC 4180, with LF alone too; the last row is end and the number of records. */
class CsvReader implements LineReader {
  readonly #sink: TextSink;
  /** The lines of a row whose quotes are open. */
  #open: Buffer[] = [];
  #first = 0;
  #quotes = 0;
  #state: "names" | "records" | "end" = "names";
  #records = 0;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  line(bytes: Buffer, line: number): void {
    if (this.#open.length === 0) this.#first = line;
    for (let at = bytes.indexOf(QUOTE); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) this.#quotes += 1;
    if (this.#quotes % 2 === 1) {
      this.#open.push(Buffer.from(bytes), Buffer.from("\n"));
      return;
    }
    const row = this.#open.length === 0 ? bytes : Buffer.concat([...this.#open, bytes]);
    this.#open = [];
    this.#quotes = 0;
    this.#row(textOf(row, this.#first).replace(/\r$/, ""), this.#first);
  }

  end(line: number): void {
    if (this.#open.length > 0) throw new TextError(this.#first, "the row's quotes are not closed");
    if (this.#state === "names") throw new TextError(line, EMPTY);
    if (this.#state === "records")
      throw new TextError(line, `the text ends without its last row, end and the number of records: ${CUT_OFF}`);
  }

  #row(text: string, line: number): void {
    if (text === "") return;
    const fields = splitRow(text, line);
    if (this.#state === "names") {
      if (fields.join() !== CSV_NAMES) throw new TextError(line, `the first row is ${CSV_NAMES}`);
      this.#state = "records";
      this.#sink.onHeader({ unsupported: [] });
      return;
    }
    if (this.#state === "end") throw new TextError(line, "there is more behind the row end; several texts have to be loaded one by one");
    const [encoding, key = "", data = ""] = fields;
    if (fields.length !== 3) throw new TextError(line, `a row has three fields, ${CSV_NAMES}; a comma within a field stands in quotes`);
    if (encoding === "end") {
      checkCount(key, this.#records, line);
      this.#state = "end";
      return;
    }
    this.#records += 1;
    if (encoding === "text") this.#sink.onRecord(Buffer.from(key), Buffer.from(data), line);
    else if (encoding === "base64") this.#sink.onRecord(fromBase64(key, "the key", line), fromBase64(data, "the data", line), line);
    else throw new TextError(line, "encoding is text, base64 or, in the last row, end");
  }
}

function splitRow(text: string, line: number): string[] {
  const fields: string[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const field = FIELD.exec(text);
    if (field === null)
      throw new TextError(line, 'a quote within a field: the field stands in quotes, and each quote in it is doubled ("")');
    const [, quoted, plain = "", end] = field;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "") return fields;
  }
}
