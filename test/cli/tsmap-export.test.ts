/**
 * tsmap export as a program: which maps it writes, which it refuses, and the
 * file that it makes. What a directory and sendmail make of it is in
 * tsmap-export-oracle.test.ts.
 */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Database } from "berkeley-db-js";
import { readEntries } from "../support/directory-server.ts";
import type { Outcome, RunOptions } from "../support/program.ts";
import { Workbench } from "../support/tsmap.ts";

const OPTIONS = ["export", "--format", "ldif", "--base", "dc=example,dc=org"];

class Bench extends Workbench {
  export(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return this.tsmap([...OPTIONS, "--cluster", "Servers", ...args], options);
  }

  /** Key and value of each record that is written, and of each map its name alone. */
  async records(args: readonly string[], options: RunOptions = {}): Promise<string[]> {
    const { exit, stdout, stderr } = await this.export(args, options);
    assert.deepEqual([exit, stderr], [0, ""]);
    return recordsOf(stdout);
  }

  async refused(args: readonly string[], message: string): Promise<void> {
    assert.deepEqual(await this.export(args), { exit: 2, signal: null, stdout: "", stderr: `tsmap: ${message}\n` });
  }

  make(name: string, records: readonly (readonly [string, string])[]): string {
    using database = Database.open(this.path(name), { type: "btree", create: true, duplicates: "unsorted" });
    for (const [key, data] of records) database.put(Buffer.from(key, "latin1"), Buffer.from(data, "latin1"), "duplicate");
    return name;
  }
}

function recordsOf(ldif: string): string[] {
  return readEntries(ldif).map(({ attributes }) => {
    const [key] = attributes.get("sendmailMTAKey") ?? [];
    return key === undefined ? `[${attributes.get("sendmailMTAMapName")}]` : `${key} ${attributes.get("sendmailMTAMapValue")}`;
  });
}

const SOURCE = "Mail.Example.com RELAY\nb.example.com REJECT\n";

