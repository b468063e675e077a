/**
 * The steps of CI, which action.yml and templates/tsmap.yml call, without
 * GitHub and GitLab: exit codes, what they tell the service, what they leave.
 */
import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { CI_FOLDER, CiMachine, EMPTY_SARIF, STUB_SECRET, sarif } from "../support/ci-machine.ts";
import { needs, runNative } from "../support/native.ts";
import { type Outcome, run } from "../support/program.ts";
import { SMALL_FLEET, SMALL_FLEET_SECRETS } from "../support/small-fleet.ts";
import type { Cleanup } from "../support/temp.ts";

const FINDING = {
  ruleId: "short-password",
  level: "error",
  message: { text: "A password of 5 characters." },
  locations: [
    { physicalLocation: { artifactLocation: { uri: "hosts%20of%20ours/tsmap.yaml" }, region: { startLine: 7, startColumn: 3 } } },
  ],
};

function machine(t: Cleanup, tsmap?: "real"): CiMachine {
  const made = new CiMachine(t, tsmap);
  made.write("tsmap.yaml", "version: 1\n");
  return made;
}

/** Steps one after the other, as far as they succeed. */
async function steps(on: CiMachine, names: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  let last: Outcome | undefined;
  for (const name of names) {
    last = await on.step(name, env);
    assert.equal(last.exit, 0, `${name}: ${last.stdout}${last.stderr}`);
  }
  assert.ok(last);
  return last;
}

suite("plan", () => {
  test("changes are no failure: the log, the summary and the output say what they are", async (t) => {
    const on = machine(t);
    const { exit, stdout } = await on.githubStep("plan");
    assert.equal(exit, 0);
    assert.match(stdout, /^\+ user alice@relay1\.example\.com$/m);
    assert.equal(on.read("output.txt"), "plan=changes\n");
    assert.equal(on.read("summary.txt"), "### Plan: changes\n\n```text\n+ user alice@relay1.example.com\n```\n\n");
    assert.equal(on.read("tsmap-reports/summary.md"), on.read("summary.txt"));
    assert.equal(on.read("tsmap-reports/fleet.env"), "FLEET_PLAN=changes\n");
    assert.deepEqual(on.calls, ["plan tsmap.yaml"]);
  });

  test("nothing to do", async (t) => {
    const on = machine(t);
    on.answer({ plan: { exit: 0, stdout: "" } });
    assert.equal((await on.githubStep("plan")).exit, 0);
    assert.equal(on.read("output.txt"), "plan=none\n");
    assert.match(on.read("summary.txt") ?? "", /Nothing to do\./);
  });

  for (const [what, plan] of Object.entries({
    trouble: { exit: 1, stdout: "" },
    "a command that is not there": { exit: 2, stdout: "" },
    "one that was killed": { exit: 137, stdout: "+ user" },
  })) {
    test(`${what} fails the step, and nothing is told`, async (t) => {
      const on = machine(t);
      on.answer({ plan });
      const { exit, stderr } = await on.githubStep("plan");
      assert.equal(exit, 1);
      assert.match(stderr, /could not tell/);
      assert.equal(on.read("output.txt"), undefined);
      assert.equal(on.read("summary.txt"), undefined);
    });
  }

  test("what looks like commands of GitHub, or like the end of a fence, is text", async (t) => {
    const on = machine(t);
    const hostile = "+ record ::add-path::/tmp\n::set-output name=plan::none\n````\n# a heading\n``````` x\n";
    on.answer({ plan: { exit: 2, stdout: hostile } });
    const { stdout } = await on.githubStep("plan");
    const [, word, body] = /^::stop-commands::([0-9a-f]{32})\n(.*)::\1::\n$/s.exec(stdout) ?? [];
    assert.ok(word !== undefined && body?.includes(hostile), stdout);
    assert.equal(on.read("output.txt"), "plan=changes\n");
    assert.equal(on.read("summary.txt"), `### Plan: changes\n\n\`\`\`\`\`\`\`\`text\n${hostile}\`\`\`\`\`\`\`\`\n\n`);
    assert.notEqual(/^::stop-commands::(.*)/.exec((await on.githubStep("plan")).stdout)?.[1], word, "the word is always the same");
  });

  test("commands are obeyed again after a step that fails; elsewhere there are none", async (t) => {
    const on = machine(t);
    on.answer({ plan: { exit: 1, stdout: "" } });
    assert.match((await on.githubStep("plan")).stdout, /^::stop-commands::(\w+)\n::\1::\n$/);
    assert.equal((await on.step("plan")).stdout, "");
  });

  test("a long plan is whole in its file, and cut in the summary", async (t) => {
    const on = machine(t);
    const line = `+ record ${"é".repeat(40)}\n`;
    on.answer({ plan: { exit: 2, stdout: line.repeat(10_000) } });
    assert.equal((await on.githubStep("plan")).exit, 0);
    const summary = readFileSync(join(on.folder, "summary.txt"), "utf8");
    assert.ok(summary.length < 1 << 20 && summary.length > 200_000);
    assert.match(summary, /```text\n(\+ record é{40}\n)+```\n\nThe rest is left out here\.\n\n$/);
    assert.equal(readFileSync(join(on.folder, "tsmap-reports/plan.txt"), "utf8").length, line.length * 10_000);
  });
});

