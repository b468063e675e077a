/**
 * Records fixtures/cases/makemap-more.json anew: the cases below, by the native
 * makemap, as root and as an ordinary user.
 *
 *     node .build/test/support/record-makemap-cases.js
 *
 * Needs root, and the makemap that the file names (field `binary`).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { fixturesFolder } from "./fixtures.ts";
import { CaseFolder, expectedOf, type MakemapCase, type Observed, type SetupStep } from "./makemap-cases.ts";
import { nativePath } from "./native.ts";
import { isRoot, NOBODY } from "./program.ts";

const CONTROL_FILES = {
  "{D}/empty.cf": "",
  "{D}/trust.cf": "O TrustedUser=12345\n",
  "{D}/trust-two.cf": "O TrustedUser=11111\nO TrustedUser=22222\n",
  "{D}/trust-blank.cf": "O TrustedUser= 12345 \n",
  "{D}/trust-tail.cf": "O TrustedUser=12345abc\n",
  "{D}/trust-two-blanks.cf": "O  TrustedUser=12345\n",
  "{D}/trust-no-blank.cf": "OTrustedUser=12345\n",
  "{D}/trust-no-equals.cf": "O TrustedUser 12345\n",
  "{D}/trust-comment.cf": "#O TrustedUser=12345\n",
  "{D}/trust-root.cf": "O TrustedUser=root\n",
  "{D}/trust-unknown-last.cf": "O TrustedUser=12345\nO TrustedUser=nosuchuser\n",
  "{D}/trust-empty.cf": "O TrustedUser=\n",
  "{D}/trust-crlf.cf": "O TrustedUser=12345\r\n",
  "{D}/k.cf":
    "# a comment that names lost\nKlost\n Kindented hash /etc/mail/indented\nKone hash -o /etc/mail/one\nKtwo  btree   /etc/mail/two.db\n" +
    "Kthree hash -a.FOUND three \nKtabbed hash -o\t/etc/mail/tabbed\nKodd foo odd\nKany implicit any\nKfour btree one.two\n" +
    "Krel hash rel\nKrel btree rel\nK spaced btree spaced\nKdirs btree /a.b/c/five.txt\n#Khidden hash hidden\nKcolon hash:/etc/mail/colon\n",
};

interface Draft {
  readonly id: string;
  readonly group: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly steps?: readonly SetupStep[];
  readonly umask?: number;
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly note?: string;
  /** Without -C {D}/empty.cf before the arguments. */
  readonly bare?: boolean;
}

const drafts: Draft[] = [];

/** One byte a character, in input; in arguments, UTF-8. */
function add(group: string, id: string, args: readonly string[], stdin?: string, more: Partial<Draft> = {}): void {
  if (drafts.some((draft) => draft.id === id)) throw new Error(`${id}: twice`);
  drafts.push({ id, group, args, ...(stdin === undefined ? {} : { stdin }), ...more });
}

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");
const made = (args: readonly string[], stdin: string): SetupStep => ({
  op: "makemap",
  argv: ["makemap", "-C", "{D}/empty.cf", ...args],
  stdin_b64: base64(stdin),
});
const write = (path: string, text = ""): SetupStep => ({ op: "write", path, data_b64: base64(text) });
const chmod = (mode: string, path = "m.db"): SetupStep => ({ op: "chmod", path, mode });
const chown = (uid: number, gid: number, path = "m.db"): SetupStep => ({ op: "chown", path, uid, gid });
const mkdir = (path: string): SetupStep => ({ op: "mkdir", path });
const symlink = (target: string, path = "m.db"): SetupStep => ({ op: "symlink", target, path });
const link = (target: string, path = "m.db"): SetupStep => ({ op: "link", target, path });
const fixture = (name: string): SetupStep => ({ op: "fixture", path: "m.db", name });
const old = [made(["hash", "m"], "old v\n")];

const RECORD = 'AuthInfo:smtp.example.com "U:root" "I:user" "P:secret"\n';
const MIXED = "b 2\nA 1\nc\nb 3\n# x\n a\nd\t\t4 \n";

