/**
 * The options of makemap that say how the source text of a map is read.
 */
import type { ReadMapOptions } from "../../map-file/read-map.ts";

export interface SourceFlags {
  readonly N?: true;
  readonly f?: true;
  readonly e?: true;
  readonly r?: true;
  readonly d?: true;
  readonly t?: string;
  readonly D?: string;
}

/** The same in all commands: "-" is standard input. As makemap takes them: -d wins over -r, an empty -t is none, and with an empty -D there are no comments. */
export function sourceOptions({ N, f, e, r, d, t = "", D }: SourceFlags): Omit<ReadMapOptions, "fileSystem"> {
  return {
    standardInput: "-",
    includeNul: N === true,
    keepCase: f === true,
    allowEmptyValue: e === true,
    duplicates: d ? "keep" : r ? "replace" : "refuse",
    ...(t !== "" && { delimiterByte: firstByte(t) }),
    ...(D !== undefined && { commentByte: firstByte(D) }),
  };
}

function firstByte(text: string): number {
  return Buffer.from(text)[0] ?? 0;
}
