/**
 * The completion scripts, in the shells that they are for.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { Command } from "commander";
import { programCommands } from "#src/cli/program-description.js";
import { isKnownValue } from "#src/cli/values.js";
import { type NativeTool, nativePath, needs, runNative } from "../support/native.ts";
import { launcherOf, run } from "../support/program.ts";
import { type Cleanup, temporaryFolder } from "../support/temp.ts";
import { TERMINAL_TOOLS, Terminal } from "../support/terminal.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const FILES = ["smtp-auth", "smtp-auth.db"];
const MECHANISMS = ["SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512"];

/** A command line up to the cursor, and what it can go on with; with commas, the word behind the last. */
const LINES: readonly (readonly [line: string, completions: readonly string[]])[] = [
  ["tsmap in", ["inspect"]],
  ["tsmap li", ["lint", "list"]],
  ["tsmap help ins", ["inspect"]],
  ["tsmap completion ", ["bash", "fish", "zsh"]],
  ["tsmap cf ", ["check", "help", "patch"]],
  ["tsmap cf p", ["patch"]],
  ["tsmap help cf", ["cf"]],
  ["tsmap cf patch --role ", ["client", "relay"]],
  ["tsmap cf patch --role=r", ["relay"]],
  ["tsmap cf patch --role relay sm", FILES],
  ["tsmap cf patch --role relay smtp-auth s", []],
  ["tsmap cf patch --relay s", []],
  ["tsmap cf patch --map sm", FILES],
  ["tsmap cf check --other sm", FILES],
  ["tsmap inspect cf patch --p", ["--pages"]],
  ["tsmap dump --fo", ["--format"]],
  ["tsmap dump --format ", ["csv", "dump", "json"]],
  ["tsmap dump --format=", ["csv", "dump", "json"]],
  ["tsmap dump --format=j", ["json"]],
  ["tsmap dump --format json sm", FILES],
  ["tsmap lint --format ", ["json", "sarif", "text"]],
  ["tsmap load --type ", ["btree", "hash"]],
  ["tsmap load --input sm", FILES],
  ["tsmap load -f sm", FILES],
  ["tsmap get sm", FILES],
  ["tsmap get smtp-auth s", []],
  ["tsmap get --exact -- sm", FILES],
  ["tsmap get --exact -- -", []],
  ["tsmap inspect smtp-auth smtp-auth.db sm", FILES],
  ["tsmap diff smtp-auth sm", FILES],
  ["tsmap diff smtp-auth smtp-auth.db s", []],
  ["tsmap diff -Nt : smtp-auth sm", FILES],
  ["tsmap diff -t : -- smtp-auth smtp-auth.db s", []],
  ["tsmap plan sm", FILES],
  ["tsmap plan smtp-auth s", []],
  ["tsmap build --target ", ["aix", "native"]],
  ["tsmap build --command-timeout s", []],
  ["tsmap build --sh", ["--show-settings"]],
  ["tsmap check --format ", ["json", "sarif", "text"]],
  ["tsmap watch --output sm", FILES],
  ["tsmap auth --sasldb sm", FILES],
  ["tsmap auth --relay s", []],
  ["tsmap convert -o smtp-auth --target ", ["aix", "native"]],
  ["tsmap convert --byte-order b", ["big"]],
  ["tsmap convert --hash-version ", ["7", "8", "9"]],
  ["tsmap convert --page-size 4", ["4096"]],
  ["tsmap convert --file-id ", ["content", "random"]],
  // Operands that have the names of commands.
  ["tsmap inspect dump --p", ["--pages"]],
  ["tsmakemap ", ["btree", "hash", "implicit"]],
  ["tsmakemap -N -D % h", ["hash"]],
  ["tsmakemap -D hash b", ["btree"]],
  ["tsmakemap -i b", ["btree"]],
  ["tsmakemap hash sm", FILES],
  ["tsmakemap -C sm", FILES],
  ["tsmakemap --target aix hash sm", FILES],
  ["tsmakemap --target=aix hash sm", FILES],
  ["tsmakemap --in", ["--in-place"]],
  ["tsmakemap --no-", ["--no-progress"]],
  ["tssaslpasswd s", []],
  ["tssaslpasswd --password-file sm", FILES],
  ["tssaslpasswd --otp-mda ", ["md5", "sha1"]],
  ["tssaslpasswd --mechanisms n", ["none"]],
  ["tssaslpasswd --mechanisms OTP,SCR", MECHANISMS],
  ["tssaslpasswd --mechanisms=OTP,SCR", MECHANISMS],
  ["tssasldblist sm", FILES],
  ["tssasldblist -f sm", FILES],
  ["tssasldblist --realm s", []],
];

