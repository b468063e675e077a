/**
 * How cost grows: lines against time and memory, from a thousand to ten
 * million, as two plots in one SVG. gnuplot(1) draws them.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { writeLines } from "./inputs.ts";
import { type Measurement, measure } from "./measure.ts";

const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7];
/** The best of so many: what else the machine does only adds. Of ten million, one. */
const ROUNDS = 5;
const MOST_LINES = 5e6;

export interface Program {
  readonly name: string;
  readonly command: readonly string[];
  /** Above this it takes too long. */
  readonly mostLines?: number;
}

export interface Point {
  readonly lines: number;
  readonly best: ReadonlyMap<string, Measurement>;
}

/** @param input where the lines go; removed again. */
export async function measureGrowth(programs: readonly Program[], input: string, onPoint: (point: Point) => void): Promise<Point[]> {
  const points: Point[] = [];
  for (const lines of SIZES) {
    writeLines(input, lines);
    const best = new Map<string, Measurement>();
    for (let round = lines > MOST_LINES ? ROUNDS - 1 : 0; round < ROUNDS; round++) {
      for (const { name, command, mostLines = Number.POSITIVE_INFINITY } of programs) {
        if (lines > mostLines) continue;
        const measurement = await measure(command, input);
        if (measurement.wall < (best.get(name)?.wall ?? Number.POSITIVE_INFINITY)) best.set(name, measurement);
      }
    }
    rmSync(input);
    points.push({ lines, best });
    onPoint({ lines, best });
  }
  return points;
}

/**
 * @returns the SVG.
 * @throws {Error} where gnuplot cannot draw it.
 */
export function drawGrowth(points: readonly Point[], names: readonly string[]): string {
  const data = names.map((name, i) => {
    const rows = points.flatMap(({ lines, best }) => {
      const measurement = best.get(name);
      return measurement === undefined ? [] : [`${lines} ${measurement.wall} ${measurement.peak}`];
    });
    return `$data${i} << END\n${rows.join("\n")}\nEND\n`;
  });
  const plot = (column: number): string =>
    `plot ${names.map((name, i) => `$data${i} using 1:${column} with linespoints title "${name}"`).join(", ")}`;
  const script = `
set terminal svg size 900,380 font "sans-serif,13" background "white"
set encoding utf8
${data.join("")}
set multiplot layout 1,2
set logscale xy
set xrange [700:15000000]
set xtics ("1,000" 1e3, "10,000" 1e4, "100,000" 1e5, "1 million" 1e6, "10 million" 1e7)
set xlabel "lines"
set key top left reverse Left
set grid
set title "seconds, wall time"
set format y "%g"
${plot(2)}
set title "megabytes, at most"
${plot(3)}
unset multiplot
`;
  const { status, stdout, stderr, error } = spawnSync("gnuplot", { input: script, encoding: "utf8" });
  if (error !== undefined) throw new Error("the plot needs gnuplot (Debian package gnuplot-nox)", { cause: error });
  if (status !== 0) throw new Error(`gnuplot: ${stderr}`);
  return stdout;
}
