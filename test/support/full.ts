/**
 * Whether everything is to be run, as .ci/run does (TSMAKEMAP_TEST_FULL=1), or
 * what a few minutes are enough for.
 */
export const isFull: boolean = process.env["TSMAKEMAP_TEST_FULL"] === "1";

/** How long a property is tried, in milliseconds: the whole of it in the full run, a third of it in the ordinary one. */
export function timeLimit(milliseconds: number): number {
  return isFull ? milliseconds : milliseconds / 3;
}
