/**
 * tssaslpasswd on a terminal: what is asked and shown, what of a line is taken,
 * and that the terminal is left as it was, however the run ends.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Database } from "berkeley-db-js";
import { rootFolder } from "../support/fixtures.ts";
import { needs } from "../support/native.ts";
import { temporaryFolder } from "../support/temp.ts";
import { TERMINAL_TOOLS, Terminal, type TerminalEnd, type TerminalOptions } from "../support/terminal.ts";

const FIRST = "Password: ";
const AGAIN = "Again (for verification): ";
/** Both prompts, each with the newline that the terminal echoes. */
const BOTH = `${FIRST}\r\n${AGAIN}\r\n`;

/** With one more for each: a line of 2048 bytes is read without its newline, by the original at least. */
const BOTH_LONG = `${FIRST}\r\n\r\n${AGAIN}\r\n\r\n`;

const MISMATCH = "tssaslpasswd: passwords don't match; aborting\r\n";
const INVALID = "tssaslpasswd: invalid parameter supplied\r\n";
const TOO_LONG = "tssaslpasswd: the password is longer than 2048 bytes, at which it would be cut: choose a shorter one\r\n";
const NOT_UTF8 =
  "tssaslpasswd: warning: the password is no UTF-8: it is kept, and clients that prepare passwords (SASLprep) cannot use it\r\n";

const SUCCESS: TerminalEnd = { exit: 0, signal: null, dumpedCore: false };
const REFUSED: TerminalEnd = { ...SUCCESS, exit: 7 };

const INTERRUPT = "\x03";
const END_OF_FILE = "\x04";
const STOP = "\x1a";
const QUIT = "\x1c";
const ERASE = "\x7f";

const KEY = Buffer.from("alice\0example.com\0userPassword");
const PROGRAM = [process.execPath, `${rootFolder}bin/tssaslpasswd.js`, "-f", "db", "-u", "example.com", "--mechanisms", "none"];
const COMMAND = [...PROGRAM, "alice"];

interface Session {
  readonly terminal: Terminal;
  readonly folder: string;
}

interface SessionOptions extends TerminalOptions {
  readonly command?: readonly string[];
  /** Whether there is a database. */
  readonly exists?: boolean;
}

/** tssaslpasswd, or another command, in a terminal and in a folder of its own. */
async function start(t: TestContext, { command = COMMAND, exists = false, ...options }: SessionOptions = {}): Promise<Session> {
  const folder = temporaryFolder(t);
  if (exists) {
    const path = join(folder, "db");
    const database = Database.open(path, { create: true, type: "hash" });
    database.put(KEY, Buffer.from("old"));
    database.close();
    utimesSync(path, 1_000_000_000, 1_000_000_000);
  }
  // A folder without configuration files.
  const env = { SASL_CONF_PATH: folder, ...options.env };
  return { terminal: await Terminal.start(t, command, { ...options, cwd: folder, env }), folder };
}

/** Types each answer when its prompt is there. */
async function answer(terminal: Terminal, first: string | Uint8Array, again: string | Uint8Array = first): Promise<void> {
  await terminal.waitFor(FIRST);
  await terminal.type(first);
  await terminal.waitFor(AGAIN);
  await terminal.type(again);
}

/** It ended so, and the terminal is as before. */
async function assertEnd(terminal: Terminal, expected: TerminalEnd): Promise<void> {
  assert.deepEqual(await terminal.end(), expected);
  assert.equal(terminal.settings(), terminal.settingsBefore);
}

function isAsking(terminal: Terminal): boolean {
  const flags = terminal.flags();
  return ["-echo", "echonl", "icanon", "isig"].every((flag) => flags.includes(flag));
}

function readPassword(folder: string): Buffer {
  const database = Database.open(new Uint8Array(readFileSync(join(folder, "db"))), { readOnly: true });
  try {
    return Buffer.from(database.get(KEY) ?? assert.fail("no password"));
  } finally {
    database.close();
  }
}

