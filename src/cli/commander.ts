/**
 * commander, which is CommonJS: required, it is there in two thirds of the time
 * that an import of it takes.
 */
import { createRequire } from "node:module";

type Commander = typeof import("commander");

const commander = createRequire(import.meta.url)("commander") as Commander;

export const Argument: Commander["Argument"] = commander.Argument;
export const Command: Commander["Command"] = commander.Command;
export const CommanderError: Commander["CommanderError"] = commander.CommanderError;
export const Option: Commander["Option"] = commander.Option;
export type Command = import("commander").Command;
export type CommanderError = import("commander").CommanderError;
export type Option = import("commander").Option;
