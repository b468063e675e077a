/**
 * tsmap check: its three formats, its exit codes, and that no password is in
 * what it says. What it finds is in test/artifacts/check.test.ts.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { CHECK_RULES } from "#src/artifacts/check-rules.js";
import { LINT_RULES } from "#src/authinfo/lint/rules.js";
import { FLEET_SECRET, FleetBench, publishedSchema } from "../support/fleet-bench.ts";
import type { Outcome } from "../support/program.ts";
import { type Sarif, sarifSchema } from "../support/sarif.ts";

const isFinding = publishedSchema("check");
const isSarif = sarifSchema("tsmap check", ["startColumn", "endColumn"]);

interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

function findings({ stdout }: Outcome): Finding[] {
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const finding = JSON.parse(line) as Finding;
      assert.ok(isFinding(finding), JSON.stringify(isFinding.errors));
      return finding;
    });
}

function sarif({ stdout }: Outcome): Sarif["runs"][0] {
  const log = JSON.parse(stdout) as Sarif;
  assert.ok(isSarif(log), JSON.stringify(isSarif.errors));
  return log.runs[0];
}

/** Something is wrong with each part: the policy, a text, and the client against its relay. */
const FLEET = `policy: { min-length: 17 }
hosts:
  relay1:
    auth-mechanisms: [DIGEST-MD5]
    databases: { sasldb2: { users: { alice: alice, bob: bob } } }
  client1:
    relays: [relay1]
    auth-mechanisms: [DIGEST-MD5]
    maps:
      smtp-auth: { source: texts/smtp auth }
`;
const TEXT = `AuthInfo:other:25 "U:bob" "P:${FLEET_SECRET}-bob"\nAuthInfo:relay1 "U:bob" "P:${FLEET_SECRET}-typo"\n`;

function fleetBench(t: { after(action: () => void): void }): FleetBench {
  const bench = new FleetBench(t);
  bench.manifest(FLEET);
  mkdirSync(bench.path("texts"));
  bench.write("texts/smtp auth", TEXT);
  return bench;
}