suite("the manifest and the output", () => {
  test("a manifest elsewhere, with a name that is no ordinary one; the output is beside it", async (t) => {
    const on = machine(t);
    mkdirSync(join(on.folder, "the fleet"));
    on.write("the fleet/-f $HOME.yaml", "version: 1\n");
    await steps(on, ["plan", "build"], { FLEET_MANIFEST: "the fleet/-f $HOME.yaml", FLEET_OUTPUT: "out" });
    assert.deepEqual(on.calls, ["plan the fleet/-f $HOME.yaml", "build the fleet/-f $HOME.yaml --no-progress"]);
    assert.equal(readlinkSync(join(on.folder, "the fleet/out")), ".out.sets/new");
    on.write("-x.yaml", "version: 1\n");
    await steps(on, ["plan"], { FLEET_MANIFEST: "-x.yaml" });
    assert.equal(on.calls.at(-1), "plan ./-x.yaml");
  });

  test("none at all", async (t) => {
    const on = new CiMachine(t);
    for (const name of ["plan", "build", "check", "pack", "restore"]) {
      const { exit, stderr } = await on.step(name);
      assert.deepEqual([exit, stderr], [2, "tsmap in CI: no tsmap.yaml, tsmap.yml or tsmap.json here\n"]);
    }
    assert.deepEqual(on.calls, []);
  });
});

test("build: a failure is one, with its exit code", async (t) => {
  const on = machine(t);
  assert.equal((await on.githubStep("build")).exit, 0);
  assert.equal(on.read("output.txt"), `output=${on.folder}/artifacts\n`);
  const other = new CiMachine(t);
  other.write("tsmap.json", "{}\n");
  other.addProgram("tsmap", "#!/bin/sh\nexit 2\n");
  assert.equal((await other.step("build")).exit, 2);
  assert.match((await other.step("build")).stderr, /does not say where/);
  const settings = `case $* in *--show-settings*) echo '[{"name":"output","value":"out"}]' ;; esac`;
  other.addProgram("tsmap", `#!/bin/sh\n${settings}\nexit 0\n`);
  const { exit, stderr } = await other.step("build");
  assert.deepEqual([exit, stderr], [2, `tsmap in CI: tsmap build left nothing at ${other.folder}/out\n`]);
});

