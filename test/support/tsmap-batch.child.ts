/**
 * Runs many command lines of tsmap, or of the program that their first word
 * names, in one process, where a process each would
 * take minutes: reads them from standard input as JSON, and writes what each of
 * them answered. With TSMAP_BATCH_TERMINAL in the environment their output is
 * as for a terminal without colours.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { text } from "node:stream/consumers";
import tty from "node:tty";

const PROGRAMS: readonly string[] = ["tsmakemap", "tssaslpasswd", "tssasldblist"];

interface Answer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

const commandLines = JSON.parse(await text(process.stdin)) as readonly (readonly string[])[];
const answers: Answer[] = [];
const { writeSync } = fs;
const streams = [process.stdout, process.stderr] as const;
const writes = streams.map((stream) => stream.write.bind(stream));
// Each run listens to the streams anew.
for (const stream of streams) stream.setMaxListeners(0);
if (process.env["TSMAP_BATCH_TERMINAL"] !== undefined) {
  for (const stream of streams) Object.assign(stream, { isTTY: true, hasColors: () => false });
  tty.isatty = () => true;
}
for (const args of commandLines) {
  const shown: Buffer[][] = [[], []];
  for (const [i, stream] of streams.entries()) {
    stream.write = (chunk: Uint8Array | string): boolean => {
      shown[i]?.push(Buffer.from(chunk as string));
      return true;
    };
  }
  // Some of it is not left to the stream.
  fs.writeSync = ((descriptor: number, bytes: Uint8Array, from: number | null = 0, ...place: [number?, number?]): number => {
    if (descriptor > 2) return writeSync(descriptor, bytes, from, ...place);
    const start = from ?? 0;
    shown[0]?.push(Buffer.from(bytes.subarray(start)));
    return bytes.length - start;
  }) as typeof fs.writeSync;
  syncBuiltinESMExports();
  const [program, ...rest] = PROGRAMS.includes(args[0] as string) ? args : ["tsmap", ...args];
  const { main } = (await import(`#src/cli/${program}.js`)) as { main: (argv: readonly string[]) => Promise<number> };
  const exit = await main(["node", program as string, ...rest]);
  const [stdout = "", stderr = ""] = shown.map((chunks) => Buffer.concat(chunks).toString("latin1"));
  answers.push({ exit, stdout, stderr });
}
for (const [i, stream] of streams.entries()) stream.write = writes[i] as typeof stream.write;
process.stdout.write(JSON.stringify(answers));
