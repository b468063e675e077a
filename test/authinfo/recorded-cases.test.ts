/**
 * What sendmail did with an entry is what we say it does: every recorded run.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { authinfoCases, exchangeOf, outcomeOf, predictionFor } from "../support/authinfo-cases.ts";

for (const file of ["authinfo.json", "authinfo-more.json"]) {
  describe(`fixtures/cases/${file}`, () => {
    for (const recorded of authinfoCases(file)) {
      it(`${recorded.group}: ${recorded.id}`, () => {
        const { client, credentials } = predictionFor(recorded);
        const mechanisms = client.outcome === "authenticates" ? client.mechanisms : [];
        if (recorded.refuse === true) {
          assert.deepEqual(
            mechanisms,
            recorded.auth_parsed.map(({ mech }) => mech),
          );
          return assert.equal(client.outcome === "authenticates" ? client.ifRefused : client.outcome, recorded.outcome);
        }
        assert.equal(outcomeOf(client), recorded.outcome);
        if (client.outcome !== "authenticates") return assert.deepEqual(recorded.auth_parsed, []);
        assert.ok(credentials !== undefined);
        const [exchange] = recorded.auth_parsed;
        assert.deepEqual([exchangeOf(mechanisms[0] as string, client, credentials, exchange)], recorded.auth_parsed);
      });
    }
  });
}