/** What is in the folder, to the byte. */
function contents(folder: string): unknown {
  return readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return [name, statSync(path).mtimeMs, readFileSync(path).toString("hex")];
  });
}

const PARALLEL = { concurrency: 2 };

function terminalTest(name: string, action: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    if (needs(t, ...TERMINAL_TOOLS)) await action(t);
  });
}

suite("what is asked and shown", PARALLEL, () => {
  terminalTest("two prompts without echo, and nothing of the password", async (t) => {
    const { terminal, folder } = await start(t);
    for (const prompt of [FIRST, AGAIN]) {
      await terminal.waitFor(prompt);
      assert.ok(isAsking(terminal), terminal.flags().join(" "));
      await terminal.type("secret\n");
    }
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, BOTH);
    assert.equal(readPassword(folder).toString(), "secret");
  });

  terminalTest("settings that are nobody's default are kept", async (t) => {
    const { terminal, folder } = await start(t, { settings: "erase ^H kill ^Y intr ^P -ixon -echoctl -echoe ocrnl tab3 echonl" });
    await answer(terminal, "junk\x19secrex\x08t\n");
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, BOTH);
    assert.equal(readPassword(folder).toString(), "secret");
  });

  terminalTest("a terminal that has its echo off keeps it off", async (t) => {
    const { terminal } = await start(t, { settings: "-echo" });
    await answer(terminal, "secret\n");
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, BOTH);
  });

  terminalTest("a raw terminal is a line at a time while it asks", async (t) => {
    const { terminal, folder } = await start(t, { settings: "-icanon min 1 time 0" });
    await answer(terminal, "secret\n");
    await assertEnd(terminal, SUCCESS);
    assert.equal(readPassword(folder).toString(), "secret");
  });

  terminalTest("passwords that do not match", async (t) => {
    const { terminal, folder } = await start(t, { exists: true });
    const before = contents(folder);
    await answer(terminal, "secret\n", "secreT\n");
    await assertEnd(terminal, REFUSED);
    assert.equal(terminal.shown, BOTH + MISMATCH);
    assert.deepEqual(contents(folder), before);
  });

  terminalTest("the first is the beginning of the second", async (t) => {
    const { terminal, folder } = await start(t);
    await answer(terminal, "secret\n", "secret2\n");
    await assertEnd(terminal, REFUSED);
    assert.equal(terminal.shown, BOTH + MISMATCH);
    assert.deepEqual(contents(folder), []);
  });

  for (const exists of [true, false]) {
    terminalTest(`empty lines, ${exists ? "with" : "without"} a database`, async (t) => {
      const { terminal, folder } = await start(t, { exists });
      const before = contents(folder);
      await answer(terminal, "\n");
      await assertEnd(terminal, REFUSED);
      assert.equal(terminal.shown, BOTH + INVALID);
      assert.deepEqual(contents(folder), before);
    });
  }

  terminalTest("-p: one line, no prompt, and the echo stays on", async (t) => {
    const { terminal, folder } = await start(t, { command: [...PROGRAM, "-p", "alice"] });
    // When it reads cannot be seen; the line waits for it.
    await sleep(300);
    assert.equal(terminal.settings(), terminal.settingsBefore);
    assert.equal(terminal.shown, "");
    await terminal.type("secret\n");
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, "secret\r\n");
    assert.equal(readPassword(folder).toString(), "secret");
  });

  terminalTest("-p, ^C", async (t) => {
    const { terminal, folder } = await start(t, { command: [...PROGRAM, "-p", "alice"] });
    await sleep(300);
    await terminal.type("some");
    // The ^C drops what is not shown yet.
    await terminal.waitFor("some");
    await terminal.type(INTERRUPT);
    await assertEnd(terminal, { exit: null, signal: "SIGINT", dumpedCore: false });
    assert.equal(terminal.shown, "some^C");
    assert.deepEqual(contents(folder), []);
  });

  terminalTest("-d: no prompt", async (t) => {
    const { terminal, folder } = await start(t, { command: [...PROGRAM, "-d", "alice"], exists: true });
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, "");
    assert.throws(() => readPassword(folder), /no password/);
  });

  terminalTest("standard output is a file: the prompts go there", async (t) => {
    const { terminal, folder } = await start(t, { command: ["sh", "-c", 'exec "$@" >out', "sh", ...COMMAND] });
    const shownIn = (): string => (readdirSync(folder).includes("out") ? readFileSync(join(folder, "out"), "latin1") : "");
    await terminal.until(() => shownIn() === FIRST, "the first prompt");
    assert.ok(isAsking(terminal), terminal.flags().join(" "));
    await terminal.type("secret\n");
    await terminal.until(() => shownIn() === FIRST + AGAIN, "the second prompt");
    await terminal.type("secret\n");
    await assertEnd(terminal, SUCCESS);
    assert.equal(shownIn(), FIRST + AGAIN);
    assert.equal(terminal.shown, "\r\n\r\n");
    assert.equal(readPassword(folder).toString(), "secret");
  });

  terminalTest("without stty nothing is asked", async (t) => {
    const { terminal, folder } = await start(t, { env: { PATH: "/nonexistent" } });
    await assertEnd(terminal, REFUSED);
    assert.ok(!terminal.shown.includes(FIRST), terminal.shown);
    assert.match(terminal.shown, /^tssaslpasswd: stty cannot turn off the echo .*ENOENT/);
    assert.deepEqual(contents(folder), []);
  });
});

