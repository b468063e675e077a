/**
 * action.yml: GitHub's parser takes it, and its steps run as GitHub would run
 * them, but for those that are actions of others: what these are given is
 * looked at.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { CiMachine, EMPTY_SARIF, sarif } from "../support/ci-machine.ts";
import { rootFolder } from "../support/fixtures.ts";
import { type Contexts, githubErrors, interpolate, isMet } from "../support/github-parser.ts";
import { run } from "../support/program.ts";

interface Step {
  readonly name: string;
  readonly id?: string;
  readonly if?: string;
  readonly shell?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly "working-directory"?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string>>;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
}

const text = readFileSync(`${rootFolder}action.yml`, "utf8");
const action = parse(text) as Action;

interface Result {
  /** The steps that ran, and the inputs of those that are actions. */
  readonly ran: readonly string[];
  readonly given: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly hasFailed: boolean;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs the action. */
async function runAction(on: CiMachine, inputs: Readonly<Record<string, string>> = {}, repository: object = {}): Promise<Result> {
  const defaults = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default]));
  const stepOutputs: Record<string, { outputs: Record<string, string> }> = {};
  for (const { id } of action.runs.steps) if (id !== undefined) stepOutputs[id] = { outputs: {} };
  const contexts: Contexts = { inputs: { ...defaults, ...inputs }, steps: stepOutputs, github: { event: { repository } } };
  const [ran, given]: [string[], Record<string, Record<string, string>>] = [[], {}];
  let hasFailed = false;
  const all = (values: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, interpolate(String(value), contexts)]));
  for (const step of action.runs.steps) {
    if (!isMet(step.if, contexts, hasFailed)) continue;
    ran.push(step.name);
    if (step.uses !== undefined) given[step.uses] = all(step.with);
    if (step.run === undefined) continue;
    rmSync(join(on.folder, "output.txt"), { force: true });
    assert.equal(step.shell, "sh");
    const cwd = join(on.folder, interpolate(step["working-directory"] ?? ".", contexts));
    const env = { PATH: on.path, ...on.github, GITHUB_ACTION_PATH: rootFolder.slice(0, -1), ...all(step.env) };
    const { exit } = await run("sh", ["-e", "-c", interpolate(step.run, contexts)], { cwd, env });
    if (exit !== 0) hasFailed = true;
    for (const line of (on.read("output.txt") ?? "").split("\n").slice(0, -1)) {
      const [name = "", ...value] = line.split("=");
      if (step.id !== undefined) (stepOutputs[step.id] as { outputs: Record<string, string> }).outputs[name] = value.join("=");
    }
  }
  const outputs = all(Object.fromEntries(Object.entries(action.outputs).map(([name, { value }]) => [name, value])));
  return { ran, given, hasFailed, outputs };
}

const PATH_VERSION = { version: "path" };
const SARIF_ACTION = "github/codeql-action/upload-sarif@v4";
const ARTIFACT_ACTION = "actions/upload-artifact@v7";

test("GitHub's parser takes it", () => {
  assert.deepEqual(githubErrors("action", "action.yml"), []);
  // And it does look.
  assert.match(githubErrors("action", "action.yml", text.replace("using: composite", "usign: composite")).join(), /usign/);
  assert.match(githubErrors("action", "action.yml", text.replace("inputs.version", "input.version")).join(), /'input'/);
});

test("each input is used, and each name that is used is an input; none is part of a line of shell", () => {
  const used = new Set(Array.from(text.matchAll(/inputs\.([a-z-]+)/g), ([, name]) => name));
  assert.deepEqual([...used].sort(), Object.keys(action.inputs).sort());
  for (const { run: line = "" } of action.runs.steps) assert.ok(!line.includes("${{"), line);
  const ids = new Set(action.runs.steps.map(({ id }) => id));
  for (const [, id] of text.matchAll(/steps\.([a-z-]+)\./g)) assert.ok(ids.has(id), id);
});

