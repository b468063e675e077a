/**
 * Damaged database files, made from good ones: as a disc, a copy that broke off
 * or an enemy would, most of it where a page says what it is. The number of a
 * mutation is all that it takes to make it again.
 */
import { readFileSync } from "node:fs";
import { Database, readFileHeader } from "berkeley-db-js";
import { isPageSize } from "#src/hash-file/layout.js";
import { databaseFixtures } from "./fixtures.ts";
import { generator, type Random } from "./random.ts";

export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type: "hash" | "btree";
  readonly version: number;
  readonly isLittleEndian: boolean;
  readonly pageSize: number;
}

/** fixtures/db, and files with what is not there: trees of duplicates, trees of three levels, small pages. */
function seedFiles(): Seed[] {
  const files = databaseFixtures().map(({ name, path, type, version, byteOrder, pageSize }) => ({
    name,
    bytes: new Uint8Array(readFileSync(path)),
    type,
    version,
    isLittleEndian: byteOrder === "little",
    pageSize,
  }));
  const made = (["hash", "btree"] as const).flatMap((type) =>
    (["little", "big"] as const).flatMap((byteOrder) =>
      [512, 65536].flatMap((pageSize) => [makeSeed(type, byteOrder, pageSize, "unsorted"), makeSeed(type, byteOrder, pageSize, "sorted")]),
    ),
  );
  return [...files, ...made];
}

function makeSeed(type: "hash" | "btree", byteOrder: "little" | "big", pageSize: number, duplicates: "sorted" | "unsorted"): Seed {
  const database = Database.open(new Uint8Array(), { type, create: true, byteOrder, pageSize, duplicates });
  for (let i = 0; i < 40; i++) {
    database.put(Buffer.from(`key ${i} `.repeat(i === 7 ? 200 : 1)), Buffer.alloc(i === 3 ? 2000 : (i * 37) % 100, i));
    for (let n = 0; n < (i === 5 ? 150 : i === 6 ? 3 : 0); n++)
      database.put(Buffer.from(`key ${i} `), Buffer.from(`more ${n}`), "duplicate");
  }
  for (let i = 10; i < 20; i++) database.delete(Buffer.from(`key ${i} `));
  const bytes = database.toBytes();
  database.close();
  const name = `made: ${type}, ${byteOrder}-endian, pages of ${pageSize}, duplicates ${duplicates}`;
  return { name, bytes, type, version: 9, isLittleEndian: byteOrder === "little", pageSize };
}

export interface Mutation {
  readonly seed: Seed;
  readonly bytes: Uint8Array;
  /** What was done, for the message of a test that fails. */
  readonly what: string;
}

/** Picks small files more often than large ones. */
export class Mutator {
  readonly #seeds: readonly Seed[];
  readonly #small: readonly Seed[];

  constructor(seeds: readonly Seed[] = seedFiles()) {
    this.#seeds = seeds;
    this.#small = seeds.filter(({ bytes }) => bytes.length <= 1 << 15);
  }

  /** @param number of the mutation: the same one gives the same bytes. */
  make(number: number): Mutation {
    const random = generator(number);
    const from = random(12) === 0 ? this.#seeds : this.#small;
    const seed = from[random(from.length)] as Seed;
    let bytes: Uint8Array = new Uint8Array(seed.bytes);
    const done: string[] = [];
    // One change is what a reader is most easily deceived by.
    for (let count = random(2) === 0 ? 1 : 1 + random(4); count > 0; count--) {
      const kind = MUTATIONS[random(MUTATIONS.length)] as Change;
      const changed = kind(bytes, seed, random);
      bytes = changed.bytes ?? bytes;
      done.push(changed.what);
    }
    return { seed, bytes, what: `mutation ${number}: ${seed.name}: ${done.join(", ")}` };
  }
}

/** Changes a copy of any database once. @returns undefined for what does not begin as one does. */
export function damage(bytes: Uint8Array, random: Random): Uint8Array | undefined {
  const header = readFileHeader(bytes);
  if (header === undefined) return undefined;
  const { type, version, byteOrder, pageSize } = header;
  // Where that was changed already, pages of another size are as good as any.
  const seed = { name: "", bytes, type, version, isLittleEndian: byteOrder === "little", pageSize: isPageSize(pageSize) ? pageSize : 512 };
  const copy = new Uint8Array(bytes);
  const kind = MUTATIONS[random(MUTATIONS.length)] as Change;
  return kind(copy, seed, random).bytes ?? copy;
}

