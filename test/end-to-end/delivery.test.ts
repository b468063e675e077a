/**
 * The guide of docs/aix-relay.md from its first step to its last: sendmail on
 * both sides, set up by `tsmap cf patch`, with the relay's database by
 * tssaslpasswd and the client's map by tsmakemap, and a message that arrives.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isFull } from "../support/full.ts";
import { GUIDE_TOOLS, GuideMachines } from "../support/guide-machines.ts";
import { assertPredicted } from "../support/guide-predictions.ts";
import { needsNetwork } from "../support/mail-network.ts";

const MECHANISMS = ["DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"];

/** As tsmakemap and tssaslpasswd are told to make the files. */
const FORMS = {
  native: [],
  "for AIX": ["--target", "aix"],
  "of version 8, big-endian": ["--byte-order", "big", "--hash-version", "8"],
  "of version 9, big-endian": ["--byte-order", "big", "--hash-version", "9"],
} as const;

const NAMES = { "with its realm": "dummyuser@relay.example.com", "without realm": "dummyuser" } as const;

const cases = Object.keys(FORMS).flatMap((form) =>
  MECHANISMS.flatMap((mechanism, i) =>
    Object.keys(NAMES).flatMap((name, j) => {
      // In the ordinary run each mechanism once, each form and both names among them.
      const isChosen = Object.keys(FORMS)[i] === form && i % 2 === j;
      return isFull || isChosen ? [{ form: form as keyof typeof FORMS, mechanism, name: name as keyof typeof NAMES }] : [];
    }),
  ),
);

test("a message is delivered by a relay that asks for authentication", async (t) => {
  if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
  const machines = await GuideMachines.start(t);
  await machines.patch();

  /** Sends a message that has to arrive, and says who sent it. */
  async function deliver(mechanism: string, user: string): Promise<void> {
    const before = machines.mailbox();
    const { body, submission } = await machines.submit("reader@relay.example.com");
    const { transcript, attempts, log } = submission;
    assert.deepEqual(attempts, [{ mechanism, reply: "235 2.0.0 OK Authenticated" }], transcript);
    assert.match(transcript, /^reader@relay\.example\.com\.\.\. Sent \(/m);
    assert.match(
      log,
      new RegExp(`^AUTH=server, relay=client.austin.example.com \\[192.0.2.2\\], authid=${user}, mech=${mechanism}, bits=\\d+$`, "m"),
    );
    await machines.settle();
    const mailbox = machines.mailbox();
    assert.ok(mailbox.startsWith(before));
    const [nothing, message = "", ...others] = mailbox.slice(before.length).split(/^From (?=sender@)/m);
    assert.deepEqual([nothing, others], ["", []]);
    assert.ok(message.trimEnd().endsWith(`\n\n${body}`), message);
    assert.match(message, /^\t\(authenticated bits=\d+\)\n\tby relay\.example\.com /m);
    assertPredicted(await machines.predict(submission.offered), submission);
  }

  await t.test("with everything as the guide has it", async () => {
    await machines.makeSasldb("dummyuser", "12345");
    assert.equal(await machines.listSasldb(), "dummyuser@relay.example.com: cmusaslsecretOTP\ndummyuser@relay.example.com: userPassword\n");
    await machines.makeMap('AuthInfo: "U:root" "I:dummyuser@relay.example.com" "P:12345"\n');
    await machines.startRelay();
    await deliver("DIGEST-MD5", "dummyuser@relay.example.com");
  });

  for (const { form, mechanism, name } of cases) {
    await t.test(`${mechanism}, the user ${name}, both databases ${form}`, async () => {
      await machines.makeSasldb("dummyuser", "12345", FORMS[form]);
      await machines.makeMap(`AuthInfo: "U:root" "I:${NAMES[name]}" "P:12345"\n`, FORMS[form]);
      await machines.startRelay({ mechanisms: mechanism });
      await deliver(mechanism, NAMES[name]);
    });
  }
});
