/**
 * Names, keys, values and whole files with characters that move a cursor, ring,
 * turn text around or begin a line that somebody else seems to have written: on
 * a terminal none of them comes through, from any command.
 */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, suite, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Database } from "berkeley-db-js";
import { printable } from "#src/cli/printable.js";
import { tsmapCommand } from "#src/cli/tsmap/commands.js";
import { jsonText } from "#src/map-file/json-text.js";
import { SUBMIT_CF } from "../support/cf-text.ts";
import { isFull } from "../support/full.ts";
import { needs } from "../support/native.ts";
import { launcherOf, run } from "../support/program.ts";
import { byVerb, ScriptedServer } from "../support/smtp-script.ts";
import { temporaryFolder } from "../support/temp.ts";
import { TERMINAL_TOOLS, Terminal } from "../support/terminal.ts";

const top = temporaryFolder({ after });

/** By name: what is put into names and files. */
const CHARACTERS: Readonly<Record<string, string>> = {
  newline: "\n",
  "carriage return": "\r",
  escape: "\x1b[31m",
  bell: "\x07",
  "back space": "\b",
  delete: "\x7f",
  "control sequence introducer": "\u009b31m",
  "operating system command": "\x1b]0;title\x07",
  "right to left": "\u202e",
  "zero width": "\u200b",
  "line separator": "\u2028",
  "byte order mark": "\ufeff",
  tag: "\u{e0041}",
};
const ALL = Object.values(CHARACTERS).join("");
/** What a file name in this locale can have, besides. */
const BYTES = Buffer.concat([Buffer.from(ALL), Buffer.from([0x9b, 0xff, 0x80])]);

/** What of a text does something to a terminal; lines and TABs are ours. */
const RAW = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/u;
/** As bytes: a control character of one byte above those of ASCII, in what is no UTF-8. */
function rawIn(latin1: string): string | undefined {
  const bytes = Buffer.from(latin1, "latin1");
  const found = RAW.exec(bytes.toString());
  if (found !== null) return JSON.stringify(found[0]);
  return isUtf8(bytes) ? undefined : "bytes that are no text";
}

/** What a bar that is drawn anew moves the cursor by. */
const DRAWN = new RegExp(`${String.fromCharCode(0x1b)}(?:[78]|\\[(?:\\?25[lh]|\\?7[lh]|\\d*[A-GKJ]))|\r`, "g");

const NAME = `n${ALL.replaceAll("/", "")}`;

function makeFiles(folder: string): void {
  const add = (name: string, content: string | Uint8Array): void => fs.writeFileSync(join(folder, name), content, { mode: 0o600 });
  fs.mkdirSync(join(folder, "out"));
  const source = Buffer.concat([
    Buffer.from(`AuthInfo:${ALL.replaceAll("\n", "")} "U:${ALL.replaceAll("\n", "")}" "P:x" "${ALL.replaceAll("\n", "")}"\n`),
    Buffer.from("AuthInfo:"),
    Buffer.from([0x9b, 0xff]),
    Buffer.from(' "U:x" "I:'),
    Buffer.from([0x9b, 0x80]),
    Buffer.from('" "P:x" "M:PLAIN"\n'),
    Buffer.from(`only${ALL.replaceAll(/[\r\n]/g, "")}\n`),
  ]);
  add(NAME, source);
  {
    using database = Database.open(join(folder, `${NAME}.db`), { type: "hash", create: true });
    database.put(BYTES, BYTES);
    database.put(Buffer.from(`authinfo:${ALL}`), Buffer.from(`"U:${ALL}" "I:${ALL}" "P:x" "M:${ALL}"`));
    database.put(Buffer.from(ALL), Buffer.from(ALL));
    database.put(Buffer.from("authinfo:"), Buffer.from(`"U:a${ALL}" "P:x"`));
  }
  {
    using database = Database.open(join(folder, `${NAME}2`), { type: "hash", create: true });
    for (const property of ["userPassword", `p${ALL}`]) database.put(Buffer.from(`u${ALL}\0r${ALL}\0${property}`), Buffer.from("password"));
    database.put(Buffer.concat([BYTES, Buffer.from("\0"), BYTES, Buffer.from("\0userPassword")]), Buffer.from("password"));
    database.put(BYTES, BYTES);
  }
  add("text", BYTES);
  add("dump", `VERSION=3\nformat=print\ntype=${ALL}\n${ALL}=1\nHEADER=END\n a\n b\nDATA=END\n`);
  add("dump-word", `VERSION=3\nformat=print\ntype=hash\ndatabase=${ALL.replaceAll("\n", "")}\nHEADER=END\n a\n${ALL}\nDATA=END\n`);
  add(
    "cf",
    `${SUBMIT_CF}\nKauthinfo hash /x${ALL.replaceAll("\n", "")}\nO AuthMechanisms=${ALL.replaceAll("\n", "")}\nDS${ALL.replaceAll("\n", "")}\n`,
  );
  const quoted = jsonText(NAME);
  add(
    "fleet.yaml",
    `version: 1\nkey: { file: ${quoted} }\nsecrets: { ${quoted}: { file: ${quoted} } }\nhosts:\n  h:\n    maps:\n      m: { source: ${quoted} }\n      ${quoted}: { source: ${quoted} }\n`,
  );
  add(
    "fleet2.yaml",
    `version: 1\nhosts:\n  h:\n    maps:\n      m: { source: ${jsonText("s")}, ${quoted}: 1 }\n      n: { source: [${quoted}] }\n`,
  );
  add("fleet3.yaml", `version: 1\nsettings: { target: ${quoted} }\nhosts: { ${quoted}: { maps: { m: { source: text } } } }\n`);
  add("fleet4.yaml", `version: 1\nsettings: { target: aix }\nhosts: { h: { maps: { m: { source: clean } } } }\n`);
  add("good-source", `AuthInfo: "U:user" "I:user" "P:x"\n`);
  add("clean", "example.com RELAY\n");
  add("broken.yaml", `a: [${ALL}\n`);
  fs.mkdirSync(join(folder, `${NAME}-folder`));
}

