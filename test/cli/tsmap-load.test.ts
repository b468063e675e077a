/**
 * tsmap load: the same database as db5.3_load makes of the same text, byte for
 * byte but for the file id and unused space; what it is told beside the text;
 * and what it refuses, with everything left as it was.
 */
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Database, readFileHeader } from "berkeley-db-js";
import * as fc from "fast-check";
import { Output } from "#src/cli/output.js";
import { run } from "#src/cli/tsmap/load.js";
import { pairsOf, sha256 } from "../support/bytes.ts";
import { databaseFixtures } from "../support/fixtures.ts";
import { timeLimit } from "../support/full.ts";
import { needs, runNative } from "../support/native.ts";
import { assertVerified } from "../support/native-db.ts";
import { maskDatabase, residueOffsets } from "../support/page-mask.ts";
import { launcherOf, type Outcome, type RunOptions, run as runProgram } from "../support/program.ts";
import { settling } from "../support/settling.ts";
import { temporaryFolder } from "../support/temp.ts";

const folder = temporaryFolder({ after });
const at = (name: string): string => join(folder, name);
const read = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(path));

/** In this process, which is far quicker. */
function loadHere(text: string | Uint8Array, file: string, options: object = {}): Promise<number> {
  writeFileSync(at("text"), text, typeof text === "string" ? "latin1" : undefined);
  const context = { program: "tsmap", output: new Output(), environment: {}, commands: undefined as never };
  return run(context, [file], { format: "dump", overwrite: true, input: at("text"), ...options });
}

function tsmapLoad(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return runProgram(process.execPath, [launcherOf("tsmap"), "load", ...args], { cwd: folder, ...options });
}

function loadNative(text: Uint8Array | string, file: string, ...args: readonly string[]): number | null {
  rmSync(file, { force: true });
  return runNative("db5.3_load", [...args, file], { input: typeof text === "string" ? Buffer.from(text, "latin1") : text }).status;
}

function dumpNative(file: string, ...args: readonly string[]): string {
  const { stdout, stderr, status } = runNative("db5.3_dump", [...args, file]);
  assert.equal(status, 0, stderr.toString());
  return stdout.toString("latin1");
}

function assertSame(ours: string, theirs: string): void {
  assert.equal(dumpNative(ours), dumpNative(theirs));
  assert.equal(sha256(maskDatabase(read(ours))), sha256(maskDatabase(read(theirs))), "the files differ");
  assert.deepEqual(residueOffsets(read(ours)), []);
  assertVerified([ours]);
}

describe("what db5.3_dump writes of a file of fixtures/db", () => {
  for (const fixture of databaseFixtures()) {
    if (fixture.type === "hash" && fixture.version !== 8 && fixture.version !== 9) continue;
    it(`${fixture.name} is loaded as by db5.3_load`, async (t) => {
      if (!needs(t, "db5.3_dump", "db5.3_load", "db5.3_verify")) return;
      copyFileSync(fixture.path, at("copy.db"));
      for (const format of [[], ["-p"]]) {
        const text = dumpNative(at("copy.db"), ...format);
        assert.equal(await loadHere(text, at("ours.db")), 0);
        assert.equal(loadNative(text, at("theirs.db")), 0);
        assertSame(at("ours.db"), at("theirs.db"));
      }
    });
  }
});

const hex = (bytes: Uint8Array): string => ` ${Buffer.from(bytes).toString("hex")}\n`;

function dumpText(header: readonly string[], records: readonly (readonly [Uint8Array, Uint8Array])[]): string {
  const body = records.map(([key, data]) => hex(key) + hex(data)).join("");
  return `VERSION=3\nformat=bytevalue\n${header.map((line) => `${line}\n`).join("")}HEADER=END\n${body}DATA=END\n`;
}

