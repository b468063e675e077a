/**
 * Records packed for the engine: one after another, each a key length and a
 * data length (32 bits, little-endian, unaligned), the key and the data.
 * bdb.h describes the same layout.
 */
import { checkBytes } from "./options.ts";

const HEADER = 8;
/** Bytes, as the length of a record has room for. */
const LONGEST = 0xffff_ffff;

/** A record: copies that the caller owns, but where the text says that they are views. */
export type DatabaseRecord = [key: Uint8Array, data: Uint8Array];

/**
 * A buffer of records for `Database.putMany`. It grows to what is put into it;
 * after `clear()` it is used again without growing.
 */
export class RecordBatch {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #count = 0;

  /** @param capacity bytes to begin with: 8 a record, and those of its key and data. */
  constructor(capacity = 65536) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** The number of records. */
  get count(): number {
    return this.#count;
  }

  /** The bytes in use, 8 a record included. */
  get byteLength(): number {
    return this.#length;
  }

  /** Copies a record in, keys and data from 0 bytes up. */
  append(key: Uint8Array, data: Uint8Array): void {
    checkBytes("key", key);
    checkBytes("data", data);
    const at = this.reserve(key.length, data.length);
    this.#bytes.set(key, at);
    this.#bytes.set(data, at + key.length);
  }

  /**
   * Makes room for a record that the caller writes itself, into `bytes`: its
   * key at the offset returned, its data behind the key.
   * @throws {RangeError} a length that no record has.
   */
  reserve(keyLength: number, dataLength: number): number {
    for (const length of [keyLength, dataLength])
      if (!Number.isSafeInteger(length) || length < 0 || length > LONGEST) throw new RangeError(`a length of ${length} bytes`);
    const at = this.#length + HEADER;
    const end = at + keyLength + dataLength;
    if (end > this.#bytes.length) this.#grow(end);
    const bytes = this.#bytes;
    writeUint32(bytes, at - HEADER, keyLength);
    writeUint32(bytes, at - HEADER + 4, dataLength);
    this.#length = end;
    this.#count += 1;
    return at;
  }

  /** The buffer itself, until the next `reserve` or `append`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** A view of the packed records, until the next change. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The records in their order: views, until the next change. */
  [Symbol.iterator](): Generator<DatabaseRecord, void, undefined> {
    return viewRecords(this.view());
  }

  /** Forgets the records and overwrites them with zeros. */
  clear(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 0;
    this.#count = 0;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes.fill(0);
    this.#bytes = grown;
  }
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Reads packed records; each is a copy. At the end the bytes are overwritten. */
export function* unpackRecords(bytes: Uint8Array): Generator<DatabaseRecord, void, undefined> {
  try {
    for (const [key, data] of viewRecords(bytes)) yield [key.slice(), data.slice()];
  } finally {
    bytes.fill(0);
  }
}

function* viewRecords(bytes: Uint8Array): Generator<DatabaseRecord, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const keyEnd = at + HEADER + view.getUint32(at, true);
    const dataEnd = keyEnd + view.getUint32(at + 4, true);
    yield [bytes.subarray(at + HEADER, keyEnd), bytes.subarray(keyEnd, dataEnd)];
    at = dataEnd;
  }
}
