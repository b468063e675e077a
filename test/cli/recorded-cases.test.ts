/**
 * Every recorded run of makemap, by tsmakemap: the same exit code, output,
 * records and files, or a difference that docs/compatibility.md gives a reason
 * for and that stands below. And the same cases by the makemap that is
 * installed here, side by side.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from "node:fs";
import { after, suite, test } from "node:test";
import { rootFolder } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import {
  type As,
  CaseFolder,
  expectedOf,
  knowsFiles,
  type MakemapCase,
  type Observed,
  type Program,
  readCases,
  readMap,
  stdinOf,
} from "../support/makemap-cases.ts";
import { nativePath, needs } from "../support/native.ts";
import { isRoot, launcher, whyNoOrdinaryUser } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";
import { DIVERGENCES } from "./divergences.ts";

const DEFAULT_CONTROL_FILE = "/etc/mail/sendmail.cf";

const files = [readCases("makemap"), readCases("makemap-more")];
const cases = files.flatMap((file) => file.cases);
const standing = files[0]?.cases ?? [];

/** Of the cases of makemap-more those about what comes into the map, which are many, are run without a process each. */
const CONTENT_GROUPS = ["comment-char", "delimiter", "duplicate", "option"];

function isContent(recorded: MakemapCase): boolean {
  const group = recorded.group.startsWith("input-") || CONTENT_GROUPS.includes(recorded.group);
  return group && !standing.includes(recorded) && recorded.setup_steps.length === 0;
}

/** Node starts for each: two at a time keep two cores busy. */
const concurrency = 2;

const folder = new CaseFolder(temporaryFolder({ after }), Object.assign({}, ...files.map((file) => file.defaults.control_files)));
mkdirSync(`${folder.path}/bin`);
// Under makemap's name, so that what it says can be compared as it is.
symlinkSync(launcher, `${folder.path}/bin/makemap.js`);
const ours: Program = { command: process.execPath, args: [`${folder.path}/bin/makemap.js`] };

/** Why a case cannot be run here as it was recorded, or as a user that is not root. */
function whyNot(recorded: MakemapCase, as: As): string | undefined {
  const needsRoot = as === "recorded" ? recorded.uid === 0 : false;
  const givesAway = recorded.setup_steps.some((step) => step.op === "chown");
  if (!isRoot && (needsRoot || givesAway)) return "needs root: it is run as root, or gives a file to somebody";
  if (recorded.stderr.includes("{W}") && folder.worldWritable === undefined) return `${folder.path} is not below a folder for all to write`;
  return undefined;
}

const observations = new Map<string, Promise<Observed>>();

/** What tsmakemap does with a case; run once. */
function observe(recorded: MakemapCase, as: As): Promise<Observed> {
  const name = `${recorded.id} ${as}`;
  const observed = observations.get(name) ?? (isContent(recorded) ? observeInProcess(recorded, as) : folder.run(recorded, as, ours));
  observations.set(name, observed);
  return observed;
}

/** The files of the run are not looked at: they are what they are in the other cases. */
async function observeInProcess(recorded: MakemapCase, as: As): Promise<Observed> {
  const inner = mkdtempSync(`${folder.path}/in-process-`);
  const args = recorded.argv.slice(1).map((arg) => arg.replace("{D}", folder.path));
  const { exit, stdout, stderr, file } = makeInProcess(args, stdinOf(recorded), inner);
  return { exit, stdout, stderr, files: expectedOf(recorded, as).files, maps: { "m.db": readMap(file, recorded.maps["m.db"]) } };
}

function assertSame(actual: Observed, expected: Observed, recorded: MakemapCase, as: As): void {
  const known = (observed: Observed): Observed => {
    if (!knowsFiles(recorded, as)) return { ...observed, files: {}, maps: {} };
    // Whom the map was given to, the machine's own file says.
    return readsMachineFile(recorded, as) ? { ...observed, files: Object.keys(observed.files) as never } : observed;
  };
  assert.deepEqual(known(actual), known(expected));
}

