/**
 * What is published, as it is published: the files of both packages, their
 * engine, and an installation of the two tarballs into an empty folder.
 */
import assert from "node:assert/strict";
import { execFileSync, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { tsmapCommand } from "#src/cli/tsmap/commands.js";
import { RELAY_CF } from "../support/cf-text.ts";
import { isRoot } from "../support/program.ts";
import { SMALL_FLEET, SMALL_FLEET_SECRETS } from "../support/small-fleet.ts";
import { temporaryFolder } from "../support/temp.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const wasm = join(root, "wasm");

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Packs without the scripts, which would build again what is built. */
function pack(folder: string, destination: string): Packed {
  const output = npm(["pack", "--json", "--ignore-scripts", "--pack-destination", destination], folder);
  // npm 11 has a list, later ones an object by name.
  const parsed = JSON.parse(output) as Packed[] | Record<string, Packed>;
  const packed = Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0];
  assert.ok(packed);
  return packed;
}

function sourceNames(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
}

/** What tsc makes of each source. */
function typeNames(folder: string): string[] {
  return sourceNames(folder).map((name) => `dist/${name.replace(/\.ts$/, ".d.ts")}`);
}

/** These files, and what they lead to by their imports. */
function bundledNames(folder: string, entries: readonly string[]): string[] {
  const found = new Set(entries);
  for (const file of found) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, name = ""] of text.matchAll(/\b(?:from|import|require)\s*\(?\s*"(\.[^"]+)"/g)) found.add(join(dirname(file), name));
  }
  return [...found];
}

/** The types of these entries, what they lead to, and what stands beside it: a folder that no entry leads to is left out whole. */
function exportedTypes(folder: string, entries: readonly string[]): string[] {
  const needed = new Set(entries);
  for (const file of needed) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, name = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g))
      needed.add(join(dirname(file), name.replace(/\.[jt]s$/, ".d.ts")));
  }
  const topOf = (file: string): string => file.split("/").slice(0, 2).join("/");
  const tops = new Set([...needed].map(topOf));
  assert.ok(tops.size > 5 && !tops.has("dist/cli"), [...tops].join(" "));
  return typeNames(join(folder, "src")).filter((file) => tops.has(topOf(file)));
}

test("berkeley-db-js packs its bundled sources, their types, the engine and the licences, and nothing else", (t) => {
  const { files } = pack(wasm, temporaryFolder(t));
  const expected = [
    ...bundledNames(wasm, ["dist/index.js", "dist/node.js"]),
    ...typeNames(join(wasm, "src")),
    "dist/engine.wasm",
    "dist/engine.json",
    "dist/LICENSE.libdb",
    "LICENSE",
    "README.md",
    "package.json",
  ];
  assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
});

