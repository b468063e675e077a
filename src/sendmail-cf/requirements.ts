/**
 * What the check of a configuration and its patch both go by.
 */
import { type CfDaemon, type CfLine, macrosOf } from "./cf-file.ts";

/** Those that a user and a password are good for. */
export const PASSWORD_MECHANISMS: readonly string[] = ["DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"];

/** What sendmail has without an AuthMechanisms line (conf.h). */
export const DEFAULT_MECHANISMS = "EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5";

/** Classes of a map that makemap builds. */
export const MAP_CLASSES: readonly string[] = ["hash", "btree"];

/** In upper case, which is all the same to SASL. */
export function mechanismsIn(value: string): string[] {
  return value
    .toUpperCase()
    .split(/\s+/)
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
