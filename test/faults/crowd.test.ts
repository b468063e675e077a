/**
 * Many processes that write one SASL database, and many that read it, for a
 * while: nothing that was acknowledged is lost, and nobody who reads finds an
 * error, half a file, or an older password than was acknowledged before.
 *
 * `npm run stress` has 50 of them write and 20 read for a minute.
 */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSasldb } from "tsmakemap";
import { type CrowdAnswer, type CrowdTask, passwordOf, REALM, sequenceOf } from "../support/crowd.ts";
import { isFull, stressSeconds } from "../support/full.ts";
import { type NativeTool, nativePath, needs } from "../support/native.ts";
import { assertVerified, dump } from "../support/native-db.ts";
import { launcherOf, type Outcome, run } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const SECONDS = stressSeconds ?? (isFull ? 10 : 2);
const CROWD = stressSeconds !== undefined || isFull ? { writers: 50, readers: 20 } : { writers: 8, readers: 6 };

const USER_PASSWORD = "userPassword";

/** What was acknowledged, and what was seen. */
class Ledger {
  /** The number of the last password of each user. */
  readonly written = new Map<string, number>();
  /** Writes and reads by who made them. */
  readonly counts = new Map<string, number>();
  readonly failures: string[] = [];
  longestWrite = 0;

  wrote(who: string, user: string, sequence: number, took: number): void {
    this.written.set(user, sequence);
    this.longestWrite = Math.max(this.longestWrite, took);
    this.#count(`writes by ${who}`);
  }

  /** @param floor what was acknowledged before the reader began. */
  read(who: string, floor: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): void {
    for (const [user, sequence] of floor) {
      const seen = found.get(user);
      if (seen === undefined) this.fail(who, `${user} is gone`);
      else if (!(seen >= sequence)) this.fail(who, `${user}: password ${seen}, after ${sequence} was acknowledged`);
    }
    this.#count(`reads by ${who}`);
  }

  fail(who: string, what: string): void {
    this.failures.push(`${who}: ${what}`);
  }

  total(kind: "writes" | "reads"): number {
    return [...this.counts].reduce((sum, [what, count]) => sum + (what.startsWith(kind) ? count : 0), 0);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

interface Crowd {
  readonly t: TestContext;
  readonly folder: string;
  readonly ledger: Ledger;
  readonly isOver: () => boolean;
}

/** A process of the library's. */
function member({ t, folder }: Crowd, role: "writer" | "reader", users: readonly string[] = []): ChildProcess {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = fork(fileURLToPath(new URL("../support/crowd.child.js", import.meta.url)), [role, join(folder, "db"), ...users], { env });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

async function libraryWriter(crowd: Crowd, users: readonly string[]): Promise<void> {
  const child = member(crowd, "writer", users);
  child.on("message", (answer: CrowdAnswer) => {
    if (answer.kind === "written") crowd.ledger.wrote("the library", answer.user, answer.sequence, answer.took);
    else if (answer.kind === "failed") crowd.ledger.fail("a writer of the library", answer.message);
  });
  const exited = once(child, "exit");
  await until(crowd.isOver);
  child.send("stop" satisfies CrowdTask);
  const [code] = await exited;
  if (code !== 0) crowd.ledger.fail("a writer of the library", `exit ${code}`);
}

async function libraryReader(crowd: Crowd): Promise<void> {
  const child = member(crowd, "reader");
  const exited = once(child, "exit");
  while (!crowd.isOver()) {
    const floor = new Map(crowd.ledger.written);
    child.send("read" satisfies CrowdTask);
    const [answer] = (await once(child, "message")) as [CrowdAnswer];
    if (answer.kind === "read") crowd.ledger.read("the library", floor, new Map(answer.found));
    else crowd.ledger.fail("a reader of the library", JSON.stringify(answer));
  }
  child.send("stop" satisfies CrowdTask);
  await exited;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** One process of tssaslpasswd after the other. */
async function programWriter({ folder, ledger, isOver }: Crowd, user: string): Promise<void> {
  for (let sequence = 1; !isOver(); sequence++) {
    const start = performance.now();
    const args = ["-p", "-f", "db", "-u", REALM, "--hostname", REALM, user];
    const { exit, stderr } = await run(process.execPath, [launcherOf("tssaslpasswd"), ...args], {
      cwd: folder,
      input: passwordOf(user, sequence),
      env: { SASL_CONF_PATH: folder },
      timeout: 120_000,
    });
    // Whoever waits for longer than a second says so.
    if (exit === 0 && /^(tssaslpasswd: waiting for .*\n)?$/.test(stderr))
      ledger.wrote("tssaslpasswd", user, sequence, performance.now() - start);
    else ledger.fail("tssaslpasswd", `exit ${exit}: ${stderr}`);
  }
}

/** One process of a program after the other, which lists users without passwords, or dumps all. */
async function programReader(
  crowd: Crowd,
  who: string,
  start: () => Promise<Outcome>,
  usersOf: (stdout: string) => Map<string, number>,
): Promise<void> {
  const { ledger, isOver } = crowd;
  while (!isOver()) {
    const floor = new Map(ledger.written);
    const { exit, stdout, stderr } = await start();
    if (exit !== 0 || stderr !== "") ledger.fail(who, `exit ${exit}: ${stderr}`);
    else ledger.read(who, floor, usersOf(stdout));
  }
}

/** "user@realm: property" lines: of the password it is not known which it is. */
function listedUsers(stdout: string): Map<string, number> {
  const lines = stdout.split("\n").filter((line) => line.endsWith(`: ${USER_PASSWORD}`));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf("@")), Number.POSITIVE_INFINITY]));
}

