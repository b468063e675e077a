/**
 * The library's other entry, tsmakemap/artifacts: fleets. It is one by itself
 * because it loads a parser of YAML and a validator, which nobody else needs.
 * @module tsmakemap/artifacts
 */

export type { Artifact, ProgressOfFile, Workshop } from "./artifact.ts";
export { type CheckOptions, checkProject } from "./check.ts";
export type { CheckFinding } from "./check-finding.ts";
export { CHECK_RULES, type CheckCode, type CheckRule } from "./check-rules.ts";
export type { Derivation, UserIdentity } from "./derivation.ts";
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
export type { Input } from "./input.ts";
export type {
  Manifest,
  ManifestArtifact,
  ManifestDatabase,
  ManifestEntry,
  ManifestFormat,
  ManifestHost,
  ManifestMap,
  ManifestNamedHost,
  ManifestSettings,
  ManifestUser,
  Policy,
  SecretReference,
  SecretSource,
} from "./manifest.ts";
export { ManifestError, type ManifestProblem, type Place } from "./manifest-error.ts";
export { ManifestFile } from "./manifest-file.ts";
export type { Path as ManifestPath } from "./manifest-path.ts";
export type { FileChange, RecordChange, UserChange } from "./plan.ts";
export { buildSet, type PlanOptions, planSet, type SetPlan } from "./plan-set.ts";
export { Project, type ProjectOptions, type ProjectSettings } from "./project.ts";
export type { SecretReader, SecretReaderOptions } from "./secret-reader.ts";
export type { BuildFacts, SetFile, SetFileText } from "./set-files.ts";
export type { NewSet, SetFolder } from "./set-folder.ts";
