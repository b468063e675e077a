/**
 * The files of a set that say what is in it: an index of what goes where, a
 * statement of what it was made from, and the checksums of all of it.
 */
import { Database } from "berkeley-db-js";
import { type Artifact, sha256Of } from "./artifact.ts";
import type { FormatOverrides } from "./fleet.ts";
import { type Input, Inputs } from "./input.ts";

const INDEX = "index.json";
const PROVENANCE = "provenance.json";
const CHECKSUMS = "SHA256SUMS";
/** Their names, which no host can have: it has a folder beside them. */
export const SET_FILES: readonly string[] = [INDEX, PROVENANCE, CHECKSUMS];

/** Everybody may read what is in these, which is no secret. */
const PUBLIC_MODE = 0o644;

/** A file of a set, whatever it is. */
export interface SetFile {
  /** Within the set, with slashes. */
  readonly path: string;
  readonly sha256: string;
  /** Permission bits. */
  readonly mode: number;
}

/** What is said of an artifact once its bytes are gone. */
export interface ArtifactSummary extends SetFile {
  readonly host: string;
  readonly size: number;
  readonly kind: string;
  readonly records: number;
  readonly format: string;
  readonly install: string | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  readonly inputs: readonly Input[];
}

export interface SetFileText extends SetFile {
  readonly text: string;
}

/** What the set is made with and from, besides what each artifact is made from. */
export interface BuildFacts {
  /** Version of this package. */
  readonly toolVersion: string;
  readonly manifest: Input;
  /** What was said more strongly than the manifest. */
  readonly overrides: FormatOverrides;
}

export function summarize(artifact: Artifact): ArtifactSummary {
  const { spec, sha256, bytes, kind, records, inputs } = artifact;
  const { byteOrder, hashVersion, pageSize } = spec.format;
  const type = spec.kind === "map" && spec.type === "btree" ? "btree" : `hash version ${hashVersion}`;
  return {
    path: spec.path,
    sha256,
    mode: spec.mode,
    host: spec.host,
    size: bytes.length,
    kind,
    records,
    format: `${type}, ${byteOrder}-endian, pages of ${pageSize} bytes`,
    install: spec.install,
    owner: spec.owner,
    group: spec.group,
    inputs,
  };
}

/** Index, provenance and checksums, the last of which covers the others. */
export function setFiles(artifacts: readonly ArtifactSummary[], facts: BuildFacts): SetFileText[] {
  const sorted = [...artifacts].sort(byPath);
  const index = textFile(INDEX, json({ version: 1, files: sorted.map(indexEntry) }));
  const provenance = textFile(PROVENANCE, json(statement([...sorted, index], sorted, facts)));
  const lines = [...sorted, index, provenance].sort(byPath).map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  return [index, provenance, textFile(CHECKSUMS, lines.join(""))];
}

function indexEntry({ path, host, kind, format, records, size, sha256, mode, install, owner, group }: ArtifactSummary): object {
  return { path, host, kind, format, records, size, sha256, mode: octal(mode), install, owner, group };
}

/** in-toto Statement v1 with a predicate of SLSA Provenance v1; no clock and no name of a machine is in it. */
function statement(subjects: readonly SetFile[], artifacts: readonly ArtifactSummary[], facts: BuildFacts): object {
  const inputs = new Inputs();
  for (const artifact of artifacts) for (const input of artifact.inputs) inputs.add(input);
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "urn:tsmakemap:build:1",
        externalParameters: { manifest: facts.manifest.name, settings: facts.overrides },
        internalParameters: { targets: Object.fromEntries(artifacts.map(({ path, format }) => [path, format])) },
        resolvedDependencies: [facts.manifest, ...inputs.all()].map(({ name, algorithm, digest }) => ({
          name,
          digest: { [algorithm === "sha256" ? "sha256" : "hmacSha256"]: digest },
        })),
      },
      runDetails: {
        builder: { id: "urn:tsmakemap:tsmap", version: { tsmakemap: facts.toolVersion, libdb: Database.libraryVersion } },
        metadata: {},
      },
    },
  };
}

function textFile(path: string, text: string): SetFileText {
  return { path, text, sha256: sha256Of(text), mode: PUBLIC_MODE };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function byPath(a: SetFile, b: SetFile): number {
  return compare(a.path, b.path);
}

/** By code units: the same wherever it is done. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
