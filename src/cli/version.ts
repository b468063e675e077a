/**
 * What a program is called, and which version of it this is.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";

const { resolve } = createRequire(import.meta.url);

/** The name that a program was called by, without its path. */
export function programName(argv: readonly string[], otherwise: string): string {
  return basename(argv[1] ?? otherwise).replace(/\.js$/, "");
}

/** One line for --version. */
export async function versionText(program: string): Promise<string> {
  const { Database } = await import("berkeley-db-js");
  return `${program} ${packageVersion()} (Berkeley DB ${Database.libraryVersion})\n`;
}

/** The version of this package, as its package.json has it. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(resolve("tsmakemap/package.json"), "utf8")) as { version: string };
  return version;
}
