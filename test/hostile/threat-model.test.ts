/**
 * SECURITY.md says which tests stand behind its promises: they are there.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rootFolder } from "../support/fixtures.ts";

test("the tests that SECURITY.md names are there, and it names all of the folders that are there for them", () => {
  const text = fs.readFileSync(join(rootFolder, "SECURITY.md"), "utf8");
  const named = [...text.matchAll(/`(test\/[\w/-]+\.test\.ts)`/g)].map(([, path]) => path as string);
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((path) => !fs.existsSync(join(rootFolder, path))),
    [],
  );
  const there = ["test/hostile", "test/faults", "test/fuzz"].flatMap((folder) =>
    fs.readdirSync(join(rootFolder, folder)).map((name) => `${folder}/${name}`),
  );
  const tests = there.filter((path) => path.endsWith(".test.ts"));
  assert.ok(tests.length > 10, `${tests.length}`);
  assert.deepEqual(
    tests.filter((path) => !named.includes(path) && !path.endsWith("threat-model.test.ts")),
    [],
  );
});