suite("a run", () => {
  test("all is well, in a private repository", async (t) => {
    const on = new CiMachine(t);
    on.write("tsmap.yaml", "version: 1\n");
    const { ran, given, hasFailed, outputs } = await runAction(on, PATH_VERSION, { private: true });
    assert.deepEqual(
      ran,
      action.runs.steps.map(({ name }) => name),
    );
    assert.equal(hasFailed, false);
    const reports = join(on.folder, "tsmap-reports");
    const { "set-sha256": sha256, ...rest } = outputs;
    assert.match(sha256 ?? "", /^[0-9a-f]{64}$/);
    assert.deepEqual(rest, { plan: "changes", findings: "0", sarif: `${reports}/check.sarif`, set: `${reports}/tsmap-artifacts.tar` });
    assert.deepEqual(given[SARIF_ACTION], { sarif_file: `${reports}/check.sarif`, category: "tsmap" });
    assert.equal(readFileSync(given[SARIF_ACTION]?.["sarif_file"] ?? "", "utf8"), EMPTY_SARIF);
    const paths = (given[ARTIFACT_ACTION]?.["path"] ?? "").split("\n").filter((path) => path !== "");
    assert.deepEqual(paths, [`${reports}/tsmap-artifacts.tar`, `${reports}/tsmap-artifacts.tar.sha256`]);
    for (const path of paths) assert.ok(existsSync(path));
  });

  test("findings fail it, and are uploaded all the same; the set is not", async (t) => {
    const on = new CiMachine(t);
    on.write("tsmap.yaml", "version: 1\n");
    const finding = { ruleId: "stale", message: { text: "Stale." } };
    on.answer({ check: { exit: 1, stdout: sarif([finding]) } });
    const { ran, hasFailed, outputs } = await runAction(on, PATH_VERSION, { private: true });
    assert.deepEqual(ran.slice(2), ["Plan", "Build", "Check", "Findings"]);
    assert.equal(hasFailed, true);
    assert.deepEqual([outputs["findings"], outputs["set"]], ["1", ""]);
  });

  test("trouble with the plan ends it, and there is nothing to upload", async (t) => {
    const on = new CiMachine(t);
    on.write("tsmap.yaml", "version: 1\n");
    on.answer({ plan: { exit: 1, stdout: "" } });
    const { ran, hasFailed } = await runAction(on, PATH_VERSION, { private: true });
    assert.deepEqual(ran.slice(2), ["Plan"]);
    assert.equal(hasFailed, true);
  });

  test("what has passwords in it is kept where nobody else sees it, or where that is asked for", async (t) => {
    const on = new CiMachine(t);
    on.write("tsmap.yaml", "version: 1\n");
    const isKept = async (inputs: object, repository: object): Promise<boolean> =>
      ARTIFACT_ACTION in (await runAction(on, { ...PATH_VERSION, ...inputs }, repository)).given;
    assert.equal(await isKept({}, { private: false }), false);
    assert.equal(await isKept({}, {}), false);
    assert.equal(await isKept({ "upload-set": "always" }, { private: false }), true);
    assert.equal(await isKept({ "upload-set": "never" }, { private: true }), false);
  });

  test("a manifest elsewhere, and no upload of findings", async (t) => {
    const on = new CiMachine(t);
    mkdirSync(join(on.folder, "fleet"));
    on.write("fleet/fleet.yaml", "version: 1\n");
    const inputs = {
      ...PATH_VERSION,
      "working-directory": "fleet",
      manifest: "fleet.yaml",
      output: "out",
      copies: "$(id)",
      "upload-sarif": "false",
    };
    const { ran, outputs } = await runAction(on, inputs, { private: true });
    assert.ok(!ran.includes("Findings"));
    assert.equal(outputs["set"], join(on.folder, "fleet/tsmap-reports/tsmap-artifacts.tar"));
    assert.ok(existsSync(join(on.folder, "fleet/out/SHA256SUMS")));
    assert.deepEqual(on.calls, ["plan fleet.yaml", "build fleet.yaml --no-progress", "check fleet.yaml --format sarif --copies $(id)"]);
  });
});
