/**
 * Why a dialogue with a relay came to no end, in words.
 */
import { strerror } from "../../files/strerror.ts";
import type { SmtpError } from "../../smtp/error.ts";

/** @param seconds the limit of the dialogue. */
export function smtpErrorText({ code, step, reply, cause }: SmtpError, seconds: number): string {
  const said = reply === undefined ? "" : `: ${reply}`;
  switch (code) {
    case "connect":
      return `no connection: ${causeText(cause)}`;
    case "time-limit":
      return `no end in ${seconds} s (--timeout), at ${STEP_TEXTS[step] ?? step}`;
    case "closed":
      return `the connection was closed at ${STEP_TEXTS[step] ?? step}`;
    case "closing":
      return `the relay closes the connection at ${STEP_TEXTS[step] ?? step}${said}`;
    case "refused":
      return `the relay refuses ${step === "greeting" ? "to talk" : step}${said}`;
    case "malformed":
      return `what the relay says is no reply of SMTP, at ${STEP_TEXTS[step] ?? step}`;
    case "unasked":
      return `the relay says what it was not asked for, after ${STEP_TEXTS[step] ?? step}${said}`;
    case "too-much":
      return `the relay says too much, at ${STEP_TEXTS[step] ?? step}`;
    case "no-tls":
      return `the relay does not begin with TLS${said}`;
    case "tls":
      return `TLS failed: ${causeText(cause)}${isOfCertificate(cause) ? " (--ca FILE names whom to trust; --insecure asks nobody, as sendmail does)" : ""}`;
  }
}

const STEP_TEXTS: Readonly<Record<string, string>> = {
  connection: "connecting",
  greeting: "its greeting",
  "TLS handshake": "the TLS handshake",
};

/** Whether it is the relay's certificate that was not accepted. */
function isOfCertificate(cause: unknown): boolean {
  const { code, originalCode } = cause as { readonly code?: string; readonly originalCode?: string };
  return /CERT|_VERIFY_|ALTNAME/.test(originalCode ?? code ?? "");
}

/** Of several addresses the first one speaks; the code of the system, where the library has put another in its place. */
function causeText(cause: unknown): string {
  const { errors, originalCode } = cause as { readonly errors?: readonly unknown[]; readonly originalCode?: string };
  if (errors?.[0] !== undefined) return causeText(errors[0]);
  return strerror(
    originalCode === undefined || !(cause instanceof Error) ? cause : Object.assign(new Error(cause.message), { code: originalCode }),
  );
}
