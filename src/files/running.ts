/**
 * Whether a process that left its number in the name of a file, or in a file, is
 * there still. Numbers mean nothing on another host.
 */
import { kill } from "node:process";

/** One of another user counts too. */
export function isRunning(pid: number): boolean {
  try {
    kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
