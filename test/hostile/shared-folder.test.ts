/**
 * A folder where everybody may write, in which another user has put something
 * under the name that is to be read or written: nothing that it leads to is
 * changed, nothing is written to what is not ours, and nobody waits.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { SUBMIT_CF } from "../support/cf-text.ts";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { isRoot, launcherOf, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
fs.chmodSync(top, 0o755);
const OTHER = 1234;
const SECRET = "s3cret-PaSSword";

/** Ours, and sound: a map, a SASL database, a configuration, a text. */
const own = join(top, "own");
fs.mkdirSync(own);
makeInProcess(["hash", "map"], Buffer.from("example.com RELAY\n"), own);
await updateSasldb(join(own, "sasldb"), (users) => users.setPassword("user", "realm", Buffer.from(SECRET)));
fs.writeFileSync(join(own, "cf"), SUBMIT_CF);
fs.writeFileSync(join(own, "dump"), "VERSION=3\nformat=print\ntype=hash\nHEADER=END\n a\n b\nDATA=END\n");
fs.writeFileSync(join(own, "source"), 'AuthInfo:  "U:u" "P:p"\r\n');

/** What is named then is a new file in it. */
const LINK_TO_FOLDER = "a link to a folder";

/** Puts something at the path; `original` is what would be good there. */
type Plant = (path: string, original: string, victim: string) => void;
const PLANTS: Record<string, Plant> = {
  "a link": (path, _, victim) => fs.symlinkSync(victim, path),
  "a link to nothing": (path) => fs.symlinkSync(`${path}.nothing`, path),
  "a link to a device": (path) => fs.symlinkSync("/dev/null", path),
  "a file of another user": (path, original) => {
    fs.copyFileSync(original, path);
    fs.chmodSync(path, 0o666);
  },
  "another name of our file": (path, _, victim) => fs.linkSync(victim, path),
  "a pipe": (path) => void spawnSync("mkfifo", ["-m", "666", path]),
  "a folder": (path) => fs.mkdirSync(path),
  [LINK_TO_FOLDER]: (path, _, victim) => fs.symlinkSync(dirname(victim), path),
};

/** Commands that write `t`, and what would be good for each of them to find there. */
const WRITERS: Record<string, { readonly good: string; readonly args: readonly string[]; readonly program?: string }> = {
  load: { good: "map.db", args: ["load", "-f", "own/dump"] },
  dump: { good: "map.db", args: ["dump", "own/map.db", "-o"] },
  export: { good: "map.db", args: ["export", "--format", "ldif", "--base", "dc=x", "--cluster", "c", "own/map.db", "-o"] },
  convert: { good: "map.db", args: ["convert", "own/map.db", "-o"] },
  "scrub to": { good: "map.db", args: ["scrub", "own/map.db", "-o"] },
  lint: { good: "source", args: ["lint", "--fix"] },
  "cf patch": { good: "cf", args: ["cf", "patch", "--role", "client", "--relay", "relay.example.com"] },
  tsmakemap: { good: "map.db", program: "tsmakemap", args: ["-C", "/dev/null", "hash"] },
  "tsmakemap -s": { good: "map.db", program: "tsmakemap", args: ["-C", "/dev/null", "-s", "hash"] },
  "tsmakemap -o -s": { good: "map.db", program: "tsmakemap", args: ["-C", "/dev/null", "-o", "-s", "hash"] },
  tssaslpasswd: { good: "sasldb", program: "tssaslpasswd", args: ["-p", "-u", "realm", "user", "-f"] },
};

interface Scene {
  readonly title: string;
  readonly folder: string;
  readonly path: string;
  /** What is to be written. */
  readonly target: string;
  readonly victim: string;
  readonly before: string;
  readonly planted: string;
}

/** What a name stands for, and what is in it. */
function stateOf(path: string): string {
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return "nothing";
  const content = status.isFile() ? fs.readFileSync(path, "latin1") : status.isSymbolicLink() ? fs.readlinkSync(path) : "";
  return JSON.stringify([status.mode, status.uid, status.gid, status.ino, content]);
}

