/**
 * tsmap inspect: what a database file is, who can read it, and what is wrong
 * with it.
 */
import { type Stats, statSync } from "node:fs";
import { nodeFileSystem } from "berkeley-db-js";
import { releasesThat, writersOf } from "../../hash-file/compatibility.ts";
import type { PageUse } from "../../hash-file/page-survey.ts";
import { type Inspection, inspect } from "../../map-file/inspection.ts";
import { jsonText } from "../../map-file/json-text.ts";
import type { MapKind, NulUse } from "../../map-file/map-kind.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { DAMAGED, eachFile } from "./each-file.ts";
import { PageMap } from "./page-map.ts";
import { type Paint, paintFor } from "./style.ts";

interface Options {
  readonly json?: true;
  readonly pages?: true;
}

/** Who else may read or write a file. */
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

/** @returns 1 where a file is damaged. */
export function run(context: Context, [files = []]: readonly (string | readonly string[])[], options: Options): number {
  const { output } = context;
  const paint = paintFor(process.stdout);
  let isFirst = true;
  return eachFile(context, [files].flat(), (file) => {
    const uses: PageUse[] = [];
    const found = inspectFile(file, options.pages ? (use) => uses.push(use) : undefined);
    if (options.json) {
      output.write(`${jsonText(toJson(file, found, options.pages ? uses : undefined))}\n`);
    } else {
      if (!isFirst) output.write("\n");
      output.write(report(file, found, paint));
      if (options.pages) output.write(new PageMap(uses, found.inspection.format.pageSize, paint).draw());
    }
    isFirst = false;
    return found.inspection.damage.length > 0 ? DAMAGED : 0;
  });
}

interface Found {
  readonly inspection: Inspection;
  readonly status: Stats;
}

function inspectFile(path: string, onPage: ((use: PageUse) => void) | undefined): Found {
  const status = statSync(path);
  const file = nodeFileSystem.open(path, { write: false }, 0);
  try {
    return { inspection: inspect(file, onPage), status };
  } finally {
    file.close();
  }
}

/** What somebody has to know before the file is used. */
function warnings({ inspection: { content, residue, format, damage }, status }: Found): string[] {
  const found: string[] = damage.map((what) => what);
  const holdsSecrets = content.secrets > 0 || content.kind === "authinfo" || content.kind === "sasldb";
  if (format.type === "hash" && format.version === 7)
    found.push("Berkeley DB 4.6 and later empty this file as they open it, even to read: let them have a copy alone");
  if ((status.mode & OTHERS_WRITE) !== 0) found.push(`anybody may write to it: chmod ${holdsSecrets ? "0640" : "0644"}`);
  else if (holdsSecrets && (status.mode & OTHERS_READ) !== 0) found.push("anybody may read the passwords in it: chmod 0640");
  if (residue.texts > 0) {
    const what = residue.mayBeSecret || holdsSecrets ? "what was deleted, secrets perhaps," : "what was deleted";
    found.push(`${what} can still be read in it: tsmap scrub removes it`);
  }
  if (content.keyNuls === "some") found.push("some keys end in a NUL and some do not: sendmail finds those of one kind alone");
  if (content.upperCaseKeys > 0 && content.kind === "authinfo")
    found.push(`${counted(content.upperCaseKeys, "key")} with upper-case letters: sendmail finds them with -f on the K line alone`);
  if (format.hasUsualHash === false) found.push("made with another hash function: no library finds a key in it");
  return found;
}

function toJson(file: string, found: Found, uses: readonly PageUse[] | undefined): object {
  const { inspection, status } = found;
  return {
    file,
    ...inspection,
    ...(uses === undefined ? {} : { pageUse: uses.map(({ page, kind, items, used, residue }) => ({ page, kind, items, used, residue })) }),
    mode: modeText(status),
    uid: status.uid,
    gid: status.gid,
    warnings: warnings(found),
  };
}

