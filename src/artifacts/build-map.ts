/**
 * Makes a map of a fleet: from its source text, or from entries of an authinfo
 * map whose text is written here, with quotes and base64 where they are needed.
 */
import { createHash, type Hash } from "node:crypto";
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { formatAuthinfoValue } from "../authinfo/value.ts";
import { MemoryFile } from "../files/memory-file.ts";
import { readSome } from "../files/read-some.ts";
import type { SourceDiagnostic, SourceProblem } from "../makemap/diagnostic.ts";
import { MapBuilder, MapWriteError } from "../makemap/map-builder.ts";
import { AUTHINFO_TAG } from "../makemap/map-key.ts";
import { type Artifact, describeArtifact, type Workshop } from "./artifact.ts";
import { KEY_MEND } from "./derivation.ts";
import type { EntrySpec, MapSpec, SecretUse } from "./fleet.ts";
import { type Input, Inputs } from "./input.ts";
import { ManifestError, type ManifestProblem, type Place } from "./manifest-error.ts";
import { fileIn, reasonOf } from "./paths.ts";

/** Bytes of a source that are read at a time; signals are heard in between. */
const STRETCH = 1 << 20;
/** Of more faults nobody reads. */
const MOST_FAULTS = 20;
const NEWLINE = "\n";

/** @throws {ManifestError} */
export async function buildMap(spec: MapSpec, workshop: Workshop): Promise<Artifact> {
  const { derivation } = workshop;
  const text = openText(spec, workshop);
  const file = new MemoryFile();
  const faults: SourceDiagnostic[] = [];
  const builder = new MapBuilder(spec.path, {
    ...spec.options,
    type: spec.type,
    duplicates: spec.duplicates,
    format: spec.format,
    fileId: derivation === undefined ? "content" : (content) => derivation.fileId(spec.path, content),
    sourceSize: text.size,
    fileSystem: file.fileSystem,
    newFile: file,
    onDiagnostic: (fault) => void (faults.length <= MOST_FAULTS && faults.push(fault)),
  });
  try {
    let bytes = 0;
    for (const chunk of text.chunks()) {
      builder.write(chunk);
      bytes += chunk.length;
      await workshop.onProgress?.({ path: spec.path, unit: "lines", count: builder.lines, done: bytes, total: text.size });
    }
    builder.commit();
  } catch (error) {
    builder.abandon();
    if (error instanceof MapWriteError) throw new ManifestError([{ place: spec.place, message: `${spec.path}: ${error.message}` }]);
    throw error;
  }
  if (faults.length > 0) throw new ManifestError(faults.slice(0, MOST_FAULTS).map((fault) => problemOf(fault, text)));
  const artifact = describeArtifact(spec, file.bytes(), []);
  if (artifact.holdsSecrets && derivation === undefined)
    throw new ManifestError([{ place: spec.place, message: `${spec.path} holds passwords, and key is missing. ${KEY_MEND}` }]);
  return { ...artifact, inputs: text.inputs(artifact.holdsSecrets) };
}

/** The source text of a map, wherever it is. */
export interface SourceText {
  /** Bytes, where that can be known. */
  readonly size: number | undefined;
  /** The bytes are good until the next are asked for. */
  chunks(): Iterable<Uint8Array>;
  /** Once they are read; of a text with secrets the digest is another. */
  inputs(holdsSecrets: boolean): readonly Input[];
  /** Where a line of it stands, from 1. */
  placeOf(line: number): Place;
}

/** @throws {ManifestError} */
export function openText(spec: MapSpec, workshop: Workshop): SourceText {
  const { source } = spec;
  if (source.kind === "file") return new FileText(spec, source.file, workshop);
  if (source.kind === "entries") return entriesText(source.entries, workshop);
  const { secret } = source;
  const bytes = workshop.secrets.readText(secret);
  const inputs = new Inputs();
  if (workshop.derivation !== undefined) inputs.addSecret(secret, bytes, workshop.derivation);
  return {
    size: bytes.length,
    chunks: () => [bytes],
    inputs: () => inputs.all(),
    placeOf: (line) => textPlace(secret, line, workshop.folder),
  };
}

