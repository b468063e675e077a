/**
 * Gets the source tarball of libdb: from the file that BERKELEY_DB_SOURCE
 * names, from the cache, or with apt-get from the Debian source package. No
 * root is needed: apt-get is given folders of its own and the machine's source
 * lists with `deb` turned into `deb-src`.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BuildFailure, codeOf } from "./failure.ts";
import type { Upstream } from "./upstream.ts";

const run = promisify(execFile);

const SOURCE_VARIABLE = "BERKELEY_DB_SOURCE";

/** Bytes that apt-get needs for the package lists and the tarball. */
const FETCH_ROOM = 150e6;
/** Milliseconds after which apt-get has stopped getting on. */
const FETCH_TIME = 300_000;

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * @returns the bytes of the tarball. Those of the cache or of apt-get have the
 *   pinned checksum; for a file that the user named, the unpacked files are
 *   checked later, since any tarball of the release serves.
 * @throws {BuildFailure} no apt-get, no network, wrong checksum, unreadable file.
 */
export async function fetchSource(upstream: Upstream, cacheFolder: string, step: (text: string) => void): Promise<Buffer> {
  const named = process.env[SOURCE_VARIABLE];
  if (named !== undefined && named !== "") {
    step(`reading ${named}`);
    return await readNamed(named);
  }
  const cached = join(cacheFolder, "source", upstream.tarball.name);
  const kept = await readFile(cached).catch(() => undefined);
  if (kept !== undefined && sha256(kept) === upstream.tarball.sha256) return kept;

  step(`fetching the source package ${upstream.tarball.debianSourcePackage} with apt-get`);
  await mkdir(join(cacheFolder, "source"), { recursive: true });
  await checkRoom(join(cacheFolder, "source"));
  const folder = await mkdtemp(join(cacheFolder, "source", "apt-"));
  try {
    await aptSource(upstream, folder);
    const bytes = await readFetched(upstream, folder);
    await rename(join(folder, upstream.tarball.name), cached);
    return bytes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function giveSource(upstream: Upstream): string {
  return `Get ${upstream.tarball.name} on another machine ("apt-get source --download-only ${upstream.tarball.debianSourcePackage}"), set ${SOURCE_VARIABLE} to its path and run "npm run build".`;
}

/** apt-get does not fail on a full disc, it waits. */
async function checkRoom(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < FETCH_ROOM) throw discFull(folder, undefined);
}

async function readNamed(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new BuildFailure(
      `${SOURCE_VARIABLE}: cannot read ${path}: ${(error as Error).message}`,
      `Set ${SOURCE_VARIABLE} to a readable tarball, or unset it to fetch the source with apt-get.`,
      { cause: error },
    );
  }
}

async function readFetched(upstream: Upstream, folder: string): Promise<Buffer> {
  const bytes = await readFile(join(folder, upstream.tarball.name)).catch(() => undefined);
  if (bytes === undefined) {
    throw new BuildFailure(
      `the source package ${upstream.tarball.debianSourcePackage} of this machine's Debian has no ${upstream.tarball.name}`,
      giveSource(upstream),
    );
  }
  const found = sha256(bytes);
  if (found !== upstream.tarball.sha256) {
    throw new BuildFailure(
      `${upstream.tarball.name} has the SHA-256 ${found}, not ${upstream.tarball.sha256}: it was damaged or changed on its way`,
      `Run "npm run build" again. If that does not help, do not trust the mirror. ${giveSource(upstream)}`,
    );
  }
  return bytes;
}

async function aptSource(upstream: Upstream, folder: string): Promise<void> {
  const parts = join(folder, "sources.list.d");
  for (const part of ["lists/partial", "cache/archives/partial", "sources.list.d"]) {
    await mkdir(join(folder, part), { recursive: true });
  }
  await writeSourceLists(upstream, parts);
  const settings = {
    "Dir::Etc::SourceList": "/dev/null",
    "Dir::Etc::SourceParts": parts,
    "Dir::State::Lists": join(folder, "lists"),
    "Dir::Cache": join(folder, "cache"),
    "APT::Sandbox::User": "",
    "Acquire::Retries": "2",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await apt(upstream, [...options, "-qq", "-o", "APT::Update::Error-Mode=any", "update"], folder);
  await apt(upstream, [...options, "-qq", "source", "--download-only", upstream.tarball.debianSourcePackage], folder);
}

async function apt(upstream: Upstream, args: string[], folder: string): Promise<void> {
  try {
    await run("apt-get", args, { cwd: folder, env: { ...process.env, LC_ALL: "C" }, timeout: FETCH_TIME });
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      throw new BuildFailure("this machine has no apt-get to fetch the source of libdb with", giveSource(upstream), { cause: error });
    }
    let said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    if (error instanceof Error && "killed" in error && error.killed === true)
      said += `\nit had not ended after ${FETCH_TIME / 60_000} minutes`;
    if (/No space left on device/.test(said)) throw discFull(folder, error);
    throw new BuildFailure(
      `apt-get could not fetch the source package ${upstream.tarball.debianSourcePackage}:\n${indent(said)}`,
      `Check the network (and a proxy, if there is one) and run "npm run build" again. Without a network: ${giveSource(upstream)}`,
      { cause: error },
    );
  }
}

/** Copies the machine's own source lists, one-line and deb822, with `deb` turned into `deb-src`. */
async function writeSourceLists(upstream: Upstream, parts: string): Promise<void> {
  const etc = "/etc/apt/";
  const names = await readdir(`${etc}sources.list.d`).catch(() => [] as string[]);
  const lists = ["sources.list", ...names.map((name) => `sources.list.d/${name}`)].filter((name) => /\.(list|sources)$/.test(name));
  let written = 0;
  for (const name of lists) {
    const text = await readFile(etc + name, "utf8").catch(() => "");
    const source = name.endsWith(".sources")
      ? text.replace(/^Types:.*$/gim, "Types: deb-src")
      : text.replace(/^\s*deb-src\b.*$/gm, "").replace(/^\s*deb\b/gm, "deb-src");
    if (!/^(Types: deb-src|deb-src)/m.test(source)) continue;
    await writeFile(join(parts, `${written}-${name.replace(/.*\//, "")}`), source);
    written += 1;
  }
  if (written === 0) {
    throw new BuildFailure("this machine has no Debian source lists in /etc/apt to fetch the source of libdb from", giveSource(upstream));
  }
}

export function discFull(folder: string, cause: unknown): BuildFailure {
  return new BuildFailure(`no space left on the disc that holds ${folder}`, 'Make 300 MB free there and run "npm run build" again.', {
    cause,
  });
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
