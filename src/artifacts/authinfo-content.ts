/**
 * What the authinfo maps of a fleet say, read from their source texts, where
 * findings have lines.
 */
import { MemoryFileSystem } from "berkeley-db-js";
import { expandPercent } from "../authinfo/percent.ts";
import { type AuthinfoValue, parseAuthinfoValue } from "../authinfo/value.ts";
import { type SourceRecord, withMap } from "../map-file/read-map.ts";
import type { Artifact, Workshop } from "./artifact.ts";
import { openText } from "./build-map.ts";
import type { MapSpec } from "./fleet.ts";
import type { Place } from "./manifest-error.ts";

export interface AuthinfoContent {
  readonly spec: MapSpec;
  /** The whole source. */
  readonly text: Uint8Array;
  readonly records: readonly SourceRecord[];
  placeOf(line: number): Place;
}

/** @returns undefined for another kind of map. */
export function authinfoContent({ spec, kind }: Artifact, workshop: Workshop): AuthinfoContent | undefined {
  if (spec.kind !== "map" || (kind !== "authinfo" && kind !== "access")) return undefined;
  const source = openText(spec, workshop);
  const text = Buffer.concat(Array.from(source.chunks(), (chunk) => chunk.slice()));
  return { spec, text, records: recordsOf(text, spec), placeOf: (line) => source.placeOf(line) };
}

function recordsOf(text: Uint8Array, { options, duplicates }: MapSpec): readonly SourceRecord[] {
  const memory = new MemoryFileSystem();
  memory.writeFile("source", text);
  return withMap("source", { ...options, duplicates, fileSystem: memory }, (map) => (map.kind === "source" ? map.records : []));
}

/** A value as sendmail has it when it has looked it up. */
export function lookedUpValue({ key, data }: SourceRecord): AuthinfoValue {
  return parseAuthinfoValue(expandPercent(data, key).bytes);
}

/** The server that an entry is for, in lower case: empty for all; undefined for what is no entry. */
export function serverOf({ key }: SourceRecord): string | undefined {
  return /^authinfo:([^\0]*)\0?$/i.exec(Buffer.from(key).toString("latin1"))?.[1]?.toLowerCase();
}
