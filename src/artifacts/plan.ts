/**
 * What a build would change of the set that is there: file by file, and within
 * a file user by user or record by record.
 */
import { HashFileError } from "../hash-file/error.ts";
import { type Comparison, compareMaps, type Difference, type MapContent, readContent } from "../map-file/comparison.ts";
import { maskRecord } from "../map-file/secrets.ts";
import { decodeName } from "../sasldb/name.ts";
import { type Artifact, withDatabase } from "./artifact.ts";
import type { SetFile, SetFileText } from "./set-files.ts";
import { octal } from "./set-files.ts";
import type { SetFolder } from "./set-folder.ts";

export interface FileChange {
  /** Within the set. */
  readonly path: string;
  readonly action: "add" | "change" | "remove";
  /** Of a SASL database. */
  readonly users: readonly UserChange[];
  /** Of a map. */
  readonly records: readonly RecordChange[];
  /** What else is different, in words: "hash version 9 becomes 8". */
  readonly notes: readonly string[];
}

export interface UserChange {
  readonly action: "add" | "change" | "remove";
  /** user@realm */
  readonly user: string;
  /** The properties that are added, changed or removed. */
  readonly properties: readonly string[];
}

/** Secrets are masked. */
export interface RecordChange {
  readonly action: "add" | "change" | "remove";
  readonly key: Uint8Array;
  readonly before: readonly Uint8Array[];
  readonly after: readonly Uint8Array[];
}

const EMPTY: MapContent["index"] = new Map();

/**
 * Holds a file against the one that is there.
 * @returns undefined where they are the same.
 */
export function changeOf(artifact: Artifact, folder: SetFolder): FileChange | undefined {
  const { spec, bytes } = artifact;
  const present = folder.read(spec.path);
  const isSame = present !== undefined && Buffer.compare(present.bytes, bytes) === 0;
  // Most files, most of the time: nothing in them has to be read.
  if (isSame && present.mode === spec.mode) return undefined;
  const after = withDatabase(bytes, readContent);
  const before = present && contentOf(present.bytes);
  const isDatabase = spec.kind === "database";
  if (present === undefined || before === undefined || "damage" in before) {
    const nothing = { format: after.format, index: EMPTY };
    const notes = before !== undefined && "damage" in before ? [`what is there cannot be read: ${before.damage}`] : [];
    return {
      path: spec.path,
      action: present === undefined ? "add" : "change",
      ...changesOf(compareMaps(nothing, after), nothing, after, isDatabase),
      notes,
    };
  }
  const comparison = compareMaps(before, after);
  const { formatDifferences } = comparison;
  const notes = formatDifferences.map(({ property, a, b }) => `${PROPERTIES[property]} ${a} becomes ${b}`);
  if (present.mode !== spec.mode) notes.push(`mode ${octal(present.mode)} becomes ${octal(spec.mode)}`);
  const changes = changesOf(comparison, before, after, isDatabase);
  if (!isSame && changes.users.length + changes.records.length + formatDifferences.length === 0)
    notes.push("the same records, stored otherwise");
  return { path: spec.path, action: "change", ...changes, notes };
}

/** The same for a file that only says what is in the set. */
export function changeOfText({ path, text, mode }: SetFileText, folder: SetFolder): FileChange | undefined {
  const present = folder.read(path);
  if (present !== undefined && present.mode === mode && Buffer.from(present.bytes).equals(Buffer.from(text))) return undefined;
  return { path, action: present === undefined ? "add" : "change", users: [], records: [], notes: [] };
}

/** The files of the set that is there, and of no manifest. */
export function removals(files: readonly Pick<SetFile, "path">[], folder: SetFolder): FileChange[] {
  const wanted = new Set(files.map(({ path }) => path));
  return folder
    .list()
    .filter((path) => !wanted.has(path))
    .map((path) => ({ path, action: "remove", users: [], records: [], notes: [] }));
}

const PROPERTIES = { kind: "type", version: "version", byteOrder: "byte order", pageSize: "page size", duplicates: "duplicates" } as const;

function contentOf(bytes: Uint8Array): MapContent | { readonly damage: string } {
  try {
    return withDatabase(bytes, readContent);
  } catch (error) {
    if (!(error instanceof HashFileError)) throw error;
    return { damage: error.message };
  }
}

function changesOf(
  { differences }: Comparison,
  before: MapContent,
  after: MapContent,
  isDatabase: boolean,
): Pick<FileChange, "users" | "records"> {
  return isDatabase
    ? { users: userChanges(differences, before, after), records: [] }
    : { users: [], records: differences.map(recordChange) };
}

/** A user is added with the first property, and removed with the last. */
export function userChanges(differences: readonly Difference[], before: MapContent, after: MapContent): UserChange[] {
  const properties = new Map<string, string[]>();
  for (const { key } of differences) {
    const name = userOf(key);
    properties.set(name.user, [...(properties.get(name.user) ?? []), name.property]);
  }
  const [old, now] = [usersIn(before), usersIn(after)];
  return [...properties]
    .map(([user, names]) => ({ user, properties: names.sort(), action: actionOf(old.has(user), now.has(user)) }))
    .sort((a, b) => (a.user < b.user ? -1 : 1));
}

function usersIn({ index }: MapContent): Set<string> {
  return new Set(Array.from(index.keys(), (key) => userOf(Buffer.from(key, "latin1")).user));
}

function userOf(key: Uint8Array): { readonly user: string; readonly property: string } {
  const name = decodeName(key);
  return name === undefined
    ? { user: "a record of no user", property: "" }
    : { user: `${name.user}@${name.realm}`, property: name.property };
}

function recordChange(difference: Difference): RecordChange {
  const { key, a = [], b = [] } = difference;
  const masked = (data: Uint8Array): Uint8Array => maskRecord(key, data).data;
  const [first = new Uint8Array()] = [...b, ...a];
  const action = actionOf(difference.a !== undefined, difference.b !== undefined);
  return { action, key: maskRecord(key, first).key, before: a.map(masked), after: b.map(masked) };
}

function actionOf(wasThere: boolean, isThere: boolean): UserChange["action"] {
  if (!wasThere) return "add";
  return isThere ? "change" : "remove";
}
