/**
 * tsmap export: maps as LDIF, for a directory that sendmail looks them up in.
 */
import { basename } from "node:path";
import type { FileHandle, FileSystem } from "berkeley-db-js";
import { keptOpen } from "../../files/handles.ts";
import { openStandardInput, readingFileSystem } from "../../files/read-whole.ts";
import type { StoredRecord } from "../../hash-file/database-file.ts";
import type { VisitRecord } from "../../hash-file/visit.ts";
import type { SourceDiagnostic } from "../../makemap/diagnostic.ts";
import {
  checkForDirectory,
  comparedKey,
  type DirectoryFinding,
  type DirectoryProblem,
  skipDuplicates,
} from "../../map-file/directory-check.ts";
import { isDn, LdifWriter, type MapPlace } from "../../map-file/ldif.ts";
import { withMap } from "../../map-file/read-map.ts";
import { maskRecord } from "../../map-file/secrets.ts";
import { say } from "../error-output.ts";
import { printable, shownBytes } from "../printable.ts";
import type { Context } from "./context.ts";
import { type SourceFlags, sourceOptions } from "./source-flags.ts";
import { sayProblems } from "./source-problems.ts";
import { writeToFile, writeToOutput } from "./text-output.ts";
import { Trouble, withFile } from "./trouble.ts";

interface Options extends SourceFlags {
  readonly format: "ldif";
  readonly base: string;
  readonly mapName?: string;
  readonly cluster?: string;
  readonly host?: string;
  readonly output?: string;
  readonly showSecrets?: true;
}

const STANDARD_INPUT = "-";
const SUFFIX = ".db";

/** @returns 1 where records were left out. */
export async function run(context: Context, operands: readonly (string | readonly string[])[], options: Options): Promise<number> {
  const [files] = operands as [readonly string[]];
  const places = placesOf(files, options);
  const maps: OpenMap[] = [];
  try {
    for (const [i, file] of files.entries()) maps.push(new OpenMap(file, places[i] as MapPlace, options));
    // All of it before anything is written.
    for (const map of maps) map.check(options.showSecrets === true);
    const write = (onChunk: (bytes: Uint8Array) => void): void => {
      const writer = new LdifWriter(onChunk);
      for (const map of maps) map.write(writer);
      writer.end();
    };
    if (options.output === undefined) writeToOutput(context.output, write);
    else
      await writeToFile(
        options.output,
        files.filter((file) => file !== STANDARD_INPUT),
        "the map",
        write,
      );
    return maps.reduce((code, map) => Math.max(code, map.sayLeftOut(context)), 0);
  } finally {
    for (const map of maps) map.close();
  }
}

/** Where in the directory the maps are to be. */
function placesOf(files: readonly string[], { base, mapName, cluster, host }: Options): MapPlace[] {
  if (!isDn(base)) throw new Trouble(`--base "${base}" is no DN, as ou=sendmail,dc=example,dc=com is one`);
  if (mapName !== undefined && files.length > 1) throw new Trouble("--map-name is for one map alone");
  const scope = scopeOf(cluster, host);
  const names = new Map<string, string>();
  return files.map((file) => {
    const name = mapName ?? nameOf(file);
    if (comparedKey(name) === "" || /\p{Cc}/u.test(name)) throw new Trouble(`"${name}" is no name of a map`);
    const other = names.get(comparedKey(name));
    if (other !== undefined) throw new Trouble(`${file}: would have the name of ${other} in the directory: "${name}"`);
    names.set(comparedKey(name), file);
    return { base, name, scope };
  });
}

function nameOf(file: string): string {
  if (file === STANDARD_INPUT) throw new Trouble("standard input has no name: --map-name gives the map one");
  return basename(file, SUFFIX);
}

/** Printable ASCII, as the directory's syntax has them. */
const SCOPE = /^[!-~](?:[ -~]*[!-~])?$/;

/** sendmail's default lookup ignores an entry that has neither. */
function scopeOf(cluster: string | undefined, host: string | undefined): MapPlace["scope"] {
  const value = cluster ?? host;
  if (value === undefined) throw new Trouble("--cluster or --host is needed: whose sendmail finds the map");
  if (!SCOPE.test(value)) throw new Trouble(`"${value}" is no name of a ${cluster === undefined ? "host" : "cluster"}`);
  return { attribute: cluster === undefined ? "sendmailMTAHost" : "sendmailMTACluster", value };
}

