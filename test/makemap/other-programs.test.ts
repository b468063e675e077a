/**
 * Maps of tsmakemap are read by the programs that they are for, and by others
 * that read makemap's; and maps of those programs are read and added to by
 * tsmakemap.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { compare, sortedPairs } from "../support/bytes.ts";
import { type NativeTool, needs, runNative } from "../support/native.ts";
import { assertVerified, dump } from "../support/native-db.ts";
import { isRoot, tsmakemap } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

type Pair = [key: string, value: string];
type Type = "hash" | "btree";

/** What a relay asks for, and enough besides that buckets and leaves are split. */
const SPECIAL: readonly Pair[] = [
  ["AuthInfo:smtp.example.com", '"U:root" "I:user@example.com" "P:secret" "M:PLAIN"'],
  ["AuthInfo:[192.0.2.1]", '"U:root" "I:other" "P=c2VjcmV0"'],
  ["example.org", "RELAY"],
  ["long", `value ${"v".repeat(960)} end`],
  ["p\xe4th", "ERROR:5.7.1:550 Zugriff verweigert f\xfcr alle"],
];
const PAIRS: readonly Pair[] = [
  ...SPECIAL,
  ...Array.from({ length: 1500 }, (_, i): Pair => [`User${i}@example.com`, `smtp:[10.0.0.${i % 256}] ${"x".repeat(i % 50)}`]),
];
const MISSING = "nobody@example.net";

const sourceOf = (pairs: readonly Pair[]): string => pairs.map(([key, value]) => `${key}\t${value}\n`).join("");

interface BuiltMap {
  readonly name: string;
  readonly type: Type;
  readonly args: readonly string[];
  /** Made in two runs, the second with -o. */
  readonly isAddedTo?: boolean;
}

const MAPS: readonly BuiltMap[] = [
  { name: "native", type: "hash", args: [] },
  { name: "aix", type: "hash", args: ["--target", "aix"] },
  { name: "version8", type: "hash", args: ["--hash-version", "8"] },
  { name: "big", type: "hash", args: ["--byte-order", "big"] },
  { name: "pages8k", type: "hash", args: ["--target", "aix", "--page-size", "8192"] },
  { name: "pages2k", type: "hash", args: ["--page-size", "2048"] },
  { name: "pages64k", type: "hash", args: ["--page-size", "65536"] },
  { name: "nul", type: "hash", args: ["-N"] },
  { name: "nulaix", type: "hash", args: ["-N", "--target", "aix"] },
  { name: "case", type: "hash", args: ["-f"] },
  { name: "duplicates", type: "hash", args: ["-d"] },
  { name: "added", type: "hash", args: [], isAddedTo: true },
  { name: "addedaix", type: "hash", args: ["--target", "aix"], isAddedTo: true },
  { name: "tree", type: "btree", args: [] },
  { name: "treebig", type: "btree", args: ["--target", "aix"] },
  { name: "treenul", type: "btree", args: ["-N"] },
  { name: "treepages", type: "btree", args: ["--page-size", "1024"] },
];

const AT_ONCE = 3;

const folder = temporaryFolder({ after });
const at = (name: string): string => join(folder, name);

const has = (map: BuiltMap, flag: string): boolean => map.args.includes(flag);

/** A key as it stands in the map, but for the NUL of -N. */
const stored = (map: BuiltMap, key: string): string => (has(map, "-f") ? key : key.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));

function expected(map: BuiltMap, { nul = has(map, "-N") } = {}): Pair[] {
  const end = nul ? "\0" : "";
  return sortedPairs(PAIRS.map(([key, value]) => [stored(map, key) + end, value + end]));
}

async function make(args: readonly string[], type: Type, name: string, pairs: readonly Pair[]): Promise<void> {
  const { exit, stderr } = await tsmakemap(["-C", "/dev/null", ...args, type, name], { cwd: folder, input: sourceOf(pairs) });
  // Root is warned of the folder for all to write that temporary folders are in.
  assert.deepEqual([exit, stderr.replace(/^WARNING: .* directory .*\n/gm, "")], [0, ""]);
}

/** Runs a tool that has to succeed. */
function ask(tool: NativeTool, args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = runNative(tool, args, { cwd: folder, input: Buffer.from(input, "latin1") });
  assert.equal(status, 0, `${tool} ${args.join(" ")}: ${stderr}`);
  return stdout.toString("latin1");
}

const linesOf = (text: string): string[] => text.split("\n").slice(0, -1);

