/**
 * One-time passwords (RFC 2289), and the record that Cyrus SASL's OTP plugin
 * keeps of a user (plugins/otp.c of 2.1.28, built without OPIE; RFC 2444).
 */
import { nodeCrypto } from "../files/late.ts";
import { md4 } from "./md4.ts";

export const OTP_ALGORITHMS = ["md4", "md5", "sha1"] as const;
export type OtpAlgorithm = (typeof OTP_ALGORITHMS)[number];
/** Those that a new secret is made with: at md4 a server with OpenSSL 3 crashes. */
export const NEW_OTP_ALGORITHMS = ["md5", "sha1"] as const;
export type NewOtpAlgorithm = (typeof NEW_OTP_ALGORITHMS)[number];

/** What a new secret begins with: so many logins less one, then it has to be set anew. */
const OTP_SEQUENCE = 499;
/** RFC 2289, section 6: 1 to 16 letters and digits; lower case, since a client may make them so before it computes. */
const SEED = /^[a-z0-9]{1,16}$/;

export interface OtpSecret {
  readonly algorithm: OtpAlgorithm;
  /** The number that the stored value was computed with; the next login is asked for one less. */
  readonly sequence: number;
  readonly seed: string;
  /** 8 bytes. */
  readonly value: Uint8Array;
  /** Seconds since 1970 until which a login that is not over keeps others out; 0 for none. */
  readonly timeout: number;
}

export interface OtpSecretOptions {
  /** Default "md5". */
  readonly algorithm?: NewOtpAlgorithm;
  /** 1 to 16 lower-case letters and digits. */
  readonly seed: string;
  /** 1 to 9999. Default 499. */
  readonly sequence?: number;
}

/**
 * The record `cmusaslsecretOTP` for a password: text of five fields between tabs.
 * @param password bytes; stays the caller's. Up to its first NUL it counts.
 * @throws {RangeError} seed or sequence are not what they may be.
 */
export function otpSecret(password: Uint8Array, { algorithm = "md5", seed, sequence = OTP_SEQUENCE }: OtpSecretOptions): Uint8Array {
  if (!isOtpSeed(seed)) throw new RangeError("seed: 1 to 16 lower-case letters and digits");
  if (!Number.isInteger(sequence) || sequence < 1 || sequence > 9999) throw new RangeError("sequence: 1 to 9999");
  const value = otpValue(password, { algorithm, seed, sequence });
  return Buffer.from([algorithm, digits(sequence, 4), seed, Buffer.from(value).toString("hex"), digits(0, 20)].join("\t"));
}

/** RFC 2289: the hash of seed and password, hashed as many times more as `sequence` says. 8 bytes. */
export function otpValue(password: Uint8Array, { algorithm, seed, sequence }: Omit<OtpSecret, "value" | "timeout">): Uint8Array {
  const nul = password.indexOf(0);
  let value = hash(algorithm, Buffer.from(seed), nul < 0 ? password : password.subarray(0, nul));
  for (let i = 0; i < sequence; i++) value = hash(algorithm, value);
  return value;
}

/** One step: the digest, folded to 8 bytes. */
function hash(algorithm: OtpAlgorithm, ...parts: Uint8Array[]): Uint8Array {
  const digest = algorithm === "md4" ? md4(Buffer.concat(parts)) : digestOf(algorithm, parts);
  const folded = new Uint8Array(8);
  digest.forEach((byte, i) => {
    folded[i % 8] = (folded[i % 8] as number) ^ byte;
  });
  // SHA-1 counts its words from the other end (RFC 2289, appendix A).
  return algorithm === "sha1" ? new Uint8Array([...folded.subarray(0, 4).reverse(), ...folded.subarray(4).reverse()]) : folded;
}

function digestOf(algorithm: "md5" | "sha1", parts: readonly Uint8Array[]): Uint8Array {
  const hash = nodeCrypto().createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const LENGTH_LEAST = 45;
const FIELDS = /^([A-Za-z0-9]{1,9})\t(\d{1,4})\t([^\t]+)\t([0-9a-fA-F]{16})\t(\d{20})$/;

/** Reads a record `cmusaslsecretOTP`; undefined for what is none, "too short" for what the plugin calls so. */
export function parseOtpSecret(record: Uint8Array): OtpSecret | "too short" | undefined {
  if (record.length < LENGTH_LEAST) return "too short";
  const [, name = "", sequence = "", seed = "", value = "", timeout = ""] = FIELDS.exec(Buffer.from(record).toString("latin1")) ?? [];
  const algorithm = OTP_ALGORITHMS.find((one) => one === name.toLowerCase());
  if (algorithm === undefined) return undefined;
  return { algorithm, sequence: Number(sequence), seed, value: Buffer.from(value, "hex"), timeout: Number(timeout) };
}

/** Whether a client can compute with this seed. */
export function isOtpSeed(seed: string): boolean {
  return SEED.test(seed);
}

/**
 * A seed as the plugin makes it: the beginning of the host's name, and four
 * digits. The plugin takes the first two characters whatever they are, and no
 * client accepts what is neither letter nor digit: here such are left out.
 */
export function makeOtpSeed(hostname: string): string {
  const letters = hostname.toLowerCase().replace(/[^a-z0-9]/g, "");
  return `${letters.slice(0, 2) || "x"}${digits(nodeCrypto().randomInt(1, 10_000), 4)}`;
}

function digits(number: number, length: number): string {
  return String(number).padStart(length, "0");
}