// The command line.
add("cli", "one-operand", ["hash"], RECORD);
for (const [id, argv] of Object.entries({
  "double-dash-alone": ["--"],
  "dash-map": ["hash", "-"],
  "question-mark": ["-?", "hash", "m"],
  colon: ["-:", "hash", "m"],
  "long-unknown": ["--foo", "hash", "m"],
  "long-unknown-value": ["--foo=1", "hash", "m"],
  "long-prefix": ["--tar", "hash", "m"],
  "bundle-unknown-last": ["-vZ", "hash", "m"],
  "bundle-unknown-first": ["-Zv", "hash", "m"],
  "unknown-after": ["hash", "m", "-Z"],
  "unknown-digit": ["-1", "hash", "m"],
  "list-after-operands": ["hash", "m", "-l"],
  "list-without-type": ["m", "-l", "x", "y"],
  x: ["-x"],
  lx: ["-lx"],
  xl: ["-xl"],
  Lx: ["-Lx"],
  "x-then-unknown": ["-xZ"],
  "missing-t": ["hash", "m", "-t"],
  "missing-C": ["-C"],
  "missing-D": ["hash", "m", "-D"],
  "missing-c": ["-c"],
  "missing-i": ["-vi"],
  "value-is-option": ["-t", "-v", "hash", "m"],
  "value-is-double-dash": ["-t", "--", "hash", "m"],
  "double-dash-between": ["hash", "--", "m"],
  "double-dash-twice": ["--", "--", "hash"],
  "bundle-with-value": ["-vt:", "hash", "m"],
  "attached-value-word": ["-tab", "hash", "m"],
  "attached-c": ["-c0", "hash", "m"],
  "equals-value": ["-t=", "hash", "m"],
  "v-twice": ["-v", "-v", "hash", "m"],
  "option-between-operands": ["hash", "-v", "m"],
  "dash-l-as-type": ["--", "-l", "m"],
}))
  add("cli", `cli-${id}`, argv, "a:b c\n-x =d=e\n");
add("cli", "cli-posix-option-after", ["hash", "m", "-v"], RECORD, { env: { POSIXLY_CORRECT: "1" } });
add("cli", "cli-posix-option-before", ["-v", "hash", "m"], RECORD, { env: { POSIXLY_CORRECT: "1" } });
add("cli", "cli-posix-empty", ["hash", "m", "-v"], RECORD, { env: { POSIXLY_CORRECT: "" } });
add("cli", "cli-C-last-wins-good", ["-C", "nope.cf", "-C", "{D}/empty.cf", "hash", "m"], RECORD, { bare: true });
add("cli", "cli-C-last-wins-missing", ["-C", "{D}/empty.cf", "-C", "nope.cf", "hash", "m"], RECORD, { bare: true });
add("cli", "cli-C-attached", ["-C{D}/empty.cf", "hash", "m"], RECORD, { bare: true });
add("cli", "cli-C-empty", ["-C", "", "hash", "m"], RECORD, { bare: true });
add("cli", "cli-C-folder", ["-C", ".", "hash", "m"], RECORD, { bare: true });
add("cli", "cli-C-missing-unknown-type", ["-C", "nope.cf", "foo", "m"], RECORD, { bare: true });
add("cli", "cli-C-missing-dump", ["-C", "nope.cf", "-u", "hash", "m"], "", { bare: true, steps: old });
for (const value of ["abc", " 12", "0x10", "", "99999999999999999999", "-99999999999", "4096"])
  add("option", `c-${value.trim() || "empty"}`, ["-c", value, "hash", "m"], RECORD);

// Types.
for (const type of ["", " hash", "hash ", "hash.db", "dbm", "ndbm", "CDB", "Btree", "seq", "hash:m"])
  add("type", `type-${type.replaceAll(" ", "blank") || "empty"}`, [type, "m"], RECORD);
add("type", "type-empty-dump", ["-u", "", "m"], "", { steps: old });
add("type", "type-empty-fallback", ["-i", "hash", "", "m"], RECORD);
for (const [id, name] of Object.entries({
  full: "/etc/mail/one",
  base: "one",
  two: "/etc/mail/two.db",
  "two-without-db": "/etc/mail/two",
  "trailing-blank": "three",
  tab: "/etc/mail/tabbed",
  unknown: "odd",
  implicit: "any",
  indented: "/etc/mail/indented",
  hidden: "hidden",
  twice: "rel",
  "blank-after-K": "spaced",
  "colon-form": "/etc/mail/colon",
  "name-of-line": "lost",
  flag: "-o",
})) {
  for (const type of ["cf", "CF"]) {
    // The map itself is made where the run is: a path would leave it.
    if (name.startsWith("/")) add("type", `type-${type}-${id}`, ["-C", "{D}/k.cf", "-u", type, "--", name], "", { bare: true });
    else add("type", `type-${type}-${id}`, ["-C", "{D}/k.cf", type, "--", name], RECORD, { bare: true });
  }
}
for (const [id, name] of Object.entries({ base: "two", dotted: "one.x", "cut-to-one": "one.two", five: "five", "five-txt": "five.txt" }))
  add("type", `type-CF-name-${id}`, ["-C", "{D}/k.cf", "CF", name], RECORD, { bare: true });
add("type", "type-cf-fallback-unknown", ["-C", "{D}/k.cf", "-i", "foo", "cf", "none"], RECORD, { bare: true });
add("type", "type-cf-fallback-implicit", ["-C", "{D}/k.cf", "-i", "implicit", "cf", "none"], RECORD, { bare: true });
add("type", "type-cf-fallback-twice", ["-C", "{D}/k.cf", "-i", "foo", "-i", "btree", "cf", "none"], RECORD, { bare: true });
add("type", "type-cf-fallback-cf", ["-C", "{D}/k.cf", "-i", "cf", "cf", "none"], RECORD, { bare: true });
add("type", "type-cf-fallback-unused", ["-C", "{D}/k.cf", "-v", "-i", "btree", "cf", "rel"], RECORD, { bare: true });
add("type", "type-cf-missing-file", ["-C", "nope.cf", "cf", "rel"], RECORD, { bare: true });

