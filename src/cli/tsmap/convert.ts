/**
 * tsmap convert: the same records for another host.
 */
import { statSync } from "node:fs";
import { type DatabaseType, nodeFileSystem } from "berkeley-db-js";
import { DatabaseFile, type Layout } from "../../hash-file/database-file.ts";
import { type FileFormat, HASH_VERSIONS } from "../../hash-file/file-format.ts";
import { convert } from "../../map-file/convert.ts";
import { onSignal } from "../cleanup.ts";
import { type FormatFlags, readFormatLayers, SettingError } from "../format-settings.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { targetFile } from "./target-file.ts";
import { Trouble, withFile } from "./trouble.ts";

interface Options extends FormatFlags {
  readonly output: string;
  readonly type?: DatabaseType;
}

const PERMISSIONS = 0o777;

export async function run(
  { output, environment }: Context,
  [file]: readonly (string | readonly string[])[],
  options: Options,
): Promise<number> {
  const path = String(file);
  const settle = await settings(() => readFormatLayers(options, environment));
  const layout = withFile(path, () => layoutOf(path));
  const type = options.type ?? layout.type;
  const { format, fileId, hasHashVersion } = await settings(() => settle(usualFormat(layout)));
  if (type === "btree" && hasHashVersion) throw new Trouble("--hash-version: a btree file has none");
  const target = targetFile(options.output);
  // Until it is done, signals wait: nothing is left beside the file.
  const forget = onSignal(() => {});
  try {
    const inPlace = (target.status?.nlink ?? 1) > 1;
    // Whoever may not read the old file may not read the new one.
    const mode = statSync(path).mode & PERMISSIONS;
    const records = withFile(path, () => convert(path, target.path, { format, fileId, mode, inPlace, type }));
    output.write(`${printable(options.output)}: ${counted(records, "record")}\n`);
    return 0;
  } finally {
    forget();
  }
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
