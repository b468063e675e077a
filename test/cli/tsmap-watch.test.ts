/**
 * tsmap watch: builds when something changes that the fleet is made from, says
 * what is wrong, and ends with a signal.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { describe, it } from "node:test";
import { FLEET_KEY, FleetBench } from "../support/fleet-bench.ts";
import type { Outcome } from "../support/program.ts";
import type { Cleanup } from "../support/temp.ts";

/** Milliseconds that anything may take: other tests run beside it. */
const PATIENCE = 20_000;

/** A watch that runs, and what it has said since it was last asked. */
class Watch {
  readonly #outcome: Promise<Outcome>;
  #child: ChildProcess | undefined;
  #said = "";
  #heard: () => void = () => {};

  constructor(t: Cleanup, bench: FleetBench, args: readonly string[] = []) {
    this.#outcome = bench.run(["watch", ...args], {
      onSpawn: (child) => {
        this.#child = child;
        // Where the test fails before it ends it.
        t.after(() => void child.kill("SIGKILL"));
        for (const stream of [child.stdout, child.stderr])
          stream?.on("data", (chunk: Buffer) => {
            this.#said += chunk;
            this.#heard();
          });
      },
    });
  }

  /** What is said up to a line that matches; without the time that each begins with. */
  async until(line: RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const text = this.#said.replace(/^\d\d:\d\d:\d\d /gm, "");
      const match = line.exec(text);
      if (match !== null) {
        this.#said = "";
        return text;
      }
      assert.ok(Date.now() < deadline, `no ${line} in ${text}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  end(signal: NodeJS.Signals): Promise<Outcome> {
    this.#child?.kill(signal);
    return this.#outcome;
  }
}

const FLEET = `hosts:
  relay1: { databases: { sasldb2: { users: { alice: { password: { file: secrets/alice } } } } } }
  client1: { maps: { access: { source: access } } }
`;

describe("tsmap watch", () => {
  it("builds at once, and again when the manifest, a source or the file of a secret changes", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest(FLEET);
    mkdirSync(bench.path("secrets"));
    bench.write("secrets/alice", "first\n");
    bench.write("access", "example.com RELAY\n");
    const watch = new Watch(t, bench);
    assert.equal(
      await watch.until(/as they are\n/),
      "+ relay1/sasldb2: +1 user\n+ client1/access.db: +1 record\n+ index.json\n+ provenance.json\n+ SHA256SUMS\nartifacts: 5 added, 0 as they are\n",
    );
    const texts = "~ index.json\n~ provenance.json\n~ SHA256SUMS\n";

    bench.write("access", "example.com RELAY\nexample.net RELAY\n");
    assert.equal(await watch.until(/as \w+ \w+\n/), `~ client1/access.db: +1 record\n${texts}artifacts: 4 changed, 1 as it is\n`);

    bench.write("secrets/alice", "second\n");
    assert.equal(await watch.until(/as \w+ \w+\n/), `~ relay1/sasldb2: ~1 user\n${texts}artifacts: 4 changed, 1 as it is\n`);

    // As most editors write: a new file in the place of the old one.
    bench.write("access.new", "example.net RELAY\n");
    renameSync(bench.path("access.new"), bench.path("access"));
    assert.equal(await watch.until(/as \w+ \w+\n/), `~ client1/access.db: -1 record\n${texts}artifacts: 4 changed, 1 as it is\n`);

    // What is wrong is said, and the old set stays; also twice.
    const sums = bench.built("SHA256SUMS");
    bench.manifest("hosts: {\n");
    assert.match(await watch.until(/tsmap: .*\n/), /^tsmap: tsmap\.yaml:6:1: /);
    bench.manifest(FLEET.replace("access }", "later }"));
    assert.equal(await watch.until(/tsmap: .*\n/), "tsmap: tsmap.yaml:7:22: source later: no such file\n");
    assert.ok(bench.built("SHA256SUMS").equals(sums));

    // A file that comes later; the one before it is watched no more.
    bench.write("access", "nobody looks RELAY\n");
    bench.write("later", "example.org RELAY\n");
    assert.equal(
      await watch.until(/as \w+ \w+\n/),
      `~ client1/access.db: +1 record, -1 record\n${texts}artifacts: 4 changed, 1 as it is\n`,
    );

    const { signal, exit } = await watch.end("SIGTERM");
    assert.deepEqual([signal, exit], ["SIGTERM", null]);
    assert.deepEqual(bench.leftovers, []);
    assert.equal(readdirSync(bench.path(".artifacts.sets")).length, 1);
    assert.equal((await bench.run(["plan"])).exit, 0);
  });

  it("waits for what is not there yet: a source, and the file of a secret", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest(FLEET);
    const watch = new Watch(t, bench, ["tsmap.yaml", "--output", "out"]);
    assert.equal(
      await watch.until(/source .*\n/),
      "tsmap: tsmap.yaml:6:55: secret hosts.relay1.databases.sasldb2.users.alice.password: secrets/alice: no such file\n" +
        "tsmap: tsmap.yaml:7:22: source access: no such file\n",
    );
    bench.write("access", "example.com RELAY\n");
    await watch.until(/tsmap: .*\n/);
    mkdirSync(bench.path("secrets"));
    bench.write("secrets/alice", "first\n");
    assert.match(await watch.until(/as they are\n/), /out: 5 added, 0 as they are\n$/);
    // From then on it is watched as the others are.
    bench.write("secrets/alice", "second\n");
    assert.match(await watch.until(/as \w+ \w+\n/), /^~ relay1\/sasldb2: ~1 user\n/);
    bench.remove("secrets");
    assert.match(await watch.until(/tsmap: .*\n/), /secrets\/alice: no such file\n$/);
    mkdirSync(bench.path("secrets"));
    bench.write("secrets/alice", "third\n");
    assert.match(await watch.until(/as \w+ \w+\n/), /~ relay1\/sasldb2: ~1 user\n/);
    // As git does it: away, and there again.
    for (const password of ["fourth", "fifth"]) {
      bench.remove("secrets/alice");
      bench.write("secrets/alice", `${password}\n`);
      assert.match(await watch.until(/~ relay1.*\n(?:~.*\n)*.*as \w+ \w+\n/), /~ relay1\/sasldb2: ~1 user\n/);
    }
    const { signal } = await watch.end("SIGINT");
    assert.equal(signal, "SIGINT");
  });

  it("waits for the file of the key", async (t) => {
    const bench = new FleetBench(t);
    bench.write(
      "tsmap.yaml",
      "version: 1\nsettings: { target: aix }\nkey: { file: key }\nsecrets: { a: { env: ALICE } }\nhosts: { h: { databases: { d: { users: { a: a } } } } }\n",
    );
    const watch = new Watch(t, bench);
    await watch.until(/tsmap: .*key: no such file\n/);
    bench.write("key", `${FLEET_KEY}\n`);
    await watch.until(/artifacts: 4 added, 0 as they are\n/);
    await watch.end("SIGTERM");
  });

  it("ends with 2 where there is no manifest", async (t) => {
    const { exit, stderr } = await new FleetBench(t).run(["watch"]);
    assert.deepEqual(
      [exit, stderr],
      [2, "tsmap: there is no tsmap.yaml, nor tsmap.yml, nor tsmap.json in this folder: name the manifest\n"],
    );
  });
});
