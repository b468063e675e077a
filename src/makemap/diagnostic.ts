/**
 * What is wrong with a line of map source, as data: the command line puts it
 * into words.
 */

export type SourceProblem = "line-too-long" | "leading-space" | "no-value" | "duplicate-key";

export interface SourceDiagnostic {
  readonly problem: SourceProblem;
  /** From 1; a line that is too long counts once for each piece of 1023 bytes. */
  readonly line: number;
  /** The key as it would be stored, for the problems that have one. */
  readonly key?: Uint8Array;
}
