/**
 * The library's other entry, tsmakemap/artifacts: fleets. It is one by itself
 * because it loads a parser of YAML and a validator, which nobody else needs.
 */

export type { Artifact, Input, ProgressOfFile, Workshop } from "./artifact.ts";
export { type CheckOptions, checkProject } from "./check.ts";
export type { CheckFinding } from "./check-finding.ts";
export { CHECK_RULES, type CheckCode, type CheckRule } from "./check-rules.ts";
export type {
  ArtifactSpec,
  DatabaseSpec,
  EntrySpec,
  Fleet,
  FormatOverrides,
  Host,
  MapSource,
  MapSpec,
  SecretUse,
  UserSpec,
} from "./fleet.ts";
export type { Manifest, Policy, SecretSource } from "./manifest.ts";
export { ManifestError, type ManifestProblem, type Place } from "./manifest-error.ts";
export { ManifestFile } from "./manifest-file.ts";
export type { FileChange, RecordChange, UserChange } from "./plan.ts";
export { buildSet, type PlanOptions, planSet, type SetPlan } from "./plan-set.ts";
export { Project, type ProjectOptions, type ProjectSettings } from "./project.ts";
export type { SetFolder } from "./set-folder.ts";
