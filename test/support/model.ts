/**
 * What a database must do, over a Map: keys and data are latin1 text, whose
 * order is that of the bytes.
 */
import type { PutMode } from "berkeley-db-js";
import { compare } from "./bytes.ts";

export type Duplicates = "unsorted" | "sorted" | false;
export type Pair = readonly [key: string, data: string];

export class RecordModel {
  readonly duplicates: Duplicates;
  readonly #records = new Map<string, string[]>();

  constructor(duplicates: Duplicates) {
    this.duplicates = duplicates;
  }

  /** @returns false where DB_KEYEXIST refuses it. */
  put(key: string, data: string, mode: PutMode): boolean {
    const present = this.#records.get(key);
    if (mode === "insert" && present !== undefined) return false;
    if (mode !== "duplicate" || present === undefined) {
      this.#records.set(key, [data]);
      return true;
    }
    if (this.duplicates === "unsorted") {
      present.push(data);
      return true;
    }
    if (present.includes(data)) return false;
    present.push(data);
    present.sort(compare);
    return true;
  }

  delete(key: string): boolean {
    return this.#records.delete(key);
  }

  get(key: string): string | undefined {
    return this.#records.get(key)?.[0];
  }

  /** The data of a key, which may be changed in place; of a key without data, forget it. */
  dataOf(key: string): string[] | undefined {
    return this.#records.get(key);
  }

  get keyCount(): number {
    return this.#records.size;
  }

  /** All records: the keys in the order of a btree, the data of each in theirs. */
  pairs(): Pair[] {
    const keys = [...this.#records.keys()].sort(compare);
    return keys.flatMap((key) => (this.#records.get(key) ?? []).map((data): Pair => [key, data]));
  }
}

/** Puts records that were read in any order of keys into the order of `pairs()`; those of a key stay in theirs. */
export function byKey(pairs: Iterable<Pair>): Pair[] {
  return Array.from(pairs).sort((a, b) => compare(a[0], b[0]));
}
