/**
 * A database as text: in the format of db_dump (Berkeley DB 5.3, util/db_dump.c
 * and db/db_pr.c), byte for byte; as JSON, a record to a line; or as CSV
 * (RFC 4180). All of them end in a line that says so, by which a text that was
 * cut off can be told.
 */
import { isUtf8 } from "node:buffer";
import type { ByteOrder, DatabaseType } from "berkeley-db-js";
import type { Layout } from "../hash-file/database-file.ts";
import { isPageSize } from "../hash-file/layout.ts";
import type { VisitRecord } from "../hash-file/visit.ts";
import { jsonText } from "./json-text.ts";

/** "bytevalue" and "print" are those of db_dump: hexadecimal digits alone, and printable characters as they are (-p). */
export const TEXT_FORMATS = ["bytevalue", "print", "json", "csv"] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** What the header of a dump says of the database. */
export interface DumpHeader {
  readonly type: DatabaseType;
  readonly duplicates: "unsorted" | "sorted" | false;
  /** db_pagesize, in bytes. */
  readonly pageSize?: number;
  /** h_nelem: records that a hash file holds, or is to hold. */
  readonly hashElements?: number;
  /** h_ffactor, which db_dump leaves out. */
  readonly fillFactor?: number;
  /** bt_minkey. */
  readonly minimumKeys?: number;
  /** recnum. */
  readonly hasRecordNumbers?: boolean;
  /** chksum. */
  readonly hasChecksums?: boolean;
  /** db_lorder, which db_dump leaves out. */
  readonly byteOrder?: ByteOrder;
}

/** The header for a file. */
export function dumpHeaderOf(layout: Layout): DumpHeader {
  const { type, duplicates, pageSize, hasChecksums } = layout;
  return {
    type,
    duplicates,
    hasChecksums,
    // Smaller ones were possible in 1.85, and are refused by what would load them.
    ...(isPageSize(pageSize) ? { pageSize } : {}),
    ...("minimumKeys" in layout ? { minimumKeys: layout.minimumKeys, hasRecordNumbers: layout.hasRecordNumbers } : {}),
    ...("elements" in layout ? { hashElements: layout.elements } : {}),
    ...("keys" in layout ? { hashElements: layout.keys } : {}),
  };
}

const DEFAULT_MINIMUM_KEYS = 2;

/** The header's lines, the last one included. */
function dumpHeaderText(header: DumpHeader, format: "bytevalue" | "print"): string {
  const { type, duplicates, pageSize, hashElements = 0, minimumKeys = DEFAULT_MINIMUM_KEYS } = header;
  const lines = ["VERSION=3", `format=${format}`, `type=${type}`];
  if (header.hasRecordNumbers) lines.push("recnum=1");
  if (type === "btree" && minimumKeys !== DEFAULT_MINIMUM_KEYS && minimumKeys !== 0) lines.push(`bt_minkey=${minimumKeys}`);
  if (type === "hash" && hashElements > 1) lines.push(`h_nelem=${hashElements}`);
  if (header.hasChecksums) lines.push("chksum=1");
  if (duplicates !== false) lines.push("duplicates=1");
  if (duplicates === "sorted") lines.push("dupsort=1");
  if (pageSize !== undefined) lines.push(`db_pagesize=${pageSize}`);
  return `${lines.join("\n")}\nHEADER=END\n`;
}

/** What the first line of records as JSON says that it is. */
export const JSON_FORMAT = "tsmap-records";
export const JSON_VERSION = 1;

/** The first line. Members that are undefined are left out of it. */
function jsonHeaderText({ type, duplicates, pageSize, hashElements, minimumKeys }: DumpHeader): string {
  const isMinimum = minimumKeys !== undefined && minimumKeys >= DEFAULT_MINIMUM_KEYS;
  const header = { type, duplicates, pageSize, hashElements, ...(isMinimum ? { minimumKeys } : {}) };
  return `${JSON.stringify({ format: JSON_FORMAT, version: JSON_VERSION, ...header })}\n`;
}

