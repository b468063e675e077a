/**
 * A folder with a manifest and what it names, in which tsmap plans, builds and
 * checks.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { rootFolder } from "./fixtures.ts";
import type { Outcome, RunOptions } from "./program.ts";
import { Workbench } from "./tsmap.ts";

/** One that nothing else looks like. */
export const FLEET_SECRET = "Tr0ub4dor-26zXq";
export const FLEET_KEY = "0123456789abcdef0123456789abcdef";

/** What a manifest of these tests begins with: a key, and secrets of the environment. */
const FLEET_HEAD = `version: 1
settings: { target: aix }
key: key
secrets: { key: { env: KEY }, alice: { env: ALICE }, bob: { env: BOB } }
`;

/** What the environment has for it. */
const FLEET_VARIABLES: Readonly<Record<string, string>> = { KEY: FLEET_KEY, ALICE: FLEET_SECRET, BOB: `${FLEET_SECRET}-bob` };

export class FleetBench extends Workbench {
  /** Runs tsmap with the variables of the secrets, and sees that none of them is said. */
  async run(args: readonly string[], { env, ...options }: RunOptions = {}): Promise<Outcome> {
    const outcome = await this.tsmap(args, { env: { ...FLEET_VARIABLES, ...env }, ...options });
    for (const secret of [FLEET_SECRET, FLEET_KEY, Buffer.from(FLEET_SECRET).toString("base64").slice(0, 18)])
      assert.ok(!(outcome.stdout + outcome.stderr).includes(secret), `${args.join(" ")}: ${outcome.stdout}${outcome.stderr}`);
    return { ...outcome, stdout: utf8(outcome.stdout), stderr: utf8(outcome.stderr) };
  }

  /** Writes the manifest: the head, and these lines. */
  manifest(text: string): void {
    this.write("tsmap.yaml", FLEET_HEAD + text);
  }

  /** Builds what must be fine. */
  async build(...args: readonly string[]): Promise<string> {
    const { exit, stdout, stderr } = await this.run(["build", ...args]);
    assert.deepEqual([exit, stderr], [0, ""]);
    return stdout;
  }

  /** A file of what is built. */
  built(path: string): Buffer {
    return readFileSync(this.path(`artifacts/${path}`));
  }

  /** Everything in the folder whose names begin with a dot or are the output's: what a build may leave. */
  get leftovers(): string[] {
    return readdirSync(this.folder).filter((name) => name !== "artifacts" && name !== ".artifacts.sets" && /^\.|artifacts|lock/.test(name));
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }
}

function utf8(text: string): string {
  return Buffer.from(text, "latin1").toString();
}

/** One of schemas/. */
export function publishedSchema(name: string): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true });
  return ajv.compile(JSON.parse(readFileSync(`${rootFolder}schemas/${name}.schema.json`, "utf8")) as object);
}
