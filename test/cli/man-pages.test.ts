/**
 * The manual pages that the build makes: each says what the option tables say,
 * and the programs that show them have nothing to complain of.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { programCommands } from "#src/cli/program-description.js";
import { rootFolder } from "../support/fixtures.ts";
import { needs, runNative } from "../support/native.ts";

const folder = `${rootFolder}man/`;
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".1"))
  .sort();
const { version, man } = JSON.parse(readFileSync(`${rootFolder}package.json`, "utf8")) as { version: string; man: readonly string[] };

/** Every program and every command of one, by the name of its page. */
const commands: ReadonlyMap<string, Command> = new Map(programCommands().flatMap((program) => withCommands(program.name(), program)));

function withCommands(name: string, command: Command): (readonly [string, Command])[] {
  return [[name, command], ...command.commands.flatMap((child) => withCommands(`${name}-${child.name()}`, child))];
}

/** Of the commands of a command, and not of theirs. */
function childrenOf(name: string): string[] {
  return commands.get(name)?.commands.map((child) => `${name}-${child.name()}`) ?? [];
}

function source(name: string): string {
  return readFileSync(`${folder}${name}.1`, "utf8");
}

/** The text of a section, without fonts and escapes. */
function section(name: string, title: string): string {
  const [, rest = ""] = source(name).split(`.SH ${title}\n`);
  const [text = ""] = rest.split(/^\.SH /m);
  return text
    .replaceAll(/\\f[BIR]/g, "")
    .replaceAll("\\-", "-")
    .replaceAll("\\(aq", "'")
    .replaceAll("\\e", "\\");
}

/** What is defined in a section, with the text behind it. */
function definitions(name: string, title: string): Map<string, string> {
  return new Map(Array.from(section(name, title).matchAll(/^\.TP\n(.*)\n(.*)$/gm), ([, term = "", text = ""]) => [term, text]));
}

describe("manual pages", () => {
  it("are there for each program and each command, and package.json names them all", () => {
    const expected = [...commands.keys()].map((name) => `${name}.1`).sort();
    assert.deepEqual(files, expected);
    assert.deepEqual([...man].sort(), expected.map((name) => `./man/${name}`).sort());
  });

  for (const [name, command] of commands)
    it(`of ${name} have every option that is not hidden, and no other`, () => {
      const found = definitions(name, "OPTIONS");
      const expected = command.options.filter(({ hidden }) => !hidden);
      const flags = [...found.keys()].flatMap((term) => term.split(", ").map((flag) => flag.split(" ")[0]));
      const help = command.helpInformation().includes("-h, --help") ? ["-h", "--help"] : [];
      const expectedFlags = [...expected.flatMap(({ short, long }) => [short, long]).filter((flag) => flag !== undefined), ...help];
      assert.deepEqual(flags.sort(), expectedFlags.sort());
      for (const { long, short, flags, description, argChoices } of expected) {
        const [term = "", text = ""] = [...found].find(([term]) => term.split(/,? /).includes(long ?? short ?? "")) ?? [];
        assert.ok(text.startsWith(description), `${flags}: ${text}`);
        const value = /<(.*)>/.exec(flags)?.[1];
        if (value !== undefined) assert.ok(term.endsWith(` ${value}`), term);
        for (const choice of argChoices ?? []) assert.match(text, new RegExp(`\\b${choice}\\b`));
      }
    });

  for (const [name, command] of commands)
    it(`of ${name} say how it is called, what it does, and how it ends`, () => {
      assert.match(section(name, "NAME"), new RegExp(`^${name} - [a-z].*[a-z]\n$`));
      assert.ok(section(name, "SYNOPSIS").startsWith(name.replaceAll("-", " ")));
      assert.ok(section(name, "DESCRIPTION").startsWith(command.description()));
      for (const argument of command.registeredArguments)
        if (argument.name() !== "operands") assert.ok(definitions(name, "OPERANDS").get(argument.name()), argument.name());
      for (const option of command.options)
        if (option.mandatory) assert.ok(section(name, "SYNOPSIS").includes(` ${option.long} `), option.flags);
      // What only a signal ends is never done.
      assert.ok(definitions(name, "EXIT STATUS").has(name === "tsmap-watch" ? "2" : "0"));
      assert.notEqual(section(name, "SEE ALSO"), "");
    });

  it("name the variables of the environment that stand in for options", () => {
    for (const [name, command] of commands) {
      const found = [...definitions(name, "ENVIRONMENT").keys()].filter((variable) => /^TS(?:MAKE)?MAP_/.test(variable));
      const longs = command.options.map(({ long }) => long);
      const format = ["--target", "--byte-order", "--hash-version", "--page-size"];
      const ofManifest = ["--output", "--allow-inline", "--command-timeout", ...format];
      // A command with a manifest has all of its settings, in variables of their own.
      const [prefix, options] = longs.includes("--allow-inline") ? ["TSMAP", ofManifest] : ["TSMAKEMAP", [...format, "--file-id"]];
      const settings = longs.includes("--target")
        ? options.map((option) => prefix + option.replace("--", "_").replaceAll("-", "_").toUpperCase())
        : [];
      assert.deepEqual(found, settings, name);
    }
  });

  it("lead from each command to its own commands and back", () => {
    const parents = [...commands.keys()].filter((name) => childrenOf(name).length > 0);
    assert.deepEqual(parents, ["tsmap", "tsmap-cf"]);
    for (const parent of parents) {
      assert.deepEqual(
        [...definitions(parent, "COMMANDS").keys()],
        childrenOf(parent).map((name) => `${name}(1)`),
      );
      for (const name of childrenOf(parent)) assert.match(section(name, "SEE ALSO"), new RegExp(`\\b${parent}\\(1\\)`));
    }
  });

  it("have the version and no date, and are plain ASCII", () => {
    for (const name of commands.keys()) {
      assert.ok(source(name).includes(`\n.TH ${name.toUpperCase()} 1 "" "tsmakemap ${version}" "tsmakemap"\n`), name);
      assert.match(source(name), /^[\n -~]*$/, name);
    }
  });

  it("are manual pages to mandoc", (t) => {
    if (!needs(t, "mandoc")) return;
    for (const file of files) {
      const { stdout, stderr } = runNative("mandoc", ["-T", "lint", "-W", "warning", folder + file]);
      const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.includes('missing date, using "": TH'));
      assert.deepEqual(complaints, []);
    }
  });

  it("are manual pages to groff, and fit into 80 columns", (t) => {
    if (!needs(t, "groff")) return;
    for (const file of files) {
      const { status, stdout, stderr } = runNative("groff", ["-man", "-ww", "-Tascii", "-P-cbou", "-rLL=80n", folder + file]);
      assert.deepEqual([status, `${stderr}`], [0, ""], file);
      const text = `${stdout}`;
      assert.ok(text.includes("EXIT STATUS\n"), file);
      assert.deepEqual(
        text.split("\n").filter((line) => line.length > 80),
        [],
        file,
      );
      // No word is cut, and no escape is left over.
      assert.doesNotMatch(text, /[a-z]-\n|\\(?!\n|x0a|%)/, file);
    }
  });
});
