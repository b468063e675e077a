/**
 * Which host a file is for: byte order, page size and version of the format.
 */
import { endianness } from "node:os";
import type { ByteOrder } from "berkeley-db-js";

export const TARGETS = ["native", "aix"] as const;
export type TargetName = (typeof TARGETS)[number];

/** Versions of the hash format that can be written: 7 for Berkeley DB 3.1 to 4.0, 8 from 4.1 on, 9 from 4.6 on. */
export const HASH_VERSIONS = [7, 8, 9] as const;
export type HashVersion = (typeof HASH_VERSIONS)[number];

export interface FileFormat {
  readonly byteOrder: ByteOrder;
  readonly hashVersion: HashVersion;
  /** Bytes. */
  readonly pageSize: number;
}

/**
 * "native" is what makemap makes on this host. "aix" is read by every Berkeley
 * DB from 4.1 to 18.1 on a big-endian host.
 */
export function targetFormat(name: TargetName): FileFormat {
  return name === "aix"
    ? { byteOrder: "big", hashVersion: 8, pageSize: 4096 }
    : { byteOrder: endianness() === "BE" ? "big" : "little", hashVersion: 9, pageSize: 4096 };
}
