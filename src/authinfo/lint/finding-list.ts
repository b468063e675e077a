/**
 * Findings as they are gathered: of each kind no more than anybody reads, and
 * how many there are besides.
 */
import type { LintFinding } from "./finding.ts";

export class FindingList {
  readonly #most: number;
  readonly #found: LintFinding[] = [];
  /** By code and severity: a note must not hide an error. */
  readonly #counts = new Map<string, { readonly of: LintFinding; count: number }>();

  /** @param most of a code and severity that are kept. */
  constructor(most: number = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Keeps it, or counts it alone. */
  add(finding: LintFinding): void {
    const kind = `${finding.code} ${finding.severity}`;
    const counted = this.#counts.get(kind);
    if (counted === undefined) this.#counts.set(kind, { of: finding, count: 1 });
    else counted.count += 1;
    if ((counted?.count ?? 1) <= this.#most) this.#found.push(finding);
  }

  /** Those that are kept, and a note for each kind of which there are more. */
  all(order?: (a: LintFinding, b: LintFinding) => number): LintFinding[] {
    if (order !== undefined) this.#found.sort(order);
    const more = [...this.#counts.values()].flatMap(({ of: { code, severity }, count }): LintFinding[] =>
      count <= this.#most ? [] : [{ code: "more-findings", severity: "note", args: { code, severity, count: count - this.#most } }],
    );
    return [...this.#found, ...more];
  }
}

/** Leaves out what is too much. */
export function limitFindings(findings: readonly LintFinding[], most?: number): LintFinding[] {
  const list = new FindingList(most);
  for (const finding of findings) list.add(finding);
  return list.all();
}