describe("tsmap check", () => {
  it("says nothing but how many files where all is well, with exit code 0", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest("hosts: { relay1: { databases: { sasldb2: { users: { alice: alice } } } } }\n");
    await bench.build();
    const { exit, stdout, stderr } = await bench.run(["check"]);
    assert.deepEqual([exit, stdout, stderr], [0, "1 file, nothing found\n", ""]);
    const json = await bench.run(["check", "--format", "json"]);
    assert.deepEqual([json.exit, json.stdout], [0, ""]);
    const log = await bench.run(["check", "--format", "sarif"]);
    assert.equal(log.exit, 0);
    const { results, invocations } = sarif(log);
    assert.deepEqual([results, invocations[0]], [[], { executionSuccessful: true, toolExecutionNotifications: [] }]);
  });

  it("says two lines for each finding, with exit code 1", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    const { exit, stdout, stderr } = await bench.run(["check"]);
    assert.deepEqual([exit, stderr], [1, ""]);
    assert.equal(
      stdout,
      `texts/smtp auth:1:15: error port-in-key: the key names a port
    mend: remove the colon and the port
tsmap.yaml:4:31: error short-password: the password of alice@relay1 in relay1/sasldb2 has 15 characters, and min-length is 17
    mend: set a longer one
texts/smtp auth:2: error would-not-authenticate: client1 would not authenticate to relay1 with client1/smtp-auth.db: wrong password for bob@relay1
    mend: tsmap auth says what is asked for, and what the relay has
2 files, 3 findings
`,
    );
  });

  it("says the same in JSON, a finding to a line, and in SARIF", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    const json = await bench.run(["check", "--format", "json"]);
    assert.equal(json.exit, 1);
    const found = findings(json);
    assert.deepEqual(
      found.map(({ file, line, column, code }) => [file, line, column, code]),
      [
        ["texts/smtp auth", 1, 15, "port-in-key"],
        ["tsmap.yaml", 4, 31, "short-password"],
        ["texts/smtp auth", 2, undefined, "would-not-authenticate"],
      ],
    );
    const log = await bench.run(["check", "--format", "sarif"]);
    assert.equal(log.exit, 1);
    const { results, tool } = sarif(log);
    assert.deepEqual(
      results.map(({ ruleId, locations: [{ physicalLocation }] }) => [ruleId, physicalLocation]),
      [
        // Lint counts columns in bytes, and SARIF in characters: they are left out.
        ["port-in-key", { artifactLocation: { uri: "texts/smtp%20auth" }, region: { startLine: 1 } }],
        ["short-password", { artifactLocation: { uri: "tsmap.yaml" }, region: { startLine: 4, startColumn: 31 } }],
        ["would-not-authenticate", { artifactLocation: { uri: "texts/smtp%20auth" }, region: { startLine: 2 } }],
      ],
    );
    for (const { ruleId, ruleIndex, level, message } of results) {
      assert.deepEqual([tool.driver.rules[ruleIndex]?.id, level], [ruleId, "error"]);
      assert.match(message.text, /^[A-Za-z].*\. Mend: .*\.$/);
    }
    const rules = tool.driver.rules.map(({ id }) => id);
    assert.equal(new Set(rules).size, rules.length);
    assert.deepEqual(rules.sort(), [...new Set([...Object.keys(CHECK_RULES), ...Object.keys(LINT_RULES)])].sort());
    assert.equal(new Set(results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints))).size, results.length);
  });

  it("has fingerprints that stay when lines move and passwords change", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    const prints = async (env: NodeJS.ProcessEnv = {}): Promise<unknown> =>
      sarif(await bench.run(["check", "--format", "sarif"], { env })).results.map(({ ruleId, partialFingerprints }) => [
        ruleId,
        partialFingerprints,
      ]);
    const before = await prints();
    bench.manifest(`# remark\n\n${FLEET}`);
    bench.write("texts/smtp auth", `# remark\n${TEXT}`);
    await bench.build();
    assert.deepEqual(await prints(), before);
  });

  it("is of the day that it is told", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest(
      "policy: { max-age: 30 }\nhosts: { h: { databases: { d: { users: { a: { password: { env: BOB, changed: 2026-01-01 } } } } } } }\n",
    );
    await bench.build();
    const exits = [];
    for (const day of ["2026-01-01", "2026-01-31", "2026-02-01"]) exits.push((await bench.run(["check", "--today", day])).exit);
    assert.deepEqual(exits, [0, 0, 1]);
    for (const day of ["2026-02-30", "today", "2026-1-1", "", "2026-01-01T00:00:00Z"]) {
      const { exit, stderr } = await bench.run(["check", "--today", day]);
      assert.deepEqual([exit, stderr], [2, `tsmap: --today: "${day}" is no day: 2026-11-25\n`]);
    }
  });

  it("compares with copies, of a folder that is there", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest("hosts: { h: { databases: { d: { users: { a: alice } } } } }\n");
    await bench.build();
    cpSync(bench.path("artifacts"), bench.path("copies"), { recursive: true, dereference: true });
    assert.equal((await bench.run(["check", "--copies", "copies"])).exit, 0);
    writeFileSync(bench.path("copies/h/d"), "text");
    const { exit, stdout } = await bench.run(["check", "--copies", "copies"]);
    assert.equal(exit, 1);
    assert.match(stdout, /^tsmap\.yaml:5:28: error copy-damaged: the copy from h cannot be read: /);
    for (const [copies, message] of [
      ["none", "none: No such file or directory"],
      ["tsmap.yaml", "tsmap.yaml: not a folder of copies, a folder for each host"],
    ] as const) {
      const outcome = await bench.run(["check", "--copies", copies]);
      assert.deepEqual([outcome.exit, outcome.stderr], [2, `tsmap: ${message}\n`]);
    }
  });

  it("ends with 2 where nothing can be checked, and SARIF is a log all the same", async (t) => {
    const bench = new FleetBench(t);
    for (const [manifest, message] of [
      [
        "hosts: { h: { databases: { d: { users: { a: { password: { env: NONE } } } } } } }\n",
        /^tsmap\.yaml:5:47: secret hosts\.h\.databases\.d\.users\.a\.password: the environment has no NONE$/,
      ],
      ["hosts: { h: { maps: { m: {} } } }\n", /^tsmap\.yaml:5:23: hosts\.h\.maps\.m: source is missing/],
      ["hosts: { h: { maps: { m: { source: none } } } }\n", /^tsmap\.yaml:5:23: source none: no such file$/],
      ["hosts: {\n", /^tsmap\.yaml:6:1: /],
    ] as const) {
      bench.manifest(manifest);
      for (const format of ["text", "json", "sarif"]) {
        const outcome = await bench.run(["check", "--format", format]);
        assert.equal(outcome.exit, 2, manifest);
        assert.match(outcome.stderr.replace(/^tsmap: /, "").trimEnd(), message);
        if (format !== "sarif") assert.equal(outcome.stdout, "");
        else {
          const [{ executionSuccessful, toolExecutionNotifications }] = sarif(outcome).invocations;
          assert.equal(executionSuccessful, false);
          assert.match((toolExecutionNotifications[0] as { message: { text: string } }).message.text, message);
        }
      }
    }
  });
});
