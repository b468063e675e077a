/**
 * Records fixtures/cases/sasl-more.json anew: the cases below, by the native
 * saslpasswd2 and sasldblistusers2.
 *
 *     node .build/test/support/record-sasl-cases.js
 *
 * Needs root, and the programs that the file names (meta.reference). No case
 * may reach the machine's own database: each names its file.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { fixturesFolder } from "./fixtures.ts";
import { isRoot } from "./program.ts";
import {
  type Bytes,
  bytesOf,
  type Compare,
  comparable,
  type Expectation,
  expectedOf,
  keyBytes,
  native,
  type Observed,
  type SaslCase,
  SaslFolder,
  type SaslRecord,
  type SetupStep,
  type Stdin,
  type UnrecordedCase,
  whyNotLike,
} from "./sasl-cases.ts";

interface More {
  readonly argv0?: string;
  /** One byte a character. Default: a password for saslpasswd2, else nothing. */
  readonly stdin?: string | Stdin;
  readonly setup?: readonly SetupStep[];
  readonly host?: string;
  readonly plugins?: SaslCase["context"]["plugins"];
  readonly umask?: string;
  readonly unprivileged?: true;
  /** Of saslpasswd.conf, or files by name. */
  readonly config?: string | Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

const drafts: UnrecordedCase[] = [];
const numbers = new Map<string, number>();

/** A case whose id has the next number of its group, from 101: what was given to this project has lower ones. */
function add(program: "saslpasswd2" | "sasldblistusers2", group: string, description: string, args: readonly string[], more: More): void {
  const { argv0, stdin, setup = [], host = "mail.example.com", plugins = "default", umask = "0022", unprivileged, config, env } = more;
  // Run as root, and by a program that may rename its work over a file: over a device, too.
  const outside = [...args, ...setup.map(({ path }) => path)].find((path, i, all) => /^(-f)?\/./.test(path) && all[i - 1] !== "-a");
  if (outside !== undefined) throw new Error(`${description}: ${outside} is not in {D}`);
  const number = (numbers.get(group) ?? 100) + 1;
  numbers.set(group, number);
  const slug = description
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  drafts.push({
    id: `${group}${number}-${slug}`,
    group,
    description,
    program,
    argv0: argv0 ?? `{BIN}/${program}`,
    args,
    setup,
    context: {
      hostname: host,
      plugins,
      umask,
      run_as: unprivileged === true ? "unprivileged" : "root",
      ...(config === undefined ? {} : { config: typeof config === "string" ? { "saslpasswd.conf": config } : config }),
      ...(env === undefined ? {} : { env }),
    },
    stdin: typeof stdin === "object" ? stdin : pipe(...(stdin === "" ? [] : [stdin ?? (program === "saslpasswd2" ? "pw\n" : "")])),
  });
}

const DB = ["-f", "{D}/db"];

/** saslpasswd2 with these arguments. */
function passwd(group: string, description: string, args: readonly string[], more: More = {}): void {
  add("saslpasswd2", group, description, args, more);
}

/** saslpasswd2 of {D}/db for alice, with these options before. */
function set(group: string, description: string, more: More = {}, ...options: readonly string[]): void {
  passwd(group, description, [...DB, ...options, "alice"], more);
}

function list(description: string, setup: readonly SetupStep[], args: readonly string[] = DB, more: More = {}): void {
  add("sasldblistusers2", "l", description, args, { ...more, setup: [...setup, ...(more.setup ?? [])] });
}

const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
const filled = (text: string, times: number): Bytes => ({ pieces: [{ hex: hex(text), times }] });
function pipe(...texts: readonly string[]): Stdin {
  return { kind: "pipe", writes: texts.filter((text) => text !== "").map(asBytes) };
}
const slowly = (...texts: readonly string[]): Stdin => ({ kind: "pipe", delay_ms: 500, writes: texts.map(asBytes) });
const tty = (...texts: readonly string[]): Stdin => ({ kind: "tty", writes: texts.map(asBytes) });
const closed: Stdin = { kind: "closed" };

/** In pieces where one byte comes many times. */
function asBytes(text: string): Bytes {
  const runs = Array.from(text.matchAll(/(.)\1*/gs), ([run, byte = ""]) => ({ hex: hex(byte), times: run.length }));
  return text.length > 100 && runs.length < 4 ? { pieces: runs } : { hex: hex(text) };
}

const rec = (key: SaslRecord["key"], value = "v"): SaslRecord => {
  const bytes = asBytes(value);
  return { key, ...("hex" in bytes ? { value_hex: bytes.hex } : { value_pieces: bytes.pieces }) };
};
type LoadOptions = NonNullable<Extract<SetupStep, { op: "load" }>["options"]>;
const load = (records: readonly SaslRecord[], options?: LoadOptions, type: "hash" | "btree" = "hash", path = "{D}/db"): SetupStep => ({
  op: "load",
  path,
  type,
  records,
  ...(options === undefined ? {} : { options }),
});
const write = (content: Bytes, path = "{D}/db"): SetupStep => ({ op: "write", path, content });
const fixture = (name: string): SetupStep => ({ op: "fixture", path: "{D}/db", name });
const truncate = (size: number): SetupStep => ({ op: "truncate", path: "{D}/db", size });
const chmod = (mode: string, path = "{D}/db"): SetupStep => ({ op: "chmod", path, mode });
const mkdir = (path: string): SetupStep => ({ op: "mkdir", path });
const symlink = (target: string, path = "{D}/db"): SetupStep => ({ op: "symlink", path, target });

