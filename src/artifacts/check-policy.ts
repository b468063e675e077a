/**
 * A fleet's passwords, mechanisms and modes against the policy of its manifest.
 */
import { passwordDoubt } from "../sasldb/password.ts";
import type { Artifact, Workshop } from "./artifact.ts";
import { type AuthinfoContent, lookedUpValue } from "./authinfo-content.ts";
import type { CheckFinding } from "./check-finding.ts";
import type { CheckCode } from "./check-rules.ts";
import type { Fleet, Host, SecretUse, UserSpec } from "./fleet.ts";
import type { Policy } from "./manifest.ts";
import { type Place, placeText } from "./manifest-error.ts";
import { octal } from "./set-files.ts";

const OTHER_READ = 0o004;
const OTHER_WRITE = 0o002;
const DAY = 86_400_000;
/** Of a mechanism that sends the password as it is. */
const PLAIN_TEXT = /^(?:PLAIN|LOGIN)$/i;

/** Where a password is. */
export interface PasswordUse {
  readonly host: string;
  /** Databases are on relays, maps on their clients: one password is in both. */
  readonly role: "database" | "map";
  /** Without the realm. */
  readonly user: string;
  /** What messages call it: "alice@relay1.example.com in relay1.example.com/sasldb2". */
  readonly who: string;
  readonly place: Place;
  /** Of the secret itself: one that is used in many places is told of once. */
  readonly secretPlace: Place;
  readonly password: Uint8Array;
  /** YYYY-MM-DD */
  readonly changed: string | undefined;
}

/** All passwords of a host's databases. */
export function databasePasswords({ databases }: Host, { secrets }: Workshop): PasswordUse[] {
  return databases.flatMap(({ host, path, users }) =>
    users.map((user) => ({
      host,
      role: "database" as const,
      user: user.user,
      who: `${nameOf(user)} in ${path}`,
      place: user.place,
      secretPlace: user.password.place,
      password: secrets.read(user.password),
      changed: user.password.source.changed,
    })),
  );
}

/** All passwords of an authinfo map that sendmail would use. */
export function mapPasswords({ spec, records, placeOf }: AuthinfoContent): PasswordUse[] {
  return records.flatMap((record) => {
    const { credentials } = lookedUpValue(record);
    if (credentials === undefined) return [];
    const login = Buffer.from(credentials.authenticationId).toString();
    const secret = secretOf(spec.source, record.line);
    return [
      {
        host: spec.host,
        role: "map" as const,
        user: login.replace(/@.*/s, ""),
        who: `${login} in ${spec.path}`,
        place: placeOf(record.line),
        secretPlace: secret?.place ?? placeOf(record.line),
        password: credentials.password,
        changed: secret?.source.changed,
      },
    ];
  });
}

/** That an entry is made with; undefined for a text with passwords in it. */
function secretOf(source: AuthinfoContent["spec"]["source"], line: number): SecretUse | undefined {
  if (source.kind === "entries") return source.entries[line - 1]?.password;
  return source.kind === "secret" ? source.secret : undefined;
}

/** @param today YYYY-MM-DD */
export async function* checkPasswords(uses: readonly PasswordUse[], policy: Policy, today: string): AsyncGenerator<CheckFinding> {
  const once = new Map(uses.map((use) => [`${placeText(use.secretPlace)} ${textOf(use)}`, use]));
  for (const use of once.values()) {
    yield* checkLength(use, policy["min-length"]);
    yield* checkAge(use, policy["max-age"], today);
    const doubt = await passwordDoubt(use.password);
    if (doubt !== undefined) yield found("doubtful-password", use.secretPlace, { who: use.who, detail: DOUBTS[doubt] });
  }
  if (policy.reuse === "forbid" || policy.reuse === "same-user") yield* checkReuse(uses, policy.reuse);
}

const DOUBTS = {
  "carriage-return": "it ends in a carriage return",
  "not-utf-8": "it is no UTF-8",
  "forbidden-character": "it has a character that clients refuse (SASLprep)",
  "prepared-differently": "clients change a character of it (SASLprep)",
} as const;

