/**
 * What the relay of the guide refuses, and with which words: sendmail on both
 * sides, set up as in delivery.test.ts, with one thing that is wrong. Nothing
 * is delivered, and `tsmap auth` and `tsmap resolve` have said so.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { isFull } from "../support/full.ts";
import { GUIDE_TOOLS, GuideMachines } from "../support/guide-machines.ts";
import { assertPredicted } from "../support/guide-predictions.ts";
import { needsNetwork } from "../support/mail-network.ts";

/** In the order in which sendmail tries them. */
const MECHANISMS = ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"];
const FAILED = "535 5.7.0 authentication failed";
const REQUIRED = "530 5.7.0 Authentication required";

interface RefusalCase {
  readonly name: string;
  /** Whether it is for the ordinary run, too. */
  readonly isOrdinary?: true;
  /** Of dummyuser in the relay's database; default 12345. */
  readonly password?: string;
  /** Options of tssaslpasswd; default none, and so the relay's name for a realm. */
  readonly sasldb?: readonly string[];
  readonly map: string;
  /** The mechanisms that fail; default all, one after the other. */
  readonly tried?: readonly string[];
  /** The reply that ends it; default that authentication is required. */
  readonly refusal?: string | undefined;
  readonly outcome?: "deferred";
}

const RIGHT = '"U:root" "I:dummyuser@relay.example.com" "P:12345"';

const cases: readonly RefusalCase[] = [
  { name: "wrong password", isOrdinary: true, map: 'AuthInfo: "U:root" "I:dummyuser@relay.example.com" "P:54321"\n' },
  { name: "no P:", isOrdinary: true, map: 'AuthInfo: "U:root" "I:dummyuser@relay.example.com"\n', tried: [] },
  { name: "user in another realm", isOrdinary: true, sasldb: ["-u", "other.example.com"], map: `AuthInfo: ${RIGHT}\n` },
  { name: "user without realm, in another realm", sasldb: ["-u", "other.example.com"], map: 'AuthInfo: "I:dummyuser" "P:12345"\n' },
  { name: "unknown user", map: 'AuthInfo: "U:root" "I:somebody@relay.example.com" "P:12345"\n' },
  { name: "no entry for this relay", isOrdinary: true, map: `AuthInfo:relay.example.net ${RIGHT}\n`, tried: [] },
  { name: "an entry for the relay's domain alone", map: `AuthInfo:example.com ${RIGHT}\n`, tried: [] },
  { name: "user that has no password in the database", sasldb: ["-n"], map: `AuthInfo: ${RIGHT}\n` },
  { name: "entry that says no", map: `AuthInfo:relay.example.com no\nAuthInfo: ${RIGHT}\n`, tried: [] },
  { name: "comma between mechanisms", map: `AuthInfo: ${RIGHT} "M:LOGIN,PLAIN"\n`, tried: [], refusal: undefined, outcome: "deferred" },
  { name: "percent sign in the password", isOrdinary: true, password: "a%1b", map: 'AuthInfo: "I:dummyuser" "P:a%1b"\n' },
];

test("a relay that asks for authentication takes no message without it", async (t) => {
  if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
  const machines = await GuideMachines.start(t);
  await machines.patch();
  await machines.startRelay();

  /** Sends a message that must not arrive, neither where it should nor elsewhere. */
  async function fail(
    { map, password = "12345", sasldb = [], tried = MECHANISMS, outcome, ...more }: RefusalCase,
    mechanism?: string,
  ): Promise<void> {
    const refusal = "refusal" in more ? more.refusal : REQUIRED;
    await machines.makeSasldb("dummyuser", password, sasldb);
    await machines.makeMap(map);
    if (mechanism !== undefined) await machines.startRelay({ mechanisms: mechanism });
    const before = machines.mailbox();
    const { submission } = await machines.submit("reader@relay.example.com");
    const { transcript, attempts, log } = submission;
    const expected = tried.filter((name) => mechanism === undefined || name === mechanism);
    assert.deepEqual(
      attempts,
      expected.map((name) => ({ mechanism: name, reply: FAILED })),
      transcript,
    );
    assert.equal(submission.refusal, refusal, transcript);
    assert.equal(submission.outcome, outcome ?? "sent-without-auth", transcript);
    assert.doesNotMatch(log, /stat=Sent|AUTH=server/);
    await machines.settle();
    assert.equal(machines.mailbox(), before);
    assert.deepEqual(await machines.network.elsewhere(), []);
    assertPredicted(await machines.predict(submission.offered), submission);
  }

  for (const one of cases) if (isFull || one.isOrdinary) await t.test(one.name, () => fail(one));
  if (isFull) {
    for (const mechanism of MECHANISMS) {
      for (const one of cases) {
        if (one.isOrdinary) await t.test(`${one.name}, ${mechanism} alone`, () => fail(one, mechanism));
      }
    }
    await machines.startRelay();
  }

  // Though the lookups fail for the time being, mail does not wait for the map.
  const spoilt: Record<string, () => Promise<void> | void> = {
    "a map that the submission may not read": () => machines.makeMap(`AuthInfo: ${RIGHT}\n`, [], "600"),
    "a map that is not there": () => rmSync(machines.map),
  };
  for (const [name, spoil] of Object.entries(spoilt)) {
    await t.test(name, async () => {
      await machines.makeSasldb("dummyuser", "12345");
      await spoil();
      const before = machines.mailbox();
      const { submission } = await machines.submit("reader@relay.example.com");
      const { transcript, attempts, outcome, refusal } = submission;
      assert.deepEqual({ attempts, outcome, refusal }, { attempts: [], outcome: "sent-without-auth", refusal: REQUIRED }, transcript);
      await machines.settle();
      assert.equal(machines.mailbox(), before);
      assert.equal((await machines.check()).client.exit, 1);
    });
  }

  await t.test("the rule for no entry as the guide prints it, with blanks where a tab should be", async () => {
    machines.rewrite(machines.client, "/etc/mail/submit.cf", (cf) =>
      cf.replace("$@ no\tno authinfo available", "$@ no                           no authinfo available"),
    );
    await fail({ name: "", map: `AuthInfo:relay.example.net ${RIGHT}\n`, tried: [] });
  });

  await t.test("but with the right entry it does", async () => {
    await machines.makeSasldb("dummyuser", "12345");
    await machines.makeMap(`AuthInfo: ${RIGHT}\n`);
    const { body } = await machines.submit("reader@relay.example.com");
    await machines.settle();
    assert.deepEqual(machines.mailbox().match(/^message .*$/gm), [body]);
  });
});