const HOST = "mail.example.com";
const OLD = rec(["alice", HOST, "userPassword"], "old");
const OTP = rec(["alice", HOST, "cmusaslsecretOTP"], `md5\t0499\tma1234\t0123456789abcdef\t${"0".repeat(20)}`);
const ALL = [
  OLD,
  OTP,
  rec(["alice", HOST, "authPassword"], "SCRAM"),
  rec(["alice", HOST, "cmusaslsecretCRAM-MD5"], "\x01".repeat(16)),
  rec(["alice", HOST, "cmusaslsecretDIGEST-MD5"], "\x02".repeat(16)),
  rec(["alice", HOST, "cmusaslsecretPLAIN"], "\x03".repeat(33)),
  rec(["alice", HOST, "cmusaslsecretSRP"], "srp"),
  rec(["alice", HOST, "mail"], "x@y"),
  rec(["alice", HOST, "*userPassword"], "starred"),
  rec(["bob", HOST, "userPassword"], "other"),
];
const old = [load([OLD])];
const all = [load(ALL)];
const many = (count: number): SaslRecord[] =>
  Array.from({ length: count }, (_, i) => rec([`user${String(i).padStart(3, "0")}`, HOST, "userPassword"], `password ${i}`));
const SCRAM = "scram_secret_generate: yes\n";

// The command line.
for (const [description, args] of Object.entries({
  "question mark": ["-?"],
  "u without a value": ["-u"],
  "a without a value": [...DB, "alice", "-a"],
  "f without a value after others": ["-cf"],
  "d then c": [...DB, "-d", "-c", "alice"],
  "cluster dc": [...DB, "-dc", "alice"],
  "c and d apart": [...DB, "-c", "alice", "-d"],
  "o, of later versions": [...DB, "-o", "alice"],
  "h after the userid": [...DB, "alice", "-h"],
  "v after the userid": [...DB, "alice", "-v"],
  "cluster hv": ["-hv"],
  "cluster xv": ["-xv"],
  "unknown in a cluster": [...DB, "-cxp", "alice"],
  "unknown after the userid": [...DB, "alice", "-z"],
  "colon option": [...DB, "-:", "alice"],
  "only the double dash": ["--"],
  "double dash and v": [...DB, "--", "-v"],
  "double dash twice": [...DB, "--", "--"],
  "dash as userid": [...DB, "-"],
  "f attached": ["-f{D}/db", "alice"],
  "f relative": ["-f", "db", "alice"],
  "f takes an option": ["-f", "-c", "-f", "{D}/db", "alice"],
  "u takes an option": [...DB, "-u", "-d", "alice"],
  "u attached with equals": [...DB, "-u=realm", "alice"],
  "p takes the rest of a cluster": ["-pnf", "{D}/db", "alice"],
  "d without userid": [...DB, "-d"],
  "a with a slash then v": ["-a", "x/y", "-v"],
  "h then a with a slash": ["-h", "-a", "x/y"],
  "a with a slash after unknown": ["-x", "-a", "/"],
  "a empty": [...DB, "-a", "", "alice"],
  "a without such a file": [...DB, "-a", "none", "alice"],
  "long version": ["--version"],
  "long unknown": [...DB, "--foo=bar", "alice"],
  "empty f with h": ["-f", "", "-h"],
}))
  passwd("a", description, args);
for (const [description, value] of [
  ["set", "1"],
  ["empty", ""],
] as const) {
  passwd("a", `POSIXLY_CORRECT ${description}, options after`, ["alice", ...DB], { env: { POSIXLY_CORRECT: value } });
  passwd("a", `POSIXLY_CORRECT ${description}, options before`, [...DB, "alice"], { env: { POSIXLY_CORRECT: value } });
}
const linked = (name: string): Pick<More, "argv0" | "setup"> => ({
  argv0: `{D}/link/${name}`,
  setup: [symlink("{BIN}/saslpasswd2", `{D}/link/${name}`)],
});
passwd("a", "another name, unknown option", ["-x"], linked("saslpasswd"));
passwd("a", "another name with percent", [...DB, "alice"], { ...linked("p%s%n"), stdin: "" });

// Passwords.
for (const [description, stdin] of Object.entries({
  "only a newline": "\n",
  "two newlines": "\n\n",
  "newline first": "\npw\n",
  "newline twice at the end": "pw\n\n",
  "only CR LF": "\r\n",
  "CR without LF": "pw\r",
  "only blanks": "   \n",
  "UTF-8": "p\xc3\xa4ssw\xc3\xb6rd\n",
  "control characters": "\x01\x02\x1b[1m\n",
  "only NUL": "\0\n",
  "NUL last": "pw\0\n",
  "NUL after the newline": "pw\n\0",
  "2048 without newline": "a".repeat(2048),
  "2049 without newline": "a".repeat(2049),
  "2048 in all, newline last": `${"a".repeat(2047)}\nrest\n`,
  "70000": "a".repeat(70000),
}))
  set("b", description, { stdin });
