/**
 * Whether everything is to be run, as .ci/run does (TSMAKEMAP_TEST_FULL=1), or
 * what a few minutes are enough for.
 */
export const isFull: boolean = process.env["TSMAKEMAP_TEST_FULL"] === "1";
