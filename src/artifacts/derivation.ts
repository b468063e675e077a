/**
 * What is random elsewhere, derived from a secret key: the same on every machine
 * that has the key, and nobody without it can know it beforehand.
 *
 * HMAC-SHA-256 (RFC 2104) under keys of HKDF (RFC 5869), one for each purpose.
 */
import { createHmac, hkdfSync } from "node:crypto";
import { FILE_ID_LENGTH } from "../files/file-id.ts";
import { SCRAM_SALT_LENGTH } from "../sasldb/scram.ts";

/** What to do where there is no key. */
export const KEY_MEND = 'Make one, "openssl rand -base64 32 > fleet.key", keep it as a secret, and name it: key: { file: fleet.key }';

/** Bytes of a key, at least. */
export const SHORTEST_KEY = 16;
const KEY_LENGTH = 32;
/** Of an OTP seed: as many as there may be. */
const SEED_LENGTH = 16;

type Purpose = "scram-salt" | "otp-seed" | "file-id" | "input-digest";

/** Whose salt or seed it is. */
export interface UserIdentity {
  readonly host: string;
  readonly file: string;
  readonly user: string;
  readonly realm: string;
  readonly generation: number;
}

export class Derivation {
  readonly #keys = new Map<Purpose, Uint8Array>();
  readonly #secret: Uint8Array;

  /** @param secret stays the caller's, and has to stay as it is. */
  constructor(secret: Uint8Array) {
    if (secret.length < SHORTEST_KEY) throw new RangeError(`a key of ${secret.length} bytes: at least ${SHORTEST_KEY} are needed`);
    this.#secret = secret;
  }

  /** 16 bytes. */
  scramSalt(identity: UserIdentity, mechanism: string): Uint8Array {
    return this.#derive("scram-salt", [...partsOf(identity), mechanism]).subarray(0, SCRAM_SALT_LENGTH);
  }

  /** 16 lower-case letters and digits (RFC 2289 has no more). */
  otpSeed(identity: UserIdentity): string {
    return this.#derive("otp-seed", partsOf(identity)).toString("hex").slice(0, SEED_LENGTH);
  }

  /**
   * 20 bytes. A file with such an id has a part that nobody without the key
   * knows: passwords cannot be tried on its checksum, which may be published.
   * @param content the id that the file would have by its content alone.
   */
  fileId(path: string, content: Uint8Array): Uint8Array {
    return this.#derive("file-id", [path, content]).subarray(0, FILE_ID_LENGTH);
  }

  /** Hexadecimal digits that stand for an input with secrets in it. */
  inputDigest(name: string, content: Uint8Array): string {
    return this.#derive("input-digest", [name, content]).toString("hex");
  }

  #derive(purpose: Purpose, parts: readonly (string | Uint8Array)[]): Buffer {
    let key = this.#keys.get(purpose);
    if (key === undefined) {
      key = new Uint8Array(hkdfSync("sha256", this.#secret, "", `tsmap ${purpose} v1`, KEY_LENGTH));
      this.#keys.set(purpose, key);
    }
    const hmac = createHmac("sha256", key);
    for (const part of parts) {
      const bytes = typeof part === "string" ? Buffer.from(part) : part;
      // The length, so that no two lists of parts are one.
      hmac.update(`${bytes.length}:`).update(bytes);
    }
    return hmac.digest();
  }
}

function partsOf({ host, file, user, realm, generation }: UserIdentity): string[] {
  return [host, file, user, realm, String(generation)];
}