set("b", "newline in a second write", { stdin: slowly("pw", "\n") });
set("b", "more after the newline, later", { stdin: slowly("pw\n", "rest\n") });
set("b", "newline first, password later", { stdin: slowly("\n", "pw\n") });
set("b", "three writes with p", { stdin: slowly("a", "b", "c\n") }, "-p");
set("b", "closed with p", { stdin: closed }, "-p");
set("b", "closed with d", { stdin: closed, setup: old }, "-d");
set("b", "longer than before", { stdin: `${"x".repeat(500)}\n`, setup: old });
set("b", "short after overflow", { stdin: "x\n", setup: [load([rec(["alice", HOST, "userPassword"], "a".repeat(2048))])] });
set("b", "overflow after short", { stdin: `${"x".repeat(2000)}\n`, setup: old });
set("b", "overflow after overflow", {
  stdin: `${"x".repeat(2000)}\n`,
  setup: [load([rec(["alice", HOST, "userPassword"], "a".repeat(9000))])],
});
set("b", "among many", { setup: [load(many(120))] });
set("b", "everything stored before", { setup: all });

// Userid and realm.
for (const [description, args] of Object.entries({
  "realm in upper case": ["-u", "EXAMPLE.Com", "alice"],
  "realm with blanks": ["-u", " r ", "alice"],
  "realm in UTF-8": ["-u", "m\u00fcnchen", "alice"],
  "realm with newline": ["-u", "a\nb", "alice"],
  "realm is an at sign": ["-u", "@", "alice"],
  "empty realm after another": ["-u", "r", "-u", "", "alice"],
  "userid ends in at": ["alice@"],
  "userid ends in at, with u": ["-u", "r", "alice@"],
  "only at": ["@"],
  "two at": ["@@"],
  "realm of the userid in upper case": ["alice@EXAMPLE.Com"],
  "userid with newline": ["a\nb"],
  "userid of 3000": ["u".repeat(3000)],
  "userid of 17000": ["u".repeat(17000)],
  "realm of 3000": ["-u", "r".repeat(3000), "alice"],
}))
  passwd("c", description, [...DB, ...args]);
for (const host of [
  "HOST",
  "UPPER_lower.9",
  "localhost",
  "(none)",
  "12",
  ".",
  "a b",
  "\u00c4.example",
  `${"h".repeat(31)}.${"H".repeat(32)}`,
])
  set("c", `host ${host.length > 20 ? "long" : host === "." ? "dot" : host}`, { host });
set("c", "host in upper case, with u", { host: "MAIL.EXAMPLE.COM" }, "-u", "R");

// Deleting.
for (const plugins of ["default", "otp", "dbonly", "none"] as const) {
  set("d", `all, plugins ${plugins}`, { setup: all, plugins }, "-d");
  set("d", `missing file, plugins ${plugins}`, { plugins }, "-d");
}
set("d", "missing file, umask 077", { umask: "0077" }, "-d");
set("d", "missing folder", {}, "-f", "{D}/no/db", "-d");
set("d", "with u", { setup: [load([rec(["alice", "r1", "userPassword"]), OLD])] }, "-d", "-u", "r1");
passwd("d", "with the realm in the userid", [...DB, "-d", "alice@r1"], { setup: [load([rec(["alice", "r1", "userPassword"]), OLD])] });
set("d", "zero length", { setup: [write({ hex: "" })] }, "-d");
set("d", "btree", { setup: [load([OLD], undefined, "btree")] }, "-d");
set("d", "not to be written, unprivileged", { setup: [...old, chmod("0644")], unprivileged: true }, "-d");
set("d", "not to be read, unprivileged", { setup: [...old, chmod("0600")], unprivileged: true }, "-d");
set("d", "mech_list without OTP", { setup: all, plugins: "otp", config: "mech_list: PLAIN\n" }, "-d");
set("d", "mech_list with OTP", { setup: all, plugins: "otp", config: "mech_list: OTP\n" }, "-d");
set("d", "mech_list with one SCRAM", { setup: all, config: `${SCRAM}mech_list: SCRAM-SHA-256\n` }, "-d");
set("d", "mech_list without SCRAM", { setup: all, config: `${SCRAM}mech_list: PLAIN\n` }, "-d");
set("d", "SCRAM without its plugin", { setup: all, plugins: "dbonly", config: SCRAM }, "-d");
set("d", "unknown otp_mda", { setup: all, plugins: "otp", config: "otp_mda: sha256\n" }, "-d");
set("d", "absent auxprop_plugin", { setup: all, config: "auxprop_plugin: nosuch\n" }, "-d");
set("d", "absent auxprop_plugin, no mechanisms", { setup: all, plugins: "dbonly", config: "auxprop_plugin: nosuch\n" }, "-d");
set("d", "bad configuration", { setup: all, config: "nonsense\n" }, "-d");

