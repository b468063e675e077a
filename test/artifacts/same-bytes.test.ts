/**
 * The example fleet is built to the same bytes, modes and names throughout,
 * whoever builds it, and wherever.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyExamples, edit, tsmapBatch } from "../support/example-fleet.ts";
import { nativePath, needs, runNative } from "../support/native.ts";
import { isRoot, launcherOf, type Outcome, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { treeOf } from "../support/tree.ts";
import { tsmap } from "../support/tsmap.ts";

test("two builds: other folders, umask, time zone, locale, host name, user's folder, and way to name the manifest", async (t) => {
  const top = temporaryFolder(t);
  const [one, other] = [join(top, "one"), join(top, "elsewhere/and deeper/two")] as const;
  mkdirSync(join(top, "elsewhere/and deeper"), { recursive: true });
  for (const folder of [one, other]) copyExamples(folder, "fleet");

  const build = ["build", "--no-progress"];
  const first = await tsmap(build, { cwd: one, umask: 0o022, env: { TZ: "UTC" } });
  const args = [...build, join(other, "tsmap.yaml")];
  const there = { cwd: "/", umask: 0o077, env: { TZ: "Asia/Tokyo", LC_ALL: "C.UTF-8", LANG: "de_DE.UTF-8", HOME: top, NO_COLOR: "1" } };
  const second = isRoot && needs(t, "unshare", "hostname") ? await onAnotherHost(args, there) : await tsmap(args, there);
  for (const { exit, stderr } of [first, second]) assert.deepEqual([exit, stderr], [0, ""]);
  assert.equal(second.stdout, first.stdout.replaceAll("artifacts", join(other, "artifacts")));
  const tree = treeOf(one);
  assert.deepEqual(treeOf(other), tree);
  // All of it has been compared: the link, its folder, eleven files of eight hosts, and the three that say what they are.
  const built = Object.entries(tree).filter(([name]) => name.includes("artifacts"));
  assert.equal(built.filter(([, what]) => what.includes(" file ")).length, 14);
  assert.equal(built.filter(([, what]) => what === "0755 folder").length, 10);
  assert.equal(built.filter(([, what]) => what.startsWith("link to ")).length, 1);

  // Nobody's day, and so a day of today.
  const { exit, stdout } = await tsmap(["check"], { cwd: one });
  assert.deepEqual([exit, stdout], [0, "11 files, nothing found\n"]);
  if (!needs(t, "sha256sum")) return;
  const sums = runNative("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: join(other, "artifacts") });
  assert.deepEqual([sums.status, sums.stdout.toString().split(": OK\n").length - 1], [0, 13]);
});

function onAnotherHost(args: readonly string[], options: object): Promise<Outcome> {
  const script = 'hostname another.example.net && exec "$@"';
  return run(nativePath("unshare"), ["--uts", "sh", "-c", script, "sh", process.execPath, launcherOf("tsmap"), ...args], options);
}

test("another key, and every file with a secret in it is another; a new generation, and the salts of its database are", async (t) => {
  const top = temporaryFolder(t);
  for (const name of ["a", "key", "generation"]) copyExamples(join(top, name), "fleet");
  edit(join(top, "key"), "secrets/fleet.key", "everybody", "anybody");
  edit(join(top, "generation"), "tsmap.yaml", "        plain: false\n", "        plain: false\n        generation: 2\n");
  await tsmapBatch(
    top,
    ["a", "key", "generation"].map((name) => ["build", `${name}/tsmap.yaml`]),
  );
  const files = (name: string): [string, string][] =>
    Object.entries(treeOf(`${join(top, name, "artifacts")}/`)).filter(([path]) => /\//.test(path));
  const changed = (name: string): string[] => {
    const before = new Map(files("a"));
    return files(name)
      .filter(([path, what]) => before.get(path) !== what)
      .map(([path]) => path);
  };
  // The ids of files without secrets are derived too.
  assert.deepEqual(changed("key").length, 11);
  assert.deepEqual(changed("generation"), ["relay3.example.com/sasldb2"]);
});
