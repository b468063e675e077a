/**
 * Random source text and options, by makemap and by tsmakemap: the same exit
 * code, the same words, the same records in the same order.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { bytesOf } from "../support/bytes.ts";
import { timeLimit } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { readMap } from "../support/makemap-cases.ts";
import { nativePath, needs, runNative } from "../support/native.ts";
import { maskDatabase } from "../support/page-mask.ts";
import { run, tsmakemap } from "../support/program.ts";
import { settling } from "../support/settling.ts";
import { recordLines, sourceText } from "../support/source-text.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });

/** A folder for the length of an action. */
function within<T>(action: (folder: string) => T): T {
  const folder = mkdtempSync(join(top, "run-"));
  try {
    return action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const flags = fc.subarray(["-N", "-d", "-e", "-f", "-r", "-v"]);
const values = fc.array(fc.constantFrom("-t:", "-t ", "-t\t", "-tx", "-tX", "-D;", "-D:", "-DA", "-D ", "-c0", "-c1", "-t", "-D"), {
  maxLength: 2,
});
const type = fc.constantFrom("hash", "btree", "implicit");

test("what makemap makes of it, in process", (t) => {
  if (!needs(t, "makemap")) return;
  const property = fc.property(fc.oneof(sourceText, recordLines), flags, values, type, (text, some, more, kind) => {
    // A letter that wants a value takes an empty one.
    const argv = [...some, ...more.flatMap((value) => (value.length === 2 ? [value, ""] : [value])), kind, "m"];
    const input = bytesOf(text);
    within((folder) => {
      const native = runNative("makemap", ["-C", "/dev/null", ...argv], { input, cwd: folder });
      const file = join(folder, "m.db");
      const theirs = readMap(file);
      const theirBytes = maskDatabase(new Uint8Array(readFileSync(file)));
      rmSync(file);
      const ours = makeInProcess(argv, input, folder);
      const nameless = (stderr: string): string => stderr.replace(/^\S+(?=: m: line)/gm, "makemap");
      assert.deepEqual(
        { exit: ours.exit, stdout: ours.stdout, stderr: ours.stderr, map: readMap(ours.file) },
        { exit: native.status, stdout: native.stdout.toString("latin1"), stderr: nameless(native.stderr.toString("latin1")), map: theirs },
      );
      assert.ok(Buffer.from(maskDatabase(new Uint8Array(readFileSync(ours.file)))).equals(theirBytes), "the files differ");
    });
  });
  fc.assert(property, { numRuns: 2000, interruptAfterTimeLimit: timeLimit(10_000) });
});

test("what makemap makes of a command line", async (t) => {
  if (!needs(t, "makemap")) return;
  const token = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("hash", "btree", "m") },
    { weight: 8, arbitrary: fc.constantFrom("-N", "-d", "-e", "-f", "-o", "-r", "-s", "-u", "-v") },
    { weight: 3, arbitrary: fc.constantFrom("-t", ":", "-t:", "-D", ";", "-D;", "-c", "0", "-i", "implicit", "-ihash", "") },
    {
      weight: 2,
      arbitrary: fc.constantFrom("--", "-", "-l", "-L", "-x", "-Z", "-vN", "-oe", "-eZ", "-vt:", "-?", "--foo", "-1", "foo", "m.db", "cdb"),
    },
  );
  const anywhere = fc.array(token, { maxLength: 6 });
  // Mostly command lines that come to something.
  const argv = fc.oneof(
    { weight: 1, arbitrary: anywhere },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.array(token, { maxLength: 3 }), fc.constantFrom("hash", "btree")).map(([some, kind]) => [...some, kind, "m"]),
    },
  );
  const { predicate, settled } = settling(async (args: string[], isThere: boolean, text: string) => {
    const folder = mkdtempSync(join(top, "run-"));
    const all = ["-C", "/dev/null", ...args];
    const observe = async (how: () => Promise<{ exit: number | null; stdout: string; stderr: string }>): Promise<object> => {
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      if (isThere) makeInProcess(["hash", "m"], bytesOf("a 1\nold v\n"), folder);
      const { exit, stdout, stderr } = await how();
      const files = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode, readMap(join(folder, name))]);
      return { exit, stdout, stderr: stderr.replaceAll("tsmakemap", "makemap").replaceAll(/^ +\[/gm, " ["), files };
    };
    const theirs = await observe(() => run(nativePath("makemap"), all, { cwd: folder, argv0: "makemap", input: text }));
    const ours = await observe(() => tsmakemap(all, { cwd: folder, input: text }));
    assert.deepEqual(ours, theirs);
    rmSync(folder, { recursive: true });
  });
  const property = fc.asyncProperty(argv, fc.boolean(), recordLines, predicate);
  await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: timeLimit(15_000) });
  await settled();
});