const SERVER = ["--server", `s${ALL}`];

/** What every command does with such files; a new command has to be told about here. */
const LINES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  inspect: [[`${NAME}.db`], ["--json", "--pages", `${NAME}.db`], ["text"], [`no${NAME}`], [`${NAME}2`]],
  list: [
    [`${NAME}.db`],
    ["--json", `${NAME}.db`],
    [NAME],
    ["--sort", "--show-secrets", `${NAME}.db`],
    ["--keys", `${NAME}2`],
    ["-t", ALL, NAME],
  ],
  get: [
    [`${NAME}.db`, ALL],
    ["--json", `${NAME}.db`, ALL],
    ["--show-secrets", `${NAME}.db`, `authinfo:${ALL}`],
    [NAME, "x"],
  ],
  dump: [
    ["--show-secrets", `${NAME}.db`],
    ["-p", "--show-secrets", `${NAME}.db`],
    ["--show-secrets", "--format", "json", `${NAME}.db`],
    ["--show-secrets", "--format", "csv", `${NAME}.db`],
    [`${NAME}.db`],
    ["--format", ALL, `${NAME}.db`],
    ["--show-secrets", `${NAME}.db`, "-o", `no${NAME}/x`],
  ],
  load: [
    ["-f", "dump", "out/load.db"],
    ["-f", "dump-word", `out/${NAME}.db`],
    ["-f", NAME, `out/${NAME}`],
    ["-f", "text", "--format", "json", "out/x"],
  ],
  export: [
    ["--format", "ldif", "--base", "dc=x", "--cluster", "c", "--show-secrets", `${NAME}.db`],
    ["--format", "ldif", "--base", ALL, "--cluster", "c", `${NAME}.db`],
    ["--format", "ldif", "--base", "dc=x", "--cluster", ALL, "--map-name", ALL, "--show-secrets", `${NAME}.db`],
  ],
  verify: [[`${NAME}.db`], ["--json", `${NAME}.db`], [NAME], ["text"]],
  diff: [
    [`${NAME}.db`, `${NAME}2`],
    ["--json", `${NAME}.db`, NAME],
    ["--show-secrets", NAME, `${NAME}.db`],
    [`no${NAME}`, NAME],
  ],
  convert: [
    [`${NAME}.db`, "-o", `out/${NAME}.converted`],
    [NAME, "-o", "out/x"],
    [`${NAME}.db`, "-o", "out/x", "--byte-order", ALL],
  ],
  scrub: [[`${NAME}.db`, "-o", `out/${NAME}.scrubbed`], [NAME]],
  lint: [[NAME], ["--format", "json", NAME], ["--format", "sarif", NAME, `no${NAME}`], [`${NAME}.db`], ["--fix", `no${NAME}`]],
  resolve: [
    [...SERVER, `${NAME}.db`],
    [...SERVER, "--json", `${NAME}.db`],
    ["--server", "x", "--show-secrets", `${NAME}.db`],
    ["--server", "x", "--map-flags", ALL, NAME],
    ["--server", "x", "--client-mechanisms", ALL, `${NAME}.db`],
    ["--server", "x", "--addr", ALL, NAME],
  ],
  auth: [
    ["--authinfo", `${NAME}.db`, "--sasldb", `${NAME}2`, "--relay", `r${ALL}`],
    ["--authinfo", `${NAME}.db`, "--sasldb", `${NAME}2`, "--relay", "x", "--realm", ALL, "--hostname", ALL],
    ["--authinfo", `${NAME}.db`, "--sasldb", `${NAME}2`, "--relay", `r${ALL}`, "--json"],
  ],
  cf: [
    ["check", "--role", "client", "cf"],
    ["check", "--role", "client", "--json", "cf"],
    ["check", "--role", ALL, "cf"],
    ["check", "--role", "client", "--map", `no${NAME}`, "cf"],
    ["patch", "--role", "client", "--relay", "r.example.com", "--dry-run", "cf"],
    ["patch", "--role", "client", "--relay", ALL, "cf"],
    ["patch", "--role", "relay", NAME],
    [ALL],
  ],
  probe: [
    ["--relay", ALL, "--map", NAME],
    ["--relay", "127.0.0.1:1", "--map", `no${NAME}`],
    ["--relay", "127.0.0.1:1", "--map", NAME, "--mechanism", ALL],
    ["--relay", "127.0.0.1:1", "--map", NAME, "--timeout", ALL],
  ],
  plan: [["fleet.yaml"], ["fleet2.yaml"], ["fleet3.yaml"], ["broken.yaml"], [`no${NAME}`], ["fleet4.yaml", "--output", NAME], [NAME]],
  build: [
    ["fleet4.yaml", "--output", `out/${NAME}-set`],
    ["fleet4.yaml", "--json", "--output", `out/${NAME}-set`],
    ["fleet4.yaml", "--show-settings", "--output", NAME],
    ["fleet4.yaml", "--output", NAME],
    ["fleet.yaml"],
  ],
  check: [
    ["fleet4.yaml", "--copies", `${NAME}-folder`],
    ["fleet4.yaml", "--today", ALL],
    ["fleet.yaml"],
    ["fleet4.yaml", "--output", `out/${NAME}-set`, "--format", "sarif"],
  ],
  watch: [["--output", NAME], [`--${ALL}`]],
  completion: [[ALL], ["bash"]],
};

