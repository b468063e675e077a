/**
 * A library does not print.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runChild } from "../support/child.ts";

test("whatever fails, nothing is printed", () => {
  const { stdout, stderr, status } = runChild(new URL("./silence.child.js", import.meta.url));
  assert.deepEqual({ stdout, stderr, status }, { stdout: "", stderr: "", status: 0 });
});
