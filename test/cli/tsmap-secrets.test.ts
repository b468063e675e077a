/**
 * No secret is in any output of any command, without --show-secrets, whatever
 * is wrong with the file that it is in.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Database, nodeFileSystem } from "berkeley-db-js";
import { tsmapCommand } from "#src/cli/tsmap/commands.js";
import { setHashVersionOf } from "#src/hash-file/hash-version.js";
import { updateSasldb } from "#src/sasldb/sasldb-file.js";
import { RELAY_CF, SUBMIT_CF } from "../support/cf-text.ts";
import { isFull } from "../support/full.ts";
import { run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

/** One that nothing else looks like, with characters that a password has. */
const SECRET = "Tr0ub4dor-26zXq";
const BASE64 = Buffer.from(SECRET).toString("base64");

/** In whatever form it could be printed; and most of it is too much. */
const FORMS: readonly string[] = [
  SECRET,
  SECRET.toLowerCase(),
  SECRET.slice(2, -2),
  BASE64,
  BASE64.slice(2, -4),
  Buffer.from(SECRET).toString("hex"),
  Buffer.from(SECRET).toString("hex").toUpperCase(),
  [...SECRET].reverse().join(""),
];

/** Sources: what somebody meant, and the mistakes that are made. */
const SOURCES: Readonly<Record<string, string>> = {
  good: `AuthInfo:mail.example.com "U:user" "I:user" "P:${SECRET}" "M:PLAIN LOGIN"\n`,
  base64: `AuthInfo: "U:user" "P=${BASE64}"\n`,
  "missing-blank": `AuthInfo:mail.example.com"U:user" "P:${SECRET}"\n`,
  "missing-blank-everywhere": `AuthInfo:"U:user""P:${SECRET}""M:PLAIN"\n`,
  "password-first": `AuthInfo:"P:${SECRET}" "U:user"\n`,
  "no-quotes": `AuthInfo: U:user P:${SECRET}\n`,
  "first-quote": `AuthInfo: U:user" "P:${SECRET}"\n`,
  "last-quote": `AuthInfo: "U:user" "P:${SECRET}\n`,
  "single-quotes": `AuthInfo: 'U:user' 'P:${SECRET}'\n`,
  typographic: `AuthInfo: “U:user” “P:${SECRET}”\n`,
  "inner-quote": `AuthInfo: "U:user" "P:x"${SECRET}" "M:PLAIN"\n`,
  "empty-then-secret": `AuthInfo: "U:user" "P:"${SECRET}\n`,
  "plain-in-base64": `AuthInfo: "U:user" "P=${SECRET}"\n`,
  "base64-in-plain": `AuthInfo: "U:user" "P:${BASE64}"\n`,
  "comma-in-m": `AuthInfo: "U:user" "P:${SECRET}" "M:PLAIN,LOGIN"\n`,
  "unknown-tag": `AuthInfo: "U:user" "X:${SECRET}"\n`,
  "password-tag": `AuthInfo: "U:user" "PASS:${SECRET}" "P=:${SECRET}" "P ${SECRET}"\n`,
  "wrong-delimiter": `AuthInfo: "U:user" "P;${SECRET}"\n`,
  percent: `AuthInfo: "U:user" "P:%0${SECRET}%%"\n`,
  twice: `AuthInfo: "U:user" "P:${SECRET}"\nAuthInfo: "U:user" "P:${SECRET}2"\n`,
  crlf: `AuthInfo: "U:user" "P:${SECRET}"\r\n`,
  bom: `\ufeffAuthInfo: "U:user" "P:${SECRET}"\n`,
  "leading-blank": `  AuthInfo: "U:user" "P:${SECRET}"\n`,
  "no-key": `"U:user" "P:${SECRET}"\n`,
  "no-tag": `mail.example.com "U:user" "P:${SECRET}"\n`,
  "many-items": `AuthInfo: "U:a" "U:b" "U:c" "U:d" "U:e" "U:f" "U:g" "P:${SECRET}"\n`,
  tabs: `AuthInfo:\t"U:user"\t\t"P:${SECRET}"\t\n`,
  "long-line": `AuthInfo: "U:${"x".repeat(1010)}" "P:${SECRET}"\n`,
  nul: `AuthInfo: "U:user" "P:${SECRET}\0"\n`,
  comment: `#AuthInfo: "U:user" "P:${SECRET}"\nAuthInfo: no\n`,
  postfix: `[mail.example.com]:587 user@example.com:${SECRET}\n`,
  "postfix-digits": `[mail.example.com]:587 412345@example.com:${SECRET}\n`,
  "postfix-digits-name": `mail.example.com 250123:${SECRET}\n`,
  "postfix-status": `mail.example.com 5.7.1@x:${SECRET}\n`,
  "postfix-route": `mail.example.com relay:${SECRET}.26\n`,
  "postfix-transport": `[mail.example.com] smtp:a.${SECRET}\n`,
  "postfix-local": `mail.example.com:587 local:${SECRET}\n`,
  "postfix-error": `user@example.com error:${SECRET}\n`,
  "postfix-name": `mail.example.com user:${SECRET}\n`,
  several: `AuthInfo:a "U:user" "P:${SECRET}"\nexample.com RELAY\nAuthInfo:b "U:x"\n`,
};

