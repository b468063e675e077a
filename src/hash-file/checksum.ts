/**
 * The checksums of pages (DB_CHKSUM): __db_check_chksum and __ham_func4 of
 * libdb 5.3.
 */
import { PageField, type PageLayout, PageType } from "./layout.ts";
import { u32 } from "./page-reader.ts";

/** Where the sum stands, and how many bytes it is of: of the first page its header alone. */
const META = { at: 492, length: 512 } as const;
const AT = 28;
const SIZE = 4;

/** Whether a page of a file with checksums is as it was written. */
export function isAsWritten(page: Uint8Array, number: number, { isLittleEndian, pageSize }: PageLayout): boolean {
  if (isHole(page)) return true;
  const { at, length } = number === 0 ? META : { at: AT, length: pageSize };
  return sumOf(page, at, length) === u32(page, at, isLittleEndian);
}

/** Never written to. */
function isHole(page: Uint8Array): boolean {
  return page[PageField.type] === PageType.invalid && page.subarray(0, PageField.number + SIZE).every((byte) => byte === 0);
}

/** Of the first bytes of a page, with 0 for the sum itself. */
function sumOf(page: Uint8Array, sumAt: number, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at++) {
    const isSum = at >= sumAt && at < sumAt + SIZE;
    sum = (Math.imul(sum, 33) + (isSum ? 0 : (page[at] as number))) >>> 0;
  }
  return sum;
}
