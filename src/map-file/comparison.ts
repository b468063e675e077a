/**
 * Two maps compared: the same records, whatever the file? And the same file
 * format?
 */
import { type OpenDatabase, recordsOf, type SourceText } from "./read-map.ts";

/** The data of a key, where a map has it; several where it has duplicates. */
export interface Difference {
  readonly key: Uint8Array;
  /** Sorted; undefined where the map has no such key. */
  readonly a: readonly Uint8Array[] | undefined;
  readonly b: readonly Uint8Array[] | undefined;
}

/** What a map is stored as; a source text has none of it but the kind. */
export interface StorageFormat {
  readonly kind: "hash" | "btree" | "source text";
  readonly version?: number;
  readonly byteOrder?: "little" | "big";
  /** Bytes. */
  readonly pageSize?: number;
  readonly duplicates?: "unsorted" | "sorted" | false;
}

export interface FormatDifference {
  readonly property: keyof StorageFormat;
  readonly a: string;
  readonly b: string;
}

export interface Comparison {
  /** Keys that both have with the same data. */
  readonly same: number;
  /** Sorted by key. */
  readonly differences: readonly Difference[];
  readonly formats: { readonly a: StorageFormat; readonly b: StorageFormat };
  readonly formatDifferences: readonly FormatDifference[];
  /** The map in which every key and all data have a NUL more, and nothing else is different (makemap -N). */
  readonly hasNulMore: "a" | "b" | undefined;
}

/** Data by key; keys as latin1 text. */
type Index = ReadonlyMap<string, readonly Uint8Array[]>;

/** What a map says, read to be compared. */
export interface MapContent {
  readonly format: StorageFormat;
  readonly index: Index;
}

/** Reads a map, which may be closed afterwards. */
export function readContent(map: OpenDatabase | SourceText): MapContent {
  return { format: formatOf(map), index: indexOf(map) };
}

const NUL = "\0";

/**
 * Compares records as bytes. The order of a key's duplicates does not count,
 * nor do files: byte order, version, page size, type, what is deleted.
 */
export function compareMaps(a: MapContent, b: MapContent): Comparison {
  const { same, differences } = compareIndexes(a.index, b.index);
  return {
    same,
    differences,
    formats: { a: a.format, b: b.format },
    formatDifferences: compareFormats(a.format, b.format),
    hasNulMore: differences.length === 0 ? undefined : nulMore(a.index, b.index),
  };
}

function indexOf(map: OpenDatabase | SourceText): Index {
  const index = new Map<string, Uint8Array[]>();
  for (const { key, data } of recordsOf(map)) {
    const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
    const known = index.get(name);
    if (known === undefined) index.set(name, [data]);
    else known.push(data);
  }
  for (const several of index.values()) several.sort(Buffer.compare);
  return index;
}

function compareIndexes(a: Index, b: Index): Pick<Comparison, "same" | "differences"> {
  let same = 0;
  const names: string[] = [];
  for (const [name, data] of a) {
    if (isSame(data, b.get(name))) same += 1;
    else names.push(name);
  }
  for (const name of b.keys()) if (!a.has(name)) names.push(name);
  const differences = names.map((name) => ({ key: new Uint8Array(Buffer.from(name, "latin1")), a: a.get(name), b: b.get(name) }));
  return { same, differences: differences.sort((one, other) => Buffer.compare(one.key, other.key)) };
}

function isSame(a: readonly Uint8Array[], b: readonly Uint8Array[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((data, i) => Buffer.compare(data, b[i] as Uint8Array) === 0);
}

function nulMore(a: Index, b: Index): "a" | "b" | undefined {
  if (a.size !== b.size) return undefined;
  if (isWithNul(a, b)) return "b";
  return isWithNul(b, a) ? "a" : undefined;
}

/** Whether one index is the other with a NUL behind every key and all data. */
function isWithNul(plain: Index, other: Index): boolean {
  for (const [name, data] of plain) {
    const same = other.get(name + NUL)?.map((with_) => (with_.at(-1) === 0 ? with_.subarray(0, -1) : undefined));
    if (same === undefined || same.length !== data.length) return false;
    if (!same.every((bytes, i) => bytes !== undefined && Buffer.compare(bytes, data[i] as Uint8Array) === 0)) return false;
  }
  return true;
}

function formatOf(map: OpenDatabase | SourceText): StorageFormat {
  if (map.kind === "source") return { kind: "source text" };
  const { type, version, byteOrder, pageSize, duplicates } = map.file.layout;
  return { kind: type, version, byteOrder, pageSize, duplicates };
}

/** A source text is stored in no way that could be compared. */
function compareFormats(a: StorageFormat, b: StorageFormat): FormatDifference[] {
  if (a.kind === "source text" || b.kind === "source text") return [];
  const properties = ["kind", "version", "byteOrder", "pageSize", "duplicates"] as const;
  return properties
    .filter((property) => a[property] !== b[property])
    .map((property) => ({ property, a: String(a[property]), b: String(b[property]) }));
}
