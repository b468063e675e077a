/**
 * SCRAM secrets (RFC 5802, RFC 7677), and the record that Cyrus SASL's SCRAM
 * plugins keep of a user (plugins/scram.c of 2.1.28; the form is RFC 5803's).
 */
import { nodeCrypto } from "../files/late.ts";

/** In the order in which a server comes to them: all write one record, and the last one stays. */
export const SCRAM_MECHANISMS = ["SCRAM-SHA-512", "SCRAM-SHA-384", "SCRAM-SHA-256", "SCRAM-SHA-224", "SCRAM-SHA-1"] as const;
export type ScramMechanism = (typeof SCRAM_MECHANISMS)[number];

const SCRAM_ITERATIONS = 4096;
/** Bytes of the salt that the plugins make. */
export const SCRAM_SALT_LENGTH = 16;

export interface ScramSecret {
  readonly mechanism: ScramMechanism;
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export interface ScramSecretOptions {
  readonly mechanism: ScramMechanism;
  /** Bytes; the plugins take 16. */
  readonly salt: Uint8Array;
  /** Default 4096. */
  readonly iterations?: number;
}

/** @returns "sha256" for SCRAM-SHA-256. */
export function scramDigestName(mechanism: ScramMechanism): string {
  return mechanism.replace(/^SCRAM-SHA-/, "sha");
}

/** The keys of both sides. */
export interface ScramClientKeys {
  readonly clientKey: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/**
 * The keys of a password, as a client has them (RFC 5802, section 3).
 * @param password bytes, prepared already; stays the caller's.
 * @throws {RangeError} iterations or salt are not what they may be.
 */
export function scramClientKeys(
  password: Uint8Array,
  { mechanism, salt, iterations = SCRAM_ITERATIONS }: ScramSecretOptions,
): ScramClientKeys {
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > 0x7fff_ffff) throw new RangeError("iterations: 1 to 2147483647");
  if (salt.length === 0) throw new RangeError("salt: empty");
  const name = scramDigestName(mechanism);
  const length = nodeCrypto().createHash(name).digest().length;
  const salted = nodeCrypto().pbkdf2Sync(password, salt, iterations, length, name);
  const clientKey = nodeCrypto().createHmac(name, salted).update("Client Key").digest();
  const serverKey = nodeCrypto().createHmac(name, salted).update("Server Key").digest();
  const storedKey = nodeCrypto().createHash(name).update(clientKey).digest();
  salted.fill(0);
  return { clientKey, storedKey, serverKey };
}

/**
 * The keys of a password, as a server keeps them.
 * @param password bytes, prepared already; stays the caller's.
 * @throws {RangeError} iterations or salt are not what they may be.
 */
export function scramKeys(password: Uint8Array, { mechanism, salt, iterations = SCRAM_ITERATIONS }: ScramSecretOptions): ScramSecret {
  const { clientKey, storedKey, serverKey } = scramClientKeys(password, { mechanism, salt, iterations });
  clientKey.fill(0);
  return { mechanism, iterations, salt, storedKey, serverKey };
}

/**
 * The record `authPassword` for a password: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`.
 * @param password bytes; stays the caller's.
 */
export function scramSecret(password: Uint8Array, options: ScramSecretOptions): Uint8Array {
  const { mechanism, iterations, salt, storedKey, serverKey } = scramKeys(password, options);
  const [saltText, storedText, serverText] = [salt, storedKey, serverKey].map((bytes) => Buffer.from(bytes).toString("base64"));
  return Buffer.from(`${mechanism}$${iterations}:${saltText}$${storedText}:${serverText}`);
}

const RECORD = /^([A-Z0-9-]+)\$(\d{1,10}):([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*):([A-Za-z0-9+/]+=*)$/;

/** Reads a record `authPassword`; undefined for what is none. */
export function parseScramSecret(record: Uint8Array): ScramSecret | undefined {
  const [, name, iterations, salt = "", storedKey = "", serverKey = ""] = RECORD.exec(Buffer.from(record).toString("latin1")) ?? [];
  const mechanism = SCRAM_MECHANISMS.find((one) => one === name);
  if (mechanism === undefined) return undefined;
  const [saltBytes, storedBytes, serverBytes] = [salt, storedKey, serverKey].map((text) => Buffer.from(text, "base64"));
  return {
    mechanism,
    iterations: Number(iterations),
    salt: saltBytes as Uint8Array,
    storedKey: storedBytes as Uint8Array,
    serverKey: serverBytes as Uint8Array,
  };
}
