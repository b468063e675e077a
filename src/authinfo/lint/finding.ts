/**
 * What lint finds, as data: codes and places, and no word of what stands there.
 */
import type { FindingArguments, LintCode, Severity } from "./rules.ts";

/** Bytes of a text to be put in the place of others. */
export interface Edit {
  /** In bytes of the text. */
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** A finding in a source text has a line; one in a map has a record; one about the file as a whole has neither. */
export interface LintFinding {
  readonly code: LintCode;
  readonly severity: Severity;
  /** What the texts of the code are filled with; no secrets. */
  readonly args: FindingArguments;
  /** As an editor counts, from 1. */
  readonly line?: number;
  /** In bytes, from 1. */
  readonly column?: number;
  /** Where it stands in the text, in bytes. */
  readonly offset?: number;
  readonly length?: number;
  /** Of a map: the number of the record in its order, from 1. */
  readonly record?: number;
  /** Of a map: the key of the record, with what may be a secret masked. */
  readonly key?: string;
  /** What mends it, where that is certain. */
  readonly edits?: readonly Edit[];
}

/** A finding within a value or a key, whose beginning is 0. */
export interface LocalFinding {
  readonly code: LintCode;
  readonly severity: Severity;
  readonly args?: FindingArguments;
  readonly offset: number;
  readonly length: number;
  readonly edits?: readonly Edit[];
}

/** The bytes as text of as many characters, for what is about ASCII. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** @param edits in order, none within another. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let at = 0;
  let result = "";
  for (const { offset, length, text: by } of edits) {
    result += text.slice(at, offset) + by;
    at = offset + length;
  }
  return result + text.slice(at);
}
