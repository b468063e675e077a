/**
 * A program of ours run in this process, as often as one likes, where a process
 * each would take minutes: what it writes to its streams is kept.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

export interface Answer {
  readonly exit: number;
  /** One byte, one character. */
  readonly stdout: string;
  readonly stderr: string;
}

const STANDARD_ERROR = 2;
const streams = [process.stdout, process.stderr] as const;
// Each run listens to the streams anew.
for (const stream of streams) stream.setMaxListeners(0);

/** @param main as the launcher calls it, which resolves with the exit code. */
export async function captured(main: () => Promise<number>): Promise<Answer> {
  const shown: Buffer[][] = [[], []];
  const { writeSync } = fs;
  const writes = streams.map((stream) => stream.write);
  for (const [i, stream] of streams.entries()) {
    stream.write = (chunk: Uint8Array | string): boolean => {
      shown[i]?.push(Buffer.from(chunk as string));
      return true;
    };
  }
  // Some of it is not left to the stream.
  fs.writeSync = ((descriptor: number, bytes: Uint8Array, from: number | null = 0, ...place: [number?, number?]): number => {
    if (descriptor > STANDARD_ERROR) return writeSync(descriptor, bytes, from, ...place);
    const start = from ?? 0;
    shown[0]?.push(Buffer.from(bytes.subarray(start)));
    return bytes.length - start;
  }) as typeof fs.writeSync;
  syncBuiltinESMExports();
  try {
    const exit = await main();
    const [stdout = "", stderr = ""] = shown.map((chunks) => Buffer.concat(chunks).toString("latin1"));
    return { exit, stdout, stderr };
  } finally {
    for (const [i, stream] of streams.entries()) stream.write = writes[i] as typeof stream.write;
    fs.writeSync = writeSync;
    syncBuiltinESMExports();
  }
}
