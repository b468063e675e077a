/**
 * What is published, as it is published: the files of both packages, their
 * engine, and an installation of the two tarballs into an empty folder.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
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

/** The two files that tsc makes of each source. */
function compiledNames(folder: string): string[] {
  return sourceNames(folder).flatMap((name) => [`dist/${name.replace(/\.ts$/, ".js")}`, `dist/${name.replace(/\.ts$/, ".d.ts")}`]);
}

test("berkeley-db-js packs its compiled sources, the engine and the licences, and nothing else", (t) => {
  const { files } = pack(wasm, temporaryFolder(t));
  const expected = [
    ...compiledNames(join(wasm, "src")),
    "dist/engine.wasm",
    "dist/engine.json",
    "dist/LICENSE.libdb",
    "LICENSE",
    "README.md",
    "package.json",
  ];
  assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
});

test("tsmakemap packs its compiled sources, launchers, manual pages and schemas, and nothing else", (t) => {
  const { files } = pack(root, temporaryFolder(t));
  const launchers = readdirSync(join(root, "bin")).map((name) => `bin/${name}`);
  const { man } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { man: readonly string[] };
  const pages = man.map((page) => page.replace("./", ""));
  const schemas = readdirSync(join(root, "schemas")).map((name) => `schemas/${name}`);
  const expected = [...compiledNames(join(root, "src")), ...launchers, ...pages, ...schemas, "LICENSE", "README.md", "package.json"];
  assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
});

test("the engine is the one that its record and the pin name", () => {
  const engine = readFileSync(join(wasm, "dist/engine.wasm"));
  const sha256 = createHash("sha256").update(engine).digest("hex");
  const record = JSON.parse(readFileSync(join(wasm, "dist/engine.json"), "utf8")) as { engineSha256: string };
  const pin = JSON.parse(readFileSync(join(wasm, "libdb/upstream.json"), "utf8")) as { engineSha256: string };
  assert.equal(record.engineSha256, sha256);
  assert.equal(pin.engineSha256, sha256, "the inputs changed: put the new checksum into wasm/libdb/upstream.json");
});

test("the tarballs install into an empty folder, and the programs and both libraries run there", (t) => {
  const folder = temporaryFolder(t);
  const tarballs = [pack(wasm, folder).filename, pack(root, folder).filename].map((name) => `./${name}`);
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
  npm(["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], folder);

  cpSync(join(root, "fixtures/authinfo/smtp-auth"), join(folder, "smtp-auth"));
  execFileSync("sh", ["-c", "npx --no-install tsmakemap hash smtp-auth < smtp-auth"], { cwd: folder, stdio: "pipe" });
  assert.equal(readFileSync(join(folder, "smtp-auth.db")).length, 12288);
  const passwd = 'printf "12345\\n" | npx --no-install tssaslpasswd -f sasldb2 --hostname relay.example.com dummyuser';
  execFileSync("sh", ["-c", passwd], { cwd: folder, stdio: "pipe" });
  assert.equal(
    execFileSync("npx", ["--no-install", "tssasldblist", "--sort", "sasldb2"], { cwd: folder, encoding: "utf8" }),
    "dummyuser@relay.example.com: cmusaslsecretOTP\ndummyuser@relay.example.com: userPassword\n",
  );

  const script = `
    import { Database } from "berkeley-db-js";
    import { MapBuilder, mapFile } from "tsmakemap";
    using_(Database.open(mapFile("smtp-auth"), { readOnly: true }));
    function using_(database) {
      console.log(database.type, database.count(), typeof MapBuilder);
      database.close();
    }`;
  writeFileSync(join(folder, "use.js"), script);
  assert.equal(execFileSync(process.execPath, ["use.js"], { cwd: folder, encoding: "utf8" }), "hash 1 function\n");
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

test("every development dependency is pinned to one version", () => {
  for (const file of ["package.json", "wasm/package.json"]) {
    const { devDependencies } = JSON.parse(readFileSync(join(root, file), "utf8")) as { devDependencies: Record<string, string> };
    for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+/, `${file}: ${name}`);
  }
});