function textRecords(count: number, keys = count, length = 12): [Uint8Array, Uint8Array][] {
  return Array.from({ length: count }, (_, i) => [
    Buffer.from(`user${(i * 7919) % keys}@example.com`),
    Buffer.from(`RELAY ${i} ${"x".repeat((i * 31) % length)}`),
  ]);
}

describe("any text is loaded as by db5.3_load", () => {
  const headers: readonly (readonly string[])[] = [
    ["type=hash"],
    ["type=hash", "h_nelem=4096", "db_pagesize=512"],
    ["type=hash", "h_ffactor=20", "h_nelem=900"],
    ["type=hash", "db_lorder=4321", "db_pagesize=65536"],
    ["type=hash", "duplicates=1"],
    ["type=hash", "duplicates=1", "dupsort=1", "db_lorder=4321"],
    ["type=btree"],
    ["type=btree", "db_lorder=4321", "db_pagesize=512", "bt_minkey=4"],
    ["type=btree", "duplicates=1"],
    ["db_lorder=1234", "dupsort=1", "type=btree"],
  ];
  for (const header of headers) {
    for (const [name, records] of [
      ["none", []],
      ["one", textRecords(1)],
      ["5000", textRecords(5000)],
      ["3000 of 400 keys", textRecords(3000, 400)],
      ["40 long ones", textRecords(40, 30, 20_000)],
      ["600 of one key", textRecords(600, 1)],
    ] as const) {
      it(`${header.join(" ")}: ${name}`, async (t) => {
        if (!needs(t, "db5.3_dump", "db5.3_load", "db5.3_verify")) return;
        const text = dumpText(header, records);
        assert.equal(await loadHere(text, at("ours.db")), loadNative(text, at("theirs.db")));
        assertSame(at("ours.db"), at("theirs.db"));
      });
    }
  }

  it("at random, and with -n", async (t) => {
    if (!needs(t, "db5.3_dump", "db5.3_load", "db5.3_verify")) return;
    const item = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ maxLength: 3 }),
      fc.uint8Array({ minLength: 500, maxLength: 3000 }),
    );
    const { predicate, settled } = settling(async (header: readonly string[], records: [Uint8Array, Uint8Array][], overwrite: boolean) => {
      const text = dumpText(header, records);
      const theirs = loadNative(text, at("theirs.db"), ...(overwrite ? [] : ["-n"]));
      assert.equal(await loadHere(text, at("ours.db"), { overwrite }), theirs);
      assertSame(at("ours.db"), at("theirs.db"));
    });
    const header = fc.constantFrom(...headers);
    const property = fc.asyncProperty(header, fc.array(fc.tuple(item, item), { maxLength: 200 }), fc.boolean(), predicate);
    await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: timeLimit(6000) });
    await settled();
  });
});

