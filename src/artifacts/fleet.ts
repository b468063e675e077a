/**
 * A fleet: what a manifest asks for, host by host, with what its profiles and
 * the settings say besides. Every part knows where it stands in the manifest.
 */
import type { FileFormat, HashVersion, TargetName } from "../hash-file/file-format.ts";
import type { SourceOptions } from "../makemap/source-parser.ts";
import type { NewOtpAlgorithm } from "../sasldb/otp.ts";
import type { SecretMechanism } from "../sasldb/sasldb.ts";
import type { Policy, SecretSource } from "./manifest.ts";
import type { Place } from "./manifest-error.ts";

/** Settings of a layer over the manifest; what is left open is the manifest's. */
export interface FormatOverrides {
  readonly target?: TargetName | undefined;
  readonly byteOrder?: "big" | "little" | undefined;
  readonly hashVersion?: HashVersion | undefined;
  readonly pageSize?: number | undefined;
}

export interface Fleet {
  /** In the order of the manifest. */
  readonly hosts: readonly Host[];
  readonly policy: Policy;
  /** Undefined where the manifest names none. */
  readonly key: SecretUse | undefined;
}

export interface Host {
  readonly name: string;
  readonly place: Place;
  /** AuthMechanisms of its sendmail; undefined where the manifest does not say. */
  readonly authMechanisms: readonly string[] | undefined;
  readonly authMechanismsPlace: Place;
  /** Names of hosts of the fleet. */
  readonly relays: readonly string[];
  readonly databases: readonly DatabaseSpec[];
  readonly maps: readonly MapSpec[];
}

/** A file that is to be made. */
export interface ArtifactSpec {
  readonly host: string;
  /** Within the output: host/file. */
  readonly path: string;
  readonly place: Place;
  readonly format: FileFormat;
  /** On the host; recorded. */
  readonly install: string | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  /** Permission bits. */
  readonly mode: number;
}

export interface DatabaseSpec extends ArtifactSpec {
  readonly kind: "database";
  readonly users: readonly UserSpec[];
  readonly otpAlgorithm: NewOtpAlgorithm;
  readonly generation: number;
}

export interface UserSpec {
  readonly user: string;
  readonly realm: string;
  readonly place: Place;
  readonly password: SecretUse;
  readonly mechanisms: readonly SecretMechanism[];
  readonly plain: boolean;
}

export interface MapSpec extends ArtifactSpec {
  readonly kind: "map";
  readonly type: "hash" | "btree";
  readonly source: MapSource;
  readonly options: SourceOptions;
  readonly duplicates: "refuse" | "replace" | "keep";
}

export type MapSource =
  /** Relative to the manifest's folder. */
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "secret"; readonly secret: SecretUse }
  | { readonly kind: "entries"; readonly entries: readonly EntrySpec[] };

export interface EntrySpec {
  /** Empty for all servers. */
  readonly server: string;
  readonly place: Place;
  readonly user: string | undefined;
  readonly login: string | undefined;
  readonly password: SecretUse;
  readonly realm: string | undefined;
  readonly mechanisms: readonly string[] | undefined;
}

/** A secret where it is used. */
export interface SecretUse {
  /** What messages call it: the name of a secret, or the part of the manifest that it stands in. */
  readonly name: string;
  readonly source: SecretSource;
  /** Of the source. */
  readonly place: Place;
}