function setScene(title: string, plant: Plant, good: string, mode: number): Scene {
  const folder = fs.mkdtempSync(join(top, "shared-"));
  fs.chmodSync(folder, mode);
  const victim = join(fs.mkdtempSync(join(top, "victim-")), "victim");
  fs.copyFileSync(join(own, good), victim);
  fs.chmodSync(victim, 0o600);
  const path = join(folder, "t.db");
  plant(path, join(own, good), victim);
  // Another name of our file is ours.
  if (fs.lstatSync(path).nlink === 1 || fs.lstatSync(path).isDirectory()) fs.lchownSync(path, OTHER, OTHER);
  const target = plant === PLANTS[LINK_TO_FOLDER] ? join(path, "new.db") : path;
  return { title, folder, path, target, victim, before: stateOf(victim), planted: stateOf(path) };
}

function assertSafe(
  { title, folder, path, victim, before, planted }: Scene,
  { exit, stderr }: { exit: number | null; stderr: string },
): void {
  assert.equal(stateOf(victim), before, `${title}: the victim`);
  assert.deepEqual(fs.readdirSync(dirname(victim)), ["victim"], title);
  // A link that leads nowhere may be replaced by a file: nothing is written through it.
  const isReplaced = title.includes("nothing") && exit === 0;
  if (isReplaced) assert.equal(fs.lstatSync(path).uid, process.geteuid?.(), title);
  else {
    assert.equal(stateOf(path), planted, title);
    assert.ok(exit !== null && exit > 0 && stderr !== "", `${title}: ${exit} ${stderr}`);
    assert.doesNotMatch(stderr, /internal error|^ {4}at /m, title);
  }
  assert.deepEqual(fs.readdirSync(folder), ["t.db"], title);
}

for (const mode of isFull ? [0o1777, 0o777] : [0o1777]) {
  suite(`a folder of mode ${mode.toString(8)}`, { concurrency: 2 }, () => {
    test("of tsmap", async (t) => {
      if (!isRoot) return t.skip("needs root, who makes files of other users");
      const scenes: [Scene, string[]][] = [];
      for (const [name, { good, args, program }] of Object.entries(WRITERS)) {
        if (program !== undefined) continue;
        for (const [what, plant] of Object.entries(PLANTS)) {
          const scene = setScene(`${name}: ${what}`, plant, good, mode);
          scenes.push([scene, [...args, scene.target]]);
        }
      }
      const child = fileURLToPath(new URL("../support/tsmap-batch.child.js", import.meta.url));
      const lines = JSON.stringify(scenes.map(([, args]) => args));
      const { exit, signal, stdout, stderr } = await run(process.execPath, [child], { cwd: top, input: lines });
      assert.deepEqual([exit, signal, stderr], [0, null, ""]);
      const answers = JSON.parse(stdout) as { exit: number; stderr: string }[];
      for (const [i, [scene]] of scenes.entries()) assertSafe(scene, answers[i] as { exit: number; stderr: string });
      return undefined;
    });

    for (const [name, { good, args, program }] of Object.entries(WRITERS)) {
      if (program === undefined) continue;
      // A process for each: in the ordinary run one that follows links, where the system would not.
      if (!isFull && name !== "tsmakemap -s") continue;
      test(name, async (t) => {
        if (!isRoot) return t.skip("needs root, who makes files of other users");
        for (const [what, plant] of Object.entries(PLANTS)) {
          if (!isFull && !["a link", "a file of another user", LINK_TO_FOLDER].includes(what)) continue;
          const scene = setScene(`${name}: ${what}`, plant, good, mode);
          const target = program === "tsmakemap" ? scene.target.replace(/\.db$/, "") : scene.target;
          assertSafe(
            scene,
            await run(process.execPath, [launcherOf(program), ...args, target], { cwd: top, input: "a b", timeout: 20_000 }),
          );
        }
        return undefined;
      });
    }
  });
}
