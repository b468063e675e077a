/**
 * docs/dependencies.md names every package that we depend on, and no other; and
 * what an installation brings with it is what it says.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { rootFolder } from "../support/fixtures.ts";

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

interface Locked {
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (path: string): string => readFileSync(rootFolder + path, "utf8");
const page = read("docs/dependencies.md");
const manifests = ["package.json", "wasm/package.json"].map((path) => JSON.parse(read(path)) as Manifest);
const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
const locked = Object.entries(packages).filter(([path, { link }]) => path.includes("node_modules/") && link !== true);

test("every dependency has its line, and every line its dependency", () => {
  const named = Array.from(page.matchAll(/^\| ([@\w/, .-]+) \|/gm), ([, names = ""]) => names.split(", ")).flat();
  const wanted = manifests.flatMap(({ dependencies, devDependencies }) => Object.keys({ ...dependencies, ...devDependencies }));
  assert.deepEqual([...new Set(named)].filter((name) => name !== "package").sort(), [...new Set(wanted)].sort());
});

test("each has an exact version", () => {
  for (const { dependencies, devDependencies } of manifests) {
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      assert.match(version, /^\d+\.\d+\.\d+(-\d+)?$/, name);
  }
});

test("what an installation brings is named and counted", () => {
  const names = locked.filter(([, { dev }]) => dev !== true).map(([path]) => path.replace(/.*node_modules\//, ""));
  assert.ok(page.includes(` ${names.length + 1} packages in all`), `${names.length + 1}, berkeley-db-js included`);
  for (const name of names) assert.ok(page.includes(name), name);
});

test("nothing runs a script when it is installed", () => {
  assert.deepEqual(
    locked.filter(([, { hasInstallScript }]) => hasInstallScript === true),
    [],
  );
});
