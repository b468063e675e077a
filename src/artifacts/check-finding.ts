/**
 * Something that the check of a fleet found.
 */
import type { Agreement } from "../authinfo/agreement.ts";
import type { LintFinding } from "../authinfo/lint/finding.ts";
import type { CheckCode } from "./check-rules.ts";
import type { Place } from "./manifest-error.ts";

export type CheckFinding =
  | {
      readonly kind: "check";
      readonly code: CheckCode;
      readonly place: Place;
      /** What the texts of the code are filled with; no secrets. */
      readonly args: Readonly<Record<string, string>>;
      /** Why a client would not authenticate, for "detail". */
      readonly agreement?: Agreement;
    }
  | {
      /** Of the source text of an authinfo map. */
      readonly kind: "lint";
      readonly place: Place;
      readonly finding: LintFinding;
    };
