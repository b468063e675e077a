/**
 * tsmap verify: whether database files are sound.
 */
import { Database } from "berkeley-db-js";
import { jsonText } from "../../map-file/json-text.ts";
import { type Verification, verify } from "../../map-file/verification.ts";
import { printable } from "../printable.ts";
import type { Context } from "./context.ts";
import { counted } from "./counted.ts";
import { DAMAGED, eachFile } from "./each-file.ts";
import { type Paint, paintFor } from "./style.ts";

/** @returns 1 where a file is damaged. */
export function run(context: Context, [files = []]: readonly (string | readonly string[])[], options: { readonly json?: true }): number {
  const { output } = context;
  const paint = paintFor(process.stdout);
  return eachFile(context, [files].flat(), (file) => {
    const verification = verify(file);
    output.write(options.json ? `${jsonText(toJson(file, verification))}\n` : report(file, verification, paint));
    return verification.problems.length > 0 ? DAMAGED : 0;
  });
}

function toJson(file: string, { problems, more, records, wasVerifiedByLibdb }: Verification): object {
  return { file, isSound: problems.length === 0, records, wasVerifiedByLibdb, problems, more };
}

function report(file: string, { problems, more, layout, records, wasVerifiedByLibdb }: Verification, paint: Paint): string {
  const name = printable(file);
  if (problems.length === 0 && layout !== undefined) {
    const what = `${layout.type} version ${layout.version}, ${counted(records, "record")} on ${counted(layout.pages, "page")}`;
    const by = wasVerifiedByLibdb
      ? `a walk and Berkeley DB ${Database.libraryVersion} say so`
      : "a walk says so; Berkeley DB 5.3 does not know this version";
    return `${name}: ${paint("green", "sound")} (${what}; ${by})\n`;
  }
  const lines = problems.map(({ by: who, message }) => `${name}: ${who === "libdb" ? "Berkeley DB: " : ""}${printable(message)}\n`);
  if (more.count > 0) lines.push(`${name}: ${counted(more.count, "problem")} more${more.pages === "" ? "" : `, on pages ${more.pages}`}\n`);
  const rest = layout === undefined ? "" : `${name}: ${paint("red", "damaged")}; ${counted(records, "record")} could be read\n`;
  return `${lines.join("")}${rest}`;
}
