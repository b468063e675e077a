/**
 * Every file of examples/ is run, in a copy of the folder. What no test here
 * runs is an error.
 */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { copyExamples, EXAMPLES, edit, tsmapBatch } from "../support/example-fleet.ts";
import { rootFolder } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { needs, runNative } from "../support/native.ts";
import { launcherOf, type Outcome, run } from "../support/program.ts";
import { type Cleanup, temporaryFolder } from "../support/temp.ts";
import { type Tree, treeOf } from "../support/tree.ts";

/** Files of examples/ that have been run. */
const used = new Set<string>();

const files = (): string[] => {
  const built = /(^|\/)\.?artifacts(\.sets)?(\/|$)/;
  const names = readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" }).filter((name) => !built.test(name));
  return names.filter((name) => statSync(join(EXAMPLES, name)).isFile()).sort();
};

/** A clone, as far as the examples see one: examples/, the package, and npx. */
class Clone {
  readonly folder: string;
  readonly #path: string;

  constructor(t: Cleanup) {
    this.folder = temporaryFolder(t);
    copyExamples(join(this.folder, "examples"));
    mkdirSync(join(this.folder, "node_modules"));
    symlinkSync(rootFolder, join(this.folder, "node_modules/tsmakemap"));
    const programs = join(this.folder, "programs");
    mkdirSync(programs);
    // npm's own takes half a second each time.
    writeFileSync(
      join(programs, "npx"),
      `#!/bin/sh\n[ "$1" = --no-install ] && shift\n[ "$1" = tsmap ] || exit 127\nshift\nexec '${process.execPath}' '${launcherOf("tsmap")}' "$@"\n`,
    );
    chmodSync(join(programs, "npx"), 0o755);
    symlinkSync(process.execPath, join(programs, "node"));
    this.#path = [programs, process.env["PATH"]].join(delimiter);
  }

