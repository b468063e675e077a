/**
 * What the check of a configuration and its patch both go by.
 */
import { type CfDaemon, type CfLine, macrosOf } from "./cf-file.ts";

/** Those that a user and a password are good for. */
export const PASSWORD_MECHANISMS: readonly string[] = [
  "SCRAM-SHA-512",
  "SCRAM-SHA-384",
  "SCRAM-SHA-256",
  "SCRAM-SHA-224",
  "SCRAM-SHA-1",
  "DIGEST-MD5",
  "OTP",
  "CRAM-MD5",
  "LOGIN",
  "PLAIN",
];

/** What sendmail has without an AuthMechanisms line (conf.h). */
export const DEFAULT_MECHANISMS = "EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5";

/** Classes of a map that makemap builds. */
export const MAP_CLASSES: readonly string[] = ["hash", "btree"];

/** In upper case, which is all the same to SASL. */
export function mechanismsIn(value: string): string[] {
  return value
    .toUpperCase()
    .split(/[ \t-\r]+/)
    .filter((name) => name !== "");
}

/** Whether the file is that of the submission program. */
export function isSubmission(lines: readonly CfLine[]): boolean {
  return /\/Submit$/i.test(macrosOf(lines, "Z").at(-1)?.value.trim() ?? "") || macrosOf(lines, "MTAHost").length > 0;
}

/** The port of mail from elsewhere, as against that of submission. */
export function isMainDaemon({ port }: CfDaemon): boolean {
  return port === undefined || ["25", "smtp"].includes(port.trim().toLowerCase());
}

/** AuthMechanisms of the guide. */
export const RELAY_MECHANISMS = "EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5 LOGIN PLAIN";
export const CLIENT_MECHANISMS = "EXTERNAL GSSAPI DIGEST-MD5 CRAM-MD5 LOGIN PLAIN";
/** Mechanisms whose users may relay. */
export const TRUSTED_MECHANISMS = "EXTERNAL GSSAPI OTP DIGEST-MD5 CRAM-MD5 LOGIN PLAIN";

/** M= of the main daemon: no ETRN; authentication is required. */
export const MODIFIERS = "Ea";

/** The letters with those of the guide, and without A, which turns authentication off. */
export function withModifiers(letters: string): string {
  const kept = letters.replaceAll("A", "");
  return `${kept}${[...MODIFIERS].filter((letter) => !kept.includes(letter)).join("")}`;
}

/** Where the guide has the files. */
export const DEFAULT_DOMAINS = "/etc/mail/relay-domains";
export const DEFAULT_MAP = "/etc/mail/authinfo/smtp-auth";

/** The host of a smart host: there may be a mailer before it, and brackets, which keep from asking for its mail exchangers. */
export function hostIn(smartHost: string): string {
  return smartHost
    .replaceAll('"', "")
    .trim()
    .replace(/^[\w-]+:(?=.)/, "")
    .replace(/^\[(.*)\]$/, "$1");
}