const CSV_HEADER = "encoding,key,data\r\n";
const CHUNK = 1 << 18;

const BLANK = 0x20;
const NEWLINE = 0x0a;
const TAB = 0x09;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;
const DELETE = 0x7f;

/** The two digits of each byte. */
const HIGH = new Uint8Array(256);
const LOW = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const digits = "0123456789abcdef";
  HIGH[byte] = digits.charCodeAt(byte >> 4);
  LOW[byte] = digits.charCodeAt(byte & 15);
}

/** Writes records as text, in the order in which they come. */
export class TextWriter {
  readonly #onChunk: (bytes: Uint8Array) => void;
  readonly #out = Buffer.allocUnsafe(CHUNK);
  readonly #format: TextFormat;
  #length = 0;
  /** Counted for JSON and CSV. */
  #records = 0;

  /**
   * @param header for all formats but CSV.
   * @param onChunk called with the text, piece by piece; a piece is a view that is good during the call.
   */
  constructor(format: TextFormat, header: DumpHeader, onChunk: (bytes: Uint8Array) => void) {
    this.#format = format;
    this.#onChunk = onChunk;
    if (format === "csv") this.#text(CSV_HEADER);
    else if (format === "json") this.#text(jsonHeaderText(header));
    else this.#text(dumpHeaderText(header, format));
    this.visit = this.#visitor();
  }

  /** Writes a record; for `DatabaseFile.visitRecords`. */
  readonly visit: VisitRecord;

  /** Writes a record. */
  add(key: Uint8Array, data: Uint8Array): void {
    this.visit(bufferOf(key), 0, key.length, bufferOf(data), 0, data.length);
  }

