/**
 * What is wrong with a database file.
 */

const DAMAGED = "damaged: ";

/** A file that is no database, one that is not read here, or a damaged one; the message names the damage and its page. */
export class HashFileError extends Error {
  /** Of the damage, where it is on one page. */
  readonly page: number | undefined;

  constructor(message: string, page?: number) {
    super(message);
    this.name = "HashFileError";
    this.page = page;
  }

  /** Whether it is a database, and damaged. */
  get isDamage(): boolean {
    return this.message.startsWith(DAMAGED);
  }
}

/** The error for damage in so many places that the rest is not read. */
export function tooMuchDamage(places: number): HashFileError {
  return new HashFileError(`${DAMAGED}in more than ${places} places; the rest was not read`);
}

/** The error for damage on a page. */
export function damaged(page: number, what: string): HashFileError {
  return new HashFileError(`${DAMAGED}page ${page}: ${what}`, page);
}
