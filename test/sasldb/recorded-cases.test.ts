/**
 * Every recorded run of saslpasswd2 and sasldblistusers2, by tssaslpasswd and
 * tssasldblist: the same exit code, output, records and files, or a difference
 * that docs/compatibility.md gives a reason for and that stands in
 * divergences.ts. And the same cases by the programs that are installed here,
 * side by side.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { rootFolder } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { needs, runNative } from "../support/native.ts";
import { maskDatabase } from "../support/page-mask.ts";
import { isRoot, whyNoOrdinaryUser } from "../support/program.ts";
import {
  comparable,
  expectedOf,
  keyBytes,
  LAUNCHERS,
  load,
  native,
  type Observed,
  ours,
  type Program,
  readCases,
  type SaslCase,
  SaslFolder,
  valueBytes,
  whyNotNative,
  withSeedPrefix,
} from "../support/sasl-cases.ts";
import { temporaryFolder } from "../support/temp.ts";
import { DIVERGENCES } from "./divergences.ts";

const standing = readCases("sasl");
/** Of those that were recorded here every third is enough in the ordinary run. */
const cases = [...standing, ...readCases("sasl-more").filter((_, i) => isFull || i % 5 === 0)];

/** Node starts for each: two at a time keep two cores busy. */
const concurrency = 2;

const folder = new SaslFolder(temporaryFolder({ after }));

/** The one that reads what the machine has for its own. */
const READS_DEFAULT = "l21-emptyf";
const DEFAULT_DATABASE = "/etc/sasldb2";

/** Why a case cannot be run here. */
async function whyNot(recorded: SaslCase): Promise<string | undefined> {
  if (recorded.context.run_as === "unprivileged") {
    if (!isRoot) return "needs root: another user runs it";
    const reason = await whyNoOrdinaryUser();
    if (reason !== undefined) return reason;
  }
  if (recorded.id === READS_DEFAULT && statSync(DEFAULT_DATABASE, { throwIfNoEntry: false })?.size !== 12288)
    return `needs an empty ${DEFAULT_DATABASE}`;
  return undefined;
}

function whyNotOurs({ program }: SaslCase): string | undefined {
  const launcher = LAUNCHERS[program];
  if (launcher === undefined) return `${program}: there is no such program of ours`;
  return existsSync(launcher) ? undefined : `${launcher} is not there`;
}

function assertSame(observed: Observed, expected: Observed, program: Program): void {
  assert.deepEqual(comparable(observed, expected, program), expected);
}

function withChanged(observed: Observed, changed: Readonly<Record<string, string | null>>): Observed {
  if (!Array.isArray(observed.records)) return observed;
  const records = observed.records.flatMap(([key, value]): [string, string][] => {
    const [user, realm, property = ""] = Buffer.from(key, "hex").toString().split("\0");
    const other = user === "alice" && realm === "mail.example.com" ? changed[property] : undefined;
    if (other === null) return [];
    return [[key, other === undefined ? value : Buffer.from(other).toString("hex")]];
  });
  return { ...observed, records };
}

suite("recorded cases", { concurrency }, () => {
  for (const recorded of cases) {
    test(recorded.id, async (t) => {
      const reason = whyNotOurs(recorded) ?? (await whyNot(recorded));
      if (reason !== undefined) return t.skip(reason);
      if (recorded.stdin.kind === "tty" && !needs(t, "script")) return undefined;
      const expected = expectedOf(recorded, ours);
      const { seedPrefix, changed = {}, ...divergence } = DIVERGENCES.get(recorded.id) ?? {};
      const wanted = seedPrefix === undefined ? recorded : withSeedPrefix(recorded, seedPrefix);
      const differing = withChanged({ ...expectedOf(wanted, ours), ...divergence }, changed);
      if (DIVERGENCES.has(recorded.id)) assert.notDeepEqual(differing, expected, "the divergence is none");
      assertSame(await folder.run(wanted, ours), differing, ours);
      return undefined;
    });
  }
});

test("side by side with the programs of this machine", { concurrency }, async (t) => {
  if (!needs(t, "saslpasswd2", "sasldblistusers2", "unshare", "setpriv", "script")) return;
  const runs = (isFull ? cases : standing.filter((_, i) => i % 2 === 0)).map((recorded) =>
    t.test(recorded.id, async (t) => {
      const reason = whyNotNative(recorded) ?? (await whyNot(recorded));
      if (reason !== undefined) return t.skip(reason);
      assertSame(await folder.run(recorded, native), expectedOf(recorded, native), native);
      return undefined;
    }),
  );
  await Promise.all(runs);
});

test("the databases of the setup are those that db5.3_load makes", (t) => {
  if (!needs(t, "db5.3_load")) return;
  const path = temporaryFolder(t);
  for (const [i, step] of cases.flatMap(({ setup }) => setup.filter((step) => step.op === "load")).entries()) {
    // The size of a page and the byte order are no matter of the records.
    if (step.options !== undefined) continue;
    const [here, there] = [join(path, `${i}.here`), join(path, `${i}.there`)];
    load(here, step);
    const lines = step.records.flatMap((record) =>
      [keyBytes(record.key), valueBytes(record)].map((bytes) => ` ${bytes.toString("hex")}\n`),
    );
    runNative("db5.3_load", ["-t", step.type, there], {
      input: `VERSION=3\nformat=bytevalue\ntype=${step.type}\nHEADER=END\n${lines.join("")}DATA=END\n`,
    });
    assert.ok(masked(here).equals(masked(there)), `${here}: ${JSON.stringify(step).slice(0, 200)}`);
  }
});

function masked(path: string): Buffer {
  return Buffer.from(maskDatabase(readFileSync(path)));
}

test("docs/compatibility.md names the cases that differ, and no others", (t) => {
  if (!Object.values(LAUNCHERS).every((launcher) => existsSync(launcher))) return t.skip("the programs are not there");
  const text = readFileSync(`${rootFolder}docs/compatibility.md`, "utf8");
  const section = /^## Recorded cases of saslpasswd and sasldblistusers that differ$(.*?)(?=^## |$(?![\s\S]))/ms.exec(text)?.[1] ?? "";
  const rows = Array.from(section.matchAll(/^\| (`[^|]+`) +\| (.*\S) +\|$/gm), ([, ids = "", reason = ""]) => ({
    ids: Array.from(ids.matchAll(/`([^`]+)`/g), ([, id = ""]) => id),
    reason,
  }));
  assert.deepEqual(rows.flatMap(({ ids }) => ids).sort(), [...DIVERGENCES.keys()].sort());
  for (const { ids, reason } of rows) assert.ok(reason.length > 20, `${ids}: no reason`);
  for (const id of DIVERGENCES.keys())
    assert.ok(
      [...standing, ...readCases("sasl-more")].some((recorded) => recorded.id === id),
      `${id}: no such case`,
    );
  return undefined;
});
