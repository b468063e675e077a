/**
 * The options that say what the written file is like, and their layers: the
 * command line over TSMAKEMAP_… of the environment over the target's own.
 */
import { type FileFormat, HASH_VERSIONS, type HashVersion, TARGETS, type TargetName, targetFormat } from "../hash-file/file-format.ts";
import { type Command, Option } from "./commander.ts";

const SETTINGS_PREFIX = "TSMAKEMAP";

/** An option's value that cannot be; the message names option and mend. */
export class SettingError extends Error {}

export interface FormatSettings {
  readonly format: FileFormat;
  readonly fileId: Uint8Array | "content" | "random";
  /** Whether the version was asked for by name, which a btree file does not have. */
  readonly hasHashVersion: boolean;
}

/** Adds the options to a command, under one heading of its help. */
export function addFormatOptions(
  command: Command,
  heading = "File format:",
  { fileId = true }: { readonly fileId?: boolean } = {},
): Command {
  command
    .addOption(new Option("--target <name>", `the host that the file is for: ${TARGETS.join(" or ")}`).helpGroup(heading))
    .addOption(new Option("--byte-order <order>", "big or little").helpGroup(heading))
    .addOption(new Option("--hash-version <n>", "version of the hash format: 7, 8 or 9").helpGroup(heading))
    .addOption(new Option("--page-size <bytes>", "a power of two from 512 to 65536").helpGroup(heading));
  if (fileId) command.addOption(new Option("--file-id <id>", "content (default), random, or 40 hexadecimal digits").helpGroup(heading));
  return command;
}

/** What commander found of the options above. */
export interface FormatFlags {
  readonly target?: string;
  readonly byteOrder?: string;
  readonly hashVersion?: string;
  readonly pageSize?: string;
  readonly fileId?: string;
}

/** Bytes. */
export const PAGE_SIZES: readonly number[] = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

const NAMES = ["target", "byte-order", "hash-version", "page-size", "file-id"] as const;

/** The settings, once it is known what the file is to be like if nothing is asked for; what is left out is this host's. */
export type SettleFormat = (usual: Partial<FileFormat>) => FormatSettings;

/** @throws {SettingError} */
export async function readFormatSettings(flags: FormatFlags, environment: NodeJS.ProcessEnv): Promise<FormatSettings> {
  return (await readFormatLayers(flags, environment))({});
}

/**
 * As `readFormatSettings`, where something else than the options, and stronger
 * than this host, says what the file is to be like: it counts where there is
 * not even a target.
 * @throws {SettingError} so does the function.
 */
export async function readFormatLayers(flags: FormatFlags, environment: NodeJS.ProcessEnv): Promise<SettleFormat> {
  const layers = await layer(flags, environment);
  return (usual) => settle(layers, flags, usual);
}

function settle(layers: Layers, flags: FormatFlags, usual: Partial<FileFormat>): FormatSettings {
  const read = <T>(name: (typeof NAMES)[number], parse: (text: string) => T | undefined, allowed: string): T | undefined => {
    const text = layers[name];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) throw new SettingError(`${origin(name, flags)}: "${text}" is not ${allowed}`);
    return value;
  };
  const target = read<TargetName>("target", (text) => TARGETS.find((name) => name === text), TARGETS.join(" or "));
  const base = target === undefined ? { ...targetFormat("native"), ...usual } : targetFormat(target);
  const hashVersion = read("hash-version", (text) => HASH_VERSIONS.find((n) => String(n) === text), "7, 8 or 9");
  return {
    format: {
      byteOrder: read("byte-order", (text) => (text === "big" || text === "little" ? text : undefined), "big or little") ?? base.byteOrder,
      hashVersion: hashVersion ?? (base.hashVersion satisfies HashVersion),
      pageSize: read("page-size", parsePageSize, "a power of two from 512 to 65536") ?? base.pageSize,
    },
    fileId: read("file-id", parseFileId, "content, random, or 40 hexadecimal digits") ?? "content",
    hasHashVersion: hashVersion !== undefined,
  };
}

type Layers = Partial<Record<(typeof NAMES)[number], string>>;

/** yargs-parser lays the command line over the environment; it is loaded where there is something to lay it over. */
async function layer(flags: FormatFlags, environment: NodeJS.ProcessEnv): Promise<Layers> {
  const given = pick((name) => flags[camel(name)]);
  const below = pick((name) => environment[variable(name)]);
  if (Object.keys(below).length === 0) return given;
  const { default: parseSettings } = await import("yargs-parser");
  const args = Object.entries(given).map(([name, value]) => `--${name}=${value}`);
  const parsed = parseSettings(args, {
    string: [...NAMES],
    default: below,
    configuration: { "dot-notation": false, "duplicate-arguments-array": false },
  });
  return pick((name) => parsed[name] as string | undefined);
}

function pick(read: (name: (typeof NAMES)[number]) => string | undefined): Layers {
  return Object.fromEntries(NAMES.map((name) => [name, read(name)] as const).filter(([, value]) => value !== undefined));
}

function variable(name: (typeof NAMES)[number]): string {
  return `${SETTINGS_PREFIX}_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** Which layer a wrong value came from, as its user wrote it. */
function origin(name: (typeof NAMES)[number], flags: FormatFlags): string {
  return flags[camel(name)] === undefined ? variable(name) : `--${name}`;
}

function camel(name: string): keyof FormatFlags {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as keyof FormatFlags;
}

function parsePageSize(text: string): number | undefined {
  return PAGE_SIZES.find((size) => String(size) === text);
}

function parseFileId(text: string): Uint8Array | "content" | "random" | undefined {
  if (text === "content" || text === "random") return text;
  return /^[0-9a-fA-F]{40}$/.test(text) ? new Uint8Array(Buffer.from(text, "hex")) : undefined;
}