const PROBLEMS: Readonly<Record<DirectoryProblem, string>> = {
  "no-key": "a record without a key, which a directory cannot hold",
  "no-value": "no value, which a directory cannot hold",
  "inner-nul": "a NUL within, at which sendmail ends what it reads from a directory",
  "not-utf8": "not UTF-8, which a directory takes alone",
  clash: "another key is the same to a directory, which goes by neither case nor blanks",
};

/** A map that is read several times: once to be checked, and once more to be written. */
class OpenMap {
  readonly #file: string;
  readonly #place: MapPlace;
  readonly #options: SourceFlags;
  readonly #handle: FileHandle;
  /** Records that are not the first one with their key, and are left out. */
  #duplicates = 0;
  #diagnostics: readonly SourceDiagnostic[] = [];

  constructor(file: string, place: MapPlace, options: SourceFlags) {
    this.#file = file;
    this.#place = place;
    this.#options = options;
    this.#handle = withFile(file, () =>
      file === STANDARD_INPUT ? openStandardInput() : readingFileSystem.open(file, { write: false }, 0),
    );
  }

  /** @throws {Trouble} a directory is no place for it. */
  check(showSecrets: boolean): void {
    const { records, finding } = checkForDirectory((visit) => this.#read(visit));
    if (records.kind === "sasldb") throw new Trouble(`${this.#file}: a SASL database, which sendmail looks nothing up in`);
    if (records.secrets > 0 && !showSecrets) throw new Trouble(`${this.#file}: holds passwords; --show-secrets exports them`);
    if (finding !== undefined) throw new Trouble(`${this.#file}: ${describe(finding, showSecrets)}`);
  }

  write(writer: LdifWriter): void {
    writer.begin(this.#place);
    let duplicates = 0;
    const visit = skipDuplicates(writer.visit, () => {
      duplicates += 1;
    });
    this.#read(visit);
    this.#duplicates += duplicates;
  }

  /** @returns the exit code. */
  sayLeftOut(context: Context): number {
    const code = sayProblems(context, this.#file, this.#diagnostics);
    if (this.#duplicates === 0) return code;
    context.output.push();
    const records = this.#duplicates === 1 ? "1 record" : `${this.#duplicates} records`;
    const why = "a directory has one for each key, here the first, which sendmail finds in the map too";
    say(printable(`${context.program}: ${this.#file}: ${records} left out: ${why}`).concat("\n"));
    return 1;
  }

  close(): void {
    this.#handle.close();
  }

  #read(visit: VisitRecord): void {
    const onSourceRecord = ({ key, data }: StoredRecord): void => visit(bufferOf(key), 0, key.length, bufferOf(data), 0, data.length);
    const allowsDuplicates = this.#options.d === true;
    const options = {
      ...sourceOptions(this.#options),
      ...(allowsDuplicates && { duplicates: "refuse" as const }),
      onSourceRecord,
      fileSystem: this.#fileSystem(),
    };
    withFile(this.#file, () =>
      withMap(this.#file, options, (map) => {
        if (map.kind === "database") {
          map.file.visitRecords(visit);
          return;
        }
        // Those that were not handed on.
        map.records.forEach(onSourceRecord);
        // To makemap -d they are none.
        this.#diagnostics = allowsDuplicates ? map.diagnostics.filter(({ problem }) => problem !== "duplicate-key") : map.diagnostics;
        this.#duplicates = map.diagnostics.length - this.#diagnostics.length;
      }),
    );
  }

  /** What comes through a pipe can be read once: whoever opens the file gets what is open. */
  #fileSystem(): FileSystem {
    return { ...readingFileSystem, open: () => keptOpen(this.#handle) };
  }
}

function describe({ problem, key, data }: DirectoryFinding, showSecrets: boolean): string {
  const shown = showSecrets ? key : maskRecord(key, data).key;
  return key.length === 0 ? PROBLEMS[problem] : `key "${shownBytes(shown)}": ${PROBLEMS[problem]}`;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
