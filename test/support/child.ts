/**
 * Programs of the tests that run in a process of their own: the files
 * *.child.ts beside the tests.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * @param url of the compiled program.
 * @param timeout in milliseconds; a program that is still running is killed, and its `signal` says so.
 */
export function runChild(url: URL, args: readonly string[] = [], timeout = 20_000): SpawnSyncReturns<string> {
  // NODE_TEST_CONTEXT would make it report as a test.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawnSync(process.execPath, [fileURLToPath(url), ...args], { encoding: "utf8", timeout, killSignal: "SIGKILL", env });
}
