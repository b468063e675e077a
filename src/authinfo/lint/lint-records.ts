/**
 * The records of an authinfo map that is built: the same looks at keys and
 * values as for a source text, and at what makemap has put about them.
 */
import { foldKey } from "../../makemap/map-key.ts";
import { expandPercent } from "../percent.ts";
import { parseAuthinfoValue } from "../value.ts";
import { type LintFinding, type LocalFinding, latin1 } from "./finding.ts";
import { FindingList } from "./finding-list.ts";
import { duplicateEffect, type LintOptions } from "./options.ts";
import { addressInBrackets, checkKey, hasTag, maskedKey, shownKey, TAG } from "./server-key.ts";
import { checkValue, isNoEntry } from "./value-checks.ts";

interface Entry {
  /** From 1. */
  readonly record: number;
  /** One character a byte, without the NUL of -N. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly keyHasNul: boolean;
  readonly valueHasNul: boolean;
}

/**
 * Looks at the records of a map. Findings tell the record by its number, and by
 * its key where that is no secret.
 * @param records key and data, in any order. Their bytes stay the caller's.
 * @param options of them `keepCase` counts: that the K line has -f.
 */
export function lintRecords(records: Iterable<readonly [Uint8Array, Uint8Array]>, options: LintOptions = {}): LintFinding[] {
  const entries = Array.from(records, ([key, value], i) => entryOf(i + 1, key, value));
  const { keepCase = false } = options;
  const byKey = new Map<string, Entry>();
  const found = new FindingList(options.most);
  const hasDefault = entries.some(
    ({ key, value }) => key.length === TAG.length && key.toLowerCase() === TAG && !isNoEntry(value, bytesOf(key)),
  );
  const withNul = entries.filter(({ keyHasNul }) => keyHasNul).length;
  if (withNul > 0 && withNul < entries.length) {
    found.add({ code: "mixed-nul", severity: "error", args: { with: withNul, without: entries.length - withNul } });
  }
  for (const entry of entries) if (!byKey.has(entry.key)) byKey.set(entry.key, entry);
  for (const entry of entries) {
    const shown = shownEntryKey(entry);
    for (const { code, severity, args = {} } of checkEntry(entry, byKey, { keepCase, hasDefault })) {
      found.add({ code, severity, args, record: entry.record, key: shown });
    }
    const before = byKey.get(entry.key);
    if (before !== undefined && before !== entry) {
      const effect = before.keyHasNul === entry.keyHasNul ? duplicateEffect({ duplicates: "keep" }) : "one of them ends with a NUL";
      const args = { first: `record ${before.record}`, effect };
      found.add({ code: "duplicate-key", severity: "warning", args, record: entry.record, key: shown });
    }
  }
  return found.all();
}

/** Where no password is in the value, it may be in the key, and that stays unsaid. */
function shownEntryKey({ key, value }: Entry): string {
  const { inForce, special } = parseAuthinfoValue(expandPercent(value, bytesOf(key)).bytes);
  const isComplete = inForce.P !== undefined || special !== undefined;
  return isComplete ? shownKey(key) : maskedKey(key);
}

function entryOf(record: number, key: Uint8Array, value: Uint8Array): Entry {
  const [keyHasNul, valueHasNul] = [key.at(-1) === 0, value.at(-1) === 0];
  return {
    record,
    key: latin1(keyHasNul ? key.subarray(0, -1) : key),
    value: valueHasNul ? value.subarray(0, -1) : value,
    keyHasNul,
    valueHasNul,
  };
}

function* checkEntry(
  entry: Entry,
  byKey: ReadonlyMap<string, Entry>,
  { keepCase, hasDefault }: { readonly keepCase: boolean; readonly hasDefault: boolean },
): Generator<Omit<LocalFinding, "offset" | "length">> {
  const { key, value, keyHasNul, valueHasNul } = entry;
  if (keyHasNul !== valueHasNul) yield { code: "nul-differs", severity: "note" };
  if (!keepCase && /[A-Z]/.test(key) && hasTag(key)) {
    const isShadowed = byKey.has(foldKey(key));
    yield { code: "upper-case-key", severity: isShadowed ? "warning" : "error" };
  }
  const check = checkKey(key, latin1(value), { keepCase, delimiter: " " });
  const address = check.server === undefined ? undefined : addressInBrackets(check.server);
  const other = address === undefined ? undefined : byKey.get(`${key.slice(0, TAG.length)}${address}`);
  for (const found of check.findings) {
    const wins = found.code === "brackets-around-address" && other !== undefined;
    yield wins ? { code: "brackets-win", severity: "note", args: { other: `record ${other.record}` } } : found;
  }
  if (!check.isEntry || check.itemsAt !== undefined) return;
  const context = { key: bytesOf(key), isDefault: key.toLowerCase() === TAG, hasDefault };
  yield* checkValue(value, context);
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
