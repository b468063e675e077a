/**
 * Runs many command lines of tsmap, or of the program that their first word
 * names, in one process, where a process each would
 * take minutes: reads them from standard input as JSON, and writes what each of
 * them answered. With TSMAP_BATCH_TERMINAL in the environment their output is
 * as for a terminal without colours.
 */
import { text } from "node:stream/consumers";
import tty from "node:tty";
import { type Answer, captured } from "./captured.ts";

const PROGRAMS: readonly string[] = ["tsmakemap", "tssaslpasswd", "tssasldblist"];

const commandLines = JSON.parse(await text(process.stdin)) as readonly (readonly string[])[];
if (process.env["TSMAP_BATCH_TERMINAL"] !== undefined) {
  for (const stream of [process.stdout, process.stderr]) Object.assign(stream, { isTTY: true, hasColors: () => false });
  tty.isatty = () => true;
}
const answers: Answer[] = [];
for (const args of commandLines) {
  const [program = "", ...rest] = PROGRAMS.includes(args[0] as string) ? args : ["tsmap", ...args];
  const { main } = (await import(`#src/cli/${program}.js`)) as { main: (argv: readonly string[]) => Promise<number> };
  answers.push(await captured(() => main(["node", program, ...rest])));
}
process.stdout.write(JSON.stringify(answers));