  run(command: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return run("sh", ["-c", command], { cwd: this.folder, env: { PATH: this.#path, ...env } });
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }
}

/** The hosts' files as index.json of what was built has them. */
function expectedOnHosts(clone: Clone): Tree {
  const { files: index } = JSON.parse(clone.read("examples/fleet/artifacts/index.json")) as {
    files: { host: string; install: string; mode: string; sha256: string }[];
  };
  assert.equal(index.length, 11);
  return Object.fromEntries(index.map(({ host, install, mode, sha256 }) => [host + install, `${mode} file ${sha256}`]));
}

function onHosts(clone: Clone): Tree {
  return Object.fromEntries(Object.entries(treeOf(join(clone.folder, "hosts"))).filter(([, what]) => what.includes("file")));
}

test("the commands of README.md; deploy.sh stops at what is wrong", async (t) => {
  const clone = new Clone(t);
  const commands = clone.read("examples/README.md").match(/^\$ .+$/gm) ?? [];
  assert.ok(commands.length >= 5);
  for (const [i, line] of commands.entries()) {
    const { exit, stdout, stderr } = await clone.run(line.slice(2).replace("/tmp/hosts", "hosts"));
    // The first of them is a plan, which has everything to do.
    assert.deepEqual([exit, stderr], [i === 0 ? 2 : 0, ""], `${line}: ${stdout}`);
    // The version, which it gives itself, is in provenance.json.
    if (line.includes("library.js"))
      assert.equal(stdout, "change provenance.json \nchange SHA256SUMS \n2 files changed, 12 as they were\n");
  }
  const there = expectedOnHosts(clone);
  assert.deepEqual(onHosts(clone), there);
  for (const name of ["README.md", "deploy.sh", "library.js"]) used.add(name);

  const deploy = (args = ""): Promise<Outcome> => clone.run(`examples/deploy.sh ${args} examples/fleet/tsmap.yaml hosts`);
  if (isFull) {
    const again = await deploy();
    assert.deepEqual([again.exit, again.stderr], [0, ""]);
    assert.match(again.stdout, /^nothing to do, 14 files as the manifest has it\n/);
  }
  edit(clone.folder, "examples/fleet/secrets/passwords.yaml", "anna: example-", "anna: ");
  edit(clone.folder, "examples/fleet/tsmap.yaml", "min-length: 12", "min-length: 20");
  if (isFull) {
    const { exit, stdout, stderr } = await deploy("--dry-run");
    assert.deepEqual([exit, stderr], [0, ""]);
    assert.match(stdout, /^ {4}~ anna@relay1\.example\.com \(cmusaslsecretOTP, userPassword\)$/m);
  }
  const refused = await deploy();
  assert.deepEqual([refused.exit, refused.stderr], [1, ""]);
  assert.match(refused.stdout, /short-password: the password of anna@relay1\.example\.com in relay1\.example\.com\/sasldb2 has/);
  edit(clone.folder, "examples/fleet/tsmap.yaml", "version: 1", "version: 2");
  const broken = await deploy();
  assert.deepEqual([broken.exit, broken.stdout], [1, ""]);
  assert.equal(broken.stderr, "tsmap: examples/fleet/tsmap.yaml:5:1: version: has to be 1\n");
  assert.deepEqual(onHosts(clone), there);
});

test("deploy.sh: shellcheck has nothing to say", (t) => {
  if (!needs(t, "shellcheck")) return;
  const { status, stdout } = runNative("shellcheck", [`${EXAMPLES}deploy.sh`]);
  assert.equal(status, 0, stdout.toString());
});

test("library.js: builds what tsmap build builds, and finds what tsmap check finds", {
  skip: !isFull && "in the full run alone",
}, async (t) => {
  const [a, b] = [new Clone(t), new Clone(t)];
  const library = await a.run("node examples/library.js");
  assert.deepEqual([library.exit, library.stderr], [0, ""]);
  assert.match(library.stdout, /^add relay1\.example\.com\/sasldb2 \(16 users\)$/m);
  assert.match(library.stdout, /\n14 files changed, 0 as they were\n$/);
  await b.run("npx tsmap build examples/fleet/tsmap.yaml");
  const [ours, theirs] = [a, b].map(({ folder }) => treeOf(join(folder, "examples/fleet/artifacts/")));
  // But for the version, which it gives itself.
  for (const name of ["provenance.json", "SHA256SUMS"]) for (const tree of [ours, theirs]) delete (tree as Record<string, string>)[name];
  assert.ok(Object.keys(ours ?? {}).length > 11);
  assert.deepEqual(ours, theirs);

  edit(a.folder, "examples/fleet/tsmap.yaml", "reuse: same-user", "reuse: forbid");
  const { stdout } = await a.run("node examples/library.js");
  assert.match(stdout, /who: 'client1@relay2\.example\.com in relay2\.example\.com\/sasldb2',/);
});

test("the fleets are built, checked, and have nothing to do then; without any of their files there is nothing to build", async (t) => {
  const folder = temporaryFolder(t);
  const wanted = files().filter((name) => /^(fleet|guide)\//.test(name));
  const lines: string[][] = [];
  for (const name of ["fleet", "guide"]) {
    copyExamples(join(folder, name), name);
    for (const command of ["build", "check", "plan"]) lines.push([command, `${name}/tsmap.yaml`]);
  }
  for (const [i, name] of wanted.entries()) {
    copyExamples(join(folder, String(i)));
    rmSync(join(folder, String(i), name));
    lines.push(["build", `${i}/${name.split("/")[0]}/tsmap.yaml`]);
  }
  const answers = await tsmapBatch(folder, lines);
  for (const { exit, stdout, stderr } of answers.splice(0, 6)) assert.deepEqual([exit, stderr], [0, ""], stdout);
  for (const [i, name] of wanted.entries()) {
    assert.equal(answers[i]?.exit, 2, name);
    const base = name.split("/").slice(1).join("/");
    assert.ok(answers[i]?.stderr.includes(base) && answers[i]?.stderr.includes("o such file"), answers[i]?.stderr);
    used.add(name);
  }
});

test("the fleet has three relays, five clients and forty users", (t) => {
  const folder = temporaryFolder(t);
  copyExamples(join(folder, "fleet"), "fleet");
  const manifest = readFileSync(join(folder, "fleet/tsmap.yaml"), "utf8");
  assert.deepEqual(
    manifest.match(/^ {2}(?:relay|client)\d\.example\.com:$/gm)?.map((line) => line.replace(/\..*| /g, "")),
    [...["relay1", "relay2", "relay3"], ...["client1", "client2", "client3", "client4", "client5"]],
  );
  const names = readFileSync(join(folder, "fleet/secrets/passwords.yaml"), "utf8").match(/^\w+(?=: )/gm) ?? [];
  assert.equal(new Set(names).size, 40);
  for (const name of names) assert.match(manifest, new RegExp(`^ {10}${name}: (?:${name}|\\{ password: ${name},.*)$`, "m"));
});

test(".gitignore: nothing that is built is committed by mistake", (t) => {
  used.add(".gitignore");
  if (!needs(t, "git")) return;
  const folder = temporaryFolder(t);
  copyExamples(folder);
  const git = (...args: string[]): string => runNative("git", args, { cwd: folder }).stdout.toString();
  git("init", "--quiet");
  mkdirSync(join(folder, "fleet/.artifacts.sets/0/relay1"), { recursive: true });
  writeFileSync(join(folder, "fleet/.artifacts.sets/0/relay1/sasldb2"), "");
  symlinkSync(".artifacts.sets/0", join(folder, "fleet/artifacts"));
  assert.deepEqual(git("ls-files", "--others", "--exclude-standard").split("\n").slice(0, -1).sort(), files());
});

test("no file of examples/ is left out here", () => {
  assert.deepEqual([...used].sort(), files());
});
