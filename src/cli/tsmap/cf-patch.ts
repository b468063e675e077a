/**
 * tsmap cf patch: the guide's changes to sendmail.cf and submit.cf.
 */
import { statSync, unlinkSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { nodeFileSystem } from "berkeley-db-js";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { type HeldFile, makeFile } from "../../files/held-file.ts";
import { Replacement } from "../../files/replacement.ts";
import { syncFolder } from "../../files/sync-folder.ts";
import { applyEdits, CF_REFUSALS, type CfRefusal, type ClientChanges, patchCf, type RelayChanges } from "../../sendmail-cf/cf-patch.ts";
import { onSignal } from "../cleanup.ts";
import { say } from "../error-output.ts";
import { printable } from "../printable.ts";
import { cfWord, readCfFile } from "./cf-file.ts";
import type { Context } from "./context.ts";
import { watchFor } from "./replacing.ts";
import { type TargetFile, targetFile } from "./target-file.ts";
import { TROUBLE, Trouble, withFile } from "./trouble.ts";

interface Options {
  readonly role: "relay" | "client";
  readonly relay?: string;
  readonly map?: string;
  readonly mtaHost?: string;
  readonly domains?: string;
  readonly dryRun?: true;
  readonly output?: string;
}

const PERMISSIONS = 0o777;

/** @returns 0 where the file is as it should be now, or would be. */
export function run({ program, output }: Context, [operand]: readonly (string | readonly string[])[], options: Options): number {
  const name = String(operand);
  const changes = changesOf(options);
  const target = targetFile(options.output ?? name);
  const check = options.output === undefined ? watchFor(name, target.path) : undefined;
  const source = readCfFile(name);
  const { dev, ino, mode } = withFile(name, () => statSync(name));
  const isOther = options.output !== undefined;
  if (isOther && target.status?.dev === dev && target.status.ino === ino)
    throw new Trouble(`${options.output}: is the configuration itself`);
  const { edits, refusals } = patchCf(source, changes);
  if (refusals.length > 0) {
    for (const refusal of refusals) say(`${program}: ${printable(`${name}${refusalText(refusal)}`)}\n`);
    say(`${program}: ${printable(name)}: nothing was changed\n`);
    return TROUBLE;
  }
  const result = applyEdits(source, edits);
  if (edits.length === 0) say(`${program}: ${printable(name)}: nothing to change\n`);
  else output.write(shownDiff(name, source, result));
  if (options.dryRun === true || (edits.length === 0 && !isOther)) return 0;
  // Until it is done, signals wait: nothing is left beside the file.
  const forget = onSignal(() => {});
  try {
    if (isOther) replace(options.output, target, result, mode & PERMISSIONS);
    else {
      const backup = withFile(name, () => makeBackup(target.path, source, mode & PERMISSIONS));
      replace(name, target, result, mode & PERMISSIONS, { check, undo: () => removeBackup(backup) });
      say(`${program}: ${printable(name)}: the old file is ${printable(backup)}\n`);
    }
    return 0;
  } finally {
    forget();
  }
}

/** @throws {Trouble} an option of the other role, or one that cannot stand in a configuration. */
function changesOf(options: Options): RelayChanges | ClientChanges {
  const { role } = options;
  const others = role === "relay" ? (["relay", "map", "mtaHost"] as const) : (["domains"] as const);
  const other = others.find((name) => options[name] !== undefined);
  if (other !== undefined) throw new Trouble(`--${other === "mtaHost" ? "mta-host" : other}: not for --role ${role}`);
  if (role === "relay") return { role, domains: cfPath("--domains", options.domains) };
  return {
    role,
    relay: cfWord("--relay", options.relay),
    map: cfPath("--map", options.map),
    mtaHost: cfWord("--mta-host", options.mtaHost),
  };
}

/** @throws {Trouble} sendmail runs in a folder of its own. */
function cfPath(option: string, path: string | undefined): string | undefined {
  const word = cfWord(option, path);
  if (word !== undefined && !isAbsolute(word)) throw new Trouble(`${option}: "${word}" is no absolute path, as the file has on its host`);
  return word;
}

function refusalText({ code, line, args }: CfRefusal): string {
  const text = CF_REFUSALS[code].replace(/\{(\w+)\}/g, (whole, name: string) => args[name] ?? whole);
  return `${line === undefined ? "" : `:${line}`}: ${text}`;
}

/** Byte for byte, as patch wants it; on a terminal with control characters spelt out. */
function shownDiff(name: string, before: string, after: string): Uint8Array | string {
  const shown = Buffer.from(name).toString("latin1");
  const diff = Buffer.from(
    createTwoFilesPatch(shown, shown, before, after, undefined, undefined, { context: 3, headerOptions: FILE_HEADERS_ONLY }),
    "latin1",
  );
  if (!process.stdout.isTTY) return diff;
  return diff
    .toString()
    .split("\n")
    .map((line) => line.split("\t").map(printable).join("\t"))
    .join("\n");
}

/** The old file, on the disc, under a name that no file has, with the mode of the file. */
function makeBackup(path: string, content: string, mode: number): string {
  for (let i = 0; ; i++) {
    const backup = i === 0 ? `${path}.orig` : `${path}.orig.${i}`;
    let file: HeldFile;
    try {
      file = makeFile(backup, mode, nodeFileSystem);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      continue;
    }
    try {
      try {
        file.handle.write(Buffer.from(content, "latin1"), 0);
        // Whatever the umask.
        file.chmod(mode);
        file.sync();
      } finally {
        file.close();
      }
      // Its name too, before the original is gone.
      syncFolder(dirname(path));
      return backup;
    } catch (error) {
      removeBackup(backup);
      throw error;
    }
  }
}

/** Whatever made the work fail is what is told. */
function removeBackup(backup: string): void {
  try {
    unlinkSync(backup);
  } catch {
    // It does no harm where it is.
  }
}

interface Surroundings {
  /** Called before the new file takes the place of the old one; what it throws is thrown. */
  readonly check?: (() => void) | undefined;
  /** Called where the old file is there still. */
  readonly undo?: () => void;
}

function replace(
  name: string | undefined,
  { path, status }: TargetFile,
  content: string,
  mode: number,
  { check, undo }: Surroundings = {},
): void {
  withFile(String(name), () => {
    let replacement: Replacement | undefined;
    try {
      replacement = new Replacement(path, { fileSystem: nodeFileSystem, mode, inPlace: (status?.nlink ?? 1) > 1 });
      replacement.write(Buffer.from(content, "latin1"));
      check?.();
      replacement.commit();
    } catch (error) {
      replacement?.abandon();
      if (replacement?.isCommitted !== true) undo?.();
      throw error;
    }
  });
}
