/**
 * The records of a btree file, and the duplicates of a hash file that are too
 * many for their page: they are a btree of their own.
 *
 * A tree is read from its root, not along its leaves, as libdb does; where the
 * two are not the same it is damaged. Layout: dbinc/db_page.h of libdb 5.3
 * (BKEYDATA, BOVERFLOW, BINTERNAL, RINTERNAL).
 */
import { damaged, HashFileError } from "./error.ts";
import { type BtreeLayout, PageField, PageType } from "./layout.ts";
import { type PageReader, u16, u32 } from "./page-reader.ts";
import type { VisitItem, VisitRecord } from "./visit.ts";

/** BKEYDATA.type, and the flag on it of an item that was deleted. */
const Item = { inline: 1, duplicates: 2, overflow: 3 } as const;
const DELETED = 0x80;
/** Where an item has its type, and what it is long before its bytes. */
const TYPE = 2;
const INLINE_HEADER = 3;
/** BOVERFLOW. */
const OVERFLOW = { page: 4, length: 8, size: 12 } as const;
/** BINTERNAL and RINTERNAL. */
const CHILD = { btree: { page: 4, size: 12 }, recno: { page: 0, size: 8 } } as const;
const RECNO_COUNT = 4;
const LEAF_LEVEL = 1;

const EMPTY = Buffer.alloc(0);

export interface BtreeWalkOptions {
  /** Called with the damage where the tree cannot be read to its end. Default: it is thrown. */
  readonly onDamage?: ((damage: HashFileError) => void) | undefined;
}

/** Calls `visit` for each record of a btree file; yields after each leaf. */
export function* walkBtree(
  reader: PageReader,
  { root }: BtreeLayout,
  visit: VisitRecord,
  { onDamage }: BtreeWalkOptions = {},
): Generator<void, void, undefined> {
  const onPage = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      if (onDamage === undefined || !(error instanceof HashFileError)) throw error;
      onDamage(error);
    }
  };
  reader.take(0);
  for (const number of leavesOf(reader, root, PageType.btreeLeaf, onPage)) {
    onPage(() => visitPairs(reader, number, visit));
    yield;
  }
}

/**
 * Calls `visit` for each of the duplicates below a root page.
 * @param from the page that names the root, for errors.
 */
export function visitDuplicates(reader: PageReader, from: number, root: number, visit: VisitItem): void {
  if (root === 0) throw damaged(from, "duplicates on page 0");
  const type = reader.peek(root, from)[PageField.type] as number;
  const isRecno = type === PageType.recnoInternal || type === PageType.recnoLeaf;
  const { duplicates: order } = reader.layout;
  // libdb goes by what the first page says of the file.
  if (order === (isRecno ? "sorted" : "unsorted")) throw damaged(root, `of type ${type}, in a file whose duplicates are ${order}`);
  const leaf = isRecno ? PageType.recnoLeaf : PageType.duplicateLeaf;
  for (const number of leavesOf(reader, root, leaf)) {
    const duplicates = new Leaf(reader, number);
    for (const offset of duplicates.offsets) {
      if (!duplicates.isDeleted(offset)) duplicates.visitItem(offset, visit);
    }
  }
}

/**
 * The numbers of the leaves below a root, in order. Levels fall by one from
 * page to page, so that a tree has an end.
 * @param onPage called with what is done with each page.
 */
function* leavesOf(
  reader: PageReader,
  root: number,
  leaf: number,
  onPage: (step: () => void) => void = (step) => step(),
): Generator<number, void, undefined> {
  const path: { readonly children: readonly Child[]; next: number; readonly level: number; readonly page: number }[] = [];
  const chain = new LeafChain(reader.layout.isLittleEndian);
  for (let child: Child | undefined = { page: root, records: undefined }; child !== undefined; child = nextChild(path)) {
    const { page: at, records }: Child = child;
    let isLeaf = false;
    onPage(() => {
      const page = reader.take(at, path.at(-1)?.page);
      reader.checkNumber(page, at);
      const level = page[PageField.level] as number;
      const above = path.at(-1);
      if (above !== undefined && level !== above.level - 1) throw damaged(at, `of level ${level} below level ${above.level}`);
      isLeaf = page[PageField.type] === leaf;
      // libdb goes by the level.
      if (isLeaf !== (level === LEAF_LEVEL)) throw damaged(at, `of type ${page[PageField.type]}, and of level ${level}`);
      const children = isLeaf ? [] : childrenOf(reader, page, at, leaf);
      if (leaf === PageType.recnoLeaf) checkRecords(reader.layout, page, at, children, records);
      if (isLeaf) chain.add(page, at);
      else path.push({ children, next: 0, level, page: at });
    });
    if (isLeaf) yield at;
  }
  onPage(() => chain.end());
}