async function scriptOf(shell: Shell): Promise<string> {
  const { exit, stdout, stderr } = await run(process.execPath, [launcherOf("tsmap"), "completion", shell]);
  assert.deepEqual([exit, stderr], [0, ""]);
  return stdout;
}

/** A folder with the script and the files that are looked for. */
async function folderFor(t: Cleanup, shell: Shell): Promise<string> {
  const folder = temporaryFolder(t);
  for (const name of [...FILES, "other"]) writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, "script"), await scriptOf(shell));
  return folder;
}

/** Asks a shell what each line can go on with. */
type Ask = (t: TestContext, lines: readonly string[]) => Promise<readonly (readonly string[])[]>;

/** One line of words for each line; the files that bash adds by itself come from compgen. */
const BASH = `
source ./script
compopt() { [[ "$*" == "-o default" ]] && COMPREPLY+=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); }
for line; do
  # As readline does it: "=" is a word by itself, that at the cursor too.
  read -ra COMP_WORDS <<< "\${line//=/ = }"
  [[ $line == *' ' ]] && COMP_WORDS+=("")
  COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
  _tsmap_complete "\${COMP_WORDS[0]}"
  echo "\${COMPREPLY[@]}"
done
`;

const askBash: Ask = async (t, lines) => {
  const { status, stdout, stderr } = runNative("bash", ["--norc", "-c", BASH, "bash", ...lines], { cwd: await folderFor(t, "bash") });
  assert.deepEqual([status, `${stderr}`], [0, ""]);
  return split(`${stdout}`);
};

const FISH = `
source ./script
for line in $argv
  echo (complete -C "$line" | string replace -r '\\t.*' '')
end
`;

const askFish: Ask = async (t, lines) => {
  const cwd = await folderFor(t, "fish");
  const env = { ...process.env, HOME: cwd, XDG_CONFIG_HOME: cwd, XDG_DATA_HOME: cwd };
  const { status, stdout, stderr } = runNative("fish", ["--no-config", "-c", FISH, ...lines], { cwd, env });
  assert.deepEqual([status, `${stderr}`], [0, ""]);
  return split(`${stdout}`);
};

function split(text: string): string[][] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => line.split(" ").filter((word) => word !== ""));
}

/**
 * zsh completes at a terminal alone. Its completion tells us each word that it
 * admits; with -O, -A and -D it only filters.
 */
const ZSH = `
PS1=
autoload -Uz compinit
compinit -u -D
source ./script
compadd() {
  if [[ "\${@[1,(i)(-|--)]}" != *-(O|A|D)\\ * ]]; then
    local -a hits
    builtin compadd -O hits "$@"
    print -rl -- $hits >> words
  fi
  builtin compadd "$@"
}
capture() {
  _main_complete
  compstate[list]= compstate[insert]=
  print -r -- . >> words
}
zle -C capture list-choices capture
bindkey '^I' capture
print ready
`;

const askZsh: Ask = async (t, lines) => {
  const cwd = await folderFor(t, "zsh");
  writeFileSync(join(cwd, "begin"), ZSH);
  writeFileSync(join(cwd, "words"), "");
  const terminal = await Terminal.start(t, [nativePath("zsh"), "-f", "-i"], { cwd });
  await terminal.type("source ./begin\r");
  await terminal.waitFor("ready");
  const answers = (): string[] => readFileSync(join(cwd, "words"), "utf8").split(/^\.\n/m).slice(0, -1);
  for (const [index, line] of lines.entries()) {
    await terminal.type(`${line}\t`);
    await terminal.until(() => answers().length > index, `what follows ${line}`);
    // ^U
    await terminal.type("\u0015");
  }
  return answers().map((answer) => answer.split("\n").filter((word) => word !== ""));
};

