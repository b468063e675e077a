/**
 * tsmap diff: whether two maps say the same, and whether they are stored alike.
 */
import { MOST_TEXT, readWhole } from "../../files/read-whole.ts";
import {
  type Comparison,
  compareMaps,
  type Difference,
  type FormatDifference,
  type MapContent,
  readContent,
} from "../../map-file/comparison.ts";
import { jsonMember } from "../../map-file/dump-text.ts";
import { Fingerprints } from "../../map-file/fingerprint.ts";
import { jsonText } from "../../map-file/json-text.ts";
import { withMap } from "../../map-file/read-map.ts";
import { maskRecord } from "../../map-file/secrets.ts";
import { printable, shownBytes } from "../printable.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { type SourceFlags, sourceOptions } from "./source-flags.ts";
import { sayProblems } from "./source-problems.ts";
import { type Paint, paintFor } from "./style.ts";
import { Trouble, withFile } from "./trouble.ts";

/** Bytes. */
const SHORTEST_KEY = 16;

interface Options extends SourceFlags {
  readonly sameFormat?: true;
  readonly quiet?: true;
  readonly json?: true;
  readonly fingerprintKey?: string;
  readonly showSecrets?: true;
}

/** @returns 0 for the same, 1 for different. */
export function run(context: Context, [a, b]: readonly (string | readonly string[])[], options: Options): number {
  const { output } = context;
  const names = { a: String(a), b: String(b) };
  const comparison = compareMaps(readFile(context, names.a, options), readFile(context, names.b, options));
  const isSame = comparison.differences.length === 0 && (!options.sameFormat || comparison.formatDifferences.length === 0);
  if (!options.quiet) {
    const show = new Shown(options);
    if (options.json) output.write(`${jsonText(toJson(isSame, comparison, show))}\n`);
    else for (const line of report(names, comparison, show, paintFor(process.stdout))) output.write(`${line}\n`);
  }
  return isSame ? 0 : 1;
}

/** Reads a map; of a source text it says what makemap would leave out. */
function readFile(context: Context, file: string, options: Options): MapContent {
  return withFile(file, () =>
    withMap(file, sourceOptions(options), (map) => {
      if (map.kind === "source" && !options.quiet) sayProblems(context, file, map.diagnostics);
      return readContent(map);
    }),
  );
}

/** Data as they may be shown: secrets by their fingerprints. */
class Shown {
  readonly #fingerprints: Fingerprints;
  readonly #showSecrets: boolean;

  constructor({ fingerprintKey, showSecrets }: Options) {
    this.#fingerprints = fingerprintKey === undefined ? new Fingerprints() : new Fingerprints(readKey(fingerprintKey));
    this.#showSecrets = showSecrets === true;
  }

  key({ key, a, b }: Difference): Uint8Array {
    if (this.#showSecrets) return key;
    const [data = new Uint8Array()] = a ?? b ?? [];
    return maskRecord(key, data).key;
  }

  /** Of data with a secret the fingerprint is that of all of it. */
  data(key: Uint8Array, data: Uint8Array): { readonly shown: Uint8Array; readonly fingerprint?: string } {
    if (this.#showSecrets) return { shown: data };
    const masked = maskRecord(key, data);
    return masked.isMasked ? { shown: masked.data, fingerprint: this.#fingerprints.of(data) } : { shown: data };
  }
}

/** @throws {Trouble} fingerprints without a key let anybody try passwords on them. */
function readKey(file: string): Buffer {
  const key = withFile(file, () => readWhole(file, MOST_TEXT));
  if (key.length < SHORTEST_KEY) throw new Trouble(`${file}: a key of ${key.length} bytes, where ${SHORTEST_KEY} are needed`);
  return key;
}

function* report(names: { readonly a: string; readonly b: string }, found: Comparison, show: Shown, paint: Paint): Generator<string> {
  yield `${paint("red", `--- ${printable(names.a)}`)} (${formatText(found.formats.a)})`;
  yield `${paint("green", `+++ ${printable(names.b)}`)} (${formatText(found.formats.b)})`;
  for (const difference of found.differences) {
    const key = shownBytes(show.key(difference));
    for (const data of difference.a ?? []) yield paint("red", `-${key}\t${dataText(difference.key, data, show)}`);
    for (const data of difference.b ?? []) yield paint("green", `+${key}\t${dataText(difference.key, data, show)}`);
  }
  yield `records: ${countText(found)}`;
  if (found.hasNulMore !== undefined)
    yield `         in ${printable(names[found.hasNulMore])} every key and all data have a NUL more, as makemap -N makes it`;
  if (found.formats.a.kind !== "source text" && found.formats.b.kind !== "source text")
    yield `format:  ${found.formatDifferences.length === 0 ? "the same" : found.formatDifferences.map(differenceText).join(", ")}`;
}

function dataText(key: Uint8Array, data: Uint8Array, show: Shown): string {
  const { shown, fingerprint } = show.data(key, data);
  return fingerprint === undefined ? shownBytes(shown) : `${shownBytes(shown)} (fingerprint ${fingerprint})`;
}

function formatText({ kind, version, byteOrder, pageSize }: Comparison["formats"]["a"]): string {
  return version === undefined ? kind : `${kind} version ${version}, ${byteOrder}-endian, pages of ${pageSize} bytes`;
}

function countText({ same, differences }: Comparison): string {
  if (differences.length === 0) return `the same (${counted(same, "key")})`;
  const { onlyA, onlyB, changed } = counts(differences);
  return `${counted(same, "key")} the same, ${onlyA} only in the first, ${onlyB} only in the second, ${changed} with other data`;
}

const PROPERTIES: Readonly<Record<FormatDifference["property"], string>> = {
  kind: "type",
  version: "version",
  byteOrder: "byte order",
  pageSize: "page size",
  duplicates: "duplicates",
};

function differenceText({ property, a, b }: FormatDifference): string {
  return `${PROPERTIES[property]} ${a} and ${b}`;
}

function counts(differences: readonly Difference[]): { onlyA: number; onlyB: number; changed: number } {
  const onlyA = differences.filter(({ b }) => b === undefined).length;
  const onlyB = differences.filter(({ a }) => a === undefined).length;
  return { onlyA, onlyB, changed: differences.length - onlyA - onlyB };
}

function toJson(isSame: boolean, comparison: Comparison, show: Shown): object {
  const { same, differences, formats, formatDifferences, hasNulMore } = comparison;
  const dataOf = (key: Uint8Array, all: readonly Uint8Array[] | undefined): object[] | null =>
    all?.map((data) => {
      const { shown, fingerprint } = show.data(key, data);
      return fingerprint === undefined ? jsonMember("data", shown) : { ...jsonMember("data", shown), fingerprint };
    }) ?? null;
  return {
    isSame,
    records: { same, ...counts(differences) },
    differences: differences.map((difference) => ({
      ...jsonMember("key", show.key(difference)),
      a: dataOf(difference.key, difference.a),
      b: dataOf(difference.key, difference.b),
    })),
    hasNulMore: hasNulMore ?? null,
    formats,
    formatDifferences,
  };
}
