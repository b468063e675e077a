/**
 * What the programs take, in plain words, read from the option tables that give
 * their help: for the completion scripts and the manual pages.
 */
import type { Command, Option } from "./commander.ts";
import { makemapCommand } from "./makemap-arguments.ts";
import { sasldblistCommand } from "./sasldblist-arguments.ts";
import { saslpasswdCommand } from "./saslpasswd-arguments.ts";
import { tsmapCommand } from "./tsmap/commands.ts";
import { type Values, valuesOf } from "./values.ts";

/** A program, or a command of one. */
export interface ProgramDescription {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionDescription[];
  readonly operands: readonly OperandDescription[];
  /** Empty where it has none. */
  readonly commands: readonly ProgramDescription[];
}

export interface OptionDescription {
  /** With their dashes; the short one first. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Heading of the help, without its colon. */
  readonly group: string;
  readonly isRequired: boolean;
  /** Undefined for an option without a value. */
  readonly value: { readonly name: string; readonly values: Values } | undefined;
  /** What the option table allows, where it says so. */
  readonly choices: readonly string[];
  /** The value that it has by itself. */
  readonly defaultValue: string | undefined;
}

export interface OperandDescription {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** Any number of them; the last one alone. */
  readonly isRepeated: boolean;
  readonly values: Values;
}

/** All programs of this package, without their hidden options. */
export function describePrograms(): readonly ProgramDescription[] {
  return programCommands().map(describe);
}

/** The option tables of all programs. */
export function programCommands(): readonly Command[] {
  return [
    makemapCommand("tsmakemap"),
    saslpasswdCommand("tssaslpasswd"),
    sasldblistCommand("tssasldblist"),
    tsmapCommand("tsmap", () => Promise.resolve()),
  ];
}

function describe(command: Command): ProgramDescription {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  return {
    name: command.name(),
    description: command.description(),
    options: help.visibleOptions(command).map(describeOption),
    operands: operandsOf(command),
    commands: commands.map((one) => (one.name() === "help" ? describeHelp(one, commands) : describe(one))),
  };
}

/** Commander's own command for help, whose operand is another command. */
function describeHelp(help: Command, commands: readonly Command[]): ProgramDescription {
  const words = commands.filter((one) => one !== help).map((one) => one.name());
  const described = describe(help);
  return { ...described, operands: described.operands.map((operand) => ({ ...operand, values: { kind: "words", words } })) };
}

function describeOption(option: Option): OptionDescription {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const name = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  return {
    flags,
    description: option.description,
    group: (option.helpGroupHeading ?? "Options").replace(/:$/, ""),
    isRequired: option.mandatory,
    value: name === undefined ? undefined : { name, values: valuesOf(flags.at(-1) ?? "", name, option.argChoices) },
    choices: option.argChoices ?? [],
    defaultValue: typeof option.defaultValue === "string" ? option.defaultValue : undefined,
  };
}

/** Those that are declared; or, where getopt() leaves all operands to the program, those of its usage line. */
function operandsOf(command: Command): readonly OperandDescription[] {
  const declared = command.registeredArguments;
  if (declared[0]?.name() !== "operands")
    return declared.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      isRequired: argument.required,
      isRepeated: argument.variadic,
      values: valuesOf("", argument.name(), argument.argChoices),
    }));
  const words = (command.usage().split(" < ")[0] ?? "").split(" ").filter((word) => word !== "[options]");
  return words.map((word) => {
    const name = word.replace(/[[\]]/g, "");
    return { name, description: "", isRequired: name === word, isRepeated: false, values: valuesOf("", name) };
  });
}
