/**
 * How lint reads a map, and which places it gives to findings.
 */
import type { SourceOptions } from "../../makemap/source-parser.ts";

export interface LintOptions extends SourceOptions {
  /** What makemap does with the second entry of a key: refuse it (the default), replace the first (-r), or keep both (-d). */
  readonly duplicates?: "refuse" | "replace" | "keep";
  /** How many findings of a code and severity are kept; a note says how many more there are. Default: all. */
  readonly most?: number | undefined;
}

/** What becomes of two entries with a key. */
export function duplicateEffect({ duplicates = "refuse" }: LintOptions): string {
  if (duplicates === "refuse") return "makemap refuses this one";
  return duplicates === "replace" ? "this one takes its place (-r)" : "both are stored (-d), and the first is found";
}
