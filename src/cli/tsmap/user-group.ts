/**
 * The group that a RunAsUser of sendmail stands for. Node has no getpwnam();
 * users and groups that are not in the files of /etc are unknown.
 */
import { readFileSync } from "node:fs";

const NUMBER = /^\d+$/;

/**
 * @param runAsUser a user, by name or number, and perhaps a group behind a colon, a slash or a full stop.
 * @returns undefined for what this host does not know.
 */
export function groupOf(runAsUser: string): number | undefined {
  const [user = "", group] = runAsUser.split(/[:./]/);
  if (group !== undefined && NUMBER.test(group)) return Number(group);
  if (group !== undefined) return numberIn("/etc/group", (fields) => fields[0] === group, 2);
  const field = NUMBER.test(user) ? 2 : 0;
  return numberIn("/etc/passwd", (fields) => fields[field] === user, 3);
}

function numberIn(file: string, isIt: (fields: readonly string[]) => boolean, field: number): number | undefined {
  let text = "";
  try {
    text = readFileSync(file, "latin1");
  } catch {
    // Without the file every name is unknown.
  }
  const found = text
    .split("\n")
    .map((line) => line.split(":"))
    .find(isIt)?.[field];
  return found === undefined || !NUMBER.test(found) ? undefined : Number(found);
}
