/**
 * Runs tsmap, in a folder of the test's own.
 */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databaseFixture } from "./fixtures.ts";
import { launcherOf, type Outcome, type RunOptions, run } from "./program.ts";
import { type Cleanup, temporaryFolder } from "./temp.ts";

export function tsmap(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(process.execPath, [launcherOf("tsmap"), ...args], options);
}

/** A folder with files in it, in which tsmap runs. */
export class Workbench {
  readonly folder: string;

  constructor(t: Cleanup) {
    this.folder = temporaryFolder(t);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content, { mode: 0o600 });
    return name;
  }

  /** A copy of a real file. */
  fixture(fixture: string, name = `${fixture}.db`): string {
    copyFileSync(databaseFixture(fixture).path, this.path(name));
    return name;
  }

  tsmap(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return tsmap(args, { cwd: this.folder, ...options });
  }

  /** A map, by tsmakemap. */
  async makemap(name: string, source: string, args: readonly string[] = []): Promise<string> {
    const { exit, stderr } = await run(process.execPath, [launcherOf("tsmakemap"), ...args, "hash", name], {
      cwd: this.folder,
      input: source,
    });
    if (exit !== 0) throw new Error(stderr);
    return `${name}.db`;
  }
}
