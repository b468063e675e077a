/**
 * The fuzzer finds what no chance would: it goes by what it has reached.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generator } from "../support/random.ts";
import { BlockCoverage } from "./coverage.ts";
import { Finding, Fuzzer } from "./fuzzer.ts";
import type { Note, Target } from "./target.ts";
import { loadTarget } from "./targets.ts";
import { runTask } from "./thread.ts";

const coverage = new BlockCoverage();
coverage.alsoOf(/\/test\/fuzz\/lock\.child\.js$/);
// What is to be counted is loaded after that.
const { open } = await import("./lock.child.ts");

function targetOf(run: (input: Uint8Array, note: Note) => void): Target {
  return { name: "test", dictionary: [], longest: 8, seeds: () => [], run };
}

async function search(target: Target, seed: number, batches: number): Promise<{ finding: Finding | undefined; fuzzer: Fuzzer }> {
  coverage.forget();
  const fuzzer = new Fuzzer(target, coverage, generator(seed));
  await fuzzer.add(new Uint8Array(4));
  try {
    for (let i = 0; i < batches; i++) await fuzzer.batch();
    return { finding: undefined, fuzzer };
  } catch (error) {
    assert.ok(error instanceof Finding, String(error));
    return { finding: await fuzzer.shorten(error), fuzzer };
  }
}

test("it comes through a lock of four bytes, each a block of its own, and shortens what opens it", async () => {
  const { finding, fuzzer } = await search(targetOf(open), 4, 3000);
  assert.equal(Buffer.from(finding?.input ?? []).toString("latin1"), "Lock");
  assert.ok(fuzzer.corpus.length >= 4, `${fuzzer.corpus.length}`);
});

test("it comes through by what the target notes", async () => {
  const target = targetOf((input, note) => {
    const right = [..."\x02not"].findIndex((char, i) => input[i] !== char.charCodeAt(0));
    note(`${right} right`);
    if (right < 0) throw new Error("found");
  });
  assert.notEqual((await search(target, 2, 3000)).finding, undefined);
});

test("it goes by what is ours, wherever the build has put it", async () => {
  const target = await loadTarget("map-source");
  coverage.forget();
  const fuzzer = new Fuzzer(target, coverage, generator(1));
  for (const input of target.seeds()) await fuzzer.add(input);
  // As the tests load it, and the engine's wrapper as it is published.
  for (const part of ["/.build/src/makemap/", "/.build/src/hash-file/", "/wasm/dist/"]) {
    const reached = coverage.reachedIn(part);
    assert.ok(reached > 50, `${part}: ${reached}`);
  }
});

test("a seed gives the same inputs once more", async () => {
  const inputsOf = async (seed: number): Promise<string> => {
    const inputs: string[] = [];
    await search(
      targetOf((input) => void inputs.push(Buffer.from(input).toString("hex"))),
      seed,
      3,
    );
    return inputs.join(" ");
  };
  assert.equal(await inputsOf(5), await inputsOf(5));
  assert.notEqual(await inputsOf(5), await inputsOf(6));
});

test("an input does not change in the corpus, whatever a target does with it", async () => {
  const target = targetOf((input, note) => {
    note("once");
    input.fill(7);
  });
  const { fuzzer } = await search(target, 3, 1);
  assert.deepEqual(fuzzer.corpus[0], new Uint8Array(4));
});

test("a target that there is none of is told by its name", async () => {
  await assert.rejects(
    runTask({ target: "no-such", seed: 1, seconds: 1, isSaved: false }, () => {}).then((result) => {
      if (result.kind === "finding") throw new Error(result.message);
    }),
    /no target no-such: there are map-source, /,
  );
});
