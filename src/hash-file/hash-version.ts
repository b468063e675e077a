/**
 * Makes a version 9 hash file one of version 8 or 7.
 *
 * Version 9 differs from 8 in that the items of its pages are sorted, and says
 * so by the pages' type; older libraries search a page from end to end, so
 * sorted pages serve them too, under the old type. Version 7 differs from 8 in
 * the same way: in nothing but the number, for a file like these. Layout:
 * dbinc/db_page.h of libdb 5.3 (DBMETA, PAGE).
 */
import { type FileHandle, type FileSystem, readFileHeader } from "berkeley-db-js";

const META_VERSION = 16;
const META_LAST_PAGE = 32;
const PAGE_TYPE = 25;
const P_HASH_UNSORTED = 2;
const P_HASH = 13;

/** Pages are read and written this many bytes at a time. */
const STRETCH = 1 << 20;

/** As `setHashVersion`, for a file by its path. */
export function setHashVersionOf(path: string, version: number, fileSystem: FileSystem): void {
  const file = fileSystem.open(path, { write: true }, 0);
  try {
    setHashVersion(file, version);
  } finally {
    file.close();
  }
}

/**
 * @param file a whole version 8 or 9 hash file, open for writing; it stays the caller's.
 * @throws {TypeError} where it is none.
 */
export function setHashVersion(file: FileHandle, version: number): void {
  const first = new Uint8Array(512);
  file.read(first, 0);
  const header = readFileHeader(first);
  if (header === undefined || header.type !== "hash" || header.version < 8 || header.version > 9) {
    throw new TypeError("not a version 8 or 9 hash file");
  }
  const { pageSize, byteOrder } = header;
  const little = byteOrder === "little";
  const size = (new DataView(first.buffer).getUint32(META_LAST_PAGE, little) + 1) * pageSize;
  const stretch = new Uint8Array(STRETCH);
  for (let offset = 0; offset < size; offset += STRETCH) {
    const pages = stretch.subarray(0, file.read(stretch.subarray(0, Math.min(STRETCH, size - offset)), offset));
    if (offset === 0) new DataView(pages.buffer, pages.byteOffset).setUint32(META_VERSION, version, little);
    let changed = offset === 0;
    for (let page = 0; page < pages.length; page += pageSize) {
      if (pages[page + PAGE_TYPE] !== P_HASH) continue;
      pages[page + PAGE_TYPE] = P_HASH_UNSORTED;
      changed = true;
    }
    if (changed) file.write(pages, offset);
  }
}
