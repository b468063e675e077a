/**
 * An application's configuration file, `saslpasswd.conf`, as Cyrus SASL reads
 * it (lib/config.c of 2.1.28).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Bytes that the library reads of a line. */
const LONGEST_LINE = 4095;

/** A line that is no setting. */
export class ConfigurationError extends Error {
  readonly path: string;
  /** From 1. */
  readonly line: number;

  constructor(path: string, line: number, message: string) {
    super(`${path}: line ${line}: ${message}`);
    this.name = "ConfigurationError";
    this.path = path;
    this.line = line;
  }
}

/** Settings by key; a key that is not there is undefined. */
export class Configuration {
  /** The file that they are from; undefined where there is none. */
  readonly path: string | undefined;
  readonly #settings: ReadonlyMap<string, string>;

  constructor(settings: ReadonlyMap<string, string> = new Map(), path?: string) {
    this.#settings = settings;
    this.path = path;
  }

  get(key: string): string | undefined {
    return this.#settings.get(key);
  }

  /** As the library reads a switch: "1…", "y…", "t…" and "on…" are on, and all else is off. */
  isOn(key: string): boolean {
    return /^(?:[1yt]|on)/.test(this.get(key) ?? "");
  }

  /** The words of a list, between blanks. */
  list(key: string): readonly string[] | undefined {
    return this.get(key)?.split(/[ \t]+/);
  }
}

/**
 * Reads the settings of an application from the first of the folders that has
 * its file.
 * @throws {ConfigurationError}
 */
export function readConfiguration(application: string, folders: readonly string[]): Configuration {
  for (const folder of folders) {
    const path = join(folder, `${application}.conf`);
    const text = readOrUndefined(path);
    if (text !== undefined) return parseConfiguration(text, path);
  }
  return new Configuration();
}

/** What cannot be opened is passed over, whatever the reason. */
function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** @throws {ConfigurationError} */
export function parseConfiguration(text: string, path: string): Configuration {
  const settings = new Map<string, string>();
  text.split("\n").forEach((whole, index) => {
    if (Buffer.byteLength(whole) > LONGEST_LINE) throw new ConfigurationError(path, index + 1, `longer than ${LONGEST_LINE} bytes`);
    const line = whole.replace(/^[ \t\r\v\f]+|[ \t\r\v\f]+$/g, "");
    if (line === "" || line.startsWith("#")) return;
    const [, key, value = ""] = /^([A-Za-z0-9_-]*):[ \t\r\v\f]*(.*)$/s.exec(line) ?? [];
    if (key === undefined) throw new ConfigurationError(path, index + 1, 'not "key: value"');
    if (value === "") throw new ConfigurationError(path, index + 1, `"${key}" has no value`);
    // Of a key that comes twice the first counts.
    if (!settings.has(key.toLowerCase())) settings.set(key.toLowerCase(), value);
  });
  return new Configuration(settings, path);
}
