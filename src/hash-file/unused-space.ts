/**
 * Residue: what stands in the unused space of the pages of a hash file. libdb
 * leaves there what was deleted or moved, and a copy of other pages.
 */
import { HashFileError } from "./error.ts";
import { PageField, type PageLayout, PageType } from "./layout.ts";

/**
 * Sets the unused space of a page to zero. A page that is not what it should
 * be stays as it is, for whoever reads it to report; so does every page of a
 * file with checksums, which cover unused space too, and the file's first one.
 * @param page whole; changed in place.
 */
export function clearUnusedSpace(page: Uint8Array, layout: PageLayout): void {
  const { pageSize, headerLength, isLittleEndian, hasChecksums } = layout;
  if (page.length !== pageSize) throw new HashFileError(`a page of ${page.length} bytes, not ${pageSize}`);
  if (hasChecksums) return;
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const number = view.getUint16(PageField.lowest, isLittleEndian);
  switch (page[PageField.type]) {
    case PageType.invalid:
      page.fill(0, headerLength);
      break;
    case PageType.overflow:
      if (headerLength + number <= pageSize) page.fill(0, headerLength + number);
      break;
    case PageType.hash:
    case PageType.hashUnsorted: {
      const entries = view.getUint16(PageField.entries, isLittleEndian);
      const from = headerLength + 2 * entries;
      // A page of 65536 bytes without items has 0 here: its size does not fit.
      const to = entries === 0 ? pageSize : number;
      if (from <= to && to <= pageSize) page.fill(0, from, to);
      break;
    }
  }
}