/** Puts them into a folder, and databases made of them; returns their names. */
async function makeFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  const add = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes, { mode: 0o600 });
    names.push(name);
    return join(folder, name);
  };
  for (const [name, source] of Object.entries(SOURCES)) add(name, source);
  // The value as it stands, under keys as they stand: also what makemap would not make.
  const value = (source: string): [string, string] => {
    const [, key = "", data = ""] = /^(\S*)\s*(.*?)\r?\n/s.exec(source) ?? [];
    return [key.toLowerCase(), data];
  };
  for (const [name, source] of Object.entries(SOURCES)) {
    const path = join(folder, `${name}.db`);
    names.push(`${name}.db`);
    using database = Database.open(path, { type: "hash", create: true, byteOrder: name.length % 2 === 0 ? "big" : "little" });
    const [key, data] = value(source);
    database.put(Buffer.from(key), Buffer.from(data));
    database.put(Buffer.from("example.com"), Buffer.from("RELAY"));
  }
  for (const version of [7, 8]) {
    add(`version-${version}.db`, readFileSync(join(folder, "good.db")));
    setHashVersionOf(join(folder, `version-${version}.db`), version, nodeFileSystem);
  }
  await updateSasldb(join(folder, "sasldb2"), (users) => {
    users.setPassword("user", "mail.example.com", Buffer.from(SECRET), { mechanisms: ["OTP", "SCRAM-SHA-256"] });
  });
  names.push("sasldb2");
  // These are other commands' files beside the one that is looked at.
  writeFileSync(join(folder, "submit.cf"), `${SUBMIT_CF}Kauthinfo hash /etc/mail/authinfo/smtp-auth\n`);
  writeFileSync(join(folder, "sendmail.cf"), RELAY_CF);
  // What a key is torn from, or a page, or the header: nobody knows then what the data were.
  for (const file of ["good.db", "sasldb2", "missing-blank.db"]) {
    const bytes = readFileSync(join(folder, file));
    const damage = (what: string, change: (bytes: Buffer) => void): void => {
      const copy = Buffer.from(bytes);
      change(copy);
      add(`${what}-${file.replace(/\.db$/, "")}.db`, copy);
      add(`${what}-${file.replace(/\.db$/, "")}`, copy);
    };
    damage("no-magic", (copy) => copy.fill(0x41, 12, 16));
    damage("no-header", (copy) => copy.fill(0x20, 0, 512));
    damage("pages-away", (copy) => copy.fill(0xff, 4096 + 20, 4096 + 28));
    damage("offsets", (copy) => copy.writeUInt16LE(0xfff0, 2 * 4096 + 26));
    add(`cut-${file}`, bytes.subarray(0, 9000));
  }
  {
    const path = add("residue.db", readFileSync(join(folder, "good.db")));
    using database = Database.open(path);
    database.delete(Buffer.from(value(SOURCES["good"] as string)[0]));
  }
  const dump = `VERSION=3\nformat=print\ntype=hash\nHEADER=END\n authinfo:\n "P:${SECRET}"\nDATA=END\n`;
  add("dump", dump);
  add("dump-hex", dump.replace(/"P:.*"/, Buffer.from(`"P:${SECRET}"`).toString("hex")).replace("print", "bytevalue"));
  add("dump-no-end", dump.replace("DATA=END\n", ""));
  add("dump-odd", dump.replace(/ authinfo:\n/, ""));
  add("dump-bad", dump.replace("format=print", "format=bytevalue"));
  add("dump-header", dump.replace("VERSION=3", `"P:${SECRET}"`));
  add("dump-word", dump.replace("HEADER=END", `passwd=${SECRET}\nHEADER=END`));
  const first = '{"format":"tsmap-records","version":1}\n';
  add("json", `${first}{"key":"authinfo:","data":"\\"P:${SECRET}\\""}\n{"end":true,"records":1}\n`);
  add("json-bad", `${first}{"key":"authinfo:","data":"\\"P:${SECRET}\\"\n`);
  add("json-first", `{"key":"authinfo:","data":"\\"P:${SECRET}\\""}\n`);
  add("json-word", `{"format":"${SECRET}","version":"${SECRET}","${SECRET}":1}\n`);
  add("json-end", `${first}{"end":true,"records":"${SECRET}"}\n`);
  add("csv", `encoding,key,data\ntext,authinfo:,"""P:${SECRET}"""\nend,1,\n`);
  add("csv-end", `encoding,key,data\nend,${SECRET},\n`);
  add("csv-bad", `encoding,key,data\n${SECRET},authinfo:,"""P:${SECRET}""\n`);
  // A fleet with each of them as the text of a map, and a copy of a map from its host.
  writeFileSync(join(folder, "key"), `0123456789abcdef-${SECRET}`);
  mkdirSync(join(folder, "copies/h"), { recursive: true });
  writeFileSync(join(folder, "copies/h/m.db"), readFileSync(join(folder, "missing-blank.db")));
  for (const name of names) writeFileSync(join(folder, fleetOf(name)), fleetText(name));
  return names;
}

