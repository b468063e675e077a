/**
 * Which files of libdb make up the engine. Each module becomes one compilation
 * unit that includes its files, which costs a third of compiling them one by
 * one; none of them is changed.
 */
import type { SourceTree } from "./unpack.ts";

/** Folders that are compiled whole, less the files that follow. */
const MODULES = ["btree", "common", "db", "env", "fileops", "hash", "hmac", "mp", "os"];

/** Stubs of what we do have, and parts of the stand-alone utilities. */
const UNFIT = [
  "src/common/crypto_stub.c",
  "src/common/util_arg.c",
  "src/common/util_cache.c",
  "src/common/util_log.c",
  "src/common/util_sig.c",
  "src/db/db_vrfy_stub.c",
  "src/hash/hash_stub.c",
  "src/mp/mp_stub.c",
  "src/os/os_addrinfo.c",
];

/**
 * What nothing can come to: recovery, backups, the registry of processes, and
 * printed statistics. shim/absent.c has what is left for libdb to point to.
 */
const UNREACHABLE = [
  "src/btree/bt_rec.c",
  "src/db/crdel_rec.c",
  "src/db/db_backup.c",
  "src/db/db_dispatch.c",
  "src/db/db_rec.c",
  "src/env/env_recover.c",
  "src/env/env_register.c",
  "src/env/env_stat.c",
  "src/fileops/fop_rec.c",
  "src/hash/hash_rec.c",
  "src/mp/mp_stat.c",
];

/** libdb's own stubs, in place of what we leave out, and what it needs of the folders that we leave out. */
const STUBS = [
  "src/common/crypto_stub.c",
  "src/heap/heap_stub.c",
  "src/lock/lock_stub.c",
  "src/log/log_compare.c",
  "src/log/log_method.c",
  "src/mutex/mut_stub.c",
  "src/qam/qam_stub.c",
  "src/rep/rep_stub.c",
  "src/repmgr/repmgr_stub.c",
  "src/txn/txn_method.c",
];

export interface Unit {
  readonly name: string;
  /** The text of the unit: nothing but #include lines. */
  readonly text: string;
}

export function libdbUnits(source: SourceTree): Unit[] {
  const leftOut = new Set([...UNFIT, ...UNREACHABLE]);
  const units = MODULES.map((name) => {
    const files = [...source.keys()].filter((path) => path.startsWith(`src/${name}/`) && path.endsWith(".c") && !leftOut.has(path));
    return { name, files: files.sort() };
  });
  units.push({ name: "stubs", files: STUBS });
  return units.map(({ name, files }) => ({ name, text: ["absent.h", ...files].map((path) => `#include "${path}"\n`).join("") }));
}