// Delimiters and comments.
const DELIMITED = "K:v:w\n k;x\ty\nA B  C\n#c d\n;e:f\naXbXc\n0a0b\n::z\nq:\n\xc3\xa9a\xc3\xa9b\n\tt\tu\n";
for (const [id, value] of Object.entries({
  blank: " ",
  tab: "\t",
  newline: "\n",
  letter: "X",
  "lower-letter": "x",
  "number-sign": "#",
  semicolon: ";",
  zero: "0",
  "two-byte": "\u00e9",
  cr: "\r",
  dash: "-",
})) {
  add("delimiter", `t-${id}-all`, ["-t", value, "hash", "m"], DELIMITED);
  add("comment-char", `D-${id}-all`, ["-D", value, "hash", "m"], DELIMITED);
}
add("delimiter", "t-empty", ["-t", "", "hash", "m"], DELIMITED);
add("delimiter", "t-empty-then-colon", ["-t", "", "-t", ":", "hash", "m"], DELIMITED);
add("delimiter", "t-colon-then-empty", ["-t", ":", "-t", "", "hash", "m"], DELIMITED);
add("delimiter", "t-empty-twice", ["-t", "", "-t", "", "hash", "m"], DELIMITED);
add("delimiter", "t-twice", ["-t", ":", "-t", "|", "hash", "m"], DELIMITED);
add("delimiter", "t-colon-e", ["-t", ":", "-e", "hash", "m"], DELIMITED);
add("delimiter", "t-colon-f", ["-f", "-t:", "hash", "m"], DELIMITED);
add("delimiter", "t-blank-crlf", ["-t", " ", "hash", "m"], "k v\r\n\r\nk2\r\n");
add("delimiter", "t-blank-crlf-e", ["-et ", "hash", "m"], "k v\r\n\r\nk2\r\n");
add("comment-char", "D-empty", ["-D", "", "hash", "m"], DELIMITED);
add("comment-char", "D-twice", ["-D", ";", "-D", "a", "hash", "m"], DELIMITED);
add("comment-char", "D-same-as-t", ["-D", ":", "-t", ":", "hash", "m"], DELIMITED);
add("comment-char", "D-space-leading", ["-D", " ", "hash", "m"], " a b\nc d\n\te f\n");
add("comment-char", "D-upper-of-key", ["-D", "K", "hash", "m"], "k v\nK w\n");

// Options with each other.
for (const flags of [
  "-N",
  "-d",
  "-e",
  "-f",
  "-r",
  "-s",
  "-Nd",
  "-Ne",
  "-Nf",
  "-Nr",
  "-de",
  "-df",
  "-dr",
  "-rd",
  "-ef",
  "-er",
  "-fr",
  "-Ndefr",
  "-v",
  "-vd",
  "-vr",
  "-vN",
  "-ve",
  "-vf",
]) {
  add("option", `hash${flags}`, [flags, "hash", "m"], MIXED);
  if (/[Ndrv]/.test(flags)) add("option", `btree${flags}`, [flags, "btree", "m"], MIXED);
}
add("option", "implicit-d", ["-d", "implicit", "m"], MIXED);

// -u with every flag.
const SOME = "b 2 x\nA 1\nc 3 \nd\n";
for (const flags of [
  "-C{D}/trust.cf",
  "-N",
  "-c0",
  "-D;",
  "-d",
  "-e",
  "-f",
  "-ihash",
  "-o",
  "-r",
  "-s",
  "-tab",
  "-t\t",
  "-v",
  "-uN",
  "-Ndefrosv",
  "-t\u00e9",
])
  add("dump", `u${flags.replace("{D}/", "").replace("\t", "tab")}`, ["-u", flags, "hash", "m"], "", {
    steps: [made(["-e", "hash", "m"], SOME)],
  });
