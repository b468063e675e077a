/**
 * How records are handed over while a file is read.
 */

/** Called with a buffer and where in it the bytes begin and end; a view, good during the call. */
export type VisitItem = (bytes: Buffer, start: number, end: number) => void;

/** The same with a key, and the data that belong to it. */
export type VisitRecord = (
  keyBytes: Buffer,
  keyStart: number,
  keyEnd: number,
  dataBytes: Buffer,
  dataStart: number,
  dataEnd: number,
) => void;

/**
 * Whether the key of a record is another than that of the record before it,
 * which may share its bytes: a long key can have very many duplicates, and is
 * looked at once.
 */
export function newKeys(): (bytes: Buffer, start: number, end: number) => boolean {
  let lastBytes: Buffer | undefined;
  let lastStart = 0;
  let lastEnd = 0;
  return (bytes, start, end) => {
    if (bytes === lastBytes && start === lastStart && end === lastEnd) return false;
    lastBytes = bytes;
    lastStart = start;
    lastEnd = end;
    return true;
  };
}
