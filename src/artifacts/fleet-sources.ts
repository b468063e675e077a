/**
 * What a fleet is made from: all sources of its secrets, and all files.
 */
import type { Fleet, SecretUse } from "./fleet.ts";
import type { SecretSource } from "./manifest.ts";
import { fileIn } from "./paths.ts";

/** A secret where it is used, and whether as a text of lines. */
export interface FleetSecret {
  readonly use: SecretUse;
  readonly isText: boolean;
}

/** All that are used, without the key. */
export function fleetSecrets({ hosts }: Fleet): FleetSecret[] {
  const values = (uses: readonly SecretUse[]): FleetSecret[] => uses.map((use) => ({ use, isText: false }));
  return hosts.flatMap(({ databases, maps }) => [
    ...databases.flatMap(({ users }) => values(users.map(({ password }) => password))),
    ...maps.flatMap(({ source }) => {
      if (source.kind === "entries") return values(source.entries.map(({ password }) => password));
      return source.kind === "secret" ? [{ use: source.secret, isText: true }] : [];
    }),
  ]);
}

/**
 * Everything in a manifest that may say where a secret comes from, whether it
 * is used or not: a name that means something else is among them rather than
 * that one is missed.
 */
export function possibleSources(manifest: unknown): Pick<SecretSource, "env" | "inline">[] {
  if (typeof manifest !== "object" || manifest === null) return [];
  const { env, inline } = manifest as Record<string, unknown>;
  const own = { ...(typeof env === "string" && { env }), ...(typeof inline === "string" && { inline }) };
  return [...(Object.keys(own).length === 0 ? [] : [own]), ...Object.values(manifest).flatMap(possibleSources)];
}

/** The files that a change in may change what is built, without the manifest. */
export function sourceFiles(fleet: Fleet, folder: string): string[] {
  const texts = fleet.hosts.flatMap(({ maps }) => maps.flatMap(({ source }) => (source.kind === "file" ? [source.file] : [])));
  const uses = [...fleetSecrets(fleet).map(({ use }) => use), ...(fleet.key === undefined ? [] : [fleet.key])];
  const secrets = uses.flatMap(({ source: { file, age, identity, sops } }) => [file, age, identity, sops]);
  return [...texts, ...secrets].flatMap((name) => (name === undefined ? [] : [fileIn(folder, name)]));
}
