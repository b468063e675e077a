/**
 * All and only the names that berkeley-db-js publishes.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as nodeEntry from "berkeley-db-js";
import { rootFolder } from "../support/fixtures.ts";

const VALUES = ["BerkeleyDBError", "Database", "MemoryFileSystem", "RecordBatch", "loadEngine", "readFileHeader"];
const TYPES = [
  "BerkeleyDBErrorDetails",
  "ByteOrder",
  "BytesSource",
  "Cursor",
  "DatabaseRecord",
  "DatabaseSource",
  "DatabaseStat",
  "DatabaseType",
  "FileHandle",
  "FileHeader",
  "FileStatus",
  "FileSystem",
  "OpenFlags",
  "OpenOptions",
  "PutMode",
];

const dist = `${rootFolder}wasm/dist/`;

const defaultEntry = (await import(`${dist}index.js`)) as typeof import("#wasm/index.js");

test("the default entry", () => {
  assert.deepEqual(Object.keys(defaultEntry).sort(), VALUES);
});

test("the entry for Node: the same, and the operating system's files", () => {
  assert.deepEqual(Object.keys(nodeEntry).sort(), [...VALUES, "nodeFileSystem"].sort());
  const inNode = new Map<string, unknown>(Object.entries(nodeEntry));
  for (const [name, value] of Object.entries(defaultEntry)) assert.equal(inNode.get(name), value);
});

test("the types", () => {
  const names: string[] = [];
  for (const [, onlyTypes, list = ""] of readFileSync(`${dist}index.d.ts`, "utf8").matchAll(/^export (type )?\{(.*?)\}/gm)) {
    for (const item of list.split(",").map((text) => text.trim())) {
      if (onlyTypes !== undefined || item.startsWith("type ")) names.push(item.replace(/^type /, ""));
    }
  }
  assert.deepEqual(names.sort(), TYPES);
  const node = readFileSync(`${dist}node.d.ts`, "utf8");
  assert.match(node, /^export \* from "\.\/index\.ts";\nexport \{ nodeFileSystem \} from "\.\/node-file-system\.ts";$/m);
});

test("the package's name stands for the entry for Node; the engine can be found; nothing else can", () => {
  assert.equal(import.meta.resolve("berkeley-db-js"), pathToFileURL(`${dist}node.js`).href);
  const engine = readFileSync(fileURLToPath(import.meta.resolve("berkeley-db-js/engine.wasm")));
  assert.ok(WebAssembly.validate(engine));
  for (const path of ["dist/index.js", "engine.js", "index.js", "src/index.ts"]) {
    assert.throws(() => import.meta.resolve(`berkeley-db-js/${path}`), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" }, path);
  }
});
