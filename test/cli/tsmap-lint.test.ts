/**
 * tsmap lint: its three formats, its exit codes, its mends, and that no
 * password is in what it says.
 */
import assert from "node:assert/strict";
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { LINT_RULES } from "#src/authinfo/lint/rules.js";
import { bytesOf } from "../support/bytes.ts";
import { databaseFixtures, rootFolder } from "../support/fixtures.ts";
import { LINT_EXAMPLES, SECRET, SECRET_TEXTS } from "../support/lint-examples.ts";
import { isRoot, NOBODY, type Outcome, whyNoOrdinaryUser } from "../support/program.ts";
import { type Sarif, sarifSchema } from "../support/sarif.ts";
import { temporaryFolder } from "../support/temp.ts";
import { Workbench } from "../support/tsmap.ts";

const GOOD = 'AuthInfo:relay "U:user" "P:secret"\n';
const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
const isFinding = ajv.compile(JSON.parse(readFileSync(`${rootFolder}schemas/lint.schema.json`, "utf8")) as object);

interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly record?: number;
  readonly key?: string;
  readonly severity: string;
  readonly code: string;
  readonly fixable: boolean;
  readonly mended: boolean;
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

const brief = ({ line, column, record, severity, code, mended }: Finding): string =>
  [line ?? record ?? "-", column, severity, code, mended ? "mended" : undefined].filter((part) => part !== undefined).join(" ");

describe("what tsmap lint says", () => {
  it("is nothing of a good text, with exit code 0", async (t) => {
    const bench = new Workbench(t);
    for (const format of ["text", "json"]) {
      const { exit, stdout, stderr } = await bench.tsmap(["lint", "--format", format, bench.write("source", GOOD)]);
      assert.deepEqual([exit, stdout, stderr], [0, "", ""]);
    }
  });

  it("is two lines for each finding", async (t) => {
    const bench = new Workbench(t);
    bench.write("source", 'AuthInfo:relay:25 "U:user" "P:secret"\nAuthInfo:mail.example "U:user" "P:secret" "R:x"\n');
    const { exit, stdout } = await bench.tsmap(["lint", "source"]);
    assert.equal(exit, 1);
    assert.equal(
      stdout,
      `source:1:15: error port-in-key: the key names a port
    mend: remove the colon and the port
source:2:10: note domain-key: the name in the key looks like that of a domain
    mend: name the server itself, unless this is its name
source:2:43: note realm-without-effect: the realm has no effect
    mend: remove it, or write the user as user@realm
`,
    );
  });

  it("is a JSON object to a line", async (t) => {
    const bench = new Workbench(t);
    const texts = LINT_EXAMPLES.filter(({ options }) => options === undefined).map(({ text }, i) =>
      bench.write(`source${i}`, bytesOf(text)),
    );
    const outcome = await bench.tsmap(["lint", "--format", "json", ...texts]);
    assert.equal(outcome.exit, 1);
    const expected = LINT_EXAMPLES.filter(({ options }) => options === undefined).flatMap(({ finds }) => finds);
    assert.deepEqual(
      findings(outcome).map(({ line, column, severity, code, fixable }) => `${line}:${column} ${severity} ${code}${fixable ? "*" : ""}`),
      expected,
    );
  });

  it("ends with 0 for notes, 1 for warnings and errors, and 2 for files that cannot be looked at, after all others", async (t) => {
    const bench = new Workbench(t);
    const note = bench.write("note", GOOD.replace("relay", "mail.example"));
    const warning = bench.write("warning", GOOD.replace("relay", "relay."));
    mkdirSync(bench.path("folder"));
    bench.write("archive", bytesOf("\x1f\x8b\x08"));
    bench.write("broken.db", "text");
    bench.fixture("v9-db5.3.28-le-sasldb", "sasldb");
    assert.equal((await bench.tsmap(["lint", note])).exit, 0);
    assert.equal((await bench.tsmap(["lint", note, warning])).exit, 1);
    const { exit, stdout, stderr } = await bench.tsmap(["lint", "none", "folder", "archive", "broken.db", "sasldb", warning]);
    assert.equal(exit, 2);
    assert.match(stdout, /^warning:1:15: warning trailing-dot/);
    assert.deepEqual(stderr.split("\n"), [
      "tsmap: none: No such file or directory",
      "tsmap: folder: Is a directory",
      "tsmap: archive: not a Berkeley DB file, but compressed with gzip: decompress it first",
      "tsmap: broken.db: not a Berkeley DB file, but text",
      "tsmap: sasldb: a SASL database, and no authinfo map",
      "",
    ]);
  });

  it("is of standard input for -", async (t) => {
    const bench = new Workbench(t);
    const input = GOOD.replace("secret", "%1");
    const { exit, stdout } = await bench.tsmap(["lint", "-"], { input });
    assert.equal(exit, 1);
    assert.match(stdout, /^standard input:1:25: error empty-password/);
    const mended = await bench.tsmap(["lint", "--fix", "-"], { input });
    assert.deepEqual([mended.exit, mended.stdout, mended.stderr], [2, "", "tsmap: --fix: standard input cannot be mended\n"]);
  });

  it("is of the mode of a file, which stays", async (t) => {
    const bench = new Workbench(t);
    bench.write("source", GOOD);
    const modes: Record<string, string[]> = {};
    for (const mode of [0o600, 0o640, 0o644, 0o666]) {
      chmodSync(bench.path("source"), mode);
      modes[mode.toString(8)] = findings(await bench.tsmap(["lint", "--fix", "--format", "json", "source"])).map(brief);
      assert.equal(statSync(bench.path("source")).mode & 0o777, mode);
    }
    assert.deepEqual(modes, {
      600: [],
      640: ["- note group-readable"],
      644: ["- warning world-readable"],
      666: ["- error world-writable", "- warning world-readable"],
    });
  });

  it("is a thousand findings of a kind and how many more there are, and ends with 1 for an error among notes", async (t) => {
    const bench = new Workbench(t);
    const many = Array.from({ length: 1003 }, (_, i) => `Connect:host${i} RELAY\n`).join("");
    bench.write("source", `${many}relay "U:user" "P:secret"\n`);
    const outcome = await bench.tsmap(["lint", "--format", "json", "source"]);
    assert.equal(outcome.exit, 1);
    assert.deepEqual(findings(outcome).slice(999).map(brief), [
      "1000 1 note missing-tag",
      "1004 1 error missing-tag",
      "- note more-findings",
    ]);
    const { stdout } = await bench.tsmap(["lint", "source"]);
    assert.match(stdout, /^source: note more-findings: .* \(3 more of missing-tag, note\)$/m);
    assert.equal((await sarif(bench, ["source"])).results.length, 1002);
  });

  it("depends on how makemap is to read the text", async (t) => {
    const bench = new Workbench(t);
    const codes = async (text: string, ...options: string[]): Promise<string[]> =>
      findings(await bench.tsmap(["lint", "--format", "json", ...options, bench.write("source", text)])).map(brief);
    assert.deepEqual(await codes('; remark\nAuthInfo:relay|"U:user" "P:secret"\n', "-D", ";", "-t", "|"), []);
    assert.deepEqual(await codes(GOOD.replace("AuthInfo", "authinfo"), "-f"), ["1 1 error tag-case"]);
    assert.deepEqual(await codes("AuthInfo:relay\n"), ["1 1 error missing-value"]);
    assert.deepEqual(await codes("AuthInfo:relay\n", "-e"), ["1 15 error empty-value"]);
    for (const [option, effect] of [
      ["-N", "makemap refuses this one"],
      ["-r", "this one takes its place (-r)"],
      ["-d", "both are stored (-d), and the first is found"],
    ] as const) {
      const { stdout } = await bench.tsmap(["lint", option, bench.write("source", GOOD + GOOD)]);
      assert.equal(stdout.split("\n")[0], `source:2:1: warning duplicate-key: an earlier entry has the same key (line 1; ${effect})`);
    }
  });
});

