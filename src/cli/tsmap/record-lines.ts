/**
 * Records for the one who asked for them: as lines, or as JSON, with their
 * secrets masked unless they are wanted.
 *
 * A record is one line, whatever is in it: scripts take lines for records, and
 * what makes a key could add one. So control characters are spelt out as on a
 * terminal (a newline is \x0a), and so is a TAB in a key, which ends it. Nothing
 * else is changed, backslashes neither, which values have (DOMAIN\user): who
 * needs every byte takes JSON.
 */
import { isatty } from "node:tty";
import type { VisitRecord } from "../../hash-file/visit.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { maskRecord, mayHoldSecret } from "../../map-file/secrets.ts";
import type { Output } from "../output.ts";
import { shownBytes } from "../printable.ts";

export interface RecordLinesOptions {
  /** What of a record a line has: key, TAB and data, the key alone, or the data alone. */
  readonly parts: "both" | "key" | "data";
  readonly isJson: boolean;
  readonly showSecrets: boolean;
}

const NUL = 0x00;
const TAB = 0x09;
const NEWLINE = 0x0a;
const BLANK = 0x20;
const DELETE = 0x7f;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;
const DIGITS = Buffer.from("0123456789abcdef");
/** \x0a, where a byte was. */
const SPELT_LENGTH = 4;
const ROOM = 1 << 16;

export class RecordLines {
  readonly #output: Output;
  readonly #options: RecordLinesOptions;
  /** To a terminal bytes that are no text are spelt out too; any other reader gets them. */
  readonly #isTerminal = isatty(1);
  /** Lines that are on their way to the output. */
  #lines = Buffer.allocUnsafe(ROOM);
  #length = 0;

  constructor(output: Output, options: RecordLinesOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** Writes a record; the bytes are not kept. */
  add(key: Uint8Array, data: Uint8Array): void {
    this.visit(bufferOf(key), 0, key.length, bufferOf(data), 0, data.length);
  }

  /**
   * Writes a record, for `DatabaseFile.visitRecords`.
   * @throws {OutputError}
   */
  readonly visit: VisitRecord = (keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
    const { showSecrets, isJson } = this.#options;
    const mayMask = !showSecrets && mayHoldSecret(keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd);
    if (!mayMask && !isJson && !this.#isTerminal) {
      this.#line(keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd);
      return;
    }
    const key = keyBytes.subarray(keyStart, keyEnd);
    const data = dataBytes.subarray(dataStart, dataEnd);
    const record = mayMask ? maskRecord(key, data) : { key, data, isMasked: false };
    if (isJson) this.#text(this.#json(record.key, record.data, record.isMasked));
    else if (this.#isTerminal) this.#text(this.#shown(bufferOf(record.key), bufferOf(record.data)));
    else this.#line(bufferOf(record.key), 0, record.key.length, bufferOf(record.data), 0, record.data.length);
  };

  /** Hands the last lines to the output. */
  end(): void {
    this.#output.write(this.#lines.subarray(0, this.#length));
    this.#length = 0;
    this.#lines = Buffer.alloc(0);
  }

  #json(key: Uint8Array, data: Uint8Array, masked: boolean): string {
    const members = { ...jsonMember("key", key), ...(this.#options.parts === "key" ? {} : jsonMember("data", data)) };
    return `${jsonText(masked ? { ...members, masked } : members)}\n`;
  }

  #shown(key: Buffer, data: Buffer): string {
    const { parts } = this.#options;
    const text = (bytes: Buffer): string => shownBytes(bytes.subarray(0, endOf(bytes, 0, bytes.length)));
    return `${parts === "data" ? "" : text(key)}${parts === "both" ? "\t" : ""}${parts === "key" ? "" : text(data)}\n`;
  }

  #line: VisitRecord = (keyBytes: Buffer, keyStart, keyEnd, dataBytes: Buffer, dataStart, dataEnd) => {
    const { parts } = this.#options;
    this.#room(SPELT_LENGTH * (keyEnd - keyStart + dataEnd - dataStart) + 2);
    if (parts !== "data") this.#copy(keyBytes, keyStart, endOf(keyBytes, keyStart, keyEnd), true);
    if (parts === "both") this.#lines[this.#length++] = TAB;
    if (parts !== "key") this.#copy(dataBytes, dataStart, endOf(dataBytes, dataStart, dataEnd), false);
    this.#lines[this.#length++] = NEWLINE;
  };

  /** Byte by byte: for what is mostly short that is faster than a call. */
  #copy(bytes: Buffer, start: number, end: number, isKey: boolean): void {
    const lines = this.#lines;
    let at = this.#length;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if ((byte >= BLANK && byte !== DELETE) || (byte === TAB && !isKey)) {
        lines[at++] = byte;
        continue;
      }
      lines[at++] = BACKSLASH;
      lines[at++] = LETTER_X;
      lines[at++] = DIGITS[byte >> 4] as number;
      lines[at++] = DIGITS[byte & 15] as number;
    }
    this.#length = at;
  }

  #text(text: string): void {
    this.#room(3 * text.length);
    this.#length += this.#lines.write(text, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#lines.length) return;
    this.#output.write(this.#lines.subarray(0, this.#length));
    // The output has taken it on return.
    this.#output.flushNow();
    this.#length = 0;
    if (bytes > this.#lines.length) this.#lines = Buffer.allocUnsafe(bytes);
  }
}

/** Where they end without the NUL that a map may have behind its keys and data. */
function endOf(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === NUL ? end - 1 : end;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
