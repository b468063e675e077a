/**
 * What root is warned of, and refused, on the way to a map. The recorded cases
 * (groups file-safety and dir-safety) have the plain ones; here are trees of
 * folders and links, as makemap sees them.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { failureText, warningMessage } from "#src/cli/makemap-messages.js";
import { checkSafeFile, type SafeFileOptions, UnsafeFileError } from "#src/files/safe-file.js";
import { timeLimit } from "../support/full.ts";
import { makeInProcess } from "../support/in-process.ts";
import { needs, runNative } from "../support/native.ts";
import { isRoot } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });
fs.chmodSync(top, 0o755);

interface Answer {
  readonly words: string;
  readonly isRefused: boolean;
}

function check(path: string, options: Partial<SafeFileOptions> = {}): Answer {
  let words = "";
  try {
    checkSafeFile(path, {
      access: "write",
      mayCreate: true,
      allowLinks: false,
      trustedUser: undefined,
      onWarning: (warning) => {
        words += warningMessage(warning);
      },
      ...options,
    });
    return { words, isRefused: false };
  } catch (error) {
    return { words: `${words}${failureText(error)}\n`, isRefused: true };
  }
}

/** Folders a, a/b, …, with these modes; at the end a map, if there is to be one. */
function makeTree(modes: readonly number[], hasMap: boolean): string {
  const tree = fs.mkdtempSync(join(top, "tree-"));
  fs.chmodSync(tree, 0o755);
  let folder = tree;
  for (const [i] of modes.entries()) {
    folder = join(folder, "abc".charAt(i));
    fs.mkdirSync(folder);
  }
  if (hasMap) makeInProcess(["hash", "m"], Buffer.from("old 1\n"), folder);
  // Links beside the folders, and one that goes round.
  fs.symlinkSync("a", join(tree, "link"));
  fs.symlinkSync(join(tree, "a"), join(tree, "absolute"));
  fs.symlinkSync("link", join(tree, "twice"));
  fs.symlinkSync("a/..", join(tree, "back"));
  fs.symlinkSync("round", join(tree, "round"));
  for (let i = modes.length; i > 0; i--) {
    fs.chmodSync(folder, modes[i - 1] as number);
    folder = join(folder, "..");
  }
  return tree;
}

const mode = fc.constantFrom(0o755, 0o755, 0o775, 0o777, 0o1777, 0o700, 0o750, 0o555, 0o644, 0o722);
const step = fc.constantFrom(
  "a",
  "a/b",
  "a/b/c",
  "link",
  "link/b",
  "absolute/b/c",
  "twice/b",
  "back/a",
  "round",
  "a/../a",
  "./a",
  "a//b",
  "a/b/..",
  "none",
  "",
);

test("as makemap warns and refuses", (t) => {
  if (!isRoot) return t.skip("needs root: others are not warned");
  if (!needs(t, "makemap")) return undefined;
  const property = fc.property(
    fc.array(mode, { minLength: 1, maxLength: 3 }),
    step,
    fc.boolean(),
    fc.boolean(),
    fc.boolean(),
    (modes, way, hasMap, isAbsolute, allowLinks) => {
      const tree = makeTree(modes, hasMap);
      const relative = way === "" ? "m" : `${way}/m`;
      const name = isAbsolute ? join(tree, "/") + relative : relative;
      const before = process.cwd();
      process.chdir(tree);
      try {
        const { status, stderr } = runNative("makemap", ["-C", "/dev/null", "-u", ...(allowLinks ? ["-s"] : []), "hash", name], {
          cwd: tree,
        });
        const ours = check(`${name}.db`, { access: "read", mayCreate: false, allowLinks });
        const words = stderr.toString().replace(/^makemap: error opening type hash map .*: /m, "");
        assert.deepEqual(ours, { words, isRefused: status !== 0 });
      } finally {
        process.chdir(before);
        fs.rmSync(tree, { recursive: true });
      }
    },
  );
  fc.assert(property, { numRuns: 400, interruptAfterTimeLimit: timeLimit(8000) });
  return undefined;
});

test("what it is that is refused is told by a code", () => {
  const folder = fs.mkdtempSync(join(top, "kinds-"));
  fs.writeFileSync(join(folder, "file"), "", { mode: 0o600 });
  fs.symlinkSync("file", join(folder, "link"));
  fs.mkdirSync(join(folder, "folder"));
  fs.writeFileSync(join(folder, "program"), "", { mode: 0o755 });
  fs.writeFileSync(join(folder, "one"), "", { mode: 0o600 });
  fs.linkSync(join(folder, "one"), join(folder, "other"));
  const reasonFor = (name: string, options: Partial<SafeFileOptions> = {}): string | undefined => {
    try {
      checkSafeFile(join(folder, name), {
        access: "write",
        mayCreate: true,
        allowLinks: false,
        trustedUser: undefined,
        onWarning: () => {},
        ...options,
      });
      return undefined;
    } catch (error) {
      return error instanceof UnsafeFileError ? error.reason : (error as NodeJS.ErrnoException).code;
    }
  };
  assert.equal(reasonFor("file"), undefined);
  assert.equal(reasonFor("none"), undefined);
  assert.equal(reasonFor("none", { mayCreate: false }), "ENOENT");
  assert.equal(reasonFor("link"), "symbolic-link");
  assert.equal(reasonFor("link", { allowLinks: true }), undefined);
  assert.equal(reasonFor("folder"), "not-regular");
  assert.equal(reasonFor("folder", { allowLinks: true }), "not-regular");
  assert.equal(reasonFor("program"), "executable");
  assert.equal(reasonFor("program", { access: "read" }), undefined);
  assert.equal(reasonFor("one"), "hard-link");
  assert.equal(reasonFor("one", { allowLinks: true }), undefined);
  assert.equal(reasonFor("n".repeat(5000)), "name-too-long");
  assert.equal(reasonFor("n".repeat(256)), "ENAMETOOLONG");
});

test("behind a link that is followed it is the file itself that is to be replaced", () => {
  const folder = fs.realpathSync(fs.mkdtempSync(join(top, "follow-")));
  fs.mkdirSync(join(folder, "d"));
  fs.writeFileSync(join(folder, "d/file"), "", { mode: 0o600 });
  fs.symlinkSync("d/file", join(folder, "link"));
  const options = { access: "write", mayCreate: true, trustedUser: undefined, onWarning: () => {} } as const;
  assert.equal(checkSafeFile(join(folder, "link"), { ...options, allowLinks: true }).path, join(folder, "d/file"));
  assert.equal(checkSafeFile(join(folder, "new"), { ...options, allowLinks: true }).path, join(folder, "new"));
});