const KINDS: Readonly<Record<MapKind, string>> = {
  authinfo: "an authinfo map: what sendmail authenticates with",
  access: "an access map, with entries for authentication among others",
  passwords: "passwords, as a sasl_passwd map does",
  sasldb: "a SASL database: users and their passwords",
  aliases: "an alias database",
  map: "a map",
  empty: "no records",
};

function report(file: string, found: Found, paint: Paint): string {
  const { inspection, status } = found;
  const { format, content, residue, readers } = inspection;
  const rows: [name: string, value: string][] = [
    ["format", `${format.type}, version ${format.version} (as Berkeley DB ${writersOf(format.type, format.version)} writes it)`],
    ["byte order", `${format.byteOrder}-endian`],
    ["pages", `${pagesText(inspection)} of ${format.pageSize} bytes, ${inspection.size} in all`],
    ["fill", fillText(inspection)],
    ["holds", KINDS[content.kind]],
    ["records", recordsText(content, format.duplicates)],
    ["NULs", nulText(content.keyNuls, content.dataNuls)],
    ["residue", residueText(residue)],
    ["read by", listOr(releasesThat("reads", readers), "no release of Berkeley DB", "Berkeley DB ")],
  ];
  const upgrade = releasesThat("upgrade", readers);
  if (upgrade.length > 0) rows.push(["read after", `db_upgrade of a copy, on a host of its byte order: Berkeley DB ${upgrade.join(", ")}`]);
  const harmed = releasesThat("empties", readers);
  if (harmed.length > 0) rows.push(["emptied by", paint("red", `Berkeley DB ${harmed.join(", ")}`)]);
  if (format.fileId !== undefined) rows.push(["file id", format.fileId]);
  if (format.hasChecksums) rows.push(["checksums", "on every page"]);
  rows.push(["mode", `${modeText(status)}, owner ${status.uid}, group ${status.gid}`]);
  const lines = rows.map(([name, value]) => `  ${paint("bold", name.padEnd(11))} ${folded(value)}\n`);
  const said = warnings(found).map((text) => `  ${paint("yellow", "warning:")} ${folded(printable(text))}\n`);
  return `${paint("bold", printable(file))}\n${[...lines, ...said].join("")}`;
}

/** Where what a row says begins. */
const INDENT = 14;

/** On a terminal, in lines that fit; a reader of another kind gets one line. */
function folded(text: string): string {
  const { columns } = process.stdout;
  const width = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(40, columns) - INDENT;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join(`\n${" ".repeat(INDENT)}`);
}

function pagesText({ pages }: Inspection): string {
  const { total, ...kinds } = pages;
  const parts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  return `${total} (${parts.join(", ")})`;
}

function fillText({ fill, format }: Inspection): string {
  const percent = `${Math.round(fill * 100)}%`;
  if (format.buckets === undefined) return percent;
  const asked = format.fillFactor === 0 ? "" : `, ${format.fillFactor} keys a bucket asked for`;
  return `${percent} in ${format.buckets} buckets${asked}`;
}

function recordsText({ records, longestKey, longestData }: Inspection["content"], duplicates: "unsorted" | "sorted" | false): string {
  const several = duplicates === false ? "" : `, a key may have several (${duplicates})`;
  return records === 0 ? `0${several}` : `${records}; the longest key has ${longestKey} bytes, the longest data ${longestData}${several}`;
}

function nulText(keys: NulUse, data: NulUse): string {
  if (keys === "none" && data === "none") return "none behind keys or data";
  if (keys === "all" && data === "all") return "behind all keys and data, as makemap -N writes them";
  return `behind ${keys} of the keys, ${data} of the data`;
}

function residueText({ bytes, pages, texts }: Inspection["residue"]): string {
  if (bytes === 0) return "none";
  return `${counted(bytes, "byte")} on ${counted(pages, "page")}; ${texts === 0 ? "no text in them" : `${counted(texts, "text")} can be read in them`}`;
}

function listOr(ranges: readonly string[], otherwise: string, before: string): string {
  return ranges.length === 0 ? otherwise : `${before}${ranges.join(", ")}`;
}

function modeText({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
