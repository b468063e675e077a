/**
 * The corpus once more: inputs that reach what is seldom reached, and those that
 * were bugs.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readCorpus } from "./corpus.ts";
import { loadTarget, TARGET_NAMES } from "./targets.ts";

for (const name of TARGET_NAMES)
  suite(`fuzz ${name}`, () => {
    const corpus = readCorpus(name);

    test(`holds of the ${corpus.length} inputs of its corpus`, async () => {
      assert.ok(corpus.length > 5, `${corpus.length}`);
      const target = await loadTarget(name);
      for (const { name: file, input } of corpus) {
        try {
          await target.run(input, () => {});
        } catch (error) {
          throw new Error(`fixtures/fuzz/${name}/${file}: ${(error as Error).message}`, { cause: error });
        }
      }
    });
  });
