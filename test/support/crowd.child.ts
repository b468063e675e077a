/**
 * One of many processes at a SASL database, through the library: a writer that
 * changes passwords of its own users one after the other, or a reader that
 * reads when it is told to. What it has done it tells the process that has
 * forked it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openSasldb, updateSasldb } from "tsmakemap";
import { type CrowdAnswer, type CrowdTask, passwordOf, REALM, sequenceOf } from "./crowd.ts";

const [role = "", file = "", ...users] = process.argv.slice(2);

/** So that those who wait have their turn. */
const PAUSE = 20;

let isOver = false;

async function write(): Promise<void> {
  for (let sequence = 1; !isOver; sequence++) {
    for (const user of users) {
      const start = performance.now();
      await updateSasldb(file, (database) => database.setPassword(user, REALM, Buffer.from(passwordOf(user, sequence))));
      tell({ kind: "written", user, sequence, took: performance.now() - start });
      await delay(Math.random() * PAUSE);
    }
  }
}

/** Every user with the password that was set last, by number; an error where the file is not whole. */
function read(): CrowdAnswer {
  try {
    using database = openSasldb(file);
    const found = database.users().map(({ user }): [string, number] => {
      const password = Buffer.from(database.get(user, REALM, "userPassword") ?? []).toString();
      return [user, sequenceOf(user, password)];
    });
    return { kind: "read", found };
  } catch (error) {
    return { kind: "failed", message: String(error) };
  }
}

function tell(answer: CrowdAnswer): void {
  process.send?.(answer);
}

process.on("message", (task: CrowdTask) => {
  if (task === "read") tell(read());
  else isOver = true;
  if (isOver && role === "reader") process.disconnect();
});
if (role === "writer") {
  await write().catch((error: unknown) => tell({ kind: "failed", message: String(error) }));
  process.disconnect();
}
