/**
 * What a fleet's hosts have, by copies that were fetched from them, against what
 * is built for them. The records count, not how they are stored.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readWhole } from "../files/read-whole.ts";
import { HashFileError } from "../hash-file/error.ts";
import { compareMaps, type Difference, type MapContent, readContent } from "../map-file/comparison.ts";
import { maskRecord } from "../map-file/secrets.ts";
import { decodeName, OTP_SECRET } from "../sasldb/name.ts";
import { parseOtpSecret } from "../sasldb/otp.ts";
import { type Artifact, withDatabase } from "./artifact.ts";
import type { CheckFinding } from "./check-finding.ts";
import type { CheckCode } from "./check-rules.ts";
import type { Host } from "./fleet.ts";
import { reasonOf } from "./paths.ts";
import { userChanges } from "./plan.ts";

/**
 * @param folder of a folder for each host; in it the file as it is built, or at its install path.
 * Of a host without a folder `checkCopyFolders` says so.
 */
export function* checkCopy(artifact: Artifact, folder: string): Generator<CheckFinding> {
  const { spec } = artifact;
  const { host, path, place, install } = spec;
  const found = (code: CheckCode, args: Readonly<Record<string, string>> = {}): CheckFinding => {
    return { kind: "check", code, place, args: { host, path, ...args } };
  };
  const below = join(folder, host);
  if (!existsSync(below)) return;
  const file = path.slice(host.length + 1);
  const copy = [file, ...(install === undefined ? [] : [install])].map((name) => join(below, name)).find((name) => existsSync(name));
  if (copy === undefined) {
    yield found("copy-missing", { file });
    return;
  }
  let content: MapContent;
  try {
    content = withDatabase(readCopy(copy), readContent);
  } catch (error) {
    if (!(error instanceof HashFileError) && !(error instanceof Error && "code" in error)) throw error;
    yield found("copy-damaged", { detail: error instanceof HashFileError ? error.message : reasonOf(error) });
    return;
  }
  const detail = differenceText(withDatabase(artifact.bytes, readContent), content, spec.kind === "database");
  if (detail !== undefined) yield found("copy-differs", { detail });
}

/** Whoever has the host may have put a pipe there, that nobody writes to. */
function readCopy(path: string): Buffer {
  if (!statSync(path).isFile()) throw new HashFileError("not a regular file");
  return readWhole(path);
}

/** A copy that could not be fetched must not be taken for one that is right. */
export function* checkCopyFolders(hosts: readonly Host[], folder: string): Generator<CheckFinding> {
  for (const { name, place, databases, maps } of hosts) {
    if (databases.length + maps.length > 0 && !existsSync(join(folder, name)))
      yield { kind: "check", code: "no-copies", place, args: { host: name } };
  }
}

/** @returns undefined where nothing is different that matters. */
function differenceText(built: MapContent, copy: MapContent, isDatabase: boolean): string | undefined {
  const differences = compareMaps(built, copy).differences.filter(({ key, a, b }) => !(isDatabase && isUse(key, a?.[0], b?.[0])));
  if (differences.length === 0) return undefined;
  if (!isDatabase) {
    const [first] = differences;
    const more = differences.length === 1 ? "" : `, and ${differences.length - 1} more`;
    return `${first === undefined ? "" : shownKey(first)}${more}`;
  }
  return userChanges(differences, built, copy)
    .map(({ user, action, properties }) =>
      action === "add"
        ? `${user} is no user here`
        : action === "remove"
          ? `${user} is missing`
          : `${user} has another ${properties.join(", ")}`,
    )
    .join("; ");
}

/** Where quotes or blanks are missing, a key has a password in it. */
function shownKey({ key, a = [], b = [] }: Difference): string {
  const [data = new Uint8Array()] = [...a, ...b];
  return Buffer.from(maskRecord(key, data).key).toString();
}

/** Whether the host's one-time password is the same one after some logins, each of which takes it one step back (RFC 2289). */
function isUse(key: Uint8Array, built: Uint8Array | undefined, copy: Uint8Array | undefined): boolean {
  if (built === undefined || copy === undefined || decodeName(key)?.property !== OTP_SECRET) return false;
  const [ours, theirs] = [parseOtpSecret(built), parseOtpSecret(copy)];
  if (ours === undefined || theirs === undefined || ours === "too short" || theirs === "too short") return false;
  return ours.seed === theirs.seed && ours.algorithm === theirs.algorithm && theirs.sequence <= ours.sequence;
}