describe("tsmap export", () => {
  it("writes databases and source texts, several at once, whatever the way they come", async (t) => {
    const bench = new Bench(t);
    bench.write("access", SOURCE);
    const records = ["mail.example.com RELAY", "b.example.com REJECT"];
    assert.deepEqual(await bench.records(["access"]), ["[access]", ...records]);
    assert.deepEqual(await bench.records(["-", "--map-name", "a b"], { input: SOURCE }), ["[a b]", ...records]);
    assert.deepEqual(await bench.records(["/dev/stdin"], { input: SOURCE }), ["[stdin]", ...records]);
    const other = await bench.records(["-f", "-t", ".", "-D", "b", "-N", "-e", "access"]);
    assert.deepEqual(other, ["[access]", "Mail Example.com RELAY"]);
    const map = await bench.makemap("map", SOURCE, ["-N"]);
    assert.deepEqual((await bench.records([map])).sort(), ["[map]", ...records].sort());
    bench.write("other", "x y\n");
    assert.deepEqual(await bench.records(["access", "other"]), ["[access]", ...records, "[other]", "x y"]);
  });

  it("is for a cluster or for a host", async (t) => {
    const bench = new Bench(t);
    bench.write("m", "a b\n");
    for (const [option, attribute, value] of [
      ["--cluster", "sendmailMTACluster", "Mail Servers"],
      ["--host", "sendmailMTAHost", "mx.example.com"],
    ] as const) {
      const { stdout } = await bench.tsmap([...OPTIONS, option, value, "m"]);
      const entries = readEntries(stdout);
      assert.equal(entries.length, 2);
      for (const { attributes } of entries) assert.deepEqual(attributes.get(attribute), [value]);
      assert.equal(stdout.match(/^sendmailMTA(?:Cluster|Host):/gm)?.length, 2);
    }
  });

  it("says what is wrong with the command line, and writes nothing", async (t) => {
    const bench = new Bench(t);
    bench.write("m", "a b\n");
    bench.write("M.db", "");
    await bench.refused(["--map-name", "x", "m", "m"], "--map-name is for one map alone");
    await bench.refused(["m", "./m"], './m: would have the name of m in the directory: "m"');
    await bench.refused(["-"], "standard input has no name: --map-name gives the map one");
    await bench.refused(["--map-name", "", "m"], '"" is no name of a map');
    await bench.refused(["--base", "example.org", "m"], '--base "example.org" is no DN, as ou=sendmail,dc=example,dc=com is one');
    await bench.refused(["--cluster", "", "m"], '"" is no name of a cluster');
    await bench.refused(["--cluster", "M\u00fcnchen", "m"], '"M\xc3\xbcnchen" is no name of a cluster');
    await bench.refused(["none"], "none: No such file or directory");
    const neither = await bench.tsmap([...OPTIONS, "m"]);
    assert.deepEqual([neither.exit, neither.stderr], [2, "tsmap: --cluster or --host is needed: whose sendmail finds the map\n"]);
    const both = await bench.export(["--host", "x", "m"]);
    assert.equal(both.exit, 2);
    assert.match(both.stderr, /^tsmap export: option '--cluster <name>' cannot be used with option '--host <name>'\n$/);
  });

  it("refuses passwords without --show-secrets, and a SASL database with it too", async (t) => {
    const bench = new Bench(t);
    const authinfo = bench.fixture("v8-db4.1.25-be-authinfo");
    const sasldb = bench.fixture("v9-db5.3.28-le-sasldb");
    bench.write("first", "a b\n");
    await bench.refused([authinfo], `${authinfo}: holds passwords; --show-secrets exports them`);
    await bench.refused(["first", authinfo, "-o", "out"], `${authinfo}: holds passwords; --show-secrets exports them`);
    assert.ok(!existsSync(bench.path("out")));
    for (const show of [[], ["--show-secrets"]])
      await bench.refused([...show, sasldb], `${sasldb}: a SASL database, which sendmail looks nothing up in`);
    assert.match((await bench.records(["--show-secrets", authinfo])).join("\n"), /"P:/);
  });

  it("refuses a map that would be another one in a directory, and names the key", async (t) => {
    const bench = new Bench(t);
    for (const [i, [records, message]] of (
      [
        [[["a", ""]], 'key "a": no value, which a directory cannot hold'],
        [[["", "x"]], "a record without a key, which a directory cannot hold"],
        [[["a", "x\0y"]], 'key "a": a NUL within, at which sendmail ends what it reads from a directory'],
        [[["a", "\xff"]], 'key "a": not UTF-8, which a directory takes alone'],
        [
          [
            ["Ab", "x"],
            ["ab", "y"],
          ],
          'key "ab": another key is the same to a directory, which goes by neither case nor blanks',
        ],
        [[['authinfo:"P:pass"', "\xff"]], `key "authinfo:***": not UTF-8, which a directory takes alone`],
      ] as const
    ).entries()) {
      const name = bench.make(`${i}.db`, records);
      const { stderr, stdout, exit } = await bench.export([name]);
      const isSecret = message.includes("***");
      assert.deepEqual(
        [exit, stdout, stderr],
        [2, "", `tsmap: ${name}: ${isSecret ? "holds passwords; --show-secrets exports them" : message}\n`],
      );
    }
    bench.write("text", "Ab x\nab y\n");
    await bench.refused(["-f", "text"], 'text: key "ab": another key is the same to a directory, which goes by neither case nor blanks');
    assert.equal((await bench.export(["text"])).exit, 1, "makemap leaves the second out");
  });

  it("writes the first of the records of a key, and says that there are more", async (t) => {
    const bench = new Bench(t);
    const why = "a directory has one for each key, here the first, which sendmail finds in the map too";
    const database = bench.make("dup.db", [
      ["a", "1"],
      ["a", "2"],
      ["a", "3"],
      ["b", "4"],
    ]);
    const { exit, stdout, stderr } = await bench.export([database]);
    assert.deepEqual([exit, stderr, recordsOf(stdout)], [1, `tsmap: dup.db: 2 records left out: ${why}\n`, ["[dup]", "a 1", "b 4"]]);
    bench.write("dup", "a 1\nb 4\nA 2\nbare\n");
    const source = await bench.export(["-d", "-r", "dup"]);
    assert.deepEqual(
      [source.exit, source.stderr, recordsOf(source.stdout)],
      [
        1,
        `tsmap: dup: line 4: a key without a value, left out by makemap\ntsmap: dup: 1 record left out: ${why}\n`,
        ["[dup]", "a 1", "b 4"],
      ],
    );
    const last = await bench.export(["-r", "dup"]);
    assert.deepEqual(recordsOf(last.stdout), ["[dup]", "a 2", "b 4"]);
  });

  it("-o writes a file that nobody else can read, all or nothing, and never the map", async (t) => {
    const bench = new Bench(t);
    bench.write("m", "a b\n");
    bench.write("out", "old");
    chmodSync(bench.path("out"), 0o644);
    assert.equal((await bench.export(["m"])).stdout, await written(bench));
    assert.equal(statSync(bench.path("out")).mode & 0o777, 0o600);
    await bench.refused(["m", "-o", "./m"], "./m: is the map itself");
    const cut = bench.fixture("v9-db5.3.28-be-map");
    writeFileSync(bench.path(cut), readFileSync(bench.path(cut)).subarray(0, 8192));
    const { exit } = await bench.export(["m", cut, "-o", "out"]);
    assert.equal(exit, 2);
    assert.match(readFileSync(bench.path("out"), "utf8"), /^version: 1\n/);
  });

  it("keeps no records, of a database or of a text", async (t) => {
    const bench = new Bench(t);
    const count = 60_000;
    const source = Array.from({ length: count }, (_, i) => `host${i}.example.com\t${String(i).repeat(30).slice(0, 150)}\n`).join("");
    bench.write("long", source);
    const database = await bench.makemap("map", source);
    // What they would take is more than this; a record that is kept is an object.
    const env = { NODE_OPTIONS: "--max-old-space-size=24" };
    for (const args of [[database], ["long"]]) {
      const { exit, stderr } = await bench.export([...args, "-o", "out"], { env });
      assert.deepEqual([exit, stderr], [0, ""], args.join(" "));
      assert.equal(readFileSync(bench.path("out"), "latin1").match(/^sendmailMTAKey: /gm)?.length, count);
    }
  });
});

async function written(bench: Bench): Promise<string> {
  const { exit, stdout } = await bench.export(["m", "-o", "out"]);
  assert.deepEqual([exit, stdout], [0, ""]);
  return readFileSync(bench.path("out"), "latin1");
}
