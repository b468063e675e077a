/**
 * A SASL database: what saslpasswd, sasldblistusers and the servers of Cyrus
 * SASL 2.1.28 keep of users (sasldb/db_berkeley.c, lib/auxprop.c). A hash file
 * whose records are the properties of users.
 */
import type { Database } from "berkeley-db-js";
import { nodeCrypto } from "../files/late.ts";
import { UserExistsError } from "./error.ts";
import { keysOf } from "./keys.ts";
import { decodeName, encodeName, LEGACY_SECRETS, LONGEST_PART, OTP_SECRET, SCRAM_SECRET, splitKey, USER_PASSWORD } from "./name.ts";
import { makeOtpSeed, type NewOtpAlgorithm, otpSecret } from "./otp.ts";
import { passwordFault } from "./password.ts";
import { SCRAM_MECHANISMS, SCRAM_SALT_LENGTH, type ScramMechanism, scramSecret } from "./scram.ts";

export type SecretMechanism = ScramMechanism | "OTP";
/** The mechanisms that keep a secret of their own, in the order in which a server comes to them. */
export const SECRET_MECHANISMS: readonly SecretMechanism[] = [...SCRAM_MECHANISMS, "OTP"];

export interface SasldbUser {
  readonly user: string;
  readonly realm: string;
  /** In the order of the file. */
  readonly properties: readonly string[];
}

export interface SetPasswordOptions {
  /** The mechanisms whose own secrets are set, in this order: all of SCRAM write one record, and the last one stays. Default: OTP. */
  readonly mechanisms?: readonly SecretMechanism[];
  /** Whether the plain password is stored; one that is there already stays. Default true. */
  readonly plain?: boolean;
  /** Default: made of `hostname`, or of the realm. */
  readonly otpSeed?: string | undefined;
  /** Default "md5". */
  readonly otpAlgorithm?: NewOtpAlgorithm | undefined;
  /** The server's name, which the OTP seed begins like. */
  readonly hostname?: string | undefined;
  /** 16 bytes. Default: random. */
  readonly scramSalt?: Uint8Array | undefined;
  readonly scramIterations?: number | undefined;
}

/** The properties that a change has set, and those that it has deleted. */
export interface Change {
  readonly set: readonly string[];
  readonly deleted: readonly string[];
}

/**
 * An open SASL database. One from `openSasldb` is to be read alone, and is the
 * caller's to close; one that `updateSasldb` hands out is good during the call.
 *
 * Names are text and stand in the file as UTF-8. Passwords and values are
 * bytes; those that go in stay the caller's, those that come out are copies.
 */
export class Sasldb implements Disposable {
  readonly #database: Database;
  #changes = 0;

  /** @param database stays the caller's to close. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** How many records were set, deleted or renamed. */
  get changes(): number {
    return this.#changes;
  }

