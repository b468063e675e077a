/**
 * tsmap plan and build: what they say of what changes, with secrets masked, and
 * how they end.
 */
import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { FLEET_SECRET, FleetBench, publishedSchema } from "../support/fleet-bench.ts";
import { isFull } from "../support/full.ts";
import type { Outcome } from "../support/program.ts";

const isPlan = publishedSchema("plan");

interface Plan {
  readonly changes: readonly {
    readonly path: string;
    readonly action: string;
    readonly notes: readonly string[];
    readonly users: readonly { readonly action: string; readonly user: string; readonly properties: readonly string[] }[];
    readonly records: readonly {
      readonly action: string;
      readonly key?: string;
      readonly before: readonly object[];
      readonly after: readonly object[];
    }[];
  }[];
  readonly unchanged: number;
  readonly output?: string;
}

function planOf({ stdout }: Outcome): Plan {
  const plan = JSON.parse(stdout) as Plan;
  assert.ok(isPlan(plan), JSON.stringify(isPlan.errors));
  return plan;
}

const FLEET = `hosts:
  relay1:
    databases: { sasldb2: { users: { alice: alice, bob: bob } } }
  client1:
    maps:
      smtp-auth: { entries: { relay1: { login: alice@relay1, password: alice } } }
      access: { source: access }
`;

function fleetBench(t: { after(action: () => void): void }): FleetBench {
  const bench = new FleetBench(t);
  bench.manifest(FLEET);
  bench.write("access", "example.com RELAY\nexample.net REJECT\n");
  return bench;
}