describe("tsmap lint of a database", () => {
  it("names records and keys", async (t) => {
    const bench = new Workbench(t);
    const map = await bench.makemap("map", `${GOOD}AuthInfo:relay:25 "U:user"\nAuthInfo:other"U:user" "P:secret"\n`);
    chmodSync(bench.path(map), 0o600);
    const { exit, stdout } = await bench.tsmap(["lint", map]);
    assert.equal(exit, 1);
    const heads = stdout.split("\n").filter((line) => !line.startsWith(" "));
    assert.deepEqual(heads.map((line) => line.replace(/record \d/, "record N")).sort(), [
      "",
      "map.db: record N, authinfo:***: error missing-blank-after-key: no blank stands between the key and the first item",
      "map.db: record N, authinfo:***: error missing-password: there is no item for the password",
      "map.db: record N, authinfo:***: error port-in-key: the key names a port",
    ]);
    assert.equal((await bench.tsmap(["lint", "--fix", map])).stdout, stdout);
  });

  it("finds keys that keep their case, unless it is told that the K line has -f", async (t) => {
    const bench = new Workbench(t);
    const map = await bench.makemap("map", GOOD, ["-f"]);
    chmodSync(bench.path(map), 0o600);
    assert.deepEqual(findings(await bench.tsmap(["lint", "--format", "json", map])).map(brief), ["1 error upper-case-key"]);
    assert.equal((await bench.tsmap(["lint", "-f", map])).exit, 0);
  });

  it("is the same for every version and byte order", async (t) => {
    const bench = new Workbench(t);
    const maps = databaseFixtures().filter(({ name }) => name.endsWith("-authinfo"));
    assert.ok(maps.length > 2);
    const outcome = await bench.tsmap(["lint", "--format", "json", ...maps.map(({ name }) => bench.fixture(name))]);
    assert.equal(outcome.stderr, "");
    for (const { name } of maps) {
      const found = findings(outcome).filter(({ file, record }) => file === `${name}.db` && record !== undefined);
      // Their keys are in the case that they had in the text.
      assert.deepEqual(found.map(brief), ["1 error upper-case-key"], name);
    }
  });
});