suite("what of a line is taken", PARALLEL, () => {
  for (const [name, typed, stored] of [
    ["backspace", `secrex${ERASE}t\n`, "secret"],
    ["^U", "junk\x15secret\n", "secret"],
    ["^W", "secret junk\x17\n", "secret "],
    ["^V, which takes the next key as it is", "a\x16\x03b\n", "a\x03b"],
    ["blanks", " se cret \n", " se cret "],
    ["a carriage return is a newline", "secret\r", "secret"],
  ] as const) {
    terminalTest(name, async (t) => {
      const { terminal, folder } = await start(t);
      await answer(terminal, typed);
      await assertEnd(terminal, SUCCESS);
      assert.ok(terminal.shown.startsWith(FIRST));
      assert.equal(terminal.shown.replace(/tssaslpasswd: warning: .*\r\n$/, ""), BOTH);
      assert.equal(readPassword(folder).toString(), stored);
    });
  }

  terminalTest("2048 bytes", async (t) => {
    const { terminal, folder } = await start(t);
    await answer(terminal, `${"x".repeat(2048)}\n`);
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, BOTH_LONG);
    assert.equal(readPassword(folder).toString(), "x".repeat(2048));
  });

  for (const [name, bytes, warning] of [
    ["UTF-8", Buffer.from("Grüße"), ""],
    ["UTF-8 on a terminal for UTF-8, with a character erased", Buffer.from(`Grüß${ERASE}ße`), ""],
    ["bytes that are no UTF-8", Buffer.from("Gr\xfc\xdfe\xff\x80", "latin1"), NOT_UTF8],
  ] as const) {
    terminalTest(name, async (t) => {
      const { terminal, folder } = await start(t, { settings: "iutf8" });
      await answer(terminal, Buffer.concat([bytes, Buffer.from("\n")]));
      await assertEnd(terminal, SUCCESS);
      assert.equal(terminal.shown, BOTH + warning);
      assert.deepEqual(readPassword(folder), Buffer.from(bytes.toString("latin1").replace(/Ã\x9f\x7f/, ""), "latin1"));
    });
  }

  terminalTest("^D at once at both prompts", async (t) => {
    const { terminal, folder } = await start(t);
    await answer(terminal, END_OF_FILE);
    await assertEnd(terminal, REFUSED);
    assert.equal(terminal.shown, FIRST + AGAIN + INVALID);
    assert.deepEqual(contents(folder), []);
  });

  terminalTest("^D at once at the first prompt, a password at the second", async (t) => {
    const { terminal, folder } = await start(t);
    await answer(terminal, END_OF_FILE, "secret\n");
    await assertEnd(terminal, REFUSED);
    assert.equal(terminal.shown, `${FIRST}${AGAIN}\r\n${MISMATCH}`);
    assert.deepEqual(contents(folder), []);
  });

  terminalTest("^D after text ends the line", async (t) => {
    const { terminal, folder } = await start(t);
    await answer(terminal, `secret${END_OF_FILE}`);
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, BOTH);
    assert.equal(readPassword(folder).toString(), "secret");
  });

  terminalTest("^D after text at the first prompt alone", async (t) => {
    const { terminal, folder } = await start(t);
    await answer(terminal, `secret${END_OF_FILE}`, "secret\n");
    await assertEnd(terminal, SUCCESS);
    assert.equal(terminal.shown, BOTH);
    assert.equal(readPassword(folder).toString(), "secret");
  });

  terminalTest("^D after text at the second prompt: the message has a line of its own", async (t) => {
    const { terminal } = await start(t);
    await answer(terminal, "secret\n", `other${END_OF_FILE}`);
    await assertEnd(terminal, REFUSED);
    assert.equal(terminal.shown, BOTH + MISMATCH);
  });

  terminalTest("^D twice after text: the second answers the second prompt", async (t) => {
    const { terminal, folder } = await start(t);
    await terminal.waitFor(FIRST);
    await terminal.type(`secret${END_OF_FILE}${END_OF_FILE}`);
    await assertEnd(terminal, REFUSED);
    assert.equal(terminal.shown, `${FIRST}\r\n${AGAIN}${MISMATCH}`);
    assert.deepEqual(contents(folder), []);
  });

  // A terminal keeps 4095 bytes of a line.
  for (const length of [2049, 2050, 2051, 4095, 5000]) {
    terminalTest(`a line of ${length} bytes is refused`, async (t) => {
      const { terminal, folder } = await start(t, { exists: true });
      const before = contents(folder);
      await answer(terminal, `${"x".repeat(length)}\n`);
      await assertEnd(terminal, REFUSED);
      assert.equal(terminal.shown, BOTH_LONG + TOO_LONG + INVALID);
      assert.deepEqual(contents(folder), before);
    });
  }
});