suite("on a terminal nothing of others is raw", () => {
  test("of any command of tsmap", async (t) => {
    const folder = fs.mkdtempSync(join(top, "files-"));
    makeFiles(folder);
    const known = tsmapCommand("tsmap", async () => {}).commands.map((command) => command.name());
    assert.deepEqual(Object.keys(LINES).sort(), known.sort(), "a command without its lines");
    const lines = Object.entries(LINES).flatMap(([command, each]) => each.map((args) => [command, ...args]));
    const spoken = ALL.replaceAll("\n", "").replaceAll("\r", "");
    const server = await ScriptedServer.start(
      t,
      byVerb({ EHLO: `250-relay${spoken}\r\n250 AUTH PLAIN LOGIN ${spoken}\r\n`, AUTH: `535 5.7.0 no${spoken}\r\n` }),
    );
    const probe = ["probe", "--relay", server.relay, "--map", "good-source", "--timeout", "5", "--verbose"];
    lines.push(probe, [...probe, "--json"]);
    lines.push([ALL], [`--${ALL}`], ["help", ALL]);
    const child = fileURLToPath(new URL("../support/tsmap-batch.child.js", import.meta.url));
    const { exit, stdout, stderr } = await run(process.execPath, [child], {
      cwd: folder,
      input: Buffer.from(JSON.stringify(lines)),
      env: { TSMAP_BATCH_TERMINAL: "1" },
    });
    assert.deepEqual([exit, stderr], [0, ""]);
    const answers = JSON.parse(Buffer.from(stdout, "latin1").toString()) as { stdout: string; stderr: string }[];
    const faults: string[] = [];
    for (const [i, answer] of answers.entries()) {
      const line = (lines[i] as string[]).map((word) => word.replaceAll(ALL, "…")).join(" ");
      for (const [where, shown] of Object.entries(answer)) {
        // CSV has its own ends of lines.
        const raw = typeof shown === "string" ? rawIn(shown.replaceAll("\r\n", "\n")) : undefined;
        if (raw !== undefined)
          faults.push(`${where} of ${printable(line)}: ${raw} in ${printable(Buffer.from(shown, "latin1").toString()).slice(0, 300)}`);
      }
      // The name has a newline in it: a message about it is one line.
      assert.ok(!answer.stderr.includes("internal error"), `${line}: ${answer.stderr}`);
      assert.ok(!/^\r|^31m/m.test(answer.stderr), line);
    }
    assert.deepEqual(faults, []);
    const said = answers.filter(({ stdout, stderr }) => `${stdout}${stderr}`.includes("\\x1b")).length;
    assert.ok(said > lines.length / 2, `${said} of ${lines.length} have something to spell`);
  });

  /** In a terminal of its own; what is shown. */
  async function shownBy(t: TestContext, folder: string, script: string, args: readonly string[]): Promise<string> {
    const command = ["/bin/sh", "-c", script, "sh", process.execPath, ...args];
    const terminal = await Terminal.start(t, command, { cwd: folder, env: { SASL_CONF_PATH: folder } });
    await terminal.end();
    // The terminal itself makes a carriage return of each newline.
    return terminal.shown.replaceAll("\r\n", "\n");
  }

  const PROGRAMS: Record<string, { readonly script: string; readonly args: readonly string[] }> = {
    "tsmakemap, of a source": { script: 'exec "$@" < "$SOURCE"', args: ["tsmakemap", "-C", "/dev/null", "hash", `out/m${ALL}`] },
    "tsmakemap -v": { script: 'exec "$@" < "$SOURCE"', args: ["tsmakemap", "-C", "/dev/null", "-v", "-e", "hash", `out/m${ALL}`] },
    "tsmakemap -u": { script: 'exec "$@"', args: ["tsmakemap", "-C", "/dev/null", "-u", "hash", NAME] },
    "tsmakemap, of a type": { script: 'exec "$@"', args: ["tsmakemap", "-C", "/dev/null", ALL, ALL] },
    "tsmakemap, of an option": { script: 'exec "$@"', args: ["tsmakemap", "--page-size", ALL, "hash", "x"] },
    "tsmakemap, of a letter": { script: 'exec "$@"', args: ["tsmakemap", `-\x1b${ALL}`, "hash", "x"] },
    "tsmakemap, of a folder": { script: 'exec "$@"', args: ["tsmakemap", "-C", `/no${ALL}`, "cf", `no${ALL}/x`] },
    "tsmakemap, with progress": {
      script: '(for i in 1 2 3 4 5 6; do echo k$i v; sleep 0.3; done) | "$@"',
      args: ["tsmakemap", "-C", "/dev/null", "--progress", "hash", `out/p${ALL.replaceAll("\n", "")}`],
    },
    tssasldblist: { script: 'exec "$@"', args: ["tssasldblist", "-f", `${NAME}2`] },
    "tssasldblist --json --sort": { script: 'exec "$@"', args: ["tssasldblist", "--json", "--sort", "-f", `${NAME}2`] },
    "tssasldblist, of no file": { script: 'exec "$@"', args: ["tssasldblist", `no${ALL}`] },
    "tssaslpasswd --json": { script: 'echo x | "$@"', args: ["tssaslpasswd", "--json", "-p", "-f", `out/s${ALL}`, "-u", ALL, `u${ALL}`] },
    "tssaslpasswd, of no file": { script: 'echo x | "$@"', args: ["tssaslpasswd", "-p", "-f", `no${ALL}/x`, `u${ALL}`] },
    "tssaslpasswd, of an option": { script: 'exec "$@"', args: ["tssaslpasswd", "--otp-seed", ALL, "u"] },
    "tssaslpasswd, of a password file": { script: 'exec "$@"', args: ["tssaslpasswd", "--password-file", `no${ALL}`, "u"] },
    "tssaslpasswd --rename-realm": { script: 'exec "$@"', args: ["tssaslpasswd", "-f", `${NAME}2`, "--rename-realm", ALL, `x${ALL}`] },
  };
  for (const [i, [title, { script, args: words }]] of Object.entries(PROGRAMS).entries()) {
    // A terminal and a process for each: in the ordinary run those of a source and of an option.
    if (!isFull && ![0, 13].includes(i)) continue;
    const [program = "", ...args] = words;
    test(`of ${title}`, async (t) => {
      if (!needs(t, ...TERMINAL_TOOLS)) return;
      const folder = fs.mkdtempSync(join(top, "programs-"));
      makeFiles(folder);
      fs.renameSync(join(folder, NAME), join(folder, "source"));
      const shown = await shownBy(t, folder, script.replace("$SOURCE", "source"), [launcherOf(program), ...args]);
      const text = title.includes("progress") ? shown.replaceAll(DRAWN, "") : shown;
      assert.equal(rawIn(text), undefined, printable(Buffer.from(text, "latin1").toString()));
      assert.match(shown, /\\x1b|\\u001b/);
    });
  }
});
