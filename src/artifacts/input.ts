/**
 * What a fleet's files are made from, by digests that give nothing away.
 */
import type { Derivation } from "./derivation.ts";
import type { SecretUse } from "./fleet.ts";
import { sourceText } from "./secret-source.ts";

/** Something that a file is made from. */
export interface Input {
  /** A file relative to the manifest's folder, or a secret. */
  readonly name: string;
  /** What its digest is: one that anybody can compute, or one that wants the key. */
  readonly algorithm: "sha256" | "hmac-sha256";
  /** Hexadecimal digits. */
  readonly digest: string;
}

/** Inputs, each once. Of two that only look alike, such as two uses of one program, each has its own. */
export class Inputs {
  readonly #byId = new Map<string, Input>();

  add(input: Input): void {
    this.#byId.set(`${input.name} ${input.digest}`, input);
  }

  /** A secret: its digest wants the key, or passwords could be tried on it. */
  addSecret({ source }: SecretUse, value: Uint8Array, derivation: Derivation): void {
    const name = sourceText(source);
    this.add({ name, algorithm: "hmac-sha256", digest: derivation.inputDigest(name, value) });
  }

  /** Sorted, by code units: the same wherever it is done. */
  all(): Input[] {
    return [...this.#byId].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, input]) => input);
  }
}