/** What the leaves of a tree say of each other. */
class LeafChain {
  readonly #isLittleEndian: boolean;
  #last = 0;
  #next = 0;

  constructor(isLittleEndian: boolean) {
    this.#isLittleEndian = isLittleEndian;
  }

  add(page: Buffer, number: number): void {
    const previous = u32(page, PageField.previous, this.#isLittleEndian);
    const isNext = previous === this.#last && (this.#last === 0 || this.#next === number);
    const last = this.#last;
    this.#last = number;
    this.#next = u32(page, PageField.next, this.#isLittleEndian);
    if (!isNext) throw damaged(number, `follows page ${last} in the tree, and not in the chain of its leaves`);
  }

  end(): void {
    if (this.#next !== 0) throw damaged(this.#last, "is the last leaf of the tree, and not the last of the chain");
  }
}

/** A page below another, and the records below it, as the other says it; undefined where it does not. */
interface Child {
  readonly page: number;
  readonly records: number | undefined;
}

/** In a tree of duplicates that are not sorted libdb finds its way by the number of records, which the root has too. */
function checkRecords(
  { isLittleEndian }: { readonly isLittleEndian: boolean },
  page: Buffer,
  number: number,
  children: readonly Child[],
  said: number | undefined,
): void {
  const isRoot = said === undefined;
  const isLeaf = page[PageField.type] === PageType.recnoLeaf;
  if (isRoot && isLeaf) return;
  const expected = said ?? u32(page, PageField.previous, isLittleEndian);
  const records = isLeaf ? u16(page, PageField.entries, isLittleEndian) : children.reduce((sum, child) => sum + (child.records ?? 0), 0);
  if (records !== expected) throw damaged(number, `of ${records} records, where ${expected} should be`);
}

function nextChild(path: { readonly children: readonly Child[]; next: number }[]): Child | undefined {
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    if (last.next < last.children.length) return last.children[last.next++];
    path.pop();
  }
  return undefined;
}

/** The pages that an internal page names. */
function childrenOf(reader: PageReader, page: Buffer, number: number, leaf: number): Child[] {
  const { isLittleEndian, pageSize } = reader.layout;
  const type = page[PageField.type];
  const isRecno = leaf === PageType.recnoLeaf;
  if (type !== (isRecno ? PageType.recnoInternal : PageType.btreeInternal)) throw damaged(number, `of type ${type}, not of a btree`);
  const child = isRecno ? CHILD.recno : CHILD.btree;
  const offsets = itemsOf(reader, page, number);
  if (offsets.length === 0) throw damaged(number, "without items, and not a leaf");
  checkPlaces(offsets, number, pageSize, (offset) => {
    const end = offset + child.size;
    return isRecno || end > pageSize ? end : end + keyLengthOf(reader, page, number, offset);
  });
  return offsets.map((offset) => ({
    page: u32(page, offset + child.page, isLittleEndian),
    records: isRecno ? u32(page, offset + RECNO_COUNT, isLittleEndian) : undefined,
  }));
}

/** The bytes of the key of an item that leads to another page: they are not read here, but they have their place. */
function keyLengthOf(reader: PageReader, page: Buffer, number: number, offset: number): number {
  const type = (page[offset + TYPE] as number) & ~DELETED;
  if (type === Item.inline) return u16(page, offset, reader.layout.isLittleEndian);
  const key = offset + CHILD.btree.size;
  if (type !== Item.overflow || ((page[key + TYPE] as number) & ~DELETED) !== Item.overflow)
    throw damaged(number, `an item of type ${type}`);
  checkLong(reader, page, number, key);
  reader.noteOverflow(number, u32(page, key + OVERFLOW.page, reader.layout.isLittleEndian));
  return OVERFLOW.size;
}

/** No item is longer than its file. */
function checkLong({ layout }: PageReader, page: Buffer, number: number, offset: number): void {
  const { isLittleEndian, pages, pageSize } = layout;
  const length = offset + OVERFLOW.size > page.length ? 0 : u32(page, offset + OVERFLOW.length, isLittleEndian);
  if (length > pages * pageSize) throw damaged(number, `an item of ${length} bytes`);
}

/**
 * Every item has its place, whether it is read or not: libdb reads no page where
 * one has none, and of items that overlap it reads something else, where the byte
 * order is not its own.
 */
function checkPlaces(offsets: readonly number[], number: number, pageSize: number, endOf: (offset: number) => number): void {
  const starts = Uint16Array.from(offsets).sort();
  for (let i = 0; i < starts.length; i++) {
    const offset = starts[i] as number;
    const next = starts[i + 1] ?? pageSize;
    const end = endOf(offset);
    if (end > pageSize) throw damaged(number, "an item lies outside");
    if (end > next) throw damaged(number, "items overlap");
  }
}

/** Where the items of a page begin. */
function itemsOf({ layout }: PageReader, page: Buffer, number: number): number[] {
  const { headerLength, pageSize, isLittleEndian } = layout;
  const entries = u16(page, PageField.entries, isLittleEndian);
  const index = headerLength + 2 * entries;
  if (index > pageSize) throw damaged(number, `${entries} items`);
  const offsets: number[] = [];
  for (let i = 0; i < entries; i++) {
    const offset = u16(page, headerLength + 2 * i, isLittleEndian);
    if (offset < index || offset + INLINE_HEADER > pageSize) throw damaged(number, `item ${i} lies outside`);
    offsets.push(offset);
  }
  return offsets;
}

/** The items of a leaf, whose bytes are read when they are asked for. */
class Leaf {
  readonly #reader: PageReader;
  readonly #page: Buffer;
  readonly #number: number;
  /** What is left of the page for items that are not the same. */
  #room: number;
  readonly offsets: readonly number[];

