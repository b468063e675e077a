/**
 * What stands for a secret where two of them are to be told apart: the same
 * secret has the same fingerprint, and nobody without the key can try passwords
 * on it.
 */
import { nodeCrypto } from "../files/late.ts";

const LENGTH = 8;

export class Fingerprints {
  readonly #key: Uint8Array;

  /** @param key of any length; random by default, so that fingerprints mean nothing outside of their run. */
  constructor(key: Uint8Array = nodeCrypto().randomBytes(32)) {
    this.#key = key;
  }

  /** 8 hexadecimal digits. */
  of(secret: Uint8Array): string {
    return nodeCrypto().createHmac("sha256", this.#key).update(secret).digest("hex").slice(0, LENGTH);
  }
}
