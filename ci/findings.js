#!/usr/bin/env node
/**
 * The findings of a SARIF file, for those who do not read SARIF:
 *
 *     node findings.js text FILE          a line each, as compilers have it
 *     node findings.js codequality FILE   the code quality report of GitLab
 *
 * A file that is no SARIF is an error, with exit code 2.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** GitLab's names of the levels. */
const SEVERITIES = { error: "major", warning: "minor", note: "info", none: "info" };

/** A line is a line, and no escape sequence of a terminal, whatever a file is called. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are the ones.
const plain = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");

function findingsOf(file) {
  const { version, runs } = JSON.parse(readFileSync(file, "utf8"));
  if (version !== "2.1.0" || !Array.isArray(runs) || runs.length === 0) throw new Error("no SARIF 2.1.0");
  return runs.flatMap(({ results }) => {
    if (!Array.isArray(results)) throw new Error("a run without results");
    return results.map(({ ruleId, level = "warning", message, locations }) => {
      const { artifactLocation, region } = locations?.[0]?.physicalLocation ?? {};
      const { startLine, startColumn } = region ?? {};
      return { rule: String(ruleId), level, message: plain(message.text), path: artifactLocation?.uri, startLine, startColumn };
    });
  });
}

function asText({ rule, level, message, path, startLine, startColumn }) {
  const where = [path === undefined ? undefined : plain(decodeURIComponent(path)), startLine, startColumn].filter(
    (part) => part !== undefined,
  );
  return `${where.map((part) => `${part}:`).join("")}${where.length === 0 ? "" : " "}${level}: ${message} [${plain(rule)}]\n`;
}

/** Every member is wanted: what is about no file is about the first line of the manifest, as far as GitLab is concerned. */
function asCodeQuality({ rule, level, message, path = "tsmap.yaml", startLine = 1 }) {
  return {
    description: message,
    check_name: rule,
    fingerprint: createHash("sha256")
      .update(JSON.stringify([rule, path, message]))
      .digest("hex"),
    severity: SEVERITIES[level] ?? "minor",
    location: { path: decodeURIComponent(path), lines: { begin: startLine } },
  };
}

const [form, file] = process.argv.slice(2);
try {
  const findings = findingsOf(file);
  process.stdout.write(
    form === "codequality" ? `${JSON.stringify(findings.map(asCodeQuality), undefined, 2)}\n` : findings.map(asText).join(""),
  );
} catch (error) {
  process.stderr.write(`findings: ${file}: ${error.message}\n`);
  process.exitCode = 2;
}
