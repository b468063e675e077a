/**
 * berkeley-db-js: the public names, where there is no file system to speak of.
 */
export { type DatabaseRecord, RecordBatch } from "./batch.ts";
export type { Cursor } from "./cursor.ts";
export { Database, type DatabaseSource, type PutMode } from "./database.ts";
export { BerkeleyDBError, type BerkeleyDBErrorDetails } from "./error.ts";
export { type FileHeader, readFileHeader } from "./file-header.ts";
export type { FileHandle, FileStatus, FileSystem, OpenFlags } from "./file-system.ts";
export { MemoryFileSystem } from "./memory-file-system.ts";
export type { ByteOrder, DatabaseType, OpenOptions } from "./options.ts";
export { type BytesSource, loadEngine } from "./platform.ts";
export type { DatabaseStat } from "./stat.ts";