describe("a text is taken or refused", () => {
  const wholes = ["VERSION=3", "format=print", "type=hash", "HEADER=END", " a", " b", "DATA=END"];

  it("as db5.3_load does, but for what it misreads", async (t) => {
    if (!needs(t, "db5.3_dump", "db5.3_load")) return;
    const words = [
      ...wholes,
      "format=bytevalue",
      "type=btree",
      "duplicates=1",
      "dupsort=0",
      "h_nelem=10",
      "db_pagesize=1024",
      "keys=1",
      "bt_minkey=2",
    ];
    const line = fc.oneof(
      fc.constantFrom(...words, " 61", " \\\\\\5c", " \\0", "x", "db_pagesize=100", "foo=1", "duplicates=2"),
      fc.string({ maxLength: 4 }).map((text) => ` ${text.replace(/[^ -~]/g, "")}`),
    );
    // Files of its own: what is interrupted by its time limit goes on for a while.
    const [ours, theirs] = [at("taken-ours.db"), at("taken-theirs.db")];
    let [runs, taken] = [0, 0];
    const { predicate, settled } = settling(async (inserted: [number, string][]) => {
      runs += 1;
      const lines = [...wholes];
      for (const [place, text] of inserted) lines.splice(place, 0, text);
      const text = `${lines.join("\n")}\n`;
      rmSync(ours, { force: true });
      const answer = await loadHere(text, ours).catch((error: Error) => error);
      if (typeof answer !== "number") {
        assert.equal(answer.constructor.name, "Trouble");
        assert.throws(() => statSync(ours), { code: "ENOENT" });
        return;
      }
      taken += 1;
      // bt_minkey is no matter of a hash file, which db5.3_load makes none of then.
      if (text.includes("bt_minkey") || (text.includes("h_nelem") && text.includes("btree"))) return;
      assert.equal(loadNative(text, theirs), answer, text);
      assert.equal(dumpNative(ours), dumpNative(theirs), text);
    });
    const property = fc.asyncProperty(fc.array(fc.tuple(fc.nat(7), line), { maxLength: 3 }), predicate);
    await fc.assert(property, { numRuns: 150, interruptAfterTimeLimit: timeLimit(5000) });
    await settled();
    assert.ok(taken > runs / 10, `${taken} of ${runs}`);
  });

  it("with the line and the mend on standard error, exit code 2, and the old file as it was", async () => {
    writeFileSync(at("old.db"), "old");
    for (const [text, message] of [
      [
        wholes.slice(0, -1).join("\n"),
        "tsmap: standard input: line 7: the text ends without DATA=END: it was cut off; dump the database again\n",
      ],
      [
        wholes.slice(0, 3).join("\n"),
        "tsmap: standard input: line 4: the text ends before its HEADER=END: no dump, or one that was cut off\n",
      ],
      [wholes.toSpliced(2, 1).join("\n"), "tsmap: standard input: the header names no type: --type hash or --type btree does\n"],
      [
        "AuthInfo: secret\n",
        "tsmap: standard input: line 1: a line of the header is name=value, and its last one HEADER=END; is this a dump?\n",
      ],
      ["", "tsmap: standard input: line 1: the text ends before its HEADER=END: no dump, or one that was cut off\n"],
    ] as const) {
      const outcome = await tsmapLoad(["old.db"], { input: text });
      assert.deepEqual([outcome.exit, outcome.stdout, outcome.stderr], [2, "", message]);
      assert.equal(readFileSync(at("old.db"), "utf8"), "old");
    }
    const before = readdirSync(folder).length;
    await assert.rejects(loadHere(dumpText(["type=hash"], textRecords(20_000)).slice(0, -5), at("new.db")), {
      name: "Error",
      message: /line 40005/,
    });
    assert.equal(readdirSync(folder).length, before, "something is left behind");
  });
});

describe("what is there to be replaced", () => {
  const text = dumpText(["type=hash"], textRecords(3));

  it("keeps its mode; a new file has 0640, cut by the umask", async () => {
    writeFileSync(at("a.db"), "old");
    chmodSync(at("a.db"), 0o604);
    await loadHere(text, at("a.db"));
    assert.equal(statSync(at("a.db")).mode & 0o777, 0o604);
    rmSync(at("b.db"), { force: true });
    assert.equal((await tsmapLoad(["b.db"], { input: text, umask: 0o002 })).exit, 0);
    assert.equal(statSync(at("b.db")).mode & 0o777, 0o640);
  });

  it("may be a link, or have other names, and stays it", async () => {
    writeFileSync(at("file.db"), "old");
    symlinkSync("file.db", at("link.db"));
    linkSync(at("file.db"), at("name.db"));
    await loadHere(text, at("link.db"));
    assert.equal(statSync(at("file.db")).ino, statSync(at("name.db")).ino);
    assert.ok(readFileSync(at("name.db")).length > 1000);
  });

  it("is no folder or device", async () => {
    mkdirSync(at("folder"));
    assert.deepEqual(await tsmapLoad(["folder"], { input: text }), {
      exit: 2,
      signal: null,
      stdout: "",
      stderr: "tsmap: folder: not a regular file, and not to be replaced by one\n",
    });
    await assert.rejects(loadHere(text, at("none/x.db")), /none\/x\.db: No such file or directory/);
    assert.equal((await tsmapLoad(["x.db", "-f", "none"])).stderr, "tsmap: none: No such file or directory\n");
    assert.equal((await tsmapLoad(["x.db", "-f", "folder"])).stderr, "tsmap: folder: Is a directory\n");
  });
});

