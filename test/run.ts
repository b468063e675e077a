/**
 * Runs the tests: `node .build/test/run.js [part of a path …]`. Those of
 * test/package, which look at what would be published, run only when named.
 */
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative, sep } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { readReason } from "./support/native.ts";

/** This file runs from .build/test. */
const compiledFolder = fileURLToPath(new URL("./", import.meta.url));
const sourceFolder = fileURLToPath(new URL("../../test/", import.meta.url));

/** How a reason begins that is told together with others of its kind; see support/mail-network.ts. */
const NEEDS_ROOT = "needs root";

const ONLY_WHEN_NAMED = "package/";

/** The compiled tests whose source is still there, relative to the folder, with slashes. */
function listTests(): string[] {
  return readdirSync(compiledFolder, { recursive: true, encoding: "utf8" })
    .map((name) => name.split(sep).join("/"))
    .filter((name) => name.endsWith(".test.js") && existsSync(sourceFolder + name.replace(/js$/, "ts")))
    .sort();
}

function select(tests: readonly string[], parts: readonly string[]): string[] {
  if (parts.length === 0) return tests.filter((name) => !name.startsWith(ONLY_WHEN_NAMED));
  return tests.filter((name) => parts.some((part) => name.includes(part)));
}

/** Test names by what they were skipped for want of, a tool or root, or by the reason. */
const skipped = new Map<string, string[]>();

function noteSkip(reason: string, name: string): void {
  const tools = readReason(reason).map(({ tool, debianPackage }) => `${tool} (Debian package ${debianPackage})`);
  const keys = reason.startsWith(NEEDS_ROOT) ? ["root"] : tools.length > 0 ? tools : [reason];
  for (const key of keys) skipped.set(key, [...(skipped.get(key) ?? []), name]);
}

function skipReport(): string {
  if (skipped.size === 0) return "";
  const lines = [...skipped].map(([tool, names]) => `  ${tool}, ${names.length}:\n${names.map((name) => `    ${name}\n`).join("")}`);
  return `\nNOT RUN, for want of a native tool, of root, or for another reason:\n${lines.join("")}`;
}

const parts = process.argv.slice(2);
const files = select(listTests(), parts).map((name) => compiledFolder + name.split("/").join(sep));
if (files.length === 0) {
  process.stderr.write(`run: no test has ${parts.join(" or ")} in its path\n`);
  process.exitCode = 1;
} else {
  const stream = run({ files, concurrency: availableParallelism(), timeout: 300_000 });
  stream.on("test:fail", (test) => {
    if (test.todo === undefined || test.todo === false) process.exitCode = 1;
  });
  stream.on("test:pass", (test) => {
    if (typeof test.skip === "string")
      noteSkip(test.skip, `${test.file === undefined ? "" : `${relative(compiledFolder, test.file)}: `}${test.name}`);
  });
  stream.compose(new spec()).pipe(process.stdout);
  // The last thing to be seen.
  process.on("exit", () => process.stdout.write(skipReport()));
}