add("dump", "u-of-N", ["-u", "hash", "m"], "", { steps: [made(["-N", "-e", "hash", "m"], SOME)] });
add("dump", "u-N-of-N", ["-u", "-N", "hash", "m"], "", { steps: [made(["-N", "-e", "hash", "m"], SOME)] });
add("dump", "u-btree-of-hash", ["-u", "btree", "m"], "", { steps: old });
add("dump", "u-hash-of-btree", ["-u", "hash", "m"], "", { steps: [made(["btree", "m"], "old v\n")] });
add("dump", "u-implicit-of-hash", ["-u", "implicit", "m"], "", { steps: old });
add("dump", "u-implicit-missing", ["-u", "implicit", "m"], "");
add("dump", "u-implicit-garbage", ["-u", "implicit", "m"], "", { steps: [write("m.db", "garbage")] });
add("dump", "u-garbage", ["-u", "hash", "m"], "", { steps: [write("m.db", "garbage")] });
add("dump", "u-hash-dup", ["-u", "hash", "m"], "", { steps: [made(["-d", "hash", "m"], "k b\nk a\nj x\nk c\n")] });
add("dump", "u-name-db", ["-u", "hash", "m.db"], "", { steps: old });
add("dump", "u-folder", ["-u", "hash", "m"], "", { steps: [mkdir("m.db")] });
add("dump", "u-hardlink", ["-u", "hash", "m"], "", { steps: [made(["hash", "t"], "old v\n"), link("t.db")] });
add("dump", "u-hardlink-s", ["-us", "hash", "m"], "", { steps: [made(["hash", "t"], "old v\n"), link("t.db")] });
add("dump", "u-symlink-s", ["-us", "hash", "m"], "", { steps: [made(["hash", "t"], "old v\n"), symlink("t.db")] });
add("dump", "u-dangling-s", ["-us", "hash", "m"], "", { steps: [symlink("t.db")] });
add("dump", "u-executable", ["-u", "hash", "m"], "", { steps: [...old, chmod("0755")] });
add("dump", "u-executable-s", ["-us", "hash", "m"], "", { steps: [...old, chmod("0755")] });
for (const mode of ["0400", "0200", "0000", "0040", "0004", "0444"])
  add("dump", `u-mode-${mode}`, ["-u", "hash", "m"], "", { steps: [...old, chmod(mode)] });
add("dump", "u-foreign-0644", ["-u", "hash", "m"], "", { steps: [...old, chmod("0644"), chown(1234, 1235)] });
add("dump", "u-foreign-0600", ["-u", "hash", "m"], "", { steps: [...old, chmod("0600"), chown(1234, 1235)] });
add("dump", "u-foreign-0640-rootgroup", ["-u", "hash", "m"], "", { steps: [...old, chmod("0640"), chown(1234, 0)] });
add("dump", "u-trusted-owner", ["-C", "{D}/trust.cf", "-u", "hash", "m"], "", {
  bare: true,
  steps: [...old, chmod("0600"), chown(12345, 12345)],
});
add("dump", "u-missing-folder", ["-u", "hash", "no/m"], "");
add("dump", "u-group-writable-folder", ["-u", "hash", "m"], "", { steps: [...old, chmod("0775", ".")] });
add("dump", "u-foreign-folder", ["-u", "hash", "m"], "", { steps: [...old, chmod("0644"), chown(1234, 1234, ".")] });

// Adding to a map that is there.
const DUP_HASH = made(["-d", "hash", "m"], "k 1\nk 2\nj x\n");
const DUP_BTREE = made(["-d", "btree", "m"], "k 1\nk 2\nj x\n");
const PLAIN_HASH = made(["hash", "m"], "k 1\nj x\n");
const PLAIN_BTREE = made(["btree", "m"], "k 1\nj x\n");
const ADDED = "k 3\nl y\nk 4\n";
for (const flags of ["-o", "-od", "-or", "-odr", "-oN", "-oe", "-ov", "-of"]) {
  add("append", `plain-hash${flags}`, [flags, "hash", "m"], ADDED, { steps: [PLAIN_HASH] });
  add("append", `plain-btree${flags}`, [flags, "btree", "m"], ADDED, { steps: [PLAIN_BTREE] });
  add("append", `dup-hash${flags}`, [flags, "hash", "m"], ADDED, { steps: [DUP_HASH] });
  add("append", `dup-btree${flags}`, [flags, "btree", "m"], ADDED, { steps: [DUP_BTREE] });
}
add("append", "o-hash-on-btree", ["-o", "hash", "m"], ADDED, { steps: [PLAIN_BTREE] });
add("append", "o-btree-on-hash", ["-o", "btree", "m"], ADDED, { steps: [PLAIN_HASH] });
add("append", "o-implicit-on-btree", ["-o", "implicit", "m"], ADDED, { steps: [PLAIN_BTREE] });
add("append", "o-implicit-on-hash", ["-o", "implicit", "m"], ADDED, { steps: [PLAIN_HASH] });
add("append", "o-nothing", ["-o", "hash", "m"], "", { steps: [PLAIN_HASH] });
add("append", "o-all-bad", ["-o", "hash", "m"], " x\n", { steps: [PLAIN_HASH] });
add("append", "o-empty-map", ["-o", "hash", "m"], ADDED, { steps: [made(["hash", "m"], "")] });
add("append", "o-name-db", ["-o", "hash", "m.db"], ADDED, { steps: [PLAIN_HASH] });
for (const mode of ["0600", "0644", "0666", "0400", "0200", "0000"])
  add("append", `o-mode-${mode}`, ["-o", "hash", "m"], ADDED, { steps: [PLAIN_HASH, chmod(mode)] });