suite("signals", PARALLEL, () => {
  const ways = [
    ["^C", "SIGINT", (terminal: Terminal) => terminal.type(INTERRUPT)],
    ["^\\", "SIGINT", (terminal: Terminal) => terminal.type(QUIT)],
    ["SIGINT", "SIGINT", (terminal: Terminal) => terminal.signal("SIGINT")],
    ["SIGTERM", "SIGTERM", (terminal: Terminal) => terminal.signal("SIGTERM")],
    ["SIGHUP", "SIGHUP", (terminal: Terminal) => terminal.signal("SIGHUP")],
  ] as const;
  for (const [name, signal, send] of ways) {
    for (const prompt of [FIRST, AGAIN]) {
      for (const typed of ["", "some"]) {
        terminalTest(`${name} at "${prompt}"${typed === "" ? "" : " after some characters"}`, async (t) => {
          // Else there would be no core to see.
          const command = ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", ...COMMAND];
          const { terminal, folder } = await start(t, { command, exists: typed !== "" });
          const before = contents(folder);
          await terminal.waitFor(FIRST);
          if (prompt === AGAIN) {
            await terminal.type("secret\n");
            await terminal.waitFor(AGAIN);
          }
          assert.ok(isAsking(terminal), terminal.flags().join(" "));
          if (typed !== "") await terminal.type(typed);
          // The system hands on what is typed in its own time; later it would meet an echo that is on again.
          if (typed !== "") await sleep(50);
          await send(terminal);
          await assertEnd(terminal, { exit: null, signal, dumpedCore: false });
          assert.equal(terminal.shown, prompt === FIRST ? FIRST : `${FIRST}\r\n${AGAIN}`);
          assert.deepEqual(contents(folder), before);
        });
      }
    }
  }

  for (const prompt of [FIRST, AGAIN]) {
    terminalTest(`the terminal goes away at "${prompt}"`, async (t) => {
      const errors = 'exec "$@" 2>errors';
      const { terminal, folder } = await start(t, { command: ["sh", "-c", errors, "sh", ...COMMAND] });
      await terminal.waitFor(FIRST);
      if (prompt === AGAIN) {
        await terminal.type("secret\n");
        await terminal.waitFor(AGAIN);
      }
      await terminal.hangUp();
      assert.deepEqual(await terminal.end(), { exit: null, signal: "SIGHUP", dumpedCore: false });
      assert.deepEqual(readdirSync(folder), ["errors"]);
      assert.doesNotMatch(readFileSync(join(folder, "errors"), "utf8"), /Assertion|Error|^ +at /m);
    });
  }

  for (const prompt of [FIRST, AGAIN]) {
    terminalTest(`^Z at "${prompt}", and SIGCONT: the echo is off again`, async (t) => {
      const { terminal, folder } = await start(t);
      await terminal.waitFor(FIRST);
      if (prompt === AGAIN) {
        await terminal.type("secret\n");
        await terminal.waitFor(AGAIN);
      }
      for (const stops of [1, 2]) {
        await terminal.type(`junk${STOP}`);
        await terminal.until(() => terminal.stops === stops, "the stop");
        terminal.set(terminal.settingsBefore);
        terminal.continue();
        await terminal.until(() => isAsking(terminal), "the echo to be off");
      }
      await terminal.type("secret\n");
      if (prompt === FIRST) {
        await terminal.waitFor(AGAIN);
        await terminal.type("secret\n");
      }
      await assertEnd(terminal, SUCCESS);
      assert.equal(terminal.shown, BOTH);
      assert.equal(readPassword(folder).toString(), "secret");
    });
  }

  terminalTest("^Z, SIGCONT and ^C: the settings of before, not those of the stop", async (t) => {
    const { terminal, folder } = await start(t);
    await terminal.waitFor(FIRST);
    await terminal.type(STOP);
    await terminal.until(() => terminal.stops === 1, "the stop");
    terminal.set(terminal.settingsBefore);
    terminal.continue();
    await terminal.until(() => isAsking(terminal), "the echo to be off");
    await terminal.type(INTERRUPT);
    await assertEnd(terminal, { exit: null, signal: "SIGINT", dumpedCore: false });
    assert.deepEqual(contents(folder), []);
  });
});

