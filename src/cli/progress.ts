/**
 * Progress of long work, on standard error, for somebody who looks at it.
 */
import type { SingleBar } from "cli-progress";
import { errorStream } from "./error-output.ts";
import { printable } from "./printable.ts";

/** Work that is over sooner shows nothing, in milliseconds. */
const DELAY = 700;

export interface ProgressOptions {
  /** --progress, --no-progress; undefined: on a terminal. */
  readonly wanted: boolean | undefined;
  /** What is done: "smtp-auth". */
  readonly label: string;
  /** Bytes in all, if that is known; or users. */
  readonly total: number | undefined;
  /** What is counted besides. Default: lines. */
  readonly unit?: "lines" | "users";
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #isOn: boolean;
  readonly #start = Date.now();
  #bar: SingleBar | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#isOn = options.wanted ?? errorStream().isTTY === true;
  }

  /** Tells how many bytes, and how many lines, are done; draws when it is time to. */
  async update(bytes: number, count: number): Promise<void> {
    if (!this.#isOn || Date.now() - this.#start < DELAY) return;
    const payload = { count: count.toLocaleString("en"), mb: (bytes / 1e6).toFixed(1) };
    if (this.#bar === undefined) {
      this.#bar = await makeBar(this.#options);
      this.#bar.start(this.#options.total ?? 0, bytes, payload);
    } else {
      this.#bar.update(bytes, payload);
    }
  }

  /** Removes what is drawn, so that messages have the line to themselves. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

async function makeBar({ label, total, unit = "lines" }: ProgressOptions): Promise<SingleBar> {
  // Loaded when there is something to draw: most runs are too short for it.
  const { default: progress } = await import("cli-progress");
  const amount = total === undefined ? "{mb} MB" : "{bar} {percentage}%";
  return new progress.SingleBar({
    format: `${printable(label)}: ${amount}, {count} ${unit}`,
    barsize: 24,
    fps: 8,
    stream: errorStream(),
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 2000,
    emptyOnZero: true,
  });
}
