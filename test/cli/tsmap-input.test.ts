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
