/**
 * A failure of the build that its user can mend.
 */

/** What went wrong and what to do about it. Anything else that is thrown is a defect of the build. */
export class BuildFailure extends Error {
  readonly mend: string;

  constructor(problem: string, mend: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = "BuildFailure";
    this.mend = mend;
  }
}

/** The `code` of a system error ("ENOSPC"), if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
