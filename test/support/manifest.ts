/**
 * Manifests of tests: what is wrong with one, and the fleet that one makes.
 */
import type { Fleet, FormatOverrides } from "#src/artifacts/fleet.js";
import { ManifestError, problemText } from "#src/artifacts/manifest-error.js";
import { ManifestFile } from "#src/artifacts/manifest-file.js";
import { resolveFleet } from "#src/artifacts/resolve-fleet.js";

const MANIFEST_NAME = "tsmap.yaml";

/** @throws {ManifestError} */
export function fleetOf(text: string, overrides: FormatOverrides = {}): Fleet {
  return resolveFleet(new ManifestFile(MANIFEST_NAME, text), overrides);
}

/** What is wrong with it, with places that begin with the line; none where there is nothing. */
export function problemsOf(text: string): string[] {
  return problemsIn(() => void fleetOf(text));
}

/** The same of anything else that finds something wrong with manifests. */
export function problemsIn(work: () => void): string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.problems.map((problem) => problemText(problem).replace(`${MANIFEST_NAME}:`, ""));
  }
}
