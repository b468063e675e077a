/**
 * tsmap dump: a database as text.
 */
import { statSync } from "node:fs";
import { type FileHandle, nodeFileSystem } from "berkeley-db-js";
import { Replacement } from "../../files/replacement.ts";
import { DatabaseFile } from "../../hash-file/database-file.ts";
import { dumpHeaderOf, type TextFormat, TextWriter } from "../../map-file/dump-text.ts";
import { holdsSecret, mayHoldSecret } from "../../map-file/secrets.ts";
import { ignoreFileSizeSignal, onSignal } from "../cleanup.ts";
import type { Output } from "../output.ts";
import type { Context } from "./context.ts";
import { targetFile } from "./target-file.ts";
import { Trouble, withFile } from "./trouble.ts";

interface Options {
  readonly p?: true;
  readonly format: "dump" | "json" | "csv";
  readonly output?: string;
  readonly showSecrets?: true;
}

/** Where the text goes may hold passwords then. */
const MODE = 0o600;

export async function run({ output }: Context, operands: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const [name] = operands as [string];
  const format = textFormat(options);
  const file = withFile(name, () => nodeFileSystem.open(name, { write: false }, 0));
  try {
    const database = withFile(name, () => new DatabaseFile(file));
    if (!options.showSecrets) refuseSecrets(name, database);
    if (options.output === undefined) dumpTo(name, database, format, toOutput(output));
    else await dumpToFile(name, database, format, options.output);
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

function toOutput(output: Output): (bytes: Uint8Array) => void {
  return (bytes) => {
    output.write(bytes);
    output.flushNow();
  };
}

async function dumpToFile(name: string, database: DatabaseFile, format: TextFormat, outputName: string): Promise<void> {
  ignoreFileSizeSignal();
  const target = targetFile(outputName);
  const { dev, ino } = withFile(name, () => statSync(name));
  if (target.status?.dev === dev && target.status.ino === ino) throw new Trouble(`${outputName}: is the database itself`);
  let replacement: Replacement | undefined;
  const forget = onSignal(() => replacement?.abandon());
  try {
    replacement = withFile(outputName, () => new Replacement(target.path, { fileSystem: nodeFileSystem, mode: MODE, setMode: true }));
    const { path } = replacement;
    const file = withFile(outputName, () => nodeFileSystem.open(path, { write: true }, 0));
    try {
      dumpTo(name, database, format, toFile(outputName, file));
    } finally {
      file.close();
    }
    // A signal that came in the meantime goes first.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    withFile(outputName, () => replacement?.commit());
  } catch (error) {
    replacement?.abandon();
    throw error;
  } finally {
    forget();
  }
}

function toFile(name: string, file: FileHandle): (bytes: Uint8Array) => void {
  let at = 0;
  return (bytes) => {
    withFile(name, () => file.write(bytes, at));
    at += bytes.length;
  };
}
