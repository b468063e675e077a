/**
 * No secret of a fleet is in anything but the maps and databases that are made
 * of it: not in what the commands print, whatever is wrong with the manifest,
 * not in the files that are there to be published, not in temporary files, and
 * not in arguments or the environment of any program that is run.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { edit, tsmapBatch } from "../support/example-fleet.ts";
import { launcherOf, run } from "../support/program.ts";
import { type Cleanup, temporaryFolder } from "../support/temp.ts";
import { treeOf } from "../support/tree.ts";

/** By the way that each comes; nothing else looks like them. */
const SECRETS = {
  key: "kEy-0f-thE-f1eet-7151x",
  env: "3nv-Tr0ub4dor-Wq9",
  file: "f1le-Tr0ub4dor-Wq8",
  field: "f1eld-Tr0ub4dor-Wq7",
  command: "c0mmand-Tr0ub4dor-Wq6",
  age: "4ge-Tr0ub4dor-Wq5",
  sops: "s0ps-Tr0ub4dor-Wq4",
  inline: "inl1ne-Tr0ub4dor-Wq3",
  text: "t3xt-Tr0ub4dor-Wq2",
} as const;
/** What a source has before it is changed. */
const OLD = "0ld-Tr0ub4dor-Wq1";

/** In whatever form; the digests are such as anybody can try passwords on. */
const FORMS: readonly string[] = [...Object.values(SECRETS), OLD].flatMap((secret) => [
  secret.slice(1, -1),
  secret.toLowerCase(),
  Buffer.from(secret).toString("base64").slice(0, -4),
  Buffer.from(secret).toString("hex"),
  ...["md5", "sha1", "sha256"].flatMap((hash) => [secret, `${secret}\n`].map((text) => createHash(hash).update(text).digest("hex"))),
]);

function assertNone(what: string, text: string): void {
  for (const form of FORMS) {
    const at = text.indexOf(form);
    assert.ok(at < 0, `${what}: ${text.slice(Math.max(0, at - 100), at + 40)}`);
  }
}

const MANIFEST = `version: 1
settings: { target: aix, allow-inline: true }
key: { env: FLEET_KEY }
secrets:
  by-env: { env: PASSWORD_OF_ANNA, changed: 2026-11-01 }
  by-file: { file: secrets/file, changed: 2026-11-01 }
  by-field: { file: secrets/fields.yaml, field: [fleet, carla], changed: 2026-11-01 }
  by-command: { command: [./secrets/give, command], changed: 2026-11-01 }
  by-age: { age: secrets/age, identity: secrets/identity, changed: 2026-11-01 }
  by-sops: { sops: secrets/sops.yaml, field: farid, changed: 2026-11-01 }
  by-inline: { inline: ${SECRETS.inline}, changed: 2026-11-01 }
policy: { min-length: 8, max-age: 365, reuse: forbid, plain-text: { sent: allow } }
hosts:
  relay1.example.com:
    auth-mechanisms: [DIGEST-MD5, CRAM-MD5, PLAIN]
    databases:
      sasldb2:
        mechanisms: [OTP, SCRAM-SHA-256]
        users:
          anna: by-env
          bruno: by-file
          carla: by-field
          dora: by-command
          emil: by-age
          farid: by-sops
          greta: by-inline
  client1.example.com:
    relays: [relay1.example.com]
    maps:
      smtp-auth:
        entries:
          relay1.example.com: { user: root, login: anna@relay1.example.com, password: by-env }
  client2.example.com:
    maps:
      smtp-auth:
        source: { file: secrets/text, changed: 2026-11-01 }
`;

/** A program that says what it sees of itself and of all others, and then gives a secret. */
const giver = (seen: string, secret: string): string => `#!/bin/sh
tr '\\0' '\\n' </proc/self/environ >>'${seen}'
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>'${seen}'
cat <<'EOT'
${secret}
EOT
`;

class Fleet {
  readonly folder: string;
  readonly seen: string;
  readonly env: NodeJS.ProcessEnv;
  readonly temporary: string;

  constructor(t: Cleanup) {
    const top = temporaryFolder(t);
    this.folder = join(top, "fleet");
    this.temporary = join(top, "tmp");
    this.seen = join(top, "seen");
    const programs = join(top, "programs");
    for (const folder of [this.folder, join(this.folder, "secrets"), this.temporary, programs]) mkdirSync(folder);
    this.write("tsmap.yaml", MANIFEST);
    this.write("secrets/file", `${SECRETS.file}\n`);
    this.write("secrets/fields.yaml", `fleet:\n  carla: ${SECRETS.field}\n`);
    this.write("secrets/text", `AuthInfo:relay2.example.com "U:root" "I:x@relay2.example.com" "P:${SECRETS.text}"\n`);
    const program = (path: string, secret: string): void => {
      writeFileSync(path, giver(this.seen, secret));
      chmodSync(path, 0o755);
    };
    program(join(this.folder, "secrets/give"), SECRETS.command);
    program(join(programs, "age"), SECRETS.age);
    program(join(programs, "sops"), `farid: ${SECRETS.sops}`);
    this.env = {
      PATH: [programs, process.env["PATH"]].join(delimiter),
      TMPDIR: this.temporary,
      FLEET_KEY: SECRETS.key,
      PASSWORD_OF_ANNA: SECRETS.env,
      SEEN_BY_ALL: "yes",
    };
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }
}

