/**
 * What a fleet's files are made from, by digests that give nothing away.
 */
import type { Input } from "./artifact.ts";
import type { Derivation } from "./derivation.ts";
import type { SecretUse } from "./fleet.ts";
import { sourceText } from "./secret-source.ts";

/** A secret: its digest wants the key, or passwords could be tried on it. */
export function inputOf({ source }: SecretUse, value: Uint8Array, derivation: Derivation): Input {
  const name = sourceText(source);
  return { name, algorithm: "hmac-sha256", digest: derivation.inputDigest(name, value) };
}
