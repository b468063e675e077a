/**
 * Where databases of the tests are: each test that takes a place runs over
 * both file systems.
 */
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type FileSystem, MemoryFileSystem, nodeFileSystem } from "berkeley-db-js";
import { temporaryFolder } from "./temp.ts";

export interface Place {
  readonly fileSystem: FileSystem;
  /** The path of a file, in an empty place of the test's own. */
  at(name: string): string;
}

export const TYPES = ["hash", "btree"] as const;
export const BYTE_ORDERS = ["little", "big"] as const;

export function memoryPlace(): Place {
  return { fileSystem: new MemoryFileSystem(), at: (name) => name };
}

function nodePlace(t: TestContext): Place {
  const folder = temporaryFolder(t);
  return { fileSystem: nodeFileSystem, at: (name) => join(folder, name) };
}

/** Runs a test over node's files and again over files in memory. */
export function overBoth(name: string, action: (place: Place, t: TestContext) => void): void {
  test(`${name}, in a file`, (t) => action(nodePlace(t), t));
  test(`${name}, in memory`, (t) => action(memoryPlace(), t));
}

/** The bytes of a file. */
export function readAll(fileSystem: FileSystem, path: string): Uint8Array<ArrayBuffer> {
  const file = fileSystem.open(path, { write: false }, 0);
  try {
    const bytes = new Uint8Array(file.size());
    file.read(bytes, 0);
    return bytes;
  } finally {
    file.close();
  }
}
