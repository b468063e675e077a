/**
 * What a map is for, by its records.
 */
import { newKeys } from "../hash-file/visit.ts";
import { AUTHINFO_TAG, foldByte } from "../makemap/map-key.ts";
import { holdsSecret, mayHoldSecret } from "./secrets.ts";

const NUL = 0x00;
/** In lower case: what sendmail looks up is folded. */
const FOLDED_TAG = Buffer.from(AUTHINFO_TAG.toLowerCase());

/**
 * "access": a map with entries for authentication among others. "passwords": a
 * password in every record, as in Postfix's sasl_passwd maps.
 */
export type MapKind = "authinfo" | "access" | "passwords" | "sasldb" | "aliases" | "map" | "empty";

/** Whether keys, or data, end in a NUL (makemap -N): all of them, none, or some. */
export type NulUse = "all" | "none" | "some";

/** Counts records as they are read; keeps none. */
export class RecordCounter {
  records = 0;
  /** Bytes of all keys and data. */
  bytes = 0;
  longestKey = 0;
  longestData = 0;
  /** Keys with upper-case letters, which a map that folds its keys never finds. */
  upperCaseKeys = 0;
  /** Records in which something is secret, as `maskRecord` takes it. */
  secrets = 0;
  #keyNuls = 0;
  #dataNuls = 0;
  #authinfo = 0;
  #sasldb = 0;
  #hasAliasMark = false;
  readonly #isNew = newKeys();
  /** Of the key of the last record. */
  #key = { endsInNul: false, hasUpperCase: false, isAuthinfo: false, isSasldb: false };

  /** @param key with where in it the key begins and ends; so for the data. */
  add(key: Uint8Array, keyStart: number, keyEnd: number, data: Uint8Array, dataStart: number, dataEnd: number): void {
    this.records += 1;
    const keyLength = keyEnd - keyStart;
    const dataLength = dataEnd - dataStart;
    this.bytes += keyLength + dataLength;
    this.longestKey = Math.max(this.longestKey, keyLength);
    this.longestData = Math.max(this.longestData, dataLength);
    if (this.#isNew(key, keyStart, keyEnd))
      this.#key = {
        endsInNul: keyLength > 0 && key[keyEnd - 1] === NUL,
        hasUpperCase: hasUpperCase(key, keyStart, keyEnd),
        isAuthinfo: beginsWithTag(key, keyStart, keyEnd),
        isSasldb: isSasldbKey(key, keyStart, keyEnd),
      };
    if (this.#key.endsInNul) this.#keyNuls += 1;
    if (dataLength > 0 && data[dataEnd - 1] === NUL) this.#dataNuls += 1;
    if (this.#key.hasUpperCase) this.upperCaseKeys += 1;
    if (this.#key.isAuthinfo) this.#authinfo += 1;
    if (this.#key.isSasldb) this.#sasldb += 1;
    if (
      mayHoldSecret(key, keyStart, keyEnd, data, dataStart, dataEnd) &&
      holdsSecret(key.subarray(keyStart, keyEnd), data.subarray(dataStart, dataEnd))
    )
      this.secrets += 1;
    // Sendmail's aliases say by this record that they are complete.
    if (key[keyStart] === 0x40 && (keyLength === 1 || (keyLength === 2 && key[keyEnd - 1] === NUL))) this.#hasAliasMark = true;
  }

  get kind(): MapKind {
    if (this.records === 0) return "empty";
    if (this.#sasldb === this.records) return "sasldb";
    if (this.#authinfo === this.records) return "authinfo";
    if (this.#authinfo > 0) return "access";
    if (this.secrets === this.records) return "passwords";
    return this.#hasAliasMark ? "aliases" : "map";
  }

  get keyNuls(): NulUse {
    return use(this.#keyNuls, this.records);
  }

  get dataNuls(): NulUse {
    return use(this.#dataNuls, this.records);
  }
}

/** What records are for. */
export function kindOfRecords(records: Iterable<{ readonly key: Uint8Array; readonly data: Uint8Array }>): MapKind {
  const counter = new RecordCounter();
  for (const { key, data } of records) counter.add(bufferOf(key), 0, key.length, bufferOf(data), 0, data.length);
  return counter.kind;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function use(count: number, of: number): NulUse {
  return count === 0 ? "none" : count === of ? "all" : "some";
}

function beginsWithTag(key: Uint8Array, start: number, end: number): boolean {
  if (end - start < FOLDED_TAG.length) return false;
  for (let i = 0; i < FOLDED_TAG.length; i++) if (foldByte(key[start + i] as number) !== FOLDED_TAG[i]) return false;
  return true;
}

function hasUpperCase(key: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (foldByte(key[i] as number) !== key[i]) return true;
  return false;
}

/** User, realm and property with a NUL between them. */
function isSasldbKey(key: Uint8Array, start: number, end: number): boolean {
  let count = 0;
  for (let i = start; i < end; i++) if (key[i] === NUL) count += 1;
  return count === 2 && key[start] !== NUL && key[end - 1] !== NUL;
}
