/**
 * Uses berkeley-db-js as a page in a browser would: by the default entry, with
 * an engine that it loaded itself. Prints what it found as JSON.
 */
import { readFileSync } from "node:fs";
import { rootFolder } from "../support/fixtures.ts";

const { Database, loadEngine, MemoryFileSystem } = (await import(`${rootFolder}wasm/dist/index.js`)) as typeof import("#wasm/index.js");

const KINDS: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Parameters<typeof loadEngine>[0]> = {
  bytes: (bytes) => bytes,
  response: (bytes) => new Response(bytes),
  promise: (bytes) => Promise.resolve(new Response(bytes)),
  module: (bytes) => new WebAssembly.Module(bytes),
};

function errorOf(action: () => unknown): string {
  try {
    action();
    return "none";
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

const early = errorOf(() => Database.open(new Uint8Array(), { type: "hash" }));
const [kind = "", enginePath = ""] = process.argv.slice(2);
await loadEngine(KINDS[kind]?.(new Uint8Array(readFileSync(enginePath))) as WebAssembly.Module);

const path = errorOf(() => Database.open("x", { type: "hash", create: true }));
const fileSystem = new MemoryFileSystem();
const key = new TextEncoder().encode("key");
{
  using database = Database.open("x", { type: "hash", create: true, fileSystem });
  database.put(key, new TextEncoder().encode("data"));
}
using database = Database.open(fileSystem.readFile("x"));
process.stdout.write(JSON.stringify({ early, path, data: new TextDecoder().decode(database.get(key)), files: fileSystem.list() }));
