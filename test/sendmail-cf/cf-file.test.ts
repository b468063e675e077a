/**
 * The lines of a configuration, as sendmail reads them. What the real program
 * makes of many of them is in cf-check-oracle.test.ts.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  classFilesOf,
  daemonsOf,
  mapsOf,
  optionsOf,
  parseRule,
  readCf,
  rulesetsOf,
  unknownLines,
  unknownOptions,
} from "#src/sendmail-cf/cf-file.js";
import { needs, runNative } from "../support/native.ts";

/** What sendmail takes of each line. */
function texts(source: string): [number, string][] {
  return readCf(source).map(({ line, text }) => [line, text]);
}

describe("the lines of a configuration", () => {
  const cases: readonly [what: string, source: string, expected: readonly [number, string][]][] = [
    [
      "end with a line end, or with the file",
      "DSa\nDTb",
      [
        [1, "DSa"],
        [2, "DTb"],
      ],
    ],
    [
      "may end in CR LF",
      "DSa\r\nDTb\r\n",
      [
        [1, "DSa"],
        [2, "DTb"],
      ],
    ],
    [
      "go on where the next one begins with white space",
      "DSa\n b\n\tc\nDTd\n",
      [
        [1, "DSa\n b\n\tc"],
        [4, "DTd"],
      ],
    ],
    [
      "are comments with their continuations",
      "# a\n DSb\nDTc\n",
      [
        [1, ""],
        [3, "DTc"],
      ],
    ],
    [
      "lose remarks, and the white space before them",
      "DSa \t# b\nDTc#d\n",
      [
        [1, "DSa"],
        [2, "DTc"],
      ],
    ],
    ["lose the remark and no more where they go on", "DSa # b\n c\n", [[1, "DSa\n c"]]],
    ["keep $# and what is behind it", "R$*\t$#smtp $: $1\n", [[1, "R$*\t$#smtp $: $1"]]],
    ["keep an escaped #, without what escapes it", "DSa\\#b\n", [[1, "DSa#b"]]],
    ["lose what is behind a # that follows $$", "DSa$$#b\n", [[1, "DSa$$"]]],
    ["lose the white space at their end", "DSa \t \n", [[1, "DSa"]]],
    [
      "may be empty",
      "\n\nDSa\n",
      [
        [1, ""],
        [2, ""],
        [3, "DSa"],
      ],
    ],
  ];
  for (const [what, source, expected] of cases)
    it(what, () => {
      assert.deepEqual(texts(source), expected);
    });

  it("are the whole file, byte for byte", () => {
    const piece = fc.constantFrom("D", "S", "#", " ", "\t", "\r", "\n", "\r\n", "$", "\\", "\xe9", "\0");
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const source = pieces.join("");
        const lines = readCf(source);
        assert.equal(lines.map(({ start, end }) => source.slice(start, end)).join(""), source);
        assert.deepEqual(
          lines.map(({ line }) => line),
          lines.map(({ start }) => source.slice(0, start).split("\n").length),
        );
        for (const { line, lastLine, start, end } of lines) {
          assert.equal(lastLine, line + source.slice(start, end).replace(/\n$/, "").split("\n").length - 1);
        }
      }),
    );
  });

  it("are read in time, however many blanks and remarks there are", () => {
    const { user: before } = process.cpuUsage();
    for (const piece of [" ", "#\n ", "\t", " #\n\t", "O "])
      readCf(`V10/x\nO x${piece.repeat(300_000)}=y\n`).map((line) => optionsOf([line], "RunAsUser"));
    const { user } = process.cpuUsage();
    assert.ok(user - before < 5_000_000, `${(user - before) / 1e6} s`);
  });
});

