/**
 * Builds engine.wasm, unless what is there was built from the same inputs.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileEngine, filesDigest } from "./compile.ts";
import { codeOf } from "./failure.ts";
import { discFull, fetchSource, sha256 } from "./fetch.ts";
import { unpackSource } from "./unpack.ts";
import { readUpstream, type Upstream } from "./upstream.ts";

/** Written beside the engine: what it was built from, and its own checksum. */
export interface EngineRecord {
  readonly upstream: string;
  readonly tarballSha256: string;
  readonly inputsSha256: string;
  readonly engineSha256: string;
}

export interface BuildOptions {
  readonly libdbFolder: string;
  readonly cacheFolder: string;
  readonly outputFolder: string;
  /** Compile everything anew, past the cache of objects. */
  readonly fresh?: boolean;
  /** A step that takes a moment begins. */
  readonly onStep: (text: string) => void;
  readonly onProgress: (done: number, total: number, unit: string) => void;
}

/**
 * @returns the record of the engine, and whether it was built now.
 * @throws {BuildFailure} what the user can mend.
 */
export async function buildEngine(options: BuildOptions): Promise<EngineRecord & { readonly built: boolean }> {
  const upstream = readUpstream(options.libdbFolder);
  const config = await readSources(join(options.libdbFolder, "config"));
  const shim = await readSources(join(options.libdbFolder, "shim"));
  const identity = `${upstream.filesSha256} clang ${clangVersion()} ${await ownDigest()}`;
  const inputsSha256 = inputsDigest(identity, config, shim);

  const kept = await readKept(options.outputFolder);
  if (!options.fresh && kept?.inputsSha256 === inputsSha256) return { ...kept, built: false };

  try {
    const tarball = await fetchSource(upstream, options.cacheFolder, options.onStep);
    options.onStep(`unpacking ${upstream.name} ${upstream.version}`);
    const source = await unpackSource(upstream, tarball);
    options.onStep(`compiling ${upstream.name} ${upstream.version} to WebAssembly`);
    const objectFolder = options.fresh ? undefined : join(options.cacheFolder, "objects");
    const { onProgress } = options;
    const engine = await compileEngine({ source, identity, config, shim, objectFolder, onProgress });
    const record = recordOf(upstream, inputsSha256, engine);
    await writeOutput(options.outputFolder, engine, source.get("LICENSE") ?? new Uint8Array(), record);
    return { ...record, built: true };
  } catch (error) {
    if (codeOf(error) === "ENOSPC") throw discFull(options.outputFolder, error);
    throw error;
  }
}

function recordOf(upstream: Upstream, inputsSha256: string, engine: Uint8Array): EngineRecord {
  return {
    upstream: `${upstream.name} ${upstream.version}`,
    tarballSha256: upstream.tarball.sha256,
    inputsSha256,
    engineSha256: sha256(engine),
  };
}

async function readSources(folder: string): Promise<Map<string, Uint8Array>> {
  const names = (await readdir(folder)).filter((name) => /\.[ch]$/.test(name)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}

function clangVersion(): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve("@yowasp/clang");
  const { version } = require(join(entry, "../../package.json")) as { version: string };
  return version;
}

/** The flags and the choice of files are inputs too: the compiled text of the files that hold them. */
async function ownDigest(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["./clang.js", "./modules.js"]) hash.update(await readFile(new URL(name, import.meta.url)));
  return hash.digest("hex");
}

function inputsDigest(identity: string, ...folders: ReadonlyMap<string, Uint8Array>[]): string {
  const hash = createHash("sha256").update(identity);
  for (const folder of folders) hash.update(filesDigest(folder));
  return hash.digest("hex");
}

/** The record of the engine that is there, if it is whole. */
async function readKept(folder: string): Promise<EngineRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, "engine.json"), "utf8")) as EngineRecord;
    const engine = await readFile(join(folder, "engine.wasm"));
    return sha256(engine) === record.engineSha256 ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The record last: without it the rest does not count. */
async function writeOutput(folder: string, engine: Uint8Array, license: Uint8Array, record: EngineRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = [
    ["LICENSE.libdb", license],
    ["engine.wasm", engine],
    ["engine.json", `${JSON.stringify(record, null, 2)}\n`],
  ] as const;
  for (const [name, content] of files) {
    const path = join(folder, name);
    await writeFile(`${path}.${process.pid}`, content);
    await rename(`${path}.${process.pid}`, path);
  }
}