describe("tsmap lint --fix", () => {
  it("mends what is certain, says so, and leaves the rest", async (t) => {
    const bench = new Workbench(t);
    bench.write("source", 'AuthInfo:relay"U:user" "P:secret"\r\nAuthInfo:other "U:user" "P:x" "M:LOGIN,PLAIN"\r\nrelay x\r\n');
    const first = await bench.tsmap(["lint", "--fix", "source"]);
    assert.equal(first.exit, 1);
    assert.equal(
      first.stdout,
      `source:1:34: mended crlf: lines end with CR LF (3 in all, this is the first)
source:1:15: mended missing-blank-after-key: no blank stands between the key and the first item
source:2:39: mended comma-in-mechanisms: mechanisms are divided by something else than blanks
source:3:1: error missing-tag: the key does not begin with AuthInfo:
    mend: put AuthInfo: before the name of the server
`,
    );
    assert.equal(
      readFileSync(bench.path("source"), "utf8"),
      'AuthInfo:relay "U:user" "P:secret"\nAuthInfo:other "U:user" "P:x" "M:LOGIN PLAIN"\nrelay x\n',
    );
    const again = await bench.tsmap(["lint", "--fix", "source"]);
    assert.equal(again.stdout, first.stdout.replace(/^.* mended .*\n/gm, ""));
    assert.deepEqual(readdirSync(bench.folder), ["source"]);
  });

  it("ends with 0 where nothing is left", async (t) => {
    const bench = new Workbench(t);
    bench.write("source", `\xef\xbb\xbf${GOOD}`.replace("\xef\xbb\xbf", "\u{feff}"));
    const outcome = await bench.tsmap(["lint", "--fix", "--format", "json", "source"]);
    assert.deepEqual([outcome.exit, findings(outcome).map(brief)], [0, ["1 1 error utf8-byte-order-mark mended"]]);
    assert.equal(readFileSync(bench.path("source"), "utf8"), GOOD);
  });

  it("does not touch a file that it has nothing to mend in", async (t) => {
    const bench = new Workbench(t);
    bench.write("source", GOOD.replace("relay", "relay."));
    const before = statSync(bench.path("source"), { bigint: true });
    await bench.tsmap(["lint", "--fix", "source"]);
    const { ino, mtimeNs, ctimeNs } = statSync(bench.path("source"), { bigint: true });
    assert.deepEqual([ino, mtimeNs, ctimeNs], [before.ino, before.mtimeNs, before.ctimeNs]);
  });

  it("keeps the mode, links and other names", async (t) => {
    const bench = new Workbench(t);
    bench.write("source", GOOD.replace("\n", "\r\n"));
    chmodSync(bench.path("source"), 0o640);
    symlinkSync("source", bench.path("link"));
    linkSync(bench.path("source"), bench.path("other"));
    assert.equal((await bench.tsmap(["lint", "--fix", "link"])).exit, 0);
    assert.ok(lstatSync(bench.path("link")).isSymbolicLink());
    for (const name of ["source", "other"]) {
      assert.equal(readFileSync(bench.path(name), "utf8"), GOOD);
      assert.equal(statSync(bench.path(name)).mode & 0o777, 0o640);
    }
  });

  it("ends by a signal with the old file as it was, and nothing beside it", async (t) => {
    const bench = new Workbench(t);
    const text = GOOD.replace("\n", "\r\n");
    bench.write("source", text);
    const hook = join(temporaryFolder(t), "hook.cjs");
    writeFileSync(
      hook,
      `const fs = require("node:fs");
const { writeSync } = fs;
fs.writeSync = (...args) => { process.kill(process.pid, "SIGINT"); return writeSync(...args); };
require("node:module").syncBuiltinESMExports();
`,
    );
    const { signal, stderr } = await bench.tsmap(["lint", "--fix", "source"], { env: { NODE_OPTIONS: `--require=${hook}` } });
    assert.deepEqual([signal, stderr], ["SIGINT", ""]);
    assert.equal(readFileSync(bench.path("source"), "utf8"), text);
    assert.deepEqual(readdirSync(bench.folder), ["source"]);
  });

  it("is refused where the file is not the user's to write", async (t) => {
    const why = await whyNoOrdinaryUser();
    if (why !== undefined || !isRoot) return t.skip(why ?? "needs root, for a file of another's");
    const bench = new Workbench(t);
    const text = GOOD.replace("\n", "\r\n");
    bench.write("source", text);
    chmodSync(bench.folder, 0o755);
    chmodSync(bench.path("source"), 0o644);
    const { exit, stderr } = await bench.tsmap(["lint", "--fix", "source"], { uid: NOBODY });
    assert.deepEqual([exit, stderr], [2, "tsmap: source: Permission denied\n"]);
    assert.equal(readFileSync(bench.path("source"), "utf8"), text);
    assert.deepEqual(readdirSync(bench.folder), ["source"]);
  });
});