add("append", "o-trusted", ["-C", "{D}/trust.cf", "-o", "hash", "m"], ADDED, { bare: true, steps: [PLAIN_HASH] });
add("append", "o-symlink", ["-o", "hash", "m"], ADDED, { steps: [made(["hash", "t"], "k 1\n"), symlink("t.db")] });
add("append", "o-symlink-s", ["-os", "hash", "m"], ADDED, { steps: [made(["hash", "t"], "k 1\n"), symlink("t.db")] });
add("append", "o-hardlink-s", ["-os", "hash", "m"], ADDED, { steps: [made(["hash", "t"], "k 1\n"), link("t.db")] });
for (const name of ["v9-db5.3.28-be-map", "v9-db5.3.28-le-map", "v8-db4.5.20-le-map", "v8-db4.1.25-be-map"]) {
  add("append", `o-${name}`, ["-o", "hash", "m"], ADDED, { steps: [fixture(name)] });
  add("dump", `u-${name}`, ["-u", "hash", "m"], "", { steps: [fixture(name)] });
  add("overwrite", `overwrite-${name}`, ["hash", "m"], ADDED, { steps: [fixture(name)] });
}
for (const name of ["btree9-db5.3.28-be-map", "btree9-db5.3.28-be-dup"]) {
  add("append", `o-${name}`, ["-o", "btree", "m"], ADDED, { steps: [fixture(name)] });
  add("dump", `u-${name}`, ["-u", "btree", "m"], "", { steps: [fixture(name)] });
}
for (const name of ["v7-db3.1.17-le-map", "v7-db3.1.17-be-map", "v10-db18.1.40-le-map", "v6-db3.0.55-le-map"]) {
  add("append", `o-${name}`, ["-o", "hash", "m"], ADDED, { steps: [fixture(name)] });
  add("dump", `u-${name}`, ["-u", "hash", "m"], "", { steps: [fixture(name)] });
  add("overwrite", `overwrite-${name}`, ["hash", "m"], ADDED, { steps: [fixture(name)] });
}

// Overwriting.
for (const mode of ["0660", "0666", "0604", "0200", "0444", "0000", "0611", "4644", "1644"])
  add("overwrite", `overwrite-mode-${mode}`, ["hash", "m"], RECORD, { steps: [...old, chmod(mode)] });
add("overwrite", "overwrite-all-bad", ["hash", "m"], " x\n", { steps: old });
add("overwrite", "overwrite-nothing", ["hash", "m"], "", { steps: old });
add("overwrite", "overwrite-btree", ["btree", "m"], RECORD, { steps: old });
add("overwrite", "overwrite-text", ["hash", "m.db"], RECORD, { steps: [write("m.db", RECORD.repeat(200))] });
add("overwrite", "overwrite-umask", ["hash", "m"], RECORD, { steps: [...old, chmod("0666")], umask: 0o77 });
add("overwrite", "overwrite-trusted", ["-C", "{D}/trust.cf", "hash", "m"], RECORD, { bare: true, steps: old });
add("overwrite", "overwrite-foreign-0662", ["hash", "m"], RECORD, { steps: [...old, chmod("0662"), chown(1234, 1235)] });
add("overwrite", "overwrite-foreign-0664", ["hash", "m"], RECORD, { steps: [...old, chmod("0664"), chown(1234, 1235)] });
add("overwrite", "overwrite-user-foreign-0666", ["hash", "m"], RECORD, { uid: NOBODY, steps: [...old, chmod("0666")] });
add("overwrite", "overwrite-user-group", ["hash", "m"], RECORD, { uid: NOBODY, steps: [...old, chmod("0660"), chown(1234, NOBODY)] });
add("overwrite", "overwrite-user-group-read", ["hash", "m"], RECORD, { uid: NOBODY, steps: [...old, chmod("0640"), chown(1234, NOBODY)] });
add("overwrite", "overwrite-user-root-folder", ["hash", "m"], RECORD, {
  uid: NOBODY,
  steps: [...old, chown(NOBODY, NOBODY), chown(0, 0, ".")],
  note: "the folder is another's, the map is the user's",
});
add("append", "o-user-root-folder", ["-o", "hash", "m"], ADDED, { uid: NOBODY, steps: [...old, chown(NOBODY, NOBODY), chown(0, 0, ".")] });

// Names.
for (const [id, name] of Object.entries({
  "upper-db": "m.DB",
  "db-db": "m.db.db",
  dot: ".",
  dots: "..",
  "dot-slash": "./m",
  "slash-end": "m/",
  missing: "no/m",
  blanks: "a b",
  newline: "a\nb",
  utf8: "\u00e9",
  percent: "%s%n",
  "250": "n".repeat(250),
  "252": "n".repeat(252),
  "253": "n".repeat(253),
  "252-db": `${"n".repeat(252)}.db`,
  "253-db": `${"n".repeat(253)}.db`,
  "path-4095": "./".repeat(2100),
}))
  add("name", `name-${id}`, ["hash", name], RECORD);
add("name", "name-in-folder", ["hash", "d/m"], RECORD, { steps: [mkdir("d")] });
add("name", "name-in-file", ["hash", "f/m"], RECORD, { steps: [write("f")] });
add("name", "name-in-linked-folder", ["hash", "l/m"], RECORD, { steps: [mkdir("d"), symlink("d", "l")] });
add("name", "name-in-dangling-folder", ["hash", "l/m"], RECORD, { steps: [symlink("d", "l")] });
add("name", "name-error", ["hash", "m.db"], " x\n");
add("name", "name-absolute", ["hash", "{D}/name-absolute/m"], " x\n");

