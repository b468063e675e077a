/**
 * What a server of Cyrus SASL 2.1.28 would answer to a login, and why.
 *
 * Source: lib/checkpw.c, lib/canonusr.c, lib/server.c and the plugins of
 * 2.1.28, and what real servers answered.
 */
import { nodeCrypto } from "../files/late.ts";
import { cramMd5Secret } from "./md5-state.ts";
import { LEGACY_SECRETS, lowerCase, OTP_SECRET, SCRAM_SECRET, splitUserid, USER_PASSWORD } from "./name.ts";
import { isOtpSeed, otpValue, parseOtpSecret } from "./otp.ts";
import type { Sasldb } from "./sasldb.ts";
import { parseScramSecret, SCRAM_MECHANISMS, type ScramMechanism, scramKeys } from "./scram.ts";

const [LEGACY_CRAM, LEGACY_DIGEST, LEGACY_PLAIN] = LEGACY_SECRETS;

/** The mechanisms that a SASL database serves. */
export const LOGIN_MECHANISMS: readonly string[] = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "OTP", ...SCRAM_MECHANISMS];

/** Results by their names in sasl.h. */
export type SaslResult =
  | "SASL_OK"
  | "SASL_FAIL"
  | "SASL_NOMEM"
  | "SASL_NOMECH"
  | "SASL_BADPROT"
  | "SASL_BADPARAM"
  | "SASL_TRYAGAIN"
  | "SASL_BADAUTH"
  | "SASL_EXPIRED"
  | "SASL_NOUSER";

const CODES: Readonly<Record<SaslResult, number>> = {
  SASL_OK: 0,
  SASL_FAIL: -1,
  SASL_NOMEM: -2,
  SASL_NOMECH: -4,
  SASL_BADPROT: -5,
  SASL_BADPARAM: -7,
  SASL_TRYAGAIN: -8,
  SASL_BADAUTH: -13,
  SASL_EXPIRED: -18,
  SASL_NOUSER: -20,
};

export interface SaslServer {
  /** The name that the application gives the library: sendmail's `$j`. Undefined: it gives none. */
  readonly fqdn?: string | undefined;
  /** The realm that the application gives (`O AuthRealm` of sendmail, `smtpd_sasl_local_domain` of Postfix). Undefined: none, which the empty string is not. */
  readonly userRealm?: string | undefined;
  /** What the host is called, for an application that gives no name: fully qualified where the host knows it so. */
  readonly hostname: string;
  /** `mech_list` of its configuration. Default: all. */
  readonly mechanisms?: readonly string[] | undefined;
  /** `pwcheck_method`, which PLAIN and LOGIN follow. Default "auxprop". */
  readonly pwcheckMethod?: string | undefined;
  /** Whether the server may write to the database, as OTP has to. Default true. */
  readonly mayWrite?: boolean;
  /** Seconds since 1970. Default: now. */
  readonly time?: number;
}

export interface LoginAttempt {
  /** The name as the client sends it: "alice" or "alice@realm". */
  readonly login: string;
  /** What the client would answer if it were asked to choose a realm. A server offers one, so that no client is asked. */
  readonly realm?: string | undefined;
  readonly mechanism: string;
  /** Text is sent as UTF-8. */
  readonly password: Uint8Array | string;
  readonly server: SaslServer;
}

export interface Prediction {
  readonly ok: boolean;
  readonly result: SaslResult;
  /** The number of the result: 0, or less. */
  readonly code: number;
  /** The record that is looked up. */
  readonly user: string;
  readonly realm: string;
  /** Why, in a sentence for people. It holds no secret. */
  readonly reason: string;
}

/** A result and its reason, before they are put together. */
type Answer = readonly [SaslResult, string];

/** How long a server waits for another OTP login to end, in seconds. */
const OTP_PATIENCE = 10;
const MOST_SEED = 16;

/** Predicts the answer; nothing is written, and no OTP sequence is used up. */
export function authenticate(database: Sasldb, attempt: LoginAttempt): Prediction {
  const { server } = attempt;
  const mechanism = attempt.mechanism.toUpperCase();
  const login = attempt.login.trim();
  const offered = server.userRealm ?? lowerCase(server.fqdn ?? server.hostname);
  const { user, realm } = splitUserid(login, offered);
  const password = typeof attempt.password === "string" ? upToNul(Buffer.from(attempt.password)) : upToNul(attempt.password);
  const [result, reason] =
    refusal(mechanism, login, server) ?? new Check(database, { user, realm, login, offered, password, server }).run(mechanism);
  return { ok: result === "SASL_OK", result, code: CODES[result], user, realm, reason };
}