function fleetOf(name: string): string {
  return `fleet-${name}.yaml`;
}

function fleetText(name: string): string {
  return `version: 1
settings: { target: aix, allow-inline: true }
key: { file: key }
secrets: { user: { inline: "${SECRET}" } }
policy: { min-length: 99, max-age: 1, reuse: forbid, plain-text: { sent: forbid, stored: forbid } }
hosts:
  mail.example.com: { databases: { sasldb2: { mode: "0644", users: { user: user, "other@mail.example.com": { password: { inline: "${SECRET}" } } } } } }
  h:
    relays: [mail.example.com]
    maps:
      m: { source: ${JSON.stringify(name)}, duplicates: keep, empty-values: ${name in SOURCES}, mode: "0644" }
      e: { entries: { mail.example.com: { user: user, login: user, password: user } } }
`;
}

const EXPORT = ["--format", "ldif", "--base", "dc=example,dc=org", "--cluster", "Servers"];

/** What every command does with a file; a new command has to be told about here. */
function commandLines(name: string): Readonly<Record<string, readonly (readonly string[])[]>> {
  // Of a database, which is no text, it would say nothing else than of the last one.
  const fleet = name in SOURCES || name === "json-bad" ? [fleetOf(name)] : [];
  return {
    inspect: [[name], ["--json", "--pages", name]],
    // With -e every text is a map, and where -t divides it nobody knows what a line was meant to be.
    list: [
      [name],
      ["--json", name],
      ["--sort", "--keys", name],
      ["-N", "-f", ...(name in SOURCES ? ["-e"] : []), name],
      ["-t", ":", "good"],
    ],
    get: [
      [name, "authinfo:"],
      ["--json", name, "AuthInfo:mail.example.com"],
      [name, "user"],
      [name, `authinfo:"p:${SECRET}"`],
    ],
    dump: [[name], ["-p", name], ["--format", "json", name], ["--format", "csv", name], ["-o", "out/dump", name]],
    export: [
      [...EXPORT, name],
      [...EXPORT, "-f", "-o", "out/export", name],
      [...EXPORT, "--map-name", "x", ...(name in SOURCES ? ["-e", "-d"] : []), name],
    ],
    load: [
      ["-f", name, "out/load.db"],
      ["--format", "json", "-f", name, "out/load.db"],
      ["--format", "csv", "-f", name, "out/load.db"],
    ],
    verify: [[name], ["--json", name]],
    diff: [
      [name, "good.db"],
      ["--json", "sasldb2", name],
      [name, "several"],
      ["-N", "--fingerprint-key", "good", name, "several"],
    ],
    convert: [
      [name, "-o", "out/convert.db"],
      [name, "-o", "out/convert.db", "--type", "btree"],
    ],
    scrub: [[name, "-o", "out/scrub.db"]],
    lint: [[name], ["--format", "json", name], ["--format", "sarif", name], ["-t", ":", name]],
    resolve: [
      ["--server", "mail.example.com", "--addr", "192.0.2.1", name],
      ["--server", "mail.example.com", "--json", name],
      ["--server", SECRET, name],
    ],
    auth: [
      ["--authinfo", name, "--sasldb", "sasldb2", "--relay", "mail.example.com"],
      ["--authinfo", name, "--sasldb", "sasldb2", "--relay", "mail.example.com", "--json"],
      ["--authinfo", "good.db", "--sasldb", name, "--relay", "mail.example.com"],
    ],
    cf: [
      ["check", "--role", "client", name],
      ["check", "--role", "client", "--map", name, "submit.cf"],
      ["check", "--role", "relay", "--domains", name, "--json", "sendmail.cf"],
      ["check", "--role", "relay", "--other", name, "sendmail.cf"],
      ["patch", "--role", "client", "--relay", "mail.example.com", "--dry-run", name],
    ],
    // A relay that nobody is, so that the map alone is looked at.
    probe: [["--relay", "127.0.0.1:1", "--map", name, "--verbose"]],
    // The file itself as a manifest, and a manifest that names it.
    plan: [
      [name],
      ...fleet.map((file) => [file, "--output", "out/none"]),
      ...fleet.map((file) => [file, "--json", "--output", "out/none"]),
    ],
    build: [[name], ...fleet.map((file) => [file, "--output", "out/set"])],
    check: [
      ...fleet.map((file) => [file, "--copies", "copies"]),
      ...fleet.map((file) => [file, "--format", "sarif", "--output", "out/set"]),
    ],
    // With a manifest it would not end.
    watch: [["--output", SECRET], [`--${name}`]],
    completion: [["bash"]],
  };
}