const isSarif = sarifSchema("tsmap lint");

async function sarif(bench: Workbench, files: readonly string[]): Promise<Sarif["runs"][0]> {
  const { stdout } = await bench.tsmap(["lint", "--format", "sarif", ...files]);
  const log = JSON.parse(Buffer.from(stdout, "latin1").toString()) as Sarif;
  assert.ok(isSarif(log), JSON.stringify(isSarif.errors));
  return log.runs[0];
}

describe("tsmap lint --format sarif", () => {
  it("is one log for all files, with all rules", async (t) => {
    const bench = new Workbench(t);
    const files = LINT_EXAMPLES.map(({ text: source }, i) => bench.write(`source ${i}`, bytesOf(source)));
    const map = await bench.makemap("map", GOOD, ["-f"]);
    const { tool, results, invocations } = await sarif(bench, [...files, map, "none"]);
    assert.deepEqual(
      tool.driver.rules.map(({ id }) => id),
      Object.keys(LINT_RULES),
    );
    for (const { ruleId, ruleIndex } of results) assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
    assert.ok(results.length > files.length);
    assert.equal(invocations[0].executionSuccessful, false);
    assert.equal(invocations[0].toolExecutionNotifications.length, 1);
  });

  it("has no result for a good text", async (t) => {
    const bench = new Workbench(t);
    const { results, invocations } = await sarif(bench, [bench.write("source", GOOD)]);
    assert.deepEqual([results, invocations[0].executionSuccessful], [[], true]);
  });

  it("has URIs relative to the folder, and columns in characters", async (t) => {
    const bench = new Workbench(t);
    mkdirSync(bench.path("a folder"));
    bench.write("a folder/s\u{f6}urce:1", 'AuthInfo:relay "U:us\u{e9}r" "P:pass" "M:PLAYN"\n');
    const { results } = await sarif(bench, [bench.path("a folder/s\u{f6}urce:1")]);
    assert.deepEqual(
      results.map(({ locations }) => locations[0].physicalLocation),
      [{ artifactLocation: { uri: "a%20folder/s%C3%B6urce%3A1" }, region: { startLine: 1, startColumn: 34, endColumn: 43 } }],
    );
  });

  it("has fingerprints that tell findings apart, and stay when lines move or passwords change", async (t) => {
    const bench = new Workbench(t);
    const source = (first: string, password: string): string =>
      `${first}AuthInfo:a:25 "U:u" "P:${password}"\nAuthInfo:b:25 "U:u" "P:${password}" "M:LOGIN,PLAIN"\n`;
    const prints = async (content: string): Promise<string[]> =>
      (await sarif(bench, [bench.write("source", content)])).results.map(({ partialFingerprints }) =>
        Object.values(partialFingerprints).join(),
      );
    const before = await prints(source("", "one"));
    assert.equal(new Set(before).size, 3);
    assert.deepEqual(await prints(source("# remark\n\n", "other")), before);
  });
});

describe("a password", () => {
  it("is in nothing that tsmap lint says, wherever it stands", async (t) => {
    const bench = new Workbench(t);
    const files = SECRET_TEXTS.map((source, i) => bench.write(`source${i}`, bytesOf(source)));
    // It refuses some lines, and makes a map of the others.
    await bench.makemap("map", SECRET_TEXTS.join(""), ["-d", "-e"]).catch(() => {});
    const { stdout: list } = await bench.tsmap(["lint", "--format", "json", "map.db"]);
    assert.ok(list.split("\n").length > 40);
    for (const format of ["text", "json", "sarif", "text --fix", "json --fix"]) {
      const { stdout, stderr } = await bench.tsmap(["lint", "--format", ...format.split(" "), ...files, "map.db"]);
      const said = (stdout + stderr).toLowerCase();
      assert.ok(said.length > 10_000);
      for (const form of [SECRET, SECRET.slice(3, 12), Buffer.from(SECRET).toString("base64")])
        assert.ok(!said.includes(form.toLowerCase()), said.slice(Math.max(0, said.indexOf(form.toLowerCase()) - 200)).slice(0, 400));
    }
  });
});
