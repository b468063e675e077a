/**
 * A relay and a client of the example fleet, under the names of the two
 * machines: what `tsmap build` made is put where index.json says, and a message
 * arrives.
 */
import assert from "node:assert/strict";
import { chownSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyExamples, edit, tsmapBatch } from "../support/example-fleet.ts";
import { GUIDE_TOOLS, GuideMachines } from "../support/guide-machines.ts";
import { type Machine, needsNetwork } from "../support/mail-network.ts";
import { HOSTS } from "../support/mail-network-protocol.ts";
import { nativePath } from "../support/native.ts";
import { temporaryFolder } from "../support/temp.ts";

test("a client of the fleet sends mail through its relay", { timeout: 120_000 }, async (t) => {
  if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
  const folder = temporaryFolder(t);
  copyExamples(folder, "fleet");
  const names = { "relay1.example.com": HOSTS.relay.hostname, "client1.example.com": HOSTS.client.hostname };
  let manifest = readFileSync(join(folder, "tsmap.yaml"), "utf8");
  for (const [ours, theirs] of Object.entries(names)) {
    assert.ok(manifest.includes(ours));
    edit(folder, "tsmap.yaml", manifest, manifest.replaceAll(ours, theirs));
    manifest = readFileSync(join(folder, "tsmap.yaml"), "utf8");
  }
  const [built, checked] = await tsmapBatch(folder, [["build"], ["check"]]);
  assert.deepEqual([built?.exit, built?.stderr], [0, ""]);
  assert.deepEqual([checked?.exit, checked?.stdout], [0, "11 files, nothing found\n"]);

  const machines = await GuideMachines.start(t);
  await machines.patch();
  const { files } = JSON.parse(readFileSync(join(folder, "artifacts/index.json"), "utf8")) as {
    files: { host: string; path: string; install: string; mode: string; group: string }[];
  };
  const submitters = statSync(realpathSync(nativePath("sendmail"))).gid;
  const install = (machine: Machine): string[] => {
    const own = files.filter(({ host }) => host === machine.hostname);
    for (const { path, install: to, mode, group } of own) {
      machine.write(to, readFileSync(join(folder, "artifacts", path)), Number.parseInt(mode, 8));
      chownSync(machine.path(to), 0, group === "smmsp" ? submitters : 0);
    }
    return own.map(({ install: to }) => to);
  };
  assert.deepEqual(install(machines.relay), ["/etc/mail/access.db", "/etc/sasldb2"]);
  assert.deepEqual(install(machines.client), ["/etc/mail/authinfo/smtp-auth.db"]);

  for (const mechanism of ["DIGEST-MD5", "CRAM-MD5"]) {
    await machines.startRelay({ mechanisms: mechanism });
    const before = machines.mailbox();
    const { body, submission } = await machines.submit("reader@relay.example.com");
    assert.deepEqual(submission.attempts, [{ mechanism, reply: "235 2.0.0 OK Authenticated" }], submission.transcript);
    assert.match(submission.log, new RegExp(`^AUTH=server, .*authid=client1@relay\\.example\\.com, mech=${mechanism},`, "m"));
    await machines.settle();
    assert.ok(machines.mailbox().slice(before.length).trimEnd().endsWith(body));
  }
});
