/**
 * Files with checksums, which Berkeley DB's own tool has made: sound as they
 * are, and damaged where one bit is another.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { MemoryFileSystem } from "berkeley-db-js";
import { checkDatabase } from "#src/hash-file/check.js";
import { nativePath, needs } from "../support/native.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
const PAGE = 512;

function problemsOf(bytes: Uint8Array): string[] {
  const files = new MemoryFileSystem();
  files.writeFile("db", bytes);
  const problems: string[] = [];
  checkDatabase(files.open("db", { write: false }, 0), ({ message }) => problems.push(message));
  return problems;
}

suite("checksums", () => {
  for (const type of ["hash", "btree"]) {
    for (const order of [1234, 4321]) {
      test(`${type}, db_lorder ${order}`, (t) => {
        if (!needs(t, "db5.3_load")) return;
        const path = join(top, `${type}-${order}`);
        const records = Array.from({ length: 200 }, (_, i) => ` key ${i}\n value ${i}\n`).join("");
        const input = `VERSION=3\nformat=print\ntype=${type}\nchksum=1\ndb_lorder=${order}\ndb_pagesize=${PAGE}\nHEADER=END\n${records}DATA=END\n`;
        assert.equal(spawnSync(nativePath("db5.3_load"), [path], { input }).status, 0);
        const bytes = readFileSync(path);
        assert.deepEqual(problemsOf(bytes), []);
        for (let number = 0; number < bytes.length / PAGE; number++) {
          // Of a bucket that nothing was written to there is no page, and no checksum.
          if (bytes.subarray(number * PAGE, (number + 1) * PAGE).every((byte) => byte === 0)) continue;
          // Free space, or a field that is not read.
          const at = number * PAGE + (number === 0 ? 460 : 26);
          bytes[at] = (bytes[at] as number) ^ 1;
          assert.deepEqual(problemsOf(bytes), [`damaged: page ${number}: its checksum is not that of its bytes`]);
          bytes[at] = (bytes[at] as number) ^ 1;
        }
      });
    }
  }
});
