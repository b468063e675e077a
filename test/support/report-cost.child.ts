/**
 * Loaded into a program before it starts (NODE_OPTIONS=--import=…): writes at
 * its end what it cost to the file that COST_FILE names.
 */
import { writeFileSync } from "node:fs";

/** What a process took. */
export interface Cost {
  /** Most memory in use, in bytes. */
  readonly memory: number;
  /** Milliseconds of a processor. */
  readonly time: number;
}

const file = process.env["COST_FILE"];
if (file !== undefined)
  process.on("exit", () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const cost: Cost = { memory: maxRSS * 1024, time: (userCPUTime + systemCPUTime) / 1000 };
    writeFileSync(file, JSON.stringify(cost));
  });
