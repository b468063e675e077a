/**
 * Records for the one who asked for them: as lines, or as JSON, with their
 * secrets masked unless they are wanted.
 */
import { jsonMember } from "../../map-file/dump-text.ts";
import { maskRecord } from "../../map-file/secrets.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";

export interface RecordLinesOptions {
  /** What of a record a line has: key, TAB and data, the key alone, or the data alone. */
  readonly parts: "both" | "key" | "data";
  readonly isJson: boolean;
  readonly showSecrets: boolean;
}

const NUL = 0x00;
const TAB = Buffer.from("\t");
const NEWLINE = Buffer.from("\n");

export class RecordLines {
  readonly #output: Output;
  readonly #options: RecordLinesOptions;
  /** To a terminal control characters do nothing; any other reader gets the bytes. */
  readonly #isTerminal = process.stdout.isTTY === true;

  constructor(output: Output, options: RecordLinesOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** Writes a record; the bytes are not kept. */
  add(key: Uint8Array, data: Uint8Array): void {
    const { showSecrets, isJson } = this.#options;
    const record = showSecrets ? { key, data, isMasked: false } : maskRecord(key, data);
    if (isJson) this.#output.write(this.#json(record.key, record.data, record.isMasked));
    else this.#line(record.key, record.data);
    if (this.#output.isFull) this.#output.push();
  }

  #json(key: Uint8Array, data: Uint8Array, masked: boolean): string {
    const members = { ...jsonMember("key", key), ...(this.#options.parts === "key" ? {} : jsonMember("data", data)) };
    return `${JSON.stringify(masked ? { ...members, masked } : members)}\n`;
  }

  #line(key: Uint8Array, data: Uint8Array): void {
    const { parts } = this.#options;
    const both = parts === "both" ? [withoutNul(key), TAB, withoutNul(data)] : [withoutNul(parts === "key" ? key : data)];
    if (this.#isTerminal) this.#output.write(`${both.map((part) => (part === TAB ? "\t" : printable(part.toString()))).join("")}\n`);
    // A copy: what is gathered is written later.
    else this.#output.write(Buffer.concat([...both, NEWLINE]));
  }
}

/** Without the NUL that a map may have behind its keys and data. */
function withoutNul(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.at(-1) === NUL ? bytes.length - 1 : bytes.length);
}
