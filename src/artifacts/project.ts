/**
 * A fleet at work: its manifest, the settings that come over it, its secrets,
 * and the folder that its files are in.
 */
import { basename, dirname } from "node:path";
import { turn, turns } from "../files/turn.ts";
import { type Artifact, sha256Of, type Workshop } from "./artifact.ts";
import { buildDatabase } from "./build-database.ts";
import { buildMap, openText } from "./build-map.ts";
import { Derivation, KEY_MEND, SHORTEST_KEY } from "./derivation.ts";
import type { Fleet, FormatOverrides } from "./fleet.ts";
import { fleetSecrets, possibleSources } from "./fleet-sources.ts";
import type { Input } from "./input.ts";
import type { SecretSource } from "./manifest.ts";
import { ManifestError, type ManifestProblem, problemText } from "./manifest-error.ts";
import type { ManifestFile } from "./manifest-file.ts";
import { fileIn } from "./paths.ts";
import { resolveFleet } from "./resolve-fleet.ts";
import { SecretReader } from "./secret-reader.ts";
import type { BuildFacts } from "./set-files.ts";
import { SetFolder } from "./set-folder.ts";

export interface ProjectSettings {
  /** The link to the set, relative to the manifest's folder. */
  readonly output: string;
  readonly overrides: FormatOverrides;
  readonly allowInline: boolean;
  /** Seconds. */
  readonly commandTimeout: number;
}

export interface ProjectOptions {
  readonly settings: ProjectSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of this package. */
  readonly toolVersion: string;
  readonly onProgress?: Workshop["onProgress"];
}

/** Disposed of, it forgets its secrets. */
export class Project implements Disposable {
  readonly file: ManifestFile;
  readonly fleet: Fleet;
  readonly output: SetFolder;
  readonly workshop: Workshop;
  readonly facts: BuildFacts;
  readonly #secrets: SecretReader;

  /** @throws {ManifestError} */
  constructor(file: ManifestFile, text: string, { settings, environment, toolVersion, onProgress }: ProjectOptions) {
    const folder = dirname(file.name);
    this.file = file;
    this.fleet = resolveFleet(file, settings.overrides);
    this.output = new SetFolder(fileIn(folder, settings.output));
    const sources = possibleSources(file.manifest);
    this.#secrets = new SecretReader({
      folder,
      environment,
      allowInline: settings.allowInline,
      // Whole ones alone are taken.
      timeout: Math.ceil(settings.commandTimeout * 1000),
      hidden: sources.flatMap(({ env = [] }) => env),
    });
    const derivation = this.#derivation();
    this.workshop = { folder, secrets: this.#secrets, derivation, onProgress };
    this.facts = { toolVersion, manifest: this.#manifestInput(text, sources, derivation), overrides: settings.overrides };
  }

  /** Makes the files, one after the other: of each host the databases and then the maps. */
  async *artifacts(): AsyncGenerator<Artifact> {
    await this.#readInputs();
    for (const { databases, maps } of this.fleet.hosts) {
      for (const spec of [...databases, ...maps]) {
        await turn();
        yield spec.kind === "database" ? await buildDatabase(spec, this.workshop) : await buildMap(spec, this.workshop);
      }
    }
  }

  /** All secrets and sources that cannot be read are told of at once. */
  async #readInputs(): Promise<void> {
    const problems = new Map<string, ManifestProblem>();
    const others = turns();
    const tryRead = async (read: () => unknown): Promise<void> => {
      try {
        read();
      } catch (error) {
        if (!(error instanceof ManifestError)) throw error;
        for (const problem of error.problems) problems.set(problemText(problem), problem);
      }
      await others();
    };
    for (const { use, isText } of fleetSecrets(this.fleet)) {
      await tryRead(() => (isText ? this.#secrets.readText(use) : this.#secrets.read(use)));
    }
    for (const map of this.fleet.hosts.flatMap(({ maps }) => maps)) {
      if (map.source.kind === "file") await tryRead(() => openText(map, this.workshop));
    }
    if (problems.size > 0) throw new ManifestError([...problems.values()]);
  }

  [Symbol.dispose](): void {
    this.#secrets.clear();
  }

  #derivation(): Derivation | undefined {
    const { key } = this.fleet;
    if (key === undefined) return undefined;
    const bytes = this.#secrets.read(key);
    if (bytes.length < SHORTEST_KEY) {
      const message = `secret ${key.name}: a key of ${bytes.length} bytes, where ${SHORTEST_KEY} are needed. ${KEY_MEND}`;
      throw new ManifestError([{ place: key.place, message }]);
    }
    return new Derivation(bytes);
  }

  /** A manifest with secrets in it is one itself. */
  #manifestInput(text: string, sources: readonly Pick<SecretSource, "inline">[], derivation: Derivation | undefined): Input {
    const name = basename(this.file.name);
    if (derivation !== undefined && sources.some(({ inline }) => inline !== undefined)) {
      return { name, algorithm: "hmac-sha256", digest: derivation.inputDigest(name, Buffer.from(text)) };
    }
    return { name, algorithm: "sha256", digest: sha256Of(text) };
  }
}
