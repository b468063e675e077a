/**
 * Reads a database through, by every way there is, and says as JSON what
 * became of it. In a process of its own, for it might not come to an end.
 */
import { readFileSync } from "node:fs";
import { Database } from "berkeley-db-js";
import { readThrough } from "../support/read-through.ts";

const [path = "", how] = process.argv.slice(2);
const outcome = readThrough(() => Database.open(how === "bytes" ? new Uint8Array(readFileSync(path)) : path, { readOnly: true }));
process.stdout.write(JSON.stringify(outcome));
