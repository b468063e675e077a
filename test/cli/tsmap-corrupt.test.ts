/**
 * Damaged files given to every command of tsmap: an exit code and one line that
 * names file and damage, or the right answer; soon, with little memory, and
 * nothing written.
 */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { MemoryFileSystem } from "berkeley-db-js";
import { DatabaseFile } from "#src/hash-file/database-file.js";
import { HashFileError } from "#src/hash-file/error.js";
import { sha256 } from "../support/bytes.ts";
import { corruptFixtures, databaseFixture } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { Mutator } from "../support/mutations.ts";
import type { Outcome } from "../support/program.ts";
import type { Cost } from "../support/report-cost.child.ts";
import { temporaryFolder } from "../support/temp.ts";
import { tsmap } from "../support/tsmap.ts";

/** Milliseconds of a processor for a command, over those that it takes to start. */
const MOST_TIME = 2000;
const START_UP = 1000;
const MOST_MEMORY = 200 * 10 ** 6;

const FILE = "damaged.db";
const OUT = "out.db";

/** What `tsmap` is asked about the file. */
interface Ask {
  readonly name: string;
  readonly args: readonly string[];
  /** Whether a file that reads from end to end is what 0 means, and one that does not must not get it. */
  readonly readsAll: boolean;
}

const ask = (name: string, ...args: readonly string[]): Ask => ({
  name,
  args: [name, ...args],
  readsAll: ["inspect", "list", "dump"].includes(name),
});

const ASKED: readonly Ask[] = [
  ask("inspect", FILE),
  ask("inspect", "--json", "--pages", FILE),
  ask("list", "--show-secrets", FILE),
  ask("list", "--json", "--sort", FILE),
  ask("get", FILE, "user0001@example.com"),
  ask("dump", "--show-secrets", FILE),
  ask("dump", "-p", "--show-secrets", FILE, "-o", OUT),
  ask("verify", FILE),
  ask("verify", "--json", FILE),
  ask("diff", FILE, "good.db"),
  ask("diff", "good.db", FILE),
  ask("convert", FILE, "-o", OUT, "--target", "aix"),
  ask("convert", FILE, "-o", FILE, "--type", "btree"),
  ask("scrub", FILE, "-o", OUT),
  ask("scrub", FILE),
  ask("lint", FILE),
  ask("resolve", "--server", "relay.example.com", FILE),
  ask("auth", "--authinfo", FILE, "--sasldb", "good.db", "--relay", "relay.example.com"),
];
/** Which reads the file with the engine. */
const ASK_RELAY = ask("auth", "--authinfo", "authinfo", "--sasldb", FILE, "--relay", "relay.example.com");

/** A command is enough of those that read a file in the same way, where there is no time for all of them. */
const ASKED_OF_EACH = isFull ? ASKED : ASKED.filter((_, i) => ![1, 3, 6, 8, 10, 12, 14].includes(i));

const folder = temporaryFolder({ after });
const costs: Cost[] = [];
let count = 0;

interface Subject {
  readonly title: string;
  readonly bytes: Uint8Array;
}

/** Why it cannot be read from end to end. */
function damageOf(bytes: Uint8Array): string | undefined {
  const fileSystem = new MemoryFileSystem();
  fileSystem.writeFile("db", bytes);
  try {
    new DatabaseFile(fileSystem.open("db", { write: false }, 0)).visitRecords(() => {});
    return undefined;
  } catch (error) {
    assert.ok(error instanceof HashFileError);
    return error.message;
  }
}