// What may be written to.
add("file-safety", "symlink-s", ["-s", "hash", "m"], RECORD, { steps: [write("t"), symlink("t")] });
add("file-safety", "symlink-s-map", ["-s", "hash", "m"], RECORD, { steps: [made(["hash", "t"], "old v\n"), symlink("t.db")] });
add("file-safety", "symlink-s-dangling", ["-s", "hash", "m"], RECORD, { steps: [symlink("t")] });
add("file-safety", "symlink-s-folder", ["-s", "hash", "m"], RECORD, { steps: [mkdir("t"), symlink("t")] });
add("file-safety", "symlink-s-chain", ["-s", "hash", "m"], RECORD, { steps: [write("t"), symlink("t", "u"), symlink("u")] });
add("file-safety", "symlink-s-loop", ["-s", "hash", "m"], RECORD, { steps: [symlink("m.db")] });
add("file-safety", "symlink-s-executable", ["-s", "hash", "m"], RECORD, { steps: [write("t"), chmod("0755", "t"), symlink("t")] });
add("file-safety", "symlink-s-hardlinked", ["-s", "hash", "m"], RECORD, { steps: [write("t"), link("t", "u"), symlink("t")] });
add("file-safety", "symlink-s-0400", ["-s", "hash", "m"], RECORD, { steps: [write("t"), chmod("0400", "t"), symlink("t")] });
add("file-safety", "symlink-dangling", ["hash", "m"], RECORD, { steps: [symlink("t")] });
add("file-safety", "symlink-loop", ["hash", "m"], RECORD, { steps: [symlink("m.db")] });
add("file-safety", "dir-s", ["-s", "hash", "m"], RECORD, { steps: [mkdir("m.db")] });
add("file-safety", "exec-s", ["-s", "hash", "m"], RECORD, { steps: [...old, chmod("0755")] });
add("file-safety", "exec-other-only", ["hash", "m"], RECORD, { steps: [...old, chmod("0641")] });
add("dir-safety", "dir-world-writable", ["hash", "m"], RECORD, { steps: [chmod("0777", ".")] });
add("dir-safety", "dir-world-writable-s", ["-s", "hash", "m"], RECORD, { steps: [chmod("0777", ".")] });
add("dir-safety", "dir-sticky", ["hash", "m"], RECORD, { steps: [chmod("1777", ".")] });
add("dir-safety", "dir-both-writable", ["hash", "m"], RECORD, { steps: [chmod("0772", ".")] });
add("dir-safety", "dir-sub-group-writable", ["hash", "d/m"], RECORD, { steps: [mkdir("d"), chmod("0775", "d")] });
add("dir-safety", "dir-sub-under-writable", ["hash", "d/m"], RECORD, { steps: [mkdir("d"), chmod("0777", ".")] });
add("dir-safety", "dir-sub-sub", ["hash", "d/e/m"], RECORD, {
  steps: [mkdir("d"), mkdir("d/e"), chmod("0775", "d"), chmod("0777", "d/e")],
});
add("dir-safety", "dir-writable-missing-map", ["-u", "hash", "m"], "", { steps: [chmod("0777", ".")] });
add("dir-safety", "dir-writable-unknown-type", ["foo", "m"], "", { steps: [chmod("0777", ".")] });
add("dir-safety", "dir-writable-overwrite", ["hash", "m"], RECORD, { steps: [...old, chmod("0777", ".")] });
add("dir-safety", "dir-writable-symlink", ["hash", "m"], RECORD, { steps: [symlink("t"), chmod("0777", ".")] });
add("dir-safety", "dir-writable-symlink-s", ["-s", "hash", "m"], RECORD, { steps: [write("t"), symlink("t"), chmod("0777", ".")] });
add("dir-safety", "dir-linked-writable", ["hash", "l/m"], RECORD, { steps: [mkdir("d"), chmod("0777", "d"), symlink("d", "l")] });
add("dir-safety", "dir-0500", ["hash", "m"], RECORD, { steps: [chmod("0500", ".")] });
add("dir-safety", "dir-0500-overwrite", ["hash", "m"], RECORD, { steps: [...old, chmod("0500", ".")] });
add("dir-safety", "dir-foreign", ["hash", "m"], RECORD, { steps: [chown(1234, 1234, ".")] });
add("dir-safety", "dir-foreign-writable", ["hash", "m"], RECORD, { steps: [chmod("0777", "."), chown(1234, 1234, ".")] });
add("dir-safety", "dir-foreign-overwrite", ["hash", "m"], RECORD, { steps: [...old, chown(1234, 1234, ".")] });
add("dir-safety", "dir-foreign-trusted", ["-C", "{D}/trust.cf", "hash", "m"], RECORD, { bare: true, steps: [chown(12345, 12345, ".")] });
add("dir-safety", "dir-user-0555", ["hash", "m"], RECORD, { uid: NOBODY, steps: [chmod("0555", ".")] });
for (const umask of [0o000, 0o002, 0o027, 0o066, 0o137, 0o200, 0o400, 0o600])
  add("umask", `umask-${umask.toString(8).padStart(3, "0")}`, ["hash", "m"], RECORD, { umask });
