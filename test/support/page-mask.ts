/**
 * Which bytes of a Berkeley DB file mean something.
 *
 * It goes by what is live: each page's header, its index and its items are
 * marked, and everything else is unused. (The engine goes the other way: it
 * clears what it finds unused.) Layouts: dbinc/db_page.h of libdb 5.3. Hash
 * files of version 8 and 9 and btree files of version 9, in both byte orders.
 */

const HASH_MAGIC = 0x061561;
const BTREE_MAGIC = 0x053162;
const FILE_ID = [52, 72] as const;

/** Page types. */
const P = {
  INVALID: 0,
  HASH_UNSORTED: 2,
  IBTREE: 3,
  IRECNO: 4,
  LBTREE: 5,
  LRECNO: 6,
  OVERFLOW: 7,
  HASHMETA: 8,
  BTREEMETA: 9,
  LDUP: 12,
  HASH: 13,
} as const;

const PAGE_HEADER = 26;

class Page {
  readonly live: Uint8Array;
  readonly number: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array, number: number, little: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#little = little;
    this.number = number;
    this.live = new Uint8Array(bytes.length);
  }

  get size(): number {
    return this.#bytes.length;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, this.#little);
  }

  get type(): number {
    return this.u8(25);
  }

  get entries(): number {
    return this.u16(20);
  }

  get highFreeOffset(): number {
    return this.u16(22);
  }

  index(item: number): number {
    return this.u16(PAGE_HEADER + 2 * item);
  }

  mark(from: number, to: number): void {
    if (from > to || to > this.size) throw new Error(`page ${this.number}: bytes ${from} to ${to} of ${this.size}`);
    this.live.fill(1, from, to);
  }
}

/** Shared by both kinds of meta page (DBMETA), its own fields, and what only checksums and encryption use is left out. */
function markMeta(page: Page): void {
  page.mark(0, 27); // lsn, pgno, magic, version, pagesize, encrypt_alg, type, metaflags
  page.mark(28, 72); // free, last_pgno, nparts, key_count, record_count, flags, uid
  if (page.type === P.HASHMETA)
    page.mark(72, 224); // max_bucket to spares[32]
  else page.mark(76, 92); // minkey, re_len, re_pad, root
}

function markHash(page: Page): void {
  let end = page.size;
  for (let item = 0; item < page.entries; item++) {
    const start = page.index(item);
    const type = page.u8(start);
    if (type === 1 || type === 2) {
      page.mark(start, end); // H_KEYDATA, H_DUPLICATE
    } else if (type === 3 || type === 4) {
      page.mark(start, start + 1); // H_OFFPAGE, H_OFFDUP: type, three bytes of nothing,
      page.mark(start + 4, start + (type === 3 ? 12 : 8)); // pgno, and tlen of the first
    } else {
      throw new Error(`page ${page.number}: hash item ${item} of type ${type}`);
    }
    end = start;
  }
}

/** BOVERFLOW: two bytes of nothing, type, a byte of nothing, pgno, tlen. A B_DUPLICATE has no tlen, but the space of one. */
function markOverflowItem(page: Page, at: number): void {
  page.mark(at + 2, at + 3);
  page.mark(at + 4, at + ((page.u8(at + 2) & 0x7f) === 2 ? 8 : 12));
}

function markLeaf(page: Page): void {
  for (let item = 0; item < page.entries; item++) {
    const at = page.index(item);
    const type = page.u8(at + 2) & 0x7f;
    if (type === 1)
      page.mark(at, at + 3 + page.u16(at)); // BKEYDATA: len, type, data
    else if (type === 2 || type === 3) markOverflowItem(page, at);
    else throw new Error(`page ${page.number}: btree item ${item} of type ${type}`);
  }
}

function markInternal(page: Page): void {
  for (let item = 0; item < page.entries; item++) {
    const at = page.index(item);
    const type = page.u8(at + 2) & 0x7f;
    page.mark(at, at + 3); // BINTERNAL: len, type, a byte of nothing,
    page.mark(at + 4, at + 12); // pgno, nrecs, data
    if (type === 1) page.mark(at + 12, at + 12 + page.u16(at));
    else if (type === 3) markOverflowItem(page, at + 12);
    else throw new Error(`page ${page.number}: internal item ${item} of type ${type}`);
  }
}

function markItems(page: Page): void {
  page.mark(PAGE_HEADER, PAGE_HEADER + 2 * page.entries);
  switch (page.type) {
    case P.HASH:
    case P.HASH_UNSORTED:
      return markHash(page);
    case P.LBTREE:
    case P.LRECNO:
    case P.LDUP:
      return markLeaf(page);
    case P.IBTREE:
      return markInternal(page);
    case P.IRECNO:
      // RINTERNAL: pgno, nrecs
      for (let item = 0; item < page.entries; item++) page.mark(page.index(item), page.index(item) + 8);
      return;
    default:
      throw new Error(`page ${page.number}: type ${page.type}`);
  }
}

function markPage(page: Page): void {
  if (page.type === P.HASHMETA || page.type === P.BTREEMETA) return markMeta(page);
  page.mark(0, PAGE_HEADER);
  if (page.type === P.INVALID) return;
  if (page.type === P.OVERFLOW) page.mark(PAGE_HEADER, PAGE_HEADER + page.highFreeOffset);
  else markItems(page);
}

/** For each byte of the file, 1 if it means something. */
function liveBytes(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isMagic = (magic: number): boolean => magic === HASH_MAGIC || magic === BTREE_MAGIC;
  const little = isMagic(view.getUint32(12, true));
  if (!little && !isMagic(view.getUint32(12, false))) throw new Error("no Berkeley DB file");
  const version = view.getUint32(16, little);
  if (version !== 8 && version !== 9) throw new Error(`version ${version}`);
  if (view.getUint8(24) !== 0 || (view.getUint8(26) & 1) !== 0) throw new Error("encrypted, or with checksums");
  const pageSize = view.getUint32(20, little);
  if (bytes.length % pageSize !== 0) throw new Error(`${bytes.length} bytes in pages of ${pageSize}`);
  const live = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += pageSize) {
    const page = new Page(bytes.subarray(at, at + pageSize), at / pageSize, little);
    markPage(page);
    live.set(page.live, at);
  }
  return live;
}

/** A copy of a database file with its file id and every byte of unused space zero: what is left depends on its history of records alone. */
export function maskDatabase(bytes: Uint8Array): Uint8Array {
  const live = liveBytes(bytes);
  const masked = bytes.map((byte, at) => (live[at] === 1 ? byte : 0));
  masked.fill(0, ...FILE_ID);
  return masked;
}

/** The offsets of bytes in unused space that are not zero; at most the first ten. */
export function residueOffsets(bytes: Uint8Array): number[] {
  const live = liveBytes(bytes);
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length && offsets.length < 10; at++) {
    if (live[at] === 0 && bytes[at] !== 0) offsets.push(at);
  }
  return offsets;
}
