/**
 * tsmap: looks at, compares and converts maps and SASL databases.
 */
import { endBySignals } from "./cleanup.ts";
import { type Command, CommanderError } from "./commander.ts";
import { say, sayOutputFailure, sayText } from "./error-output.ts";
import { forgetLastMatch } from "./last-match.ts";
import { Output, OutputError } from "./output.ts";
import { printable } from "./printable.ts";
import { tsmapCommand } from "./tsmap/commands.ts";
import type { Context } from "./tsmap/context.ts";
import { MODULES } from "./tsmap/modules.ts";
import { PLAN_TROUBLE, TROUBLE, Trouble } from "./tsmap/trouble.ts";
import { unreadableArgument } from "./unreadable-argument.ts";
import { programName, versionText } from "./version.ts";

/** @returns the exit code: 0 for yes or done, 1 for no or findings, 2 for trouble; see `troubleCode`. */
export async function main(argv: readonly string[] = process.argv): Promise<number> {
  const program = programName(argv, "tsmap");
  const output = new Output();
  endBySignals();
  try {
    const code = await run(program, argv.slice(2), output);
    await output.flush();
    return code;
  } catch (error) {
    if (!(error instanceof OutputError)) {
      // A mistake of ours, which is neither an answer nor a finding.
      say(`${program}: internal error: ${printable(String(error))}\n`);
      if (process.env["TSMAP_DEBUG"] !== undefined && error instanceof Error) sayText(`${error.stack}\n`);
      return troubleCode(argv.slice(2));
    }
    return sayOutputFailure(program, error, troubleCode(argv.slice(2)));
  } finally {
    forgetLastMatch();
  }
}

async function run(program: string, argv: readonly string[], output: Output): Promise<number> {
  if (argv[0] === "--version") {
    output.write(await versionText(program));
    return 0;
  }
  const unreadable = unreadableArgument(argv);
  if (unreadable !== undefined) {
    say(`${program}: ${unreadable}\n`);
    return troubleCode(argv);
  }
  let code = 0;
  const tsmap = tsmapCommand(program, async (name, operands, options) => {
    const context: Context = { program, output, environment: process.env, commands: tsmap };
    const module = await MODULES[name]?.();
    if (module === undefined) throw new Error(`${name} is not in modules.ts`);
    code = await module.run(context, operands, options);
  });
  redirect(tsmap, output);
  try {
    await tsmap.parseAsync(argv, { from: "user" });
  } catch (error) {
    // Help, of which the caller hears whether it could be written.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // What was found before comes first.
    output.push();
    if (error instanceof Trouble) for (const line of error.lines) say(`${program}: ${printable(line)}\n`);
    else if (!(error instanceof CommanderError)) throw error;
    return troubleCode(argv);
  }
  return code;
}

/** plan says 2 for changes, as other programs of that name do, and 1 for trouble. */
function troubleCode([command]: readonly string[]): number {
  return command === "plan" ? PLAN_TROUBLE : TROUBLE;
}

/** Commander's own words go where ours go. */
function redirect(command: Command, output: Output): void {
  command.configureOutput({
    writeOut: (text) => output.write(text),
    writeErr: (text) => sayText(text),
    outputError: (text, write) =>
      write(
        `${fullName(command)}: ${printable(
          text
            .replace(/^error: /, "")
            .trimEnd()
            .replaceAll("\n", " "),
        )}\n`,
      ),
  });
  for (const child of command.commands) redirect(child, output);
}

/** As it is called: "tsmap diff". */
function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
