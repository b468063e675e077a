/**
 * The command line is read as getopt() reads it ("C:D:Nc:defi:Llorst:uvx"),
 * from left to right, with long options besides.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { type MakemapArguments, type MakemapRequest, parseMakemapArguments } from "#src/cli/makemap-arguments.js";
import { rootFolder } from "../support/fixtures.ts";
import { timeLimit } from "../support/full.ts";
import { tsmakemap } from "../support/program.ts";

const parse = (argv: readonly string[], environment: NodeJS.ProcessEnv = {}): MakemapRequest =>
  parseMakemapArguments(argv, "tsmakemap", environment);

function parsed(argv: readonly string[], environment?: NodeJS.ProcessEnv): MakemapArguments {
  const request = parse(argv, environment);
  assert.ok(request.kind === "run", `${argv.join(" ")}: ${JSON.stringify(request)}`);
  return request.args;
}

const byte = (text: string): number => Buffer.from(text)[0] as number;

/** What getopt() makes of these; several are those where another parser was seen to go wrong. */
const TABLE: readonly [argv: readonly string[], expected: Partial<MakemapArguments>][] = [
  [["-Nvdt:", "hash", "m"], { includeNul: true, verbose: true, allowDuplicates: true, delimiterByte: byte(":") }],
  [["-Cx.org", "hash", "m"], { controlFile: "x.org" }],
  [["-t:", "hash", "m"], { delimiterByte: byte(":"), type: "hash", mapName: "m" }],
  [["-t=", "hash", "m"], { delimiterByte: byte("=") }],
  [["-C=ex", "hash", "m"], { controlFile: "=ex" }],
  [["-C", "a", "-C", "b", "hash", "m"], { controlFile: "b" }],
  [["-t", "-v", "hash", "m"], { delimiterByte: byte("-"), verbose: false }],
  [["-t", "-", "hash", "m"], { delimiterByte: byte("-") }],
  [["-t", "--", "hash", "m"], { delimiterByte: byte("-") }],
  [["-C", "--help", "hash", "m"], { controlFile: "--help" }],
  [["hash", "-v", "m"], { verbose: true, type: "hash", mapName: "m" }],
  [["hash", "m", "-v", "-t", ";"], { verbose: true, delimiterByte: byte(";") }],
  [["--", "hash", "-m"], { type: "hash", mapName: "-m" }],
  [["hash", "--", "-m"], { mapName: "-m" }],
  [["-v", "--", "-l", "m"], { type: "-l", verbose: true }],
  [["hash", "-"], { mapName: "-" }],
  [["hash", ""], { mapName: "" }],
  [["", "m"], { type: "" }],
  [["-t", "\u00e9", "hash", "m"], { delimiterByte: 0xc3 }],
  [["-D", "", "hash", "m"], { commentByte: 0 }],
  [["-D;x", "hash", "m"], { commentByte: byte(";") }],
  [["-v", "-v", "-d", "-d", "hash", "m"], { verbose: true, allowDuplicates: true }],
  [["-c", " 12x", "hash", "m"], { cacheSize: 12 }],
  [["-c", "x12", "hash", "m"], { cacheSize: 0 }],
  [["-c-5", "hash", "m"], { cacheSize: -5 }],
  [["-c", "+7", "hash", "m"], { cacheSize: 7 }],
  [["--in-place", "hash", "m"], { inPlace: true }],
  [["hash", "m"], { inPlace: false, progress: undefined, controlFile: undefined, delimiterByte: undefined, cacheSize: undefined }],
  [["--no-progress", "hash", "m"], { progress: false }],
  [["--progress", "hash", "m"], { progress: true }],
  [["--target=aix", "hash", "m", "--page-size", "512"], { target: "aix", pageSize: "512" }],
  [["--file-id", "-v", "hash", "m"], { fileId: "-v", verbose: false }],
  [
    ["-doresNfuv", "hash", "m"],
    { append: true, replaceDuplicates: true, allowEmptyValue: true, allowLinks: true, keepCase: true, dump: true },
  ],
];

suite("what getopt() makes of it", () => {
  for (const [argv, expected] of TABLE) {
    test(JSON.stringify(argv), () => {
      const args = parsed(argv);
      assert.deepEqual({ ...args, ...expected }, args);
    });
  }
});