suite("check", () => {
  test("nothing found", async (t) => {
    const on = machine(t);
    assert.equal((await on.githubStep("check", { FLEET_COPIES: "copies" })).exit, 0);
    assert.deepEqual(on.calls, ["check tsmap.yaml --format sarif --copies copies"]);
    assert.equal(on.read("output.txt"), `sarif=${on.folder}/tsmap-reports/check.sarif\nfindings=0\n`);
    assert.equal(on.read("tsmap-reports/check.sarif"), EMPTY_SARIF);
    assert.equal(on.read("tsmap-reports/codequality.json"), "[]\n");
    assert.equal(on.read("summary.txt"), undefined);
  });

  test("findings fail the step, after all of them was written and told", async (t) => {
    const on = machine(t);
    const everywhere = { ruleId: "stale", message: { text: "Stale\u001b[2J\nartifacts." } };
    on.answer({ check: { exit: 1, stdout: sarif([FINDING, everywhere]) } });
    const { exit, stdout } = await on.githubStep("check");
    assert.equal(exit, 1);
    const text =
      "hosts of ours/tsmap.yaml:7:3: error: A password of 5 characters. [short-password]\nwarning: Stale [2J artifacts. [stale]\n";
    assert.ok(stdout.includes(text), stdout);
    assert.ok(on.read("summary.txt")?.includes(text));
    assert.equal(on.read("output.txt"), `sarif=${on.folder}/tsmap-reports/check.sarif\nfindings=2\n`);
    assert.equal(on.read("tsmap-reports/check.sarif"), sarif([FINDING, everywhere]));
    const [first, second] = JSON.parse(on.read("tsmap-reports/codequality.json") ?? "") as Record<string, unknown>[];
    assert.deepEqual(
      { ...first, fingerprint: "" },
      {
        description: "A password of 5 characters.",
        check_name: "short-password",
        fingerprint: "",
        severity: "major",
        location: { path: "hosts of ours/tsmap.yaml", lines: { begin: 7 } },
      },
    );
    assert.notEqual(first?.["fingerprint"], second?.["fingerprint"]);
  });

  for (const [what, check] of Object.entries({
    trouble: { exit: 2, stdout: "" },
    "a program that came to grief": { exit: 1, stdout: "" },
    "half of a report": { exit: 1, stdout: sarif([FINDING]).slice(0, -9) },
    "a report of another kind": { exit: 0, stdout: '{"version":"2.0.0"}' },
  })) {
    test(`${what} is no finding, and an old report does not stay`, async (t) => {
      const on = machine(t);
      await steps(on, ["check"]);
      on.answer({ check });
      assert.equal((await on.githubStep("check")).exit, 2);
      assert.equal(on.read("output.txt"), undefined);
      assert.deepEqual(
        readdirSync(join(on.folder, "tsmap-reports")).filter((name) => !name.startsWith("fleet")),
        [],
      );
    });
  }
});

suite("pack", () => {
  test("the same set is the same archive: sorted, without links, with the modes of its files; for its owner alone", async (t) => {
    const [a, b] = [machine(t), machine(t)];
    await steps(a, ["build", "pack"]);
    await steps(b, ["build"]);
    // What no two machines have in common: times, modes of folders, the order in which files were made.
    const files = join(b.folder, "artifacts");
    utimesSync(join(files, "index.json"), 1e9, 1e9);
    chmodSync(join(files, "relay1.example.com"), 0o775);
    const { stdout } = await steps(b, ["pack"], { TZ: "Asia/Tokyo", LC_ALL: "C.UTF-8" });
    const archives = [a, b].map(({ folder }) => readFileSync(join(folder, "tsmap-reports/tsmap-artifacts.tar")));
    assert.deepEqual(archives[0], archives[1]);
    assert.match(stdout, /packed, sha256 [0-9a-f]{64}/);
    assert.equal(statSync(join(a.folder, "tsmap-reports/tsmap-artifacts.tar")).mode & 0o777, 0o600);
    const list = await run("tar", ["-tvf", "tsmap-reports/tsmap-artifacts.tar", "--utc"], { cwd: a.folder });
    assert.deepEqual(
      list.stdout.split("\n").map((line) => line.replace(/ +\d+ 1970-01-01 00:00/, "")),
      [
        "drwx------ 0/0 client1.example.com/",
        "drwx------ 0/0 relay1.example.com/",
        "-rw------- 0/0 SHA256SUMS",
        "-rw-r----- 0/0 client1.example.com/smtp-auth.db",
        "-rw------- 0/0 index.json",
        "-rw------- 0/0 relay1.example.com/sasldb2",
        "",
      ],
    );
    const sums = await run("sha256sum", ["--check", "tsmap-artifacts.tar.sha256"], { cwd: join(a.folder, "tsmap-reports") });
    assert.equal(sums.exit, 0);
  });

  test("a set that is not what it says is not packed", async (t) => {
    const on = machine(t);
    assert.match((await on.step("pack")).stderr, /nothing was built/);
    await steps(on, ["build"]);
    writeFileSync(join(on.folder, "artifacts/index.json"), "{ }\n");
    const { exit, stderr } = await on.githubStep("pack");
    assert.equal(exit, 2);
    assert.match(stderr, /not what its SHA256SUMS says/);
    assert.equal(on.read("output.txt"), undefined);
  });

  test("links of both kinds are files in the archive", async (t) => {
    const on = machine(t);
    await steps(on, ["build"]);
    symlinkSync("index.json", join(on.folder, "artifacts/link.json"));
    linkSync(join(on.folder, "artifacts/index.json"), join(on.folder, "artifacts/name.json"));
    await steps(on, ["pack"]);
    const list = await run("tar", ["-tvf", "tsmap-reports/tsmap-artifacts.tar"], { cwd: on.folder });
    assert.match(list.stdout, /^-rw-.* 3 .* link\.json$/m);
    assert.match(list.stdout, /^-rw-.* 3 .* name\.json$/m);
  });
});