describe("options", () => {
  const header = (path: string): unknown => {
    const { type, version, byteOrder, pageSize } = readFileHeader(read(path)) ?? {};
    return { type, version, byteOrder, pageSize };
  };
  const text = dumpText(["type=hash", "db_lorder=4321", "db_pagesize=1024"], textRecords(50, 40));

  it("say what the file is like, over what the text says", async () => {
    await loadHere(text, at("a.db"));
    assert.deepEqual(header(at("a.db")), { type: "hash", version: 9, byteOrder: "big", pageSize: 1024 });
    await loadHere(text, at("a.db"), { byteOrder: "little", pageSize: "2048" });
    assert.deepEqual(header(at("a.db")), { type: "hash", version: 9, byteOrder: "little", pageSize: 2048 });
    await loadHere(text, at("a.db"), { hashVersion: "7" });
    assert.deepEqual(header(at("a.db")), { type: "hash", version: 7, byteOrder: "big", pageSize: 1024 });
    await loadHere(text, at("a.db"), { type: "btree" });
    assert.deepEqual(header(at("a.db")), { type: "btree", version: 9, byteOrder: "big", pageSize: 1024 });
    await loadHere(text, at("a.db"), { target: "native", pageSize: "512" });
    assert.deepEqual(header(at("a.db")), { type: "hash", version: 9, byteOrder: "little", pageSize: 512 });
    const plain = dumpText(["type=hash"], textRecords(5));
    await loadHere(plain, at("a.db"), { target: "aix" });
    assert.equal((header(at("a.db")) as { byteOrder: string }).byteOrder, "big");
    const outcome = await tsmapLoad(["a.db"], { input: text, env: { TSMAKEMAP_PAGE_SIZE: "8192" } });
    assert.equal(outcome.exit, 0);
    assert.deepEqual(header(at("a.db")), { type: "hash", version: 9, byteOrder: "big", pageSize: 8192 });
  });

  it("that cannot be are refused before anything is read", async () => {
    for (const [options, message] of [
      [["--page-size", "1000"], 'tsmap: --page-size: "1000" is not a power of two from 512 to 65536\n'],
      [["--type", "btree", "--hash-version", "9"], "tsmap: --hash-version: a btree file has none\n"],
    ] as const) {
      rmSync(at("a.db"), { force: true });
      const { exit, stderr } = await tsmapLoad(["a.db", ...options], { input: text });
      assert.deepEqual([exit, stderr], [2, message]);
      assert.throws(() => statSync(at("a.db")), { code: "ENOENT" });
    }
  });

  it("make the same bytes every time, and another file id for other records", async () => {
    const ids: string[] = [];
    for (const source of [text, text, dumpText(["type=hash", "db_lorder=4321", "db_pagesize=1024"], textRecords(51, 40))]) {
      await loadHere(source, at("a.db"));
      ids.push(sha256(read(at("a.db"))));
    }
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
    const fileId = "00112233445566778899aabbccddeeff00112233";
    await loadHere(text, at("a.db"), { fileId });
    assert.equal(Buffer.from(read(at("a.db"))).toString("hex", 52, 72), fileId);
  });

  it("-n and exact duplicates: the records that are left out are told by their lines, not their keys", async () => {
    const records = " k1\n a\n k2\n b\n k1\n a\n";
    const source = (...words: readonly string[]): string =>
      ["VERSION=3", "format=print", "type=hash", ...words, "HEADER=END", `${records}DATA=END`, ""].join("\n");
    const refused = (line: number): string => `tsmap: standard input: line ${line}: the key is there already; the record is left out\n`;
    const plain = await tsmapLoad(["a.db", "-n"], { input: source() });
    assert.deepEqual([plain.exit, plain.stderr], [1, refused(9)]);
    const sorted = await tsmapLoad(["a.db"], { input: source("dupsort=1") });
    assert.deepEqual([sorted.exit, sorted.stderr], [1, refused(10)]);
    const database = Database.open(at("a.db"), { readOnly: true });
    assert.equal(database.count(), 2);
    database.close();
  });

  it("-n tells the line of a record however many came before it", async () => {
    const records = textRecords(20_000);
    const { exit, stderr } = await tsmapLoad(["a.db", "-n"], { input: dumpText(["type=hash"], [...records, ...records.slice(0, 1)]) });
    assert.deepEqual([exit, stderr], [1, "tsmap: standard input: line 40005: the key is there already; the record is left out\n"]);
  });

  it("-d keeps all records of JSON and CSV, which otherwise the last one counts of", async () => {
    const records = '{"key":"a","data":"1"}\n{"keyBase64":"YQ==","data":"2"}\n';
    const json = `{"format":"tsmap-records","version":1,"type":"hash","duplicates":false}\n${records}{"end":true,"records":2}\n`;
    const csv = "encoding,key,data\ntext,a,1\nbase64,YQ==,Mg==\nend,2,\n";
    for (const [format, source] of [
      ["json", json],
      ["csv", csv],
    ] as const) {
      for (const [duplicates, expected] of [
        [undefined, ["2"]],
        [true, ["1", "2"]],
      ] as const) {
        assert.equal(await loadHere(source, at("a.db"), { format, duplicates }), 0);
        const database = Database.open(at("a.db"), { readOnly: true });
        assert.equal(database.type, "hash");
        assert.deepEqual(
          pairsOf(database).map(([, data]) => data),
          expected,
        );
        database.close();
      }
    }
  });

  it("says in JSON what the database is, which is made the same again", async () => {
    const header = '{"format":"tsmap-records","version":1,"type":"btree","duplicates":"sorted","pageSize":512}\n';
    assert.equal(await loadHere(`${header}{"end":true,"records":0}\n`, at("a.db"), { format: "json" }), 0);
    using database = Database.open(at("a.db"), { readOnly: true });
    assert.deepEqual([database.type, database.duplicates, database.stat().pageSize], ["btree", "sorted", 512]);
  });

  it("of the text that are not made are told", async () => {
    const { exit, stderr } = await tsmapLoad(["a.db"], { input: dumpText(["type=hash", "chksum=1"], textRecords(2)) });
    assert.deepEqual([exit, stderr], [0, "tsmap: a.db: made without what the text asks for: chksum\n"]);
    assert.equal(read(at("a.db"))[26], 0);
  });
});

it("a text that is empty, or was cut off at any line's end, leaves the file as it was", async () => {
  const whole = {
    dump: dumpText(["type=hash"], textRecords(3)),
    json: '{"format":"tsmap-records","version":1}\n{"key":"a","data":"b"}\n{"key":"b","data":"c"}\n{"end":true,"records":2}\n',
    csv: "encoding,key,data\ntext,a,b\ntext,c,d\nend,2,\n",
  };
  for (const [format, text] of Object.entries(whole)) {
    assert.equal(await loadHere(text, at("live.db"), { format: format as "dump" }), 0);
    const before = read(at("live.db"));
    const lines = text.split(/(?<=\n)/);
    for (let kept = 0; kept < lines.length; kept++) {
      await assert.rejects(loadHere(lines.slice(0, kept).join(""), at("live.db"), { format: format as "dump" }), /line \d+: /);
      assert.deepEqual(read(at("live.db")), before);
    }
  }
});