/** Of the maps that a program is asked about, one test each. */
function forEachMap(
  choose: (map: BuiltMap) => boolean,
  tools: readonly NativeTool[],
  action: (map: BuiltMap, t: TestContext) => void,
): void {
  for (const map of MAPS.filter(choose)) {
    test(`${map.name}: ${map.type} ${map.args.join(" ")}`, (t) => {
      if (needs(t, ...tools)) action(map, t);
    });
  }
}

async function makeMap({ name, type, args, isAddedTo }: BuiltMap): Promise<void> {
  const half = PAIRS.length / 2;
  await make(args, type, name, isAddedTo ? PAIRS.slice(0, half) : PAIRS);
  if (isAddedTo) await make(["-o"], type, name, PAIRS.slice(half));
}

before(async () => {
  // Node starts for each: some at a time keep all processors busy.
  for (let i = 0; i < MAPS.length; i += AT_ONCE) await Promise.all(MAPS.slice(i, i + AT_ONCE).map(makeMap));
});

suite("sendmail -bt", () => {
  /**
   * sendmail waits a minute for a host name with a dot in it, and asks the name
   * server for it: an address is such a name, and needs no name server. In a
   * namespace of its own, so that the host keeps its name.
   */
  const privileges = isRoot ? [] : ["--user", "--map-current-user", "--keep-caps"];
  const inNamespace = [...privileges, "--uts", "/bin/sh", "-c", 'hostname 127.0.0.1 && exec "$@"', "sh"];

  /** Answers to commands, one by one. */
  function sendmail(t: TestContext, cf: string, commands: readonly string[]): string[] | undefined {
    if (!needs(t, "sendmail", "unshare")) return undefined;
    const allowed = runNative("unshare", [...inNamespace, "true"]);
    if (allowed.status !== 0) {
      t.skip(`a namespace with a host name of its own cannot be made here: ${allowed.stderr.toString().trim()}`);
      return undefined;
    }
    writeFileSync(at("sendmail.cf"), cf, "latin1");
    const { status, stdout, stderr } = runNative("unshare", [...inNamespace, "sendmail", "-bt", "-C", at("sendmail.cf")], {
      cwd: folder,
      input: Buffer.from(`${commands.join("\n")}\n`, "latin1"),
      timeout: 20_000,
      env: { ...process.env, PATH: SBIN },
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
    return linesOf(stdout.toString("latin1").replaceAll("\n> ", "\n")).filter((line) => /^map_lookup|returns:/.test(line));
  }

  const SBIN = `${process.env["PATH"]}:/usr/local/sbin:/usr/sbin:/sbin`;
  // Temporary folders are in one that everybody may write to, which is not what is tested.
  const HEAD = ["V10/Berkeley", "O DontBlameSendmail=MapInUnsafeDirPath", "O DontProbeInterfaces=true"];
  const MAILERS = ["Mlocal, P=[IPC], A=TCP $h", "Mprog, P=/bin/sh, A=sh", ""];

  test("/map finds every kind of record in every kind of map", (t) => {
    const cf = [...HEAD, ...MAPS.map((map) => `K${map.name} ${map.type} ${has(map, "-f") ? "-f " : ""}${at(map.name)}`), ...MAILERS];
    const asked = [...SPECIAL, PAIRS[700] as Pair, PAIRS.at(-1) as Pair];
    const lookups = MAPS.flatMap((map) => [
      ...asked.map(([key, value]) => [`/map ${map.name} ${key}`, `map_lookup: ${map.name} (${key}) returns ${value} (0)`]),
      [`/map ${map.name} ${MISSING}`, `map_lookup: ${map.name} (${MISSING}) no match (0)`],
    ]);
    const answers = sendmail(
      t,
      cf.join("\n"),
      lookups.map(([command]) => command as string),
    );
    if (answers === undefined) return;
    assert.deepEqual(
      answers,
      lookups.map(([, answer]) => answer),
    );
  });

  test("-N and -f: what is found is what makemap's maps have", (t) => {
    // The K line's flags, as sendmail combines them with those of the map.
    const table: readonly [map: string, flags: string, key: string, found: boolean][] = [
      ["native", "", "AuthInfo:smtp.example.com", true],
      ["native", "-N", "AuthInfo:smtp.example.com", false],
      ["native", "-f", "AuthInfo:smtp.example.com", false],
      ["native", "-f", "authinfo:smtp.example.com", true],
      ["nul", "", "AuthInfo:smtp.example.com", true],
      ["nul", "-N", "AuthInfo:smtp.example.com", true],
      ["nul", "-O", "AuthInfo:smtp.example.com", false],
      ["nulaix", "", "AuthInfo:smtp.example.com", true],
      ["nulaix", "-N", "AuthInfo:smtp.example.com", true],
      ["nulaix", "-O", "AuthInfo:smtp.example.com", false],
      ["case", "", "AuthInfo:smtp.example.com", false],
      ["case", "-f", "AuthInfo:smtp.example.com", true],
    ];
    const cf = [...HEAD, ...table.map(([map, flags], i) => `Km${i} hash ${flags} ${at(map)}`), ...MAILERS].join("\n");
    const answers = sendmail(
      t,
      cf,
      table.map(([, , key], i) => `/map m${i} ${key}`),
    );
    if (answers === undefined) return;
    assert.deepEqual(
      answers.map((answer, i) => [...(table[i]?.slice(0, 3) ?? []), / returns .* \(0\)$/.test(answer)]),
      table,
    );
  });

  test("the ruleset authinfo gives a relay's credentials", (t) => {
    const names = ["native", "aix", "addedaix", "version8", "tree", "treebig"];
    for (const name of names) {
      const type = MAPS.find((map) => map.name === name)?.type;
      const rules = [
        "Sauthinfo",
        "R$*\t$: <$(authinfo AuthInfo:$&{server_name} $: ? $)>",
        "R<?>\t$: <$(authinfo AuthInfo:$&{server_addr} $: ? $)>",
        "R<?>\t$@ no",
        "R<$*>\t$# $1",
      ];
      const cf = [...HEAD, `Kauthinfo ${type} ${at(name)}`, ...MAILERS.slice(0, 2), ...rules, ""].join("\n");
      const answers = sendmail(t, cf, [
        ".D{server_name}smtp.example.com",
        "authinfo x",
        ".D{server_name}other.example.com",
        "authinfo x",
        ".D{server_addr}[192.0.2.1]",
        "authinfo x",
      ]);
      if (answers === undefined) return;
      assert.deepEqual(
        answers.map((answer) => answer.replace(/^authinfo +returns: /, "")),
        ['$# "U:root" "I:user@example.com" "P:secret" "M:PLAIN"', "no", '$# "U:root" "I:other" "P=c2VjcmV0"'],
      );
    }
  });
});

suite("praliases lists every record", () => {
  // It prints no NUL, counted or not.
  forEachMap(
    () => true,
    ["praliases"],
    (map) => {
      const listed = linesOf(ask("praliases", ["-C", "/dev/null", "-f", at(map.name)])).sort(compare);
      assert.deepEqual(
        listed,
        expected(map, { nul: false })
          .map(([key, value]) => `${key}:${value}`)
          .sort(compare),
      );
    },
  );
});

suite("editmap", () => {
  forEachMap(
    () => true,
    ["editmap"],
    (map) => {
      const flags = ["-C", "/dev/null", ...["-N", "-f"].filter((flag) => has(map, flag))];
      for (const [key, value] of SPECIAL.slice(0, 3)) {
        assert.equal(ask("editmap", [...flags, "-q", map.type, at(map.name), key]), `${value}\n`);
      }
      assert.notEqual(runNative("editmap", [...flags, "-q", map.type, at(map.name), MISSING]).status, 0);
    },
  );

  for (const [type, args] of [
    ["hash", []],
    ["hash", ["--target", "aix"]],
    ["hash", ["--hash-version", "8"]],
    ["btree", []],
    ["btree", ["--byte-order", "big"]],
  ] as const) {
    test(`changes and removes records of a ${type} map ${args.join(" ")}`, async (t) => {
      if (!needs(t, "editmap", "db5.3_verify")) return;
      const name = `edited-${type}${args.join("")}`;
      await make(args, type, name, PAIRS.slice(0, 400));
      ask("editmap", ["-C", "/dev/null", "-u", type, at(name), "example.org", "another value"]);
      ask("editmap", ["-C", "/dev/null", "-u", type, at(name), "New", "value"]);
      ask("editmap", ["-C", "/dev/null", "-x", type, at(name), "long"]);
      assertVerified([at(`${name}.db`)]);
      const wanted = PAIRS.slice(0, 400)
        .filter(([key]) => key !== "long")
        .map(
          ([key, value]): Pair => [
            key.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
            key === "example.org" ? "another value" : value,
          ],
        );
      assert.deepEqual(sortedPairs(await read(type, name)), sortedPairs([...wanted, ["new", "value"]]));
    });
  }
});

/** Each record of a map, in the order of a cursor, then whether each is found by its key. */
const DB_FILE = `
use strict; my ($type, $file) = @ARGV;
my $db = tie my %h, "DB_File", $file, O_RDONLY, 0, $type eq "hash" ? $DB_HASH : $DB_BTREE or die "$file: $!";
my ($k, $v, @keys) = ("", "");
for (my $s = $db->seq($k, $v, R_FIRST); $s == 0; $s = $db->seq($k, $v, R_NEXT)) {
  push @keys, $k; print unpack("H*", $k), " ", unpack("H*", $v), "\\n";
}
for (@keys) { exists $h{$_} or die "$_ is not found" }
exists $h{"${MISSING.replace("@", "\\@")}"} and die "what is not there is found";
`;
const BERKELEY_DB = `
use strict; my ($type, $file) = @ARGV;
my $db = ("BerkeleyDB::" . ucfirst $type)->new(-Filename => $file, -Flags => DB_RDONLY) or die "$file: $BerkeleyDB::Error";
my ($k, $v, @keys) = ("", ""); my $c = $db->db_cursor;
while ($c->c_get($k, $v, DB_NEXT) == 0) { push @keys, $k; print unpack("H*", $k), " ", unpack("H*", $v), "\\n" }
for (@keys) { $db->db_get($_, $v) == 0 or die "$_ is not found" }
$db->db_get("${MISSING.replace("@", "\\@")}", $v) == DB_NOTFOUND or die "what is not there is found";
`;

for (const [tool, script] of [
  ["perl DB_File", DB_FILE],
  ["perl BerkeleyDB", BERKELEY_DB],
] as const) {
  suite(`${tool} reads every record`, () => {
    forEachMap(
      () => true,
      [tool],
      (map) => {
        const before = readFileSync(at(`${map.name}.db`));
        const pairs = linesOf(ask(tool, ["-e", script, map.type, at(`${map.name}.db`)])).map((line): Pair => {
          const [key = "", value = ""] = line.split(" ").map((hex) => Buffer.from(hex, "hex").toString("latin1"));
          return [key, value];
        });
        assert.deepEqual(sortedPairs(pairs), expected(map));
        if (map.type === "btree") assert.deepEqual(pairs, expected(map));
        assert.ok(readFileSync(at(`${map.name}.db`)).equals(before), "reading changed the map");
      },
    );
  });
}

/**
 * Postfix, without a set-up: the names of a user and a group that every system
 * has, since it insists on some.
 */
const POSTFIX = [
  "compatibility_level=3.6",
  "smtputf8_enable=no",
  "mail_owner=daemon",
  "setgid_group=mail",
  "myhostname=relay.example.com",
  "",
];

before(() => {
  mkdirSync(at("postfix"));
  writeFileSync(at("postfix/main.cf"), POSTFIX.join("\n"));
  // It waits for a file that has just been changed to be changed again.
  utimesSync(at("postfix/main.cf"), 0, 0);
});

function postmap(args: readonly string[], input = ""): string {
  return ask("postmap", ["-c", at("postfix"), ...args], input);
}

suite("postmap finds every record", () => {
  // It asks in lower case, with and without a NUL.
  forEachMap(
    (map) => !has(map, "-f"),
    ["postmap"],
    (map) => {
      const answers = postmap(["-q", "-", `${map.type}:${at(map.name)}`], [...PAIRS.map(([key]) => `${key}\n`), `${MISSING}\n`].join(""));
      assert.deepEqual(
        linesOf(answers),
        PAIRS.map(([key, value]) => `${key}\t${value}`),
      );
    },
  );
});

/** What tsmakemap -u lists. */
async function read(type: Type | "implicit", name: string): Promise<Pair[]> {
  const { exit, stdout, stderr } = await tsmakemap(["-C", "/dev/null", "-u", type, name], { cwd: folder });
  assert.deepEqual([exit, stderr.replace(/^WARNING: .* directory .*\n/gm, "")], [0, ""]);
  return linesOf(stdout).map((line): Pair => {
    const tab = line.indexOf("\t");
    return [line.slice(0, tab), line.slice(tab + 1)];
  });
}

suite("maps of other programs are read, and added to", () => {
  const writer = (open: string): string => `${open} while (<STDIN>) { chomp; my ($k, $v) = split /\\t/, $_, 2; $h{$k} = $v }`;
  const dbFile = (type: Type, settings = ""): string =>
    writer(
      `my $i = ${type === "hash" ? "$DB_HASH" : "$DB_BTREE"}; ${settings} tie my %h, "DB_File", $ARGV[0], O_CREAT|O_RDWR, 0600, $i or die $!;`,
    );
  const berkeleyDb = (type: "Hash" | "Btree", settings = ""): string =>
    writer(`tie my %h, "BerkeleyDB::${type}", -Filename => $ARGV[0], -Flags => DB_CREATE, ${settings} or die $BerkeleyDB::Error;`);
  const perl =
    (tool: NativeTool, script: string) =>
    (name: string, source: string): void =>
      void ask(tool, ["-e", script, at(`${name}.db`)], source);

  interface Maker {
    readonly name: string;
    readonly type: Type;
    readonly tool: NativeTool;
    make(name: string, source: string): void;
    /** It counts a NUL to keys and values, as -N does. */
    readonly hasNul?: true;
  }

  const postfixMap =
    (type: Type) =>
    (name: string, source: string): void => {
      writeFileSync(at(name), source, "latin1");
      postmap([`${type}:${at(name)}`]);
    };

  const makers: readonly Maker[] = [
    { name: "DB_File, hash", type: "hash", tool: "perl DB_File", make: perl("perl DB_File", dbFile("hash")) },
    { name: "DB_File, btree", type: "btree", tool: "perl DB_File", make: perl("perl DB_File", dbFile("btree")) },
    {
      name: "DB_File, hash, big-endian, pages of 1024 bytes",
      type: "hash",
      tool: "perl DB_File",
      make: perl("perl DB_File", dbFile("hash", "$i->{lorder} = 4321; $i->{bsize} = 1024;")),
    },
    {
      name: "DB_File, btree, big-endian",
      type: "btree",
      tool: "perl DB_File",
      make: perl("perl DB_File", dbFile("btree", "$i->{lorder} = 4321; $i->{psize} = 8192;")),
    },
    {
      name: "BerkeleyDB, hash",
      type: "hash",
      tool: "perl BerkeleyDB",
      make: perl("perl BerkeleyDB", berkeleyDb("Hash", "-Pagesize => 512,")),
    },
    { name: "BerkeleyDB, btree", type: "btree", tool: "perl BerkeleyDB", make: perl("perl BerkeleyDB", berkeleyDb("Btree")) },
    { name: "postmap, hash", type: "hash", tool: "postmap", make: postfixMap("hash"), hasNul: true },
    { name: "postmap, btree", type: "btree", tool: "postmap", make: postfixMap("btree"), hasNul: true },
    {
      name: "editmap, hash",
      type: "hash",
      tool: "editmap",
      make: (name, source) => {
        for (const line of linesOf(source).slice(0, 20)) {
          ask("editmap", ["-C", "/dev/null", "-u", "hash", at(name), ...line.split("\t")]);
        }
      },
    },
    {
      name: "db5.3_load",
      type: "hash",
      tool: "db5.3_load",
      make: (name, source) => void ask("db5.3_load", ["-T", "-t", "hash", at(`${name}.db`)], source.replaceAll("\t", "\n")),
    },
    {
      name: "makemap",
      type: "hash",
      tool: "makemap",
      make: (name, source) => void ask("makemap", ["-C", "/dev/null", "hash", at(name)], source),
    },
  ];

  makers.forEach((maker, number) => {
    test(maker.name, async (t) => {
      if (!needs(t, maker.tool, "db5.3_dump", "db5.3_verify")) return;
      const name = `theirs${number}`;
      // Only ASCII, and in lower case: Postfix and editmap have views of their own of the rest.
      const pairs = Array.from({ length: 300 }, (_, i): Pair => [`key${i}`, `value ${"v".repeat(i)} ${i}`]);
      maker.make(name, sourceOf(pairs));
      const wanted = sortedPairs(maker.tool === "editmap" ? pairs.slice(0, 20) : pairs);
      assert.deepEqual(sortedPairs(await read("implicit", name)), wanted);
      const more = Array.from({ length: 200 }, (_, i): Pair => [`more${i}`, `value ${"m".repeat(3 * i)}`]);
      await make(["-o", ...(maker.hasNul ? ["-N"] : [])], maker.type, name, more);
      assertVerified([at(`${name}.db`)]);
      const end = maker.hasNul ? "\0" : "";
      const all = [...wanted, ...more].map(([key, value]): Pair => [key + end, value + end]);
      assert.deepEqual(sortedPairs(dump(at(`${name}.db`))), sortedPairs(all));
    });
  });
});
