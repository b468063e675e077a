/**
 * tsmap list: the records of a map.
 */
import type { StoredRecord } from "../../hash-file/database-file.ts";
import { type OpenDatabase, type SourceText, withMap } from "../../map-file/read-map.ts";
import type { Context } from "./context.ts";
import { RecordLines } from "./record-lines.ts";
import { type SourceFlags, sourceOptions } from "./source-flags.ts";
import { sayProblems } from "./source-problems.ts";
import { withFile } from "./trouble.ts";

interface Options extends SourceFlags {
  readonly sort?: true;
  readonly keys?: true;
  readonly json?: true;
  readonly showSecrets?: true;
}

/** @returns 1 where makemap would complain of the source text. */
export function run(context: Context, operands: readonly (string | readonly string[])[], options: Options): number {
  const [file] = operands as [string];
  const lines = new RecordLines(context.output, {
    parts: options.keys ? "key" : "both",
    isJson: options.json === true,
    showSecrets: options.showSecrets === true,
  });
  const isSorted = options.sort === true;
  // A long source text is not kept.
  const onSourceRecord = isSorted ? undefined : ({ key, data }: StoredRecord): void => lines.add(key, data);
  return withFile(file, () => {
    try {
      return withMap(file, { ...sourceOptions(options), onSourceRecord }, (map) => {
        list(map, isSorted, lines);
        // Before what is said of them.
        lines.end();
        return map.kind === "source" ? sayProblems(context, file, map.diagnostics) : 0;
      });
    } finally {
      lines.end();
    }
  });
}

function list(map: OpenDatabase | SourceText, isSorted: boolean, lines: RecordLines): void {
  if (!isSorted && map.kind === "database") {
    map.file.visitRecords(lines.visit);
    return;
  }
  const records: StoredRecord[] = map.kind === "database" ? [...map.file.records()] : [...map.records];
  // Those of one key stay in their order.
  if (isSorted) records.sort((a, b) => Buffer.compare(a.key, b.key));
  for (const { key, data } of records) lines.add(key, data);
}
