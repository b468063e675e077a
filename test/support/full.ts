/**
 * Whether everything is to be run, as .ci/run does (TSMAKEMAP_TEST_FULL=1), or
 * what a few minutes are enough for.
 */
export const isFull: boolean = process.env["TSMAKEMAP_TEST_FULL"] === "1";

/** How long a crowd is to be at it, in seconds, where somebody wants all of it to be tried: `npm run stress`. */
export const stressSeconds: number | undefined =
  process.env["TSMAKEMAP_STRESS_SECONDS"] === undefined ? undefined : Number(process.env["TSMAKEMAP_STRESS_SECONDS"]);

/** How long a property is tried, in milliseconds: the whole of it in the full run, a third of it in the ordinary one. */
export function timeLimit(milliseconds: number): number {
  return isFull ? milliseconds : milliseconds / 3;
}
