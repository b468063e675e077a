/**
 * Text that may hold passwords, and may be long: to standard output, or to a
 * file that nobody else can read, all or nothing.
 */
import { type Stats, statSync } from "node:fs";
import { type FileHandle, nodeFileSystem } from "berkeley-db-js";
import { Replacement } from "../../files/replacement.ts";
import { ignoreFileSizeSignal } from "../cleanup.ts";
import type { Output } from "../output.ts";
import { putInPlace } from "./replacing.ts";
import { targetFile } from "./target-file.ts";
import { Trouble, withFile } from "./trouble.ts";

const MODE = 0o600;

/** What writes the text, piece by piece; a piece is good during the call. */
type Write = (onChunk: (bytes: Uint8Array) => void) => void;

/** @throws {OutputError} */
export function writeToOutput(output: Output, write: Write): void {
  write((bytes) => {
    output.write(bytes);
    output.flushNow();
  });
}

/**
 * @param sources the files that the text is made from; none of them is replaced.
 * @param kind what they are: "the database".
 * @throws {Trouble}
 */
export async function writeToFile(outputName: string, sources: readonly string[], kind: string, write: Write): Promise<void> {
  ignoreFileSizeSignal();
  const target = targetFile(outputName);
  for (const source of sources) {
    const status = withFile(source, () => statSync(source));
    if (isSame(target.status, status)) throw new Trouble(`${outputName}: is ${kind} itself`);
  }
  await putInPlace((begin) => {
    const replacement = withFile(outputName, () => new Replacement(target.path, { fileSystem: nodeFileSystem, mode: MODE, setMode: true }));
    begin({ commit: () => withFile(outputName, () => replacement.commit()), abandon: () => replacement.abandon() });
    write(toFile(outputName, replacement.handle));
  });
}

function isSame(a: Stats | undefined, b: Stats): boolean {
  return a?.dev === b.dev && a.ino === b.ino;
}

function toFile(name: string, file: FileHandle): (bytes: Uint8Array) => void {
  let at = 0;
  return (bytes) => {
    withFile(name, () => file.write(bytes, at));
    at += bytes.length;
  };
}
