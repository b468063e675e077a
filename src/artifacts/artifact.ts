/**
 * A file of a fleet, made in memory: what is planned, built and checked are the
 * same bytes.
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "berkeley-db-js";
import { MemoryFileSystem } from "berkeley-db-js";
import { DatabaseFile } from "../hash-file/database-file.ts";
import { type MapKind, RecordCounter } from "../map-file/map-kind.ts";
import type { OpenDatabase } from "../map-file/read-map.ts";
import type { Derivation } from "./derivation.ts";
import type { DatabaseSpec, MapSpec } from "./fleet.ts";
import type { Input } from "./input.ts";
import type { SecretReader } from "./secret-reader.ts";

export interface Artifact {
  readonly spec: DatabaseSpec | MapSpec;
  /** Of the whole file. */
  readonly bytes: Uint8Array;
  /** Hexadecimal digits. */
  readonly sha256: string;
  readonly kind: MapKind;
  readonly records: number;
  /** Whether it holds a password or another secret. */
  readonly holdsSecrets: boolean;
  readonly inputs: readonly Input[];
}

/** What files are made with. */
export interface Workshop {
  /** Of the manifest. */
  readonly folder: string;
  readonly secrets: SecretReader;
  /** Undefined where the manifest names no key. */
  readonly derivation: Derivation | undefined;
  /** Called as a source is read or users are made; what it returns is waited for. */
  readonly onProgress?: ((progress: ProgressOfFile) => Promise<void>) | undefined;
}

export interface ProgressOfFile {
  readonly path: string;
  /** What is counted. */
  readonly unit: "lines" | "users";
  readonly count: number;
  /** How far it is: bytes of a source, or users. */
  readonly done: number;
  /** Undefined of a source that is a pipe. */
  readonly total: number | undefined;
}

/** What is to be known of a finished file besides its bytes. */
export function describeArtifact(spec: DatabaseSpec | MapSpec, bytes: Uint8Array, inputs: readonly Input[]): Artifact {
  const counter = new RecordCounter();
  withDatabase(bytes, ({ file }) => void file.visitRecords((...record) => counter.add(...record)));
  const sha256 = sha256Of(bytes);
  return { spec, bytes, sha256, kind: counter.kind, records: counter.records, holdsSecrets: counter.secrets > 0, inputs };
}

/** Opens the bytes of a database for as long as `use` takes. */
export function withDatabase<T>(bytes: Uint8Array, use: (map: OpenDatabase) => T): T {
  const handle = inMemory(bytes);
  try {
    return use({ kind: "database", file: new DatabaseFile(handle) });
  } finally {
    handle.close();
  }
}

function inMemory(bytes: Uint8Array): FileHandle {
  const memory = new MemoryFileSystem();
  memory.writeFile("file", bytes);
  return memory.open("file", { write: false }, 0);
}

/** Hexadecimal digits. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
