/**
 * What is found in the records of a map, and in the mode of its file.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lintFileMode } from "#src/authinfo/lint/file-mode.js";
import { lintRecords } from "#src/authinfo/lint/lint-records.js";
import { lintSource } from "#src/authinfo/lint/lint-source.js";
import type { LintOptions } from "#src/authinfo/lint/options.js";
import { findingText, LINT_RULES, type LintCode, mendText } from "#src/authinfo/lint/rules.js";
import { recordsOf } from "../../support/authinfo-cases.ts";
import { bytesOf } from "../../support/bytes.ts";
import { LINT_EXAMPLES } from "../../support/lint-examples.ts";

const GOOD = '"U:user" "P:secret"';

function lint(records: readonly (readonly [key: string, value: string])[], options?: LintOptions): string[] {
  const found = lintRecords(
    records.map(([key, value]) => [bytesOf(key), bytesOf(value)] as const),
    options,
  );
  return found.map(({ record, key, severity, code }) =>
    record === undefined ? `${severity} ${code}` : `${record} ${key} ${severity} ${code}`,
  );
}

describe("the records of a map", () => {
  it("are all right with a NUL or without", () => {
    assert.deepEqual(lint([]), []);
    assert.deepEqual(lint([["authinfo:relay", GOOD]]), []);
    assert.deepEqual(
      lint([
        ["authinfo:relay\0", `${GOOD}\0`],
        ["authinfo:\0", `${GOOD}\0`],
      ]),
      [],
    );
  });

  it("have what the values and keys of a text have", () => {
    assert.deepEqual(
      lint([
        ["authinfo:relay:25", '"U:user"'],
        ["authinfo:", '"U:user" "P:secret" "M:LOGIN,PLAIN"\0'],
      ]),
      [
        "1 authinfo:*** error port-in-key",
        "1 authinfo:*** error missing-password",
        "2 authinfo: note nul-differs",
        "2 authinfo: error comma-in-mechanisms",
      ],
    );
  });

  it("are not found with upper case, unless the K line has -f, and then with the tag in its own case alone", () => {
    assert.deepEqual(lint([["AuthInfo:relay", GOOD]]), ["1 AuthInfo:relay error upper-case-key"]);
    assert.deepEqual(lint([["AuthInfo:relay", GOOD]], { keepCase: true }), []);
    assert.deepEqual(lint([["authinfo:relay", GOOD]], { keepCase: true }), ["1 authinfo:relay error tag-case"]);
  });

  it("are missed where keys with a NUL and without stand side by side", () => {
    assert.deepEqual(
      lint([
        ["authinfo:relay\0", `${GOOD}\0`],
        ["authinfo:other", GOOD],
        ["authinfo:relay", GOOD],
      ]),
      ["error mixed-nul", "3 authinfo:relay warning duplicate-key"],
    );
  });

  it("may be there twice, of which the first is found", () => {
    assert.deepEqual(
      lint([
        ["authinfo:relay", GOOD],
        ["authinfo:relay", GOOD],
      ]),
      ["2 authinfo:relay warning duplicate-key"],
    );
  });

  it("tell of an address with brackets and without", () => {
    assert.deepEqual(
      lint([
        ["authinfo:192.0.2.1", GOOD],
        ["authinfo:[192.0.2.1]", GOOD],
      ]),
      ["2 authinfo:[192.0.2.1] note brackets-win"],
    );
  });

  it("are judged as the text that they come from is", () => {
    /** What a map does not show any more. */
    const OF_TEXT: readonly LintCode[] = [
      "missing-value",
      "leading-blank",
      "line-too-long",
      "nul-byte",
      "utf16-text",
      "missing-tag",
      "utf8-byte-order-mark",
      "tag-without-colon",
    ];
    for (const { text, options, code } of LINT_EXAMPLES) {
      const inText = lintSource(bytesOf(text), options);
      if (options?.keepCase || inText.some((found) => OF_TEXT.includes(found.code))) continue;
      const records = [...recordsOf(bytesOf(text), options)].map(([key, value]) => [bytesOf(key), value] as const);
      const isBad = lintRecords(records).some(({ severity }) => severity === "error");
      assert.equal(
        isBad,
        inText.some(({ severity }) => severity === "error"),
        `${code}: ${text}`,
      );
    }
  });
});

