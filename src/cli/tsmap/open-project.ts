/**
 * From the operand and the options of plan, build, check and watch to a fleet.
 */
import { existsSync } from "node:fs";
import type { Fleet } from "../../artifacts/fleet.ts";
import { ManifestError, problemText } from "../../artifacts/manifest-error.ts";
import { ManifestFile } from "../../artifacts/manifest-file.ts";
import { Project, type ProjectOptions } from "../../artifacts/project.ts";
import { resolveFleet } from "../../artifacts/resolve-fleet.ts";
import { SetFolderError } from "../../artifacts/set-folder.ts";
import { LockedError } from "../../files/file-lock.ts";
import { MOST_TEXT, readWhole } from "../../files/read-whole.ts";
import { packageVersion } from "../version.ts";
import { type BuildFlags, type LayeredSetting, layerSettings, projectSettings } from "./build-settings.ts";
import type { Context } from "./context.ts";
import { Trouble, troubleWith, withFile } from "./trouble.ts";

const USUAL_NAMES = ["tsmap.yaml", "tsmap.yml", "tsmap.json"] as const;

export interface ManifestText {
  readonly file: ManifestFile;
  readonly text: string;
  readonly settings: readonly LayeredSetting[];
}

/** @throws {Trouble} */
export async function readManifest({ environment }: Context, operand: unknown, flags: BuildFlags): Promise<ManifestText> {
  const name = manifestName(operand);
  const text = withFile(name, () => readWhole(name, MOST_TEXT).toString());
  const file = inWords(() => new ManifestFile(name, text));
  const settings = await layerSettings(flags, environment, { name, settings: file.manifest.settings ?? {} });
  return { file, text, settings };
}

/** @throws {Trouble} */
export function fleetOf({ file, settings }: ManifestText): Fleet {
  return inWords(() => resolveFleet(file, projectSettings(settings).overrides));
}

/** @throws {Trouble} */
export function openProject(
  { environment }: Context,
  { file, text, settings }: ManifestText,
  onProgress?: ProjectOptions["onProgress"],
): Project {
  const options = { settings: projectSettings(settings), environment, toolVersion: packageVersion(), onProgress };
  return inWords(() => new Project(file, text, options));
}

/** @throws {Trouble} it is not named, and nowhere that it is looked for. */
export function manifestName(operand: unknown): string {
  if (typeof operand === "string") return operand;
  const found = USUAL_NAMES.find((name) => existsSync(name));
  if (found === undefined) throw new Trouble(`there is no ${USUAL_NAMES.join(", nor ")} in this folder: name the manifest`);
  return found;
}

/** @throws {Trouble} in place of what is wrong with a manifest or with its output. */
function inWords<T>(what: () => T): T {
  try {
    return what();
  } catch (error) {
    throw projectTrouble(error);
  }
}

/**
 * Does something with a project.
 * @throws {Trouble} in place of what is wrong with it.
 */
export async function projectWork<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw projectTrouble(error);
  }
}

/** What an error about a project is to its user; an error of another kind is returned as it is. */
export function projectTrouble(error: unknown): unknown {
  if (error instanceof ManifestError) return new Trouble(error.problems.map(problemText));
  if (error instanceof SetFolderError || error instanceof LockedError) return new Trouble(error.message, { cause: error });
  const { path } = error as NodeJS.ErrnoException;
  return path === undefined ? error : troubleWith(path, error);
}