describe("tsmap plan", () => {
  it("says all that is to be made, with exit code 2, and makes nothing", async (t) => {
    const bench = fleetBench(t);
    const { exit, stdout, stderr } = await bench.run(["plan"]);
    assert.deepEqual([exit, stderr], [2, ""]);
    assert.equal(
      stdout,
      `+ relay1/sasldb2
    + alice@relay1 (cmusaslsecretOTP, userPassword)
    + bob@relay1 (cmusaslsecretOTP, userPassword)
+ client1/smtp-auth.db
    + authinfo:relay1\t"I:alice@relay1" "P:***"
+ client1/access.db
    + example.com\tRELAY
    + example.net\tREJECT
+ index.json
+ provenance.json
+ SHA256SUMS
6 to add, 0 as they are
`,
    );
    assert.throws(() => lstatSync(bench.path("artifacts")), { code: "ENOENT" });
    assert.deepEqual(bench.leftovers, []);
  });

  it("says nothing to do where it is so, with exit code 0", async (t) => {
    const bench = fleetBench(t);
    const built = await bench.build();
    assert.equal(
      built,
      `+ relay1/sasldb2: +2 users
+ client1/smtp-auth.db: +1 record
+ client1/access.db: +2 records
+ index.json
+ provenance.json
+ SHA256SUMS
artifacts: 6 added, 0 as they are
`,
    );
    const link = lstatSync(bench.path("artifacts")).ino;
    const { exit, stdout } = await bench.run(["plan"]);
    assert.deepEqual([exit, stdout], [0, "nothing to do, 6 files as the manifest has it\n"]);
    assert.equal(await bench.build(), "artifacts: nothing to do, 6 files as the manifest has it\n");
    assert.equal(lstatSync(bench.path("artifacts")).ino, link, "the link is not touched");
    assert.deepEqual(planOf(await bench.run(["plan", "--json"])), { changes: [], unchanged: 6 });
  });

  it("says users and records that are added, changed and removed, and what else is different", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    bench.manifest(
      FLEET.replace("bob: bob", "carol: bob")
        .replace("access: { source: access }", "access: { source: access, mode: '0600', byte-order: little }")
        .replace("relay1: { login", "relay2: { login"),
    );
    bench.write("access", "example.com OK\nexample.org RELAY\n");
    const { exit, stdout } = await bench.run(["plan"], { env: { ALICE: "another-password" } });
    assert.equal(exit, 2);
    assert.equal(
      stdout,
      `~ relay1/sasldb2
    ~ alice@relay1 (cmusaslsecretOTP, userPassword)
    - bob@relay1 (cmusaslsecretOTP, userPassword)
    + carol@relay1 (cmusaslsecretOTP, userPassword)
~ client1/smtp-auth.db
    - authinfo:relay1\t"I:alice@relay1" "P:***"
    + authinfo:relay2\t"I:alice@relay1" "P:***"
~ client1/access.db
    byte order big becomes little
    mode 0640 becomes 0600
    ~ example.com\tRELAY becomes OK
    - example.net\tREJECT
    + example.org\tRELAY
~ index.json
~ provenance.json
~ SHA256SUMS
6 to change, 0 as they are
`,
    );
    assert.ok(!stdout.includes("another-password"));
    const { changes } = planOf(await bench.run(["plan", "--json"]));
    assert.deepEqual(
      changes
        .slice(0, 3)
        .map(({ path, action, notes, users, records }) => [
          path,
          action,
          notes,
          users.map((user) => `${user.action} ${user.user}`),
          records.map((record) => `${record.action} ${record.key}`),
        ]),
      [
        ["relay1/sasldb2", "change", [], ["remove bob@relay1", "add carol@relay1"], []],
        ["client1/smtp-auth.db", "change", [], [], ["remove authinfo:relay1", "add authinfo:relay2"]],
        [
          "client1/access.db",
          "change",
          ["byte order big becomes little", "mode 0640 becomes 0600"],
          [],
          ["change example.com", "remove example.net", "add example.org"],
        ],
      ],
    );
  });

  it("says that the secret of a record is another, and not which", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    const env = { ALICE: "another-password" };
    const { stdout } = await bench.run(["plan"], { env });
    assert.match(stdout, /^~ client1\/smtp-auth\.db\n {4}~ authinfo:relay1\t"I:alice@relay1" "P:\*\*\*" \(the secret in it\)$/m);
    const json = await bench.run(["plan", "--json"], { env });
    assert.ok(!(stdout + json.stdout).includes("another-password"));
    const data = { data: '"I:alice@relay1" "P:***"' };
    assert.deepEqual(planOf(json).changes[1]?.records, [{ action: "change", key: "authinfo:relay1", before: [data], after: [data] }]);
  });

  it("says files that go, are damaged, or are changed by others", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    writeFileSync(bench.path("artifacts/relay1/more"), "x");
    writeFileSync(bench.path("artifacts/client1/access.db"), "no database");
    chmodSync(bench.path("artifacts/relay1/sasldb2"), 0o644);
    bench.manifest(FLEET.replace(/ {6}smtp-auth.*\n/, ""));
    const { exit, stdout } = await bench.run(["plan"]);
    assert.equal(exit, 2);
    assert.match(
      stdout,
      /^~ relay1\/sasldb2\n {4}mode 0644 becomes 0600\n~ client1\/access\.db\n {4}what is there cannot be read: .*\n {4}\+ example\.com/,
    );
    assert.match(
      stdout,
      /^- client1\/smtp-auth\.db\n- relay1\/more\n2 removed|^- client1\/smtp-auth\.db\n- relay1\/more\n5 to change, 2 to remove, 0 as they are\n/m,
    );
    await bench.build();
    assert.equal((await bench.run(["plan"])).exit, 0);
  });

  it("says fifty of many changes, and all of them where it is asked to", async (t) => {
    const bench = fleetBench(t);
    bench.write("access", Array.from({ length: 60 }, (_, i) => `host${i} RELAY\n`).join(""));
    const lines = async (...args: string[]): Promise<string[]> =>
      (await bench.run(["plan", ...args])).stdout.split("\n").filter((line) => /^ {4}(\+ host|…)/.test(line));
    const shown = await lines();
    assert.deepEqual([shown.length, shown.at(-1)], [51, "    … and 10 more (--all)"]);
    assert.equal((await lines("--all")).length, 60);
    assert.equal(planOf(await bench.run(["plan", "--json"])).changes[2]?.records.length, 60);
  });

  it("says of bytes that are no text what they are", async (t) => {
    const bench = fleetBench(t);
    bench.write("access", Buffer.from("caf\xe9 \xff\xfe\n", "latin1"));
    const [record] = planOf(await bench.run(["plan", "--json"])).changes[2]?.records ?? [];
    assert.deepEqual(record, { action: "add", keyBase64: "Y2Fm6Q==", before: [], after: [{ dataBase64: "//4=" }] });
  });

  it("ends with 1 for trouble, of whatever kind", async (t) => {
    const bench = fleetBench(t);
    const none = new FleetBench(t);
    for (const [args, message, at = bench] of [
      [["plan", "--bogus"], /unknown option/],
      [["plan", "a", "b"], /too many arguments/],
      [["plan", "--output"], /argument missing/],
      [["plan", "none.yaml"], /^tsmap: none\.yaml: No such file or directory\n$/],
      [["plan", "."], /^tsmap: \.: Is a directory\n$/],
      [["plan"], /^tsmap: there is no tsmap\.yaml, nor tsmap\.yml, nor tsmap\.json in this folder: name the manifest\n$/, none],
      [["plan", "--target", "x"], /^tsmap: --target: "x" is not /],
      [["plan", "access"], /^tsmap: access:1:1: manifest: has to be a mapping\n$/],
    ] as const) {
      const { exit, stdout, stderr } = await at.run(args);
      assert.deepEqual([exit, stdout], [1, ""], args.join(" "));
      assert.match(stderr, message);
    }
    bench.write("artifacts", "precious");
    const { exit, stderr } = await bench.run(["plan"]);
    assert.deepEqual([exit, stderr], [1, "tsmap: artifacts: not a link that tsmap build made: move it away, or choose another output\n"]);
    assert.equal((await bench.run(["plan", "--help"])).exit, 0);
  });
});

