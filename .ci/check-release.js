#!/usr/bin/env node
/**
 * Whether what is here is the release that a tag names:
 *
 *     node .ci/check-release.js v1.2.3
 *
 * One version everywhere, a section of CHANGELOG.md that is finished, and the
 * fields without which npm refuses provenance. Says all that is wrong, and
 * ends with exit code 1 then. Needs nothing but Node.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (name) => readFileSync(root + name, "utf8");

/** In the order in which they are published. */
const PACKAGES = ["wasm/package.json", "package.json"];

/** What npm holds against the repository that the provenance names. */
const FIELDS = ["repository", "homepage", "bugs"];

const faults = [];

function checkPackages(version) {
  for (const file of PACKAGES) {
    const manifest = JSON.parse(read(file));
    if (manifest.version !== version) faults.push(`${file}: the version is ${manifest.version}, the tag says ${version}`);
    if (manifest.private) faults.push(`${file}: a private package is not published`);
    const missing = FIELDS.filter((field) => manifest[field] === undefined);
    if (missing.length > 0)
      faults.push(`${file}: no ${missing.join(", no ")}: set them as CONTRIBUTING.md says, "Before the first release"`);
    const url = manifest.repository?.url;
    const here = process.env.GITHUB_REPOSITORY;
    if (url !== undefined && here !== undefined && url !== `git+https://github.com/${here}.git`) {
      faults.push(`${file}: repository.url is ${url}, which npm refuses from github.com/${here}`);
    }
    const engine = manifest.dependencies?.["berkeley-db-js"];
    if (engine !== undefined && engine !== version) faults.push(`${file}: depends on berkeley-db-js ${engine}, which is not ${version}`);
  }
}

/** "## 1.2.3, 2026-12-01", and something below it. */
function checkChangelog(version) {
  const sections = read("CHANGELOG.md").split(/^## /m).slice(1);
  const section = sections.find((text) => /^[^\s,]+/.exec(text)?.[0] === version);
  if (section === undefined) {
    faults.push(`CHANGELOG.md: no section "## ${version}, YYYY-MM-DD"`);
    return;
  }
  const [heading, ...lines] = section.split("\n");
  if (!/^\S+, \d{4}-\d\d-\d\d$/.test(heading)) faults.push(`CHANGELOG.md: "## ${heading}" wants a date: "## ${version}, YYYY-MM-DD"`);
  if (!lines.some((line) => line.startsWith("- "))) faults.push(`CHANGELOG.md: nothing is said of ${version}`);
  if (sections.indexOf(section) !== 0) faults.push(`CHANGELOG.md: the first section is not that of ${version}`);
}

/** What users copy names the release too. */
function checkExamples(version) {
  for (const [file, text] of Object.entries({
    "action.yml": `/tsmakemap@v${version}\n`,
    "docs/ci.md": `/tsmakemap@v${version} `,
    "templates/tsmap.yml": `/tsmap@${version}\n`,
  })) {
    if (!read(file).includes(text)) faults.push(`${file}: the example is not of ${version}`);
  }
  if (!read("templates/tsmap.yml").includes(`default: ${version}\n`))
    faults.push(`templates/tsmap.yml: version is not ${version} by default`);
}

const tag = process.argv[2] ?? "";
const [, version] = /^v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(tag) ?? [];
if (version === undefined) faults.push(`"${tag}" is no tag of a release: v1.2.3`);
else {
  checkPackages(version);
  checkChangelog(version);
  checkExamples(version);
}
for (const fault of faults) process.stderr.write(`check-release: ${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
else process.stdout.write(`check-release: ${tag} is ready\n`);