// With the steps of CI: GitLab includes a template alone, whose job finds them in what it installs.
test("tsmakemap packs its bundled sources, the types of what it exports, launchers, steps of CI, manual pages and schemas, and nothing else", (t) => {
  const { files } = pack(root, temporaryFolder(t));
  const launchers = readdirSync(join(root, "bin")).map((name) => `bin/${name}`);
  const steps = readdirSync(join(root, "ci")).map((name) => `ci/${name}`);
  const { man, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { man: readonly string[]; bin: object };
  const programs = Object.keys(bin).map((name) => `dist/cli/${name}.cjs`);
  const pages = man.map((page) => page.replace("./", ""));
  const schemas = readdirSync(join(root, "schemas")).map((name) => `schemas/${name}`);
  const expected = [
    ...bundledNames(root, ["dist/index.js", "dist/artifacts/index.js", ...programs]),
    ...exportedTypes(root, ["dist/index.d.ts", "dist/artifacts/index.d.ts"]),
    ...launchers,
    ...steps,
    ...pages,
    ...schemas,
    "LICENSE",
    "README.md",
    "package.json",
  ];
  assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
});

test("what is published is ASCII, and the library imports no module of Node", () => {
  const folders = [join(root, "dist"), join(wasm, "dist")];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.c?js$/.test(name))
      .map((name) => join(folder, name)),
  );
  assert.ok(files.length > 20, `${files.length} files`);
  for (const file of files) {
    const text = readFileSync(file, "latin1");
    assert.equal(text.search(/[^\0-\x7f]/), -1, file);
    // rolldown.config.ts has them got from `process`, and would miss what is imported in another form.
    if (file.endsWith(".js")) assert.doesNotMatch(text, /^(?:import|export)\b.*["']node:/m, file);
  }
});

test("the engine is the one that its record and the pin name", () => {
  const engine = readFileSync(join(wasm, "dist/engine.wasm"));
  const sha256 = createHash("sha256").update(engine).digest("hex");
  const record = JSON.parse(readFileSync(join(wasm, "dist/engine.json"), "utf8")) as { engineSha256: string };
  const pin = JSON.parse(readFileSync(join(wasm, "libdb/upstream.json"), "utf8")) as { engineSha256: string };
  assert.equal(record.engineSha256, sha256);
  assert.equal(pin.engineSha256, sha256, "the inputs changed: put the new checksum into wasm/libdb/upstream.json");
});

/** The packages that an installation of ours needs, as the lock file has them: their folders. */
function runtimeFolders(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; link?: boolean; dependencies?: object }>;
  };
  const folders = Object.entries(packages).filter(
    ([path, { dev, link }]) => path.startsWith("node_modules/") && dev !== true && link !== true,
  );
  return folders.map(([path]) => path);
}

/** A folder with the programs that a small machine with Node has: no compiler, no apt, nothing to fetch with. */
function smallPath(folder: string): string {
  const path = join(folder, "path");
  mkdirSync(path);
  const npm = join(dirname(realpathSync(process.execPath)), "../lib/node_modules/npm");
  symlinkSync(process.execPath, join(path, "node"));
  for (const [name, script] of Object.entries({ npm: "npm-cli.js", npx: "npx-cli.js" })) {
    const packaged = join(npm, "bin", script);
    symlinkSync(existsSync(packaged) ? packaged : whichOf(name), join(path, name));
  }
  for (const name of ["sh", "env", "cat", "uname", "stty"]) symlinkSync(whichOf(name), join(path, name));
  return path;
}

function whichOf(name: string): string {
  const path = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  const found = path.find((file) => existsSync(file));
  assert.ok(found, name);
  return realpathSync(found);
}

/** Whether a program can be run where there is no network at all. */
const hasNamespaces = isRoot && spawnSync("unshare", ["--net", "--", "true"]).status === 0;

