/**
 * What the check of a fleet can find, and what to do: the one table of codes,
 * and its only English. No text quotes a password.
 */

export type CheckCode =
  | "missing"
  | "stale"
  | "unexpected"
  | "no-copies"
  | "copy-missing"
  | "copy-differs"
  | "copy-damaged"
  | "short-password"
  | "old-password"
  | "undated-password"
  | "future-date"
  | "reused-password"
  | "doubtful-password"
  | "world-readable"
  | "world-writable"
  | "sends-plain-text"
  | "stores-plain-text"
  | "no-database"
  | "no-authinfo-map"
  | "would-not-authenticate";

export interface CheckRule {
  /** With {names} for what a finding fills in. */
  readonly what: string;
  readonly mend: string;
}

export const CHECK_RULES: Readonly<Record<CheckCode, CheckRule>> = {
  missing: { what: "{path} is missing from what is built", mend: "tsmap build" },
  stale: { what: "{path} is not what the manifest makes: {detail}", mend: "tsmap plan says all of it, tsmap build makes it anew" },
  unexpected: { what: "{path} is among what is built, and in no manifest", mend: "tsmap build removes it; or put it into the manifest" },
  "no-copies": { what: "{host} has no folder among the copies", mend: "fetch its files" },
  "copy-missing": {
    what: "{host} has no {path}: neither {file} nor its install path is among the copies",
    mend: "copy it from what is built to the host, and fetch the copy anew",
  },
  "copy-differs": { what: "the copy from {host} differs from {path}: {detail}", mend: "copy what is built to the host" },
  "copy-damaged": { what: "the copy from {host} cannot be read: {detail}", mend: "fetch it anew; tsmap verify says more" },
  "short-password": { what: "the password of {who} has {length} characters, and min-length is {least}", mend: "set a longer one" },
  "old-password": {
    what: "the password of {who} was changed {age} days ago, and max-age is {most}",
    mend: "set another, and say when: changed",
  },
  "undated-password": {
    what: "nothing says when the password of {who} was set, and there is a max-age",
    mend: "say it where the secret is: changed: {today}",
  },
  "future-date": { what: "the password of {who} is said to be changed on a day to come", mend: "put right changed" },
  "reused-password": { what: "{who} has the password of {other}", mend: "give each a password of its own" },
  "doubtful-password": { what: "the password of {who} may not work as it is typed: {detail}", mend: "set one of ordinary characters" },
  "world-readable": {
    what: "{path} holds secrets, and its mode {mode} lets anybody read it",
    mend: 'mode: "0640", and the group that reads it',
  },
  "world-writable": { what: "{path}: its mode {mode} lets anybody write to it", mend: 'mode: "0640"' },
  "sends-plain-text": {
    what: "{host} has mechanisms that send the password itself: {detail}",
    mend: "take them out of auth-mechanisms, or of what the entry itself names",
  },
  "stores-plain-text": {
    what: "{path} holds the plain password of {who}",
    mend: "plain: false, with mechanisms that have secrets of their own: SCRAM-SHA-256",
  },
  "no-database": { what: "{host} logs in to {relay}, which has no SASL database here", mend: "give it one, or take it out of relays" },
  "no-authinfo-map": { what: "{host} logs in to {relay}, and has no authinfo map", mend: "give it one, or take the relay out of relays" },
  "would-not-authenticate": {
    what: "{host} would not authenticate to {relay} with {path}: {detail}",
    mend: "tsmap auth says what is asked for, and what the relay has",
  },
};

/** A text of the table, filled in. */
export function fillIn(text: string, args: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => args[name] ?? "");
}
