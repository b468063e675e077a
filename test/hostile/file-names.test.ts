/**
 * Which files the programs open, by what the system sees of it: none but those
 * that were named, and new ones that nobody had made before.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { launcherOf, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
/** Not there, or not allowed to trace, as in some containers. */
const noStrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0 ? undefined : "needs strace, and leave to trace";

/** Of Berkeley DB: where an environment would take its settings, its regions and its logs from. */
const ENVIRONMENT = /DB_CONFIG|"(?:[^"]*\/)?(?:__db\.|log\.\d)/;
/** How new files are called, and those of a new set. */
const NEW = /(?:^|\/)data\/\.[0-9a-f]{8}-[0-9a-f]{8}-\d+-[0-9a-f]{8}$/;
const NEW_IN_SET = /(?:^|\/)data\/\.set\.sets\/new-[0-9a-f]{8}-\d+-[0-9a-f]{16}\/[\w./-]+$/;

const RUNS: readonly { readonly line: readonly string[]; readonly input?: string }[] = [
  { line: ["tsmakemap", "-C", "/dev/null", "--target", "aix", "hash", "data/m"], input: "a b\n" },
  { line: ["tsmakemap", "-C", "/dev/null", "-o", "hash", "data/m"], input: "c d\n" },
  { line: ["tssaslpasswd", "-p", "-f", "data/users", "-u", "r", "u"], input: "password" },
  { line: ["tssaslpasswd", "-p", "-f", "data/users", "-u", "r", "v"], input: "password" },
  { line: ["tsmap", "load", "-f", "data/dump", "data/loaded.db"] },
  { line: ["tsmap", "verify", "data/m.db", "data/users"] },
  { line: ["tsmap", "dump", "data/m.db", "-o", "data/dumped"] },
  { line: ["tsmap", "build", "data/fleet.yaml", "--output", "set"] },
];

const MANIFEST = `version: 1
settings: { target: aix }
key: { file: key }
secrets: { alice: { file: password } }
hosts:
  relay1.example.com: { databases: { sasldb2: { users: { alice: alice } } } }
`;

