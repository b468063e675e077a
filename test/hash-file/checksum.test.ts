/**
 * Files with checksums, which Berkeley DB's own tool has made: sound as they
 * are, and damaged where one bit is another.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { MemoryFileSystem } from "berkeley-db-js";
import { checkDatabase } from "#src/hash-file/check.js";
import { fixturesFolder } from "../support/fixtures.ts";

const folder = `${fixturesFolder}checksums/`;
const PAGE = 512;

function problemsOf(bytes: Uint8Array): string[] {
  const files = new MemoryFileSystem();
  files.writeFile("db", bytes);
  const problems: string[] = [];
  checkDatabase(files.open("db", { write: false }, 0), ({ message }) => problems.push(message));
  return problems;
}

suite("checksums", () => {
  for (const name of readdirSync(folder)) {
    test(name, () => {
      const bytes = readFileSync(folder + name);
      assert.deepEqual(problemsOf(bytes), []);
      let changed = 0;
      for (let number = 0; number < bytes.length / PAGE; number++) {
        // Of a bucket that nothing was written to there is no page, and no checksum.
        if (bytes.subarray(number * PAGE, (number + 1) * PAGE).every((byte) => byte === 0)) continue;
        // Free space, or a field that is not read.
        const at = number * PAGE + (number === 0 ? 460 : 26);
        bytes[at] = (bytes[at] as number) ^ 1;
        assert.deepEqual(problemsOf(bytes), [`damaged: page ${number}: its checksum is not that of its bytes`]);
        bytes[at] = (bytes[at] as number) ^ 1;
        changed += 1;
      }
      assert.ok(changed >= 3, `${changed} pages`);
    });
  }
});
