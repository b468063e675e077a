/**
 * How records are handed over while a file is read.
 */

// As methods, which may ask for the Buffer that they get: the types of the
// library are for programs too that have none of Node.

/** Called with a Buffer and where in it the bytes begin and end; a view, good during the call. */
export type VisitItem = { visit(bytes: Uint8Array, start: number, end: number): void }["visit"];

/** The same with a key, and the data that belong to it. */
export type VisitRecord = {
  visit(keyBytes: Uint8Array, keyStart: number, keyEnd: number, dataBytes: Uint8Array, dataStart: number, dataEnd: number): void;
}["visit"];

/** The pages of a file after a walk. */
export interface WalkedPages {
  /** Whether the walk came to a page. */
  wasTaken(page: number): boolean;
  /** A view of a page. */
  peek(page: number): Uint8Array;
}

/**
 * Whether the key of a record is another than that of the record before it,
 * which may share its bytes: a long key can have very many duplicates, and is
 * looked at once.
 */
export function newKeys(): (bytes: Uint8Array, start: number, end: number) => boolean {
  let lastBytes: Uint8Array | undefined;
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
