/**
 * Releases: what keeps one from being published by mistake, the order in which
 * its packages are published, and the workflows.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { rootFolder } from "../support/fixtures.ts";
import { githubErrors } from "../support/github-parser.ts";
import { needs, runNative } from "../support/native.ts";
import { type Outcome, run } from "../support/program.ts";
import { type Cleanup, temporaryFolder } from "../support/temp.ts";

const VERSION = "1.2.3";
const REPOSITORY = "example/tsmakemap";

/** What is looked at, as it is here but for the version, and ready to be released. */
class Release {
  readonly folder: string;

  constructor(t: Cleanup) {
    this.folder = temporaryFolder(t);
    const names = [".ci", "action.yml", "docs/ci.md", "templates", "package.json", "wasm/package.json"];
    for (const name of names) cpSync(`${rootFolder}${name}`, join(this.folder, name), { recursive: true });
    const { version } = JSON.parse(readFileSync(`${rootFolder}package.json`, "utf8")) as { version: string };
    for (const name of ["action.yml", "docs/ci.md", "templates/tsmap.yml"]) this.edit(name, (text) => text.replaceAll(version, VERSION));
    const url = `https://github.com/${REPOSITORY}`;
    const fields = { version: VERSION, homepage: url, bugs: `${url}/issues`, repository: { type: "git", url: `git+${url}.git` } };
    this.editJson("wasm/package.json", (manifest) => ({ ...manifest, ...fields }));
    this.editJson("package.json", ({ dependencies, ...manifest }) => ({
      ...manifest,
      ...fields,
      dependencies: { ...(dependencies as object), "berkeley-db-js": VERSION },
    }));
    writeFileSync(
      join(this.folder, "CHANGELOG.md"),
      `# Changes\n\n## ${VERSION}, 2026-12-01\n\n- A change.\n\n## 0.1.0, 2026-11-01\n\n- All.\n`,
    );
  }

  edit(name: string, change: (text: string) => string): void {
    const path = join(this.folder, name);
    const before = readFileSync(path, "utf8");
    const after = change(before);
    assert.notEqual(after, before, name);
    writeFileSync(path, after);
  }

  editJson(name: string, change: (value: Record<string, unknown>) => object): void {
    this.edit(name, (text) => JSON.stringify(change(JSON.parse(text) as Record<string, unknown>)));
  }

  check(tag = `v${VERSION}`, repository = REPOSITORY): Promise<Outcome> {
    return run(process.execPath, [join(this.folder, ".ci/check-release.js"), tag], { env: { GITHUB_REPOSITORY: repository } });
  }
}