  /** Writes what ends the text, and hands over what is left of it. */
  end(): void {
    if (this.#format === "json") this.#text(`${JSON.stringify({ end: true, records: this.#records })}\n`);
    else if (this.#format === "csv") this.#text(`end,${this.#records},\r\n`);
    else this.#text("DATA=END\n");
    this.#handOver();
  }

  #visitor(): VisitRecord {
    switch (this.#format) {
      case "bytevalue":
        return (keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
          this.#hexLine(keyBytes, keyStart, keyEnd);
          this.#hexLine(dataBytes, dataStart, dataEnd);
        };
      case "print":
        return (keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
          this.#printLine(keyBytes, keyStart, keyEnd);
          this.#printLine(dataBytes, dataStart, dataEnd);
        };
      case "json":
        return (keyBytes: Buffer, keyStart, keyEnd, dataBytes: Buffer, dataStart, dataEnd) => {
          this.#records += 1;
          this.#text("{");
          this.#jsonMember("key", keyBytes, keyStart, keyEnd);
          this.#text(",");
          this.#jsonMember("data", dataBytes, dataStart, dataEnd);
          this.#text("}\n");
        };
      case "csv":
        return (keyBytes: Buffer, keyStart, keyEnd, dataBytes: Buffer, dataStart, dataEnd) =>
          this.#csvRow(keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd);
    }
  }

  #hexLine(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    this.#room(2);
    out[this.#length++] = BLANK;
    for (let from = start; from < end; ) {
      if (CHUNK - this.#length < 2) this.#handOver();
      const to = Math.min(end, from + ((CHUNK - this.#length) >> 1));
      let at = this.#length;
      for (; from < to; from++) {
        const byte = bytes[from] as number;
        out[at++] = HIGH[byte] as number;
        out[at++] = LOW[byte] as number;
      }
      this.#length = at;
    }
    this.#room(1);
    out[this.#length++] = NEWLINE;
  }

  /** Printable is what isprint() takes for it in the C locale. */
  #printLine(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    this.#room(1);
    out[this.#length++] = BLANK;
    for (let from = start; from < end; ) {
      this.#room(3);
      // A byte takes three at most.
      const to = Math.min(end, from + Math.floor((CHUNK - this.#length) / 3));
      let at = this.#length;
      for (; from < to; from++) {
        const byte = bytes[from] as number;
        if (byte >= BLANK && byte <= TILDE && byte !== BACKSLASH) {
          out[at++] = byte;
          continue;
        }
        out[at++] = BACKSLASH;
        if (byte === BACKSLASH) {
          out[at++] = BACKSLASH;
        } else {
          out[at++] = HIGH[byte] as number;
          out[at++] = LOW[byte] as number;
        }
      }
      this.#length = at;
    }
    this.#room(1);
    out[this.#length++] = NEWLINE;
  }

  #jsonMember(name: "key" | "data", bytes: Buffer, start: number, end: number): void {
    if (isPlain(bytes, start, end)) {
      this.#text(`"${name}":"`);
      this.#copy(bytes, start, end);
      this.#text('"');
      return;
    }
    this.#text(jsonText(jsonMember(name, bytes.subarray(start, end))).slice(1, -1));
  }

  #csvRow(keyBytes: Buffer, keyStart: number, keyEnd: number, dataBytes: Buffer, dataStart: number, dataEnd: number): void {
    this.#records += 1;
    if (isCsvText(keyBytes, keyStart, keyEnd) && isCsvText(dataBytes, dataStart, dataEnd)) {
      this.#text("text,");
      this.#csvField(keyBytes, keyStart, keyEnd);
      this.#text(",");
      this.#csvField(dataBytes, dataStart, dataEnd);
      this.#text("\r\n");
    } else {
      this.#text(`base64,${keyBytes.toString("base64", keyStart, keyEnd)},${dataBytes.toString("base64", dataStart, dataEnd)}\r\n`);
    }
  }

  #csvField(bytes: Buffer, start: number, end: number): void {
    if (isUnquoted(bytes, start, end)) this.#copy(bytes, start, end);
    else this.#text(`"${bytes.toString("utf8", start, end).replaceAll('"', '""')}"`);
  }

  #copy(bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end; ) {
      this.#room(1);
      const to = Math.min(end, from + CHUNK - this.#length);
      this.#length += bytes.copy(this.#out, this.#length, from, to);
      from = to;
    }
  }

  #text(text: string): void {
    if (text.length * 3 <= CHUNK - this.#length) this.#length += this.#out.write(text, this.#length);
    else {
      const bytes = Buffer.from(text);
      this.#copy(bytes, 0, bytes.length);
    }
  }

  #room(bytes: number): void {
    if (CHUNK - this.#length < bytes) this.#handOver();
  }

  #handOver(): void {
    if (this.#length > 0) this.#onChunk(this.#out.subarray(0, this.#length));
    this.#length = 0;
  }
}

/** A key or data for JSON: text that is UTF-8 under its name, other bytes under its name with Base64 behind it. */
export function jsonMember(name: string, bytes: Uint8Array): Readonly<Record<string, string>> {
  const text = bufferOf(bytes);
  return isUtf8(text) ? { [name]: text.toString() } : { [`${name}Base64`]: text.toString("base64") };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Whether JSON has it as it is. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte < BLANK || byte > TILDE || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

/** Text for CSV is UTF-8 without control characters (but TAB), which programs that read CSV change or stop at. */
function isCsvText(bytes: Buffer, start: number, end: number): boolean {
  let isAscii = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if ((byte < BLANK && byte !== TAB) || byte === DELETE) return false;
    if (byte > TILDE) isAscii = false;
  }
  return isAscii || (isUtf8(bytes.subarray(start, end)) && !/[\x80-\x9f\p{Cf}\p{Zl}\p{Zp}]/u.test(bytes.toString("utf8", start, end)));
}

function isUnquoted(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE || byte === COMMA) return false;
  }
  return true;
}