suite("no output has a secret in it", () => {
  test("of any command, over any file", async (t) => {
    const folder = temporaryFolder(t);
    const names = await makeFiles(folder);
    mkdirSync(join(folder, "out"));
    const known = tsmapCommand("tsmap", async () => {}).commands.map((command) => command.name());
    assert.deepEqual(Object.keys(commandLines("")).sort(), known.sort(), "a command without its lines");

    const all = names.flatMap((name) =>
      Object.entries(commandLines(name)).flatMap(([command, each]) => each.map((args) => [command, ...args])),
    );
    // A third of them in the ordinary run, of every command and every file some.
    const lines = isFull ? all : all.filter((_, i) => i % 3 === 0);
    const child = fileURLToPath(new URL("../support/tsmap-batch.child.js", import.meta.url));
    const { exit, stdout, stderr } = await run(process.execPath, [child], { cwd: folder, input: JSON.stringify(lines), timeout: 300_000 });
    assert.deepEqual([exit, stderr], [0, ""]);
    const answers = JSON.parse(Buffer.from(stdout, "latin1").toString()) as { exit: number; stdout: string; stderr: string }[];
    assert.equal(answers.length, lines.length);

    const faults: string[] = [];
    const exits = { 0: 0, 1: 0, 2: 0 };
    for (const [i, answer] of answers.entries()) {
      exits[answer.exit as 0 | 1 | 2] += 1;
      const line = (lines[i] as string[]).map((arg) => JSON.stringify(arg)).join(" ");
      const shown = answer.stdout + answer.stderr;
      // A word of the command line is no secret; the forms of it that are in the file are.
      const asked = (lines[i] as string[]).some((arg) => arg.includes(SECRET));
      const form = asked ? undefined : FORMS.find((each) => shown.includes(each));
      if (form !== undefined) faults.push(`${line}: ${shown.slice(Math.max(0, shown.indexOf(form) - 80), shown.indexOf(form) + 40)}`);
      if (/^ {4}at /m.test(answer.stderr)) faults.push(`${line}: ${answer.stderr}`);
    }
    assert.deepEqual(faults.slice(0, 20), [], `${faults.length} of ${lines.length}`);
    assert.ok(exits[0] > 100 && exits[1] > 100 && exits[2] > 100, JSON.stringify(exits));
  });

  test("but where --show-secrets asks for it", async (t) => {
    const folder = temporaryFolder(t);
    await makeFiles(folder);
    const lines = [
      ["list", "--show-secrets", "good.db"],
      ["get", "--show-secrets", "good.db", "authinfo:mail.example.com"],
      ["dump", "-p", "--show-secrets", "good.db"],
      ["export", ...EXPORT, "--show-secrets", "good.db"],
      ["diff", "--show-secrets", "good.db", "several"],
      ["resolve", "--show-secrets", "--server", "mail.example.com", "good.db"],
    ];
    const child = fileURLToPath(new URL("../support/tsmap-batch.child.js", import.meta.url));
    const { stdout } = await run(process.execPath, [child], { cwd: folder, input: JSON.stringify(lines) });
    const answers = JSON.parse(Buffer.from(stdout, "latin1").toString()) as { stdout: string }[];
    for (const [i, answer] of answers.entries()) assert.ok(answer.stdout.includes(SECRET), `${lines[i]?.join(" ")}: ${answer.stdout}`);
  });
});
