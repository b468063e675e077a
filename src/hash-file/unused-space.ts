/**
 * Residue: what stands in the unused space of the pages of a database. libdb
 * leaves there what was deleted or moved, and a copy of other pages.
 */
import { HashFileError } from "./error.ts";
import { PageField, type PageLayout, PageType } from "./layout.ts";

/** Of the first page's bytes so many mean something. */
const META_USED = 512;

/** A part of a page: the offset of its first byte, and that of the first one behind it. */
export type Stretch = readonly [from: number, to: number];

/**
 * The unused space of a page of any kind but 1.85's; empty for one that is not
 * what it should be.
 * @param page whole.
 */
export function unusedSpace(page: Uint8Array, layout: PageLayout): Stretch {
  const { pageSize, headerLength, isLittleEndian } = layout;
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  switch (page[PageField.type]) {
    case PageType.invalid:
      return [headerLength, pageSize];
    case PageType.overflow:
      return stretch(headerLength + view.getUint16(PageField.lowest, isLittleEndian), pageSize);
    case PageType.hash:
    case PageType.hashUnsorted:
    case PageType.btreeLeaf:
    case PageType.btreeInternal:
    case PageType.recnoLeaf:
    case PageType.recnoInternal:
    case PageType.duplicateLeaf: {
      const entries = view.getUint16(PageField.entries, isLittleEndian);
      return stretch(headerLength + 2 * entries, lowestItem(view, layout, entries), pageSize);
    }
    case PageType.hashMeta:
    case PageType.btreeMeta:
      return stretch(META_USED, pageSize);
    default:
      return [0, 0];
  }
}

/**
 * Where the first byte of all items is, by their index: what the page says of
 * it may be wrong, and libdb does not mind as it reads.
 */
function lowestItem(view: DataView, { headerLength, pageSize, isLittleEndian }: PageLayout, entries: number): number {
  if (headerLength + 2 * entries > pageSize) return 0;
  let lowest = pageSize;
  for (let i = 0; i < entries; i++) lowest = Math.min(lowest, view.getUint16(headerLength + 2 * i, isLittleEndian));
  return lowest;
}

function stretch(from: number, to: number, most = to): Stretch {
  return from <= to && to <= most ? [from, to] : [0, 0];
}

/**
 * Sets the unused space of a page to zero. A page that is not what it should
 * be stays as it is, for whoever reads it to report; so does every page of a
 * file with checksums, which cover unused space too.
 * @param page whole; changed in place.
 */
export function clearUnusedSpace(page: Uint8Array, layout: PageLayout): void {
  const { pageSize, hasChecksums } = layout;
  if (page.length !== pageSize) throw new HashFileError(`a page of ${page.length} bytes, not ${pageSize}`);
  if (hasChecksums) return;
  const [from, to] = unusedSpace(page, layout);
  page.fill(0, from, to);
}
