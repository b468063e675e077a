/**
 * Runs commands of the table in one process, with one fault each, and writes
 * what each of them left: reads what is to be tried from standard input as
 * JSON. What it leaves is run over once more by a second process, to which the
 * first is one that has ended.
 */
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { main as tsmakemap } from "#src/cli/tsmakemap.js";
import { main as tsmap } from "#src/cli/tsmap.js";
import { main as tssaslpasswd } from "#src/cli/tssaslpasswd.js";
import { type Answer, captured } from "./captured.ts";
import { faultsOf } from "./fault-plan.ts";
import { type Fault, interposeFileCalls, type Watched, watched } from "./file-faults.ts";
import { treeOf } from "./tree.ts";
import { type ProgramName, WRITING_COMMANDS, type WritingCommand } from "./writing-commands.ts";
import { environmentOf, type Left, type Rehearsal, type Report, RunFolders, type Task, type Tried } from "./writing-run.ts";

const PROGRAMS: Readonly<Record<ProgramName, (argv: readonly string[]) => Promise<number>>> = { tsmakemap, tssaslpasswd, tsmap };

type Line = Pick<WritingCommand, "program" | "args" | "input">;

async function run(folder: string, { program, args, input }: Line, fault?: Fault): Promise<Watched<Answer>> {
  process.chdir(folder);
  Object.assign(process.env, environmentOf(folder));
  const source = input === undefined ? undefined : join(folder, input);
  return await watched(folder, source, fault, () => captured(() => PROGRAMS[program](["node", program, ...args])));
}

async function rehearse(folders: RunFolders, name: string, command: WritingCommand): Promise<Rehearsal> {
  folders.makeTemplate();
  for (const line of command.before ?? []) {
    const { result } = await run(folders.template, line);
    if (result.exit !== 0) throw new Error(`${name}: ${result.stderr}`);
  }
  const before = treeOf(folders.next());
  // What is loaded once, and read then, is loaded.
  await run(folders.next(), command);
  const folder = folders.next();
  const { result, calls } = await run(folder, command);
  return { before, clean: { ...result, tree: treeOf(folder) }, calls };
}

async function tryFaults(folders: RunFolders, name: string, command: WritingCommand, step: number, seed: number): Promise<Report> {
  const rehearsal = await rehearse(folders, name, command);
  const tried: Tried[] = [];
  for (const { fault, ...about } of faultsOf(rehearsal.calls, step * (command.step ?? 1), seed)) {
    const folder = folders.next();
    const { result, injected } = await run(folder, command, fault);
    tried.push({ ...result, fault: about, injected, tree: treeOf(folder), folder });
  }
  return { ...rehearsal, tried };
}

async function answer(task: Task): Promise<object> {
  const answers: Record<string, unknown> = {};
  if (task.kind === "again") {
    for (const [name, folders] of Object.entries(task.folders)) {
      for (const folder of folders) {
        const { result } = await run(folder, WRITING_COMMANDS[name] as WritingCommand);
        answers[folder] = { ...result, tree: treeOf(folder) } satisfies Left;
      }
    }
    return answers;
  }
  for (const name of task.commands) {
    const command = WRITING_COMMANDS[name] as WritingCommand;
    const folders = new RunFolders(task.top, name, command);
    answers[name] = await (task.kind === "try"
      ? tryFaults(folders, name, command, task.step, task.seed)
      : rehearse(folders, name, command));
  }
  return answers;
}

const task = JSON.parse(await text(process.stdin)) as Task;
interposeFileCalls();
process.stdout.write(JSON.stringify(await answer(task)));
