/**
 * Two maps compared: the same records, whatever the file? And the same file
 * format?
 */
import type { OpenDatabase, SourceText } from "./read-map.ts";

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

/**
 * Data by key; several, sorted, where a key has several records. As text of one
 * byte a character, which takes a third of the memory that byte arrays do.
 */
export type MapIndex = ReadonlyMap<string, string | readonly string[]>;

/** What a map says, read to be compared. */
export interface MapContent {
  readonly format: StorageFormat;
  readonly index: MapIndex;
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

function indexOf(map: OpenDatabase | SourceText): MapIndex {
  const index = new Map<string, string | string[]>();
  const add = (key: string, data: string): void => {
    const known = index.get(key);
    if (known === undefined) index.set(key, data);
    else if (typeof known === "string") index.set(key, [known, data]);
    else known.push(data);
  };
  if (map.kind === "source") for (const { key, data } of map.records) add(textOf(key), textOf(data));
  else {
    map.file.visitRecords((keyBytes: Buffer, keyStart, keyEnd, dataBytes: Buffer, dataStart, dataEnd) =>
      add(keyBytes.toString("latin1", keyStart, keyEnd), dataBytes.toString("latin1", dataStart, dataEnd)),
    );
  }
  for (const data of index.values()) if (typeof data !== "string") data.sort();
  return index;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function listOf(data: string | readonly string[] | undefined): readonly string[] {
  return data === undefined ? [] : typeof data === "string" ? [data] : data;
}

function compareIndexes(a: MapIndex, b: MapIndex): Pick<Comparison, "same" | "differences"> {
  let same = 0;
  const names: string[] = [];
  for (const [name, data] of a) {
    if (isSame(data, b.get(name))) same += 1;
    else names.push(name);
  }
  for (const name of b.keys()) if (!a.has(name)) names.push(name);
  const dataOf = (index: MapIndex, name: string): Uint8Array[] | undefined =>
    index.has(name) ? listOf(index.get(name)).map(bytesOf) : undefined;
  // The order of such text is that of its bytes.
  const differences = names.sort().map((name) => ({ key: bytesOf(name), a: dataOf(a, name), b: dataOf(b, name) }));
  return { same, differences };
}

function isSame(a: string | readonly string[], b: string | readonly string[] | undefined): boolean {
  if (typeof a === "string" || typeof b === "string" || b === undefined) return a === b;
  return a.length === b.length && a.every((data, i) => data === b[i]);
}

function nulMore(a: MapIndex, b: MapIndex): "a" | "b" | undefined {
  if (a.size !== b.size) return undefined;
  if (isWithNul(a, b)) return "b";
  return isWithNul(b, a) ? "a" : undefined;
}

/** Whether one index is the other with a NUL behind every key and all data. */
function isWithNul(plain: MapIndex, other: MapIndex): boolean {
  for (const [name, data] of plain) {
    const longer = other.get(name + NUL);
    if (longer === undefined) return false;
    const expected = listOf(data).map((text) => text + NUL);
    if (!isSame(listOf(longer), expected.sort())) return false;
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