test("a good fleet: output, published files, temporary files, and what other programs see", async (t) => {
  const fleet = new Fleet(t);
  const tsmap = async (exit: number, ...args: string[]): Promise<string> => {
    const outcome = await run(process.execPath, [launcherOf("tsmap"), ...args], { cwd: fleet.folder, env: fleet.env });
    assert.equal(outcome.exit, exit, outcome.stderr);
    assert.equal(outcome.stderr, "");
    assertNone(args.join(" "), outcome.stdout);
    return outcome.stdout;
  };
  assert.match(await tsmap(2, "plan"), /anna@relay1/);
  await tsmap(0, "build", "--json");
  const seen = readFileSync(fleet.seen, "latin1");
  assert.match(seen, /^SEEN_BY_ALL=yes$/m);
  assert.ok(seen.includes("tsmap.js plan") && seen.includes("tsmap.js build"), "it sees the program that runs it");
  assert.doesNotMatch(seen, /FLEET_KEY|PASSWORD_OF_ANNA/);
  assertNone("what a program sees", seen);

  assert.deepEqual(readdirSync(fleet.temporary), []);
  assert.deepEqual(
    readdirSync(fleet.folder).sort(),
    [".artifacts.sets", "artifacts", "secrets", "tsmap.yaml"],
    "nothing besides what is built",
  );
  const built = join(fleet.folder, "artifacts/");
  const modes = treeOf(built);
  for (const name of ["SHA256SUMS", "index.json", "provenance.json"]) {
    assert.match(modes[name] ?? "", /^0644 file/);
    assertNone(name, readFileSync(join(built, name), "latin1"));
  }
  // And where it has to be, it is: what is looked for can be found.
  const database = readFileSync(join(built, "relay1.example.com/sasldb2"), "latin1");
  const ways = ["env", "file", "field", "command", "age", "sops", "inline"] as const;
  for (const way of ways) assert.ok(database.includes(SECRETS[way]), way);
  assert.match(modes["relay1.example.com/sasldb2"] ?? "", /^0600 file/);

  // Other passwords, of which plan tells; and a policy that finds fault with all of them.
  fleet.write("secrets/file", OLD);
  fleet.write("secrets/text", readFileSync(join(fleet.folder, "secrets/text"), "utf8").replace(SECRETS.text, OLD));
  edit(
    fleet.folder,
    "tsmap.yaml",
    "min-length: 8, max-age: 365, reuse: forbid, plain-text: { sent: allow }",
    "min-length: 99, max-age: 1, reuse: forbid, plain-text: { sent: forbid, stored: forbid }",
  );
  edit(fleet.folder, "tsmap.yaml", "login: anna@", "login: bruno@");
  const lines = [
    ["plan"],
    ["plan", "--json", "--all"],
    ["check"],
    ["check", "--format", "json"],
    ["check", "--format", "sarif"],
    ["build", "--show-settings"],
    ["build", "--progress"],
    ["check", "--copies", "artifacts"],
  ];
  const answers = await tsmapBatch(fleet.folder, lines, fleet.env);
  for (const [i, { stdout, stderr }] of answers.entries()) assertNone(lines[i]?.join(" ") as string, stdout + stderr);
  assert.deepEqual(
    answers.map(({ exit }) => exit),
    [2, 2, 1, 1, 1, 0, 0, 1],
  );
  assert.match(answers[0]?.stdout ?? "", /~ bruno@relay1\.example\.com/);
  for (const code of [
    "stale",
    "short-password",
    "old-password",
    "reused-password",
    "sends-plain-text",
    "stores-plain-text",
    "would-not-authenticate",
  ])
    assert.match(answers[2]?.stdout ?? "", new RegExp(` error ${code}: `));
});

/** What somebody writes in the place of a password, or of a name of one. What names a file, a field or a program is named. */
const WORD = SECRETS.inline;
const VALUES = [
  `*${WORD}`,
  `!${WORD}`,
  `!!${WORD} x`,
  `!<${WORD}> x`,
  `&${WORD}`,
  `@${WORD}`,
  `%${WORD}`,
  `\`${WORD}`,
  `|${WORD}`,
  `>9${WORD}`,
  `'${WORD}`,
  `"${WORD}`,
  `"\\q${WORD}"`,
  `'${WORD}' ${WORD}`,
  `{${WORD}`,
  `[${WORD}`,
  `[${WORD}, ${WORD}]`,
  `- ${WORD}`,
  `? ${WORD}`,
  `${WORD}: ${WORD}`,
  `#${WORD}`,
  `\t${WORD}`,
  WORD,
  `<<: *${WORD}`,
  `{ inline:${WORD} }`,
  `{ inline: ${WORD}, ${WORD} }`,
  `{ inline: [${WORD}] }`,
  `{ inline: x, changed: ${WORD} }`,
  `{ env: ${WORD}! }`,
  `{ env: x, file: ${WORD} }`,
  `{ command: ${WORD} }`,
  `{ password: ${WORD} }`,
  `{ ${WORD}: x }`,
  `{ mechanisms: [${WORD}], password: by-env }`,
];

