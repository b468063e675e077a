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
