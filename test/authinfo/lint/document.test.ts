/**
 * docs/lint.md has the codes that there are.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { LINT_DOCUMENT, withTable } from "../../support/lint-table.ts";

it("the table of docs/lint.md is that of the rules", () => {
  const document = readFileSync(LINT_DOCUMENT, "utf8");
  assert.equal(document, withTable(document));
});
