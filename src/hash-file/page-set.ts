/**
 * A set of the pages of a file, with a bit for each.
 */
export class PageSet {
  readonly #bits: Uint8Array;

  /** @param pages in the file. */
  constructor(pages: number) {
    this.#bits = new Uint8Array(Math.ceil(pages / 8));
  }

  has(page: number): boolean {
    return ((this.#bits[page >>> 3] as number) & (1 << (page & 7))) !== 0;
  }

  add(page: number): void {
    this.#bits[page >>> 3] = (this.#bits[page >>> 3] as number) | (1 << (page & 7));
  }
}