const ASK: Readonly<Record<Shell, Ask>> = { bash: askBash, zsh: askZsh, fish: askFish };
const TOOLS: Readonly<Record<Shell, readonly NativeTool[]>> = { bash: ["bash"], zsh: ["zsh", ...TERMINAL_TOOLS], fish: ["fish"] };
const CHECKS: Readonly<Record<Shell, string>> = { bash: "-n", zsh: "-n", fish: "--no-execute" };

/** Words and the whole of a word are both right: "json", "--format=json", "OTP,none". */
function lastPart(word: string): string {
  return word
    .replace(/^--[^=]*=(?=.)/, "")
    .replace(/^.*,/, "")
    .replace(/=$/, "");
}

/** A program, its commands, and theirs. */
function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

function calledAs(command: Command): string {
  return command.parent === null ? command.name() : `${calledAs(command.parent)} ${command.name()}`;
}

/** Where options may stand, with those that are not hidden. */
function places(): { where: string; flags: readonly string[] }[] {
  return programCommands().flatMap((program) =>
    allOf(program).map((command) => {
      const flags = command.options.filter(({ hidden }) => !hidden).flatMap(({ short, long }) => [short, long]);
      const help = command.helpInformation().includes("-h, --help") ? ["-h", "--help"] : [];
      return {
        where: calledAs(command),
        flags: [...flags.filter((flag) => flag !== undefined), ...help].sort(),
      };
    }),
  );
}

for (const shell of SHELLS)
  describe(`the completion of ${shell}`, () => {
    it("is a script that the shell can read", async (t) => {
      if (!needs(t, shell)) return;
      const folder = await folderFor(t, shell);
      const { status, stderr } = runNative(shell, [CHECKS[shell], join(folder, "script")]);
      assert.deepEqual([status, `${stderr}`], [0, ""]);
    });

    it("offers what can follow", async (t) => {
      if (!needs(t, ...TOOLS[shell])) return;
      const answers = await ASK[shell](
        t,
        LINES.map(([line]) => line),
      );
      const found = LINES.map(([line], index) => [line, [...new Set(answers[index]?.map(lastPart))].sort()]);
      assert.deepEqual(found, LINES);
    });

    it("offers every option that is not hidden, and no other", async (t) => {
      if (!needs(t, ...TOOLS[shell])) return;
      const expected = places();
      assert.ok(expected.length > 15);
      const answers = await ASK[shell](
        t,
        expected.map(({ where }) => `${where} -`),
      );
      const found = expected.map(({ where }, index) => ({ where, flags: [...new Set(answers[index]?.map(lastPart))].sort() }));
      assert.deepEqual(found, expected);
    });

    it("has every command, and in zsh and fish every description", async () => {
      const text = (await scriptOf(shell)).replaceAll("'\\''", "'").replaceAll("\\", "");
      for (const program of programCommands())
        for (const command of allOf(program)) {
          assert.ok(text.includes(command.name()));
          if (shell === "bash") continue;
          if (command !== program) assert.ok(text.includes(command.description().replaceAll("\\", "")), command.name());
          for (const { hidden, description } of command.options) assert.ok(hidden || text.includes(description), description);
        }
    });
  });

describe("the completion of bash at a terminal", () => {
  it("completes names of files, values behind = and redirections", async (t) => {
    if (!needs(t, "bash", ...TERMINAL_TOOLS)) return;
    const cwd = await folderFor(t, "bash");
    writeFileSync(join(cwd, "two words"), "");
    const env = { INPUTRC: "/dev/null", PS1: "", HISTFILE: "" };
    const terminal = await Terminal.start(t, [nativePath("bash"), "--norc", "--noprofile", "-i"], { cwd, env });
    // What is completed is shown as it would be called.
    await terminal.type(
      "for p in tsmap tsmakemap; do eval \"$p() { printf '{%s}' $p \\\"\\$@\\\"; }\"; done; source ./script; echo rea''dy\r",
    );
    await terminal.waitFor("ready");
    const completed = async (keys: string, shown: string): Promise<void> => {
      await terminal.type(`${keys}\r`);
      await terminal.waitFor(shown);
    };
    await completed("tsmap dump two\t", "{tsmap}{dump}{two words}");
    await completed("tsmap dump --format=j\t", "{tsmap}{dump}{--format=json}");
    await completed("tsmap insp\toth\t", "{tsmap}{inspect}{other}");
    await completed("tsmakemap h\toth\t < two\t", "{tsmakemap}{hash}{other}");
    await completed("bind 'set show-all-if-ambiguous on'; tsmap", "{tsmap}");
    await terminal.type("tsmap dump --format=\t");
    await terminal.waitFor("csv   dump  json");
    await completed("c\t", "{tsmap}{dump}{--format=csv}");
    await completed("COMP_WORDBREAKS=' <>;'; tsmap", "{tsmap}");
    await completed("tsmap dump --format=j\t", "{tsmap}{dump}{--format=json}");
    await terminal.type("exit\r");
  });
});