describe("tsmap build", () => {
  it("says what it did as JSON too", async (t) => {
    const bench = fleetBench(t);
    const plan = planOf(await bench.run(["build", "--json"]));
    assert.deepEqual([plan.output, plan.changes.length, plan.unchanged], ["artifacts", 6, 0]);
    assert.deepEqual(planOf(await bench.run(["build", "--json"])).changes, []);
  });

  it("builds beside the manifest, wherever it is called, and where it is told", async (t) => {
    const bench = fleetBench(t);
    const options = { cwd: "/" };
    for (const output of ["artifacts", "other", "third/"]) {
      const { exit, stderr } = await bench.run(["build", bench.path("tsmap.yaml"), "--output", output], options);
      assert.deepEqual([exit, stderr], [0, ""]);
      assert.ok(readFileSync(bench.path(`${output}/SHA256SUMS`), "utf8").includes("  relay1/sasldb2\n"));
    }
    // A second time, with the slash that a shell's completion gives.
    const { stdout } = await bench.run(["build", "--output", "third/"]);
    assert.equal(stdout, "third: nothing to do, 6 files as the manifest has it\n");
  });

  it("makes the same of a manifest in JSON", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    const sums = bench.built("relay1/sasldb2");
    bench.remove("tsmap.yaml");
    const secrets = { key: { env: "KEY" }, alice: { env: "ALICE" }, bob: { env: "BOB" } };
    const hosts = { relay1: { databases: { sasldb2: { users: { alice: "alice", bob: "bob" } } } } };
    bench.write("tsmap.json", JSON.stringify({ version: 1, settings: { target: "aix" }, key: "key", secrets, hosts }, undefined, "\t"));
    await bench.build();
    assert.ok(bench.built("relay1/sasldb2").equals(sums));
  });

  it("tells of all that is wrong at once, with places, exit code 2, and the old set as it was", async (t) => {
    const bench = fleetBench(t);
    await bench.build();
    const sums = bench.built("SHA256SUMS");
    const others = [
      ["plan", 1],
      ["check", 2],
    ] as const;
    const expect = async (env: NodeJS.ProcessEnv, ...lines: readonly string[]): Promise<void> => {
      for (const [command, exit] of [["build", 2], ...("ALICE" in env && env["ALICE"] === undefined ? others : [])] as const) {
        const outcome = await bench.run([command], { env });
        assert.deepEqual(
          [outcome.exit, outcome.stdout, outcome.stderr.split("\n")],
          [exit, "", [...lines.map((line) => `tsmap: ${line}`), ""]],
        );
      }
      assert.ok(bench.built("SHA256SUMS").equals(sums));
      assert.deepEqual(bench.leftovers, []);
    };
    await expect(
      { ALICE: undefined, BOB: "" },
      "tsmap.yaml:4:31: secret alice: the environment has no ALICE",
      "tsmap.yaml:4:54: secret bob: it is empty",
    );
    await expect(
      { KEY: "short" },
      'tsmap.yaml:4:12: secret key: a key of 5 bytes, where 16 are needed. Make one, "openssl rand -base64 32 > fleet.key", keep it as a secret, and name it: key: { file: fleet.key }',
    );
    await expect(
      { ALICE: "a\rb\r" },
      "tsmap.yaml:4:31: secret alice: it ends in a carriage return, which nobody types: its file has the line ends of another system",
    );
    await expect({ ALICE: "x".repeat(2049) }, "tsmap.yaml:4:31: secret alice: it is longer than the 2048 bytes that saslpasswd reads");
    bench.write("access", "example.com OK\nexample.com RELAY\nnothing\n leading OK\n");
    await expect(
      {},
      "access:2: a key that is there already: makemap would leave it out; see duplicates",
      "access:3: a key without a value: makemap would leave it out",
      "access:4: begins with a blank: makemap would leave it out",
    );
    bench.remove("access");
    await expect({}, "tsmap.yaml:11:7: source access: no such file");
  });

  it("wants a key for a text with passwords in it", async (t) => {
    const bench = new FleetBench(t);
    bench.write("auth", `AuthInfo:relay "U:u" "P:${FLEET_SECRET}"\n`);
    bench.write("tsmap.yaml", "version: 1\nsettings: { target: aix }\nhosts: { h: { maps: { m: { source: auth } } } }\n");
    const { exit, stderr } = await bench.run(["build"]);
    assert.equal(exit, 2);
    assert.match(stderr, /^tsmap: tsmap\.yaml:3:23: h\/m\.db holds passwords, and key is missing\. Make one, /);
    assert.deepEqual(bench.leftovers, []);
  });

  it("has all its inputs in provenance, those of one name among them", async (t) => {
    const bench = new FleetBench(t);
    const command = (word: string): string => `{ password: { command: [echo, ${word}-password] } }`;
    bench.manifest(`hosts: { h: { databases: { d: { users: { a: ${command("one")}, b: ${command("two")}, c: alice } } } } }\n`);
    await bench.build();
    const { predicate } = JSON.parse(`${bench.built("provenance.json")}`) as {
      predicate: { buildDefinition: { resolvedDependencies: { name: string }[] } };
    };
    assert.deepEqual(
      predicate.buildDefinition.resolvedDependencies.map(({ name }) => name),
      ["tsmap.yaml", "command echo", "command echo", "env ALICE"],
    );
  });

  it("gives programs no variable that a secret is in", async (t) => {
    const bench = new FleetBench(t);
    bench.write("tool", "#!/bin/sh\nenv > seen\necho a-password\n");
    chmodSync(bench.path("tool"), 0o700);
    bench.manifest(
      "hosts: { h: { databases: { d: { users: { a: { password: { command: [./tool] } }, b: alice, c: { password: { env: LATE } } } } } } }\n" +
        "profiles: { p: { databases: { d: { users: { x: { password: { env: UNUSED } } } } } } }\n",
    );
    const { exit, stderr } = await bench.run(["build"], { env: { LATE: "late-password", SHOWN: "yes", UNUSED: "unused-password" } });
    assert.deepEqual([exit, stderr], [0, ""]);
    const seen = readFileSync(bench.path("seen"), "utf8");
    assert.match(seen, /^SHOWN=yes$/m);
    // BOB is a secret too, though nobody uses it.
    assert.doesNotMatch(seen, /^(KEY|ALICE|BOB|LATE|UNUSED)=/m);
  });

  it("is ended by a signal that comes while a program gives a secret, or while it computes; the old set stays", async (t) => {
    const bench = new FleetBench(t);
    bench.write("tool", "#!/bin/sh\ntouch begun\nsleep 1\necho a-password\n");
    chmodSync(bench.path("tool"), 0o700);
    const many = Array.from({ length: 4000 }, (_, i) => `u${i}: alice`).join(", ");
    const manifests = [
      "hosts: { h: { databases: { d: { users: { a: { password: { command: [./tool] } } } } } } }\n",
      `hosts: { h: { databases: { d: { mechanisms: [SCRAM-SHA-256], users: { a: { password: { command: [./tool] } }, ${many} } } } } }\n`,
    ];
    bench.manifest("hosts: { h: { databases: { d: { users: { a: alice } } } } }\n");
    await bench.build();
    const before = bench.built("SHA256SUMS");
    for (const [i, manifest] of manifests.entries()) {
      bench.manifest(manifest);
      for (const signal of isFull ? (["SIGTERM", "SIGINT"] as const) : (["SIGTERM"] as const)) {
        rmSync(bench.path("begun"), { force: true });
        const outcome = await bench.run(["build"], {
          onSpawn: (child) => {
            const timer = setInterval(() => {
              if (!existsSync(bench.path("begun"))) return;
              clearInterval(timer);
              // In the second manifest when the program is through, and passwords are computed.
              setTimeout(() => child.kill(signal), i === 0 ? 0 : 1300);
            }, 20);
          },
        });
        assert.deepEqual([outcome.exit, outcome.signal], [null, signal], `${i} ${outcome.stdout}`);
        assert.deepEqual(bench.built("SHA256SUMS"), before);
        assert.equal(readdirSync(bench.path(".artifacts.sets")).length, 1, "nothing of the new set is left");
      }
    }
  });

  it("takes the manifest for a secret where an inline password is in it, even one that nothing uses", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest(`profiles: { p: { databases: { d: { users: { a: { password: { inline: ${FLEET_SECRET} } } } } } } }
hosts: { h: { profile: p, databases: { d: { users: { a: ~, b: bob } } } } }\n`);
    await bench.build();
    const [first] = (
      JSON.parse(`${bench.built("provenance.json")}`) as {
        predicate: { buildDefinition: { resolvedDependencies: { digest: object }[] } };
      }
    ).predicate.buildDefinition.resolvedDependencies;
    assert.deepEqual(Object.keys(first?.digest ?? {}), ["hmacSha256"]);
  });

  it("shows progress of users too", async (t) => {
    const bench = new FleetBench(t);
    const many = Array.from({ length: 1500 }, (_, i) => `u${i}: alice`).join(", ");
    bench.manifest(`hosts: { h: { databases: { d: { mechanisms: [SCRAM-SHA-256], users: { ${many} } } } } }\n`);
    const { stderr } = await bench.run(["build", "--progress"]);
    assert.match(stderr, /h\/d: .*\d+%, [\d,]+ users/);
  });

  it("has the permission for inline secrets taken back by a flag; an empty variable says nothing", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest(`hosts: { h: { databases: { d: { users: { a: { password: { inline: ${FLEET_SECRET} } } } } } } }\n`);
    const env = { TSMAP_ALLOW_INLINE: "true", TSMAP_TARGET: "" };
    assert.equal((await bench.run(["build"], { env })).exit, 0);
    const { exit, stderr } = await bench.run(["build", "--no-allow-inline"], { env });
    assert.equal(exit, 2);
    assert.match(stderr, /it stands in the manifest/);
  });

  it("is one of two at the same time: both are done, and one set is there", async (t) => {
    const bench = fleetBench(t);
    for (let round = 0; round < (isFull ? 20 : 1); round++) {
      const passwords = [`one-${round}`, `two-${round}`];
      const outcomes = await Promise.all(
        passwords.map((password) => bench.tsmap(["build"], { env: { KEY: "0123456789abcdef", ALICE: password, BOB: password } })),
      );
      assert.deepEqual(
        outcomes.map(({ exit, stderr }) => [exit, stderr]),
        [
          [0, ""],
          [0, ""],
        ],
      );
      const plans = await Promise.all(
        passwords.map((password) => bench.tsmap(["plan"], { env: { KEY: "0123456789abcdef", ALICE: password, BOB: password } })),
      );
      assert.deepEqual(plans.map(({ exit }) => exit).sort(), [0, 2]);
      assert.deepEqual(bench.leftovers, []);
    }
  });
});