for (const file of ["two", "blank", "tail", "two-blanks", "no-blank", "no-equals", "comment", "root", "unknown-last", "empty", "crlf"])
  add("trusted-user", `trust-${file}`, ["-C", `{D}/trust-${file}.cf`, "hash", "m"], RECORD, { bare: true });
add("trusted-user", "trust-all-bad", ["-C", "{D}/trust.cf", "hash", "m"], " x\n", { bare: true });

// Input.
const line = (length: number, byte = "x"): string => `k ${byte.repeat(length - 2)}`;
for (const n of [1021, 1022, 1023, 1024, 1025, 2045, 2046, 2047, 3069, 3070]) {
  add("input-length", `length-${n}`, ["hash", "m"], `${line(n)}\nnext v\n`);
  add("input-length", `length-${n}-eof`, ["hash", "m"], line(n));
  add("input-length", `length-${n}-comment`, ["hash", "m"], `#${"c ".repeat(n).slice(0, n - 1)}\nnext v\n`);
}
for (const n of [1021, 1022, 1023, 1024]) {
  add("input-length", `length-${n}-key-only`, ["hash", "m"], `${"K".repeat(n)}\nnext v\n`);
  add("input-length", `length-${n}-key-e`, ["-e", "hash", "m"], `${"K".repeat(n)}\nnext v\n`);
  add("input-length", `length-${n}-N`, ["-N", "hash", "m"], `${line(n)}\n`);
  add("input-length", `length-${n}-crlf`, ["hash", "m"], `${line(n)}\r\nnext v\r\n`);
  add("input-nul", `nul-last-of-${n}`, ["hash", "m"], `${line(n - 1)}\0\nnext v\n`);
  add("input-nul", `nul-first-of-${n}-eof`, ["hash", "m"], `\0${line(n - 1)}`);
  add("input-nul", `nul-middle-of-${n}-eof`, ["hash", "m"], `k v\0${"x".repeat(n - 4)}`);
}
add("input-length", "tail-leading-blank", ["hash", "m"], `${"k".repeat(1023)} x y\nnext v\n`);
add("input-length", "tail-comment", ["hash", "m"], `${"k".repeat(1023)}# x y\nnext v\n`);
add("input-length", "tail-empty", ["hash", "m"], `${"k".repeat(1023)}\n\nnext v\n`);
add("input-length", "tail-key-only", ["hash", "m"], `${"k".repeat(1023)}Tail\nnext v\n`);
add("input-length", "long-after-good", ["hash", "m"], `a b\n${"k".repeat(2000)}\nc d\n`);
for (const [id, text] of Object.entries({
  "only-nul": "\0",
  "only-nul-newline": "\0\n",
  "nul-in-comment": "# a\0b\nnext v\n",
  "nul-comment-eof": "#a\0b",
  "nul-after-key-eof": "key\0",
  "nul-after-blank-eof": "key \0",
  "nul-twice": "a \0\0b\nc d\n",
  "nul-line-then-eof": "a b\0\nc d",
  "nul-every-line": "a\0 b\nc\0 d\ne f\n",
  "nul-before-newline": "a b\0\n",
}))
  add("input-nul", id, ["hash", "m"], text);
for (const [id, text] of Object.entries({
  newlines: "\n\n\n",
  "cr-only": "a b\rc d\r",
  "cr-newline-blank": "\r\n\r\n",
  "crlf-comment": "#c\r\na b\r\n",
  lfcr: "a b\n\rc d\n",
  "cr-in-key": "a\rb c\n",
  "vt-separates": "a\vb\fc\n",
  "trailing-all-space": "k v \t\v\f\r\n",
  "blank-before-final": "k v\n ",
  "newline-missing-comment": "a b\n#c",
  "newline-missing-key": "a b\nc",
  "newline-missing-blank": "a b\nc ",
}))
  add("input-eol", `eol-${id}`, ["hash", "m"], text);
