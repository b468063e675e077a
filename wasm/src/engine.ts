/**
 * One instance of the engine: its exports (wasm/libdb/shim/bdb.h), its memory,
 * and what its return codes mean. The only file that knows a pointer.
 *
 * An instance holds one database. It is made for it and dropped with it, so a
 * trap harms nothing else, and no byte of a database outlives it in memory.
 */
import { BerkeleyDBError, codeName, DB_RUNRECOVERY, ENGINE_TRAP, errnoOf } from "./error.ts";
import type { FileSystem } from "./file-system.ts";
import { Host } from "./host.ts";
import type { EngineModule } from "./platform.ts";

/** An address in the module's memory. */
declare const pointer: unique symbol;
export type Pointer = number & { readonly [pointer]: true };

export interface Exports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  _initialize(): void;
  bdb_version(): Pointer;
  bdb_strerror(code: number): Pointer;
  bdb_message(): Pointer;
  bdb_clear_message(): void;
  bdb_result_address(): Pointer;
  bdb_allocate(length: number): Pointer;
  bdb_release(bytes: Pointer, length: number): void;
  bdb_memory_end(): number;
  bdb_create(): number;
  bdb_set(option: number, value: number): number;
  bdb_open(path: Pointer, type: number, flags: number, mode: number): number;
  bdb_close(flags: number): number;
  bdb_sync(): number;
  bdb_type(): number;
  bdb_set_file_id(id: Pointer): number;
  bdb_get(key: Pointer, keyLength: number): number;
  bdb_put(key: Pointer, keyLength: number, data: Pointer, dataLength: number, flags: number): number;
  bdb_put_many(batch: Pointer, length: number, flags: number, refused: Pointer): number;
  bdb_delete(key: Pointer, keyLength: number): number;
  bdb_cursor_open(cursor: Pointer): number;
  bdb_cursor_close(cursor: Pointer): number;
  bdb_cursor_get(cursor: Pointer, key: Pointer, keyLength: number, data: Pointer, dataLength: number, flags: number): number;
  bdb_cursor_get_many(cursor: Pointer, flags: number, length: number): number;
  bdb_cursor_put(cursor: Pointer, key: Pointer, keyLength: number, data: Pointer, dataLength: number, flags: number): number;
  bdb_cursor_delete(cursor: Pointer): number;
  bdb_cursor_count(cursor: Pointer): number;
  bdb_count(): number;
  bdb_stat(fields: Pointer, flags: number): number;
  bdb_compact(): number;
  bdb_verify(path: Pointer, flags: number): number;
  bdb_upgrade(path: Pointer, flags: number): number;
}

export const NULL: Pointer = 0 as Pointer;

/** Buffers are kept between calls up to this size. */
const KEEP = 1 << 20;
/** Bytes of one call: addresses have 32 bits, and libdb has copies of its own. */
const LONGEST = 2 ** 31 - 2 ** 16;

export class Engine {
  readonly exports: Exports;
  /** For errors: the file, as the caller named it. */
  readonly path: string | undefined;
  readonly #host: Host;
  readonly #result: Pointer;
  #bytes: Uint8Array<ArrayBuffer>;
  #numbers: DataView<ArrayBuffer>;
  #trap: unknown;
  #hasGivenUp = false;
  #isBusy = false;
  #input: { address: Pointer; size: number } = { address: NULL, size: 0 };

