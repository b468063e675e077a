/**
 * What is wrong with a manifest or with what it names, each with its place. No
 * message quotes a value: what stands in a wrong place may be a password.
 */

export interface Place {
  /** As it was named. */
  readonly file: string;
  /** From 1; undefined for the file as a whole. */
  readonly line?: number | undefined;
  /** In characters, from 1. */
  readonly column?: number | undefined;
}

export interface ManifestProblem {
  readonly place: Place;
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** Nothing can be made of the manifest as it is. */
export class ManifestError extends Error {
  readonly problems: readonly ManifestProblem[];

  constructor(problems: readonly ManifestProblem[]) {
    super(problems.map(problemText).join("\n"));
    this.name = "ManifestError";
    this.problems = problems;
  }
}

/** "tsmap.yaml:3:5: what is wrong". */
export function problemText({ place, message }: ManifestProblem): string {
  return `${placeText(place)}: ${message}`;
}

export function placeText({ file, line, column }: Place): string {
  return [file, line, column].filter((part) => part !== undefined).join(":");
}