const REFUSED: readonly [argv: readonly string[], expected: object][] = [
  [[], {}],
  [["hash"], {}],
  [["hash", "m", "x"], {}],
  [["--"], {}],
  [["-Z", "hash", "m"], { invalidOption: "Z" }],
  [["-vZ", "hash", "m"], { invalidOption: "Z" }],
  [["hash", "m", "-Z"], { invalidOption: "Z" }],
  [["-Z", "-l"], { invalidOption: "Z" }],
  [["-ZY"], { invalidOption: "Z" }],
  [["-7", "hash", "m"], { invalidOption: "7" }],
  [["-?", "hash", "m"], { invalidOption: "?" }],
  [["-:", "hash", "m"], { invalidOption: ":" }],
  [["--unknown", "hash", "m"], { invalidOption: "-" }],
  [["--unknown=x", "hash", "m"], { invalidOption: "-" }],
  // Long options are not to be shortened.
  [["--targ=aix", "hash", "m"], { invalidOption: "-" }],
  [["-t"], { missingArgument: "t" }],
  [["hash", "m", "-vC"], { missingArgument: "C" }],
  [["hash", "m", "--target"], { missingArgument: "-target" }],
];

suite("what is refused", () => {
  for (const [argv, expected] of REFUSED) {
    test(JSON.stringify(argv), () => assert.deepEqual(parse(argv), { kind: "usage", ...expected }));
  }
});

test("options act in their order: a list ends the reading", () => {
  assert.deepEqual(parse(["-l", "-Z"]), { kind: "list", what: "types" });
  assert.deepEqual(parse(["hash", "m", "x", "-L"]), { kind: "list", what: "all-types" });
  assert.deepEqual(parse(["-vx", "--unknown"]), { kind: "list", what: "extensions" });
  assert.deepEqual(parse(["-lx"]), { kind: "list", what: "types" });
  assert.deepEqual(parse(["-xl"]), { kind: "list", what: "extensions" });
  assert.deepEqual(parse(["--version", "-Z"]), { kind: "version" });
  assert.equal(parse(["--help", "-Z"]).kind, "help");
});

test("with POSIXLY_CORRECT options end at the first operand", () => {
  for (const value of ["1", ""]) {
    assert.deepEqual(parse(["hash", "m", "-v"], { POSIXLY_CORRECT: value }), { kind: "usage" });
    assert.equal(parsed(["-v", "hash", "-m"], { POSIXLY_CORRECT: value }).mapName, "-m");
  }
});

test("each -t '' is told of, and changes nothing", () => {
  let told = 0;
  const request = parseMakemapArguments(["-t:", "-t", "", "-t", "", "hash", "m"], "tsmakemap", {}, () => {
    told += 1;
  });
  assert.equal(told, 2);
  assert.ok(request.kind === "run");
  assert.equal(request.args.delimiterByte, byte(":"));
});

test("whatever the command line, it is read or refused", () => {
  const word = fc.oneof(
    fc.constantFrom("hash", "m", "--", "-", "", "-t", "-C", "--target", "--help=1", "--no-target", "-l=x"),
    fc.string({ maxLength: 6 }),
  );
  const property = fc.property(fc.array(word, { maxLength: 8 }), fc.boolean(), (argv, posix) => {
    const { kind } = parse(argv, posix ? { POSIXLY_CORRECT: "1" } : {});
    assert.ok(["run", "list", "help", "version", "usage"].includes(kind));
  });
  fc.assert(property, { numRuns: 1500, interruptAfterTimeLimit: timeLimit(5000) });
});

suite("the program", () => {
  test("names itself in what it refuses", async () => {
    const { exit, stdout, stderr } = await tsmakemap(["-Z"]);
    assert.deepEqual([exit, stdout], [64, ""]);
    assert.equal(
      stderr,
      "tsmakemap: invalid option -- 'Z'\n" +
        "Usage: tsmakemap [-C cffile] [-N] [-c cachesize] [-D commentchar]\n" +
        "                 [-d] [-e] [-f] [-i type] [-l] [-o] [-r] [-s] [-t delimiter]\n" +
        "                 [-u] [-v] type mapname\n",
    );
    assert.match((await tsmakemap(["hash", "m", "-t"])).stderr, /^tsmakemap: option requires an argument -- 't'\nUsage: /);
  });

  test("tells its version and that of Berkeley DB", async () => {
    const { version } = JSON.parse(readFileSync(`${rootFolder}package.json`, "utf8")) as { version: string };
    assert.deepEqual(await tsmakemap(["--version"]), {
      exit: 0,
      signal: null,
      stdout: `tsmakemap ${version} (Berkeley DB 5.3.28)\n`,
      stderr: "",
    });
  });

  test("helps with every option that it shows to anybody", async () => {
    const { exit, stdout, stderr } = await tsmakemap(["--help"]);
    assert.deepEqual([exit, stderr], [0, ""]);
    for (const option of "CNcDdefilorstuv") assert.match(stdout, new RegExp(`^ +-${option}\\b`, "m"));
    for (const option of ["target", "byte-order", "hash-version", "page-size", "file-id", "in-place", "no-progress", "help", "version"])
      assert.match(stdout, new RegExp(`^ +--${option}\\b`, "m"));
    for (const hidden of ["-L", "-x", "-Z", "-9"]) assert.doesNotMatch(stdout, new RegExp(`^ +${hidden}\\b`, "m"));
  });
});
