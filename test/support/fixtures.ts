/**
 * The files of fixtures/ and what they are known to hold. Tests open copies,
 * or the originals for reading alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The root of the repository. This file runs from .build/test/support. */
export const rootFolder: string = fileURLToPath(new URL("../../../", import.meta.url));
export const fixturesFolder: string = `${rootFolder}fixtures/`;

export interface DatabaseFixture {
  /** Without ".db". */
  readonly name: string;
  readonly path: string;
  /** The records, in words. */
  readonly content: string;
  readonly type: "hash" | "btree";
  readonly version: number;
  readonly byteOrder: "little" | "big";
  readonly pageSize: number;
  readonly size: number;
  readonly library: string;
  readonly sha256: string;
  /** Sorted by key; duplicates of a key in the order of a cursor. */
  readonly records: readonly (readonly [key: Uint8Array, data: Uint8Array])[];
  readonly duplicates?: "insertion order" | "sorted";
  /** Deleted data of which some is whole in the file. */
  readonly residue?: readonly Uint8Array[];
}

export interface CorruptFixture {
  readonly name: string;
  readonly path: string;
  readonly broken: string;
  readonly size: number;
  readonly sha256: string;
}

interface DatabaseJson extends Omit<DatabaseFixture, "name" | "path" | "records" | "residue"> {
  readonly records: readonly (readonly [string, string])[];
  readonly residue?: { readonly examples: readonly string[] };
}

const decode = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

function names(folder: string): string[] {
  const found = readdirSync(folder).filter((name) => name.endsWith(".db"));
  if (found.length === 0) throw new Error(`no fixtures in ${folder}`);
  return found.map((name) => name.slice(0, -3)).sort();
}

/** fixtures/db: real files of many versions of Berkeley DB. */
export function databaseFixtures(): DatabaseFixture[] {
  return names(`${fixturesFolder}db`).map(databaseFixture);
}

export function databaseFixture(name: string): DatabaseFixture {
  const path = `${fixturesFolder}db/${name}.db`;
  const json = JSON.parse(readFileSync(path.replace(/db$/, "json"), "utf8")) as DatabaseJson;
  const { residue, records, ...rest } = json;
  return {
    ...rest,
    name,
    path,
    records: records.map(([key, data]) => [decode(key), decode(data)] as const),
    ...(residue && { residue: residue.examples.map(decode) }),
  };
}

/** fixtures/corrupt: damaged files. */
export function corruptFixtures(): CorruptFixture[] {
  return names(`${fixturesFolder}corrupt`).map((name) => {
    const path = `${fixturesFolder}corrupt/${name}.db`;
    const json = JSON.parse(readFileSync(path.replace(/db$/, "json"), "utf8")) as CorruptFixture;
    return { ...json, name, path };
  });
}