// Without a userPassword.
for (const plugins of ["default", "otp", "dbonly", "none"] as const) {
  set("e", `new file, plugins ${plugins}`, { plugins }, "-n");
  set("e", `all, plugins ${plugins}`, { setup: all, plugins }, "-n");
}
for (const plugins of ["otp", "none"] as const) {
  set("e", `empty password, plugins ${plugins}`, { plugins, stdin: "" }, "-n");
  set("e", `with a userPassword, plugins ${plugins}`, { plugins, setup: all });
}
set("e", "SCRAM", { config: SCRAM }, "-n");
set("e", "SCRAM and OTP", { config: SCRAM, plugins: "otp", setup: all }, "-n");
set("e", "SCRAM without its plugin", { config: SCRAM, plugins: "dbonly" }, "-n");
set("e", "text file", { setup: [write(filled("hello world\n", 100))] }, "-n");
set("e", "missing folder", {}, "-f", "{D}/no/db", "-n");
set("e", "text file, no plugins", { plugins: "none", setup: [write(filled("hello world\n", 100))] });

// Files.
for (const name of [
  "v9-db5.3.28-le-sasldb",
  "v9-db5.3.28-be-sasldb",
  "v8-db4.5.20-le-sasldb",
  "v8-db4.1.25-be-sasldb",
  "v7-db3.1.17-le-sasldb",
  "v6-db3.0.55-le-sasldb",
  "v5-db2.7.7-le-sasldb",
  "v2-db1.85-le-sasldb",
  "v10-db18.1.40-le-sasldb",
])
  set("f", `existing ${name}`, { setup: [fixture(`db/${name}`)] });
for (const pageSize of [512, 65536]) set("f", `page size ${pageSize}`, { setup: [load([OLD], { pageSize })] });
set("f", "page size 512, long password", { stdin: `${"a".repeat(1000)}\n`, setup: [load([OLD], { pageSize: 512 })] });
set("f", "big-endian", { setup: [load(ALL, { byteOrder: "big" })] });
set("f", "btree", { setup: [load([OLD], undefined, "btree")] });
set("f", "duplicates allowed", { setup: [load([OLD], { duplicates: "unsorted" })] });
for (const size of [12000, 8192, 4096, 512, 72]) set("f", `truncated to ${size}`, { setup: [load([OLD]), truncate(size)] });
for (const size of [1, 512, 4096]) set("f", `${size} zeros`, { setup: [write(filled("\0", size))] });
for (const size of [511, 4096]) set("f", `${size} letters`, { setup: [write(filled("x", size))] });
for (const umask of ["0027", "0007", "0200", "0400", "0777"]) set("f", `umask ${umask}`, { umask });
for (const mode of ["0444", "0000", "4640"]) set("f", `mode ${mode}`, { setup: [...old, chmod(mode)] });
set("f", "symlink to nothing", { setup: [symlink("{D}/real")] });
set("f", "relative symlink", { setup: [load([OLD], undefined, "hash", "{D}/real"), symlink("real")] });
set("f", "symlink to itself", { setup: [symlink("{D}/db")] });
set("f", "folder", { setup: [mkdir("{D}/db")] });
set("f", "missing folder", {}, "-f", "{D}/no/db");
set("f", "file as folder", { setup: [write({ hex: "" }, "{D}/file")] }, "-f", "{D}/file/db");
set("f", "slash at the end", {}, "-f", "{D}/db/");
set("f", "name of 249", {}, "-f", `{D}/${"n".repeat(249)}`);
set("f", "name of 252", {}, "-f", `{D}/${"n".repeat(252)}`);
set("f", "name of 256", {}, "-f", `{D}/${"n".repeat(256)}`);
set("f", "unprivileged, folder for all", { setup: [chmod("0777", "{D}")], unprivileged: true });
set("f", "unprivileged, file for all in a folder of root's", { setup: [...old, chmod("0666")], unprivileged: true });
set("f", "unprivileged, not to be read", { setup: [...old, chmod("0200")], unprivileged: true });

// The configuration.
const PATH = "sasldb_path: {D}/db\n";
for (const [description, config] of Object.entries({
  "no blank after the colon": "sasldb_path:{D}/db\n",
  "tabs and blanks": "\t sasldb_path:\t {D}/db\t \n",
  "no newline at the end": "sasldb_path: {D}/db",
  "CR LF": "sasldb_path: {D}/db\r\n",
  "key in mixed case": "SaslDB_Path: {D}/db\n",
  "key twice": `${PATH}sasldb_path: {D}/other\n`,
  "comment first": `# sasldb_path: {D}/other\n${PATH}`,
  "comment after the value": "sasldb_path: {D}/db # c\n",
  "empty lines": `\n\n${PATH}\n\n`,
  "value in quotes": 'sasldb_path: "{D}/db"\n',
  "value with a blank inside": "sasldb_path: {D}/a b\n",
  "value relative": "sasldb_path: db\n",
  "key with dash": `sasldb-path: {D}/other\n${PATH}`,
  "two colons": `x:: y\n${PATH}`,
  "long line": `x: ${"y".repeat(5000)}\n${PATH}`,
  "long comment": `# ${"y".repeat(5000)}\n${PATH}`,
}))
  passwd("g", description, ["alice"], { config });
