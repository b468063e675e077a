/**
 * A password goes into the file and nowhere else: not to other programs, not
 * into what is said, and none is left in the memory of the run.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, type TestContext, test } from "node:test";
import { openSasldb } from "#src/sasldb/sasldb-file.js";
import { rootFolder } from "../support/fixtures.ts";
import { needs } from "../support/native.ts";
import { type Outcome, type RunOptions, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const REALM = "mail.example.com";
const USER = "somebody";
const PASSWORD = "S3cret-PaSSword-of-nobody-else";
const launcher = `${rootFolder}bin/tssaslpasswd.js`;

const top = temporaryFolder({ after });
const newFolder = (): string => mkdtempSync(join(top, "run-"));

/** Where the password comes from, and the options that say so. */
const SOURCES: Record<string, { readonly args: readonly string[]; readonly options: RunOptions }> = {
  "a pipe": { args: ["-p"], options: { input: `${PASSWORD}\n` } },
  "a pipe, in pieces": { args: [], options: { input: [PASSWORD.slice(0, 20), PASSWORD.slice(20)].map((part) => Buffer.from(part)) } },
  "a file": { args: ["--password-file", "password"], options: {} },
  "the environment": { args: ["--password-env", "SECRET"], options: { env: { SECRET: PASSWORD } } },
};

function setPassword(folder: string, args: readonly string[], options: RunOptions = {}, before: readonly string[] = []): Promise<Outcome> {
  writeFileSync(join(folder, "password"), `${PASSWORD}\n`);
  const [command = "", ...rest] = [...before, process.execPath, launcher, "--hostname", REALM, ...args, USER];
  return run(command, rest, { cwd: folder, ...options, env: { SASL_CONF_PATH: folder, ...options.env } });
}

/** Otherwise it is no wonder that the password is nowhere. */
function assertSet(folder: string): void {
  using database = openSasldb(join(folder, "db"));
  assert.equal(Buffer.from(database.get(USER, REALM, "userPassword") ?? []).toString(), PASSWORD);
}

suite("no other program is given it", () => {
  /** Not there, or not allowed to trace, as in some containers. */
  const noStrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0 ? undefined : "needs strace, and leave to trace";

  for (const [source, { args, options }] of Object.entries(SOURCES)) {
    test(`from ${source}`, async (t) => {
      if (noStrace !== undefined) return t.skip(noStrace);
      const folder = newFolder();
      const trace = join(folder, "trace");
      const { exit, stderr } = await setPassword(folder, [...args, "-f", "db"], options, tracing(trace));
      assert.deepEqual([exit, stderr], [0, ""]);
      assertSet(folder);
      const [first = "", ...others] = readFileSync(trace, "latin1")
        .split("\n")
        .filter((line) => line.includes("execve("));
      assert.ok(first.includes(launcher) && first.includes(USER));
      // Of the first one the environment is the caller's.
      assert.ok(!/(.*?\]), \[/.exec(first)?.[1]?.includes(PASSWORD));
      assert.ok(!others.join("\n").includes(PASSWORD));
    });
  }

  test("from a terminal, whose echo another program turns off", async (t) => {
    if (noStrace !== undefined) return t.skip(noStrace);
    if (!needs(t, "script")) return;
    const folder = newFolder();
    const trace = join(folder, "trace");
    const outcome = await type(folder, ["-f", "db"], [PASSWORD, PASSWORD], tracing(trace));
    assert.equal(outcome.exit, 0, outcome.stdout);
    assertSet(folder);
    const lines = readFileSync(trace, "latin1");
    assert.ok(lines.includes('"stty"'));
    assert.ok(!lines.includes(PASSWORD) && !outcome.stdout.includes(PASSWORD));
  });

  /** With whole arguments, and the environment. */
  function tracing(file: string): string[] {
    return ["strace", "-f", "-v", "-s", "100000", "-e", "trace=execve", "-e", "signal=none", "-o", file];
  }
});

/** Answers the prompts on a terminal; what is seen on it is the outcome's standard output. */
function type(folder: string, args: readonly string[], answers: readonly string[], before: readonly string[] = []): Promise<Outcome> {
  const line = [...before, process.execPath, launcher, "--hostname", REALM, ...args, USER].map((word) => `'${word}'`).join(" ");
  let seen = 0;
  return run("script", ["--quiet", "--return", "--echo", "always", "--command", `exec ${line}`, "/dev/null"], {
    cwd: folder,
    env: { SASL_CONF_PATH: folder },
    // Open until the program ends: the end of the input would be the terminal's.
    input: waiting(),
    onSpawn: (child) => {
      let text = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        for (const count = text.split(/Password: |verification\): /).length - 1; seen < count; seen++) {
          const answer = `${answers[seen]}\n`;
          // The prompt comes as the terminal is set; what is typed before that is dropped.
          setTimeout(() => child.stdin?.write(answer), 200);
        }
      });
    },
  });
}

function* waiting(): Generator<Uint8Array> {
  for (;;) yield Buffer.alloc(0);
}

