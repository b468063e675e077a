/**
 * All targets, by name. Each is loaded when it is wanted: coverage is counted of
 * code that is loaded after it is turned on.
 */
import type { Target } from "./target.ts";

type Load = () => Promise<{ readonly target: Target }>;

const TARGETS: Readonly<Record<string, Load>> = {
  "map-source": () => import("./targets/map-source.ts"),
  "authinfo-value": () => import("./targets/authinfo-value.ts"),
  database: () => import("./targets/database.ts"),
  "dump-text": () => import("./targets/dump-text.ts"),
  "cf-file": () => import("./targets/cf-file.ts"),
  manifest: () => import("./targets/manifest.ts"),
  "smtp-answers": () => import("./targets/smtp-answers.ts"),
};

export const TARGET_NAMES: readonly string[] = Object.keys(TARGETS);

/** @throws {Error} there is none of this name. */
export async function loadTarget(name: string): Promise<Target> {
  const load = Object.hasOwn(TARGETS, name) ? TARGETS[name] : undefined;
  if (load === undefined) throw new Error(`no target ${name}: there are ${TARGET_NAMES.join(", ")}`);
  return (await load()).target;
}
