/**
 * What old content is readable in the unused space of a database.
 */
import { mayBeOfSecret } from "./secrets.ts";

/**
 * Printable characters of ASCII in a row are text from this many on: libdb leaves
 * copies of numbers and file ids too, which are no secret.
 */
const SHORTEST = 6;

/** Counts what can be read, page after page; keeps none of it. */
export class ResidueCounter {
  bytes = 0;
  pages = 0;
  texts = 0;
  /** Whether any of it looks like a record with a secret. */
  mayBeSecret = false;

  /**
   * @param unused of one page.
   * @param bytes how many of them are not zero.
   */
  add(unused: Buffer, bytes: number): void {
    if (bytes === 0) return;
    this.bytes += bytes;
    this.pages += 1;
    for (let at = 0; at < unused.length; ) {
      let end = at;
      while (end < unused.length && isPrintable(unused[end] as number)) end++;
      if (end - at >= SHORTEST) {
        this.texts += 1;
        if (!this.mayBeSecret) this.mayBeSecret = mayBeOfSecret(unused.toString("latin1", at, end));
      }
      at = end + 1;
    }
  }
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}