for (const [description, config] of Object.entries({
  "missing colon": "sasldb_path {D}/db\n",
  "blank before the colon": "sasldb_path : {D}/db\n",
  "value of blanks": "sasldb_path:   \n",
  "colon and value": ": x\n",
  "non-ASCII key": "\u00e9: x\n",
  "byte order mark": "\ufeffsasldb_path: {D}/db\n",
  "bad line after a comment without end": "# c\nnonsense",
  "empty file": "",
  "NUL in a line": "x: y\0z\n",
  "log_level negative": "log_level: -1\n",
  "auxprop_plugin sasldb": "auxprop_plugin: sasldb\n",
  "auxprop_plugin in upper case": "auxprop_plugin: SASLDB\n",
  "auxprop_plugin of two": "auxprop_plugin: sasldb nosuch\n",
  "auxprop_plugin of two, absent first": "auxprop_plugin: nosuch sasldb\n",
  "auxprop_plugin begins so": "auxprop_plugin: sasl\n",
  "auxprop_plugin with comma": "auxprop_plugin: nosuch,sasldb\n",
  plugin_list: "plugin_list: plain\n",
}))
  set("g", description, { config });
set("g", "absent auxprop_plugin without mechanisms", { plugins: "dbonly", config: "auxprop_plugin: nosuch\n" });
set("g", "absent auxprop_plugin, mech_list PLAIN", { config: "auxprop_plugin: nosuch\nmech_list: PLAIN\n" });
set("g", "absent auxprop_plugin, n", { config: "auxprop_plugin: nosuch\n" }, "-n");
set("g", "absent auxprop_plugin, existing", { setup: all, config: "auxprop_plugin: nosuch\n" });
set("g", "bad configuration, no plugins", { plugins: "none", config: "nonsense\n" });
passwd("g", "bad configuration, usage", ["-h"], { config: "nonsense\n" });
passwd("g", "bad configuration, version", ["-v"], { config: "nonsense\n" });
passwd("g", "a with its own file", ["-a", "app", "alice"], { config: { "app.conf": PATH, "saslpasswd.conf": "nonsense\n" } });
passwd("g", "a twice", ["-a", "one", "-a", "two", "alice"], { config: { "one.conf": "nonsense\n", "two.conf": PATH } });
set("g", "a empty, file without a name", { config: { ".conf": "nonsense\n" } }, "-a", "");
set("g", "saslpasswd2.conf is not read", { config: { "saslpasswd2.conf": "nonsense\n" } });
passwd("g", "file of another name under another name", ["alice"], {
  ...linked("other"),
  config: { "saslpasswd.conf": PATH, "other.conf": "nonsense\n" },
});
for (const [description, path] of Object.entries({
  "two folders, both": "{D}/one:{D}/conf",
  "two folders, missing first": "{D}/no:{D}/conf",
  "colon first": ":{D}/conf",
  "colon last": "{D}/conf:",
  "slash last": "{D}/conf/",
  relative: "conf",
}))
  passwd("g", `SASL_CONF_PATH, ${description}`, ["alice"], {
    config: PATH,
    env: { SASL_CONF_PATH: path },
    setup: [mkdir("{D}/one"), write({ hex: hex(`sasldb_path: db\nx: y\n`) }, "{D}/one/saslpasswd.conf")],
  });
set("g", "SASL_CONF_PATH empty", { config: "nonsense\n", env: { SASL_CONF_PATH: "" } });
set("g", "SASL_CONF_PATH missing", { config: "nonsense\n", env: { SASL_CONF_PATH: "{D}/no" } });
set("g", "SASL_CONF_PATH is the file", { config: "nonsense\n", env: { SASL_CONF_PATH: "{D}/conf/saslpasswd.conf" } });
set("g", "configuration is a folder", { setup: [mkdir("{D}/conf/saslpasswd.conf")] });
set("g", "configuration not to be read", {
  config: PATH,
  setup: [chmod("0000", "{D}/conf/saslpasswd.conf"), chmod("0777", "{D}")],
  unprivileged: true,
});

// At a terminal.
for (const [description, writes] of Object.entries({
  "second is empty": ["secret\n", "\n"],
  "both empty": ["\n", "\n"],
  "text and end of file": ["secret\x04\x04", "secret\n"],
  "text, then end of file": ["secret\n", "\x04"],
  "erase a character": ["secrex\x7ft\n", "secret\n"],
  "erase the line": ["wrong\x15secret\n", "secret\n"],
  interrupt: ["sec\x03"],
  "interrupt at the second": ["secret\n", "\x03"],
  quit: ["\x1c"],
  "8 bit": ["s\xc3\xa9cret\xff\n", "s\xc3\xa9cret\xff\n"],
  "CR for newline": ["secret\r", "secret\r"],
  blanks: [" s \n", " s \n"],
  NUL: ["se\0cret\n", "se\0cret\n"],
  "2048": [`${"a".repeat(2048)}\n`, `${"a".repeat(2048)}\n`],
  "same up to 2048": [`${"a".repeat(2048)}b\n`, `${"a".repeat(2048)}c\n`],
  "both in one write": ["secret\nsecret\n", "secret\n"],
}))
  set("h", description, { stdin: tty(...writes) });