  constructor(reader: PageReader, number: number) {
    this.#reader = reader;
    this.#page = reader.peek(number);
    this.#number = number;
    this.#room = reader.layout.pageSize;
    this.offsets = itemsOf(reader, this.#page, number);
    const { pageSize } = reader.layout;
    // The duplicates of a key that are on its page share one item.
    const isPaired = this.#page[PageField.type] === PageType.btreeLeaf;
    const own = isPaired ? this.offsets.filter((offset, i) => i % 2 === 1 || offset !== this.offsets[i - 2]) : this.offsets;
    checkPlaces(own, number, pageSize, (offset) => this.#endOf(offset));
  }

  isDeleted(offset: number): boolean {
    return ((this.#page[offset + TYPE] as number) & DELETED) !== 0;
  }

  /** Calls `visit` with the bytes of an item, or with those of each of its duplicates. */
  visit(offset: number, visit: VisitItem): void {
    if (this.#typeOf(offset) !== Item.duplicates) {
      this.visitItem(offset, visit);
      return;
    }
    this.#use(offset);
    visitDuplicates(this.#reader, this.#number, u32(this.#page, offset + OVERFLOW.page, this.#reader.layout.isLittleEndian), visit);
  }

  /** Of an item that has no duplicates: as a duplicate has none itself. */
  visitItem(offset: number, visit: VisitItem): void {
    const { isLittleEndian } = this.#reader.layout;
    const page = this.#page;
    const type = this.#typeOf(offset);
    if (type === Item.duplicates) throw damaged(this.#number, `an item of type ${type}`);
    const end = this.#use(offset);
    if (type === Item.inline) {
      visit(page, offset + INLINE_HEADER, end);
      return;
    }
    const first = u32(page, offset + OVERFLOW.page, isLittleEndian);
    const bytes = this.#reader.overflow(this.#number, first, u32(page, offset + OVERFLOW.length, isLittleEndian));
    visit(bytes, 0, bytes.length);
  }

  #endOf(offset: number): number {
    const type = this.#typeOf(offset);
    if (type === Item.inline) return offset + INLINE_HEADER + u16(this.#page, offset, this.#reader.layout.isLittleEndian);
    if (type !== Item.overflow && type !== Item.duplicates) throw damaged(this.#number, `an item of type ${type}`);
    if (type === Item.overflow) checkLong(this.#reader, this.#page, this.#number, offset);
    return offset + OVERFLOW.size;
  }

  #typeOf(offset: number): number {
    return (this.#page[offset + TYPE] as number) & ~DELETED;
  }

  /** An item that is the same as many others could say more than a page holds too. */
  #use(offset: number): number {
    const end = this.#endOf(offset);
    this.#room -= end - offset;
    if (this.#room < 0) throw damaged(this.#number, "items overlap");
    return end;
  }
}

function visitPairs(reader: PageReader, number: number, visit: VisitRecord): void {
  const leaf = new Leaf(reader, number);
  const { offsets } = leaf;
  if (offsets.length % 2 !== 0) throw damaged(number, `${offsets.length} items`);
  let keyBytes: Buffer = EMPTY;
  let keyStart = 0;
  let keyEnd = 0;
  let keyOffset = -1;
  for (let i = 0; i < offsets.length; i += 2) {
    const data = offsets[i + 1] as number;
    if (leaf.isDeleted(data)) continue;
    // The duplicates of a key that are on its page share one item.
    if (offsets[i] !== keyOffset) {
      keyOffset = offsets[i] as number;
      leaf.visit(keyOffset, (bytes: Buffer, start, end) => {
        keyBytes = bytes;
        keyStart = start;
        keyEnd = end;
      });
    }
    leaf.visit(data, (bytes, start, end) => visit(keyBytes, keyStart, keyEnd, bytes, start, end));
  }
}
