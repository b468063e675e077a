/**
 * The changes of a plan as text and as JSON. Secrets are masked before they
 * come here.
 */
import type { FileChange, RecordChange, UserChange } from "../../artifacts/plan.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { printable, shownBytes } from "../printable.ts";
import { counted } from "./counted.ts";
import type { Paint } from "./style.ts";

/** Changes within a file that anybody reads. */
const MOST = 50;

const SIGNS = { add: "+", change: "~", remove: "-" } as const;
const COLOURS = { add: "green", change: "yellow", remove: "red" } as const;

/** A line for each file, and below it one for each user or record. */
export function* fileLines(change: FileChange, paint: Paint, { all = false }: { readonly all?: boolean } = {}): Generator<string> {
  const { path, action, users, records, notes } = change;
  yield paint(COLOURS[action], `${SIGNS[action]} ${printable(path)}`);
  for (const note of notes) yield `    ${printable(note)}`;
  const lines = [
    ...users.map((user) => ({ action: user.action, text: userText(user) })),
    ...records.map((record) => ({ action: record.action, text: recordText(record) })),
  ];
  const shown = all ? lines : lines.slice(0, MOST);
  for (const line of shown) yield paint(COLOURS[line.action], `    ${SIGNS[line.action]} ${line.text}`);
  if (lines.length > shown.length) yield `    … and ${lines.length - shown.length} more (--all)`;
}

/** One line of a file: what is in it that changes. */
export function fileSummary({ path, action, users, records, notes }: FileChange, paint: Paint): string {
  const parts = [...countsOf(users, "user"), ...countsOf(records, "record"), ...notes.map(printable)];
  return `${paint(COLOURS[action], `${SIGNS[action]} ${printable(path)}`)}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

/** "2 files to add, 1 to change, 5 as they are". */
export function countLine(changes: readonly FileChange[], unchanged: number, done: boolean): string {
  const count = (action: FileChange["action"]): number => changes.filter((change) => change.action === action).length;
  const verbs = done ? { add: "added", change: "changed", remove: "removed" } : { add: "to add", change: "to change", remove: "to remove" };
  const parts = (["add", "change", "remove"] as const)
    .filter((action) => count(action) > 0)
    .map((action) => `${count(action)} ${verbs[action]}`);
  return parts.length === 0
    ? `nothing to do, ${counted(unchanged, "file")} as the manifest has it`
    : `${parts.join(", ")}, ${unchanged} as ${unchanged === 1 ? "it is" : "they are"}`;
}

export function changeJson({ path, action, users, records, notes }: FileChange): object {
  return {
    path,
    action,
    notes,
    users,
    records: records.map(({ action: what, key, before, after }) => ({
      action: what,
      ...jsonMember("key", key),
      before: before.map((data) => jsonMember("data", data)),
      after: after.map((data) => jsonMember("data", data)),
    })),
  };
}

function userText({ user, properties }: UserChange): string {
  return `${printable(user)} (${printable(properties.join(", "))})`;
}

function recordText({ key, before, after }: RecordChange): string {
  const [old, now] = [before, after].map((all) => all.map(shownBytes).join(" | "));
  const name = shownBytes(key);
  if (before.length === 0 || after.length === 0) return `${name}\t${old}${now}`;
  return old === now ? `${name}\t${now} (the secret in it)` : `${name}\t${old} becomes ${now}`;
}

function countsOf(changes: readonly { readonly action: FileChange["action"] }[], noun: string): string[] {
  return (["add", "change", "remove"] as const).flatMap((action) => {
    const count = changes.filter((change) => change.action === action).length;
    return count === 0 ? [] : [`${SIGNS[action]}${counted(count, noun)}`];
  });
}
