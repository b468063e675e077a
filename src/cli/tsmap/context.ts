/**
 * What tsmap hands to each of its commands.
 */
import type { Command } from "../commander.ts";
import type { Output } from "../output.ts";

export interface Context {
  /** The name that the program was called by. */
  readonly program: string;
  readonly output: Output;
  readonly environment: NodeJS.ProcessEnv;
  /** The whole of tsmap, for what is made from its options. */
  readonly commands: Command;
}

/** A file of this folder that has the name of a command. */
export interface CommandModule {
  /**
   * @returns the exit code.
   * @throws {Trouble}
   */
  run(context: Context, operands: readonly (string | readonly string[])[], options: object): Promise<number> | number;
}
