/**
 * What the last regular expression matched stays within reach of every program,
 * as RegExp.input, until the next one: it may have been a line with a password.
 */

/** Has it be another. */
export function forgetLastMatch(): void {
  /^/.test("");
}
