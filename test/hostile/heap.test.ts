/**
 * When a run is over, no string of its heap has a secret in it, whatever the
 * command made of it: a snapshot of the heap is what a crash report, an
 * inspector or a monitor takes away. (Buffers and the engine's memory are not in
 * one; what is cleared of them is tested where they are.)
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { tsmapCommand } from "#src/cli/tsmap/commands.js";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { SUBMIT_CF } from "../support/cf-text.ts";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { launcherOf, type RunOptions, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });

const SECRET = "Tr0ub4dor-26zXq-of-nobody";
const PIECE = 12;
const base64 = Buffer.from(SECRET).toString("base64");
const hex = Buffer.from(SECRET).toString("hex");
/** Whole and in pieces, as it is and as it is written elsewhere. */
const FORMS: readonly string[] = [
  ...Array.from({ length: SECRET.length - PIECE + 1 }, (_, at) => SECRET.slice(at, at + PIECE)),
  SECRET.toLowerCase(),
  base64.slice(2, -4),
  hex,
  hex.toUpperCase(),
];

/** At the end of the process: what has gone is collected, and the rest is written down. */
const hook = join(top, "hook.cjs");
fs.writeFileSync(
  hook,
  `const v8 = require("node:v8");
process.on("exit", () => {
  v8.setFlagsFromString("--expose-gc");
  const collect = require("node:vm").runInNewContext("gc");
  for (let i = 0; i < 3; i++) collect();
  v8.writeHeapSnapshot("snapshot");
});
`,
);

const folder = join(top, "files");
fs.mkdirSync(join(folder, "copies/h"), { recursive: true });
const LINE = `AuthInfo: "U:user" "I:user" "P:${SECRET}" "M:PLAIN"\n`;
const add = (name: string, content: string): void => fs.writeFileSync(join(folder, name), content, { mode: 0o600 });
add("source", `${LINE}AuthInfo:b.example.com "U:user" P:${SECRET}"\r\n`);
add("good", LINE);
add("password", SECRET);
add("key", `0123456789abcdef-${SECRET}`);
add("cf", SUBMIT_CF);
add("dump", `VERSION=3\nformat=print\ntype=hash\nHEADER=END\n authinfo:\n "U:user" "P:${SECRET}"\nDATA=END\n`);
add("json", `{"format":"tsmap-records","version":1}\n{"key":"authinfo:","data":"\\"P:${SECRET}\\""}\n{"end":true,"records":1}\n`);
add("csv", `encoding,key,data\ntext,authinfo:,"""P:${SECRET}"""\nend,1,\n`);
add(
  "fleet.yaml",
  `version: 1
settings: { target: aix }
key: { file: key }
secrets: { s: { file: password }, t: { command: [cat, password] }, v: { env: FLEET_SECRET }, f: { file: fields, field: a } }
policy: { min-length: 99, reuse: forbid }
hosts:
  mail.example.com: { databases: { sasldb2: { users: { user: s, second: t, third: v, fourth: f } } } }
  h:
    relays: [mail.example.com]
    maps:
      m: { source: good }
      e: { entries: { mail.example.com: { user: user, login: user, password: s } } }
`,
);
add("fields", `a: ${SECRET}\n`);
makeInProcess(["hash", "good"], fs.readFileSync(join(folder, "good")), folder);
makeInProcess(["hash", "m"], fs.readFileSync(join(folder, "good")), join(folder, "copies/h"));
await updateSasldb(join(folder, "sasldb"), (users) => {
  users.setPassword("user", "mail.example.com", Buffer.from(SECRET), { mechanisms: ["OTP", "SCRAM-SHA-256"] });
});

