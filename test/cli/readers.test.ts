/**
 * What tsmakemap makes is read by the programs that it is for.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { fixturesFolder, rootFolder } from "../support/fixtures.ts";
import { nativePath, needs, runNative, type Skippable } from "../support/native.ts";
import { isRoot, tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

// Postfix and sendmail are not installed side by side: its package may be unpacked here.
const unpacked = join(rootFolder, ".build/native");
process.env["PATH"] = `${process.env["PATH"]}:${unpacked}/usr/sbin`;

const folder = temporaryFolder({ after });
chmodSync(folder, 0o755);

const RECORDS = Object.fromEntries(
  Array.from({ length: 700 }, (_, i) => [`key${i}@example.com`, `value ${i}`.padEnd(10 + (i % 400), ".")]),
);
const SOURCE = Object.entries(RECORDS)
  .map(([key, value]) => `${key}\t${value}\n`)
  .join("");

async function make(args: string[], source = SOURCE, name = "m"): Promise<string> {
  const { exit, stderr } = await tsmakemap(["-C", "/dev/null", ...args, name], { cwd: folder, input: source, umask: 0o022 });
  assert.deepEqual([exit, stderr], [0, ""]);
  return join(folder, name);
}

const FORMATS = [
  ["hash"],
  ["--target=aix", "hash"],
  ["--hash-version=8", "hash"],
  ["--page-size=512", "hash"],
  ["btree"],
  ["--target=aix", "btree"],
];

suite("postmap -q", () => {
  for (const args of FORMATS.filter((format) => !format.includes("--target=aix"))) {
    test(args.join(" "), async (t) => {
      if (!needs(t, "postmap")) return;
      const map = await make(args);
      // Its own users and groups are there where Postfix is installed; any will do to read a map.
      writeFileSync(join(folder, "main.cf"), "compatibility_level = 3.6\nmail_owner = daemon\nsetgid_group = games\n");
      const env = { ...process.env, LD_LIBRARY_PATH: join(unpacked, "usr/lib/postfix") };
      const keys = ["key0@example.com", "key699@example.com", "none@example.com", "key401@example.com"];
      const options = { env, input: keys.join("\n") };
      const { status, stdout, stderr } = runNative("postmap", ["-c", folder, "-q", "-", `${args.at(-1)}:${map}`], options);
      assert.equal(status, 0, stderr.toString());
      const known = keys.filter((key) => key in RECORDS);
      assert.equal(stdout.toString(), known.map((key) => `${key}\t${RECORDS[key]}\n`).join(""));
    });
  }
});

suite("sendmail -bt", () => {
  /** Without a qualified name for its host sendmail waits for a minute: it gets one, in name spaces of its own. */
  function startable(t: Skippable): boolean {
    if (!needs(t, "sendmail")) return false;
    if (isRoot || hostname().includes(".")) return true;
    t.skip("needs root, or a host with a qualified name");
    return false;
  }

  function lookUp(type: string, flags: string, map: string, keys: readonly string[]): string[] {
    const control = join(folder, "bt.cf");
    // The folder is below one that is for all to write, which sendmail minds.
    writeFileSync(
      control,
      `V10/Berkeley\nO DontBlameSendmail=MapInUnsafeDirPath,GroupReadableKeyFile\nO QueueDirectory=${folder}\nKtest ${type} ${flags} ${map}\nS0\n`,
    );
    const input = keys.map((key) => `/map test ${key}\n`).join("");
    writeFileSync(join(folder, "hosts"), "127.0.0.1 host.example.com localhost\n");
    const start = `mount --bind ${folder}/hosts /etc/hosts && hostname host.example.com && exec "$@"`;
    const inNameSpaces = isRoot ? ["unshare", "-m", "-u", "sh", "-c", start, "sh"] : [];
    const [command = "", ...args] = [...inNameSpaces, nativePath("sendmail"), "-bt", "-C", control];
    const { stdout, stderr } = spawnSync(command, args, { input, cwd: folder, encoding: "latin1", timeout: 30_000 });
    return Array.from(
      `${stdout}${stderr}`.matchAll(/^(?:> )?map_lookup: .*? (?:returns (.*)|no match.*)$/gm),
      ([, value]) => value ?? "none",
    );
  }

  for (const args of FORMATS) {
    test(args.join(" "), async (t) => {
      if (!startable(t)) return;
      const map = await make(args);
      const keys = ["key0@example.com", "KEY5@Example.com", "key699@example.com", "nobody@example.com"];
      assert.deepEqual(lookUp(args.at(-1) ?? "", "", map, keys), [
        ...["key0@example.com", "key5@example.com", "key699@example.com"].map((key) => `${RECORDS[key]} (0)`),
        "none",
      ]);
    });
  }

  test("with -N, which sendmail tries of itself, and asks for with -N", async (t) => {
    if (!startable(t)) return;
    const map = await make(["-N", "hash"]);
    for (const flags of ["", "-N"])
      assert.deepEqual(lookUp("hash", flags, map, ["key7@example.com"]), [`${RECORDS["key7@example.com"]} (0)`]);
  });

  test("the map of the guide", async (t) => {
    if (!startable(t)) return;
    const source = readFileSync(`${fixturesFolder}authinfo/smtp-auth`, "latin1");
    const map = await make(["--target=aix", "hash"], source, "smtp-auth");
    const [key = "", value = ""] = /^(\S+)\s+(.*)$/m.exec(source)?.slice(1) ?? [];
    assert.deepEqual(lookUp("hash", "", map, [key]), [`${value} (0)`]);
  });
});

