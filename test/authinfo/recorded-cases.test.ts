/**
 * What sendmail did with an entry is what we say it does: every recorded run.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { authinfoCases, exchangeOf, outcomeOf, predictionFor } from "../support/authinfo-cases.ts";

for (const file of ["authinfo.json"]) {
  describe(`fixtures/cases/${file}`, () => {
    for (const recorded of authinfoCases(file)) {
      it(`${recorded.group}: ${recorded.id}`, () => {
        const { client, password } = predictionFor(recorded);
        if (recorded.refuse === true) {
          assert.ok(client.outcome === "authenticates");
          assert.deepEqual(
            client.mechanisms,
            recorded.auth_parsed.map(({ mech }) => mech),
          );
          return;
        }
        assert.equal(outcomeOf(client), recorded.outcome);
        if (client.outcome !== "authenticates") return assert.deepEqual(recorded.auth_parsed, []);
        const [exchange] = recorded.auth_parsed;
        assert.deepEqual([exchangeOf(client.mechanisms[0] as string, client, password, exchange)], recorded.auth_parsed);
      });
    }
  });
}
