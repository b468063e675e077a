/**
 * The border between C and TypeScript is written down four times: in the
 * headers of the shim, in the interface of engine.ts, in host.ts and in the
 * module itself. They must say the same.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MemoryFileSystem } from "berkeley-db-js";
import { Host } from "#wasm/host.js";
import { sha256 } from "../support/bytes.ts";
import { rootFolder } from "../support/fixtures.ts";

const wasmFolder = `${rootFolder}wasm/`;
const read = (path: string): string => readFileSync(wasmFolder + path, "utf8");

const engine = readFileSync(`${wasmFolder}dist/engine.wasm`);
const module = new WebAssembly.Module(engine);

const WASI = ["fd_fdstat_get", "fd_seek", "fd_write"];

/** How many parameters a list in C or TypeScript has. */
function parameters(list: string): number {
  const text = list.trim();
  return text === "" || text === "void" ? 0 : text.split(",").length;
}

/** Names and their numbers of parameters, as a header declares them. */
function declared(header: string, macro: RegExp): Map<string, number> {
  const text = read(header).replace(/\/\*.*?\*\//gs, "");
  return new Map(Array.from(text.matchAll(macro), ([, name = "", list = ""]) => [name, parameters(list)]));
}

const exported = declared("libdb/shim/bdb.h", /BDB_EXPORT\((\w+)\)\(([^)]*)\);/g);
const imported = declared("libdb/shim/host.h", /HOST_IMPORT\("(\w+)"\)\s[^(]*\(([^)]*)\);/g);

test("the headers could be read", () => {
  assert.ok(exported.size > 20 && exported.has("bdb_open"));
  assert.ok(imported.size > 5 && imported.has("open"));
});

test("the module exports what bdb.h declares, with as many parameters", () => {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(names.sort(), [...exported.keys(), "_initialize", "memory"].sort());
  const { exports } = new WebAssembly.Instance(module, new Host(new MemoryFileSystem()).imports);
  for (const [name, count] of exported) assert.equal((exports[name] as () => void).length, count, name);
});

test("engine.ts declares the same exports, with as many parameters", () => {
  const body = /export interface Exports \{(.*?)\n\}/s.exec(read("src/engine.ts"))?.[1] ?? "";
  const functions = new Map(Array.from(body.matchAll(/^ {2}(\w+)\(([^)]*)\)/gm), ([, name = "", list = ""]) => [name, parameters(list)]));
  assert.deepEqual([...functions].sort(), [...exported, ["_initialize", 0]].sort());
});

test("the module imports what host.h declares, and three functions of the C library's stdio", () => {
  const names = WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from} ${name}`);
  assert.deepEqual(
    names.sort(),
    [...[...imported.keys()].map((name) => `host ${name}`), ...WASI.map((name) => `wasi_snapshot_preview1 ${name}`)].sort(),
  );
});

test("the host has what host.h declares, with as many parameters", () => {
  const { imports } = new Host(new MemoryFileSystem());
  assert.deepEqual(Object.keys(imports).sort(), ["host", "wasi_snapshot_preview1"]);
  assert.deepEqual(Object.keys(imports.wasi_snapshot_preview1 ?? {}).sort(), WASI);
  const host = Object.entries(imports.host ?? {}).map(([name, action]) => [name, (action as () => void).length]);
  assert.deepEqual(host.sort(), [...imported].sort());
});

test("the flags of host_open are the same numbers on both sides", () => {
  const numbers = (text: string, form: RegExp): string[] => Array.from(text.matchAll(form), ([, name, value]) => `${name} ${value}`).sort();
  const header = numbers(read("libdb/shim/host.h"), /#define (HOST_(?:WRITE|CREATE|EXCLUSIVE|TRUNCATE))\s+(0x\d+)/g);
  assert.equal(header.length, 4);
  assert.deepEqual(numbers(read("src/host.ts"), /const (HOST_\w+) = (0x\d+);/g), header);
});

test("the numbers of a stat are in the order of bdb.h", async () => {
  const list = /enum bdb_stat \{(.*?)\}/s.exec(read("libdb/shim/bdb.h"))?.[1] ?? "";
  const names = Array.from(list.matchAll(/BDB_STAT_(\w+)/g), ([, name = ""]) => name);
  const { readStat, STAT_FIELDS } = await import("#wasm/stat.js");
  assert.equal(names.pop(), "FIELDS");
  assert.equal(names.length, STAT_FIELDS);
  const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  const upstream: Record<string, string> = { MINIMUM_KEYS: "MIN_KEYS" };
  for (const type of ["hash", "btree"] as const) {
    for (const [name, value] of Object.entries(readStat(type, (index) => index))) {
      if (name === "type" || name === "duplicates") continue;
      assert.equal(names[Number(value)], upstream[snake(name)] ?? snake(name));
    }
  }
});

test("engine.json tells the checksum of the engine beside it", () => {
  const record = JSON.parse(read("dist/engine.json")) as { engineSha256: string };
  assert.equal(record.engineSha256, sha256(engine));
});