describe("the mode of a file", () => {
  const modes = (mode: number, kind: "source" | "map"): string[] =>
    lintFileMode(mode, kind).map(({ severity, code, args }) => `${severity} ${code}: ${mendText(code, args)}`);

  it("is for the owner alone, and may be for the group of a map", () => {
    for (const kind of ["source", "map"] as const) {
      for (const mode of [0o100600, 0o100400, 0o100700, 0]) assert.deepEqual(modes(mode, kind), []);
    }
    assert.deepEqual(modes(0o100640, "map"), []);
    assert.deepEqual(modes(0o100640, "source"), ["note group-readable: chmod 0600"]);
  });

  it("lets others read or write", () => {
    assert.deepEqual(modes(0o100644, "source"), ["warning world-readable: chmod 0600"]);
    assert.deepEqual(modes(0o100644, "map"), ["warning world-readable: chmod 0640"]);
    assert.deepEqual(modes(0o100604, "map"), ["warning world-readable: chmod 0640"]);
    assert.deepEqual(modes(0o100660, "map"), ["warning group-writable: chmod 0640"]);
    assert.deepEqual(modes(0o100666, "source"), ["error world-writable: chmod 0600", "warning world-readable: chmod 0600"]);
    assert.deepEqual(modes(0o100602, "source"), ["error world-writable: chmod 0600"]);
  });

  it("is told", () => {
    const [found] = lintFileMode(0o100644, "map");
    assert.equal(found && findingText(found.code, found.args), "everybody may read this file, and it is for passwords (mode 0644)");
  });
});

describe("the codes", () => {
  it("all have an example here or among the examples", () => {
    const HERE: readonly LintCode[] = [
      ...(["world-writable", "group-writable", "world-readable", "group-readable"] as const),
      ...(["upper-case-key", "mixed-nul", "nul-differs", "not-authenticated", "more-findings"] as const),
    ];
    const codes = new Set([...HERE, ...LINT_EXAMPLES.map(({ code }) => code)]);
    assert.deepEqual(
      (Object.keys(LINT_RULES) as LintCode[]).filter((code) => !codes.has(code)),
      [],
    );
  });

  it("are names of lower-case words, with texts that end without a stop", () => {
    for (const [code, { what, mend, why }] of Object.entries(LINT_RULES)) {
      assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/);
      assert.doesNotMatch(what, /\.$/);
      assert.doesNotMatch(mend, /[^…]\.$/);
      assert.match(why, /\.$/);
    }
  });

  it("fall back on one that says what sendmail does", () => {
    // A name that the SASL library refuses for its blanks, in base64.
    const value = `"I=${Buffer.from(" a").toString("base64")}" "P:secret"`;
    assert.deepEqual(lint([["authinfo:relay", value]]), ["1 authinfo:relay error not-authenticated"]);
  });
});

describe("records of any length", () => {
  it("are looked at in no time", () => {
    const LONG = 60_000;
    const parts = [
      " ",
      "\t",
      '"',
      "'",
      "%",
      "%1",
      '"P:',
      "'P:x'",
      "(",
      "\\",
      "\xc2\xa0",
      "\xe2\x80\x9c",
      ",",
      "a.",
      "[",
      ":",
      "x",
      "\0",
      "\n",
      "P:",
    ];
    for (const part of parts) {
      for (const text of [
        part.repeat(LONG),
        `${part.repeat(LONG)}x`,
        `"U:${part.repeat(LONG)}"`,
        `"U:u" "P:p" ${part.repeat(LONG)}x`,
        `"U:u" "P:${part.repeat(LONG)}\n`,
      ]) {
        // Of the processor: the machine may be busy with something else.
        const before = process.cpuUsage();
        lintRecords([
          [bytesOf("authinfo:relay"), bytesOf(text)],
          [bytesOf(`authinfo:${text}`), bytesOf(GOOD)],
          [bytesOf(text), bytesOf(text)],
        ]);
        assert.ok(process.cpuUsage(before).user < 2_000_000, JSON.stringify(text.slice(0, 20)));
      }
    }
  });
});