/** Changes bytes in place, or says what is in their place. */
type Change = (bytes: Uint8Array, seed: Seed, random: Random) => { readonly what: string; readonly bytes?: Uint8Array };

/** Numbers that programs are surprised by, and those that are near the right one. */
function number32(random: Random, old: number, pages: number): number {
  switch (random(8)) {
    case 0:
      return 0;
    case 1:
      return 0xffffffff;
    case 2:
      return 2 ** random(32);
    case 3:
      return old + 1;
    case 4:
      return old === 0 ? 2 : old - 1;
    case 5:
      return random(2 ** 32);
    default:
      return random(pages + 1);
  }
}

function number16(random: Random, old: number, pageSize: number): number {
  switch (random(8)) {
    case 0:
      return 0;
    case 1:
      return 0xffff;
    case 2:
      return 2 ** random(16);
    case 3:
      return (old + 1 + random(4)) & 0xffff;
    case 4:
      return (old - 1 - random(4)) & 0xffff;
    case 5:
      return random(100);
    default:
      return random(pageSize) & 0xffff;
  }
}

function set32(bytes: Uint8Array, at: number, isLittleEndian: boolean, random: Random, pages: number): string {
  if (at < 0 || at + 4 > bytes.length) return "nothing";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const old = view.getUint32(at, isLittleEndian);
  const value = number32(random, old, pages) >>> 0;
  view.setUint32(at, value, isLittleEndian);
  return `32 bits at ${at}: ${old} is ${value}`;
}

function set16(bytes: Uint8Array, at: number, { isLittleEndian, pageSize }: Seed, random: Random): string {
  if (at < 0 || at + 2 > bytes.length) return "nothing";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const old = view.getUint16(at, isLittleEndian);
  const value = number16(random, old, pageSize);
  view.setUint16(at, value, isLittleEndian);
  return `16 bits at ${at}: ${old} is ${value}`;
}

function set8(bytes: Uint8Array, at: number, random: Random): string {
  if (at < 0 || at >= bytes.length) return "nothing";
  const old = bytes[at] as number;
  bytes[at] = random(2) === 0 ? random(16) : random(256);
  return `byte ${at}: ${old} is ${bytes[at]}`;
}

const pagesOf = (bytes: Uint8Array, { pageSize }: Seed): number => Math.floor(bytes.length / pageSize);
/** A page but for the first, where there is one. */
const anyPage = (bytes: Uint8Array, seed: Seed, random: Random): number =>
  pagesOf(bytes, seed) < 2 ? 0 : 1 + random(pagesOf(bytes, seed) - 1);

/** A number of the first page: masks, buckets, spares, the free list, the root of a tree. */
const metaNumber: Change = (bytes, seed, random) => {
  // Of 1.85 the header is big-endian; it ends with the 16-bit names of its bitmaps.
  if (seed.version === 2 && random(6) === 0) {
    return { what: set16(bytes, 196 + 2 * random(32), { ...seed, isLittleEndian: false }, random) };
  }
  const at = random(3) === 0 ? 4 * random(58) : 4 * random(28);
  return { what: set32(bytes, at, seed.version === 2 ? false : seed.isLittleEndian, random, pagesOf(bytes, seed)) };
};

/** The header of a page: number, previous, next, items, lowest byte, level, type. */
const pageHeader: Change = (bytes, seed, random) => {
  const at = anyPage(bytes, seed, random) * seed.pageSize;
  if (seed.version === 2) return { what: set16(bytes, at + 2 * random(8), seed, random) };
  const field = random(7);
  if (field < 3) return { what: set32(bytes, at + 8 + 4 * field, seed.isLittleEndian, random, pagesOf(bytes, seed)) };
  if (field < 5) return { what: set16(bytes, at + 20 + 2 * (field - 3), seed, random) };
  return { what: set8(bytes, at + 24 + (field - 5), random) };
};

/** Where an item of a page begins. */
const itemOffset: Change = (bytes, seed, random) => {
  const at = anyPage(bytes, seed, random) * seed.pageSize;
  const header = seed.version === 2 ? 2 : 26;
  return { what: set16(bytes, at + header + 2 * random(random(2) === 0 ? 4 : 40), seed, random) };
};

