/**
 * The network of machines leaves no trace: neither in the mail set-up of the
 * machine that it runs on, nor behind itself, however it ends.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { GUIDE_TOOLS, GuideMachines } from "./guide-machines.ts";
import { MailNetwork, needsNetwork } from "./mail-network.ts";

/** Names, sizes and times of change of everything that mail has to do with. */
function mailFiles(): string[] {
  const list = (path: string): string[] => {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return [`${path} -`];
    const own = `${path} ${status.mode} ${status.uid} ${status.gid} ${status.size} ${status.ctimeMs}`;
    return status.isDirectory() ? [own, ...readdirSync(path).flatMap((name) => list(`${path}/${name}`))] : [own];
  };
  const files = ["/etc/hosts", "/etc/resolv.conf", "/etc/passwd", "/etc/sasldb2", "/run/sendmail", "/run/log", "/run/sendmail.pid"];
  const spools = ["mqueue", "mqueue-client", "clientmqueue"].map((name) => `/var/spool/${name}`);
  return ["/etc/mail", "/usr/lib/sasl2", "/var/mail", ...spools, ...files].flatMap(list);
}

/** The processes of a process namespace, as far as this one sees them. */
function processesOf(namespace: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/pid`) === namespace;
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function within(milliseconds: number, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + milliseconds; !holds(); await delay(20)) assert.ok(Date.now() < end, "not in time");
}

describe("the network of a relay and a client", () => {
  it("has machines that are others than this one, and reach each other", async (t) => {
    if (!needsNetwork(t)) return;
    const { relay, client } = await MailNetwork.start(t);
    for (const machine of [relay, client]) {
      assert.equal((await machine.run("hostname", ["--fqdn"])).stdout, `${machine.hostname}\n`);
      assert.notEqual(machine.hostname, hostname());
      const { stdout } = await machine.run("ls", ["/etc", "/var/mail", "/var/spool"]);
      assert.equal(stdout, "/etc:\nhosts\nnsswitch.conf\nresolv.conf\nservices\n\n/var/mail:\n\n/var/spool:\n");
    }
    assert.match((await client.run("getent", ["hosts", relay.hostname])).stdout, /^192\.0\.2\.1 /);
    assert.match((await relay.run("getent", ["hosts", client.address])).stdout, / client\.austin\.example\.com$/m);
    assert.equal((await relay.run("getent", ["hosts", "nowhere.example.com"])).exit, 2);
  });

  it("leaves the mail set-up of this machine as it is", async (t) => {
    if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
    const before = mailFiles();
    const machines = await GuideMachines.start(t);
    await machines.patch();
    await machines.makeSasldb("dummyuser", "12345");
    await machines.makeMap('AuthInfo: "I:dummyuser" "P:12345"\n');
    await machines.startRelay();
    await machines.submit("reader@relay.example.com");
    await machines.settle();
    assert.notEqual(machines.mailbox(), "");
    assert.deepEqual(mailFiles(), before);
    await machines.network.stop();
    assert.deepEqual(mailFiles(), before);
    assert.equal(existsSync(machines.relay.path("/etc")), false);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    it(`ends with its servers and files when its test ends by ${signal}`, async (t) => {
      if (!needsNetwork(t, ...GUIDE_TOOLS)) return;
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const program = fileURLToPath(new URL("mail-network-user.child.js", import.meta.url));
      const child: ChildProcess = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"], env, timeout: 60_000 });
      if (child.stdout === null) throw new Error("no pipe");
      const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
      const { namespace, folder } = JSON.parse(line) as { namespace: string; folder: string };
      // Its first process, the holder of the relay's namespaces, and a daemon.
      assert.ok(processesOf(namespace).length >= 3);
      assert.equal(existsSync(folder), true);
      child.kill(signal);
      await once(child, "exit");
      await within(10_000, () => processesOf(namespace).length === 0);
      await within(10_000, () => !existsSync(folder));
    });
  }
});