suite("the check of a release", () => {
  test("all is in order", async (t) => {
    assert.deepEqual(await new Release(t).check(), { exit: 0, signal: null, stdout: "check-release: v1.2.3 is ready\n", stderr: "" });
  });

  const faults: Readonly<Record<string, readonly [string | undefined, RegExp, (release: Release) => void]>> = {
    "another tag": ["v1.2.4", /^check-release: wasm\/package\.json: the version is 1\.2\.3, the tag says 1\.2\.4$/m, () => {}],
    "a tag of another kind": ["1.2.3", /"1\.2\.3" is no tag of a release/, () => {}],
    "a shell's metacharacters": ["v1.2.3;id", /is no tag/, () => {}],
    "one package of another version": [
      undefined,
      /^check-release: wasm\/package\.json: the version is 1\.2\.2, the tag says 1\.2\.3$/m,
      (release) => release.editJson("wasm/package.json", (manifest) => ({ ...manifest, version: "1.2.2" })),
    ],
    "another engine": [
      undefined,
      /depends on berkeley-db-js 0\.1\.0/,
      (release) => release.editJson("package.json", (manifest) => ({ ...manifest, dependencies: { "berkeley-db-js": "0.1.0" } })),
    ],
    "no repository": [
      undefined,
      /^check-release: package\.json: no repository, no bugs: set them as CONTRIBUTING\.md says, "Before the first release"$/m,
      (release) => release.editJson("package.json", ({ repository: _, bugs: __, ...manifest }) => manifest),
    ],
    "a private package": [
      undefined,
      /private/,
      (release) => release.editJson("package.json", (manifest) => ({ ...manifest, private: true })),
    ],
    "no section": [
      undefined,
      /no section "## 1\.2\.3, YYYY/,
      (release) => release.edit("CHANGELOG.md", (text) => text.replace("1.2.3", "1.2.30")),
    ],
    "not yet released": [
      undefined,
      /"## 1\.2\.3, not yet released" wants a date/,
      (release) => release.edit("CHANGELOG.md", (text) => text.replace("2026-12-01", "not yet released")),
    ],
    "an empty section": [
      undefined,
      /nothing is said/,
      (release) => release.edit("CHANGELOG.md", (text) => text.replace("- A change.\n", "")),
    ],
    "an old section": [
      undefined,
      /the first section is not/,
      (release) => release.edit("CHANGELOG.md", (text) => text.replace("# Changes\n", "# Changes\n\n## 2.0.0, soon\n\n- More.\n")),
    ],
    "the example of the action": [
      undefined,
      /action\.yml/,
      (release) => release.edit("action.yml", (text) => text.replace("@v1.2.3", "@v1.2.2")),
    ],
    "the version that the template installs": [
      undefined,
      /templates\/tsmap\.yml: version/,
      (release) => release.edit("templates/tsmap.yml", (text) => text.replace("default: 1.2.3", "default: 1.2.2")),
    ],
  };
  for (const [what, [tag, message, breakIt]] of Object.entries(faults)) {
    test(`${what} is refused`, async (t) => {
      const release = new Release(t);
      breakIt(release);
      const { exit, stdout, stderr } = await release.check(tag);
      assert.equal(exit, 1);
      assert.equal(stdout, "");
      assert.match(stderr, message);
    });
  }

  test("so is a fork's", async (t) => {
    assert.match((await new Release(t).check(undefined, "fork/tsmakemap")).stderr, /npm refuses from github\.com\/fork\/tsmakemap/);
  });
});

suite("publish", () => {
  const NPM = `#!/bin/sh
echo "$*" >>calls.txt
case $1 in
  view) [ -f "view-\${2%@*}" ] && cat "view-\${2%@*}" || exit 1 ;;
  publish) [ ! -f refuse ] ;;
esac
`;

  function prepare(
    t: Cleanup,
    names: readonly string[],
  ): { folder: string; publish: (version?: string) => Promise<Outcome>; calls: () => string[] } {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/npm"), NPM, { mode: 0o755 });
    mkdirSync(join(folder, "release"));
    for (const name of names) writeFileSync(join(folder, "release", `${name}.tgz`), name);
    const env = { PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter) };
    return {
      folder,
      publish: (version = VERSION) => run("sh", [`${rootFolder}.ci/publish`, "release", version], { cwd: folder, env }),
      calls: () => {
        const path = join(folder, "calls.txt");
        return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
      },
    };
  }

  const BOTH = ["berkeley-db-js-1.2.3", "tsmakemap-1.2.3"];

  test("the engine first, with provenance", async (t) => {
    const { folder, publish, calls } = prepare(t, BOTH);
    assert.equal((await publish()).exit, 0);
    assert.deepEqual(
      calls().filter((call) => call.startsWith("publish")),
      BOTH.map((name) => `publish ${folder}/release/${name}.tgz --provenance --access public --tag latest`),
    );
  });

  test("a pre-release is not the latest", async (t) => {
    const { publish, calls } = prepare(t, ["berkeley-db-js-2.0.0-rc.1", "tsmakemap-2.0.0-rc.1"]);
    assert.equal((await publish("2.0.0-rc.1")).exit, 0);
    assert.ok(calls().at(-1)?.endsWith("--tag next"));
  });

  test("neither where one is not there, and not the second where the first is refused", async (t) => {
    const half = prepare(t, BOTH.slice(0, 1));
    assert.equal((await half.publish()).exit, 1);
    assert.deepEqual(half.calls(), []);
    const refused = prepare(t, BOTH);
    writeFileSync(join(refused.folder, "refuse"), "");
    assert.notEqual((await refused.publish()).exit, 0);
    assert.equal(refused.calls().filter((call) => call.startsWith("publish")).length, 1);
  });

  test("again, after it broke off: what is there already is left out, unless it is something else", async (t) => {
    const { folder, publish, calls } = prepare(t, BOTH);
    const integrity = `sha512-${createHash("sha512").update("berkeley-db-js-1.2.3").digest("base64")}`;
    writeFileSync(join(folder, "view-berkeley-db-js"), `${integrity}\n`);
    assert.equal((await publish()).exit, 0);
    const published = calls().filter((call) => call.startsWith("publish"));
    assert.deepEqual(published, [`publish ${folder}/release/tsmakemap-1.2.3.tgz --provenance --access public --tag latest`]);
    writeFileSync(join(folder, "view-tsmakemap"), `${integrity}\n`);
    const { exit, stderr } = await publish();
    assert.equal(exit, 1);
    assert.match(stderr, /tsmakemap 1\.2\.3 is published already, with another content/);
  });
});