/** The cases whose run by root depends on whether there is a sendmail.cf of the machine's own. */
function readsMachineFile(recorded: MakemapCase, as: As): boolean {
  const makesMap = recorded.exit === 66 || Object.keys(recorded.files_after).length > 0;
  return as === "recorded" && recorded.uid === 0 && !recorded.argv.some((arg) => arg.startsWith("-C")) && makesMap;
}

/** What is written into a map is no matter of the user; only these groups are run a second time. */
const USER_GROUPS = ["dir-safety", "file-safety", "overwrite", "trusted-user", "umask"];

function choose(as: As): readonly MakemapCase[] {
  // Of those that were recorded here one in four in the ordinary run: a process each takes a while.
  const others = new Set(isFull ? [] : (files[1]?.cases ?? []).filter((recorded, i) => i % 4 !== 0 && !isContent(recorded)));
  if (as === "recorded") return cases.filter((recorded) => !others.has(recorded));
  const differs = (recorded: MakemapCase): boolean => typeof recorded.as_user === "object" || USER_GROUPS.includes(recorded.group);
  return cases.filter((recorded) => recorded.uid === 0 && (!isRoot || differs(recorded)));
}

for (const as of ["recorded", "user"] as const) {
  const chosen = choose(as);

  suite(as === "recorded" ? "recorded cases, as recorded" : "recorded cases, as a user that is not root", { concurrency }, () => {
    for (const recorded of chosen) {
      test(recorded.id, async (t) => {
        const reason = whyNot(recorded, as) ?? (await whyNoOrdinaryUser());
        if (reason !== undefined) return t.skip(reason);
        const expected = expectedOf(recorded, as);
        const observed = await observe(recorded, as);
        const divergence = DIVERGENCES.get(recorded.id)?.[as];
        if (divergence === undefined) {
          assertSame(observed, expected, recorded, as);
        } else {
          assert.notDeepEqual({ ...expected, ...divergence }, expected, "the divergence is none");
          assertSame(observed, { ...expected, ...divergence }, recorded, as);
        }
        return undefined;
      });
    }
  });

  test(`side by side with the makemap of this machine, ${as === "recorded" ? "as recorded" : "as a user that is not root"}`, {
    concurrency,
  }, async (t) => {
    if (!needs(t, "makemap")) return;
    const native: Program = { command: nativePath("makemap"), argv0: "makemap", args: [] };
    const runs = chosen.map((recorded) =>
      t.test(recorded.id, async (t) => {
        const reason = whyNot(recorded, as) ?? (await whyNoOrdinaryUser());
        if (reason !== undefined) return t.skip(reason);
        if (readsMachineFile(recorded, as) && existsSync(DEFAULT_CONTROL_FILE)) return t.skip(`there is a ${DEFAULT_CONTROL_FILE} here`);
        const expected = DIVERGENCES.get(recorded.id)?.[as] === undefined ? await observe(recorded, as) : expectedOf(recorded, as);
        assertSame(await folder.run(recorded, as, native), expected, recorded, as);
        return undefined;
      }),
    );
    await Promise.all(runs);
  });
}

test("docs/compatibility.md names the cases that differ, and no others", () => {
  const text = readFileSync(`${rootFolder}docs/compatibility.md`, "utf8");
  const section = /^## Recorded cases of makemap that differ$(.*?)(?=^## |$(?![\s\S]))/ms.exec(text)?.[1] ?? "";
  const rows = Array.from(section.matchAll(/^\| `([^`]+)` +\| (.*\S) +\|$/gm), ([, id = "", reason = ""]) => ({ id, reason }));
  assert.deepEqual(rows.map(({ id }) => id).sort(), [...DIVERGENCES.keys()].sort());
  for (const { id, reason } of rows) assert.ok(reason.length > 20, `${id}: no reason`);
  for (const id of DIVERGENCES.keys())
    assert.ok(
      cases.some((recorded) => recorded.id === id),
      `${id}: no such case`,
    );
});
