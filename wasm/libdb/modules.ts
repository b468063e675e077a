/**
 * Which files of libdb make up the engine. Each module becomes one compilation
 * unit that includes its files, which costs a third of compiling them one by
 * one; none of them is changed.
 */
import type { SourceTree } from "./unpack.ts";

/** Folders that are compiled whole, less the files of EXCLUDED. */
const MODULES = ["btree", "common", "db", "dbreg", "env", "fileops", "hash", "hmac", "log", "mp", "os", "txn"];

/** Stubs of what we do have, and parts of the stand-alone utilities. */
const EXCLUDED = new Set([
  "src/common/crypto_stub.c",
  "src/common/util_arg.c",
  "src/common/util_cache.c",
  "src/common/util_log.c",
  "src/common/util_sig.c",
  "src/db/db_vrfy_stub.c",
  "src/hash/hash_stub.c",
  "src/log/log_verify_stub.c",
  "src/mp/mp_stub.c",
  "src/os/os_addrinfo.c",
]);

/** libdb's own stubs, in place of what we leave out. */
const STUBS = [
  "src/common/crypto_stub.c",
  "src/heap/heap_stub.c",
  "src/lock/lock_stub.c",
  "src/mutex/mut_stub.c",
  "src/qam/qam_stub.c",
  "src/rep/rep_stub.c",
  "src/repmgr/repmgr_stub.c",
];

export interface Unit {
  readonly name: string;
  /** The text of the unit: nothing but #include lines. */
  readonly text: string;
}

export function libdbUnits(source: SourceTree): Unit[] {
  const units = MODULES.map((name) => {
    const files = [...source.keys()].filter((path) => path.startsWith(`src/${name}/`) && path.endsWith(".c") && !EXCLUDED.has(path));
    return { name, files: files.sort() };
  });
  units.push({ name: "stubs", files: STUBS });
  return units.map(({ name, files }) => ({ name, text: files.map((path) => `#include "${path}"\n`).join("") }));
}
