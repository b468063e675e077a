/**
 * The manual pages: one for each program, and one for each command of tsmap,
 * from the option tables and from prose.ts.
 */
import {
  describePrograms,
  type OperandDescription,
  type OptionDescription,
  type ProgramDescription,
} from "#src/cli/program-description.js";
import { environmentOf, PROSE, type Prose } from "./prose.ts";
import { bold, definitions, example, italic, literal, paragraphs, plain, prose, section } from "./roff.ts";

export interface Page {
  /** As it is looked up: tsmap-diff. */
  readonly name: string;
  readonly text: string;
}

/** The section of the manual. */
const COMMANDS = 1;

/**
 * @param version of the package: what the pages have in the place of a date, so that a build can be repeated.
 * @throws {Error} prose.ts has nothing on a program or command.
 */
export function manualPages(version: string): readonly Page[] {
  const programs = describePrograms();
  return programs.flatMap((program) => {
    const others = programs.filter((other) => other !== program).map(({ name }) => name);
    return [page(program.name, program.name, program, version, others), ...commandPages(program.name, program.name, program, version)];
  });
}

/** Of the commands of a program, and of theirs. */
function commandPages(parent: string, called: string, { commands }: ProgramDescription, version: string): readonly Page[] {
  return commands
    .filter(({ name }) => name !== "help")
    .flatMap((command) => {
      const name = `${parent}-${command.name}`;
      const words = `${called} ${command.name}`;
      return [page(name, words, command, version, [parent]), ...commandPages(name, words, command, version)];
    });
}

/** @param called as it is called: "tsmap diff". */
function page(name: string, called: string, what: ProgramDescription, version: string, others: readonly string[]): Page {
  const text = PROSE[name];
  if (text === undefined) throw new Error(`man/prose.ts has nothing on ${name}`);
  const commands = what.commands.filter((command) => command.name !== "help");
  const seeAlso = [...commands.map((command) => `${name}-${command.name}`), ...others].map((other) => reference(other, COMMANDS));
  return {
    name,
    text: [
      `.\\" Made from the option tables of tsmakemap ${version} by man/main.ts.\n`,
      `.TH ${name.toUpperCase()} ${COMMANDS} "" "tsmakemap ${version}" "tsmakemap"\n`,
      // Ragged lines, and words in one piece: half of them are names.
      ".nh\n.ad l\n",
      section("NAME", `${literal(name)} \\- ${prose(text.summary)}\n`),
      section("SYNOPSIS", synopsis(called, what, text)),
      section("DESCRIPTION", paragraphs([what.description, ...(text.description ?? [])])),
      section(
        "COMMANDS",
        definitions(commands.map((command) => [reference(`${name}-${command.name}`, COMMANDS), prose(command.description)])),
      ),
      section("OPTIONS", options(what.options)),
      section("OPERANDS", definitions(what.operands.map((operand) => [italic(operand.name), operandText(operand, text)]))),
      section("EXIT STATUS", definitions(text.exit.map(([code, meaning]) => [bold(String(code)), prose(meaning)]))),
      section("ENVIRONMENT", definitions(environment(name, what, text).map(([variable, meaning]) => [bold(variable), prose(meaning)]))),
      section("FILES", definitions((text.files ?? []).map(([file, meaning]) => [italic(file), prose(meaning)]))),
      section(
        "EXAMPLES",
        (text.examples ?? [])
          .map(({ what, lines }) => `.PP\n${prose(what)}\n${example(lines)}`)
          .join("")
          .replace(/^\.PP\n/, ""),
      ),
      section("SEE ALSO", `${[...seeAlso, ...(text.seeAlso ?? []).map(([other, where]) => reference(other, where))].join(",\n")}\n`),
    ].join(""),
  };
}

function reference(name: string, where: number): string {
  return `${bold(name)}(${where})`;
}

/** What has to be there stands by itself, the rest as "options". */
function synopsis(called: string, { options, operands, commands }: ProgramDescription, { input }: Prose): string {
  const required = options.filter(({ isRequired }) => isRequired).map((option) => flagText(option, option.flags.at(-1) ?? ""));
  const words = [
    bold(called),
    ...required,
    ...(commands.length > 0 ? [italic("command")] : []),
    `[${italic("options")}]`,
    ...operands.map(({ name, isRequired, isRepeated }) => {
      const word = `${italic(name)}${isRepeated ? " ..." : ""}`;
      return isRequired ? word : `[${word}]`;
    }),
    ...(input === undefined ? [] : [`< ${italic(input)}`]),
  ];
  return `${words.join(" ")}\n`;
}

/** By the groups of the help. */
function options(list: readonly OptionDescription[]): string {
  const groups = [...new Set(list.map(({ group }) => group))];
  return groups
    .map((group) => {
      const members = list.filter((option) => option.group === group);
      const heading = group === "Options" ? "" : `.SS ${plain(group)}\n`;
      return heading + definitions(members.map((option) => [optionTerm(option), optionText(option)]));
    })
    .join("");
}

function optionTerm(option: OptionDescription): string {
  return option.flags.map((flag) => flagText(option, flag)).join(", ");
}

function flagText({ value }: OptionDescription, flag: string): string {
  return value === undefined ? bold(flag) : `${bold(flag)} ${italic(value.name)}`;
}

function optionText({ description, isRequired, choices, defaultValue }: OptionDescription): string {
  const choice = choices.map((word) => bold(word) + (word === defaultValue ? " (default)" : "")).join(", ");
  return [isRequired ? `${prose(description)} (required)` : prose(description), ...(choice === "" ? [] : [choice])].join(": ");
}

function operandText({ name, description, values }: OperandDescription, { operands = {} }: Prose): string {
  const text = operands[name] ?? description;
  if (text === "") throw new Error(`man/prose.ts has nothing on the operand ${name}`);
  return prose(text) + (values.kind === "words" && operands[name] === undefined ? `: ${values.words.map(bold).join(", ")}` : "");
}

function environment(page: string, { options }: ProgramDescription, text: Prose): readonly (readonly [string, string])[] {
  return [...options.flatMap(({ flags }) => environmentOf(page, flags.at(-1) ?? "")), ...(text.environment ?? [])];
}
