/**
 * Parts of a manifest by the way to them.
 */

/** Names and indexes, from the outermost. */
export type Path = readonly (string | number)[];

/** hosts.relay1.databases; a name with anything else in it stands in quotes. */
export function nameOf(path: Path): string {
  if (path.length === 0) return "manifest";
  return path.map((part) => (/^[\w-]+$/.test(String(part)) ? String(part) : JSON.stringify(part))).join(".");
}