set("h", "n with OTP", { stdin: tty("secret\n", "secret\n"), plugins: "otp" }, "-n");
set("h", "p, end of file", { stdin: tty("\x04") }, "-p");
set("h", "p, empty", { stdin: tty("\n") }, "-p");
set("h", "bad configuration", { stdin: tty(), config: "nonsense\n" });
passwd("h", "usage", ["-h"], { stdin: tty() });
set("h", "text file", { stdin: tty("secret\n", "secret\n"), setup: [write(filled("hello world\n", 100))] });
set("h", "no plugins", { stdin: tty("secret\n", "secret\n"), plugins: "none" });

// Listing.
for (const [description, args] of Object.entries({
  version: ["-v"],
  "question mark": ["-?"],
  "f without a value": ["-f"],
  "double dash before the path": ["--", "{D}/db"],
  "f attached": ["-f{D}/db"],
  "relative path": ["db"],
  "operand before h": ["{D}/db", "-h"],
  "unknown with v": ["-x", "-v"],
  "h with unknown": ["-h", "-x"],
  "unknown with f": ["-x", ...DB],
  "cluster xv": ["-xv"],
  "long help": ["--help"],
  dash: ["-"],
  "missing file": ["-f", "{D}/no"],
  "file as folder": ["-f", "{D}/db/x"],
}))
  list(description, old, args);
list("POSIXLY_CORRECT, option after the path", old, ["{D}/db", "-v"], { env: { POSIXLY_CORRECT: "1" } });
const linkedList = { argv0: "{D}/link/sasldblistusers", setup: [symlink("{BIN}/sasldblistusers2", "{D}/link/sasldblistusers")] };
list("another name, unknown option", [], ["-x"], linkedList);
list("another name, missing file", [], DB, linkedList);
for (const [description, records] of Object.entries({
  "all properties": ALL,
  "value of 5000": [rec(["a", "r", "userPassword"], "x".repeat(5000)), rec(["b", "r", "userPassword"])],
  "UTF-8": [rec(["b\u00f8b", "m\u00fcnchen", "pr\u00f6perty"])],
  "not UTF-8": [rec([{ hex: "fffe80", times: 1 }, "r", "userPassword"])],
  "escape sequences": [rec(["\x1b[31m\x07", "\t", "\x7f"])],
  "CR and newline": [rec(["a\r\nb", "r\n", "p\n"])],
  "empty key": [rec([""])],
  "bad key among good ones": [...many(6), rec(["x", "y"])],
  "user of 16383": [rec([{ hex: "75", times: 16383 }, "r", "userPassword"]), rec(["b", "r", "userPassword"])],
  "property of 16384": [rec(["a", "r", { hex: "70", times: 16384 }])],
  "key of 32768": [rec([{ hex: "75", times: 16383 }, { hex: "72", times: 16371 }, "userPassword"])],
  "key of 32769": [rec([{ hex: "75", times: 16383 }, { hex: "72", times: 16372 }, "userPassword"])],
  "key of 48002 among others": [
    ...many(6),
    rec([
      { hex: "75", times: 16000 },
      { hex: "72", times: 16000 },
      { hex: "70", times: 16000 },
    ]),
  ],
  "three hundred records": many(300),
}))
  list(description, [load(records)]);
for (const pageSize of [512, 65536]) list(`page size ${pageSize}`, [load(many(60), { pageSize })]);
list("big-endian", [load(many(60), { byteOrder: "big" })]);
list("duplicates", [load([OLD, rec(["alice", HOST, "userPassword"], "second")], { duplicates: "unsorted" })]);
for (const name of [
  "v9-db5.3.28-le-sasldb",
  "v9-db5.3.28-be-sasldb",
  "v8-db4.5.20-le-sasldb",
  "v8-db4.1.25-be-sasldb",
  "v7-db3.1.17-le-sasldb",
  "v6-db3.0.55-le-sasldb",
  "v5-db2.7.7-le-sasldb",
  "v2-db1.85-le-sasldb",
  "v10-db18.1.40-le-sasldb",
])
  list(name, [fixture(`db/${name}`)]);
for (const name of ["04-bad-magic", "11-random-bytes", "15-gzip"]) list(name, [fixture(`corrupt/${name}`)]);
list("20 letters", [write(filled("x", 20))]);
list("4096 zeros", [write(filled("\0", 4096))]);
for (const size of [12000, 8192, 4096, 72]) list(`truncated to ${size}`, [...old, truncate(size)]);
list("symlink", [load([OLD], undefined, "hash", "{D}/real"), symlink("{D}/real")]);
list("symlink to nothing", [symlink("{D}/real")]);
list("symlink to itself", [symlink("{D}/db")]);
list("mode 0000", [...old, chmod("0000")]);
list("unprivileged", [...old, chmod("0644")], DB, { unprivileged: true });
list("plugins otp", all, DB, { plugins: "otp" });
list("bad configuration", old, DB, { config: { "sasldblistusers.conf": "nonsense\n" } });
list("bad configuration of another name", old, DB, {
  config: { "sasldblistusers2.conf": "nonsense\n", "saslpasswd.conf": "nonsense\n", "sasldb.conf": "nonsense\n" },
});
list("bad configuration, version", old, ["-v"], { config: { "sasldblistusers.conf": "nonsense\n" } });
list("absent auxprop_plugin", old, DB, { config: { "sasldblistusers.conf": "auxprop_plugin: nosuch\n" } });

