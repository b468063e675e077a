/**
 * What was measured: one row each, ours beside theirs, with the ratio and what
 * it is to be at most.
 */
import { availableParallelism, cpus, totalmem } from "node:os";
import { type Measurement, median } from "./measure.ts";

export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly theirs?: string;
  /** Of the ratio, where there are theirs, or of the figure itself. */
  readonly figure: number;
  readonly unit?: string;
  /** The most that the figure is to be; or the least, of what is to be large. */
  readonly most?: number;
  readonly least?: number;
}

export type Figure = (measurement: Measurement) => number;

export const wall: Figure = ({ wall }) => wall;
export const cpu: Figure = ({ cpu }) => cpu;
export const peak: Figure = ({ peak }) => peak;

export class Report {
  readonly #rows: Row[] = [];

  add(row: Row): void {
    this.#rows.push(row);
  }

  /** A row of times: the ratio is the median of those of the rounds. */
  compare(what: string, figure: Figure, ours: readonly Measurement[], theirs: readonly Measurement[], most: number): void {
    const ratios = ours.map((measurement, i) => figure(measurement) / figure(theirs[i] as Measurement));
    this.add({ what, ours: seconds(ours, figure), theirs: seconds(theirs, figure), figure: median(ratios), most });
  }

  /** The rows whose figure is not what it is to be. */
  get missed(): readonly Row[] {
    return this.#rows.filter(
      ({ figure, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }) => figure > most || figure < least,
    );
  }

  /** As a table of Markdown, with the machine and the day above it. */
  toMarkdown(): string {
    const missed = new Set(this.missed);
    const lines = this.#rows.map((row) =>
      [row.what, row.ours, row.theirs ?? "", text(row.figure, row.unit), goal(row), missed.has(row) ? "**no**" : "yes"].join(" | "),
    );
    return `${machine()}

| | ours | native | figure | goal | met |
|---|---|---|---|---|---|
${lines.map((line) => `| ${line} |\n`).join("")}`;
  }
}

function seconds(list: readonly Measurement[], figure: Figure): string {
  return `${median(list.map(figure)).toFixed(2)} s`;
}

function text(value: number, unit = ""): string {
  return unit === "" ? value.toFixed(2) : `${Math.round(value).toLocaleString("en")} ${unit}`;
}

function goal({ most, least, unit }: Row): string {
  if (most !== undefined) return `at most ${unit === undefined ? most : text(most, unit)}`;
  return least === undefined ? "" : `at least ${text(least, unit)}`;
}

/** In general terms. */
function machine(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  const processor = cpus()[0]?.model.trim() ?? "unknown";
  return `${new Date().toISOString().slice(0, 10)}. Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} processors (${processor}), ${memory} GB of memory.`;
}
