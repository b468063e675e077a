/**
 * Who may relay to where: the other steps of the guide, with sendmail on both
 * sides. What asks for authentication is DaemonPortOptions; relay-domains
 * counts where it is not asked for, and for mail to others than the relay's own
 * users.
 */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { test } from "node:test";
import { GUIDE_TOOLS, GuideMachines, type RelaySettings, type Submission } from "../support/guide-machines.ts";
import { assertPredicted } from "../support/guide-predictions.ts";
import { needsNetwork } from "../support/mail-network.ts";

const HERE = "reader@relay.example.com";
const ELSEWHERE = "somebody@elsewhere.example.net";
const UNLISTED = ["xyz.example.com"];

const RIGHT = 'AuthInfo: "U:root" "I:dummyuser@relay.example.com" "P:12345"\n';
const WRONG = 'AuthInfo: "U:root" "I:dummyuser@relay.example.com" "P:54321"\n';
/** sendmail takes no notice of it. */
const IGNORED = 'AuthInfo: "U:root" "I:dummyuser@relay.example.com"\n';

const REQUIRED = "530 5.7.0 Authentication required";
const DENIED = `550 5.7.1 <${ELSEWHERE}>... Relaying denied`;

const cases: readonly {
  readonly name: string;
  readonly map: string;
  readonly relay: RelaySettings;
  readonly recipient: string;
  readonly outcome: Submission["outcome"];
  /** Undefined for a message that arrives. */
  readonly refusal: string | undefined;
}[] = [
  {
    name: "who has authenticated may relay, from whichever domain",
    ...{ map: RIGHT, relay: { domains: UNLISTED }, recipient: ELSEWHERE, outcome: "authenticated", refusal: undefined },
  },
  {
    name: "who has not may send nothing, not even from a domain that is listed",
    ...{ map: WRONG, relay: {}, recipient: ELSEWHERE, outcome: "sent-without-auth", refusal: REQUIRED },
  },
  {
    name: "nor from one that is not",
    ...{ map: IGNORED, relay: { domains: UNLISTED }, recipient: ELSEWHERE, outcome: "sent-without-auth", refusal: REQUIRED },
  },
  {
    name: "a relay that does not ask for it takes mail from a domain that is listed",
    ...{ map: IGNORED, relay: { requiresAuth: false }, recipient: ELSEWHERE, outcome: "sent-without-auth", refusal: undefined },
  },
  {
    name: "and from one that is not, it denies relaying",
    ...{
      map: IGNORED,
      relay: { requiresAuth: false, domains: UNLISTED },
      recipient: ELSEWHERE,
      outcome: "sent-without-auth",
      refusal: DENIED,
    },
  },
  {
    name: "with the wrong password as well",
    ...{
      map: WRONG,
      relay: { requiresAuth: false, domains: UNLISTED },
      recipient: ELSEWHERE,
      outcome: "sent-without-auth",
      refusal: DENIED,
    },
  },
  {
    name: "but mail to its own users arrives, without authentication and without a word",
    ...{ map: WRONG, relay: { requiresAuth: false, domains: UNLISTED }, recipient: HERE, outcome: "sent-without-auth", refusal: undefined },
  },
];

test("whether a message is relayed", async (t) => {
  if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
  const machines = await GuideMachines.start(t);
  await machines.patch();
  await machines.makeSasldb("dummyuser", "12345");
  /** All that has arrived. */
  const arrived = async (): Promise<Record<string, string>> => ({
    [HERE]: machines.mailbox(),
    [ELSEWHERE]: (await machines.network.elsewhere()).join("\n"),
  });

  for (const { name, map, relay, recipient, outcome, refusal } of cases) {
    await t.test(name, async () => {
      await machines.makeMap(map);
      await machines.startRelay(relay);
      const before = await arrived();
      const { body, submission } = await machines.submit(recipient);
      await machines.settle();
      const { transcript } = submission;
      assert.equal(submission.outcome, outcome, transcript);
      assert.equal(submission.refusal, refusal, transcript);
      const after = await arrived();
      for (const address of [HERE, ELSEWHERE]) {
        const isNew = refusal === undefined && address === recipient;
        const added = after[address]?.slice(before[address]?.length) ?? "";
        assert.deepEqual(added.match(/^message \d+ of \d+$/gm) ?? [], isNew ? [body] : [], address);
        if (isNew) assert.equal(/^\t\(authenticated bits=/m.test(added), outcome === "authenticated", added);
      }
      assertPredicted(await machines.predict(submission.offered), submission);
    });
  }
});

test("mail to a name alone goes to the relay where MTAHost says so", async (t) => {
  if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
  const machines = await GuideMachines.start(t);
  await machines.patch();
  await machines.makeSasldb("dummyuser", "12345");
  await machines.makeMap(RIGHT);
  // The relay delivers what is for the client's own users.
  appendFileSync(machines.relay.path("/etc/mail/local-host-names"), `${machines.client.hostname}\n`);
  await machines.startRelay();

  await t.test("and to the client itself, where nobody listens, as long as it does not", async () => {
    const { submission } = await machines.submit("reader");
    assert.match(submission.transcript, /^reader\.\.\. Deferred: Connection refused by \[127\.0\.0\.1\]$/m);
    assert.equal(submission.outcome, "deferred");
  });

  await t.test("with authentication", async () => {
    await machines.patchMtaHost();
    const { body, submission } = await machines.submit("reader");
    assert.equal(submission.outcome, "authenticated", submission.transcript);
    await machines.settle();
    assert.ok(machines.mailbox().includes(`\n${body}\n`));
    assertPredicted(await machines.predict(submission.offered), submission);
  });
});
