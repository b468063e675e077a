/**
 * Provokes every kind of failure, and says by its exit code alone whether all
 * of them came: libdb prints some by itself if it is let.
 */
import { readFileSync } from "node:fs";
import { Database, MemoryFileSystem } from "berkeley-db-js";
import { bytesOf } from "../support/bytes.ts";
import { FailingFileSystem } from "../support/failing-file-system.ts";
import { corruptFixtures, databaseFixtures } from "../support/fixtures.ts";

let expected = 0;
let failed = 0;
function provoke(action: () => unknown): void {
  expected += 1;
  try {
    action();
  } catch {
    failed += 1;
  }
}

const key = bytesOf("key");
const memory = new MemoryFileSystem();
const database = Database.open("a", { type: "btree", create: true, fileSystem: memory, duplicates: "sorted" });
database.put(key, key);
provoke(() => database.put(key, key, "duplicate"));
provoke(() => database.put(key, key, "insert"));
provoke(() => database.cursor().replace(key));
database.close();
provoke(() => Database.open("none", { fileSystem: memory }));
provoke(() => Database.open("a", { type: "hash", fileSystem: memory }));
using readOnly = Database.open("a", { readOnly: true, fileSystem: memory });
provoke(() => readOnly.put(key, key, "duplicate"));
provoke(() => readOnly.compact());
readOnly.stat();
for (const { path, version } of databaseFixtures()) {
  const bytes = new Uint8Array(readFileSync(path));
  if (version === 10 || version < 8) provoke(() => Database.open(bytes));
  Database.verify(bytes);
}
// 07, 08: what these two do is the business of another test.
for (const { path, name } of corruptFixtures()) {
  const bytes = new Uint8Array(readFileSync(path));
  if (/^(01|02|04|06|11|12|13|14|15)/.test(name)) provoke(() => Database.open(bytes, { readOnly: true }));
  Database.verify(bytes);
}
const failing = new FailingFileSystem(new MemoryFileSystem(), "ENOSPC");
const full = Database.open("full", { type: "hash", create: true, fileSystem: failing, cacheSize: 20480 });
failing.failFrom = failing.operations;
provoke(() => {
  for (let i = 0; i < 100; i++) full.put(bytesOf(`key ${i}`), new Uint8Array(5000));
});
provoke(() => full.sync());
provoke(() => full.close());

process.exitCode = failed === expected && expected > 30 ? 0 : 1;