  constructor(module: EngineModule, fileSystem: FileSystem, path: string | undefined, isReadOnly = false) {
    this.path = path;
    this.#host = new Host(fileSystem, isReadOnly);
    const instance = new WebAssembly.Instance(module as WebAssembly.Module, this.#host.imports);
    this.exports = instance.exports as unknown as Exports;
    this.#host.memory = this.exports.memory;
    this.#bytes = new Uint8Array(this.exports.memory.buffer as ArrayBuffer);
    this.#numbers = new DataView(this.#bytes.buffer);
    this.exports._initialize();
    this.#result = this.exports.bdb_result_address();
  }

  /** Calls the engine; anything but 0 and the codes expected is thrown. */
  call(operation: string, expected: readonly number[], action: (exports: Exports) => number): number {
    this.#host.lastError = undefined;
    this.#host.closeError = undefined;
    const code = this.guard(operation, action);
    if (code !== 0 && !expected.includes(code)) throw this.failure(operation, code);
    const { closeError } = this.#host;
    if (closeError !== undefined) {
      this.#host.lastError = closeError;
      throw this.failure(operation, errnoOf(closeError));
    }
    return code;
  }

  /** Calls the engine; only a trap is thrown. */
  guard<T>(operation: string, action: (exports: Exports) => T): T {
    if (this.#trap !== undefined) throw this.#trapped(operation);
    this.checkIdle();
    this.#isBusy = true;
    try {
      return action(this.exports);
    } catch (error) {
      // Only a trap or an exhausted stack comes out of the module: the host's functions throw nothing.
      this.#trap = error;
      this.#host.abandon();
      throw this.#trapped(operation);
    } finally {
      this.#isBusy = false;
    }
  }

  /** @throws {TypeError} libdb is at work, which has called the caller's own file system, which calls back. */
  checkIdle(): void {
    if (this.#isBusy) throw new TypeError("the database is called from within its own FileSystem");
  }

  /** Whether the module has trapped. */
  get isDead(): boolean {
    return this.#trap !== undefined;
  }

  /** Whether libdb has given the database up, and said so: it refuses everything then, to be closed too, though it closes. */
  get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  /** The error for a code, with what libdb said, which is then forgotten. */
  failure(operation: string, code: number): BerkeleyDBError {
    this.#hasGivenUp ||= code === DB_RUNRECOVERY;
    const known = this.#systemCode(code);
    return new BerkeleyDBError(this.#textAt(this.exports.bdb_strerror(known)).replace(/^BDB\d+ (DB_\w+: )?/, ""), {
      code: codeName(known),
      operation,
      path: this.path,
      detail: this.takeMessage(),
      cause: this.#host.lastError,
    });
  }

  /** libdb finds no room in its cache (ENOMEM), or gives up (EIO), where pages cannot be written: the reason says more. */
  #systemCode(code: number): number {
    const { lastError } = this.#host;
    if (lastError === undefined || (codeName(code) !== "ENOMEM" && codeName(code) !== "EIO")) return code;
    const reason = errnoOf(lastError);
    // Looking for a file that need not be there is no reason.
    return codeName(reason) === "ENOENT" ? code : reason;
  }

  /** What libdb has said since the last time, one line a message. */
  takeMessage(): string {
    const text = this.#textAt(this.exports.bdb_message());
    this.exports.bdb_clear_message();
    return text;
  }

  get version(): string {
    return this.#textAt(this.exports.bdb_version());
  }

  /**
   * Copies byte strings into the module for one call, and zeroes them after it.
   * @returns what `action` returns.
   */
  withBytes<T>(parts: readonly Uint8Array[], extra: number, action: (...addresses: Pointer[]) => T): T {
    // Whatever follows the bytes is aligned for numbers.
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.checkIdle();
    if (length > LONGEST) throw new RangeError(`${length} bytes: more than ${LONGEST} in one call`);
    const size = Math.ceil(length / 4) * 4 + extra;
    const address = this.#allocate(size);
    const addresses: Pointer[] = [];
    let at: number = address;
    for (const part of parts) {
      this.bytes().set(part, at);
      addresses.push(at as Pointer);
      at += part.length;
    }
    addresses.push((Math.ceil(at / 4) * 4) as Pointer);
    try {
      return action(...addresses);
    } finally {
      if (!this.isDead) this.bytes().fill(0, address, address + size);
    }
  }

  /** Copies a path in, with the NUL that C wants behind it. */
  withPath<T>(path: string, action: (path: Pointer) => T): T {
    if (path.includes("\0")) throw new TypeError("path: a file name has no NUL byte");
    return this.withBytes([new TextEncoder().encode(`${path}\0`)], 0, action);
  }

  /** The key of the last result: a copy. */
  resultKey(): Uint8Array<ArrayBuffer> {
    return this.copyOut(this.uint32(this.#result), this.uint32(this.#result, 1));
  }

  /** The data of the last result: a copy. */
  resultData(): Uint8Array<ArrayBuffer> {
    return this.copyOut(this.uint32(this.#result, 2), this.resultLength());
  }

  /** The number that stands in for the data's length where a call has no data. */
  resultLength(): number {
    return this.uint32(this.#result, 3);
  }

  /** The index of the record that a batch stopped at. */
  resultIndex(): number {
    return this.uint32(this.#result, 1);
  }

  copyOut(address: number, length: number): Uint8Array<ArrayBuffer> {
    return this.bytes().slice(address, address + length);
  }

  uint32(address: Pointer, index = 0): number {
    this.#look();
    return this.#numbers.getUint32(address + 4 * index, true);
  }

  /** All of the memory; a view that the next call into the module may end. */
  bytes(): Uint8Array<ArrayBuffer> {
    this.#look();
    return this.#bytes;
  }

  /** Memory that has grown is another buffer. */
  #look(): void {
    if (this.#bytes.length > 0) return;
    this.#bytes = new Uint8Array(this.exports.memory.buffer as ArrayBuffer);
    this.#numbers = new DataView(this.#bytes.buffer);
  }

  /** Overwrites the memory as far as it was used: the instance is of no use afterwards. */
  wipe(): void {
    this.bytes().fill(0, 0, this.exports.bdb_memory_end() >>> 0);
    // What libdb has given up it has not closed.
    this.#host.abandon();
    this.#trap ??= new Error("the database is closed");
  }

  #allocate(size: number): Pointer {
    if (size > this.#input.size) {
      const room = Math.max(size, 4096);
      // An address beyond 2 GiB comes out of the module as a negative number.
      const address = (this.exports.bdb_allocate(room) >>> 0) as Pointer;
      if (address === NULL) throw this.failure("malloc", 48);
      this.exports.bdb_release(this.#input.address, this.#input.size);
      this.#input = { address, size: room };
    } else if (this.#input.size > KEEP && size <= KEEP) {
      this.exports.bdb_release(this.#input.address, this.#input.size);
      this.#input = { address: NULL, size: 0 };
      return this.#allocate(size);
    }
    return this.#input.address;
  }

  #textAt(address: Pointer): string {
    const bytes = this.bytes();
    return new TextDecoder().decode(bytes.subarray(address, bytes.indexOf(0, address)));
  }

  #trapped(operation: string): BerkeleyDBError {
    return new BerkeleyDBError("the engine stopped in the middle of a call; what the database holds is in doubt", {
      code: ENGINE_TRAP,
      operation,
      path: this.path,
      cause: this.#trap,
    });
  }
}