suite("in a shell", PARALLEL, () => {
  const PROMPT = "shell> ";
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const shellEnvironment = (args: readonly string[]): NodeJS.ProcessEnv => ({ PS1: PROMPT, ENV: "", RUN: args.map(quote).join(" ") });
  const bash = ["bash", "--norc", "--noprofile", "-i"];

  async function startShell(t: TestContext, command: readonly string[], args: readonly string[] = COMMAND): Promise<Session> {
    const session = await start(t, { command, env: shellEnvironment(args) });
    await session.terminal.waitFor(PROMPT);
    await session.terminal.type('eval "$RUN"\n');
    return session;
  }

  /** The shell has its prompt; it ends, with the exit code of what it ran last. */
  async function leave(terminal: Terminal, exit: number): Promise<void> {
    await terminal.waitFor(PROMPT);
    await terminal.type("exit\n");
    await assertEnd(terminal, { ...SUCCESS, exit });
  }

  function shellTest(name: string, action: (t: TestContext) => Promise<void>): void {
    terminalTest(name, async (t) => {
      if (needs(t, "bash")) await action(t);
    });
  }

  shellTest("^C: 130", async (t) => {
    const { terminal } = await startShell(t, bash);
    await terminal.waitFor(FIRST);
    await terminal.type(`some${INTERRUPT}`);
    await leave(terminal, 130);
  });

  shellTest("^Z and fg", async (t) => {
    const { terminal, folder } = await startShell(t, bash);
    await terminal.waitFor(FIRST);
    await terminal.type(`junk${STOP}`);
    await terminal.waitFor("Stopped");
    await terminal.waitFor(PROMPT);
    await terminal.type("fg\n");
    await terminal.until(() => isAsking(terminal), "the echo to be off");
    await terminal.type("secret\n");
    await terminal.waitFor(AGAIN);
    assert.ok(isAsking(terminal), terminal.flags().join(" "));
    await terminal.type("secret\n");
    await leave(terminal, 0);
    assert.equal(readPassword(folder).toString(), "secret");
    assert.ok(!terminal.shown.includes("secret"), terminal.shown);
  });

  shellTest("^Z, bg and fg: in the background it leaves the terminal to the shell", async (t) => {
    const { terminal, folder } = await startShell(t, bash);
    await terminal.waitFor(FIRST);
    await terminal.type(STOP);
    await terminal.waitFor("Stopped");
    await terminal.waitFor(PROMPT);
    await terminal.type("bg\n");
    await terminal.waitFor(PROMPT);
    await terminal.type("sleep 0.5; stty -a >settings; echo looked\n");
    await terminal.waitFor("\nlooked");
    assert.match(readFileSync(join(folder, "settings"), "latin1"), / echo .* -echonl /);
    await terminal.waitFor(PROMPT);
    await terminal.type("fg\n");
    await terminal.until(() => isAsking(terminal), "the echo to be off");
    await answerBoth(terminal);
    await leave(terminal, 0);
    assert.equal(readPassword(folder).toString(), "secret");
  });

  async function answerBoth(terminal: Terminal): Promise<void> {
    await terminal.type("secret\n");
    await terminal.waitFor(AGAIN);
    await terminal.type("secret\n");
  }

  // Woken in the background, its read may stop it again before it comes to the SIGTERM.
  shellTest("^Z and kill: it has ended, at the latest in the foreground", async (t) => {
    const { terminal, folder } = await startShell(t, bash);
    await terminal.waitFor(FIRST);
    await terminal.type(STOP);
    await terminal.waitFor("Stopped");
    await terminal.waitFor(PROMPT);
    await terminal.type("kill %1; sleep 0.3; fg\n");
    await terminal.waitFor(PROMPT);
    await terminal.type("stty -a >settings; jobs >jobs; exit 0\n");
    await assertEnd(terminal, SUCCESS);
    assert.match(readFileSync(join(folder, "settings"), "latin1"), / echo .* -echonl /);
    assert.doesNotMatch(readFileSync(join(folder, "jobs"), "latin1"), /Stopped|Running/);
    assert.deepEqual(readdirSync(folder).sort(), ["jobs", "settings"]);
  });

  const COMMAND_LINE = `${"x".repeat(3000)}; touch ran\n`;
  for (const [name, command] of [
    ["sh", ["sh", "-i"]],
    ["bash", bash],
  ] as const) {
    shellTest(`${name}: nothing of a line that is too long is run`, async (t) => {
      const { terminal, folder } = await startShell(t, command);
      await answer(terminal, COMMAND_LINE);
      await terminal.waitFor(TOO_LONG + INVALID);
      await leave(terminal, 7);
      assert.deepEqual(readdirSync(folder), []);
    });

    shellTest(`${name}: nothing of a line that is too long is run after -p`, async (t) => {
      const { terminal, folder } = await startShell(t, command, [...PROGRAM, "-p", "alice"]);
      await sleep(600);
      await terminal.type(COMMAND_LINE);
      await terminal.waitFor(TOO_LONG + INVALID);
      await leave(terminal, 7);
      assert.deepEqual(readdirSync(folder), []);
    });
  }
});
