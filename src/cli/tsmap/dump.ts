/**
 * tsmap dump: a database as text.
 */
import { nodeFileSystem } from "berkeley-db-js";
import { DatabaseFile } from "../../hash-file/database-file.ts";
import { dumpHeaderOf, type TextFormat, TextWriter } from "../../map-file/dump-text.ts";
import { holdsSecret, mayHoldSecret } from "../../map-file/secrets.ts";
import type { Context } from "./context.ts";
import { writeToFile, writeToOutput } from "./text-output.ts";
import { Trouble, withFile } from "./trouble.ts";

interface Options {
  readonly p?: true;
  readonly format: "dump" | "json" | "csv";
  readonly output?: string;
  readonly showSecrets?: true;
}

export async function run({ output }: Context, operands: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const [name] = operands as [string];
  const format = textFormat(options);
  const file = withFile(name, () => nodeFileSystem.open(name, { write: false }, 0));
  try {
    const database = withFile(name, () => new DatabaseFile(file));
    if (!options.showSecrets) refuseSecrets(name, database);
    const write = (onChunk: (bytes: Uint8Array) => void): void => dumpTo(name, database, format, onChunk);
    if (options.output === undefined) writeToOutput(output, write);
    else await writeToFile(options.output, [name], "the database", write);
  } finally {
    file.close();
  }
  return 0;
}

function textFormat({ p, format }: Options): TextFormat {
  if (format === "dump") return p ? "print" : "bytevalue";
  if (p) throw new Trouble(`-p is for --format dump, not for ${format}`);
  return format;
}

/** @throws {Trouble} before anything is written. */
function refuseSecrets(name: string, database: DatabaseFile): void {
  withFile(name, () =>
    database.visitRecords((keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd) => {
      if (!mayHoldSecret(keyBytes, keyStart, keyEnd, dataBytes, dataStart, dataEnd)) return;
      if (holdsSecret(keyBytes.subarray(keyStart, keyEnd), dataBytes.subarray(dataStart, dataEnd)))
        throw new Trouble(`${name}: holds passwords; --show-secrets dumps them`);
    }),
  );
}

function dumpTo(name: string, database: DatabaseFile, format: TextFormat, onChunk: (bytes: Uint8Array) => void): void {
  const writer = new TextWriter(format, dumpHeaderOf(database.layout), onChunk);
  withFile(name, () => database.visitRecords(writer.visit));
  writer.end();
}