/** Runs a command in a folder with the file, and looks at everything that came of it. */
async function examine({ title, bytes }: Subject, { name, args, readsAll }: Ask): Promise<void> {
  const where = join(folder, String(count++));
  mkdirSync(where);
  const path = join(where, FILE);
  writeFileSync(path, bytes, { mode: 0o640 });
  copyFileSync(databaseFixture("v9-db5.3.28-le-map").path, join(where, "good.db"));
  writeFileSync(join(where, "authinfo"), 'AuthInfo:relay.example.com\t"U:user" "P:secret"\n', { mode: 0o600 });
  const before = statSync(path);
  const costFile = join(where, "cost");
  const outcome = await tsmap(args, {
    cwd: where,
    env: {
      COST_FILE: costFile,
      NODE_OPTIONS: `--import=${pathToFileURL(new URL("../support/report-cost.child.js", import.meta.url).pathname)}`,
    },
    timeout: 20_000,
  });
  const what = `${title}: tsmap ${args.join(" ")}: exit ${outcome.exit}, ${outcome.stderr}`;
  const cost = JSON.parse(readFileSync(costFile, "utf8")) as Cost;
  costs.push(cost);
  assert.ok(cost.time < MOST_TIME + START_UP, `${what}: ${cost.time} ms`);
  assert.ok(cost.memory < MOST_MEMORY, `${what}: ${cost.memory} bytes of memory`);

  const damage = damageOf(bytes);
  assertSaid(outcome, name, damage, what);
  if (readsAll) assert.equal(outcome.exit === 0, damage === undefined, what);

  const changes = outcome.exit === 0 && (args.includes("-o") || name === "scrub");
  const isOwnTarget = changes && (name === "scrub" || args.at(args.indexOf("-o") + 1) === FILE) && !args.includes(OUT);
  if (!isOwnTarget) {
    assert.equal(sha256(readFileSync(path)), sha256(bytes), `${what}: the file was changed`);
    const { mtimeMs, mode, ino } = statSync(path);
    assert.deepEqual({ mtimeMs, mode, ino }, { mtimeMs: before.mtimeMs, mode: before.mode, ino: before.ino }, what);
  }
  const left = readdirSync(where).filter((file) => ![FILE, "good.db", "authinfo", "cost"].includes(file));
  assert.deepEqual(left, changes && !isOwnTarget ? [OUT] : [], `${what}: left behind`);
  rmSync(where, { recursive: true });
}

function assertSaid({ exit, signal, stdout, stderr }: Outcome, name: string, damage: string | undefined, what: string): void {
  assert.equal(signal, null, `${what}: killed`);
  assert.ok(exit === 0 || exit === 1 || exit === 2, what);
  assert.doesNotMatch(stderr + stdout, /\n {4}at |node:internal|RangeError|TypeError|undefined is not/, what);
  if (exit === 2) {
    // Commander's own complaints would be of another form: the test would ask for what is not there.
    assert.match(stderr, /^tsmap: [^\n]+\n$/, what);
    assert.match(stderr, new RegExp(`^tsmap: (${FILE}|${OUT}|good\\.db): \\S`), what);
  }
  if (damage === undefined) return;
  // It cannot be read: nobody takes it for good, or for one without the key.
  assert.notEqual(exit, 0, what);
  if (exit === 2) assert.ok(stderr.includes(damage) || /damaged/.test(stderr), `${what}: not ${damage}`);
  else assert.match(name, /^(inspect|verify)$/, what);
  if (name === "verify") assert.ok(exit === 1 ? stdout.includes(FILE) : exit === 2 && stderr.includes("not a Berkeley DB file"), what);
}

/** Two at a time. */
async function examineAll(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) await task();
  };
  await Promise.all([work(), work()]);
}

describe("fixtures/corrupt", () => {
  for (const { name, path, broken } of corruptFixtures()) {
    it(`${name}: ${broken}`, async () => {
      const subject = { title: name, bytes: new Uint8Array(readFileSync(path)) };
      assert.notEqual(damageOf(subject.bytes), undefined);
      await examineAll(ASKED_OF_EACH.map((asked) => () => examine(subject, asked)));
    });
  }
});

it("fixtures/corrupt as the SASL database of a relay", async () => {
  const subjects = corruptFixtures().map(({ name, path }) => ({ title: name, bytes: new Uint8Array(readFileSync(path)) }));
  await examineAll(subjects.map((subject) => () => examine(subject, ASK_RELAY)));
});

describe("mutations of good files", () => {
  const FIRST = 700_000;
  const SUBJECTS = 40;
  const EACH = isFull ? ASKED.length : 2;

  it(`${SUBJECTS} of them, ${EACH} commands each`, async () => {
    const mutator = new Mutator();
    const subjects = Array.from({ length: SUBJECTS }, (_, i) => mutator.make(FIRST + i));
    await examineAll(
      subjects.flatMap(({ what, bytes }, i) =>
        Array.from({ length: EACH }, (_, k) => () => examine({ title: what, bytes }, ASKED[(i * EACH + k) % ASKED.length] as Ask)),
      ),
    );
    const read = subjects.filter(({ bytes }) => damageOf(bytes) === undefined).length;
    assert.ok(read > 5 && read < SUBJECTS - 5, `${read} can be read`);
  });
});