suite("installed into an empty folder, with no network and no compiler", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const removals: (() => void)[] = [];
  after(() => removals.forEach((remove) => void remove()));

  /** Without a network, where that can be had; npm is told to do without in any case. */
  function isolated(args: readonly string[], input = ""): SpawnSyncReturns<string> {
    const [command = "", ...rest] = hasNamespaces ? [whichOf("unshare"), "--net", "--", ...args] : args;
    return spawnSync(command, rest, { cwd: folder, env, encoding: "utf8", input, timeout: 120_000 });
  }

  function succeeds(args: readonly string[], input = ""): string {
    const { status, stdout, stderr } = isolated(args, input);
    assert.equal(status, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  const npx = (...args: readonly string[]): string[] => ["npx", "--no-install", ...args];

  before(() => {
    folder = temporaryFolder({ after: (action) => removals.push(action) });
    env = { PATH: smallPath(folder), HOME: folder, LC_ALL: "C", npm_config_cache: join(folder, "cache"), npm_config_offline: "true" };
    // What a registry would give: our two packages, and from node_modules those that they need.
    const needed = runtimeFolders();
    const names = needed.map((path) => path.replace(/^.*node_modules\//, ""));
    assert.equal(new Set(names).size, names.length, "two versions of a package: they cannot all be installed by name");
    const tarballs = [pack(wasm, folder).filename, pack(root, folder).filename];
    const output = npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder, ...needed.map((path) => `./${path}`)], root);
    const parsed = JSON.parse(output) as Packed[] | Record<string, Packed>;
    tarballs.push(...Object.values(parsed).map(({ filename }) => filename));
    writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
    succeeds(["npm", "install", "--offline", "--no-audit", "--no-fund", ...tarballs.map((name) => `./${name}`)]);
  });

  test("there is no network, and no compiler", (t) => {
    for (const name of ["cc", "gcc", "clang", "make", "apt-get", "curl"])
      assert.equal(isolated(["sh", "-c", `command -v ${name}`]).status, 127);
    if (!hasNamespaces) t.skip("needs root, and namespaces");
    else assert.equal(succeeds(["cat", "/proc/self/net/route"]).trim().split("\n").length, 1);
  });

  test("every command of every program answers", () => {
    const { bin, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { bin: object; version: string };
    for (const name of Object.keys(bin)) {
      assert.match(succeeds(npx(name, "--help")), /^Usage: /m, name);
      assert.ok(succeeds(npx(name, "--version")).includes(version), name);
    }
    const paths = (command: Command): string[][] =>
      command.commands.flatMap((one) => [[one.name()], ...paths(one).map((path) => [one.name(), ...path])]);
    for (const path of paths(tsmapCommand("tsmap", async () => {}))) {
      assert.match(succeeds(["node", "node_modules/tsmakemap/bin/tsmap.js", ...path, "--help"]), /^Usage: /m, path.join(" "));
    }
  });

  test("maps and databases are made, looked at, compared and checked", () => {
    const source = readFileSync(join(root, "fixtures/authinfo/smtp-auth"), "utf8");
    writeFileSync(join(folder, "smtp-auth"), source, { mode: 0o600 });
    succeeds(npx("tsmakemap", "hash", "smtp-auth"), source);
    assert.equal(readFileSync(join(folder, "smtp-auth.db")).length, 12288);
    succeeds(npx("tssaslpasswd", "-f", "sasldb2", "--hostname", "relay.example.com", "dummyuser"), "12345\n");
    const users = "dummyuser@relay.example.com: cmusaslsecretOTP\ndummyuser@relay.example.com: userPassword\n";
    assert.equal(succeeds(npx("tssasldblist", "--sort", "sasldb2")), users);
    // Beyond ASCII: the tables of stringprep.
    succeeds(npx("tssaslpasswd", "-f", "sasldb2", "--hostname", "relay.example.com", "other"), "pässwörd-\u2168\n");

    const tsmap = (...args: readonly string[]): string => succeeds(npx("tsmap", ...args));
    assert.match(tsmap("inspect", "smtp-auth.db"), /an authinfo map/);
    assert.match(tsmap("list", "smtp-auth.db"), /authinfo:/);
    assert.match(tsmap("get", "smtp-auth.db", "AuthInfo:"), /P:\*\*\*/);
    tsmap("dump", "smtp-auth.db", "--show-secrets", "-o", "smtp-auth.txt");
    tsmap("load", "-f", "smtp-auth.txt", "loaded.db");
    tsmap("verify", "smtp-auth.db", "loaded.db", "sasldb2");
    tsmap("diff", "smtp-auth", "loaded.db");
    tsmap("convert", "smtp-auth.db", "-o", "aix.db", "--target", "aix");
    tsmap("diff", "smtp-auth.db", "aix.db");
    tsmap("scrub", "aix.db");
    assert.match(tsmap("resolve", "--server", "relay.example.com", "smtp-auth.db"), /authinfo:|AuthInfo:/i);
    tsmap("lint", "--format", "sarif", "aix.db");
    assert.equal(isolated(npx("tsmap", "auth", "--sasldb", "sasldb2", "--authinfo", "aix.db", "--relay", "relay.example.com")).status, 1);
    writeFileSync(join(folder, "sendmail.cf"), RELAY_CF);
    assert.match(tsmap("cf", "patch", "--role", "relay", "sendmail.cf"), /^\+FR-o /m);
    writeFileSync(join(folder, "relay-domains"), "example.com\n");
    tsmap("cf", "check", "--role", "relay", "--domains", "relay-domains", "sendmail.cf");
    assert.match(tsmap("completion", "bash"), /complete /);
    // Nobody is there: what speaks SMTP is loaded all the same.
    const probe = isolated(npx("tsmap", "probe", "--relay", "[127.0.0.1]:1", "--map", "aix.db"));
    assert.match(probe.stdout + probe.stderr, /refused|unreachable/i);
  });

  test("a fleet is planned, built and checked; the steps of CI are there", () => {
    Object.assign(env, SMALL_FLEET_SECRETS);
    const step = (name: string): string[] => ["sh", `node_modules/tsmakemap/ci/${name}.sh`];
    assert.match(isolated(step("plan")).stderr, /no tsmap\.yaml/);
    writeFileSync(join(folder, "tsmap.yaml"), SMALL_FLEET);
    assert.equal(isolated(npx("tsmap", "plan")).status, 2);
    succeeds(npx("tsmap", "build"));
    assert.equal(isolated(npx("tsmap", "plan")).status, 0);
    succeeds(npx("tsmap", "check"));
    assert.match(succeeds(npx("tssasldblist", "artifacts/relay1.example.com/sasldb2")), /^alice@relay1\.example\.com: /m);
  });

  test("both libraries can be used", () => {
    const script = `
      import { Database } from "berkeley-db-js";
      import { MapBuilder, mapFile } from "tsmakemap";
      const database = Database.open(mapFile("smtp-auth"), { readOnly: true });
      console.log(database.type, database.count(), typeof MapBuilder);
      database.close();`;
    writeFileSync(join(folder, "use.js"), script);
    assert.equal(succeeds(["node", "use.js"]), "hash 1 function\n");
  });
});

test("a strict TypeScript program compiles against the installed types", (t) => {
  const folder = temporaryFolder(t);
  const source = `
    import { type DatabaseRecord, Database, RecordBatch } from "berkeley-db-js";
    import { authenticate, type LoginAttempt, MapBuilder, type MapBuilderOptions, otpSecret, Sasldb, targetFormat, updateSasldb } from "tsmakemap";
    const options: MapBuilderOptions = { type: "hash", format: targetFormat("aix"), onDiagnostic: ({ line }) => line };
    new MapBuilder("map.db", options).abandon();
    using database: Database = Database.open(new Uint8Array(), { type: "hash", create: true });
    const batch = new RecordBatch();
    batch.append(new Uint8Array([1]), new Uint8Array([2]));
    const refused: Uint32Array = database.putMany(batch, "insert");
    const records: DatabaseRecord[] = [...database];
    const attempt: LoginAttempt = { login: "u", mechanism: "PLAIN", password: "pw", server: { hostname: "h" } };
    const reason: string = authenticate(new Sasldb(database), attempt).reason;
    await updateSasldb("sasldb2", (users) => users.setPassword("u", "r", otpSecret(new Uint8Array([1]), { seed: "a1" })));
    // @ts-expect-error a key is bytes
    database.get("key");
    export { reason, records, refused };`;
  writeFileSync(join(folder, "use.ts"), source);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  for (const [name, from] of Object.entries({ "berkeley-db-js": wasm, tsmakemap: root })) {
    const to = join(folder, "node_modules", name);
    cpSync(join(from, "dist"), join(to, "dist"), { recursive: true });
    cpSync(join(from, "package.json"), join(to, "package.json"));
  }
  const options = [
    "--strict",
    "--noEmit",
    "--target",
    "es2022",
    "--lib",
    "es2022,esnext.disposable",
    "--module",
    "nodenext",
    "--typeRoots",
    "none",
  ];
  const result = execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...options, "use.ts"], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(result, "");
});
