/**
 * Writes the manual pages into man/, beside this file's source.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { manualPages } from "./pages.ts";

/** This file runs from .build/man. */
const root = new URL("../../", import.meta.url);
const folder = new URL("man/", root);

const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string };
const pages = manualPages(version).map(({ name, text }) => ({ file: `${name}.1`, text }));
for (const { file, text } of pages) writeFileSync(new URL(file, folder), text);
for (const file of readdirSync(folder)) if (file.endsWith(".1") && !pages.some((page) => page.file === file)) rmSync(new URL(file, folder));