function* checkLength({ who, secretPlace: place, password }: PasswordUse, least: number | undefined): Generator<CheckFinding> {
  const length = [...Buffer.from(password).toString()].length;
  if (least !== undefined && length < least) yield found("short-password", place, { who, length: String(length), least: String(least) });
}

function* checkAge({ who, secretPlace: place, changed }: PasswordUse, most: number | undefined, today: string): Generator<CheckFinding> {
  if (changed === undefined) {
    if (most !== undefined) yield found("undated-password", place, { who, today });
    return;
  }
  const age = (Date.parse(today) - Date.parse(changed)) / DAY;
  if (age < 0) yield found("future-date", place, { who });
  else if (most !== undefined && age > most) yield found("old-password", place, { who, age: String(age), most: String(most) });
}

/**
 * Of relays among each other, and of clients among each other: what a client
 * logs in with is on its relay too.
 */
function* checkReuse(uses: readonly PasswordUse[], reuse: "forbid" | "same-user"): Generator<CheckFinding> {
  const firsts = new Map<string, PasswordUse[]>();
  for (const use of uses) {
    const id = textOf(use);
    const others = firsts.get(id) ?? [];
    // A client has its user's password of course: that another user has it too is told of the relay.
    const isOnRelay = others.some((one) => one.user === use.user && one.role !== use.role);
    const other = others.find((one) => isReuse(one, use, reuse) && !(isOnRelay && one.user !== use.user));
    if (other !== undefined) yield found("reused-password", use.place, { who: use.who, other: other.who });
    firsts.set(id, [...others, use]);
  }
}

/** Byte for byte. */
function textOf({ password }: PasswordUse): string {
  return Buffer.from(password).toString("latin1");
}

function isReuse(a: PasswordUse, b: PasswordUse, reuse: "forbid" | "same-user"): boolean {
  return a.user !== b.user || (reuse === "forbid" && a.role === b.role && a.host !== b.host);
}

/** Who may read the file on its host, as the manifest records it. */
export function* checkMode({ spec, holdsSecrets }: Artifact, policy: Policy): Generator<CheckFinding> {
  const args = { path: spec.path, mode: octal(spec.mode) };
  if (spec.mode & OTHER_WRITE) yield found("world-writable", spec.place, args);
  if (spec.mode & OTHER_READ && holdsSecrets && policy["world-readable"] !== "allow") yield found("world-readable", spec.place, args);
}

/** Mechanisms that want the plain password, on the wire or on the disc. */
export function* checkPlainText({ hosts, policy }: Fleet, maps: readonly AuthinfoContent[]): Generator<CheckFinding> {
  const { sent, stored } = policy["plain-text"] ?? {};
  if (sent === "forbid") yield* checkSent(hosts, maps);
  if (stored === "forbid") {
    for (const { path, users } of hosts.flatMap(({ databases }) => databases)) {
      for (const user of users) if (user.plain) yield found("stores-plain-text", user.place, { path, who: nameOf(user) });
    }
  }
}

function* checkSent(hosts: readonly Host[], maps: readonly AuthinfoContent[]): Generator<CheckFinding> {
  for (const { name, authMechanisms = [], authMechanismsPlace } of hosts) {
    const plain = authMechanisms.filter((mechanism) => PLAIN_TEXT.test(mechanism));
    if (plain.length > 0) yield found("sends-plain-text", authMechanismsPlace, { host: name, detail: plain.join(", ") });
  }
  for (const { spec, records, placeOf } of maps) {
    for (const record of records) {
      const named = Buffer.from(lookedUpValue(record).credentials?.mechanisms ?? [])
        .toString()
        .split(/[\s,]+/);
      const plain = named.filter((mechanism) => PLAIN_TEXT.test(mechanism));
      if (plain.length > 0) yield found("sends-plain-text", placeOf(record.line), { host: spec.path, detail: plain.join(", ") });
    }
  }
}

function nameOf({ user, realm }: UserSpec): string {
  return `${user}@${realm}`;
}

function found(code: CheckCode, place: Place, args: Readonly<Record<string, string>>): CheckFinding {
  return { kind: "check", code, place, args };
}