/** The beginning of an item: its type, what it is long, the page that it names. */
const item: Change = (bytes, seed, random) => {
  const page = anyPage(bytes, seed, random) * seed.pageSize;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = seed.version === 2 ? 2 : 26;
  const index = page + header + 2 * random(random(3) === 0 ? 40 : 6);
  const at = page + (index + 2 > bytes.length ? 0 : view.getUint16(index, seed.isLittleEndian));
  switch (random(4)) {
    case 0:
      return { what: set8(bytes, at + (seed.type === "btree" ? 2 : 0), random) };
    case 1:
      return { what: set16(bytes, at, seed, random) };
    case 2:
      return { what: set32(bytes, at + 4, seed.isLittleEndian, random, pagesOf(bytes, seed)) };
    default:
      return { what: set32(bytes, at + 8, seed.isLittleEndian, random, bytes.length) };
  }
};

const flipBit: Change = (bytes, _seed, random) => {
  const at = random(bytes.length);
  if (bytes.length > 0) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
  return { what: `a bit of byte ${at}` };
};

const anyByte: Change = (bytes, _seed, random) => ({ what: set8(bytes, random(bytes.length), random) });

const cut: Change = (bytes, seed, random) => {
  const size = random(2) === 0 ? random(bytes.length) : random(pagesOf(bytes, seed)) * seed.pageSize;
  return { what: `cut to ${size} bytes`, bytes: bytes.slice(0, size) };
};

const extend: Change = (bytes, seed, random) => {
  const more = random(2) === 0 ? random(2000) : (1 + random(4)) * seed.pageSize;
  const longer = new Uint8Array(bytes.length + more);
  longer.set(bytes);
  if (random(2) === 0) longer.set(bytes.subarray(0, more), bytes.length);
  return { what: `${more} bytes more`, bytes: longer };
};

/** The file says itself that it has a page more, or fewer, so that nobody wonders at its size. */
const resizeInSilence: Change = (bytes, seed, random) => {
  const { pageSize } = seed;
  const pages = Math.max(1, pagesOf(bytes, seed) + (random(2) === 0 ? -1 - random(2) : 1 + random(8)));
  const other = new Uint8Array(pages * pageSize);
  other.set(bytes.subarray(0, other.length));
  if (seed.version >= 8) new DataView(other.buffer).setUint32(32, pages - 1, seed.isLittleEndian);
  return { what: `${pages} pages`, bytes: other };
};

const swapPages: Change = (bytes, seed, random) => {
  const { pageSize } = seed;
  const [a, b] = [anyPage(bytes, seed, random), anyPage(bytes, seed, random)];
  const kept = bytes.slice(a * pageSize, (a + 1) * pageSize);
  bytes.copyWithin(a * pageSize, b * pageSize, (b + 1) * pageSize);
  if (b * pageSize + kept.length <= bytes.length) bytes.set(kept, b * pageSize);
  return { what: `pages ${a} and ${b} are swapped` };
};

/** With its own number, so that it looks as it should. */
const duplicatePage: Change = (bytes, seed, random) => {
  const { pageSize } = seed;
  const [from, to] = [anyPage(bytes, seed, random), anyPage(bytes, seed, random)];
  bytes.copyWithin(to * pageSize, from * pageSize, (from + 1) * pageSize);
  const at = to * pageSize + 8;
  if (seed.version !== 2 && at + 4 <= bytes.length && random(3) > 0) new DataView(bytes.buffer).setUint32(at, to, seed.isLittleEndian);
  return { what: `page ${to} is as ${from}` };
};

const clearPage: Change = (bytes, seed, random) => {
  const page = anyPage(bytes, seed, random);
  bytes.fill(random(3) === 0 ? 0xff : 0, page * seed.pageSize, (page + 1) * seed.pageSize);
  return { what: `page ${page} is cleared` };
};

const otherPageSize: Change = (bytes, seed, random) => {
  const size = 2 ** (8 + random(11));
  if (bytes.length >= 72)
    new DataView(bytes.buffer).setUint32(seed.version === 2 ? 12 : 20, size, seed.version === 2 ? false : seed.isLittleEndian);
  return { what: `a page size of ${size}` };
};

/** Those that are there more than once are made more often. */
const MUTATIONS: readonly Change[] = [
  ...[metaNumber, metaNumber, metaNumber],
  ...[pageHeader, pageHeader, pageHeader, pageHeader],
  ...[itemOffset, itemOffset, itemOffset],
  ...[item, item, item, item],
  ...[flipBit, anyByte, cut, extend, resizeInSilence, swapPages, duplicatePage, duplicatePage, clearPage, otherPageSize],
];