suite("files that are opened", () => {
  test("are those that were named, and new ones", async (t) => {
    if (noStrace !== undefined) return t.skip(noStrace);
    const folder = fs.mkdtempSync(join(top, "run-"));
    const data = join(folder, "data");
    fs.mkdirSync(data);
    makeInProcess(["hash", "m"], Buffer.from("old 1\n"), data);
    fs.writeFileSync(join(data, "dump"), "VERSION=3\nformat=print\ntype=hash\nHEADER=END\n a\n b\nDATA=END\n");
    // Were one of them read, libdb would make its files elsewhere, or refuse to go on.
    for (const place of [folder, data])
      fs.writeFileSync(join(place, "DB_CONFIG"), `set_data_dir /nowhere\nset_tmp_dir /nowhere\nno such setting\n`);
    fs.writeFileSync(join(data, "fleet.yaml"), MANIFEST);
    fs.writeFileSync(join(data, "key"), "the key of a test", { mode: 0o600 });
    fs.writeFileSync(join(data, "password"), "password", { mode: 0o600 });
    let made = 0;
    for (const { line, input = "" } of isFull ? RUNS : [RUNS[0], RUNS[3], RUNS[6], RUNS[7]].filter((each) => each !== undefined)) {
      const [program = "", ...args] = line;
      const trace = join(folder, "trace");
      const outcome = await run(
        "strace",
        ["-f", "-y", "-e", "trace=%file,%desc", "-e", "signal=none", "-o", trace, process.execPath, launcherOf(program), ...args],
        {
          cwd: folder,
          input,
          env: { DB_HOME: folder, SASL_CONF_PATH: folder },
          umask: 0,
        },
      );
      assert.equal(outcome.exit, 0, `${line.join(" ")}: ${outcome.stderr}`);
      const calls = fs.readFileSync(trace, "latin1").split("\n");
      assert.deepEqual(
        calls.filter((call) => ENVIRONMENT.test(call)),
        [],
        line.join(" "),
      );
      for (const call of calls.filter((each) => each.includes("O_CREAT"))) {
        const [, path = "", flags = "", mode = ""] = /"([^"]+)", ([A-Z_|]+), (0\d+)/.exec(call) ?? assert.fail(call);
        made += 1;
        assert.ok(flags.includes("O_EXCL"), `${line.join(" ")}: ${call}`);
        // The lock holds a number and a host's name.
        if (path.endsWith(".lock")) assert.equal(mode, "0644", call);
        else assert.ok((NEW.test(path) && ["0600", "0640"].includes(mode)) || (NEW_IN_SET.test(path) && mode === "0600"), call);
      }
      // By what is open, and not by a name that others could give to another file.
      assert.deepEqual(
        calls.filter((call) => /\b(?:l?chown|chmod|fchmodat|fchownat|truncate)\(/.test(call)),
        [],
        line.join(" "),
      );
    }
    assert.ok(made >= 4, `${made} files`);
    const loaded = isFull ? ["loaded.db"] : [];
    assert.deepEqual(fs.readdirSync(data).sort(), [
      ".set.sets",
      "DB_CONFIG",
      "dump",
      "dumped",
      "fleet.yaml",
      "key",
      ...loaded,
      "m.db",
      "password",
      "set",
      "users",
    ]);
    return undefined;
  });

  test("a pipe in the place of a database is no database, and not waited for", async () => {
    const folder = fs.mkdtempSync(join(top, "pipe-"));
    assert.equal(spawnSync("mkfifo", [join(folder, "pipe")]).status, 0);
    for (const line of [
      ["tsmap", "convert", "pipe", "-o", "new"],
      ...(isFull ? ["dump", "inspect", "verify", "scrub"].map((command) => ["tsmap", command, "pipe"]) : []),
      ["tssasldblist", "-f", "pipe"],
    ]) {
      const [program = "", ...args] = line;
      const { exit, signal, stderr } = await run(process.execPath, [launcherOf(program), ...args], { cwd: folder, timeout: 20_000 });
      assert.deepEqual([signal, exit !== 0], [null, true], `${line.join(" ")}: ${exit}`);
      assert.match(stderr, /pipe: /);
    }
    assert.deepEqual(fs.readdirSync(folder), ["pipe"]);
  });

  test("a name that is not UTF-8 is not taken for the one that Node makes of it", async () => {
    const folder = fs.mkdtempSync(join(top, "bytes-"));
    const victim = Buffer.from("victim");
    for (const name of ["m\ufffd.db", "s\ufffd"]) fs.writeFileSync(join(folder, name), victim);
    for (const [exit, line] of [
      [64, ["tsmakemap", "-C", "/dev/null", "hash", "m\xff"]],
      [64, ["tsmakemap", "-C", "/dev/null", "-t", "\x80", "hash", "n"]],
      [7, ["tssaslpasswd", "-p", "-f", "s\xff", "-u", "r", "u"]],
      [1, ["tssasldblist", "-f", "s\xff"]],
      [2, ["tsmap", "scrub", "s\xff"]],
      [1, ["tsmap", "plan", "s\xff"]],
    ] as const) {
      const [program, ...args] = line;
      // A shell makes the bytes.
      const words = [process.execPath, launcherOf(program), ...args].map((word) => `"$(printf '${escaped(word)}')"`);
      const outcome = await run("sh", ["-c", words.join(" ")], { cwd: folder, input: "a b\n" });
      assert.match(outcome.stderr, /": not UTF-8, or with U\+FFFD in it, which stands for that$/m);
      assert.equal(outcome.exit, exit, line.join(" "));
    }
    assert.deepEqual(fs.readdirSync(folder).sort(), ["m\ufffd.db", "s\ufffd"]);
    for (const name of fs.readdirSync(folder)) assert.ok(fs.readFileSync(join(folder, name)).equals(victim));
  });
});

/** For printf(1): of each character, its byte. */
function escaped(word: string): string {
  return Array.from(Buffer.from(word, "latin1"), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
