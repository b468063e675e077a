/**
 * The completion script of bash (4 or later): tables of our options and
 * operands, and the functions that read a command line with them. It runs no
 * program, and needs nothing of the package bash-completion.
 */
import type { ProgramDescription } from "../program-description.ts";
import type { Values } from "../values.ts";
import { namesOf, placesOf, script } from "./script.ts";

export function bashCompletion(programs: readonly ProgramDescription[]): string {
  const places = programs.flatMap((program) => placesOf(program)).map(({ words, what }) => ({ where: words.join(" "), what }));
  const options = places.map(({ where, what }) => entry(`'${where}'`, flagsOf(what).join(" ")));
  const optionValues = places.flatMap(({ where, what }) =>
    what.options.flatMap(({ flags, value }) =>
      value === undefined ? [] : [entry(flags.map((flag) => `'${where} ${flag}'`).join(" | "), wordsFor(value.values))],
    ),
  );
  const operands = places.flatMap(({ where, what }) => [
    ...what.operands.map(({ isRepeated, values }, index) => entry(`'${where} '${isRepeated ? "*" : index + 1}`, wordsFor(values))),
    ...(what.commands.length === 0 ? [] : [entry(`'${where} 1'`, `command ${namesOf(what.commands)}`)]),
  ]);
  return `# bash completion of ${programs.map(({ name }) => name).join(", ")}
# Printed by: tsmap completion bash

# What may stand somewhere comes back in REPLY: file, free, or a word for the
# kind (words, list, command) and the words. "$1" is the program and what there is
# of its commands.
_tsmap_options() {
${table("$1", options)}
}

# The value of the option "$2"; false for an option without one.
_tsmap_value() {
${table("$1 $2", optionValues)}
}

# The operand of the number "$2".
_tsmap_operand() {
${table("$1 $2", operands)}
}
${READER}
complete -F _tsmap_complete ${namesOf(programs)}
`;
}

const READER = script`
# The last option of a cluster of letters like -Nft, where it waits for its value.
_tsmap_cluster() {
  local letters=\${2#-} i
  for ((i = 0; i < \${#letters}; i++)); do
    if _tsmap_value "$1" "-\${letters:i:1}"; then
      ((i == \${#letters} - 1))
      return
    fi
  done
  return 1
}

_tsmap_complete() {
  local REPLY word i where=\${1##*/} current=\${COMP_WORDS[COMP_CWORD]} prefix= wanted= operands=0 ended=
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == *[\<\>]* ]]; then
      wanted=file # a redirection
    elif [[ $word == = && -n $wanted ]]; then
      continue # bash takes --option=value for three words
    elif [[ -n $wanted ]]; then
      wanted=
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == --* ]]; then
      if _tsmap_value "$where" "$word"; then wanted=$REPLY; fi
    elif [[ -z $ended && $word == -?* ]]; then
      if _tsmap_cluster "$where" "$word"; then wanted=$REPLY; fi
    else
      operands=$((operands + 1))
      if _tsmap_operand "$where" "$operands" && [[ $REPLY == command\ * ]]; then
        where="$where $word" operands=0
      fi
    fi
  done
  if [[ $current == = && -n $wanted ]]; then
    current=
  elif [[ $current == *[\<\>]* ]]; then
    return
  elif [[ -z $wanted && -z $ended && $current == --*=* ]]; then
    # Where COMP_WORDBREAKS has no "=".
    prefix=\${current%%=*}=
    if _tsmap_value "$where" "\${current%%=*}"; then wanted=$REPLY; fi
    current=\${current#*=}
  elif [[ -z $wanted && -z $ended && $current == -* ]]; then
    if _tsmap_options "$where"; then COMPREPLY=($(compgen -W "$REPLY" -- "$current")); fi
    return
  fi
  if [[ -z $wanted ]]; then
    if _tsmap_operand "$where" $((operands + 1)); then wanted=$REPLY; fi
  fi
  case $wanted in
    file) compopt -o default 2>/dev/null ;;
    'words '* | 'command '*) COMPREPLY=($(compgen -P "$prefix" -W "\${wanted#* }" -- "$current")) ;;
    'list '*)
      if [[ $current == *,* ]]; then
        prefix+=\${current%,*},
        current=\${current##*,}
      fi
      COMPREPLY=($(compgen -P "$prefix" -W "\${wanted#* }" -- "$current"))
      ;;
  esac
}
`;

function flagsOf({ options }: ProgramDescription): readonly string[] {
  return options.flatMap(({ flags }) => flags);
}

/** In the words that the reader understands. */
function wordsFor(values: Values): string {
  return "words" in values ? `${values.kind} ${values.words.join(" ")}` : values.kind;
}

function entry(pattern: string, reply: string): string {
  return `    ${pattern}) REPLY='${reply}' ;;`;
}

function table(subject: string, entries: readonly string[]): string {
  return [`  case "${subject}" in`, ...entries, "    *) return 1 ;;", "  esac"].join("\n");
}
