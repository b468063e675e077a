/**
 * The completion script of zsh: calls of its _arguments (zshcompsys(1)). It is
 * sourced, or put into a folder of $fpath under the name _tsmap.
 */
import type { OperandDescription, OptionDescription, ProgramDescription } from "../program-description.ts";
import type { Values } from "../values.ts";
import { namesOf, quote, script } from "./script.ts";

export function zshCompletion(programs: readonly ProgramDescription[]): string {
  const names = namesOf(programs);
  return `#compdef ${names}
# Printed by: tsmap completion zsh

${programs.map(functionOf).join("\n")}
_tsmap() {
  case $service in
${programs.map(({ name }) => `    ${name}) _tsmap_of_${name} ;;`).join("\n")}
  esac
}

# As a file of $fpath this is the body of the function itself.
if [[ $funcstack[1] == _tsmap ]]; then
  _tsmap "$@"
else
  compdef _tsmap ${names}
fi
`;
}

function functionOf(program: ProgramDescription): string {
  const inner = program.commands.filter(({ commands }) => commands.length > 0);
  return [functionNamed(program.name, program), ...inner.map((command) => functionNamed(nameOf(program, command), command))].join("\n");
}

/** Of the function of a command that has commands itself. */
function nameOf(program: ProgramDescription, command: ProgramDescription): string {
  return `${program.name}_${command.name}`;
}

function functionNamed(name: string, program: ProgramDescription): string {
  const head = `_tsmap_of_${name}() {\n`;
  if (program.commands.length === 0) return `${head}${call(program, "  ")}}\n`;
  const commands = program.commands.map(({ name, description }) => `    ${quote(`${name}:${description.replaceAll(":", "\\:")}`)}\n`);
  const cases = program.commands.map((command) => {
    const inside = command.commands.length > 0 ? `          _tsmap_of_${nameOf(program, command)}\n` : call(command, "          ");
    return `        ${command.name})\n${inside}          ;;\n`;
  });
  const specs = ["1:command:->command", "*::argument:->argument"];
  return `${head}${script`  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  local -a commands=(
`}${commands.join("")}  )
${call(program, "  ", specs)}${script`  case $state in
    command) _describe command commands ;;
    argument)
      curcontext=\${curcontext%:*:*}:tsmap-$line[1]:
      case $line[1] in
`}${cases.join("")}      esac
      ;;
  esac
}
`;
}

/** _arguments -s: letters may stand together; -S: no options behind "--". */
function call({ options, operands }: ProgramDescription, indent: string, more: readonly string[] = []): string {
  const flags = more.length > 0 ? "-C -s -S" : "-s -S";
  const specs = [...options.flatMap(optionSpecs), ...operands.map(operandSpec), ...more];
  return `${indent}_arguments ${[flags, ...specs.map(quote)].join(` \\\n${indent}  `)}\n`;
}

/** One for each flag, which excludes the other. */
function optionSpecs({ flags, description, value }: OptionDescription): readonly string[] {
  const exclusion = flags.length > 1 ? `(${flags.join(" ")})` : "";
  const explanation = `[${description.replace(/[\\[\]]/g, "\\$&")}]`;
  return flags.map((flag) => {
    if (value === undefined) return `${exclusion}${flag}${explanation}`;
    // The value follows at once or as the next word, or behind "=".
    const attached = flag.startsWith("--") ? "=" : "+";
    return `${exclusion}${flag}${attached}${explanation}:${value.name}:${action(value.values, value.name)}`;
  });
}

function operandSpec({ name, isRequired, isRepeated, values }: OperandDescription, index: number): string {
  const place = isRepeated ? "*" : `${index + 1}`;
  return `${place}:${isRequired || isRepeated ? "" : ":"}${name}:${action(values, name)}`;
}

function action(values: Values, name: string): string {
  switch (values.kind) {
    case "file":
      return "_files";
    case "words":
      return `(${values.words.join(" ")})`;
    case "list":
      return `_values -s , ${name} ${values.words.join(" ")}`;
    case "free":
      // As the empty action does, which however keeps zsh from completing an option that may stand in the same place.
      return ` _message ${name}`;
  }
}
