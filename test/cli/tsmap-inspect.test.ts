/**
 * tsmap inspect: what it says of real files, and its JSON as the published
 * schema has it.
 */
import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { corruptFixtures, databaseFixtures, rootFolder } from "../support/fixtures.ts";
import { needs } from "../support/native.ts";
import { launcherOf } from "../support/program.ts";
import { TERMINAL_TOOLS, Terminal } from "../support/terminal.ts";
import { tsmap, Workbench } from "../support/tsmap.ts";

interface Report {
  readonly file: string;
  readonly format: {
    readonly type: string;
    readonly version: number;
    readonly byteOrder: string;
    readonly pageSize: number;
    readonly duplicates: unknown;
  };
  readonly size: number;
  readonly pages: Readonly<Record<string, number>>;
  readonly readers: readonly { readonly releases: string; readonly reading: string }[];
  readonly content: { readonly kind: string; readonly records: number; readonly keyNuls: string; readonly upperCaseKeys: number };
  readonly residue: { readonly bytes: number; readonly texts: number; readonly mayBeSecret: boolean };
  readonly damage: readonly string[];
  readonly pageUse?: readonly { readonly kind: string }[];
  readonly warnings: readonly string[];
}

async function inspect(files: readonly string[], options: { cwd?: string } = {}): Promise<Report[]> {
  const { stdout, stderr } = await tsmap(["inspect", "--json", "--pages", ...files], options);
  assert.equal(stderr, "");
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Report);
}

suite("every real file", async () => {
  const fixtures = databaseFixtures();
  const reports = await inspect(fixtures.map(({ path }) => path));
  const schema = JSON.parse(readFileSync(`${rootFolder}schemas/inspect.schema.json`, "utf8")) as object;
  const isValid = new Ajv2020({ strict: true, allErrors: true }).compile(schema);
  for (const [i, fixture] of fixtures.entries()) {
    const { name, type, version, byteOrder, pageSize, size, records, duplicates = false, residue } = fixture;
    const report = reports[i] as Report;
    test(name, () => {
      assert.ok(isValid(report), JSON.stringify(isValid.errors));
      assert.deepEqual(report.format, {
        ...report.format,
        type,
        version,
        byteOrder,
        pageSize,
        duplicates: duplicates === "insertion order" ? "unsorted" : duplicates,
      });
      assert.equal(report.size, size);
      assert.equal(report.content.records, records.length);
      assert.deepEqual(report.damage, []);
      const { total, ...kinds } = report.pages;
      assert.equal(total, size / pageSize);
      assert.equal(
        Object.values(kinds).reduce((sum, count) => sum + count, 0),
        total,
      );
      assert.equal(report.pageUse?.length, total);
      const kind = name.endsWith("-authinfo") ? "authinfo" : name.endsWith("-sasldb") ? "sasldb" : "map";
      assert.equal(report.content.kind, kind);
      // Each deleted value that is whole in the file is a text that can be read.
      if (residue !== undefined) assert.ok(report.residue.texts > 0 && report.residue.bytes > 100, JSON.stringify(report.residue));
      if (name.endsWith("-authinfo")) assert.equal(report.residue.texts, 0, "no record was deleted");
    });
  }
});

suite("who can read a file", () => {
  const expected: Readonly<Record<number, string>> = {
    2: "Berkeley DB 1.85",
    5: "Berkeley DB 2.x",
    6: "Berkeley DB 3.0",
    7: "Berkeley DB 3.1 to 4.5",
    8: "Berkeley DB 4.1 to 18.1",
    9: "Berkeley DB 4.6 to 18.1",
    10: "Berkeley DB 6.0 to 18.1",
  };
  for (const { name, path, type, version } of databaseFixtures().filter(({ name: each }) => /-(le|be)-authinfo$/.test(each))) {
    test(name, async () => {
      const { stdout } = await tsmap(["inspect", path]);
      assert.equal(type, "hash");
      assert.equal(/read by +(.*)/.exec(stdout)?.[1], expected[version]);
      assert.equal(/read after/.test(stdout), version === 5 || version === 6);
      assert.equal(/emptied by +(.*)/.exec(stdout)?.[1], version === 7 ? "Berkeley DB 4.6 to 18.1" : undefined);
      assert.equal(/warning: .*empty this file/.test(stdout), version === 7);
    });
  }
});

