/**
 * The default entry needs nothing of Node.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { runChild } from "../support/child.ts";
import { rootFolder } from "../support/fixtures.ts";

const dist = `${rootFolder}wasm/dist/`;
const FOR_NODE = "node.js";

function importsOf(file: string): string[] {
  return Array.from(readFileSync(dist + file, "utf8").matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g), ([, name = ""]) => name);
}

/** The files that `entry` imports, and those import, and so on; all must be files of ours. */
function graph(entry: string): Set<string> {
  const seen = new Set([entry]);
  for (const file of seen) {
    for (const name of importsOf(file)) {
      assert.match(name, /^\.\.?\/[\w/-]+\.js$/, `${file} imports ${name}`);
      seen.add(join(dirname(file), name));
    }
  }
  return seen;
}

test("nothing that index.js reaches imports anything but files of ours", () => {
  const files = graph("index.js");
  assert.ok(files.size > 1);
  assert.ok(!files.has(FOR_NODE));
});

test("only the entry for Node needs Node", () => {
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  assert.deepEqual(
    // Whether it is imported, or got from `process`.
    files.filter((name) => /["']node:|\bprocess\b/.test(readFileSync(dist + name, "utf8"))),
    [FOR_NODE],
  );
});

for (const kind of ["bytes", "response", "promise", "module"]) {
  test(`loadEngine(${kind}) and a MemoryFileSystem are enough`, () => {
    const { stdout, stderr, status } = runChild(new URL("./browser.child.js", import.meta.url), [kind, `${dist}engine.wasm`]);
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), {
      early: 'TypeError: await loadEngine(fetch("…/engine.wasm")) before the first database is opened',
      path: "TypeError: fileSystem: needed here to open a database by its path",
      data: "data",
      files: ["x"],
    });
  });
}
