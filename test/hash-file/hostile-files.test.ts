/**
 * Files made to be slow to read, or to take much memory: each is answered or
 * refused soon, as far as its size allows.
 */
import assert from "node:assert/strict";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Database, type FileHandle, MemoryFileSystem, nodeFileSystem } from "berkeley-db-js";
import { checkDatabase } from "#src/hash-file/check.js";
import { DatabaseFile, type StoredRecord } from "#src/hash-file/database-file.js";
import { HashFileError } from "#src/hash-file/error.js";
import { PageType, readHashLayout } from "#src/hash-file/layout.js";
import { convert } from "#src/map-file/convert.js";
import { inspect } from "#src/map-file/inspection.js";
import { scrub } from "#src/map-file/scrub.js";
import { databaseFixture } from "../support/fixtures.ts";
import { processorTime } from "../support/processor-time.ts";
import { temporaryFolder } from "../support/temp.ts";

/** Milliseconds of a processor. */
const MOST_TIME = 2000;
/** Bytes, with what is thrown away and not yet collected, and with a copy of the file. */
const MOST_MEMORY = 200 << 20;

/** What `action` throws, or undefined: within the time and the memory that it may take. */
function soon(action: () => void): HashFileError | undefined {
  const start = processorTime();
  const before = process.memoryUsage().rss;
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof HashFileError)) throw error;
    return error;
  } finally {
    const time = processorTime() - start;
    assert.ok(time < MOST_TIME, `${Math.round(time)} ms`);
    const memory = process.memoryUsage().rss - before;
    assert.ok(memory < MOST_MEMORY, `${memory >> 20} MiB`);
  }
}

/** A file in memory. */
function handle(bytes: Uint8Array): FileHandle {
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("db", bytes);
  return fileSystem.open("db", { write: false }, 0);
}

/** A file, little-endian, built page by page. */
class Pages {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly #pageSize: number;

  constructor(type: "hash" | "btree", pages: number, pageSize: number) {
    this.#pageSize = pageSize;
    this.bytes = new Uint8Array(pages * pageSize);
    this.view = new DataView(this.bytes.buffer);
    this.u32(0, 12, type === "hash" ? 0x61561 : 0x53162);
    this.u32(0, 16, 9);
    this.u32(0, 20, pageSize);
    this.bytes[25] = type === "hash" ? PageType.hashMeta : PageType.btreeMeta;
    this.u32(0, 32, pages - 1);
    if (type === "btree") this.u32(0, 88, 1);
    // Bucket 0 is on page 1.
    else this.u32(0, 96, 1);
    this.u32(0, 92, type === "hash" ? 0x5e688dd1 : 0);
  }

  /** With the masks that belong to it. */
  lastBucket(number: number): void {
    const mask = 2 ** (32 - Math.clz32(number)) - 1;
    for (const [i, value] of [number, mask, mask >>> 1].entries()) this.u32(0, 72 + 4 * i, value);
  }

