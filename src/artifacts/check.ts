/**
 * Is what is built what the manifest makes, is it on the hosts, does it keep to
 * the policy, and do clients and relays agree?
 */
import { lintSource } from "../authinfo/lint/lint-source.ts";
import { sha256Of } from "./artifact.ts";
import { type AuthinfoContent, authinfoContent } from "./authinfo-content.ts";
import { checkAgreements } from "./check-agreement.ts";
import { checkCopy } from "./check-copies.ts";
import type { CheckFinding } from "./check-finding.ts";
import { checkMode, checkPasswords, checkPlainText, databasePasswords, mapPasswords, type PasswordUse } from "./check-policy.ts";
import type { CheckCode } from "./check-rules.ts";
import type { Place } from "./manifest-error.ts";
import { changeOf, changeOfText, type FileChange, removals } from "./plan.ts";
import type { Project } from "./project.ts";
import { type ArtifactSummary, setFiles, summarize } from "./set-files.ts";

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
  const { fleet, output, workshop, facts, file } = project;
  const { policy } = fleet;
  const summaries: ArtifactSummary[] = [];
  const maps: AuthinfoContent[] = [];
  const databases = new Map<string, Uint8Array>();
  const uses: PasswordUse[] = [];
  for await (const artifact of project.artifacts()) {
    const { spec } = artifact;
    yield* ofChange(changeOf(artifact, output), spec.place);
    yield* checkMode(artifact, policy);
    if (copies !== undefined) yield* checkCopy(artifact, copies);
    if (spec.kind === "database") databases.set(spec.path, artifact.bytes);
    const content = authinfoContent(artifact, workshop);
    if (content !== undefined) {
      maps.push(content);
      yield* lintContent(content);
    }
    summaries.push(summarize(artifact));
  }
  const texts = setFiles(summaries, facts);
  const manifest: Place = { file: file.name };
  // Where an artifact is stale, they are too.
  const isCurrent = summaries.every(({ path, sha256 }) => sha256Of(output.read(path)?.bytes ?? "") === sha256);
  if (isCurrent) for (const text of texts) yield* ofChange(changeOfText(text, output), manifest);
  for (const removal of removals([...summaries, ...texts], output)) yield* ofChange(removal, manifest);
  for (const host of fleet.hosts) uses.push(...databasePasswords(host, workshop));
  for (const map of maps) uses.push(...mapPasswords(map));
  yield* checkPasswords(uses, policy, today);
  yield* checkPlainText(fleet, maps);
  yield* checkAgreements(fleet, maps, databases);
}

function* ofChange(change: FileChange | undefined, place: Place): Generator<CheckFinding> {
  if (change === undefined) return;
  const code: CheckCode = change.action === "add" ? "missing" : change.action === "remove" ? "unexpected" : "stale";
  yield { kind: "check", code, place, args: { path: change.path, detail: detailOf(change) } };
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
  for (const finding of lintSource(text, { ...spec.options, duplicates: spec.duplicates, most: MOST })) {
    if (finding.severity === "note") continue;
    const place = placeOf(finding.line ?? 1);
    // A text that is written here has no columns that anybody sees.
    yield { kind: "lint", place: spec.source.kind === "entries" ? place : { ...place, column: finding.column }, finding };
  }
}