/** What is refused before any user is looked up. */
function refusal(mechanism: string, login: string, server: SaslServer): Answer | undefined {
  const { mechanisms, pwcheckMethod = "auxprop", userRealm } = server;
  if (!LOGIN_MECHANISMS.includes(mechanism)) return ["SASL_NOMECH", `${mechanism} is no mechanism that a SASL database serves`];
  if (mechanisms !== undefined && !mechanisms.some((name) => name.toUpperCase() === mechanism)) {
    return ["SASL_NOMECH", `the server does not offer ${mechanism}`];
  }
  if (["PLAIN", "LOGIN"].includes(mechanism) && !pwcheckMethod.split(/\s+/).includes("auxprop")) {
    return ["SASL_FAIL", `pwcheck_method is ${pwcheckMethod}: ${mechanism} does not look at this database`];
  }
  if (mechanism === "DIGEST-MD5" && userRealm === "")
    return ["SASL_BADPARAM", "the application gives an empty realm, which DIGEST-MD5 refuses"];
  return login === "" ? ["SASL_FAIL", "the name is empty"] : undefined;
}

/** A login, taken apart. */
interface Login {
  readonly user: string;
  readonly realm: string;
  /** As it was typed, without blanks around it. */
  readonly login: string;
  /** The realm that the server offers. */
  readonly offered: string;
  readonly password: Uint8Array;
  readonly server: SaslServer;
}

class Check {
  readonly #database: Sasldb;
  readonly #login: Login;

  constructor(database: Sasldb, login: Login) {
    this.#database = database;
    this.#login = login;
  }