suite("it is not said", () => {
  interface Scene {
    readonly args?: readonly string[];
    readonly configuration?: string;
    readonly prepare?: (folder: string) => void;
    readonly exit: number;
    /** What is said. */
    readonly says: RegExp;
  }

  const SCENES: Record<string, Scene> = {
    "what was done, as JSON": { args: ["-f", "db", "--json"], exit: 0, says: /^\{"action":"set"/ },
    "a wrong otp_mda": { args: ["-f", "db"], configuration: "otp_mda: sha9\n", exit: 1, says: /otp_mda: "sha9"/ },
    "a line that is no setting": { args: ["-f", "db"], configuration: "sasl\n", exit: 100, says: /line 1/ },
    "another store": { args: ["-f", "db"], configuration: "auxprop_plugin: sql\n", exit: 4, says: /no mechanism available/ },
    "a folder that is not there": { args: ["-f", "no/db"], exit: 1, says: /No such file or directory/ },
    "a file that is none": {
      args: ["-f", "db"],
      prepare: (folder) => writeFileSync(join(folder, "db"), "text"),
      exit: 1,
      says: /db: not a Berkeley DB file/,
    },
    "a folder in its place": { args: ["-f", "db"], prepare: (folder) => mkdirSync(join(folder, "db")), exit: 1, says: /db: / },
    "a damaged file": {
      args: ["-f", "db"],
      prepare: (folder) => {
        const bytes = readFileSync(`${rootFolder}fixtures/db/v9-db5.3.28-le-sasldb.db`);
        writeFileSync(join(folder, "db"), bytes.fill(0xff, 4096));
      },
      exit: 1,
      says: /db: /,
    },
    "a user without a plain password": { args: ["-n", "--mechanisms", "none", "-f", "db", "--json"], exit: 0, says: /"set":\[\]/ },
  };

  for (const [title, { args = [], configuration = "", prepare, exit, says }] of Object.entries(SCENES)) {
    test(title, async () => {
      for (const [source, { args: from, options }] of Object.entries(SOURCES)) {
        const folder = newFolder();
        writeFileSync(join(folder, "saslpasswd.conf"), configuration);
        prepare?.(folder);
        const outcome = await setPassword(folder, [...from, ...args], options);
        const said = outcome.stdout + outcome.stderr;
        assert.equal(outcome.exit, exit, `${source}: ${said}`);
        assert.match(said, says);
        assert.ok(!said.includes(PASSWORD), `${source}: ${said}`);
      }
    });
  }

  test("a password that cannot be one", async () => {
    for (const [input, says] of [
      [PASSWORD.repeat(100), /longer than 2048 bytes/],
      [`${PASSWORD}\0more`, /holds a NUL/],
      [`${PASSWORD}\r\n`, /carriage return/],
      [`${PASSWORD}\xff`, /no UTF-8/],
    ] as const) {
      const { stdout, stderr } = await setPassword(newFolder(), ["-p", "-f", "db"], { input });
      assert.match(stderr, says);
      assert.ok(!`${stdout}${stderr}`.includes(PASSWORD), stderr);
    }
  });

  test("two that differ, typed on a terminal", async (t) => {
    if (!needs(t, "script")) return;
    const folder = newFolder();
    const { exit, stdout } = await type(folder, ["-f", "db"], [PASSWORD, `${PASSWORD}!`]);
    assert.equal(exit, 7, stdout);
    assert.match(stdout, /passwords don't match; aborting/);
    assert.ok(!stdout.includes(PASSWORD));
    assert.ok(!existsSync(join(folder, "db")));
  });
});

/** When main() is over, writes what is in memory and in the environment, and what another program is given of the latter. */
const hook = join(top, "hook.cjs");
writeFileSync(
  hook,
  `process.on("exit", () => {
  require("node:v8").writeHeapSnapshot("snapshot");
  require("node:fs").writeFileSync("environment", JSON.stringify(process.env));
  require("node:fs").writeFileSync("given", require("node:child_process").execFileSync("env"));
});
`,
);

suite("after the run", () => {
  async function runHooked(t: TestContext, name: string): Promise<string> {
    const folder = temporaryFolder(t);
    const { args, options } = SOURCES[name] ?? { args: [], options: {} };
    const env = { ...options.env, NODE_OPTIONS: `--require=${hook}`, KEPT: "as it was" };
    const { exit, stderr } = await setPassword(folder, [...args, "-f", "db"], { ...options, env });
    assert.deepEqual([exit, stderr], [0, ""]);
    assertSet(folder);
    return folder;
  }

  for (const name of Object.keys(SOURCES)) {
    test(`from ${name}: it is in no string of the heap`, async (t) => {
      const snapshot = readFileSync(join(await runHooked(t, name), "snapshot"), "latin1");
      assert.ok(snapshot.includes(USER), "the snapshot has strings");
      const pieces = Array.from({ length: PASSWORD.length - 11 }, (_, at) => PASSWORD.slice(at, at + 12));
      assert.deepEqual(
        pieces.filter((piece) => snapshot.includes(piece)),
        [],
      );
    });
  }

  test("from the environment: it is gone from there, and no other program is given it", async (t) => {
    const folder = await runHooked(t, "the environment");
    for (const file of ["environment", "given"]) {
      const text = readFileSync(join(folder, file), "utf8");
      assert.ok(text.includes("as it was"));
      assert.ok(!text.includes("SECRET") && !text.includes(PASSWORD), file);
    }
  });
});
