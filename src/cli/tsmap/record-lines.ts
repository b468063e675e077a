/**
 * Records for the one who asked for them: as lines, or as JSON, with their
 * secrets masked unless they are wanted.
 */
import { isatty } from "node:tty";
import type { VisitRecord } from "../../hash-file/visit.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { maskRecord, mayHoldSecret } from "../../map-file/secrets.ts";
import type { Output } from "../output.ts";
import { shownBytes } from "./bytes.ts";

export interface RecordLinesOptions {
  /** What of a record a line has: key, TAB and data, the key alone, or the data alone. */
  readonly parts: "both" | "key" | "data";
  readonly isJson: boolean;
  readonly showSecrets: boolean;
}

const NUL = 0x00;
const TAB = 0x09;
const NEWLINE = 0x0a;
const ROOM = 1 << 16;

export class RecordLines {
  readonly #output: Output;
  readonly #options: RecordLinesOptions;
  /** To a terminal control characters do nothing; any other reader gets the bytes. */
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
    return `${JSON.stringify(masked ? { ...members, masked } : members)}\n`;
  }

  #shown(key: Buffer, data: Buffer): string {
    const { parts } = this.#options;
    const text = (bytes: Buffer): string => shownBytes(bytes.subarray(0, endOf(bytes, 0, bytes.length)));
    return `${parts === "data" ? "" : text(key)}${parts === "both" ? "\t" : ""}${parts === "key" ? "" : text(data)}\n`;
  }

  #line: VisitRecord = (keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
    const { parts } = this.#options;
    this.#room(keyEnd - keyStart + dataEnd - dataStart + 2);
    if (parts !== "data") this.#copy(keyBytes, keyStart, endOf(keyBytes, keyStart, keyEnd));
    if (parts === "both") this.#lines[this.#length++] = TAB;
    if (parts !== "key") this.#copy(dataBytes, dataStart, endOf(dataBytes, dataStart, dataEnd));
    this.#lines[this.#length++] = NEWLINE;
  };

  /** Byte by byte: for what is mostly short that is faster than a call. */
  #copy(bytes: Buffer, start: number, end: number): void {
    const lines = this.#lines;
    let at = this.#length;
    for (let i = start; i < end; i++) lines[at++] = bytes[i] as number;
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