/** Of db5.3_dump -p: a line for the key, with NULs as \00, and one for the data. */
function dumpedUsers(stdout: string): Map<string, number> {
  const found = new Map<string, number>();
  const lines = stdout.split("\n");
  for (const [i, line] of lines.entries()) {
    const [user = "", , property] = line.slice(1).split("\\00");
    if (property === USER_PASSWORD) found.set(user, sequenceOf(user, (lines[i + 1] ?? "").slice(1)));
  }
  return found;
}

test(`${CROWD.writers} processes write one database and ${CROWD.readers} read it for ${SECONDS} s: nothing is lost, and nobody reads half`, {
  timeout: 240_000,
}, async (t) => {
  if (!needs(t, "sasldblistusers2", "db5.3_verify", "db5.3_dump")) return;
  const folder = temporaryFolder(t);
  const file = join(folder, "db");
  const ledger = new Ledger();
  let isOver = false;
  const crowd: Crowd = { t, folder, ledger, isOver: () => isOver };
  const native = (tool: NativeTool, ...args: string[]): Promise<Outcome> => run(nativePath(tool), args, { cwd: folder });
  const first = await run(process.execPath, [launcherOf("tssaslpasswd"), "-p", "-f", "db", "-u", REALM, "kept"], {
    cwd: folder,
    input: passwordOf("kept", 1),
    env: { SASL_CONF_PATH: folder },
  });
  assert.equal(first.exit, 0, first.stderr);
  ledger.wrote("tssaslpasswd", "kept", 1, 0);

  const READERS: readonly (() => Promise<void>)[] = [
    () => libraryReader(crowd),
    () =>
      programReader(
        crowd,
        "tssasldblist",
        () => run(process.execPath, [launcherOf("tssasldblist"), "-f", "db"], { cwd: folder, env: { SASL_CONF_PATH: folder } }),
        listedUsers,
      ),
    () => libraryReader(crowd),
    () => programReader(crowd, "sasldblistusers2", () => native("sasldblistusers2", "-f", "db"), listedUsers),
    () => programReader(crowd, "db5.3_dump", () => native("db5.3_dump", "-p", "db"), dumpedUsers),
    () =>
      programReader(
        crowd,
        "db5.3_verify",
        () => native("db5.3_verify", "-q", "db"),
        () => new Map(ledger.written),
      ),
  ];
  const work = [
    ...Array.from({ length: CROWD.writers }, (_, i) =>
      i % 2 === 0 ? libraryWriter(crowd, [`library${i}a`, `library${i}b`]) : programWriter(crowd, `program${i}`),
    ),
    ...Array.from({ length: CROWD.readers }, (_, i) => (READERS[i % READERS.length] as () => Promise<void>)()),
  ];
  setTimeout(() => {
    isOver = true;
  }, SECONDS * 1000);
  await Promise.all(work);

  assert.deepEqual(ledger.failures, []);
  assert.deepEqual(readdirSync(folder), ["db"]);
  assertVerified([file]);
  using database = openSasldb(file);
  const found = database
    .users()
    .map(({ user }): [string, string] => [user, Buffer.from(database.get(user, REALM, USER_PASSWORD) ?? []).toString()]);
  const wanted = [...ledger.written].map(([user, sequence]): [string, string] => [user, passwordOf(user, sequence)]);
  assert.deepEqual(new Map(found.sort()), new Map(wanted.sort()));
  // Two for each user.
  assert.equal(dump(file).length, 2 * found.length);
  assert.ok(found.length > CROWD.writers, "not every writer had its turn");
  for (const [what, count] of ledger.counts) t.diagnostic(`${count} ${what}`);
  t.diagnostic(
    `${ledger.total("writes")} writes and ${ledger.total("reads")} reads in ${SECONDS} s, none of which failed; the longest write took ${(ledger.longestWrite / 1000).toFixed(1)} s`,
  );
});
