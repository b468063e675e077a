/**
 * Maps that come through a pipe, or from standard input; and what is no map.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { launcherOf, run } from "../support/program.ts";
import { Workbench } from "../support/tsmap.ts";

const bench = new Workbench({ after });
const RECORDS = "authinfo:\tno\nkey\tvalue\n";
bench.write("text", RECORDS);
await bench.makemap("map", RECORDS);

/** A command line of tsmap behind a pipe. */
function piped(file: string, args: string): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  const line = `cat ${file} | "$0" "$1" ${args}`;
  return run("sh", ["-c", line, process.execPath, launcherOf("tsmap")], { cwd: bench.folder });
}

describe("a map through a pipe", () => {
  for (const file of ["text", "map.db"]) {
    for (const name of ["-", "/dev/stdin"]) {
      it(`${file} as ${name} is read by every command`, async () => {
        assert.deepEqual((await piped(file, `list --sort ${name}`)).stdout, RECORDS);
        assert.deepEqual((await piped(file, `get ${name} key`)).stdout, "value\n");
        const diff = await piped(file, `diff ${name} text`);
        assert.deepEqual([diff.exit, diff.stderr], [0, ""]);
        const resolved = await piped(file, `resolve --server h.example ${name}`);
        assert.deepEqual([resolved.exit, resolved.stderr], [1, ""]);
        assert.match(resolved.stdout, /authinfo:/i);
      });
    }

    it(`${file} on a socket`, async () => {
      for (const name of ["-", "/dev/stdin"])
        assert.equal((await bench.tsmap(["list", "--sort", name], { input: readFileSync(bench.path(file)) })).stdout, RECORDS);
    });
  }

  it("is the same on both sides of diff", async () => {
    const { exit, stdout } = await piped("text", "diff - -");
    assert.equal(exit, 0);
    assert.match(stdout, /the same \(2 keys\)/);
  });

  it("longer than memory is set aside for is refused", async () => {
    const { exit, stderr } = await run("sh", ["-c", `"$0" "$1" list /dev/zero`, process.execPath, launcherOf("tsmap")]);
    assert.deepEqual([exit, stderr], [2, "tsmap: /dev/zero: File too large\n"]);
  });

  it("whose name is - needs a folder before it", async () => {
    bench.write("-", "a b\n");
    assert.equal((await bench.tsmap(["list", "./-"])).stdout, "a\tb\n");
  });
});

it("a text with a NUL is told with its line; a .db that is none, and what is known, without", async () => {
  bench.write("nul", "a b\nc d\ne\0 f\n");
  bench.write("nul.db", "a b\nc d\ne\0 f\n");
  bench.write("archive", Buffer.from([0x1f, 0x8b, 0]));
  for (const [file, message] of [
    ["nul", "not a Berkeley DB file, nor text: a NUL in line 3"],
    ["nul.db", "not a Berkeley DB file"],
    ["archive", "not a Berkeley DB file, but compressed with gzip: decompress it first"],
  ] as const) {
    const { exit, stderr } = await bench.tsmap(["list", file]);
    assert.deepEqual([exit, stderr], [2, `tsmap: ${file}: ${message}\n`]);
  }
});

describe("a source text", () => {
  const lines = ["b 1", "a 1", "b 2", "no-value", "c 1", "a 1"];
  bench.write("source", lines.map((line) => `${line}\n`).join(""));
  for (const [options, expected] of [
    [[], "b 1 a 1 c 1"],
    [["-r"], "b 2 a 1 c 1"],
    [["-d"], "b 1 a 1 b 2 c 1 a 1"],
    [["--sort"], "a 1 b 1 c 1"],
  ] as const) {
    it(`is listed in its order, with the records that count: ${options.join(" ")}`, async () => {
      const { exit, stdout, stderr } = await bench.tsmap(["list", ...options, "source"]);
      assert.equal(exit, 1);
      assert.equal(stdout.replaceAll(/[\t\n]/g, " ").trimEnd(), expected);
      const refused = options.length === 0 || options[0] === "--sort" ? [3, 4, 6] : [4];
      assert.deepEqual(
        [...stderr.matchAll(/line (\d+): /g)].map(([, line]) => Number(line)),
        refused,
      );
    });
  }

  it("that is long is not kept in memory", async () => {
    bench.write("long", Array.from({ length: 200_000 }, (_, i) => `key${i} ${"value".repeat(100)}\n`).join(""));
    // 100 MB of text in what V8 and its byte arrays may have together, in KiB: sorted it is too much.
    for (const [options, isListed] of [
      ["-d", true],
      ["-d --sort", false],
    ] as const) {
      const line = `ulimit -c 0; ulimit -d 300000; "$0" "$1" list ${options} long | wc -l`;
      const { stdout } = await run("sh", ["-c", line, process.execPath, launcherOf("tsmap")], { cwd: bench.folder });
      assert.equal(stdout.trim() === "200000", isListed, options);
    }
  });
});
