/**
 * Mends what can be mended for certain in the source text of an authinfo map.
 * What is not part of a mend stays byte for byte.
 */
import type { Edit, LintFinding } from "./finding.ts";
import { limitFindings } from "./finding-list.ts";
import { lintSource } from "./lint-source.ts";
import type { LintOptions } from "./options.ts";

export interface FixedSource {
  readonly bytes: Uint8Array;
  /** Where they were when they were mended: what was mended before has moved them. */
  readonly mended: readonly LintFinding[];
  /** What is left. */
  readonly remaining: readonly LintFinding[];
}

/** Each line is mended once a round, and no line has this many kinds of faults. */
const MOST_ROUNDS = 64;

/**
 * @param bytes stay the caller's.
 * @param options of them `most` is for what is left; what is mended is told in full.
 */
export function fixSource(bytes: Uint8Array, { most, ...options }: LintOptions = {}): FixedSource {
  const mended: LintFinding[] = [];
  let text = bytes;
  let remaining = lintSource(text, options);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const now = selectMends(remaining);
    if (now.length === 0) break;
    const edits = now.flatMap(({ edits = [] }) => edits);
    text = apply(text, edits);
    for (const finding of now) mended.push(finding);
    remaining = lintSource(text, options);
  }
  return { bytes: text, mended, remaining: limitFindings(remaining, most) };
}

/** What is about the whole text goes first; then one finding of each line, since each changes what the others see. */
function selectMends(findings: readonly LintFinding[]): LintFinding[] {
  const mendable = findings.filter(({ edits }) => edits !== undefined);
  const whole = mendable.find(({ code }) => code === "utf8-byte-order-mark" || code === "crlf");
  if (whole !== undefined) return [whole];
  const lines = new Set<number | undefined>();
  return mendable.filter(({ line }) => !lines.has(line) && lines.add(line));
}

/** @param edits in the order of the text, none within another. */
function apply(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { offset, length, text } of edits) {
    parts.push(bytes.subarray(at, offset), Buffer.from(text, "latin1"));
    at = offset + length;
  }
  parts.push(bytes.subarray(at));
  return new Uint8Array(Buffer.concat(parts));
}
