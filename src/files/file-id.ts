/**
 * The id of a database file: 20 bytes by which Berkeley DB tells files apart,
 * and which outlive what is in them, so that they must tell nothing of secrets.
 */
import { nodeCrypto } from "./late.ts";

export const FILE_ID_LENGTH = 20;

/** These 20 bytes, "content" (derived from what is in the file), "random", or what is made of that of the content. */
export type FileId = Uint8Array | "content" | "random" | ((content: Uint8Array) => Uint8Array);

/** Whether it depends on what is in the file. */
export function isOfContent(id: FileId): boolean {
  return id === "content" || typeof id === "function";
}

/**
 * @param digest of the content, at least as long as an id; asked for where it is needed.
 * @returns the caller's, unless it is what the caller has given.
 */
export function fileIdOf(id: FileId, digest: () => Uint8Array): Uint8Array {
  if (id === "random") return nodeCrypto().randomBytes(FILE_ID_LENGTH);
  if (id instanceof Uint8Array) return id;
  const content = digest().subarray(0, FILE_ID_LENGTH);
  return id === "content" ? content : id(content);
}
