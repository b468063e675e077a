/**
 * Signals that end a program and are none of the usual ones: nothing of the
 * memory is left in a file, nobody gets in, and nothing stays beside the map.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { launcherOf } from "../support/program.ts";
import { temporaryFolder } from "../support/temp.ts";

const top = temporaryFolder({ after });

suite("a run that is ended by another signal", { concurrency: 2 }, () => {
  for (const [sent, ended] of [
    ["SIGQUIT", "SIGINT"],
    ["SIGUSR1", "SIGTERM"],
    ["SIGUSR2", "SIGTERM"],
    ["SIGALRM", "SIGTERM"],
    ["SIGVTALRM", "SIGTERM"],
    ["SIGXCPU", "SIGTERM"],
  ] as const) {
    test(sent, async () => {
      const folder = mkdtempSync(join(top, "run-"));
      writeFileSync(join(folder, "m.db"), "old");
      const line = [process.execPath, launcherOf("tsmakemap"), "-C", "/dev/null", "-v", "hash", "m"];
      // With room for a core.
      const child = spawn("sh", ["-c", 'ulimit -c unlimited; exec "$@"', "sh", ...line], { cwd: folder, stdio: "pipe" });
      let errors = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors += text;
      });
      // It is at work when it says the first record.
      child.stdin.write(`key secret\n${"#\n".repeat(100_000)}`);
      await once(child.stdout, "data");
      child.kill(sent);
      assert.deepEqual(await once(child, "close"), [null, ended]);
      assert.equal(errors, "");
      assert.deepEqual(readdirSync(folder), ["m.db"]);
      assert.equal(readFileSync(join(folder, "m.db"), "utf8"), "old");
    });
  }
});