suite("the workflows", () => {
  interface Job {
    readonly permissions?: Readonly<Record<string, string>>;
    readonly needs?: string;
    readonly uses?: string;
    readonly steps?: readonly { readonly run?: string; readonly uses?: string; readonly with?: Readonly<Record<string, unknown>> }[];
  }
  interface Workflow {
    readonly permissions: object;
    readonly jobs: Readonly<Record<string, Job>>;
  }
  const folder = ".github/workflows/";
  const names = readdirSync(`${rootFolder}${folder}`);
  const read = (name: string): Workflow => parse(readFileSync(`${rootFolder}${folder}${name}`, "utf8")) as Workflow;

  for (const name of names) {
    test(`${name}: GitHub's parser takes it; each job has the rights that it names, and leaves no credentials behind`, () => {
      assert.deepEqual(githubErrors("workflow", `${folder}${name}`), []);
      const { permissions, jobs } = read(name);
      assert.deepEqual(permissions, {});
      for (const [job, { permissions: rights, steps = [] }] of Object.entries(jobs)) {
        assert.ok(rights !== undefined, job);
        for (const { uses = "", with: inputs } of steps) {
          if (uses.startsWith("actions/checkout@")) assert.equal(inputs?.["persist-credentials"], false, job);
        }
        // In a line of shell it would be part of the program.
        for (const { run: line = "" } of steps) assert.ok(!line.includes("${{"), job);
      }
    });
  }

  test("a release: checks, then tarballs, then npm; what may publish runs no code but npm's", () => {
    const { jobs } = read("release.yml");
    assert.deepEqual(Object.keys(jobs), ["tag", "check", "pack", "publish"]);
    for (const [job, before] of Object.entries({ check: "tag", pack: "check", publish: "pack" })) assert.equal(jobs[job]?.needs, before);
    const mayPublish = Object.entries(jobs).filter(([, { permissions }]) => permissions?.["id-token"] !== undefined);
    assert.deepEqual(
      mayPublish.map(([job]) => job),
      ["publish"],
    );
    const lines = jobs["publish"]?.steps?.flatMap(({ run: line }) => line ?? []) ?? [];
    assert.equal(lines.length, 1);
    assert.match(lines.join(), /^\.ci\/publish release /);
    assert.ok(!readFileSync(`${rootFolder}${folder}release.yml`, "utf8").includes("secrets."));
  });
});

test("shellcheck has nothing to say", (t) => {
  if (!needs(t, "shellcheck")) return;
  const { status, stdout } = runNative("shellcheck", [`${rootFolder}.ci/publish`, `${rootFolder}.ci/run`]);
  assert.equal(status, 0, stdout.toString());
});
