/**
 * No password that was replaced is anywhere in the folder of the map: not in
 * the map, nor in another file.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Database } from "berkeley-db-js";
import { makeInProcess } from "../support/in-process.ts";
import { needs, runNative } from "../support/native.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
const PASSWORD = "s3cret-PaSSword";

/** Short values and such as fill a quarter of a page; among others, so that pages split. */
const GONE = Array.from({ length: 60 }, (_, i) => `k${i} ${i}-${i % 3 === 0 ? PASSWORD.repeat(60) : PASSWORD}\n`).join("");
const FILLER = Array.from({ length: 300 }, (_, i) => `f${i} ${"v".repeat(i + 1)}\n`).join("");
const FRESH = Array.from({ length: 60 }, (_, i) => `k${i} new${"n".repeat(i * 7)}\n`).join("");

/** All of the bytes there. */
function bytesIn(folder: string): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("");
}

function assertGone(folder: string): void {
  assert.deepEqual(readdirSync(folder), ["m.db"]);
  using database = Database.open(join(folder, "m.db"), { readOnly: true });
  assert.equal(database.count(), 360);
  assert.ok(!bytesIn(folder).includes(PASSWORD));
}

const newFolder = (): string => mkdtempSync(join(top, "run-"));

for (const type of ["hash", "btree"]) {
  for (const options of [[], ["--in-place"], ["-N"], ["-v"]]) {
    const make = (folder: string, more: readonly string[], input: string): void => {
      const { exit, stderr } = makeInProcess([...options, ...more, type, "m"], Buffer.from(input), folder);
      assert.deepEqual([exit, stderr], [0, ""]);
    };
    const title = `${type} ${options.join(" ")}`;

    test(`${title}, replaced in the same run`, () => {
      const folder = newFolder();
      make(folder, ["-r"], GONE + FILLER + FRESH);
      assertGone(folder);
    });

    test(`${title}, replaced by a run that adds`, () => {
      const folder = newFolder();
      make(folder, [], GONE + FILLER);
      assert.ok(bytesIn(folder).includes(PASSWORD));
      make(folder, ["-o", "-r"], FRESH);
      assertGone(folder);
    });

    test(`${title}, made anew`, () => {
      const folder = newFolder();
      make(folder, [], GONE + FILLER);
      make(folder, [], FRESH + FILLER);
      assertGone(folder);
    });
  }

  test(`${type}, a map that makemap made, made anew`, (t) => {
    if (!needs(t, "makemap")) return;
    const folder = newFolder();
    assert.equal(runNative("makemap", ["-C", "/dev/null", type, "m"], { cwd: folder, input: GONE + FILLER }).status, 0);
    // Not with -o: the pages that nothing is added to stay as makemap left them, with what it left in their unused space.
    makeInProcess([type, "m"], Buffer.from(FRESH + FILLER), folder);
    assertGone(folder);
  });
}
