/**
 * A manifest as it is written: what schemas/manifest.schema.json admits. What
 * each part means is said there, for editors too.
 */
import type { HashVersion, TargetName } from "../hash-file/file-format.ts";
import type { NewOtpAlgorithm } from "../sasldb/otp.ts";
import type { SecretMechanism } from "../sasldb/sasldb.ts";

export interface Manifest {
  readonly version: 1;
  readonly settings?: ManifestSettings;
  readonly key?: SecretReference;
  readonly secrets?: Readonly<Record<string, SecretSource>>;
  readonly policy?: Policy;
  readonly profiles?: Readonly<Record<string, ManifestHost>>;
  readonly hosts: Readonly<Record<string, ManifestNamedHost>>;
}

/** What is left open, another layer of settings says. */
export interface ManifestFormat {
  readonly target?: TargetName;
  readonly "byte-order"?: "big" | "little";
  readonly "hash-version"?: HashVersion;
  readonly "page-size"?: number;
}

export interface ManifestSettings extends ManifestFormat {
  readonly output?: string;
  readonly "allow-inline"?: boolean;
  readonly "command-timeout"?: number;
}

/** One of the six ways, and what may be said besides. */
export interface SecretSource {
  readonly env?: string;
  readonly file?: string;
  readonly command?: readonly string[];
  readonly age?: string;
  readonly identity?: string;
  readonly sops?: string;
  readonly inline?: string;
  readonly field?: string | readonly (string | number)[];
  /** YYYY-MM-DD. */
  readonly changed?: string;
}

/** The name of a secret, or a source. */
export type SecretReference = string | SecretSource;

export interface Policy {
  readonly "min-length"?: number;
  readonly "max-age"?: number;
  readonly reuse?: "forbid" | "same-user" | "allow";
  readonly "world-readable"?: "forbid" | "allow";
  readonly "plain-text"?: { readonly sent?: "forbid" | "allow"; readonly stored?: "forbid" | "allow" };
}

export interface ManifestHost extends ManifestFormat {
  readonly "auth-mechanisms"?: readonly string[];
  readonly relays?: readonly string[];
  readonly databases?: Readonly<Record<string, ManifestDatabase>>;
  readonly maps?: Readonly<Record<string, ManifestMap>>;
}

export interface ManifestNamedHost extends ManifestHost {
  readonly profile?: string | readonly string[];
}

export interface ManifestArtifact extends ManifestFormat {
  readonly install?: string;
  readonly owner?: string;
  readonly group?: string;
  /** Octal digits. */
  readonly mode?: string;
}

export interface ManifestDatabase extends ManifestArtifact {
  readonly users?: Readonly<Record<string, string | ManifestUser | null>>;
  readonly realm?: string;
  readonly mechanisms?: readonly SecretMechanism[];
  readonly plain?: boolean;
  readonly "otp-hash"?: NewOtpAlgorithm;
  readonly generation?: number;
}

export interface ManifestUser {
  readonly password?: SecretReference;
  readonly mechanisms?: readonly SecretMechanism[];
  readonly plain?: boolean;
}

export interface ManifestMap extends ManifestArtifact {
  readonly source?: SecretReference;
  readonly entries?: Readonly<Record<string, ManifestEntry>>;
  readonly type?: "hash" | "btree";
  readonly null?: boolean;
  readonly "keep-case"?: boolean;
  readonly "empty-values"?: boolean;
  readonly duplicates?: "refuse" | "replace" | "keep";
  readonly delimiter?: string;
  readonly comment?: string;
}

export interface ManifestEntry {
  readonly user?: string;
  readonly login?: string;
  readonly password: SecretReference;
  readonly realm?: string;
  readonly mechanisms?: readonly string[];
}