add(
  "input-bytes",
  "bytes-all-keys",
  ["hash", "m"],
  Array.from({ length: 255 }, (_, i) => `x${String.fromCharCode(i + 1)}y v${i}\n`).join(""),
);
add(
  "input-bytes",
  "bytes-all-keys-f",
  ["-f", "hash", "m"],
  Array.from({ length: 255 }, (_, i) => `${String.fromCharCode(i + 1)}y v${i}\n`).join(""),
);
add(
  "input-bytes",
  "bytes-all-values",
  ["btree", "m"],
  Array.from({ length: 255 }, (_, i) => `k${i} ${String.fromCharCode(i + 1)}\n`).join(""),
);
add(
  "input-bytes",
  "bytes-verbose",
  ["-v", "hash", "m"],
  Array.from({ length: 255 }, (_, i) => `k${i}\xff ${String.fromCharCode(i + 1)}\n`).join(""),
);
add("input-bytes", "bytes-diagnostic", ["hash", "m"], "\xff\xfe\nA\x1b[1m\n\x80 a\n\x80 b\n");
add("input-content", "aliases", ["hash", "m"], "postmaster: root\nroot:\tadmin@example.com, x\nlist: :include:/etc/list\n");
add("input-content", "access", ["hash", "m"], "Connect:1.2.3\t\tREJECT\nFrom:Spam@ OK\nsrv_features:\tv S\n");
add("input-content", "virtuser", ["-t", "|", "hash", "m"], "@Example.com | %1@x\n");
add("duplicate", "dup-many", ["hash", "m"], "k v\n".repeat(50));
add("duplicate", "dup-r-many", ["-r", "hash", "m"], Array.from({ length: 50 }, (_, i) => `k v${i}\n`).join(""));
add("duplicate", "dup-r-btree", ["-r", "btree", "m"], "b 1\na 2\nB 3\n");
add("duplicate", "dup-r-f", ["-r", "-f", "hash", "m"], "b 1\nB 2\nb 3\n");
add("duplicate", "dup-d-many", ["-d", "hash", "m"], Array.from({ length: 400 }, (_, i) => `k v${i}\nj${i} x\n`).join(""));
add("duplicate", "dup-d-btree-many", ["-d", "btree", "m"], Array.from({ length: 400 }, (_, i) => `k v${i}\nj${i} x\n`).join(""));
add("duplicate", "dup-d-identical", ["-d", "btree", "m"], "k v\nk v\nk v\n");
add("duplicate", "dup-empty-key", ["-t", ":", "hash", "m"], ":a\n:b\n");

function recordedFrom(
  draft: Draft,
): Omit<MakemapCase, "exit" | "stdout" | "stdout_b64" | "stderr" | "stderr_b64" | "files_after" | "maps" | "as_user"> {
  const { id, group, args, stdin = "", steps = [], umask = 0o22, uid = 0, note = "", bare = false, env } = draft;
  // -l and its like are over before the file would be read, and what comes of a mistake does not depend on it.
  const prefix = bare || (group === "cli" && !id.includes("posix") && !args.some((arg) => arg === "hash")) ? [] : ["-C", "{D}/empty.cf"];
  return {
    id,
    group,
    argv: ["makemap", ...prefix, ...args],
    uid,
    umask: `0o${umask.toString(8)}`,
    setup: "",
    setup_steps: steps,
    note,
    stdin_b64: base64(stdin),
    stdin_text: stdin.length > 200 ? `${stdin.slice(0, 60)}... (${stdin.length} bytes)` : stdin,
    ...(env === undefined ? {} : { env }),
  };
}

function answerOf({ exit, stdout, stderr }: Observed): { exit: number; stdout: string; stderr: string } {
  if (exit === null) throw new Error("ended by a signal");
  return { exit, stdout, stderr };
}

async function record(): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), "tsmakemap-record-"));
  try {
    const folder = new CaseFolder(path, CONTROL_FILES);
    const native = { command: nativePath("makemap"), argv0: "makemap", args: [] };
    const cases: MakemapCase[] = [];
    for (const draft of drafts) {
      const begun = { ...recordedFrom(draft), maps: {} } as unknown as MakemapCase;
      const asRecorded = await folder.run(begun, "recorded", native);
      const answer = answerOf(asRecorded);
      const complete = {
        ...begun,
        ...answer,
        stdout_b64: base64(answer.stdout),
        stderr_b64: base64(answer.stderr),
        files_after: asRecorded.files,
        maps: asRecorded.maps,
        as_user: "recorded as that user",
      } as MakemapCase;
      if (complete.uid === NOBODY) {
        cases.push(complete);
        continue;
      }
      const asUser = await folder.run(begun, "user", native);
      const same = isDeepStrictEqual(asUser, expectedOf({ ...complete, as_user: "same" }, "user"));
      cases.push({
        ...complete,
        as_user: same ? "same" : { ...answerOf(asUser), files_after: asUser.files, maps: asUser.maps },
      } as MakemapCase);
    }
    const head = {
      binary: "makemap of sendmail 8.17.1.9 (Debian 12 build), libdb 5.3.28, x86-64",
      defaults: { cwd: "{D}/<id>: fresh 0755 directory owned by uid", env: "LC_ALL=C", control_files: CONTROL_FILES },
    };
    // A line for each case, so that a change is seen in its line.
    const text = `${JSON.stringify(head).slice(0, -1)},"cases":[\n${cases.map((recorded) => JSON.stringify(recorded)).join(",\n")}\n]}\n`;
    writeFileSync(`${fixturesFolder}cases/makemap-more.json`, text);
    process.stdout.write(`${cases.length} cases\n`);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

if (!isRoot) throw new Error("needs root");
await record();
