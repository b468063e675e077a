/**
 * The mask is a judge of other tests, so it is tested on files that the
 * original libraries wrote: it must take away no byte that a record needs, and
 * must take away what deleted records left behind.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Database } from "berkeley-db-js";
import { pairsOf, textOf } from "./bytes.ts";
import { databaseFixture, databaseFixtures } from "./fixtures.ts";
import { maskDatabase, residueOffsets } from "./page-mask.ts";

const readable = databaseFixtures().filter(({ type, version }) => type === "btree" || version === 8 || version === 9);

for (const fixture of readable) {
  test(`masked, ${fixture.name} holds the same records and is sound`, () => {
    const bytes = new Uint8Array(readFileSync(fixture.path));
    const masked = maskDatabase(bytes);
    assert.deepEqual(residueOffsets(masked), []);
    assert.deepEqual(maskDatabase(masked), masked);
    assert.deepEqual(Database.verify(masked), []);
    using original = Database.open(bytes, { readOnly: true });
    using copy = Database.open(masked, { readOnly: true });
    assert.deepEqual(pairsOf(copy), pairsOf(original));
  });
}

test("the mask takes away what deleted records left", () => {
  const fixture = databaseFixture("v9-db5.3.28-le-residue");
  const bytes = new Uint8Array(readFileSync(fixture.path));
  assert.notEqual(residueOffsets(bytes).length, 0);
  assert.ok(fixture.residue !== undefined && fixture.residue.length > 0);
  for (const secret of fixture.residue) {
    assert.ok(textOf(bytes).includes(textOf(secret)));
    assert.ok(!textOf(maskDatabase(bytes)).includes(textOf(secret)));
  }
});
