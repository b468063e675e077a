/**
 * The authinfo map that resolve and auth read, and the options that they share.
 */
import { isIP } from "node:net";
import type { MapFlags } from "../../authinfo/lookup.ts";
import type { MapRecord } from "../../authinfo/resolve.ts";
import { kindOfRecords, type MapKind } from "../../map-file/map-kind.ts";
import { withMap } from "../../map-file/read-map.ts";
import type { Context } from "./context.ts";
import { type SourceFlags, sourceOptions } from "./source-flags.ts";
import { sayProblems } from "./source-problems.ts";
import { Trouble, withFile } from "./trouble.ts";

export interface AuthinfoFlags extends SourceFlags {
  readonly addr?: string;
  readonly mapFlags?: string;
  readonly clientMechanisms?: string;
  readonly serverMechanisms?: string;
  readonly json?: true;
}

export interface AuthinfoFile {
  readonly records: readonly MapRecord[];
  readonly mapFlags: MapFlags;
}

/**
 * Reads a map. -N and -f say how a source text is made into a map; a database
 * is made already, and they can only be flags of its K line.
 * @throws {Trouble}
 */
export function readAuthinfo(context: Context, file: string, options: AuthinfoFlags): AuthinfoFile {
  const given = options.mapFlags ?? "";
  if (!/^[\s,]*(?:-?[fNOo]+[\s,]*)*$/.test(given)) throw new Trouble(`--map-flags: "${given}" is not a list of -f, -N, -O and -o`);
  if (options.addr !== undefined && isIP(options.addr) === 0) throw new Trouble("--addr: not an address");
  const read = withFile(file, () =>
    withMap(file, sourceOptions(options), (map) => {
      if (map.kind === "source") {
        sayProblems(context, file, map.diagnostics);
        return { records: map.records, mapFlags: mapFlags(flagsOf(given)) };
      }
      const own = `${options.f === true ? "f" : ""}${options.N === true ? "N" : ""}`;
      return { records: [...map.file.records()], mapFlags: mapFlags(flagsOf(given) + own) };
    }),
  );
  refuseOther(file, kindOfRecords(read.records));
  return read;
}

/** Any map may be one that lacks entries for authentication; these two are what somebody has mistaken for it. */
function refuseOther(file: string, kind: MapKind): void {
  if (kind === "sasldb") throw new Trouble(`${file}: a SASL database, and no authinfo map`);
  if (kind === "aliases") throw new Trouble(`${file}: an alias database, and no authinfo map`);
}

/** Of a word of flags sendmail takes the first: -of is -o. */
function flagsOf(text: string): string {
  return (text.match(/-?[fNOo]+/g) ?? []).map((word) => word.replace("-", "")[0]).join("");
}

/** @throws {Trouble} */
function mapFlags(letters: string): MapFlags {
  const [isWith, isWithout] = [letters.includes("N"), letters.includes("O")];
  if (isWith && isWithout) throw new Trouble("--map-flags: with both -N and -O sendmail finds no key at all");
  return { keepCase: letters.includes("f"), nul: isWith ? "with" : isWithout ? "without" : undefined };
}

/** Names with blanks between them, as sendmail divides them: at no comma. Undefined where nothing is said. */
export function mechanismList(text: string | undefined): readonly string[] | undefined {
  return text?.split(/\s+/).filter((name) => name !== "");
}
