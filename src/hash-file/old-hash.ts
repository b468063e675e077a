/**
 * Hash files of Berkeley DB 1.85 (version 2), another layout than all others.
 *
 * Layout: hash.h, page.h, hash_page.c and hash_bigkey.c of 1.85. The header is
 * big-endian whatever the pages are. A page is an array of 16-bit numbers: how
 * many there are, then two for each pair (where the key begins, where the data
 * begin; both grow down from the end), or one and a mark where a pair is long
 * or the page has a successor. Such a page is named by 16 bits: which doubling
 * of the table it was made in, and which one of that it is.
 */
import { damaged, HashFileError } from "./error.ts";
import { bucketPages } from "./layout.ts";
import type { OldHashLayout } from "./old-hash-layout.ts";
import { type PageReader, u16 } from "./page-reader.ts";
import type { VisitRecord } from "./visit.ts";

/** The marks that stand where a pair would have the place of its data. */
const Mark = { overflow: 0, partialKey: 1, fullKey: 2, fullKeyData: 3, leastOffset: 4 } as const;

/** Calls `visit` for each record, in the order of 1.85's own `seq`; yields after each page of a bucket. */
export class OldHashWalk {
  readonly #reader: PageReader;
  readonly #layout: OldHashLayout;
  readonly #visit: VisitRecord;
  readonly #onDamage: ((damage: HashFileError) => void) | undefined;

  constructor(
    reader: PageReader,
    layout: OldHashLayout,
    visit: VisitRecord,
    { onDamage }: { readonly onDamage?: ((damage: HashFileError) => void) | undefined } = {},
  ) {
    this.#reader = reader;
    this.#layout = layout;
    this.#visit = visit;
    this.#onDamage = onDamage;
  }

  *steps(): Generator<void, void, undefined> {
    const { headerPages, bitmapPages } = this.#layout;
    for (let page = 0; page < headerPages; page++) this.#reader.take(page);
    for (const page of bitmapPages) this.#try(() => void this.#reader.take(page));
    for (const [, first] of bucketPages(this.#layout, true)) {
      for (let page: number | undefined = first; page !== undefined; yield) page = this.#try(() => this.#page(page as number));
    }
  }

  #try<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      if (this.#onDamage === undefined || !(error instanceof HashFileError)) throw error;
      this.#onDamage(error);
      return undefined;
    }
  }

  /** Returns the next page of the bucket; undefined at its end. */
  #page(number: number): number | undefined {
    const page = this.#take(number);
    const count = this.#number(page, 0);
    let end = page.length;
    for (let i = 1; i <= count; i += 2) {
      const mark = this.#number(page, i + 1);
      if (mark === Mark.overflow) return this.#layout.namedPage(this.#number(page, i));
      if (mark < Mark.leastOffset) return this.#long(number, page, i);
      const key = this.#number(page, i);
      if (key > end || mark > key || mark < 2 * (count + 3)) throw damaged(number, `item ${i} lies outside`);
      this.#visit(page, key, end, page, mark, key);
      end = mark;
    }
    return undefined;
  }

  /**
   * A pair that has pages of its own: first the pieces of the key, then those
   * of the data. Where they meet a page can have both.
   */
  #long(first: number, firstPage: Buffer, at: number): number | undefined {
    const key: Buffer[] = [];
    const data: Buffer[] = [];
    let number = first;
    let page = firstPage;
    let mark = this.#number(page, at + 1);
    key.push(this.#piece(page, number, at));
    while (mark === Mark.partialKey) {
      [number, page] = this.#follow(number, page);
      mark = this.#number(page, 2);
      key.push(this.#piece(page, number, 1));
    }
    if (mark === Mark.fullKeyData) {
      // The data begin on the key's last page, and end there if any of it is left.
      const count = this.#number(page, 0);
      const start = this.#number(page, count);
      const end = this.#number(page, number === first ? at : 1);
      if (start > end || start < 2 * (count + 1)) throw damaged(number, "data lie outside");
      data.push(Buffer.from(page.subarray(start, end)));
      if (this.#number(page, count + 1) !== 0) {
        this.#visitLong(key, data);
        return this.#after(page);
      }
    } else if (mark !== Mark.fullKey) {
      throw damaged(number, `a long key with the mark ${mark}`);
    }
    do {
      [number, page] = this.#follow(number, page);
      mark = this.#number(page, 2);
      if (mark !== Mark.fullKey && mark !== Mark.fullKeyData) throw damaged(number, `long data with the mark ${mark}`);
      data.push(this.#piece(page, number, 1));
    } while (mark !== Mark.fullKeyData);
    this.#visitLong(key, data);
    return this.#after(page);
  }

  #visitLong(keyParts: readonly Buffer[], dataParts: readonly Buffer[]): void {
    const key = Buffer.concat(keyParts);
    const data = Buffer.concat(dataParts);
    this.#visit(key, 0, key.length, data, 0, data.length);
  }

  /** The page that the last but one number of a page names. */
  #after(page: Buffer): number | undefined {
    const count = this.#number(page, 0);
    return count <= 2 ? undefined : this.#layout.namedPage(this.#number(page, count - 1));
  }

  #follow(number: number, page: Buffer): [number: number, page: Buffer] {
    const next = this.#after(page);
    if (next === undefined) throw damaged(number, "a long item has no end");
    const taken = this.#take(next, number);
    if (this.#number(taken, 0) === 0) throw damaged(next, "of no numbers, and a long item goes on there");
    return [next, taken];
  }

  /** From where an item begins to the end of the page. */
  #piece(page: Buffer, number: number, at: number): Buffer {
    const start = this.#number(page, at);
    const end = at === 1 ? page.length : this.#number(page, at - 1);
    if (start > end || start < 2 * (this.#number(page, 0) + 1)) throw damaged(number, "a long item lies outside");
    return Buffer.from(page.subarray(start, end));
  }

  #take(number: number, from = 0): Buffer {
    const page = this.#reader.take(number, from);
    const count = this.#number(page, 0);
    if (count % 2 !== 0 || 2 * (count + 3) > page.length) throw damaged(number, `${count} numbers`);
    return page;
  }

  /** One of the numbers of a page. */
  #number(page: Buffer, index: number): number {
    return u16(page, 2 * index, this.#layout.isLittleEndian);
  }
}