/** A line of a file; of what a program gives, the place of its source. */
function textPlace({ source, place }: SecretUse, line: number, folder: string): Place {
  const file = source.field === undefined ? (source.file ?? source.age ?? source.sops) : undefined;
  return file === undefined ? place : { file: fileIn(folder, file), line };
}

/** A text of the manifest's folder, which is read in stretches. */
class FileText implements SourceText {
  readonly size: number | undefined;
  readonly #name: string;
  readonly #path: string;
  readonly #place: Place;
  readonly #derivation: Workshop["derivation"];
  readonly #sha256: Hash = createHash("sha256");

  constructor({ place }: MapSpec, name: string, { folder, derivation }: Workshop) {
    this.#name = name;
    this.#path = fileIn(folder, name);
    this.#place = place;
    this.#derivation = derivation;
    this.size = this.#read(() => {
      accessSync(this.#path, constants.R_OK);
      const status = statSync(this.#path);
      if (status.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
      // A pipe says 0.
      return status.isFile() ? status.size : undefined;
    });
  }

  *chunks(): Iterable<Uint8Array> {
    const file = this.#read(() => openSync(this.#path, "r"));
    const stretch = new Uint8Array(STRETCH);
    try {
      for (;;) {
        const length = this.#read(() => readSome(file, stretch, 0));
        if (length === 0) return;
        this.#sha256.update(stretch.subarray(0, length));
        yield stretch.subarray(0, length);
      }
    } finally {
      stretch.fill(0);
      closeSync(file);
    }
  }

  inputs(holdsSecrets: boolean): readonly Input[] {
    const digest = this.#sha256.digest();
    if (!holdsSecrets || this.#derivation === undefined) return [{ name: this.#name, algorithm: "sha256", digest: digest.toString("hex") }];
    return [{ name: this.#name, algorithm: "hmac-sha256", digest: this.#derivation.inputDigest(this.#name, digest) }];
  }

  placeOf(line: number): Place {
    return { file: this.#path, line };
  }

  /** @throws {ManifestError} in place of what the file system throws. */
  #read<T>(what: () => T): T {
    try {
      return what();
    } catch (error) {
      throw new ManifestError([{ place: this.#place, message: `source ${this.#name}: ${reasonOf(error)}` }]);
    }
  }
}

function entriesText(entries: readonly EntrySpec[], workshop: Workshop): SourceText {
  const inputs = new Inputs();
  const lines = entries.map((entry) => {
    const password = workshop.secrets.read(entry.password);
    if (workshop.derivation !== undefined) inputs.addSecret(entry.password, password, workshop.derivation);
    return `${AUTHINFO_TAG}${entry.server}\t${entryValue(entry, password)}${NEWLINE}`;
  });
  const text = Buffer.from(lines.join(""));
  return {
    size: text.length,
    chunks: () => [text],
    inputs: () => inputs.all(),
    placeOf: (line) => entries[line - 1]?.place as Place,
  };
}

function entryValue({ place, user, login, realm, mechanisms }: EntrySpec, password: Uint8Array): string {
  try {
    return formatAuthinfoValue({ authorizationId: user, authenticationId: login, password, realm, mechanisms });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ManifestError([{ place, message: error.message }]);
  }
}

const TEXTS: Readonly<Record<SourceProblem, string>> = {
  "line-too-long": "longer than the 1023 bytes that makemap reads of a line",
  "leading-space": "begins with a blank: makemap would leave it out",
  "no-value": "a key without a value: makemap would leave it out",
  "duplicate-key": "a key that is there already: makemap would leave it out; see duplicates",
};

function problemOf({ problem, line }: SourceDiagnostic, text: SourceText): ManifestProblem {
  return { place: text.placeOf(line), message: TEXTS[problem] };
}
