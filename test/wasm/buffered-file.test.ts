/**
 * BufferedFile: behind it a file must look as it would by itself.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type FileHandle, MemoryFileSystem } from "berkeley-db-js";
import fc from "fast-check";
import { BufferedFile } from "#wasm/buffered-file.js";
import { bytesOf, textOf } from "../support/bytes.ts";
import { FailingFileSystem } from "../support/failing-file-system.ts";

const OPEN = { write: true, create: true };

type Operation =
  | { readonly kind: "write"; readonly offset: number; readonly length: number; readonly value: number }
  | { readonly kind: "read"; readonly offset: number; readonly length: number }
  | { readonly kind: "truncate"; readonly size: number }
  | { readonly kind: "sync" | "size" };

/** Pages, as libdb has them, and anything else. */
const offset = fc.oneof(
  fc.nat(24).map((page) => page * 512),
  fc.nat(12_500),
);
const length = fc.oneof(fc.constantFrom(512, 1024, 4096), fc.nat(1500));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("write" as const), offset, length, value: fc.integer({ min: 1, max: 255 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), offset, length }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), size: offset }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("sync" as const, "size" as const) }) },
);

/** What is seen of the operation. */
function apply(file: FileHandle, op: Operation): unknown {
  switch (op.kind) {
    case "write":
      return file.write(new Uint8Array(op.length).fill(op.value), op.offset);
    case "read": {
      const bytes = new Uint8Array(op.length).fill(0xee);
      const count = file.read(bytes, op.offset);
      return [count, textOf(bytes)];
    }
    case "truncate":
      return file.truncate(op.size);
    case "sync":
      return file.sync();
    case "size":
      return file.size();
  }
}

test("behaves as the bare file under any operations", () => {
  fc.assert(
    fc.property(fc.nat(6000), fc.array(operation, { maxLength: 40 }), (before, operations) => {
      const files = new MemoryFileSystem();
      files.writeFile("bare", new Uint8Array(before).fill(7));
      files.writeFile("behind", new Uint8Array(before).fill(7));
      const bare = files.open("bare", OPEN, 0o600);
      const buffered = new BufferedFile(files.open("behind", OPEN, 0o600));
      for (const op of operations) {
        assert.deepEqual(apply(buffered, op), apply(bare, op), JSON.stringify(op));
        if (op.kind === "sync") assert.deepEqual(files.readFile("behind"), files.readFile("bare"));
      }
      buffered.close();
      assert.deepEqual(files.readFile("behind"), files.readFile("bare"));
    }),
    { numRuns: 1000 },
  );
});

test("writes longer than what it gathers", () => {
  const MIB = 1 << 20;
  const files = new MemoryFileSystem();
  const bare = files.open("bare", OPEN, 0o600);
  const buffered = new BufferedFile(files.open("behind", OPEN, 0o600));
  for (const [at, size, value] of [
    [0, 700_000, 1],
    [700_000, 700_000, 2],
    [1_400_000, 2 * MIB, 3],
    [1_400_000 + 2 * MIB, 512, 4],
    [600_000, 300_000, 5],
    [900_000, MIB, 6],
    [900_000 + MIB, 1, 7],
    [6 * MIB, 512, 8],
  ] as const) {
    bare.write(new Uint8Array(size).fill(value), at);
    buffered.write(new Uint8Array(size).fill(value), at);
    assert.equal(buffered.size(), bare.size());
  }
  buffered.sync();
  assert.ok(Buffer.from(files.readFile("behind")).equals(files.readFile("bare")));
});

test("pages that follow each other go out in one write; pages never written are not asked for", () => {
  const files = new FailingFileSystem(new MemoryFileSystem(), "EIO");
  const file = new BufferedFile(files.open("a", OPEN, 0o600));
  const before = files.operations;
  for (let page = 0; page < 100; page++) file.write(new Uint8Array(4096).fill(page), page * 4096);
  file.write(new Uint8Array(4096).fill(1), 200 * 4096);
  assert.equal(files.operations - before, 1);
  assert.equal(file.read(new Uint8Array(4096), 150 * 4096), 4096);
  assert.equal(files.operations - before, 1);
  file.close();
});

test("what could not be written is tried again, and is not lost", () => {
  const memory = new MemoryFileSystem();
  const files = new FailingFileSystem(memory, "ENOSPC");
  const file = new BufferedFile(files.open("a", OPEN, 0o600));
  file.write(bytesOf("first"), 0);
  files.failFrom = files.operations;
  assert.throws(() => file.sync(), { code: "ENOSPC" });
  assert.throws(() => file.write(bytesOf("elsewhere"), 512), { code: "ENOSPC" });
  assert.throws(() => file.read(new Uint8Array(5), 0), { code: "ENOSPC" });
  files.failFrom = Number.POSITIVE_INFINITY;
  file.write(bytesOf("second"), 5);
  file.sync();
  assert.equal(textOf(memory.readFile("a")), "firstsecond");
  file.close();
});

test("close reports what cannot be written, and closes the file all the same", () => {
  const files = new FailingFileSystem(new MemoryFileSystem(), "ENOSPC");
  const bare = files.open("a", OPEN, 0o600);
  const file = new BufferedFile(bare);
  file.write(bytesOf("lost"), 0);
  files.failFrom = files.operations;
  files.failUntil = files.operations + 1;
  assert.throws(() => file.close(), { code: "ENOSPC" });
  assert.throws(() => bare.size(), { code: "EBADF" });
});
