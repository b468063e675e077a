/**
 * A run of tsmakemap without its process: argument parser, map builder and
 * messages, put together as the program does it. For the many cases that are
 * about what is in the map, where a process each would take minutes.
 */
import { join } from "node:path";
import { parseMakemapArguments } from "#src/cli/makemap-arguments.js";
import { diagnosticMessage, recordLine } from "#src/cli/makemap-messages.js";
import { targetFormat } from "#src/hash-file/file-format.js";
import { MapBuilder } from "#src/makemap/map-builder.js";
import { mapFile } from "#src/makemap/map-name.js";
import { isMapType } from "#src/makemap/map-type.js";

export interface Made {
  readonly exit: number;
  /** One byte, one character. */
  readonly stdout: string;
  readonly stderr: string;
  readonly file: string;
}

/**
 * Makes a map, with the name of makemap.
 * @param argv without the program, with a type and a name that are good.
 */
export function makeInProcess(argv: readonly string[], input: Uint8Array, folder: string): Made {
  let stdout = "";
  let stderr = "";
  let exit = 0;
  const request = parseMakemapArguments(argv, "makemap", {}, () => {
    stderr += "Invalid separator\n";
  });
  if (request.kind !== "run") throw new Error(`${argv.join(" ")}: makes no map`);
  const { args } = request;
  if (!isMapType(args.type) || args.dump) throw new Error(`${argv.join(" ")}: makes no map`);
  const file = join(folder, mapFile(args.mapName));
  const { fileId: _, ...options } = args;
  const builder = new MapBuilder(file, {
    ...options,
    type: args.type,
    duplicates: args.allowDuplicates ? "keep" : args.replaceDuplicates ? "replace" : "refuse",
    format: targetFormat("native"),
    sourceSize: input.length,
    onRecord: args.verbose
      ? (key, value) => {
          stdout += Buffer.from(recordLine(key, value)).toString("latin1");
        }
      : undefined,
    onDiagnostic: (diagnostic) => {
      exit = 65;
      stderr += Buffer.from(diagnosticMessage("makemap", args.mapName, diagnostic)).toString("latin1");
    },
  });
  try {
    builder.write(input);
    builder.commit();
  } catch (error) {
    builder.abandon();
    throw error;
  }
  return { exit, stdout, stderr, file };
}