const EXPORT = ["--format", "ldif", "--base", "dc=x", "--cluster", "c"];
/** What every command does with such files; a new command has to be told about here. */
const LINES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  inspect: [["good.db"], ["--json", "--pages", "good.db", "sasldb"]],
  list: [["good.db"], ["source"], ["--json", "sasldb"], ["--sort", "good.db"]],
  get: [
    ["good.db", "authinfo:"],
    ["--json", "source", "authinfo:"],
  ],
  dump: [["good.db"], ["--show-secrets", "good.db", "-o", "out1"], ["--show-secrets", "--format", "json", "sasldb", "-o", "out2"]],
  load: [
    ["-f", "dump", "out3"],
    ["--format", "json", "-f", "json", "out4"],
    ["--format", "csv", "-f", "csv", "out5"],
    ["-f", "good", "out6"],
  ],
  export: [
    [...EXPORT, "good.db"],
    [...EXPORT, "--show-secrets", "source", "-o", "out7"],
  ],
  verify: [["good.db", "sasldb"]],
  diff: [
    ["good.db", "source"],
    ["--json", "sasldb", "good.db"],
  ],
  convert: [["good.db", "-o", "out8", "--target", "aix"]],
  scrub: [["sasldb", "-o", "out9"]],
  lint: [["source"], ["--format", "sarif", "source", "good.db"]],
  resolve: [
    ["--server", "x", "good.db"],
    ["--server", "b.example.com", "--json", "source"],
  ],
  auth: [["--authinfo", "good.db", "--sasldb", "sasldb", "--relay", "mail.example.com", "--client-mechanisms", "SCRAM-SHA-256 PLAIN"]],
  cf: [["check", "--role", "client", "--map", "good", "cf"]],
  probe: [["--relay", "127.0.0.1:1", "--map", "good.db"]],
  plan: [["fleet.yaml"], ["--json", "fleet.yaml"]],
  build: [["fleet.yaml", "--output", "set"]],
  check: [["fleet.yaml", "--output", "set", "--copies", "copies"]],
  watch: [["--page-size", "1"]],
  completion: [["bash"]],
};

async function heapAfter(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const env = { NODE_OPTIONS: `--require=${hook}`, FLEET_SECRET: SECRET };
  const { exit, stdout, stderr } = await run(process.execPath, args, { cwd: folder, env, ...options });
  assert.ok(exit !== null && exit < 3 && !(stdout + stderr).includes("internal error"), stderr);
  return fs.readFileSync(join(folder, "snapshot"), "latin1");
}

function assertNone(snapshot: string): void {
  assert.ok(snapshot.includes("forgetLastMatch"), "the snapshot has strings");
  assert.deepEqual(
    FORMS.filter((form) => snapshot.includes(form)),
    [],
  );
}

suite("no string with a secret is left after", () => {
  const child = fileURLToPath(new URL("../support/tsmap-batch.child.js", import.meta.url));
  const batch = (lines: readonly (readonly string[])[]): Promise<string> =>
    heapAfter([child], { input: Buffer.from(JSON.stringify(lines)) });

  test("all commands of tsmap, one after the other", async () => {
    const known = tsmapCommand("tsmap", async () => {}).commands.map((command) => command.name());
    assert.deepEqual(Object.keys(LINES).sort(), known.sort(), "a command without its lines");
    const all = Object.entries(LINES).flatMap(([command, each]) => each.map((args) => [command, ...args]));
    // The last one is the one whose last match could be left.
    assertNone(await batch([...all, ["list", "good.db"]]));
  });

  // Which of them it is; and none hides behind the next.
  for (const [command, each] of Object.entries(LINES)) {
    if (!isFull) continue;
    test(`tsmap ${command}`, async () => assertNone(await batch(each.map((args) => [command, ...args]))));
  }

  for (const options of [[], ["-v"], ["-o", "-r"]]) {
    if (!isFull) continue;
    test(`tsmakemap ${options.join(" ")}`, async () => {
      const args = [launcherOf("tsmakemap"), "-C", "/dev/null", ...options, "hash", "good"];
      // Records that are shown to a pipe are gone when they are read.
      assertNone(await heapAfter(args, { input: fs.readFileSync(join(folder, "good")) }));
    });
  }
});
