/**
 * tsmap scrub: what was deleted goes out of a file for good.
 */
import { scrub } from "../../map-file/scrub.ts";
import { onSignal } from "../cleanup.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { targetFile } from "./target-file.ts";
import { withFile } from "./trouble.ts";

export function run({ output }: Context, [file]: readonly (string | readonly string[])[], options: { readonly output?: string }): number {
  const path = String(file);
  const target = targetFile(options.output ?? path);
  // Until it is done, signals wait: nothing is left beside the file.
  const forget = onSignal(() => {});
  try {
    const inPlace = (target.status?.nlink ?? 1) > 1;
    const { bytes, pages } = withFile(path, () => scrub(path, target.path, { inPlace }));
    const what = bytes === 0 ? "nothing to remove" : `${counted(bytes, "byte")} of old content removed from ${counted(pages, "page")}`;
    output.write(`${printable(options.output ?? path)}: ${what}\n`);
    return 0;
  } finally {
    forget();
  }
}
