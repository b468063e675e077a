/**
 * Mutations of good files: an error that names the damage, or an answer. Every
 * reader gives the same one, soon, with little memory, and writes nothing.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { examine, seen } from "../support/examine-database.ts";
import { isFull } from "../support/full.ts";
import { Mutator } from "../support/mutations.ts";

suite("mutations of good files", () => {
  const mutator = new Mutator();

  test(isFull ? "100,000 of them" : "as many as there is time for", () => {
    const until = isFull ? Number.POSITIVE_INFINITY : performance.now() + 6000;
    const most = isFull ? 100_000 : Number.POSITIVE_INFINITY;
    let number = 0;
    for (; number < most && performance.now() < until; number++) examine(mutator.make(number), number);
    for (const [name, count] of Object.entries(seen)) assert.ok(count > 10, `${name}: ${count} of ${number}`);
  });
});
