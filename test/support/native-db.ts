/**
 * db5.3_verify and db5.3_dump.
 */
import assert from "node:assert/strict";
import { runNative } from "./native.ts";

/** Fails unless db5.3_verify finds every one of the files sound. */
export function assertVerified(paths: readonly string[]): void {
  // A few hundred names at once: far from the limit of a command line.
  for (let at = 0; at < paths.length; at += 200) {
    const result = runNative("db5.3_verify", ["-q", ...paths.slice(at, at + 200)]);
    if (result.status === 0) continue;
    for (const path of paths.slice(at, at + 200)) {
      const { status, stderr } = runNative("db5.3_verify", [path]);
      assert.equal(status, 0, `db5.3_verify ${path}: ${stderr.toString()}`);
    }
    assert.fail(`db5.3_verify: status ${result.status} for files that pass one by one`);
  }
}

/** The records that db5.3_dump lists, in its order, as latin1 text. */
export function dump(path: string): [string, string][] {
  const result = runNative("db5.3_dump", [path]);
  assert.equal(result.status, 0, `db5.3_dump ${path}: ${result.stderr.toString()}`);
  const text = result.stdout.toString("latin1");
  const body = /\nHEADER=END\n(.*)DATA=END\n/s.exec(text)?.[1];
  assert.ok(body !== undefined, `db5.3_dump ${path}: ${text.slice(0, 200)}`);
  const items = body.split("\n").slice(0, -1);
  const records: [string, string][] = [];
  const decode = (hex: string | undefined): string => Buffer.from((hex ?? "").slice(1), "hex").toString("latin1");
  for (let at = 0; at < items.length; at += 2) records.push([decode(items[at]), decode(items[at + 1])]);
  return records;
}