// OTP and SCRAM.
for (const mda of ["MD5", "sHa1", "sha-1", "sha", "md4", "md5 sha1"])
  set("o", `otp_mda ${mda}`, { plugins: "otp", config: `otp_mda: ${mda}\n` });
set("o", "otp_mda with blanks after", { plugins: "otp", config: "otp_mda: sha1  \t\n" });
set("o", "otp_mda twice", { plugins: "otp", config: "otp_mda: sha1\notp_mda: md5\n" });
set("o", "otp_mda in CR LF", { plugins: "otp", config: "otp_mda: sha1\r\n" });
set("o", "unknown otp_mda without the plugin", { config: "otp_mda: sha256\n" });
set("o", "unknown otp_mda, n", { plugins: "otp", setup: all, config: "otp_mda: sha256\n" }, "-n");
set("o", "unknown otp_mda, not in mech_list", { plugins: "otp", config: "otp_mda: sha256\nmech_list: PLAIN\n" });
for (const mechList of ["OTP", "otp", "PLAIN OTP", "OTP PLAIN", "PLAIN,OTP", "PLAIN;OTP", "PLAIN\tOTP", "OTPX", "XOTP"])
  set("o", `mech_list ${mechList.replace("\t", " tab ").replace(",", " comma ").replace(";", " semicolon ")}`, {
    plugins: "otp",
    config: `mech_list: ${mechList}\n`,
  });
set("o", "mech_list absent mechanism, existing", { plugins: "otp", setup: all, config: "mech_list: nosuch\n" });
for (const host of ["1", "ab", "a.b", "_x", "A1.b", "-", "\u00c4b"])
  set("o", `host ${host === "-" ? "dash" : host}`, { plugins: "otp", host });
set("o", "existing", { plugins: "otp", setup: all });
set("o", "UTF-8 password", { plugins: "otp", stdin: "p\xc3\xa4ss\n" });
set("o", "password of 2048", { plugins: "otp", stdin: "a".repeat(2048) });
set("o", "NUL first", { plugins: "otp", stdin: "\0ab\n" });
for (const value of ["1", "0", "2", "on", "ON", "off", "one", "true", "t", "y", "Yes", "no"])
  set("o", `scram_secret_generate ${value}`, { config: `scram_secret_generate: ${value}\n` });
set("o", "scram_secret_generate twice", { config: "scram_secret_generate: no\nscram_secret_generate: yes\n" });
for (const mechanism of ["SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-384", "SCRAM-SHA-512", "scram-sha-256", "SCRAM-SHA-256-PLUS", "SCRAM"])
  set("o", `mech_list ${mechanism}`, { config: `${SCRAM}mech_list: ${mechanism}\n` });
set("o", "mech_list of two SCRAM", { config: `${SCRAM}mech_list: SCRAM-SHA-1 SCRAM-SHA-512\n` });
for (const counter of ["1", "0", "10000", "-1", "abc", "5000abc", "00005000"])
  set("o", `scram_iteration_counter ${counter}`, { config: `${SCRAM}scram_iteration_counter: ${counter}\n` });
set("o", "SCRAM and OTP", { plugins: "otp", config: SCRAM });
set("o", "SCRAM, existing", { setup: all, config: SCRAM });
set("o", "SCRAM, UTF-8 password", { stdin: "p\xc3\xa4ss\n", config: SCRAM });
set("o", "SCRAM, password not normalized", { stdin: "a\xc2\xadb\xc2\xa0c\n", config: SCRAM });
set("o", "SCRAM, 8 bit password", { stdin: "\xff\xfe\n", config: SCRAM });
set("o", "SCRAM, NUL", { stdin: "ab\0cd\n", config: SCRAM });
set("o", "SCRAM, text file", { setup: [write(filled("hello world\n", 100))], config: SCRAM });

/** What a terminal, or one read of a pipe, gives for a password; up to the first NUL. */
function passwordOf({ stdin }: UnrecordedCase): Buffer {
  const first = stdin.kind === "closed" || stdin.writes[0] === undefined ? Buffer.alloc(0) : bytesOf(stdin.writes[0]);
  const read = first.subarray(0, 2048).toString("latin1").replace(/\n$/, "");
  return Buffer.from(read.replace(/\0.*$/s, ""), "latin1");
}

/** For a secret that is new with every run: what it has to agree with. */
function compareOf(draft: UnrecordedCase, value: Buffer): Compare | undefined {
  const text = value.toString("latin1");
  const password_hex = passwordOf(draft).toString("hex");
  const [, alg, seq, seed] = /^(\w+)\t(\d{4})\t([^\t]+)\t[0-9a-f]{16}\t0{20}$/.exec(text) ?? [];
  if (alg !== undefined && seed !== undefined) return { kind: "otp", alg, seq: Number(seq), seed_prefix: seed.slice(0, -4), password_hex };
  const [, mech, iterations] = /^(SCRAM-[\w-]+)\$(\d+):/.exec(text) ?? [];
  if (mech === undefined) return undefined;
  return { kind: "scram", mech, iterations: Number(iterations), password_hex };
}

