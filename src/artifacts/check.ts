/**
 * Is what is built what the manifest makes, is it on the hosts, does it keep to
 * the policy, and do clients and relays agree?
 */
import { lintSource } from "../authinfo/lint/lint-source.ts";
import { type AuthinfoContent, authinfoContent } from "./authinfo-content.ts";
import { checkAgreements } from "./check-agreement.ts";
import { checkCopy, checkCopyFolders } from "./check-copies.ts";
import type { CheckFinding } from "./check-finding.ts";
import { checkMode, checkPasswords, checkPlainText, databasePasswords, mapPasswords } from "./check-policy.ts";
import type { CheckCode } from "./check-rules.ts";
import type { Place } from "./manifest-error.ts";
import type { FileChange } from "./plan.ts";
import { planSet } from "./plan-set.ts";
import type { Project } from "./project.ts";

export interface CheckOptions {
  /** A folder of copies, a folder for each host. */
  readonly copies?: string | undefined;
  /** YYYY-MM-DD */
  readonly today: string;
}

/** Findings of lint of a code, at most. */
const MOST = 100;

/** @throws {ManifestError} nothing can be built, and so nothing be checked. */
export async function* checkProject(project: Project, { copies, today }: CheckOptions): AsyncGenerator<CheckFinding> {
  const { fleet, workshop, file } = project;
  const { policy } = fleet;
  const places = new Map<string, Place>();
  const maps: AuthinfoContent[] = [];
  const databases = new Map<string, Uint8Array>();
  const found: CheckFinding[] = [];
  const { changes } = await planSet(project, {
    onArtifact: (artifact) => {
      const { spec } = artifact;
      places.set(spec.path, spec.place);
      found.push(...checkMode(artifact, policy));
      if (copies !== undefined) found.push(...checkCopy(artifact, copies));
      if (spec.kind === "database") databases.set(spec.path, artifact.bytes);
      const content = authinfoContent(artifact, workshop);
      if (content === undefined) return;
      maps.push(content);
      found.push(...lintContent(content));
    },
  });
  // Where an artifact is another, what is said of the set is another too.
  const isStale = changes.some(({ path, action }) => places.has(path) || action === "remove");
  for (const change of changes) {
    if (!isStale || places.has(change.path) || change.action === "remove")
      yield ofChange(change, places.get(change.path) ?? { file: file.name });
  }
  if (copies !== undefined) yield* checkCopyFolders(fleet.hosts, copies);
  yield* found;
  const uses = [...fleet.hosts.flatMap((host) => databasePasswords(host, workshop)), ...maps.flatMap(mapPasswords)];
  yield* checkPasswords(uses, policy, today);
  yield* checkPlainText(fleet, maps);
  yield* checkAgreements(fleet, maps, databases);
}

function ofChange(change: FileChange, place: Place): CheckFinding {
  const code: CheckCode = change.action === "add" ? "missing" : change.action === "remove" ? "unexpected" : "stale";
  return { kind: "check", code, place, args: { path: change.path, detail: detailOf(change) } };
}

function detailOf({ users, records, notes }: FileChange): string {
  const parts = [
    ...users
      .slice(0, 3)
      .map(({ action, user }) =>
        action === "add" ? `${user} is missing` : action === "remove" ? `${user} is too many` : `${user} has another secret`,
      ),
    ...(users.length > 3 ? [`${users.length - 3} more users`] : []),
    ...(records.length > 0 ? [`${records.length} of its records`] : []),
    ...notes,
  ];
  return parts.length === 0 ? "other bytes" : parts.join(", ");
}

function* lintContent({ text, spec, placeOf }: AuthinfoContent): Generator<CheckFinding> {
  // What is written here from entries is right, and nobody could mend it.
  if (spec.source.kind === "entries") return;
  for (const finding of lintSource(text, { ...spec.options, duplicates: spec.duplicates, most: MOST })) {
    if (finding.severity === "note") continue;
    yield { kind: "lint", place: { ...placeOf(finding.line ?? 1), column: finding.column }, finding };
  }
}
