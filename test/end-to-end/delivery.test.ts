/**
 * The guide of docs/aix-relay.md from its first step to its last: sendmail on
 * both sides, set up by `tsmap cf patch`, with the relay's database by
 * tssaslpasswd and the client's map by tsmakemap, and a message that arrives.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import { test } from "node:test";
import { isFull } from "../support/full.ts";
import { GUIDE_TOOLS, GuideMachines } from "../support/guide-machines.ts";
import { assertPredicted } from "../support/guide-predictions.ts";
import { needsNetwork } from "../support/mail-network.ts";

const MECHANISMS = ["DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN"];

const HASH_MAGIC = 0x061561;

/** As tsmakemap and tssaslpasswd are told to make the files, and what both files are then. */
const FORMS = {
  native: { args: [], byteOrder: endianness() === "LE" ? "little" : "big", version: 9 },
  "for AIX": { args: ["--target", "aix"], byteOrder: "big", version: 8 },
  "of version 7, big-endian": { args: ["--byte-order", "big", "--hash-version", "7"], byteOrder: "big", version: 7 },
  "of version 9, big-endian": { args: ["--byte-order", "big", "--hash-version", "9"], byteOrder: "big", version: 9 },
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

/** Magic number and version of a hash, on its first page. */
function formOf(path: string): { readonly byteOrder: "little" | "big"; readonly version: number } {
  const page = readFileSync(path);
  const isBig = page.readUInt32BE(12) === HASH_MAGIC;
  assert.equal(isBig ? page.readUInt32BE(12) : page.readUInt32LE(12), HASH_MAGIC);
  return { byteOrder: isBig ? "big" : "little", version: isBig ? page.readUInt32BE(16) : page.readUInt32LE(16) };
}

test("a message is delivered by a relay that asks for authentication", async (t) => {
  if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
  const machines = await GuideMachines.start(t);
  const stock = await machines.check();
  assert.deepEqual([stock.relay.exit, stock.client.exit], [1, 1], stock.relay.stdout + stock.client.stdout);
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
    const { relay, client } = await machines.check();
    assert.deepEqual([relay.exit, client.exit], [0, 0], relay.stdout + client.stdout);
    await deliver("DIGEST-MD5", "dummyuser@relay.example.com");
  });

  for (const { form, mechanism, name } of cases) {
    await t.test(`${mechanism}, the user ${name}, both databases ${form}`, async () => {
      const { args, byteOrder, version } = FORMS[form];
      await machines.makeSasldb("dummyuser", "12345", args);
      await machines.makeMap(`AuthInfo: "U:root" "I:${NAMES[name]}" "P:12345"\n`, args);
      for (const file of [machines.sasldb, machines.map]) assert.deepEqual(formOf(file), { byteOrder, version });
      await machines.startRelay({ mechanisms: mechanism });
      await deliver(mechanism, NAMES[name]);
    });
  }
});