function recordOf(draft: UnrecordedCase, [key, value]: readonly [string, string]): SaslRecord {
  const bytes = Buffer.from(value, "hex");
  const stood = draft.setup.some(
    (step) =>
      step.op === "load" && step.records.some((record) => keyBytes(record.key).toString("hex") === key && record.value_hex === value),
  );
  const parts = Buffer.from(key, "hex").toString("latin1").split("\0").map(partOf);
  const compare = stood || draft.program !== "saslpasswd2" ? undefined : compareOf(draft, bytes);
  if (compare !== undefined) {
    const reason = whyNotLike(bytes, compare);
    if (reason === undefined) return { key: parts, compare, value_sample: bytes.toString("latin1") };
    // Those of the fixtures are invented.
    if (!draft.setup.some((step) => step.op === "fixture")) process.stderr.write(`${draft.id}: ${reason}\n`);
  }
  const recorded = asBytes(bytes.toString("latin1"));
  return { key: parts, ...("hex" in recorded ? { value_hex: recorded.hex } : { value_pieces: recorded.pieces }) };
}

/** @param part one byte a character. */
function partOf(part: string): SaslRecord["key"][number] {
  const bytes = Buffer.from(part, "latin1");
  if (part.length > 100 && /^(.)\1*$/s.test(part)) return { hex: hex(part.charAt(0)), times: part.length };
  return isUtf8(bytes) ? bytes.toString() : { hex: bytes.toString("hex"), times: 1 };
}

/** Whether text says which bytes they are. */
function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}

function textOf(text: string | RegExp): string {
  return Buffer.from(String(text), "latin1").toString();
}

/** Lines that are other with every run, or depend on what is in memory. */
function stderrOf(text: string): Pick<Expectation, "stderr" | "stderr_regex"> {
  const varies = /0x[0-9a-f]+|BDB0178/;
  if (!varies.test(text)) return { stderr: textOf(text) };
  const escaped = text.replaceAll(/[\\^$.*+?()[\]|]/g, "\\$&").replaceAll("\n", "\\n");
  const line = "BDB0178 Encrypted database: no encryption flag specified\\n";
  return {
    stderr_regex: `^${escaped.replaceAll(new RegExp(`(?:${line.replace("\\n", "\\\\n")})+`, "g"), `(${line})+`).replaceAll(/0x[0-9a-f]+/g, "0x[0-9a-f]+")}$`,
  };
}

function expectationOf(draft: UnrecordedCase, observed: Observed): Expectation {
  const { exit, stdout, stderr, ttyEcho, file, records, otherFiles } = observed;
  const out = Buffer.from(String(stdout), "latin1");
  return {
    ...(exit === "endless" ? { never_terminates: true } : {}),
    exit: typeof exit === "number" ? exit : null,
    ...(typeof exit === "string" && exit !== "endless" ? { signal: constants.signals[exit] } : {}),
    ...(isUtf8(out) ? { stdout: out.toString() } : { stdout_hex: out.toString("hex") }),
    ...stderrOf(String(stderr)),
    ...(ttyEcho === undefined ? {} : { tty_echo: ttyEcho }),
    db_file: file,
    db_after: Array.isArray(records)
      ? (records as readonly (readonly [string, string])[]).map((record) => recordOf(draft, record))
      : (records as Expectation["db_after"]),
    ...(otherFiles.length === 0 ? {} : { other_files: otherFiles }),
  };
}

async function record(only: string | undefined): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), "tsmakemap-record-"));
  try {
    const folder = new SaslFolder(path);
    const cases: SaslCase[] = [];
    for (const draft of drafts) {
      if (only !== undefined && !draft.id.startsWith(only)) continue;
      const recorded: SaslCase = { ...draft, expect: expectationOf(draft, await folder.run(draft, native)) };
      const expected = expectedOf(recorded, native);
      const again = comparable(await folder.run(recorded, native), expected, native);
      if (!isDeepStrictEqual(again, expected))
        process.stderr.write(`${draft.id}: another time ${JSON.stringify(again)}, not ${JSON.stringify(expected)}\n`);
      cases.push(recorded);
    }
    const meta = { reference: "Cyrus SASL 2.1.28 command-line tools with Berkeley DB 5.3.28, Debian 12", schema: "sasl.md" };
    // A line for each case, so that a change is seen in its line.
    const text = `{"meta":${JSON.stringify(meta)},"cases":[\n${cases.map((recorded) => JSON.stringify(recorded)).join(",\n")}\n]}\n`;
    if (only === undefined) writeFileSync(`${fixturesFolder}cases/sasl-more.json`, text);
    else process.stdout.write(text);
    process.stderr.write(`${cases.length} cases\n`);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

if (!isRoot) throw new Error("needs root");
await record(process.argv[2]);