  u32(page: number, offset: number, value: number): void {
    this.view.setUint32(page * this.#pageSize + offset, value, true);
  }

  u16(page: number, offset: number, value: number): void {
    this.view.setUint16(page * this.#pageSize + offset, value, true);
  }

  /** A page with items, which begin at the offsets. */
  page(number: number, type: number, offsets: readonly number[], level = 0): void {
    this.u32(number, 8, number);
    this.u16(number, 20, offsets.length);
    this.u16(number, 22, Math.min(...offsets, this.#pageSize));
    this.bytes[number * this.#pageSize + 24] = level;
    this.bytes[number * this.#pageSize + 25] = type;
    for (const [i, offset] of offsets.entries()) this.u16(number, 26 + 2 * i, offset);
  }

  put(page: number, offset: number, bytes: readonly number[]): void {
    this.bytes.set(bytes, page * this.#pageSize + offset);
  }
}

/** Every reader, one after the other. */
const READERS: Readonly<Record<string, (file: FileHandle) => void>> = {
  read: (file) => void new DatabaseFile(file).visitRecords(() => {}),
  inspect: (file) => void inspect(file),
  check: (file) => void checkDatabase(file, () => {}),
};

describe("files with a hole in them", () => {
  const TERABYTE = 2 ** 40;

  /** The first page of a real file, and nothing behind it. */
  function sparse(t: TestContext, fixture: string, size: number, change: (first: DataView) => void): FileHandle {
    const path = join(temporaryFolder(t), "sparse.db");
    const first = new Uint8Array(readFileSync(databaseFixture(fixture).path).subarray(0, 512));
    change(new DataView(first.buffer));
    const fd = openSync(path, "w");
    try {
      writeSync(fd, first);
      ftruncateSync(fd, size);
    } finally {
      closeSync(fd);
    }
    const file = nodeFileSystem.open(path, { write: false }, 0);
    t.after(() => file.close());
    return file;
  }

  const FILES = [
    { fixture: "v9-db5.3.28-le-map", pageSizeAt: 20, isLittleEndian: true },
    { fixture: "v10-db18.1.40-be-map", pageSizeAt: 20, isLittleEndian: false },
    { fixture: "v5-db2.7.7-le-map", pageSizeAt: 20, isLittleEndian: true },
    { fixture: "v2-db1.85-le-map", pageSizeAt: 12, isLittleEndian: false },
    { fixture: "btree9-db5.3.28-be-map", pageSizeAt: 20, isLittleEndian: false },
  ] as const;

  for (const { fixture, pageSizeAt, isLittleEndian } of FILES) {
    for (const pageSize of [512, 4096, 65536]) {
      it(`a terabyte of ${fixture}, in pages of ${pageSize} bytes, is refused`, (t) => {
        const file = sparse(t, fixture, TERABYTE, (first) => {
          first.setUint32(pageSizeAt, pageSize, isLittleEndian);
          if (fixture.startsWith("v5") || fixture.startsWith("v2")) return;
          // It says itself that it is so large, and has as many buckets.
          first.setUint32(32, TERABYTE / pageSize - 1, isLittleEndian);
          if (fixture.startsWith("v")) first.setUint32(72, TERABYTE / pageSize - 2, isLittleEndian);
        });
        for (const reader of Object.values(READERS)) assert.match(soon(() => reader(file))?.message ?? "", /1099511627776 bytes: larger/);
      });
    }
  }

  it("256 megabytes of nothing are read in the time that their pages take", (t) => {
    const size = 2 ** 28;
    const file = sparse(t, "v9-db5.3.28-le-map", size, (first) => {
      first.setUint32(20, 4096, true);
      first.setUint32(32, size / 4096 - 1, true);
    });
    for (const reader of Object.values(READERS))
      assert.equal(
        soon(() => reader(file)),
        undefined,
      );
    const inspection = inspect(file);
    assert.equal(inspection.content.records, 0);
    assert.equal(inspection.pages.total, 65536);
  });
});

describe("pages that lead somewhere they should not", () => {
  it("duplicates that have duplicates are refused, however deep they go", () => {
    const count = 20_000;
    const pages = new Pages("btree", count + 2, 512);
    // Each is a tree of its own, whose only item is the next tree.
    pages.page(1, PageType.btreeLeaf, [500, 488], 1);
    pages.put(1, 500, [1, 0, 1, 0x6b]);
    pages.put(1, 488, [0, 0, 2, 0, 2, 0, 0, 0]);
    for (let number = 2; number < count + 2; number++) {
      pages.page(number, PageType.duplicateLeaf, [488], 1);
      pages.put(number, 488, [0, 0, 2, 0]);
      pages.u32(number, 488 + 4, number + 1);
    }
    assert.match(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", /page 2: an item of type 2/);
  });

  it("a page all of whose items lead to the same page is damage, told of once in a while", () => {
    const pages = new Pages("btree", 40, 65536);
    const items = Array.from({ length: 4000 }, (_, i) => 65536 - 12 * (i + 1));
    for (let number = 1; number < 40; number++) {
      pages.page(number, PageType.btreeInternal, items, 100 - number);
      for (const item of items) {
        pages.put(number, item, [0, 0, 1]);
        pages.u32(number, item + 4, number + 1);
      }
    }
    for (const [name, reader] of Object.entries(READERS)) {
      const error = soon(() => reader(handle(pages.bytes)));
      if (name === "read") assert.match(error?.message ?? "", /damaged: page \d+/);
    }
    const { damage } = inspect(handle(pages.bytes));
    // The last says how many more there are.
    assert.equal(damage.length, 21);
    const problems: string[] = [];
    checkDatabase(handle(pages.bytes), ({ message }) => problems.push(message));
    assert.match(problems.join("\n"), /in more than 1000 places; the rest was not read/);
  });

  it("buckets that all begin on the same page are damage", () => {
    const pages = new Pages("hash", 100_000, 512);
    pages.lastBucket(99_998);
    // A spare that takes each group of buckets back to page 1.
    for (let group = 1; group < 18; group++) pages.u32(0, 96 + 4 * group, 2 ** 32 - 2 ** (group - 1) + 1);
    for (const reader of Object.values(READERS)) soon(() => reader(handle(pages.bytes)));
    assert.ok(inspect(handle(pages.bytes)).damage.length > 0);
  });

  it("an empty page in the chain of a bucket is damage, and not the end of the chain", () => {
    const pages = new Pages("hash", 3, 512);
    pages.page(1, PageType.hash, []);
    pages.u32(1, 16, 2);
    assert.match(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", /page 2: of type 0, not of a hash bucket/);
  });

  it("flags that libdb does not know are damage", () => {
    for (const type of ["hash", "btree"] as const) {
      const pages = new Pages(type, 2, 512);
      pages.u32(0, 48, 0x100);
      assert.match(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", /page 0: flags 256/);
    }
  });

  it("masks that lead to buckets that are not there are damage", () => {
    for (const [high, low] of [
      [0xffff_ffff, 0xffff_ffff],
      [1, 1],
      [3, 0],
      [0, 0],
    ] as const) {
      const pages = new Pages("hash", 3, 512);
      pages.lastBucket(1);
      pages.u32(0, 76, high);
      pages.u32(0, 80, low);
      for (const reader of ["read", "check"])
        assert.equal(soon(() => READERS[reader]?.(handle(pages.bytes)))?.message, `damaged: masks ${high} and ${low} for 2 buckets`);
    }
    for (const low of [0, 0xffff_ffff]) {
      const pages = new Pages("hash", 2, 512);
      pages.page(1, PageType.hash, []);
      pages.u32(0, 80, low);
      assert.equal(
        soon(() => READERS["read"]?.(handle(pages.bytes))),
        undefined,
        "of one bucket some have 0, and some -1",
      );
    }
  });

  it("the masks of a file are sound however many buckets it has", () => {
    for (const byteOrder of ["little", "big"] as const) {
      using database = Database.open(new Uint8Array(), { type: "hash", create: true, byteOrder, pageSize: 512, fillFactor: 1 });
      const counts = new Set<number>();
      for (let i = 0; i < 300; i++) {
        database.put(Buffer.from(`key ${i}`), Buffer.alloc(1));
        const bytes = database.toBytes();
        counts.add(readHashLayout(handle(bytes)).maxBucket);
        Database.open(bytes, { readOnly: true }).close();
      }
      assert.ok(counts.size > 200, `${counts.size}`);
    }
  });

  it("record numbers in a file with duplicates are damage, as libdb has it, and so are flags of a recno file", () => {
    for (const [flags, message] of [
      [1, ""],
      [4, ""],
      [5, "damaged: page 0: record numbers, and duplicates, which a file cannot have both"],
      [8, "damaged: page 0: flags 8, of a recno file"],
      [16, "damaged: page 0: flags 16, of a recno file"],
    ] as const) {
      const pages = new Pages("btree", 2, 512);
      pages.page(1, PageType.btreeLeaf, [], 1);
      pages.u32(0, 48, flags);
      assert.equal(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", message);
    }
  });

  it("a leaf of another level than 1 is damage, and so is a page of that level that is none", () => {
    for (const [type, level] of [
      [PageType.btreeLeaf, 2],
      [PageType.btreeInternal, 1],
    ] as const) {
      const pages = new Pages("btree", 2, 512);
      pages.page(1, type, [], level);
      assert.match(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", /page 1: of type \d, and of level [12]/);
    }
  });

  it("a database whose records are in other files is refused", () => {
    const pages = new Pages("hash", 2, 512);
    pages.u32(0, 36, 4);
    assert.equal(
      soon(() => READERS["read"]?.(handle(pages.bytes))),
      undefined,
      "the number alone, which libdb does not look at",
    );
    pages.bytes[26] = 2;
    assert.match(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", /partitioned/);
  });

  it("a bucket on the first page is damage, and not a bucket without records", () => {
    const bytes = new Uint8Array(readFileSync(databaseFixture("v9-db5.3.28-le-map").path));
    new DataView(bytes.buffer).setUint32(96, 0, true);
    assert.match(soon(() => READERS["read"]?.(handle(bytes)))?.message ?? "", /page 0: reached twice/);
  });

  it("a free list that leads through all pages, and has no end, is damage", () => {
    const pages = new Pages("hash", 100_000, 512);
    pages.u32(0, 28, 2);
    for (let number = 2; number < 100_000; number++) {
      pages.u32(number, 8, number);
      pages.u32(number, 16, number === 99_999 ? 2 : number + 1);
    }
    const problems: string[] = [];
    assert.equal(
      soon(() => checkDatabase(handle(pages.bytes), ({ message }) => problems.push(message))),
      undefined,
    );
    assert.deepEqual(problems, ["damaged: page 2: twice in the list of free pages"]);
  });

  it("a long chain of overflow pages gives its bytes once, and an item that says it is longer is damage", () => {
    const count = 50_000;
    const pages = new Pages("hash", count + 2, 512);
    pages.page(1, PageType.hash, [508, 496]);
    pages.put(1, 508, [1, 0x6b, 0x65, 0x79]);
    pages.put(1, 496, [3, 0, 0, 0, 2, 0, 0, 0]);
    const length = count * (512 - 26);
    pages.u32(1, 496 + 8, length);
    for (let number = 2; number < count + 2; number++) {
      pages.page(number, PageType.overflow, []);
      pages.u16(number, 20, 1);
      pages.u16(number, 22, 512 - 26);
      pages.u32(number, 16, number === count + 1 ? 0 : number + 1);
    }
    let longest = 0;
    assert.equal(
      soon(() => void new DatabaseFile(handle(pages.bytes)).visitRecords((_k, _ks, _ke, _d, start, end) => (longest = end - start))),
      undefined,
    );
    assert.equal(longest, length);
    pages.u32(1, 496 + 8, 0xffffffff);
    assert.match(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", /page 1: an item of 4294967295 bytes/);
    pages.u32(1, 496 + 8, length - 1);
    assert.match(soon(() => READERS["read"]?.(handle(pages.bytes)))?.message ?? "", /bytes of a long item/);
  });
});

describe("pages that lie far from each other", () => {
  it("are read one by one, and not with all that lies beside them", () => {
    const count = 99_991;
    const pages = new Pages("hash", count + 2, 512);
    pages.page(1, PageType.hash, [508, 496]);
    pages.put(1, 508, [1, 0x6b, 0x65, 0x79]);
    pages.put(1, 496, [3, 0, 0, 0, 2, 0, 0, 0]);
    pages.u32(1, 496 + 8, count);
    // A byte on each, and the next one a hundredth of the file away.
    const place = (i: number): number => 2 + ((i * 1009) % count);
    for (let i = 0; i < count; i++) {
      pages.page(place(i), PageType.overflow, []);
      pages.u16(place(i), 22, 1);
      pages.u32(place(i), 16, i === count - 1 ? 0 : place(i + 1));
    }
    assert.equal(
      soon(() => READERS["read"]?.(handle(pages.bytes))),
      undefined,
    );
  });
});

describe("records that are far more than their file", () => {
  it("a long key with very many duplicates is looked at once, and kept once", () => {
    // A key of 30,000 bytes with 8,500 empty ones: 255 megabytes of keys in 128 kilobytes.
    const pages = new Pages("hash", 2, 65536);
    const key = 65536 - 30_001;
    const data = key - 1 - 4 * 8500;
    pages.page(1, PageType.hash, [key, data]);
    pages.put(1, key, [1]);
    pages.put(1, data, [2]);
    pages.u32(0, 48, 1);
    for (const reader of Object.values(READERS))
      assert.equal(
        soon(() => reader(handle(pages.bytes))),
        undefined,
      );
    const file = new DatabaseFile(handle(pages.bytes));
    let records: StoredRecord[] = [];
    assert.equal(
      soon(() => (records = [...file.records()])),
      undefined,
    );
    assert.equal(records.length, 8500);
    assert.equal(new Set(records.map((record) => record.key)).size, 1);
    assert.equal(inspect(handle(pages.bytes)).content.bytes, 8500 * 30_000);
  });
});

describe("items that share their bytes", () => {
  const answer = (bytes: Uint8Array): string => soon(() => READERS["read"]?.(handle(bytes)))?.message ?? "";

  it("on a page of a hash file are damage", () => {
    const pages = new Pages("hash", 2, 65536);
    // 8000 times the same 20,000 bytes.
    pages.page(
      1,
      PageType.hash,
      Array.from({ length: 16_000 }, (_, i) => (i % 2 === 0 ? 65_500 : 45_500)),
    );
    pages.put(1, 65_500, [1]);
    pages.put(1, 45_500, [1]);
    assert.match(answer(pages.bytes), /page 1: item 2 lies outside/);
  });

  it("on a leaf of a btree are damage", () => {
    const pages = new Pages("btree", 2, 65536);
    pages.page(
      1,
      PageType.btreeLeaf,
      Array.from({ length: 16_000 }, (_, i) => (i % 2 === 0 ? 65_500 : 45_500)),
      1,
    );
    pages.put(1, 65_500, [1, 0, 1, 0x6b]);
    pages.put(1, 45_500, [0x10, 0x27, 1]);
    assert.match(answer(pages.bytes), /page 1: items overlap/);
  });

  it("on a leaf of a btree are damage, if only one of them reaches into the next", () => {
    const pages = new Pages("btree", 2, 512);
    pages.page(1, PageType.btreeLeaf, [508, 500, 492, 484], 1);
    for (const [at, letter] of [508, 500, 492, 484].entries()) pages.put(1, letter, [1, 0, 1, 0x61 + at]);
    assert.equal(answer(pages.bytes), "");
    for (const length of [5, 6]) {
      pages.put(1, 484, [length]);
      assert.equal(/page 1: items overlap/.test(answer(pages.bytes)), length === 6, `${length}`);
    }
  });

  it("on a leaf of a btree are damage, unless they are the key of duplicates", () => {
    for (const [offsets, message] of [
      [[508, 500, 508, 492], /^$/],
      [[508, 500, 492, 500], /page 1: items overlap/],
      [[508, 508], /page 1: items overlap/],
    ] as const) {
      const pages = new Pages("btree", 2, 512);
      pages.page(1, PageType.btreeLeaf, [...offsets], 1);
      pages.u32(0, 48, 1);
      for (const offset of offsets) pages.put(1, offset, [1, 0, 1, 0x61]);
      assert.match(answer(pages.bytes), message);
    }
  });

  it("on a leaf of a btree are damage, if one of them was deleted", () => {
    const DELETED = 0x80;
    for (const [key, data, message] of [
      [[1, 0, 1], [1, 0, DELETED | 1], /^$/],
      [[1, 0, 1], [1, 0, DELETED | 9], /page 1: an item of type 9/],
      [[1, 0, 7], [1, 0, DELETED | 1], /page 1: an item of type 7/],
      [[9, 0, 1], [1, 0, DELETED | 1], /page 1: an item lies outside/],
      [[1, 0, 1], [9, 0, DELETED | 1], /page 1: items overlap/],
    ] as const) {
      const pages = new Pages("btree", 2, 512);
      pages.page(1, PageType.btreeLeaf, [508, 500], 1);
      pages.put(1, 508, [...key, 0x61]);
      pages.put(1, 500, [...data, 0x62]);
      assert.match(answer(pages.bytes), message);
    }
  });

  it("on a page of a btree that leads to others are damage", () => {
    for (const [key, message] of [
      [[4, 0, 1], /^$/],
      [[5, 0, 1], /page 1: an item lies outside/],
      [[0, 0, 3], /page 1: an item of type 3/],
      [[0, 0, 7], /page 1: an item of type 7/],
    ] as const) {
      const pages = new Pages("btree", 3, 512);
      pages.page(1, PageType.btreeInternal, [496], 2);
      pages.put(1, 496, [...key, 0, 2]);
      pages.page(2, PageType.btreeLeaf, [], 1);
      assert.match(answer(pages.bytes), message);
    }
  });

  it("are damage, where a tree of duplicates counts others", () => {
    const tree = (root: number, item: number): string => {
      const pages = new Pages("btree", 4, 512);
      pages.u32(0, 48, 1);
      pages.page(1, PageType.btreeLeaf, [508, 496], 1);
      pages.put(1, 508, [1, 0, 1, 0x6b]);
      pages.put(1, 496, [0, 0, 2, 0, 2]);
      pages.page(2, PageType.recnoInternal, [504], 2);
      pages.u32(2, 12, root);
      pages.put(2, 504, [3, 0, 0, 0, item]);
      pages.page(3, PageType.recnoLeaf, [508], 1);
      pages.put(3, 508, [1, 0, 1, 0x61]);
      return answer(pages.bytes);
    };
    assert.equal(tree(1, 1), "");
    assert.match(tree(2, 1), /page 2: of 1 records, where 2 should be/);
    assert.match(tree(2, 2), /page 3: of 1 records, where 2 should be/);
  });

  it("in a set of duplicates are damage, where one is not as long behind as before", () => {
    for (const behind of [1, 2]) {
      const pages = new Pages("hash", 2, 512);
      pages.page(1, PageType.hash, [510, 504]);
      pages.put(1, 510, [1, 0x6b]);
      pages.put(1, 504, [2, 1, 0, 0x61, behind, 0]);
      pages.u32(0, 48, 1);
      assert.equal(answer(pages.bytes), behind === 1 ? "" : "damaged: page 1: a duplicate lies outside");
    }
  });

  it("on a page of 1.85 are damage", () => {
    const bytes = new Uint8Array(readFileSync(databaseFixture("v2-db1.85-le-map").path));
    // Of bucket 0: 500 times the same 1500 bytes.
    const page = new Uint16Array(bytes.buffer, 4096, 2048);
    page.fill(0);
    page[0] = 1000;
    for (let i = 1; i <= 1000; i += 2) {
      page[i] = 4000;
      page[i + 1] = 2500;
    }
    assert.match(answer(bytes), /page 1: item 3 lies outside/);
  });
});

describe("records that are lost", () => {
  function problemsOf(fixture: string, change: (first: DataView) => void): string {
    const bytes = new Uint8Array(readFileSync(databaseFixture(fixture).path));
    change(new DataView(bytes.buffer));
    const problems: string[] = [];
    checkDatabase(handle(bytes), ({ message }) => problems.push(message));
    return problems.join("\n");
  }

  it("are missed: by the number of records, in a file of 1.85 that says it has fewer buckets", () => {
    assert.match(
      problemsOf("v2-db1.85-be-residue", (first) => first.setUint32(40, 3)),
      /page 0: says that there are 1000 records; there are \d+/,
    );
  });

  for (const { fixture, at } of [
    { fixture: "v5-db2.7.7-be-residue", at: 32 },
    { fixture: "v6-db3.0.55-be-residue", at: 56 },
    { fixture: "v10-db18.1.40-be-residue", at: 72 },
  ])
    it(`are missed: on pages that nothing leads to, in ${fixture} that says it has fewer buckets`, () => {
      assert.match(
        // The last bucket, and the masks.
        problemsOf(fixture, (first) => [3, 3, 1].forEach((value, i) => void first.setUint32(at + 4 * i, value))),
        /page \d+: holds items, and nothing leads to it/,
      );
    });

  it("are missed: where the leaves of a btree say that there are others", () => {
    const message = problemsOf("btree9-db5.3.28-be-ps1024-residue", (first) => first.setUint32(9232, 11));
    assert.match(message, /page \d+: follows page \d+ in the tree, and not in the chain of its leaves/);
  });
});

describe("what was asked for when a file was made, and cannot be true", () => {
  const format = { byteOrder: "little", hashVersion: 9, pageSize: 4096 } as const;

  function converted(fixture: string, change: (meta: DataView) => void): number {
    const bytes = new Uint8Array(readFileSync(databaseFixture(fixture).path));
    change(new DataView(bytes.buffer));
    const fileSystem = new MemoryFileSystem();
    fileSystem.writeFile("db", bytes);
    assert.equal(
      soon(() => convert("db", "out", { format, mode: 0o600, fileSystem })),
      undefined,
    );
    return fileSystem.stat("out").size;
  }

  for (const fillFactor of [1, 25, 1000]) {
    it(`does not make a converted file large: ${fillFactor} keys a bucket, a million records`, () => {
      const size = converted("v9-db5.3.28-le-map", (meta) => {
        meta.setUint32(84, fillFactor, true);
        meta.setUint32(88, 1_000_000, true);
      });
      assert.ok(size < 1 << 20, `${size} bytes`);
    });
  }

  for (const minimumKeys of [0, 1, 200, 0xffffffff]) {
    it(`does not keep a btree file from being converted: ${minimumKeys} keys a page`, () => {
      assert.ok(converted("btree9-db5.3.28-le-map", (meta) => meta.setUint32(76, minimumKeys, true)) < 1 << 20);
    });
  }
});

describe("a page that says wrongly where its items begin", () => {
  // The bytes of pages 1 where libdb, or 1.85, says it.
  for (const { fixture, at, isLittleEndian } of [
    { fixture: "v9-db5.3.28-le-map", at: 4096 + 22, isLittleEndian: true },
    { fixture: "v7-db3.1.17-be-map", at: 4096 + 22, isLittleEndian: false },
    { fixture: "btree9-db5.3.28-le-map", at: 2 * 4096 + 22, isLittleEndian: true },
  ]) {
    it(`${fixture}: is damage, and nothing of it is taken for unused`, () => {
      const bytes = new Uint8Array(readFileSync(databaseFixture(fixture).path));
      new DataView(bytes.buffer).setUint16(at, 4000, isLittleEndian);
      const problems: string[] = [];
      checkDatabase(handle(bytes), ({ message }) => problems.push(message));
      assert.match(problems.join(), /says that its items begin at byte 4000/);
      const fileSystem = new MemoryFileSystem();
      fileSystem.writeFile("db", bytes);
      assert.throws(() => scrub("db", "db2", { fileSystem }), HashFileError);
      const sound = inspect(handle(new Uint8Array(readFileSync(databaseFixture(fixture).path))));
      assert.equal(inspect(handle(bytes)).residue.bytes, sound.residue.bytes);
    });
  }

  it("1.85: nothing of it is taken for unused", () => {
    const fixture = databaseFixture("v2-db1.85-le-map");
    const bytes = new Uint8Array(readFileSync(fixture.path));
    const view = new DataView(bytes.buffer);
    for (let page = 4096; page < bytes.length; page += 4096) {
      const count = view.getUint16(page, true);
      if (count > 0 && count < 2000) view.setUint16(page + 2 * (count + 2), 4096, true);
    }
    const fileSystem = new MemoryFileSystem();
    fileSystem.writeFile("db", bytes);
    scrub("db", "db2", { fileSystem });
    const records = [...new DatabaseFile(fileSystem.open("db2", { write: false }, 0)).records()];
    assert.equal(records.length, fixture.records.length);
  });
});
