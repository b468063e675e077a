/**
 * templates/tsmap.yml: GitLab's schema takes it, and its job runs, by
 * gitlab-ci-local. npm and tsmap are stand-ins.
 */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { CI_FOLDER, CiMachine, sarif } from "../support/ci-machine.ts";
import { rootFolder } from "../support/fixtures.ts";
import { needs, runNative, type Skippable } from "../support/native.ts";
import { type Outcome, run } from "../support/program.ts";
import type { Cleanup } from "../support/temp.ts";

const TEMPLATE = `${rootFolder}templates/tsmap.yml`;
const text = readFileSync(TEMPLATE, "utf8");
const packageJson = JSON.parse(readFileSync(`${rootFolder}package.json`, "utf8")) as { version: string };
const gitlabCiLocal = fileURLToPath(new URL("../support/gitlab-ci-local.child.js", import.meta.url));

/** Installs the scripts of ci/ and the tsmap of the test, as if from the package. */
function fakeNpm(folder: string): string {
  return `#!/bin/sh
printf '%s\\n' "$*" >'${folder}/npm.txt'
mkdir -p "$3/node_modules/.bin" "$3/node_modules/tsmakemap"
cp -r '${CI_FOLDER}' "$3/node_modules/tsmakemap/ci"
`;
}

function git(folder: string, args: readonly string[]): void {
  const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  const { status, stderr } = runNative("git", [...who, ...args], { cwd: folder });
  assert.equal(status, 0, stderr.toString());
}

/** A project that includes the template; undefined where the programs are not there, and the test is skipped. */
function project(t: Cleanup & Skippable, inputs: Readonly<Record<string, unknown>> = {}, template = text): CiMachine | undefined {
  if (!needs(t, "git", "rsync", "bash")) return undefined;
  const on = new CiMachine(t);
  on.addProgram("npm", fakeNpm(on.folder));
  on.write("tsmap.yaml", "version: 1\n");
  mkdirSync(join(on.folder, "templates"));
  on.write("templates/tsmap.yml", template);
  on.write(".gitlab-ci.yml", JSON.stringify({ include: [{ local: "templates/tsmap.yml", inputs }] }));
  git(on.folder, ["init", "--quiet", "--initial-branch=main"]);
  git(on.folder, ["remote", "add", "origin", "git@gitlab.example.com:mail/fleet.git"]);
  git(on.folder, ["add", "."]);
  git(on.folder, ["commit", "--quiet", "--message=fleet"]);
  return on;
}

/** Isolated from the project's folder, as on a runner. */
function gitlab(on: CiMachine, ...args: readonly string[]): Promise<Outcome> {
  const options = ["--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", "--no-color"];
  return run(process.execPath, [gitlabCiLocal, ...options, ...args], { cwd: on.folder, env: { PATH: on.path, HOME: on.folder } });
}

/** What the job leaves for GitLab to keep. */
function artifacts(on: CiMachine, job = "tsmap"): string {
  return join(on.folder, ".gitlab-ci-local/artifacts", job);
}

test("the version that it installs by itself is this one", () => {
  const [header] = parseAllDocuments(text).map((document) => document.toJS() as { spec: { inputs: { version: { default: string } } } });
  assert.equal(header?.spec.inputs.version.default, packageJson.version);
  assert.ok(text.includes(`/tsmap@${packageJson.version}\n`));
});

test("each input is used, and each that is used is there", () => {
  const [header] = parseAllDocuments(text).map((document) => document.toJS() as { spec: { inputs: object } });
  const used = new Set(Array.from(text.matchAll(/\$\[\[ inputs\.([a-z-]+) \]\]/g), ([, name]) => name));
  assert.deepEqual([...used].sort(), Object.keys(header?.spec.inputs ?? {}).sort());
});

suite("by gitlab-ci-local", () => {
  test("GitLab's schema takes it, and does look", async (t) => {
    const on = project(t);
    if (on === undefined) return;
    const list = await gitlab(on, "--list");
    assert.equal(list.exit, 0, list.stderr);
    assert.match(list.stdout, /^tsmap +test /m);
    writeFileSync(join(on.folder, "templates/tsmap.yml"), text.replace("expire_in", "expires_in"));
    const bad = await gitlab(on, "--list");
    assert.notEqual(bad.exit, 0);
    assert.match(bad.stdout + bad.stderr, /expires_in/);
  });

  test("all is well: the reports are kept, and not what has passwords in it", async (t) => {
    const on = project(t);
    if (on === undefined) return;
    const { exit, stdout, stderr } = await gitlab(on, "tsmap");
    assert.equal(exit, 0, stdout + stderr);
    assert.match(stdout, /\+ user alice@relay1\.example\.com/);
    assert.ok(on.read("npm.txt")?.endsWith(` tsmakemap@${packageJson.version}\n`), on.read("npm.txt"));
    assert.deepEqual(on.calls, ["plan tsmap.yaml", "build tsmap.yaml --no-progress", "check tsmap.yaml --format sarif"]);
    const names = readdirSync(join(artifacts(on), "tsmap-reports")).sort();
    assert.deepEqual(names, ["check.sarif", "check.txt", "codequality.json", "fleet.env", "plan.txt", "summary.md"]);
    assert.match(readFileSync(join(artifacts(on), ".gitlab-ci-reports/dotenv/tsmap-reports/fleet.env"), "utf8"), /^FLEET_PLAN=changes$/m);
  });

  test("findings fail the job, and the reports are kept; another name, another manifest, the set asked for", async (t) => {
    const inputs = {
      "job-name": "mail fleet",
      manifest: "fleet.yaml",
      "keep-set": true,
      version: "1.2.3",
      copies: "copies",
      stage: "build",
    };
    const on = project(t, inputs);
    if (on === undefined) return;
    on.write("fleet.yaml", "version: 1\n");
    git(on.folder, ["add", "."]);
    git(on.folder, ["commit", "--quiet", "--message=fleet"]);
    on.answer({ check: { exit: 1, stdout: sarif([{ ruleId: "stale", message: { text: "Stale." } }]) } });
    const { exit, stdout } = await gitlab(on, "mail fleet");
    assert.equal(exit, 1, stdout);
    assert.ok(on.read("npm.txt")?.endsWith(" tsmakemap@1.2.3\n"));
    assert.equal(on.calls.at(-1), "check fleet.yaml --format sarif --copies copies");
    const kept = join(on.folder, ".gitlab-ci-local/artifacts");
    const [job = ""] = readdirSync(kept);
    assert.match(readFileSync(join(kept, job, "tsmap-reports/codequality.json"), "utf8"), /Stale\./);
    assert.ok(!existsSync(join(kept, job, "tsmap-reports/tsmap-artifacts.tar")));

    on.answer({});
    assert.equal((await gitlab(on, "mail fleet")).exit, 0);
    assert.ok(existsSync(join(kept, job, "tsmap-reports/tsmap-artifacts.tar")));
    cpSync(join(kept, job, "tsmap-reports"), join(on.folder, "copy"), { recursive: true });
    const sums = runNative("sha256sum", ["--check", "tsmap-artifacts.tar.sha256"], { cwd: join(on.folder, "copy") });
    assert.equal(sums.status, 0);
  });
});
