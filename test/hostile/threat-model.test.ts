/**
 * SECURITY.md says which tests stand behind its promises: they are there.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rootFolder } from "../support/fixtures.ts";

test("the tests that SECURITY.md names are there, and it names all of this folder", () => {
  const text = fs.readFileSync(join(rootFolder, "SECURITY.md"), "utf8");
  const named = [...text.matchAll(/`(test\/[\w/-]+\.test\.ts)`/g)].map(([, path]) => path as string);
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((path) => !fs.existsSync(join(rootFolder, path))),
    [],
  );
  const here = fs.readdirSync(join(rootFolder, "test/hostile")).map((name) => `test/hostile/${name}`);
  assert.deepEqual(
    here.filter((path) => !named.includes(path) && !path.endsWith("threat-model.test.ts")),
    [],
  );
});