describe("the completion of zsh at a terminal", () => {
  it("completes as a file of fpath, from the first program on", async (t) => {
    if (!needs(t, ...TOOLS.zsh)) return;
    const cwd = temporaryFolder(t);
    for (const name of ["smtp-auth", "two words"]) writeFileSync(join(cwd, name), "");
    writeFileSync(join(cwd, "_tsmap"), await scriptOf("zsh"));
    const terminal = await Terminal.start(t, [nativePath("zsh"), "-f", "-i"], { cwd });
    await terminal.type("PS1=; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D\r");
    await terminal.type("for p in tssaslpasswd tsmap; do eval \"$p() { printf '{%s}' $p \\\"\\$@\\\"; }\"; done; echo rea''dy\r");
    await terminal.waitFor("ready");
    /** Types each beginning, and a tab when it is shown: a tab among other keys that wait is a tab. */
    const completed = async (steps: readonly (readonly [keys: string, rest: string])[], called: string): Promise<void> => {
      for (const [keys, rest] of steps) {
        await terminal.type(keys);
        await terminal.waitFor(keys);
        await terminal.type("\t");
        await terminal.waitFor(rest);
      }
      await terminal.type("\r");
      await terminal.waitFor(called);
    };
    const mechanisms = [
      ["tssaslpasswd --mech", "anisms="],
      ["OTP,SCRAM-SHA-5", "12"],
    ] as const;
    await completed(mechanisms, "{tssaslpasswd}{--mechanisms=OTP,SCRAM-SHA-512}");
    const inspect = [
      ["tsmap insp", "ect"],
      ["tw", "o\\ words"],
    ] as const;
    await completed(inspect, "{tsmap}{inspect}{two words}");
    const auth = [
      ["tsmap auth --rel", "ay="],
      ["host --js", "on"],
    ] as const;
    await completed(auth, "{tsmap}{auth}{--relay=host}{--json}");
  });
});

describe("values", () => {
  it("all are ones of which the tables of completion know something", () => {
    for (const program of programCommands())
      for (const command of allOf(program)) {
        for (const { flags, short, long, argChoices, hidden } of command.options) {
          const name = /[<[]([^>\]]+)/.exec(flags)?.[1];
          if (name !== undefined && argChoices === undefined && !hidden)
            assert.ok(isKnownValue(long ?? short ?? "", name), `src/cli/values.ts says nothing of ${flags}`);
        }
        for (const argument of command.registeredArguments)
          if (argument.argChoices === undefined && argument.name() !== "operands")
            assert.ok(isKnownValue("", argument.name()), `src/cli/values.ts says nothing of the operand ${argument.name()}`);
      }
  });
});

describe("help and completion", () => {
  const CALLS = [["--help"], ["diff", "--help"], ["completion", "bash"], ["completion", "zsh"], ["completion", "fish"]];

  it("hold no escape codes in a pipe", async () => {
    for (const args of CALLS) {
      const { exit, stdout, stderr } = await run(process.execPath, [launcherOf("tsmap"), ...args], { env: { TERM: "xterm-256color" } });
      assert.deepEqual([exit, stderr, stdout.includes("\u001b")], [0, "", false], args.join(" "));
      assert.ok(stdout.length > 100);
    }
  });

  it("hold none on a terminal with NO_COLOR", async (t) => {
    if (!needs(t, ...TERMINAL_TOOLS)) return;
    for (const args of CALLS) {
      const terminal = await Terminal.start(t, [process.execPath, launcherOf("tsmap"), ...args], {
        env: { NO_COLOR: "1", TERM: "xterm-256color", COLORTERM: "truecolor" },
      });
      const { exit } = await terminal.end();
      assert.equal(exit, 0);
      assert.ok(terminal.shown.length > 100);
      assert.ok(!terminal.shown.includes("\u001b"), args.join(" "));
    }
  });
});