suite("warnings", () => {
  const warnings = async (bench: Workbench, file: string): Promise<string> => (await bench.tsmap(["inspect", file])).stdout;

  test("anybody may read, or write, passwords", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v9-db5.3.28-le-sasldb");
    chmodSync(bench.path(file), 0o640);
    assert.doesNotMatch(await warnings(bench, file), /anybody may/);
    chmodSync(bench.path(file), 0o644);
    assert.match(await warnings(bench, file), /warning: anybody may read the passwords in it: chmod 0640/);
    chmodSync(bench.path(file), 0o666);
    assert.match(await warnings(bench, file), /warning: anybody may write to it: chmod 0640/);
    await bench.makemap("sasl_passwd", "[mail.example.com]:587 user:password\n");
    chmodSync(bench.path("sasl_passwd.db"), 0o644);
    assert.match(await warnings(bench, "sasl_passwd.db"), /warning: anybody may read the passwords in it: chmod 0640/);
    const map = bench.fixture("v9-db5.3.28-le-map");
    chmodSync(bench.path(map), 0o644);
    assert.doesNotMatch(await warnings(bench, map), /anybody may/);
  });

  test("what was deleted can be read, until it is scrubbed", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v9-db5.3.28-le-residue");
    assert.match(await warnings(bench, file), /can still be read in it: tsmap scrub/);
    await bench.tsmap(["scrub", file]);
    assert.doesNotMatch(await warnings(bench, file), /can still be read/);
  });

  test("keys of which some end in a NUL; keys in upper case", async (t) => {
    const bench = new Workbench(t);
    await bench.makemap("mixed", "a b\n", ["-N"]);
    assert.match(await warnings(bench, "mixed.db"), /NULs +behind all keys and data, as makemap -N writes them/);
    await bench.makemap("mixed", "c d\n", ["-o"]);
    assert.match(await warnings(bench, "mixed.db"), /some keys end in a NUL and some do not/);
    await bench.makemap("upper", 'AuthInfo:x "U:u" "P:secret"\n', ["-f"]);
    assert.match(await warnings(bench, "upper.db"), /1 key with upper-case letters/);
  });

  test("what a map is for: authinfo, access, aliases, or empty", async (t) => {
    const bench = new Workbench(t);
    const kindOf = async (source: string, args: readonly string[] = []): Promise<string | undefined> =>
      /holds +(.*)/.exec(await warnings(bench, await bench.makemap("map", source, args)))?.[1];
    assert.match((await kindOf('AuthInfo: "P:x"\n')) ?? "", /^an authinfo map/);
    assert.match((await kindOf('AuthInfo: "P:x"\nexample.com RELAY\n')) ?? "", /^an access map/);
    assert.match((await kindOf("[mail.example.com]:587 user:password\n")) ?? "", /password/);
    assert.match((await kindOf("@ @\nroot admin\n", ["-N"])) ?? "", /^an alias database/);
    assert.equal(await kindOf("example.com RELAY\n"), "a map");
    assert.equal(await kindOf(""), "no records");
  });
});

suite("damage", () => {
  for (const { name, path } of corruptFixtures()) {
    test(`${name}: a message that names it, and an exit code that says so`, async () => {
      const { exit, stdout, stderr } = await tsmap(["inspect", path]);
      if (exit === 1) {
        // Of a first page that is damaged nothing else can be said.
        assert.match(stderr === "" ? stdout : stderr, /(warning|\.db): damaged: /);
        assert.equal(stderr.split("\n").length - 1, stdout === "" ? 1 : 0);
        return;
      }
      assert.equal(exit, 2);
      assert.match(stderr, new RegExp(`^tsmap: ${path}: not a Berkeley DB file[^\\n]*\\n$`));
      assert.equal(stdout, "");
    });
  }

  test("what is wrong with one file does not keep the others from being looked at", async (t) => {
    const bench = new Workbench(t);
    const good = bench.fixture("v9-db5.3.28-le-map");
    for (const command of ["inspect", "verify"]) {
      const { exit, stdout, stderr } = await bench.tsmap([command, "missing.db", good]);
      assert.deepEqual([exit, stderr], [2, "tsmap: missing.db: No such file or directory\n"]);
      assert.match(stdout, /^v9-db5.3.28-le-map.db/);
    }
  });
});

const ESCAPE = "\u001b";

suite("on a terminal", () => {
  test("colour, unless NO_COLOR says no; none in a pipe", async (t) => {
    if (!needs(t, ...TERMINAL_TOOLS)) return;
    const bench = new Workbench(t);
    const file = bench.fixture("v7-db3.1.17-be-authinfo");
    const inTerminal = async (env: NodeJS.ProcessEnv): Promise<string> => {
      const command = [process.execPath, launcherOf("tsmap"), "inspect", "--pages", bench.path(file)];
      const terminal = await Terminal.start(t, command, { env: { TERM: "xterm", ...env } });
      await terminal.end();
      return terminal.shown;
    };
    assert.ok((await inTerminal({})).includes(ESCAPE));
    assert.ok(!(await inTerminal({ NO_COLOR: "1" })).includes(ESCAPE));
    assert.ok(!(await inTerminal({ TERM: "dumb" })).includes(ESCAPE));
    assert.ok(!(await bench.tsmap(["inspect", "--pages", file])).stdout.includes(ESCAPE));
  });

  test("the drawing has a character for each page, and several pages to one where there are many", async (t) => {
    const bench = new Workbench(t);
    const file = bench.fixture("v9-db5.3.28-le-residue");
    const cells = (text: string): number =>
      text.split("\n").reduce((sum, line) => sum + (/^ +\d+ ([MIB·▁▂▃▄▅▆▇█]+)$/.exec(line)?.[1]?.length ?? 0), 0);
    const drawn = Buffer.from((await bench.tsmap(["inspect", "--pages", file])).stdout, "latin1").toString();
    assert.equal(cells(drawn), 40);
    await bench.makemap("large", Array.from({ length: 60_000 }, (_, i) => `key${i} value${i}\n`).join(""), ["--page-size", "512"]);
    const large = Buffer.from((await bench.tsmap(["inspect", "--pages", "large.db"])).stdout, "latin1").toString();
    assert.ok(cells(large) <= 64 * 32 && cells(large) > 1000, `${cells(large)} cells`);
    assert.match(large, /; \d pages to a character/);
  });
});