  /** All users, each once, in the order in which the file has their first record. Malformed keys are left out. */
  users(): SasldbUser[] {
    const users = new Map<string, { user: string; realm: string; properties: string[] }>();
    for (const key of keysOf(this.#database)) {
      const name = decodeName(key);
      if (name === undefined) continue;
      const { user, realm, property } = name;
      const known = users.get(`${user}\0${realm}`);
      if (known === undefined) users.set(`${user}\0${realm}`, { user, realm, properties: [property] });
      else known.properties.push(property);
    }
    return [...users.values()];
  }

  /** The value of a property; undefined where the user has none. */
  get(user: string, realm: string, property: string): Uint8Array | undefined {
    return this.#database.get(encodeName({ user, realm, property }));
  }

  /** The properties of a user that a login can succeed with. */
  secrets(user: string, realm: string): string[] {
    const names = [USER_PASSWORD, SCRAM_SECRET, OTP_SECRET, ...LEGACY_SECRETS];
    return names.filter((property) => this.#database.has(encodeName({ user, realm, property })));
  }

  /**
   * Sets a password as `saslpasswd` does: the plain one, the secrets of the
   * mechanisms, and away with those of Cyrus SASL 1.
   * @param password bytes, up to 2048, none of them NUL.
   * @throws {TypeError | RangeError} another one, or a name that cannot be part of a key.
   */
  setPassword(user: string, realm: string, password: Uint8Array, options: SetPasswordOptions = {}): Change {
    const { mechanisms = ["OTP"], plain = true } = options;
    const fault = passwordFault(password);
    if (fault !== undefined) throw new RangeError(`a password that cannot be stored: ${fault}`);
    const set: string[] = [];
    const store = (property: string, value: Uint8Array): void => {
      this.setProperty(user, realm, property, value);
      if (!set.includes(property)) set.push(property);
    };
    if (plain) store(USER_PASSWORD, password);
    for (const mechanism of mechanisms) {
      if (mechanism === "OTP") store(OTP_SECRET, this.#otpSecret(realm, password, options));
      else store(SCRAM_SECRET, makeScramSecret(mechanism, password, options));
    }
    return { set, deleted: this.#deleteAll(user, realm, LEGACY_SECRETS) };
  }

  /**
   * Sets one property to a value.
   * @throws {TypeError | RangeError} a name with a NUL, or of more than 16383 bytes.
   */
  setProperty(user: string, realm: string, property: string, value: Uint8Array): void {
    for (const part of [user, realm, property]) checkName(part);
    this.#database.put(encodeName({ user, realm, property }), value);
    this.#changes += 1;
  }

  /**
   * Deletes what `saslpasswd -d` deletes: the plain password, the secrets of
   * the mechanisms, and those of Cyrus SASL 1. Other properties stay.
   */
  disable(user: string, realm: string, { mechanisms = ["OTP"] }: { readonly mechanisms?: readonly SecretMechanism[] } = {}): Change {
    const secrets = mechanisms.map((mechanism) => (mechanism === "OTP" ? OTP_SECRET : SCRAM_SECRET));
    return { set: [], deleted: this.#deleteAll(user, realm, [USER_PASSWORD, ...new Set(secrets), ...LEGACY_SECRETS]) };
  }

  /** Deletes one property, or all of a user. */
  delete(user: string, realm: string, property?: string): Change {
    const properties = property === undefined ? this.#propertiesOf(user, realm) : [property];
    return { set: [], deleted: this.#deleteAll(user, realm, properties) };
  }

  /**
   * Gives all users of a realm another one.
   * @returns the users, in the order of the file, and which of them have a secret that the old realm is part of (DIGEST-MD5 of Cyrus SASL 1).
   * @throws {UserExistsError} the other realm has some of them already.
   * @throws {TypeError | RangeError} a name with a NUL, or of more than 16383 bytes.
   */
  renameRealm(from: string, to: string): { readonly users: readonly string[]; readonly bound: readonly string[] } {
    checkName(to);
    const users = new Set<string>();
    const bound: string[] = [];
    const taken = new Set<string>();
    const moves: [from: Uint8Array, to: Uint8Array][] = [];
    const realm = Buffer.from(from);
    for (const key of keysOf(this.#database)) {
      const [user, its, property] = splitKey(key) ?? [];
      if (user === undefined || its === undefined || property === undefined || Buffer.compare(its, realm) !== 0) continue;
      const name = Buffer.from(user).toString();
      const moved = Buffer.concat([user, Buffer.from(`\0${to}\0`), property]);
      users.add(name);
      if (Buffer.from(property).toString() === "cmusaslsecretDIGEST-MD5") bound.push(name);
      if (this.#database.has(moved)) taken.add(name);
      moves.push([key, moved]);
    }
    if (from === to) return { users: [...users], bound: [] };
    if (taken.size > 0) throw new UserExistsError([...taken], to);
    for (const [key, moved] of moves) {
      const value = this.#database.get(key) as Uint8Array;
      this.#database.put(moved, value);
      value.fill(0);
      this.#database.delete(key);
      this.#changes += 1;
    }
    return { users: [...users], bound };
  }

  /** Closes the database; a second time does nothing. */
  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #otpSecret(realm: string, password: Uint8Array, options: SetPasswordOptions): Uint8Array {
    const seed = options.otpSeed ?? makeOtpSeed(options.hostname ?? realm);
    return otpSecret(password, { seed, algorithm: options.otpAlgorithm ?? "md5" });
  }

  #propertiesOf(user: string, realm: string): string[] {
    return Array.from(keysOf(this.#database), decodeName)
      .filter((name) => name?.user === user && name.realm === realm)
      .map((name) => name?.property as string);
  }

  #deleteAll(user: string, realm: string, properties: readonly string[]): string[] {
    const deleted = properties.filter((property) => this.#database.delete(encodeName({ user, realm, property })));
    this.#changes += deleted.length;
    return deleted;
  }
}

function makeScramSecret(mechanism: ScramMechanism, password: Uint8Array, { scramSalt, scramIterations }: SetPasswordOptions): Uint8Array {
  const salt = scramSalt ?? nodeCrypto().randomBytes(SCRAM_SALT_LENGTH);
  return scramSecret(password, { mechanism, salt, ...(scramIterations === undefined ? {} : { iterations: scramIterations }) });
}

/** @throws {TypeError | RangeError} it can be no part of a key. */
function checkName(part: string): void {
  if (part.includes("\0")) throw new TypeError("a name with a NUL in it");
  if (Buffer.byteLength(part) > LONGEST_PART) throw new RangeError(`a name of more than ${LONGEST_PART} bytes`);
}
