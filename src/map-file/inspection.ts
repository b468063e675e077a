/**
 * What a database file is, what it holds, and what is wrong with it.
 */
import type { FileHandle } from "berkeley-db-js";
import { USUAL_HASH_CHECK } from "../hash-file/check.ts";
import { type Reader, readersOf } from "../hash-file/compatibility.ts";
import { DatabaseFile, type Layout } from "../hash-file/database-file.ts";
import type { HashFileError } from "../hash-file/error.ts";
import { type PageKind, type PageUse, surveyPages } from "../hash-file/page-survey.ts";
import { type MapKind, type NulUse, RecordCounter } from "./map-kind.ts";
import { ResidueCounter } from "./residue.ts";

export interface Inspection {
  readonly format: {
    readonly type: "hash" | "btree";
    readonly version: number;
    readonly byteOrder: "little" | "big";
    /** Bytes. */
    readonly pageSize: number;
    readonly duplicates: "unsorted" | "sorted" | false;
    readonly hasChecksums: boolean;
    /** 40 hexadecimal digits; none in a file of 1.85. */
    readonly fileId?: string;
    readonly buckets?: number;
    /** Keys a bucket, as asked for when the file was made; 0 for none. */
    readonly fillFactor?: number;
    /** Whether the keys are where the usual hash function puts them. */
    readonly hasUsualHash?: boolean;
  };
  /** Bytes. */
  readonly size: number;
  readonly pages: { readonly total: number } & Readonly<Partial<Record<PageKind, number>>>;
  /** How much of the pages that hold records is used, from 0 to 1. */
  readonly fill: number;
  readonly readers: readonly Reader[];
  readonly content: {
    readonly kind: MapKind;
    readonly records: number;
    /** Bytes of all keys and data. */
    readonly bytes: number;
    readonly longestKey: number;
    readonly longestData: number;
    readonly keyNuls: NulUse;
    readonly dataNuls: NulUse;
    readonly upperCaseKeys: number;
    /** Records that hold a password or another secret. */
    readonly secrets: number;
  };
  /** What was deleted or moved, and still stands in unused space. */
  readonly residue: { readonly bytes: number; readonly pages: number; readonly texts: number; readonly mayBeSecret: boolean };
  /** Each names its page; empty for a sound file. */
  readonly damage: readonly string[];
}

/** Of a file with very much damage so much is told. */
const MOST_DAMAGE = 20;

/**
 * Reads a whole file, and never writes.
 * @param file stays the caller's.
 * @param onPage called for each page in turn.
 * @throws {HashFileError} no database that is read here, or so damaged that nothing can be said of it.
 */
export function inspect(file: FileHandle, onPage: (use: PageUse) => void = () => {}): Inspection {
  const database = new DatabaseFile(file);
  const { layout } = database;
  const content = new RecordCounter();
  const damage: string[] = [];
  let damages = 0;
  const onDamage = (error: HashFileError): void => {
    damages += 1;
    if (damage.length < MOST_DAMAGE) damage.push(error.message);
  };
  const reader = database.visitRecords((...place) => content.add(...place), { onDamage });

  const residue = new ResidueCounter();
  const pages: Partial<Record<PageKind, number>> = {};
  const data = { used: 0, size: 0 };
  surveyPages(reader, layout, (use, bytes) => {
    pages[use.kind] = (pages[use.kind] ?? 0) + 1;
    residue.add(bufferOf(bytes).subarray(...use.unused), use.residue);
    if (holdsRecords(use.kind)) {
      data.used += use.used;
      data.size += layout.pageSize;
    }
    onPage(use);
  });
  return {
    format: formatOf(layout),
    size: file.size(),
    pages: { total: layout.pages, ...pages },
    fill: data.size === 0 ? 0 : data.used / data.size,
    readers: readersOf(layout.type, layout.version),
    content: {
      kind: content.kind,
      records: content.records,
      bytes: content.bytes,
      longestKey: content.longestKey,
      longestData: content.longestData,
      keyNuls: content.keyNuls,
      dataNuls: content.dataNuls,
      upperCaseKeys: content.upperCaseKeys,
      secrets: content.secrets,
    },
    residue: { bytes: residue.bytes, pages: residue.pages, texts: residue.texts, mayBeSecret: residue.mayBeSecret },
    damage: damages > damage.length ? [...damage, `damaged: in ${damages - damage.length} more places`] : damage,
  };
}

/** Whether pages of a kind hold keys and data. */
function holdsRecords(kind: PageKind): boolean {
  return kind === "bucket" || kind === "chained" || kind === "overflow" || kind === "leaf" || kind === "duplicates";
}

function formatOf(layout: Layout): Inspection["format"] {
  const { type, version, byteOrder, pageSize, duplicates, hasChecksums, fileId } = layout;
  const common = { type, version, byteOrder, pageSize, duplicates, hasChecksums };
  const id = fileId.length === 0 ? {} : { fileId: Buffer.from(fileId).toString("hex") };
  if (layout.type === "btree") return { ...common, ...id };
  const { maxBucket, fillFactor, hashCheck } = layout;
  const isOlder = version < 5;
  return { ...common, ...id, buckets: maxBucket + 1, fillFactor, ...(isOlder ? {} : { hasUsualHash: hashCheck === USUAL_HASH_CHECK }) };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
