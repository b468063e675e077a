/**
 * The file is makemap's byte for byte but for the file id and what stands in
 * unused space, which is zero in ours; and it is the same file wherever, when
 * and however it is made.
 */
import assert from "node:assert/strict";
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { MapBuilder, type MapBuilderOptions } from "#src/makemap/map-builder.js";
import { sha256 } from "../support/bytes.ts";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { stdinOf } from "../support/makemap-cases.ts";
import { nativePath, needs } from "../support/native.ts";
import { maskDatabase, residueOffsets } from "../support/page-mask.ts";
import { isRoot, ordinaryUser, run, tsmakemap, whyNoOrdinaryUser } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });

/** Lines in no order, each with a key of its own. */
function sourceFile(count: number, suffix = ""): string {
  const path = join(folder, `source-${count}${suffix}`);
  const fd = openSync(path, "wx");
  let text = "";
  for (let i = 0; i < count; i++) {
    const n = (i * 7919) % 1_000_003;
    text += `User${n}${suffix}@Example.com\tsmtp:[10.0.${n % 256}.${n % 199}] p${n % 1013}\n`;
    if (text.length > 1 << 20 || i === count - 1) {
      writeFileSync(fd, text);
      text = "";
    }
  }
  closeSync(fd);
  return path;
}

function make(source: string, file: string, options: Omit<MapBuilderOptions, "onDiagnostic">): void {
  const builder = new MapBuilder(file, { ...options, onDiagnostic: ({ problem, line }) => assert.fail(`line ${line}: ${problem}`) });
  const chunk = new Uint8Array(1 << 18);
  const fd = openSync(source, "r");
  try {
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk)) builder.write(chunk.subarray(0, length));
    builder.commit();
  } finally {
    closeSync(fd);
    builder.abandon();
  }
}

async function makeNative(args: readonly string[], source: string, cwd: string): Promise<void> {
  const fd = openSync(source, "r");
  // A cache for the whole file: with less makemap's recycled pages come into it.
  const outcome = await run(nativePath("makemap"), ["-C", "/dev/null", "-c", "268435456", ...args], { cwd, input: { fd } });
  closeSync(fd);
  assert.deepEqual([outcome.exit, outcome.stderr], [0, ""]);
}

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

function assertSame(ours: string, theirs: string): void {
  const bytes = read(ours);
  assert.deepEqual(residueOffsets(bytes), [], "our unused space is not zero");
  const theirBytes = read(theirs);
  assert.equal(bytes.length, theirBytes.length);
  assert.equal(sha256(maskDatabase(bytes)), sha256(maskDatabase(theirBytes)));
  // The mask takes away no more than the file id of ours.
  bytes.fill(0, 52, 72);
  assert.ok(Buffer.from(bytes).equals(maskDatabase(bytes)));
}

suite("the bytes of makemap", () => {
  for (const type of ["hash", "btree"] as const) {
    // A million lines take makemap a while.
    for (const count of [0, 1, 10, 100, 1000, 100_000, ...(isFull ? [1_000_000] : [])]) {
      test(`${type}, ${count} lines`, async (t) => {
        if (!needs(t, "makemap")) return;
        const source = sourceFile(count, type);
        await makeNative([type, "theirs"], source, folder);
        make(source, join(folder, "ours.db"), { type, sourceSize: readFileSync(source).length });
        assertSame(join(folder, "ours.db"), join(folder, "theirs.db"));
        rmSync(source);
        rmSync(join(folder, "ours.db"));
        rmSync(join(folder, "theirs.db"));
      });
    }

    for (const flags of [["-N"], ["-d"], ["-t:"], ["-f"], ["-r"], ["-e"], ["-N", "-d", "-f"]]) {
      test(`${type} ${flags.join(" ")}`, async (t) => {
        if (!needs(t, "makemap")) return;
        const lines = Array.from({ length: 3000 }, (_, i) => `Key${i % 1200}:${i}\tvalue ${"v".repeat(i % 700)} ${i}\n`).join("");
        const source = join(folder, "flags");
        const unique = lines.split("\n").slice(0, 1200).join("\n");
        writeFileSync(source, flags.some((flag) => "-d -r".includes(flag)) ? lines : unique);
        await makeNative([...flags, type, "theirs"], source, folder);
        const { exit, stderr, file } = makeInProcess([...flags, type, "ours"], read(source), folder);
        assert.deepEqual([exit, stderr], [0, ""]);
        assertSame(file, join(folder, "theirs.db"));
        for (const name of ["flags", "ours.db", "theirs.db"]) rmSync(join(folder, name));
      });
    }

    for (const [first, second] of [
      [[], []],
      [["-d"], ["-d"]],
      [[], ["-r"]],
    ] as const) {
      test(`${type}, added to: ${first.join("") || "plain"}, then -o ${second.join("")}`, async (t) => {
        if (!needs(t, "makemap")) return;
        const one = sourceFile(2000, "one");
        const two = sourceFile(3000, second.length === 0 ? "two" : "one");
        for (const [args, source] of [
          [first, one],
          [["-o", ...second], two],
        ] as const) {
          await makeNative([...args, type, "theirs"], source, folder);
          assert.equal(makeInProcess([...args, type, "ours"], read(source), folder).exit, 0);
        }
        assertSame(join(folder, "ours.db"), join(folder, "theirs.db"));
        for (const path of [one, two, join(folder, "ours.db"), join(folder, "theirs.db")]) rmSync(path);
      });
    }
  }
});

