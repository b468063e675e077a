/**
 * The completion script of fish (3.0 or later): calls of its `complete`, under
 * conditions that look at the words of the command line.
 */
import type { OptionDescription, ProgramDescription } from "../program-description.ts";
import type { Values } from "../values.ts";
import { type Place, placesOf, script } from "./script.ts";

export function fishCompletion(programs: readonly ProgramDescription[]): string {
  return `# fish completion of ${programs.map(({ name }) => name).join(", ")}
# Printed by: tsmap completion fish
${HELPERS}
${programs.flatMap((program) => [`complete -c ${program.name} -f`, ...placesOf(program).flatMap((place) => linesFor(program, place)), ""]).join("\n")}`;
}

const HELPERS = script`
# Whether the words behind the program are these: its command, and that one's.
function __tsmap_command
    set -l words (commandline -opc)
    test "$words[2..]" = "$argv"; or string match -q -- "$argv *" "$words[2..]"
end

# Whether the word at the cursor is an operand of this number, or of a later one
# for "3+". Then come the number of words before the operands (the program, and
# its commands), and the options that have values.
function __tsmap_operand
    set -l number $argv[1]
    set -l first (math $argv[2] + 1)
    set -l valued $argv[3..-1]
    set -l words (commandline -opc)
    set -l operands 1
    set -l ended no
    set -l skip no
    for word in $words[$first..-1]
        if test $skip = yes
            set skip no
        else if test $ended = yes
            set operands (math $operands + 1)
        else if test "$word" = --
            set ended yes
        else if string match -qr -- '^--' "$word"
            contains -- "$word" $valued; and set skip yes
        else if string match -qr -- '^-.' "$word"
            # Of letters that stand together the last may have a value.
            contains -- -(string sub -s -1 -- "$word") $valued; and set skip yes
        else
            set operands (math $operands + 1)
        end
    end
    switch $number
        case '*+'
            test $operands -ge (string replace + '' $number)
        case '*'
            test $operands -eq $number
    end
end

# Words with commas between them.
function __tsmap_list
    set -l before (commandline -ct | string replace -rf '^(?:--[^=]*=)?(.*,)[^,]*$' '$1')
    printf "$before%s\n" $argv
end
`;

function linesFor(program: ProgramDescription, { words, what }: Place): readonly string[] {
  const isCommand = what !== program;
  const command = `__tsmap_command ${words.slice(1).join(" ")}`;
  const begin = `complete -c ${program.name}`;
  const valued = what.options.flatMap(({ flags, value }) => (value === undefined ? [] : flags));
  const atOperand = (number: string): string => {
    const condition = ["__tsmap_operand", number, words.length, ...valued].join(" ");
    return isCommand ? `${command}; and ${condition}` : condition;
  };
  const optionCondition = what.commands.length > 0 ? ` -n ${quote(atOperand("1"))}` : isCommand ? ` -n ${quote(command)}` : "";
  return [
    ...what.options.map((option) => `${begin}${optionCondition} ${optionArguments(option)}`),
    ...what.operands
      .map(({ isRepeated, values }, index) => ({ number: `${index + 1}${isRepeated ? "+" : ""}`, values }))
      .filter(({ values }) => values.kind !== "free")
      .map(({ number, values }) => `${begin} -n ${quote(atOperand(number))} ${valueArguments(values)}`),
    ...what.commands.map(({ name, description }) => `${begin} -n ${quote(atOperand("1"))} -a ${name} -d ${quote(description)}`),
  ];
}

function optionArguments({ flags, description, value }: OptionDescription): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const required = value === undefined ? [] : [value.values.kind === "file" ? "-r" : "-x", valueArguments(value.values)];
  return [...names, ...required, `-d ${quote(description)}`].filter((word) => word !== "").join(" ");
}

function valueArguments(values: Values): string {
  switch (values.kind) {
    case "file":
      return "-F";
    case "words":
      return `-a ${quote(values.words.join(" "))}`;
    case "list":
      return `-a ${quote(`(__tsmap_list ${values.words.join(" ")})`)}`;
    case "free":
      return "";
  }
}

/** In single quotes, as fish has them: a backslash takes the meaning of a quote and of itself. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
