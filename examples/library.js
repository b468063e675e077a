/**
 * The library, in place of the programs: builds the fleet beside this file,
 * says what changed, and checks it.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSet, CHECK_RULES, checkProject, ManifestFile, Project } from "tsmakemap/artifacts";

const path = process.argv[2] ?? fileURLToPath(new URL("fleet/tsmap.yaml", import.meta.url));
const text = readFileSync(path, "utf8");
const settings = { output: "artifacts", overrides: {}, allowInline: false, commandTimeout: 60 };
// Disposed of in the end, it overwrites the passwords that it has read.
const project = new Project(new ManifestFile(path, text), text, { settings, environment: process.env, toolVersion: "example" });
try {
  const { changes, unchanged } = await buildSet(project);
  for (const { action, path: file, users } of changes) console.log(action, file, users.length === 0 ? "" : `(${users.length} users)`);
  console.log(`${changes.length} files changed, ${unchanged} as they were`);
  const today = new Date().toISOString().slice(0, 10);
  for await (const finding of checkProject(project, { today }))
    if (finding.kind === "check") console.log(finding.place.line, CHECK_RULES[finding.code].what, finding.args);
} finally {
  project[Symbol.dispose]();
}
