/**
 * What a fleet is made from: all sources of its secrets, and all files.
 */
import type { Fleet } from "./fleet.ts";
import type { SecretSource } from "./manifest.ts";
import { fileIn } from "./paths.ts";

/** Of everything that is used, and of the key. */
export function secretSources({ hosts, key }: Fleet): SecretSource[] {
  const uses = hosts.flatMap(({ databases, maps }) => [
    ...databases.flatMap(({ users }) => users.map(({ password }) => password)),
    ...maps.flatMap(({ source }) => {
      if (source.kind === "entries") return source.entries.map(({ password }) => password);
      return source.kind === "secret" ? [source.secret] : [];
    }),
  ]);
  return [...uses, ...(key === undefined ? [] : [key])].map(({ source }) => source);
}

/** The files that a change in may change what is built, without the manifest. */
export function sourceFiles(fleet: Fleet, folder: string): string[] {
  const texts = fleet.hosts.flatMap(({ maps }) => maps.flatMap(({ source }) => (source.kind === "file" ? [source.file] : [])));
  const secrets = secretSources(fleet).flatMap(({ file, age, identity, sops }) => [file, age, identity, sops]);
  return [...texts, ...secrets].flatMap((name) => (name === undefined ? [] : [fileIn(folder, name)]));
}
