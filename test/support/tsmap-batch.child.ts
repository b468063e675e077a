/**
 * Runs many command lines of tsmap in one process, where a process each would
 * take minutes: reads them from standard input as JSON, and writes what each of
 * them answered.
 */
import { text } from "node:stream/consumers";
import { main } from "#src/cli/tsmap.js";
import { type Answer, captured } from "./captured.ts";

const commandLines = JSON.parse(await text(process.stdin)) as readonly (readonly string[])[];
const answers: Answer[] = [];
for (const args of commandLines) answers.push(await captured(() => main(["node", "tsmap", ...args])));
process.stdout.write(JSON.stringify(answers));
