/**
 * The errors of SASL databases.
 */

/** A database that cannot be read or changed. */
export class SasldbError extends Error {
  /** The file, as the caller named it. */
  readonly path: string;
  /** Of the system ("EACCES") or of libdb ("DB_OLD_VERSION"); "EINVAL" for what is no SASL database. */
  readonly code: string;

  constructor(path: string, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "SasldbError";
    this.path = path;
    this.code = code;
  }
}

/** Two users of one name, where there can be one. */
export class UserExistsError extends Error {
  readonly users: readonly string[];

  constructor(users: readonly string[], realm: string) {
    super(`realm ${realm} has the same users already: ${users.join(", ")}`);
    this.name = "UserExistsError";
    this.users = users;
  }
}