test("editmap -q finds the records, and what it changes is found by tsmakemap", async (t) => {
  if (!needs(t, "editmap")) return;
  const map = await make(["hash"]);
  const ask = (...args: string[]): [number | null, string] => {
    const { status, stdout } = runNative("editmap", ["-C", "/dev/null", ...args], { cwd: folder });
    return [status, stdout.toString()];
  };
  assert.deepEqual(ask("-q", "hash", map, "key42@example.com"), [0, `${RECORDS["key42@example.com"]}\n`]);
  assert.notEqual(ask("-q", "hash", map, "nobody")[0], 0);
  assert.equal(ask("-u", "hash", map, "key42@example.com", "changed")[0], 0);
  assert.equal(ask("-x", "hash", map, "key43@example.com")[0], 0);
  const { stdout } = await tsmakemap(["-u", "hash", "m"], { cwd: folder });
  assert.match(stdout, /^key42@example.com\tchanged$/m);
  assert.doesNotMatch(stdout, /^key43@/m);
});

test("praliases shows the aliases", async (t) => {
  if (!needs(t, "praliases")) return;
  const map = await make(["hash"], "postmaster: root\nroot: admin@example.com, other\n".replaceAll(":", ""), "aliases");
  const control = join(folder, "aliases.cf");
  writeFileSync(control, `V10/Berkeley\nO AliasFile=${map}\n`);
  const { status, stdout } = runNative("praliases", ["-C", control, "-f", map]);
  assert.equal(status, 0);
  assert.deepEqual(stdout.toString().split("\n").sort(), ["", "postmaster:root", "root:admin@example.com, other"]);
});

suite("Perl's DB_File", () => {
  for (const args of [...FORMATS, ["-d", "btree"]]) {
    test(args.join(" "), async (t) => {
      if (!needs(t, "perl DB_File")) return;
      const map = await make(args);
      const kind = args.includes("btree") ? "$DB_BTREE" : "$DB_HASH";
      const program = `tie my %h, "DB_File", $ARGV[0], 0, 0, ${kind} or die "$!"; print "$_\\t$h{$_}\\n" for sort keys %h`;
      const { status, stdout, stderr } = runNative("perl DB_File", ["-MFcntl", "-e", program, `${map}.db`]);
      assert.equal(status, 0, stderr.toString());
      assert.equal(
        stdout.toString(),
        SOURCE.split(/(?<=\n)/)
          .sort()
          .join(""),
      );
    });
  }
});

suite("db5.3_verify and db5.3_dump", () => {
  for (const args of FORMATS) {
    test(args.join(" "), async (t) => {
      if (!needs(t, "db5.3_verify", "db5.3_dump")) return;
      const map = await make(args);
      assert.equal(runNative("db5.3_verify", ["-q", `${map}.db`]).status, 0);
      const text = runNative("db5.3_dump", ["-p", `${map}.db`]).stdout.toString();
      const lines = text
        .slice(text.indexOf("HEADER=END\n") + 11, text.indexOf("DATA=END"))
        .trim()
        .split(/\n ?/);
      const found = Object.fromEntries(Array.from({ length: lines.length / 2 }, (_, i) => [lines[2 * i]?.trim(), lines[2 * i + 1]]));
      assert.deepEqual(found, RECORDS);
    });
  }
});
