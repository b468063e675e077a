/**
 * What a file is that is no Berkeley DB file, by its first bytes: whoever took
 * it for one wants to know.
 */

const SIGNATURES: readonly (readonly [bytes: readonly number[], kind: string])[] = [
  [[0x1f, 0x8b], "compressed with gzip: decompress it first"],
  [[0x42, 0x5a, 0x68], "compressed with bzip2: decompress it first"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "compressed with xz: decompress it first"],
  [[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd: decompress it first"],
  [[0x50, 0x4b, 0x03, 0x04], "a zip archive"],
  [[...Buffer.from("SQLite format 3")], "an SQLite database"],
  [[...Buffer.from("-----BEGIN ")], "a PEM text"],
  [[...Buffer.from("age-encryption.org")], "encrypted with age"],
  // gdbm(3): GDBM_OMAGIC, GDBM_MAGIC32, GDBM_MAGIC64 and the two of the numsync format.
  [[0xce, 0x9a, 0x57, 0x13], "a GDBM database"],
  [[0xcd, 0x9a, 0x57, 0x13], "a GDBM database"],
  [[0xcf, 0x9a, 0x57, 0x13], "a GDBM database"],
  [[0x13, 0x57, 0x9a, 0xce], "a GDBM database"],
  [[0x13, 0x57, 0x9a, 0xcd], "a GDBM database"],
  [[0x13, 0x57, 0x9a, 0xcf], "a GDBM database"],
];

/** MDB_MAGIC, behind the header of an LMDB file's first page. */
const LMDB_MAGIC = 0xbeefc0de;
const LMDB_MAGIC_AT = 16;

/** DB_QAMMAGIC and DB_HEAPMAGIC. */
const OTHER_METHODS = new Map([
  [0x042253, "queue"],
  [0x074582, "heap"],
]);
const MAGIC_AT = 12;

/** That it is none, and what it is where somebody can tell. */
export function foreignMessage(bytes: Uint8Array): string {
  const method = methodOf(bytes);
  if (method !== undefined) return `a Berkeley DB ${method} file: only hash and btree files can be read`;
  const kind = foreignKind(bytes);
  return `not a Berkeley DB file${kind === undefined ? "" : `, but ${kind}`}`;
}

export const TEXT = "text";

function methodOf(bytes: Uint8Array): string | undefined {
  if (bytes.length < MAGIC_AT + 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return OTHER_METHODS.get(view.getUint32(MAGIC_AT)) ?? OTHER_METHODS.get(view.getUint32(MAGIC_AT, true));
}

/** What the file seems to be; undefined where nobody can tell. */
export function foreignKind(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "empty";
  for (const [signature, kind] of SIGNATURES) {
    if (signature.every((byte, i) => bytes[i] === byte)) return kind;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length >= LMDB_MAGIC_AT + 4) {
    if (view.getUint32(LMDB_MAGIC_AT) === LMDB_MAGIC || view.getUint32(LMDB_MAGIC_AT, true) === LMDB_MAGIC) return "an LMDB database";
  }
  if (methodOf(bytes) !== undefined) return "a Berkeley DB file";
  return isText(bytes) ? TEXT : undefined;
}

/** Whether bytes can be lines of text: no NUL. makemap takes any other byte. */
function isText(bytes: Uint8Array): boolean {
  return bytes.length > 0 && !bytes.includes(0);
}
