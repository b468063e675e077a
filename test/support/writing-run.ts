/**
 * Commands of the table of those that write, run in folders of their own, and
 * what they leave there.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Answer } from "./captured.ts";
import type { NamedFault } from "./fault-plan.ts";
import type { Call } from "./file-faults.ts";
import type { Tree } from "./tree.ts";
import type { WritingCommand } from "./writing-commands.ts";

/** What a run answered, and left. */
export interface Left extends Answer {
  readonly tree: Tree;
}

export interface Tried extends Left {
  readonly fault: Omit<NamedFault, "fault">;
  readonly injected: number;
  /** Where it was. */
  readonly folder: string;
}

/** A command as it goes when nothing happens. */
export interface Rehearsal {
  readonly before: Tree;
  /** What it leaves. */
  readonly clean: Left;
  readonly calls: readonly Call[];
}

export interface Report extends Rehearsal {
  readonly tried: readonly Tried[];
}

/** What every-write.child.ts is asked for, by names of commands. */
export type Task =
  /** Only to make what is there before, and a run without faults. */
  | { readonly kind: "rehearse"; readonly top: string; readonly commands: readonly string[] }
  /** With each of the faults, or one of so many, from one on that the seed says. */
  | { readonly kind: "try"; readonly top: string; readonly commands: readonly string[]; readonly step: number; readonly seed: number }
  /** Once more, in these folders, by command. */
  | { readonly kind: "again"; readonly folders: Readonly<Record<string, readonly string[]>> };

/** Has a process of its own do it, which is gone afterwards. */
export async function inChild<T>(task: Task, t: { after(action: () => void): void }): Promise<T> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [fileURLToPath(new URL("every-write.child.js", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
    env,
  });
  t.after(() => child.kill("SIGKILL"));
  child.stdin.end(JSON.stringify(task));
  const answer = await text(child.stdout);
  if (answer === "") throw new Error("the child process ended without an answer");
  return JSON.parse(answer) as T;
}

/** Where a command runs, each time in another folder. */
export class RunFolders {
  readonly #place: string;
  readonly #command: WritingCommand;
  #count = 0;

  /** @param top the same for whoever is to find what was made. */
  constructor(top: string, name: string, command: WritingCommand) {
    this.#place = join(top, name.replaceAll(/\W+/g, "-"));
    this.#command = command;
  }

  /** What is there before a command, but for what is arranged in each folder. */
  get template(): string {
    return join(this.#place, "template");
  }

  makeTemplate(): void {
    mkdirSync(join(this.template, "elsewhere"), { recursive: true });
    this.#command.prepare(this.template);
  }

  /** @param label of whoever makes folders here besides others. */
  next(label = ""): string {
    const folder = join(this.#place, `${label}${this.#count++}`);
    cpSync(this.template, folder, { recursive: true, verbatimSymlinks: true });
    this.#command.arrange?.(folder);
    return folder;
  }
}

/** What a command runs with, in its folder. */
export function environmentOf(folder: string): Readonly<Record<string, string>> {
  return { SASL_CONF_PATH: join(folder, "conf"), TMPDIR: join(folder, "elsewhere") };
}

export type State = "old" | "new" | "neither";

/** What is there of the target. */
export function stateOf(command: WritingCommand, { before, clean }: Rehearsal, tree: Tree): State {
  const content = contentOf(command, tree);
  if (isSameTree(content, contentOf(command, clean.tree))) return "new";
  return isSameTree(content, contentOf(command, before)) ? "old" : "neither";
}

/** What somebody finds who opens the target. */
function contentOf(command: WritingCommand, tree: Tree): Tree {
  const { target } = command;
  return Object.fromEntries(
    Object.entries(throughLink(command, tree)).filter(([name]) => name === target || name.startsWith(`${target}/`)),
  );
}

/** A set is named by its link, whatever its folder is called. */
function throughLink({ target }: WritingCommand, tree: Tree): Tree {
  const folder = /^link to (.*)/.exec(tree[target] ?? "")?.[1];
  if (folder === undefined) return tree;
  const entries = Object.entries(tree).map(([name, what]): [string, string] =>
    name === target ? [name, "link"] : [name === folder || name.startsWith(`${folder}/`) ? name.replace(folder, `${target}/`) : name, what],
  );
  return Object.fromEntries(entries);
}

/** Names in a folder that are other than they ought to be, or too many, or not there. */
export function differences(command: WritingCommand, expected: Tree, tree: Tree): string[] {
  const [wanted, found] = [throughLink(command, expected), throughLink(command, tree)];
  return Object.keys({ ...wanted, ...found }).filter((name) => found[name] !== wanted[name]);
}

/** Whether the old content is kept beside a target that was being written in place. */
export function isKept({ target }: WritingCommand, { before }: Rehearsal, tree: Tree): boolean {
  const sum = before[target]?.split(" ").at(-1);
  return sum !== undefined && Object.entries(tree).some(([name, what]) => name.endsWith(".old") && what.endsWith(sum));
}

export function isSameTree(a: Tree, b: Tree): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What is wrong after the run that came after one which left this tree; undefined for nothing. */
export function faultOfNext(command: WritingCommand, rehearsal: Rehearsal, tree: Tree, next: Left): string | undefined {
  const { backup, once } = command;
  if (once === true && stateOf(command, rehearsal, tree) === "new") return undefined;
  if (next.exit !== 0) return `the next run: exit ${next.exit}: ${next.stderr}`;
  if (stateOf(command, rehearsal, next.tree) !== "new") return "the next run: not the new content";
  const left = differences(command, rehearsal.clean.tree, next.tree).filter((name) => backup === undefined || !name.startsWith(backup));
  return left.length > 0 ? `the next run left ${left.join(" ")}` : undefined;
}
