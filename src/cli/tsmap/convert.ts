/**
 * tsmap convert: the same records for another host.
 */
import { statSync } from "node:fs";
import { type DatabaseType, nodeFileSystem } from "berkeley-db-js";
import { DatabaseFile, type Layout } from "../../hash-file/database-file.ts";
import { type FileFormat, HASH_VERSIONS } from "../../hash-file/file-format.ts";
import { prepareConversion } from "../../map-file/convert.ts";
import { type FormatFlags, readFormatLayers, SettingError } from "../format-settings.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { replaceWith } from "./replacing.ts";
import { modeFor, targetFile } from "./target-file.ts";
import { Trouble, withFile } from "./trouble.ts";

interface Options extends FormatFlags {
  readonly output: string;
  readonly type?: DatabaseType;
}

export async function run(
  { output, environment, program }: Context,
  [file]: readonly (string | readonly string[])[],
  options: Options,
): Promise<number> {
  const source = String(file);
  const settle = await settings(() => readFormatLayers(options, environment));
  const layout = withFile(source, () => layoutOf(source));
  const type = options.type ?? layout.type;
  const { format, fileId, hasHashVersion } = await settings(() => settle(usualFormat(layout)));
  if (type === "btree" && hasHashVersion) throw new Trouble("--hash-version: a btree file has none");
  const target = targetFile(options.output);
  const inPlace = (target.status?.nlink ?? 1) > 1;
  const mode = modeFor(
    target,
    withFile(source, () => statSync(source)),
  );
  const records = await replaceWith(program, { source, target: options.output, path: target.path }, () =>
    prepareConversion(source, target.path, { format, fileId, mode, inPlace, type }),
  );
  const version = type === "hash" ? `hash version ${format.hashVersion}` : "btree version 9";
  const made = `${version}, ${format.byteOrder}-endian, pages of ${format.pageSize} bytes`;
  output.write(`${printable(options.output)}: ${counted(records, "record")}, ${made}\n`);
  return 0;
}

async function settings<T>(read: () => Promise<T> | T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SettingError) throw new Trouble(error.message);
    throw error;
  }
}

function layoutOf(path: string): Layout {
  const file = nodeFileSystem.open(path, { write: false }, 0);
  try {
    return new DatabaseFile(file).layout;
  } finally {
    file.close();
  }
}

/** That of the file, as far as it can be written. */
function usualFormat({ byteOrder, pageSize, version, type }: Layout): Partial<FileFormat> {
  const hashVersion = HASH_VERSIONS.find((known) => type === "hash" && known === version);
  return { byteOrder, pageSize, ...(hashVersion !== undefined && { hashVersion }) };
}
