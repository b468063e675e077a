/**
 * What tssaslpasswd says, in the words of Cyrus SASL 2.1.28 where it has them.
 */
import { LockedError } from "../files/file-lock.ts";
import { isOfSystem, strerror } from "../files/strerror.ts";
import { ConfigurationError } from "../sasldb/configuration.ts";
import { SasldbError } from "../sasldb/error.ts";
import type { PasswordDoubt, PasswordFault } from "../sasldb/password.ts";
import { BANNER } from "./sasl-messages.ts";

export function passwdUsage(program: string): string {
  return `${BANNER}${program}: usage: ${program} [-v] [-c [-p] [-n]] [-d] [-a appname] [-f sasldb] [-u DOM] userid
\t-p\tpipe mode -- no prompt, password read on stdin
\t-c\tcreate -- ask mechs to create the account
\t-d\tdisable -- ask mechs to disable/delete the account
\t-n\tno userPassword -- don't set plaintext userPassword property
\t  \t                   (only set mechanism-specific secrets)
\t-f sasldb\tuse given file as sasldb
\t-a appname\tuse appname as application name
\t-u DOM\tuse DOM for user domain
\t-v\tprint version numbers and exit
`;
}

export function faultText(fault: PasswordFault): string | undefined {
  switch (fault) {
    case "empty":
      return undefined;
    case "nul":
      return "the password holds a NUL, at which it would be cut: choose one without";
    case "too-long":
      return "the password is longer than 2048 bytes, at which it would be cut: choose a shorter one";
  }
}

export function doubtText(doubt: PasswordDoubt): string {
  switch (doubt) {
    case "carriage-return":
      return "the password ends in a carriage return, as in a file with CRLF line ends: it is kept, and nobody can type it";
    case "not-utf-8":
      return "the password is no UTF-8: it is kept, and clients that prepare passwords (SASLprep) cannot use it";
    case "forbidden-character":
      return "the password has characters that SASLprep (RFC 4013) forbids: it is kept, and clients that prepare passwords cannot use it";
    case "prepared-differently":
      return "clients that prepare passwords (SASLprep, RFC 4013) make another one of this: it is kept as it is, and they may fail to log in";
  }
}

/** Why it failed, for somebody who has to mend it; undefined where the error is none that is expected. */
export function failureReason(error: unknown): string | undefined {
  if (error instanceof SasldbError) return `${error.path}: ${systemText(error)}`;
  if (error instanceof LockedError) return `${error.message}: remove that file if none is running`;
  if (error instanceof ConfigurationError) return error.message;
  return undefined;
}

/** Node's messages name call and path besides, and libdb's what is in its memory. */
function systemText({ cause, message }: SasldbError): string {
  return isOfSystem(cause) ? strerror(cause) : message;
}
