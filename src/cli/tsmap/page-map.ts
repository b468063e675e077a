/**
 * A drawing of how full the pages of a file are, for a terminal.
 */
import type { PageKind, PageUse } from "../../hash-file/page-survey.ts";
import type { Paint } from "./style.ts";

const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const ACROSS = 64;
/** A file with more pages than fit has several to a character. */
const MOST_ROWS = 32;
const NUMBER_WIDTH = 9;

/** A letter for those whose fill says nothing, for a terminal without colour too. */
const MARKS: Readonly<Partial<Record<PageKind, string>>> = { meta: "M", bitmap: "B", free: "·", unused: "·", internal: "I" };
const COLOURS: Readonly<Record<PageKind, Parameters<Paint>[0]>> = {
  meta: "magenta",
  bitmap: "magenta",
  internal: "magenta",
  bucket: "green",
  leaf: "green",
  chained: "cyan",
  overflow: "blue",
  duplicates: "cyan",
  free: "gray",
  unused: "gray",
};
const WORDS: Readonly<Record<PageKind, string>> = {
  meta: "M first page",
  bitmap: "B bitmap",
  internal: "I internal",
  bucket: "bucket",
  leaf: "leaf",
  chained: "chained to its bucket",
  overflow: "long items",
  duplicates: "duplicates",
  free: "· free",
  unused: "· unused",
};

export class PageMap {
  readonly #uses: readonly PageUse[];
  readonly #pageSize: number;
  readonly #paint: Paint;
  /** Pages to a character. */
  readonly #group: number;

  constructor(uses: readonly PageUse[], pageSize: number, paint: Paint) {
    this.#uses = uses;
    this.#pageSize = pageSize;
    this.#paint = paint;
    this.#group = Math.max(1, Math.ceil(uses.length / (ACROSS * MOST_ROWS)));
  }

  draw(): string {
    const cells: string[] = [];
    for (let at = 0; at < this.#uses.length; at += this.#group) cells.push(this.#cell(this.#uses.slice(at, at + this.#group)));
    let text = "";
    for (let at = 0; at < cells.length; at += ACROSS) {
      text += `${String(at * this.#group).padStart(NUMBER_WIDTH)} ${cells.slice(at, at + ACROSS).join("")}\n`;
    }
    return `${text}${this.#legend()}`;
  }

  /** The kind of most of its pages, and how full they are on the whole. */
  #cell(uses: readonly PageUse[]): string {
    const counts = new Map<PageKind, number>();
    for (const { kind } of uses) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const [[kind] = ["unused" as const]] = [...counts].sort(([, a], [, b]) => b - a);
    const fill = uses.reduce((sum, { used }) => sum + used, 0) / (uses.length * this.#pageSize);
    const level = LEVELS[Math.min(LEVELS.length - 1, Math.floor(fill * LEVELS.length))] as string;
    return this.#paint(COLOURS[kind], MARKS[kind] ?? level);
  }

  #legend(): string {
    const indent = " ".repeat(NUMBER_WIDTH + 1);
    const kinds = [...new Set(this.#uses.map(({ kind }) => kind))];
    const words = kinds.map((kind) => this.#paint(COLOURS[kind], WORDS[kind]));
    const scale = this.#group === 1 ? "" : `; ${this.#group} pages to a character`;
    // A few to a line: so that it fits.
    const lines = [`▁ empty to █ full${scale}`];
    for (let at = 0; at < words.length; at += 3) lines.push(words.slice(at, at + 3).join(", "));
    return lines.map((line) => `${indent}${line}\n`).join("");
  }
}