describe("what the lines say", () => {
  it("are rules, with tabs between their parts", () => {
    const rule = (text: string): unknown => parseRule(readCf(text)[0] as never);
    assert.deepEqual(rule("R$*\t$: $1\n"), { left: "$*", right: "$: $1", comment: "" });
    assert.deepEqual(rule("R$*\t\t$: $1\t a comment\n"), { left: "$*", right: "$: $1", comment: "a comment" });
    assert.equal(rule("R$*  $: $1\n"), undefined);
  });

  it("are rulesets, each with the rules up to the next", () => {
    const found = rulesetsOf(readCf("Sa\nR1\t1\nDSx\nR2\t2\nS b=3\nSa\nR3\t3\n"));
    assert.deepEqual(
      found.map(({ name, rules }) => [name, rules.map(({ text }) => text)]),
      [
        ["a", ["R1\t1", "R2\t2"]],
        ["b", []],
        ["a", ["R3\t3"]],
      ],
    );
  });

  it("are maps, with their flags and the place of the path", () => {
    const cases: readonly [string, string, string, string, string | undefined][] = [
      ["Kauthinfo hash /a/b", "authinfo", "hash", "", "/a/b"],
      ["K authInfo HASH -o -N -a.x /a/b.db more", "authinfo", "hash", "oNa", "/a/b.db"],
      ["Kauthinfo\tbtree\t-of\t/a/b", "authinfo", "btree", "o", "/a/b"],
      ["Karith arith", "arith", "arith", "", undefined],
    ];
    for (const [text, ...expected] of cases) {
      const [found] = mapsOf(readCf(text));
      assert.ok(found !== undefined);
      assert.deepEqual([found.name, found.mapClass, found.flags, found.path], expected);
      if (found.path !== undefined) assert.ok(text.slice(found.pathAt).startsWith(found.path), text);
    }
  });

  it("are options, whose value has its place", () => {
    for (const text of ["O RunAsUser=a b", "O runasuser = a b", "O RunAs=a b", "O RunAsUser=a b  "]) {
      const [found] = optionsOf(readCf(text), "RunAsUser");
      assert.deepEqual([found?.value, text.slice(found?.valueAt).trimEnd()], ["a b", "a b"], text);
    }
    for (const text of ["O\tRunAsUser=a", "O  RunAsUser=a", "O R=a", "O RunAsUsers=a", "ORunAsUser=a"]) {
      assert.deepEqual(optionsOf(readCf(text), "RunAsUser"), [], text);
    }
  });

  it("are ports of the daemon, whose letters have their place", () => {
    const source = "O DaemonPortOptions=Port=smtp, Name=MTA , m = E a\nOOM=a,M=b\nO DaemonPortOptions=Name=x\n";
    assert.deepEqual(
      daemonsOf(readCf(source)).map(({ name, port, modifiers }) => [name?.trim(), port, modifiers?.letters]),
      [
        ["MTA", "smtp", "E a"],
        [undefined, undefined, "b"],
        ["x", undefined, undefined],
      ],
    );
    for (const { option, modifiers } of daemonsOf(readCf(source))) {
      if (modifiers !== undefined) assert.ok(option.line.text.slice(modifiers.at).startsWith(modifiers.letters));
    }
  });

  it("are files of a class", () => {
    const cases: readonly [string, string | undefined, boolean][] = [
      ["FR-o /a/b", "/a/b", true],
      ["FR/a/b", "/a/b", false],
      ["F{R} /a/b %s", "/a/b", false],
      ['FR -o "/a/b"', "/a/b", true],
      ["FR-o/a/b", undefined, true],
      ["FR|/bin/x", undefined, false],
      ["FR@hash:/x", undefined, false],
    ];
    for (const [text, path, isOptional] of cases) {
      const [found] = classFilesOf(readCf(text), "R");
      assert.deepEqual([found?.path, found?.isOptional], [path, isOptional], text);
      if (path !== undefined) assert.ok(text.slice(found?.pathAt).startsWith(path), text);
    }
    assert.deepEqual(classFilesOf(readCf("Fw/a/b\nF R/a/b\n"), "R"), []);
  });

  it("may be none of sendmail's", () => {
    const source = "V10/x\nwhat\nO Nonsense=1\nO M=2\nO Timeout.queuereturn=5d\nO MeToo\nOA/etc/aliases\nO\tx\n# y\n";
    assert.deepEqual(
      unknownLines(readCf(source)).map(({ line }) => line),
      [2],
    );
    assert.deepEqual(
      unknownOptions(readCf(source)).map(({ name }) => name),
      ["Nonsense", "M", "\tx"],
    );
  });
});

describe("the options", () => {
  it("are all that Debian's configuration names", (t) => {
    if (!needs(t, "m4", "sendmail cf")) return;
    const cf = "/usr/share/sendmail/cf/";
    const { stdout } = runNative("m4", [`-D_CF_DIR_=${cf}`, `${cf}m4/cf.m4`, `${cf}cf/submit.mc`]);
    const options = Array.from(`${stdout}`.matchAll(/^#?(O [A-Z][\w.]+)/gm), ([, text = ""]) => text);
    assert.ok(options.length > 150);
    assert.deepEqual(unknownOptions(readCf(options.join("\n"))), []);
  });
});