test("restore: what was packed is compared with; nothing before the first run; a damaged archive is told", async (t) => {
  const on = machine(t);
  const env = { FLEET_PREVIOUS: "previous.tar" };
  assert.match((await steps(on, ["restore"], env)).stdout, /all is new/);
  await steps(on, ["build", "pack"]);
  assert.match((await on.step("restore", { FLEET_PREVIOUS: "tsmap-reports/tsmap-artifacts.tar" })).stderr, /is there already/);

  const next = machine(t);
  const archive = readFileSync(join(on.folder, "tsmap-reports/tsmap-artifacts.tar"));
  next.write("previous.tar", archive);
  await steps(next, ["restore"], env);
  assert.deepEqual(next.read("artifacts/relay1.example.com/sasldb2"), on.read("artifacts/relay1.example.com/sasldb2"));
  assert.equal(statSync(join(next.folder, "artifacts/client1.example.com/smtp-auth.db")).mode & 0o777, 0o640);
  await steps(next, ["plan", "build", "check", "pack"]);
  assert.deepEqual(readFileSync(join(next.folder, "tsmap-reports/tsmap-artifacts.tar")), archive);

  const damaged = machine(t);
  archive.write("x", archive.indexOf(STUB_SECRET));
  damaged.write("previous.tar", archive);
  assert.match((await damaged.step("restore", env)).stderr, /not what its SHA256SUMS says/);
  assert.equal(damaged.read("artifacts"), undefined);
});

test("what is built is in the archive, and in nothing that is printed or told", async (t) => {
  const on = machine(t);
  on.answer({ check: { exit: 1, stdout: sarif([FINDING]) } });
  let printed = "";
  for (const name of ["restore", "plan", "build", "check", "pack"]) {
    const { stdout, stderr } = await on.githubStep(name);
    printed += stdout + stderr;
  }
  const told = readdirSync(join(on.folder, "tsmap-reports")).filter((name) => !name.endsWith(".tar"));
  for (const name of told) printed += on.read(`tsmap-reports/${name}`);
  printed += on.read("output.txt") ?? "";
  printed += on.read("summary.txt") ?? "";
  assert.ok(printed.includes("packed") && printed.includes("sarif="));
  assert.ok(!printed.includes(STUB_SECRET));
  assert.ok(on.read("tsmap-reports/tsmap-artifacts.tar")?.includes(STUB_SECRET));
});

test("install: the version of the action itself, or the one asked for; no script of any package", async (t) => {
  const on = machine(t);
  on.addProgram("npm", '#!/bin/sh\nprintf "%s\\n" "$*" >npm.txt\n');
  assert.equal((await on.githubStep("install")).exit, 0);
  const { version } = JSON.parse(readFileSync(`${CI_FOLDER}../package.json`, "utf8")) as { version: string };
  const [, folder] = /^install --prefix (\S+) --no-save --ignore-scripts /.exec(on.read("npm.txt") ?? "") ?? [];
  assert.ok(folder !== undefined && on.read("npm.txt")?.endsWith(` tsmakemap@${version}\n`));
  assert.equal(on.read("path.txt"), `${folder}/node_modules/.bin\n`);
  assert.equal((await on.githubStep("install", { FLEET_VERSION: "1.2.3" })).exit, 0);
  assert.ok(on.read("npm.txt")?.endsWith(" tsmakemap@1.2.3\n"));
  on.write("npm.txt", "");
  assert.equal((await on.githubStep("install", { FLEET_VERSION: "path" })).exit, 0);
  assert.equal(on.read("npm.txt"), "");
});

