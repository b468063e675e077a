/**
 * Who may read and write a file that holds passwords.
 */
import type { LintFinding } from "./finding.ts";

const GROUP_READ = 0o040;
const GROUP_WRITE = 0o020;
const OTHER_READ = 0o004;
const OTHER_WRITE = 0o002;

/**
 * Looks at the permission bits of a file.
 * @param kind a map is read by the group of the submission program, so that 0640 is right; a source text is for its owner.
 */
export function lintFileMode(mode: number, kind: "source" | "map"): LintFinding[] {
  const bits = mode & 0o777;
  const found: LintFinding[] = [];
  const add = (code: LintFinding["code"], severity: LintFinding["severity"]): void => {
    found.push({ code, severity, args: { mode: octal(bits), chmod: kind === "map" ? "0640" : octal(bits & 0o600) } });
  };
  if (bits & OTHER_WRITE) add("world-writable", "error");
  else if (bits & GROUP_WRITE) add("group-writable", "warning");
  if (bits & OTHER_READ) add("world-readable", "warning");
  else if (bits & GROUP_READ && kind === "source") add("group-readable", "note");
  return found;
}

function octal(bits: number): string {
  return bits.toString(8).padStart(4, "0");
}