  run(mechanism: string): Answer {
    switch (mechanism) {
      case "PLAIN":
      case "LOGIN":
        return this.#plain(mechanism);
      case "CRAM-MD5":
        return this.#shared(mechanism, LEGACY_CRAM, cramMd5Secret);
      case "DIGEST-MD5":
        // A client hashes the name as it is typed, with the realm that is offered.
        return this.#shared(mechanism, LEGACY_DIGEST, (password) =>
          nodeCrypto().createHash("md5").update(`${this.#login.login}:${this.#login.offered}:`).update(password).digest(),
        );
      case "OTP":
        return this.#otp();
      default:
        return this.#scram(mechanism as ScramMechanism);
    }
  }

  #get(property: string): Uint8Array | undefined {
    return this.#database.get(this.#login.user, this.#login.realm, property);
  }

  /** The plain password: the library takes it for text that ends at its first NUL. */
  #stored(): Uint8Array | undefined {
    const stored = this.#get(USER_PASSWORD);
    return stored === undefined ? undefined : upToNul(stored);
  }

  /** Both the password and the hash of Cyrus SASL 1 let in. */
  #plain(mechanism: string): Answer {
    const stored = this.#stored();
    const legacy = this.#get(LEGACY_PLAIN);
    if (stored === undefined && legacy === undefined) return this.#notFound(mechanism, [USER_PASSWORD]);
    if (stored !== undefined && isEqual(stored, this.#login.password)) return this.#good(USER_PASSWORD);
    if (legacy !== undefined && isEqual(legacy, legacyPlain(legacy, this.#login.password))) return this.#good(LEGACY_PLAIN);
    return this.#wrong(stored);
  }

  /** A mechanism that computes with the password, or with what Cyrus SASL 1 kept of it where there is no password. */
  #shared(mechanism: string, property: string, secretOf: (password: Uint8Array) => Uint8Array): Answer {
    const stored = this.#stored();
    if (stored !== undefined) return isEqual(stored, this.#login.password) ? this.#good(USER_PASSWORD) : this.#wrong(stored);
    const legacy = this.#get(property);
    if (legacy === undefined) return this.#notFound(mechanism, [USER_PASSWORD]);
    return isEqual(legacy, secretOf(this.#login.password)) ? this.#good(property) : this.#wrong(undefined);
  }

  #scram(mechanism: ScramMechanism): Answer {
    const stored = this.#stored();
    if (stored !== undefined) return isEqual(stored, this.#login.password) ? this.#good(USER_PASSWORD) : this.#wrong(stored);
    const record = this.#get(SCRAM_SECRET);
    if (record === undefined) return this.#notFound(mechanism, [USER_PASSWORD, SCRAM_SECRET]);
    const secret = parseScramSecret(record);
    if (secret === undefined) return ["SASL_NOMEM", `${SCRAM_SECRET} of ${this.#name()} is malformed`];
    if (secret.mechanism !== mechanism) {
      return ["SASL_NOMEM", `${SCRAM_SECRET} of ${this.#name()} is one for ${secret.mechanism}, not for ${mechanism}`];
    }
    // An iteration count of 0 is that of no password.
    const isRight = secret.iterations > 0 && isEqual(scramKeys(this.#login.password, secret).storedKey, secret.storedKey);
    return isRight ? this.#good(SCRAM_SECRET) : this.#wrong(undefined);
  }

  #otp(): Answer {
    const { mayWrite = true, time = Date.now() / 1000 } = this.#login.server;
    const record = this.#get(OTP_SECRET);
    if (record === undefined) return this.#notFound("OTP", [OTP_SECRET]);
    const secret = parseOtpSecret(record);
    const its = `${OTP_SECRET} of ${this.#name()}`;
    if (secret === "too short" || secret === undefined) return ["SASL_FAIL", `${its} is malformed`];
    const { algorithm, sequence, seed, timeout, value } = secret;
    if (sequence <= 1) return ["SASL_EXPIRED", `${its} is used up (sequence ${sequence}): set the password anew`];
    if (algorithm === "md4")
      return ["SASL_FAIL", `${its} is made with md4, at which a server with OpenSSL 3 crashes: set the password anew`];
    if (!mayWrite) return ["SASL_FAIL", "the server may not write to the database, as OTP has to"];
    if (timeout > time + OTP_PATIENCE) {
      return ["SASL_TRYAGAIN", `another OTP login of ${this.#name()} has not ended: wait ${Math.ceil(timeout - time)} seconds`];
    }
    if (seed.length > MOST_SEED) return ["SASL_FAIL", `${its} has a seed that is too long`];
    if (!isOtpSeed(seed.toLowerCase()))
      return ["SASL_BADPROT", `${its} has the seed "${seed}", which no client accepts: letters and digits alone`];
    // Clients make the seed lower case.
    const expected = otpValue(this.#login.password, { algorithm, sequence, seed: seed.toLowerCase() });
    return isEqual(value, expected) ? this.#good(`${OTP_SECRET}, sequence ${sequence - 1}`) : this.#wrong(undefined);
  }

  #name(): string {
    return `${this.#login.user}@${this.#login.realm}`;
  }

  #good(by: string): Answer {
    return ["SASL_OK", `${this.#name()} logs in with ${by}`];
  }

  /** @param stored the password, whose end nobody can type. */
  #wrong(stored: Uint8Array | undefined): Answer {
    const end = stored?.at(-1);
    const hint = end === 0x0a || end === 0x0d ? `; the stored one ends in a ${end === 0x0a ? "newline" : "carriage return"}` : "";
    return ["SASL_BADAUTH", `wrong password for ${this.#name()}${hint}`];
  }

  #notFound(mechanism: string, needed: readonly string[]): Answer {
    const same = this.#database.users().filter(({ user }) => user.toLowerCase() === this.#login.user.toLowerCase());
    const found = same.find(({ user, realm }) => user === this.#login.user && realm === this.#login.realm);
    if (found !== undefined) {
      return [
        "SASL_NOUSER",
        `${this.#name()} has no ${needed.join(" and no ")}, which ${mechanism} needs (it has ${found.properties.join(", ")})`,
      ];
    }
    const realms = same
      .filter(({ user }) => user === this.#login.user)
      .map(({ realm }) => `"${realm}"`)
      .sort();
    const missing = `no user "${this.#login.user}" in realm "${this.#login.realm}"`;
    if (realms.length > 0) return ["SASL_NOUSER", `${missing}; the user exists in realm ${realms.join(", ")}`];
    const others = same.map(({ user, realm }) => `${user}@${realm}`).sort();
    return ["SASL_NOUSER", others.length === 0 ? missing : `${missing}; names are case-sensitive, and there is ${others.join(", ")}`];
  }
}

/** salt (16 bytes) NUL MD5(salt, "sasldb", password). */
function legacyPlain(record: Uint8Array, password: Uint8Array): Uint8Array {
  const salt = record.subarray(0, 16);
  return Buffer.concat([salt, Buffer.alloc(1), nodeCrypto().createHash("md5").update(salt).update("sasldb").update(password).digest()]);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function upToNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return nul < 0 ? bytes : bytes.subarray(0, nul);
}