suite("the real tsmap", () => {
  test("a fleet is planned, built, checked and packed, twice to the same bytes", async (t) => {
    const archives: Buffer[] = [];
    let printed = "";
    for (const umask of [0o022, 0o077]) {
      const on = new CiMachine(t, "real");
      on.write("tsmap.yaml", SMALL_FLEET.replace("target: aix", "target: aix, output: out"));
      for (const name of ["restore", "plan", "build", "check", "pack"]) {
        const { exit, stdout, stderr } = await on.step(name, { ...on.github, ...SMALL_FLEET_SECRETS }, umask);
        assert.equal(exit, 0, `${name}: ${stdout}${stderr}`);
        printed += stdout + stderr;
      }
      assert.match(on.read("output.txt") ?? "", /^plan=changes$/m);
      archives.push(readFileSync(join(on.folder, "tsmap-reports/tsmap-artifacts.tar")));
      // And now there is nothing to do.
      assert.equal((await on.step("plan", { ...on.github, ...SMALL_FLEET_SECRETS })).exit, 0);
      assert.match(on.read("output.txt") ?? "", /^plan=none$/m);
      for (const name of ["summary.txt", "output.txt", "tsmap-reports/plan.txt", "tsmap-reports/check.sarif"]) printed += on.read(name);
    }
    assert.deepEqual(archives[0], archives[1]);
    assert.ok(!printed.includes(SMALL_FLEET_SECRETS.ALICE));
  });

  test("what was built before is compared with; a change is one", async (t) => {
    const before = new CiMachine(t, "real");
    before.write("tsmap.yaml", SMALL_FLEET);
    for (const name of ["build", "pack"]) assert.equal((await before.step(name, SMALL_FLEET_SECRETS)).exit, 0);
    const on = new CiMachine(t, "real");
    on.write("previous.tar", readFileSync(join(before.folder, "tsmap-reports/tsmap-artifacts.tar")));
    on.write("tsmap.yaml", SMALL_FLEET);
    const env = { ...SMALL_FLEET_SECRETS, FLEET_PREVIOUS: "previous.tar" };
    assert.equal((await on.step("restore", env)).exit, 0);
    assert.match((await on.step("plan", env)).stdout, /^$|nothing|as (it|they) (is|are)/i);
    assert.equal(on.read("tsmap-reports/fleet.env"), "FLEET_PLAN=none\n");
    on.write("tsmap.yaml", SMALL_FLEET.replace("{ alice: alice }", "{ alice: alice, bob: alice }"));
    assert.match((await on.step("plan", env)).stdout, /\+ bob@relay1\.example\.com/);
    for (const name of ["build", "check", "pack"]) assert.equal((await on.step(name, env)).exit, 0, name);
    assert.deepEqual(readdirSync(join(on.folder, ".artifacts.sets")).length, 1);
  });

  test("a password that is too short is a finding: the step fails, and the report is there", async (t) => {
    const on = new CiMachine(t, "real");
    on.write("tsmap.yaml", SMALL_FLEET);
    const short = { ...SMALL_FLEET_SECRETS, ALICE: "zXq-26" };
    assert.equal((await on.githubStep("build", short)).exit, 0);
    const { exit, stdout } = await on.githubStep("check", short);
    assert.equal(exit, 1, stdout);
    assert.match(on.read("output.txt") ?? "", /^sarif=.*\nfindings=[1-9]/m);
    assert.ok(!stdout.includes("zXq-26"));
  });

  test("a manifest that is none is trouble for each step", async (t) => {
    const on = new CiMachine(t, "real");
    on.write("tsmap.yaml", "version: 1\nhosts: {}\n");
    for (const [name, code] of Object.entries({ plan: 1, build: 2, check: 2 })) assert.equal((await on.githubStep(name)).exit, code, name);
    assert.equal(on.read("output.txt"), undefined);
  });
});

test("shellcheck has nothing to say", (t) => {
  if (!needs(t, "shellcheck")) return;
  const scripts = readdirSync(CI_FOLDER).filter((name) => name.endsWith(".sh"));
  assert.ok(scripts.length >= 7);
  const { status, stdout } = runNative("shellcheck", ["--external-sources", ...scripts.map((name) => CI_FOLDER + name)]);
  assert.equal(status, 0, stdout.toString());
});