/** Each line of the manifest in which they are tried: what is in the place of VALUE. */
const PLACES: readonly (readonly [from: string, to: string])[] = [
  ["key: { env: FLEET_KEY }", "key: VALUE"],
  ["  by-file: { file: secrets/file, changed: 2026-11-01 }", "  by-file: VALUE"],
  ["by-file: { file: secrets/file, changed: 2026-11-01 }", "by-file: { inline: VALUE }"],
  ["          bruno: by-file", "          bruno: VALUE"],
  ["          bruno: by-file", "          { bruno:VALUE }"],
  ["        users:\n", "        users: { x:VALUE }\n        usrs:\n"],
  ["password: by-env }", "password: VALUE }"],
  ["source: { file: secrets/text, changed: 2026-11-01 }", "source: VALUE"],
  ["min-length: 8", "min-length: VALUE"],
  ["target: aix", "target: VALUE"],
];

suite("a manifest with a password in a wrong place", () => {
  test("no message quotes it, nor does anything that is built all the same", async (t) => {
    const fleet = new Fleet(t);
    const plain = MANIFEST.replace(`{ inline: ${SECRETS.inline}, changed: 2026-11-01 }`, "{ env: PASSWORD_OF_ANNA }");
    const lines: string[][] = [];
    for (const [i, [from, to]] of PLACES.entries()) {
      for (const [j, value] of VALUES.entries()) {
        if (to.startsWith("source") && value.trim() === WORD) continue;
        const [before, after, ...more] = plain.split(from);
        assert.ok(before !== undefined && after !== undefined && more.length === 0, from);
        const name = `${i}-${j}.yaml`;
        fleet.write(name, before + to.replace("VALUE", value) + after);
        const line = [
          ["check", name],
          ["plan", "--json", name],
          ["build", name, "--output", "out"],
          ["check", "--format", "sarif", name],
        ];
        lines.push(line[j % 4] as string[]);
      }
    }
    // These have been heard.
    for (const path of ["secrets/give", "../programs/age", "../programs/sops"]) {
      const text = readFileSync(join(fleet.folder, path), "utf8").split("\n");
      writeFileSync(join(fleet.folder, path), text.filter((line) => !line.includes("/proc")).join("\n"));
    }
    const answers = await tsmapBatch(fleet.folder, lines, fleet.env);
    let wrong = 0;
    const faults: string[] = [];
    for (const [i, { exit, stdout, stderr }] of answers.entries()) {
      const name = lines[i]?.find((word) => word.endsWith(".yaml")) as string;
      wrong += exit === 2 || (exit === 1 && lines[i]?.[0] === "plan") ? 1 : 0;
      try {
        assertNone(`${lines[i]?.join(" ")}: ${VALUES[Number(name.split("-")[1]?.replace(".yaml", ""))]}`, stdout + stderr);
        assert.doesNotMatch(stderr, /internal error|\n {4}at /, name);
      } catch (error) {
        faults.push((error as Error).message);
      }
    }
    assert.deepEqual(faults, []);
    assert.ok(wrong > (lines.length * 3) / 4, `${wrong} of ${lines.length}`);
  });
});

test("watch: builds, faults and changes, without a word of a secret", { timeout: 60_000 }, async (t) => {
  const fleet = new Fleet(t);
  const child: ChildProcess = spawn(process.execPath, [launcherOf("tsmap"), "watch"], {
    cwd: fleet.folder,
    env: { ...fleet.env, HOME: "/", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (said += chunk));
  const until = async (pattern: RegExp): Promise<void> => {
    for (let i = 0; !pattern.test(said); i++) {
      assert.ok(i < 1000, `${pattern}: ${said}`);
      await delay(20);
    }
  };
  await until(/6 added, 0 as they are\n/);
  fleet.write("secrets/file", OLD);
  await until(/~ relay1\.example\.com\/sasldb2: ~1 user\n/);
  const text = readFileSync(join(fleet.folder, "tsmap.yaml"), "utf8");
  fleet.write("tsmap.yaml", text.replace("          bruno: by-file", `          bruno: ${SECRETS.inline}`));
  await until(/tsmap\.yaml:\d+:11: .*not the name of one of the secrets/);
  rmSync(join(fleet.folder, "secrets/text"));
  fleet.write("tsmap.yaml", text);
  await until(/secrets\/text: no such file/);
  fleet.write("secrets/text", `AuthInfo:relay2.example.com "U:root" "P:${OLD}"\n`);
  await until(/~ client2\.example\.com\/smtp-auth\.db: ~1 record\n/);
  child.kill("SIGTERM");
  await new Promise((resolve) => child.on("close", resolve));
  assertNone("watch", said);
  assert.equal(readdirSync(join(fleet.folder, ".artifacts.sets")).length, 1);
});
