/**
 * The settings of plan, build, check and watch, and their layers: the command
 * line over TSMAP_… of the environment over the manifest over what is usual.
 */
import type { ManifestSettings } from "../../artifacts/manifest.ts";
import type { ProjectSettings } from "../../artifacts/project.ts";
import { HASH_VERSIONS, TARGETS } from "../../hash-file/file-format.ts";
import type { Command } from "../commander.ts";
import { addFormatOptions, PAGE_SIZES } from "../format-settings.ts";
import { Trouble } from "./trouble.ts";

/** What commander found of the options. */
export interface BuildFlags {
  readonly output?: string;
  readonly target?: string;
  readonly byteOrder?: string;
  readonly hashVersion?: string;
  readonly pageSize?: string;
  readonly allowInline?: boolean;
  readonly commandTimeout?: string;
}

/** A setting with the layer that it comes from. */
export interface LayeredSetting {
  readonly name: string;
  /** Undefined where no layer says anything. */
  readonly value: string | undefined;
  readonly layer: "flag" | "environment" | "manifest" | "default" | "none";
  /** The layer as its user would name it: --target, TSMAP_TARGET. */
  readonly origin: string;
}

const PREFIX = "TSMAP_";
const DEFAULTS: Readonly<Record<string, string>> = { output: "artifacts", "allow-inline": "false", "command-timeout": "60" };

/** Each setting with the values that it may have. */
const ALLOWED: Readonly<Record<string, { readonly isGood: (text: string) => boolean; readonly what: string }>> = {
  output: { isGood: (text) => text !== "", what: "a path" },
  target: oneOf(TARGETS),
  "byte-order": oneOf(["big", "little"]),
  "hash-version": oneOf(HASH_VERSIONS),
  "page-size": oneOf(PAGE_SIZES),
  "allow-inline": oneOf(["true", "false"]),
  "command-timeout": {
    isGood: (text) => /^\d+(?:\.\d+)?$/.test(text) && Number(text) > 0 && Number(text) <= 86_400,
    what: "a number of seconds up to 86400",
  },
};
const NAMES = Object.keys(ALLOWED);

function oneOf(words: readonly (string | number)[]): { isGood: (text: string) => boolean; what: string } {
  const texts = words.map(String);
  return { isGood: (text) => texts.includes(text), what: texts.join(", ").replace(/, ([^,]*)$/, " or $1") };
}

/** Adds the options to a command, under headings of its help. */
export function addBuildOptions(command: Command): Command {
  command
    .option(
      "--output <link>",
      "where the set of files is: a link to a folder that is switched in one step, relative to the manifest's folder (default: artifacts)",
    )
    .option("--allow-inline", "secrets may stand in the manifest")
    .option("--no-allow-inline", "none may, whatever the environment or the manifest says")
    .option("--command-timeout <seconds>", "for each program that gives secrets (default: 60)");
  return addFormatOptions(command, "File format, over the manifest's:", { fileId: false });
}

/**
 * Lays the settings over each other.
 * @param manifest its settings, and what the file is called.
 * @throws {Trouble} names the layer of what is wrong.
 */
export async function layerSettings(
  flags: BuildFlags,
  environment: NodeJS.ProcessEnv,
  manifest: { readonly name: string; readonly settings: ManifestSettings },
): Promise<readonly LayeredSetting[]> {
  const { default: parseSettings } = await import("yargs-parser");
  const given = textsOf((name) => flags[camel(name)]);
  const variables = textsOf((name) => environment[variable(name)] || undefined);
  const written = textsOf((name) => manifest.settings[name as keyof ManifestSettings]);
  // Its published types have no configObjects, of which the first that says something counts. In
  // arguments, of which commander has made values already, it would take quotes for its own.
  const layers = {
    string: [...NAMES],
    configObjects: [given, variables, written],
    default: DEFAULTS,
    configuration: { "dot-notation": false, "duplicate-arguments-array": false, "camel-case-expansion": false },
  };
  const parsed = parseSettings([], layers);
  const layerOf = (name: string): Pick<LayeredSetting, "layer" | "origin"> => {
    if (name in given) return { layer: "flag", origin: `--${name}` };
    if (name in variables) return { layer: "environment", origin: variable(name) };
    if (name in written) return { layer: "manifest", origin: `${manifest.name}: settings.${name}` };
    return name in DEFAULTS ? { layer: "default", origin: "default" } : { layer: "none", origin: "not set" };
  };
  return NAMES.map((name) => {
    const value = parsed[name] as string | undefined;
    const { layer, origin } = layerOf(name);
    const allowed = ALLOWED[name];
    if (value !== undefined && allowed !== undefined && !allowed.isGood(value))
      throw new Trouble(`${origin}: "${value}" is not ${allowed.what}`);
    return { name, value, layer, origin };
  });
}

/** The settings of a project: those of the manifest about formats are its own matter, which parts of it may say otherwise. */
export function projectSettings(settings: readonly LayeredSetting[]): ProjectSettings {
  const of = (name: string): string | undefined => settings.find((setting) => setting.name === name)?.value;
  const over = (name: string): string | undefined =>
    settings.find((setting) => setting.name === name && setting.layer !== "manifest")?.value;
  const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  return {
    output: of("output") as string,
    allowInline: of("allow-inline") === "true",
    commandTimeout: Number(of("command-timeout")),
    overrides: {
      target: over("target") as ProjectSettings["overrides"]["target"],
      byteOrder: over("byte-order") as ProjectSettings["overrides"]["byteOrder"],
      hashVersion: numberOf(over("hash-version")) as ProjectSettings["overrides"]["hashVersion"],
      pageSize: numberOf(over("page-size")),
    },
  };
}

function textsOf(read: (name: string) => unknown): Record<string, string> {
  return Object.fromEntries(
    NAMES.map((name) => [name, read(name)] as const)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  );
}

function variable(name: string): string {
  return `${PREFIX}${name.replaceAll("-", "_").toUpperCase()}`;
}

function camel(name: string): keyof BuildFlags {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as keyof BuildFlags;
}
