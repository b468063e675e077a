/**
 * What tsmakemap says, in makemap's words.
 */
import { BerkeleyDBError } from "berkeley-db-js";
import { type SafetyWarning, UnsafeFileError } from "../files/safe-file.ts";
import { strerror } from "../files/strerror.ts";
import { HashFileError } from "../hash-file/error.ts";
import type { SourceDiagnostic } from "../makemap/diagnostic.ts";

/** Text and bytes of keys, which may be of any encoding, as one line. */
export type Message = Uint8Array;

const encode = (text: string): Uint8Array => Buffer.from(text);

export function usageText(program: string): string {
  const indent = " ".repeat(8 + program.length);
  return (
    `Usage: ${program} [-C cffile] [-N] [-c cachesize] [-D commentchar]\n` +
    `${indent}[-d] [-e] [-f] [-i type] [-l] [-o] [-r] [-s] [-t delimiter]\n` +
    `${indent}[-u] [-v] type mapname\n`
  );
}

export function diagnosticMessage(program: string, mapName: string, { problem, line, key }: SourceDiagnostic): Message {
  const where = `${program}: ${mapName}: line ${line}: `;
  const withKey = (before: string, after: string): Message =>
    Buffer.concat([encode(`${where}${before}`), key ?? encode(""), encode(`${after}\n`)]);
  switch (problem) {
    case "line-too-long":
      return encode(`${where}line too long (1024 bytes max)\n`);
    case "leading-space":
      return encode(`${where}syntax error (leading space)\n`);
    case "no-value":
      return withKey("no RHS for LHS ", "");
    case "duplicate-key":
      return withKey("key ", ": duplicate key");
  }
}

export function putErrorMessage(program: string, mapName: string, line: number, key: Uint8Array, error: unknown): Message {
  return Buffer.concat([encode(`${program}: ${mapName}: line ${line}: key `), key, encode(`: put error: ${failureText(error)}\n`)]);
}

/** makemap has no such message. */
export function readErrorMessage(program: string, type: string, mapName: string, error: BerkeleyDBError): string {
  return `${program}: error reading type ${type} map ${mapName}: ${withoutPath(error)}\n`;
}

export function recordLine(key: Uint8Array, value: Uint8Array): Message {
  return Buffer.concat([encode("key=`"), key, encode("', val=`"), value, encode("'\n")]);
}

export function warningMessage(warning: SafetyWarning): string {
  switch (warning.kind) {
    case "world-writable":
      return `WARNING: World writable directory ${warning.folder}\n`;
    case "group-writable":
      return `WARNING: Group writable directory ${warning.folder}\n`;
    case "foreign-folder":
      return `WARNING: directory ${warning.path} belongs to uid ${warning.uid}\n`;
    case "foreign-file":
      return `WARNING: map ${warning.path} belongs to uid ${warning.uid}\n`;
  }
}

/** What follows the colon where a map could not be opened or finished. */
export function failureText(error: unknown): string {
  if (error instanceof UnsafeFileError) {
    switch (error.reason) {
      case "symbolic-link":
        return "Symbolic links not allowed";
      case "hard-link":
        return "Hard links not allowed";
      case "not-regular":
        return "Regular files only";
      case "executable":
        return "Executable files not allowed";
      case "name-too-long":
        return "Name too long";
    }
  }
  if (error instanceof HashFileError) return error.message;
  // makemap has no more to say than the system; where the engine has, it is worth saying.
  if (error instanceof BerkeleyDBError && error.code === "DB_OLD_VERSION") return withoutPath(error);
  return strerror(error);
}

function withoutPath({ message, path = "" }: BerkeleyDBError): string {
  return message.slice(path.length).replace(/^: /, "");
}