suite("the same file", () => {
  const input = stdinOf({
    stdin_b64: null,
    stdin_gen: { line: 'AuthInfo:host%05d.example.com "U:user%05d" "P:secret%05d"\n', from: 0, count: 1200 },
  });
  const expected = (): string => sha256(read(makeInProcess(["hash", "m"], input, folder).file));

  function newFolder(name: string, uid?: number): string {
    const path = join(folder, name);
    mkdirSync(path);
    chmodSync(folder, 0o755);
    if (uid !== undefined && isRoot) chownSync(path, uid, uid);
    return path;
  }

  function chunksOf(size: number): Uint8Array[] {
    return Array.from({ length: Math.ceil(input.length / size) }, (_, i) => input.subarray(i * size, (i + 1) * size));
  }

  const ways: Record<string, { args?: string[]; chunks?: number; file?: boolean; env?: NodeJS.ProcessEnv; umask?: number }> = {
    "from a pipe": {},
    "from a file": { file: true },
    "in chunks of 997 bytes": { chunks: 997 },
    "in chunks of 65537 bytes": { chunks: 65_537 },
    "with -v": { args: ["-v"] },
    "with a small cache": { args: ["-c", "1"] },
    "with a large cache": { args: ["-c", "99999999"] },
    "in another time zone and language": { env: { TZ: "Asia/Tokyo", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" } },
    "with umask 077": { umask: 0o77 },
    "with the id and the target that are the default": { args: ["--file-id", "content", "--target", "native"] },
  };
  for (const [name, { args = [], chunks, file, env, umask }] of Object.entries(ways)) {
    test(name, async () => {
      const cwd = newFolder(name.replaceAll(" ", "-"));
      writeFileSync(join(cwd, "source"), input);
      const fd = openSync(join(cwd, "source"), "r");
      const { exit } = await tsmakemap([...args, "hash", "m"], {
        cwd,
        input: file === true ? { fd } : chunks === undefined ? input : chunksOf(chunks),
        ...(env && { env }),
        ...(umask && { umask }),
      });
      closeSync(fd);
      assert.equal(exit, 0);
      assert.equal(sha256(read(join(cwd, "m.db"))), expected());
    });
  }

  test("by another user", async (t) => {
    const reason = isRoot ? await whyNoOrdinaryUser() : "needs root: there is one user otherwise";
    if (reason !== undefined) return t.skip(reason);
    const cwd = newFolder("other-user", ordinaryUser.uid);
    assert.equal((await tsmakemap(["hash", "m"], { cwd, input, uid: ordinaryUser.uid })).exit, 0);
    assert.equal(sha256(read(join(cwd, "m.db"))), expected());
    return undefined;
  });

  test("over a map that is there, and in place", () => {
    const wanted = expected();
    const cwd = newFolder("over");
    makeInProcess(["btree", "m"], Buffer.from("an old map\n".repeat(1)), cwd);
    assert.equal(sha256(read(makeInProcess(["hash", "m"], input, cwd).file)), wanted);
    makeInProcess(["hash", "m"], Buffer.concat([input, Buffer.from("one more\n")]), cwd);
    assert.equal(sha256(read(makeInProcess(["--in-place", "hash", "m"], input, cwd).file)), wanted);
  });

  test("other records, another type or another order make another file id", () => {
    const id = (argv: string[], text: string): string => sha256(read(makeInProcess(argv, Buffer.from(text), folder).file).subarray(52, 72));
    const ids = [
      id(["hash", "m"], "a b\nc d\n"),
      id(["btree", "m"], "a b\nc d\n"),
      id(["-d", "hash", "m"], "a b\nc d\n"),
      id(["hash", "m"], "a b\nc e\n"),
      id(["hash", "m"], "a b\ncd \x01\n"),
      id(["hash", "m"], ""),
    ];
    assert.equal(new Set(ids).size, ids.length);
    // What is no record is no matter.
    assert.equal(id(["hash", "m"], "# x\na\tb\n\nC d"), ids[0]);
  });

  test("with --file-id random it is another each time", async () => {
    const cwd = newFolder("random");
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      assert.equal((await tsmakemap(["--file-id=random", "hash", "m"], { cwd, input })).exit, 0);
      const bytes = read(join(cwd, "m.db"));
      ids.push(sha256(bytes));
      bytes.fill(0, 52, 72);
      ids.push(sha256(bytes));
    }
    assert.notEqual(ids[0], ids[2]);
    assert.equal(ids[1], ids[3]);
  });
});
