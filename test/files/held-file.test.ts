/**
 * A file that is open is closed, whatever comes of it.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type FileSystem, nodeFileSystem } from "berkeley-db-js";
import { keptOpen } from "#src/files/handles.js";
import { openKnown } from "#src/files/held-file.js";
import { temporaryFolder } from "../support/temp.ts";

test("a file that cannot be looked at, or is another one, is closed", (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "file");
  fs.writeFileSync(path, "content");
  const other = fs.statSync(folder);
  for (const isBroken of [true, false]) {
    let open = 0;
    const files: FileSystem = {
      ...nodeFileSystem,
      open: (...args) => {
        const file = nodeFileSystem.open(...args);
        open += 1;
        const close = (): void => {
          file.close();
          open -= 1;
        };
        // No file has this number.
        return { ...keptOpen(file), descriptor: isBroken ? 2 ** 30 : file.descriptor, close };
      },
    };
    assert.throws(() => openKnown(path, other, { write: false }, files), { code: isBroken ? "EBADF" : "ERR_FILE_REPLACED" });
    assert.equal(open, 0);
  }
});
