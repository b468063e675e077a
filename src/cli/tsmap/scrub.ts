/**
 * tsmap scrub: what was deleted goes out of a file for good.
 */
import { statSync } from "node:fs";
import { prepareScrub } from "../../map-file/scrub.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { replaceWith } from "./replacing.ts";
import { modeFor, targetFile } from "./target-file.ts";
import { withFile } from "./trouble.ts";

export async function run(
  { output, program }: Context,
  [file]: readonly (string | readonly string[])[],
  options: { readonly output?: string },
): Promise<number> {
  const source = String(file);
  const status = withFile(source, () => statSync(source));
  const target = targetFile(options.output ?? source);
  const isItself = target.status?.ino === status.ino && target.status.dev === status.dev;
  const inPlace = (target.status?.nlink ?? 1) > 1;
  const mode = isItself || target.status === undefined ? undefined : modeFor(target, status);
  const { bytes, pages } = await replaceWith(
    program,
    { source, target: options.output ?? source, path: target.path },
    () => prepareScrub(source, target.path, { inPlace, mode }),
    // A file without residue stays the file that it is.
    (found) => found.bytes > 0 || !isItself,
  );
  const what = bytes === 0 ? "nothing to remove" : `${counted(bytes, "byte")} of old content removed from ${counted(pages, "page")}`;
  output.write(`${printable(options.output ?? source)}: ${what}\n`);
  return 0;
}
