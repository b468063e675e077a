/**
 * tsmap get: the records of a key.
 */
import type { StoredRecord } from "../../hash-file/database-file.ts";
import { foldKey, LONGEST_KEY } from "../../makemap/map-key.ts";
import { type OpenDatabase, type SourceText, withMap } from "../../map-file/read-map.ts";
import type { Context } from "./context.ts";
import { RecordLines } from "./record-lines.ts";
import { type SourceFlags, sourceOptions } from "./source-flags.ts";
import { withFile } from "./trouble.ts";

interface Options extends SourceFlags {
  readonly exact?: true;
  readonly json?: true;
  readonly showSecrets?: true;
}

/** @returns 1 where the key is not there. */
export function run({ output }: Context, operands: readonly (string | readonly string[])[], options: Options): number {
  const [file, text] = operands as [string, string];
  const keys = options.exact ? [Buffer.from(text)] : asked(Buffer.from(text));
  const found = withFile(file, () => withMap(file, sourceOptions(options), (map) => lookUp(map, keys)));
  const lines = new RecordLines(output, {
    parts: options.json ? "both" : "data",
    isJson: options.json === true,
    showSecrets: options.showSecrets === true,
  });
  for (const { key, data } of found) lines.add(key, data);
  lines.end();
  return found.length === 0 ? 1 : 0;
}

/** The keys to ask for, one after another. */
function asked(key: Buffer): Buffer[] {
  const folded = Buffer.from(foldKey(key.toString("latin1")), "latin1").subarray(0, LONGEST_KEY);
  const nul = Buffer.alloc(1);
  return [key, folded, Buffer.concat([folded, nul]), Buffer.concat([key, nul])];
}

/** The records of the first of the keys that is there; copies. */
function lookUp(map: OpenDatabase | SourceText, keys: readonly Buffer[]): StoredRecord[] {
  const found: StoredRecord[][] = keys.map(() => []);
  const test = (bytes: Uint8Array, start: number, end: number, record: () => StoredRecord): void => {
    const at = keys.findIndex((key) => key.length === end - start && key.compare(bytes, start, end) === 0);
    if (at >= 0) found[at]?.push(record());
  };
  if (map.kind === "source") {
    for (const record of map.records) test(record.key, 0, record.key.length, () => record);
  } else {
    map.file.visitRecords((keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) =>
      test(keyBytes, keyStart, keyEnd, () => ({
        key: Buffer.from(keyBytes.subarray(keyStart, keyEnd)),
        data: Buffer.from(dataBytes.subarray(dataStart, dataEnd)),
      })),
    );
  }
  return found.find((records) => records.length > 0) ?? [];
}
