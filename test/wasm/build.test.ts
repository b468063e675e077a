/**
 * The build of the engine: the same inputs give the same bytes, what is there
 * already is not built again, and whatever keeps it from the source of libdb
 * is told with what to do about it.
 */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, cpSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildEngine, type EngineRecord } from "#tools/build.js";
import { BuildFailure } from "#tools/failure.js";
import { fetchSource } from "#tools/fetch.js";
import { unpackSource } from "#tools/unpack.js";
import { readUpstream } from "#tools/upstream.js";
import { sha256 } from "../support/bytes.ts";
import { rootFolder } from "../support/fixtures.ts";
import { isFull } from "../support/full.ts";
import { temporaryFolder } from "../support/temp.ts";

const libdbFolder = `${rootFolder}wasm/libdb/`;
const cacheFolder = `${rootFolder}wasm/.build/`;
const distFolder = `${rootFolder}wasm/dist/`;
const upstream = readUpstream(libdbFolder);
const tarball = join(cacheFolder, "source", upstream.tarball.name);

const steps: string[] = [];
const options = { libdbFolder, cacheFolder, onStep: (text: string) => void steps.push(text), onProgress: () => {} };

const environment = { ...process.env };
before(() => {
  delete process.env["BERKELEY_DB_SOURCE"];
});
after(() => {
  Object.assign(process.env, environment);
});

const output = temporaryFolder({ after });
const engineFile = join(output, "engine.wasm");

/** In the ordinary run it is put together from the objects of the last build. */
test(`${isFull ? "compiled anew" : "linked anew"}, the engine is that which was built before, and that which is pinned`, async () => {
  const progress: [number, number][] = [];
  const onProgress = (done: number, total: number): void => void progress.push([done, total]);
  const record = await buildEngine({ ...options, onProgress, outputFolder: output, fresh: isFull });
  assert.equal(record.built, true);
  const built = sha256(readFileSync(engineFile));
  assert.equal(built, sha256(readFileSync(`${distFolder}engine.wasm`)), "npm run build has to be run first");
  assert.equal(record.engineSha256, built);
  assert.equal(upstream.engineSha256, built, "wasm/libdb/upstream.json");
  assert.ok(WebAssembly.validate(readFileSync(engineFile)));
  const { built: _, ...written } = record;
  assert.deepEqual(JSON.parse(readFileSync(join(output, "engine.json"), "utf8")) as EngineRecord, written);
  assert.deepEqual(written, JSON.parse(readFileSync(`${distFolder}engine.json`, "utf8")));
  assert.match(readFileSync(join(output, "LICENSE.libdb"), "utf8"), /Redistributions in any form must be accompanied by information on/);
  assert.deepEqual(readdirSync(output).sort(), ["LICENSE.libdb", "engine.json", "engine.wasm"]);
  const [last] = progress.slice(-1);
  assert.ok(last !== undefined && last[0] === last[1] && last[1] > 10);
});

test("the engine has at most 700 KB, and 260 KB with gzip", () => {
  const engine = readFileSync(`${distFolder}engine.wasm`);
  assert.ok(engine.length <= 700_000, `${engine.length}`);
  const gzipped = gzipSync(engine).length;
  assert.ok(gzipped <= 260_000, `${gzipped} with gzip`);
});

test("built a second time, nothing is done", async () => {
  const before = statSync(engineFile).mtimeMs;
  steps.length = 0;
  const record = await buildEngine({ ...options, outputFolder: output });
  assert.equal(record.built, false);
  assert.deepEqual(steps, []);
  assert.equal(statSync(engineFile).mtimeMs, before);
});

test("an engine that is not whole, or has no record, is built again: from kept objects, to the same bytes", async () => {
  for (const damage of [() => truncateSync(engineFile, 1000), () => writeFileSync(join(output, "engine.json"), "{")]) {
    damage();
    const record = await buildEngine({ ...options, outputFolder: output });
    assert.equal(record.built, true);
    assert.equal(sha256(readFileSync(engineFile)), upstream.engineSha256);
  }
});

test("a change of the configuration or of the shim is a change of the inputs", async (t) => {
  const folder = temporaryFolder(t);
  copyFileSync(join(libdbFolder, "upstream.json"), join(folder, "upstream.json"));
  for (const name of ["config", "shim"]) cpSync(join(libdbFolder, name), join(folder, name), { recursive: true });
  const same = await buildEngine({ ...options, libdbFolder: folder, outputFolder: output });
  assert.equal(same.built, false);
  // Nothing to be compiled is what the change is told by here: the source is not to be had.
  process.env["BERKELEY_DB_SOURCE"] = join(folder, "none");
  t.after(() => delete process.env["BERKELEY_DB_SOURCE"]);
  for (const name of ["config/db_config.h", "config/absent.h", "shim/bdb.h"]) {
    writeFileSync(join(folder, name), `${readFileSync(join(folder, name), "utf8")}\n`);
    await assert.rejects(buildEngine({ ...options, libdbFolder: folder, outputFolder: output }), BuildFailure);
    copyFileSync(join(libdbFolder, name), join(folder, name));
  }
});

test("README.md says what every file of the shim is for", () => {
  const readme = readFileSync(join(libdbFolder, "../README.md"), "utf8");
  const names = readdirSync(join(libdbFolder, "shim"));
  // A header stands beside the file of its name.
  const wanted = names.filter((name) => name.endsWith(".c") || !names.includes(name.replace(/\.h$/, ".c")));
  assert.ok(wanted.length > 5);
  assert.deepEqual(
    wanted.filter((name) => !readme.includes(`\`${name}\``)),
    [],
  );
});

/** A BuildFailure with a problem and something to do about it. */
function failure(problem: RegExp, mend: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof BuildFailure, String(error));
    assert.equal(error.name, "BuildFailure");
    assert.match(error.message, problem);
    assert.match(error.mend, mend);
    return true;
  };
}

for (const [what, content, problem] of [
  ["that is not there", undefined, /^BERKELEY_DB_SOURCE: cannot read .*ENOENT/],
  ["that is garbage", Buffer.from("garbage"), /cannot be unpacked/],
  ["that is empty", Buffer.alloc(0), /cannot be unpacked|not the source of Berkeley DB 5\.3\.28/],
  [
    "that is another tarball",
    gzipSync(Buffer.alloc(10_240)),
    /not the source of Berkeley DB 5\.3\.28: the files to compile have the SHA-256/,
  ],
  ["that is a tarball cut short", "cut", /cannot be unpacked|not the source of/],
] as const) {
  test(`BERKELEY_DB_SOURCE names a file ${what}`, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "source.tar.xz");
    if (content !== undefined) writeFileSync(path, content === "cut" ? readFileSync(tarball).subarray(0, 100_000) : content);
    process.env["BERKELEY_DB_SOURCE"] = path;
    t.after(() => delete process.env["BERKELEY_DB_SOURCE"]);
    const outputFolder = join(folder, "dist");
    await assert.rejects(
      buildEngine({ ...options, outputFolder, cacheFolder: folder }),
      failure(problem, /tarball of that release|\.tar\.gz or \.tar\.xz|Set BERKELEY_DB_SOURCE/),
    );
    assert.equal(existsSync(join(outputFolder, "engine.wasm")), false);
  });
}

test("BERKELEY_DB_SOURCE names the tarball: it is used, wherever it is", async (t) => {
  const path = join(temporaryFolder(t), "a.tar.xz");
  copyFileSync(tarball, path);
  process.env["BERKELEY_DB_SOURCE"] = path;
  t.after(() => delete process.env["BERKELEY_DB_SOURCE"]);
  const bytes = await fetchSource(upstream, "/nonexistent", () => {});
  const files = await unpackSource(upstream, bytes);
  assert.ok(files.has("src/hash/hash.c") && files.has("LICENSE"));
});

test("a machine without apt-get", async (t) => {
  const folder = temporaryFolder(t);
  process.env["PATH"] = folder;
  t.after(() => {
    process.env["PATH"] = environment["PATH"];
  });
  if (!hasSourceLists()) {
    await assert.rejects(
      fetchSource(upstream, folder, () => {}),
      failure(/has no Debian source lists/, /set BERKELEY_DB_SOURCE/),
    );
    return;
  }
  await assert.rejects(
    fetchSource(upstream, folder, () => {}),
    failure(/has no apt-get/, /set BERKELEY_DB_SOURCE to its path/),
  );
  assert.deepEqual(readdirSync(join(folder, "source")), [], "nothing is left behind");
});

function hasSourceLists(): boolean {
  const folder = "/etc/apt/sources.list.d";
  return existsSync("/etc/apt/sources.list") || (existsSync(folder) && readdirSync(folder).length > 0);
}

/** What an apt-get in the place of the machine's does; its last word is the action. */
const APT = {
  fails: 'echo "E: Could not resolve deb.example" >&2; exit 100',
  fills: 'echo "E: Write error - write (28: No space left on device)" >&2; exit 100',
  "brings nothing": "exit 0",
  "brings something else": '[ "$last" = update ] || echo tampered > TARBALL; exit 0',
  "brings it": '[ "$last" = update ] || cp "$KEPT" TARBALL; exit 0',
};

for (const [what, problem, mend] of [
  [
    "fails",
    /could not fetch the source package db5\.3:\n {2}E: Could not resolve deb\.example/,
    /Check the network.*set BERKELEY_DB_SOURCE/s,
  ],
  ["fills", /no space left on the disc that holds/, /Make 300 MB free/],
  ["brings nothing", /of this machine's Debian has no db5\.3_5\.3\.28/, /set BERKELEY_DB_SOURCE/],
  ["brings something else", /has the SHA-256 [0-9a-f]{64}, not ad41b507.*damaged or changed/, /do not trust the mirror/],
  ["brings it", undefined, undefined],
] as const) {
  test(`apt-get ${what}`, async (t) => {
    if (!hasSourceLists()) {
      t.skip("this machine has no source lists of Debian for apt-get");
      return;
    }
    const folder = temporaryFolder(t);
    const script = APT[what].replace("TARBALL", upstream.tarball.name);
    writeFileSync(join(folder, "apt-get"), `#!/bin/sh\nfor last; do :; done\n${script}\n`);
    chmodSync(join(folder, "apt-get"), 0o755);
    process.env["PATH"] = `${folder}:${environment["PATH"]}`;
    process.env["KEPT"] = tarball;
    t.after(() => {
      process.env["PATH"] = environment["PATH"];
      delete process.env["KEPT"];
    });
    const fetched = fetchSource(upstream, folder, () => {});
    if (problem === undefined) {
      assert.equal(sha256(await fetched), upstream.tarball.sha256);
      assert.deepEqual(readdirSync(join(folder, "source")), [upstream.tarball.name]);
      // A second time it is there.
      writeFileSync(join(folder, "apt-get"), "#!/bin/sh\nexit 1\n");
      assert.equal(sha256(await fetchSource(upstream, folder, () => assert.fail("a step"))), upstream.tarball.sha256);
      // Unless it is not what it was.
      truncateSync(join(folder, "source", upstream.tarball.name), 1000);
      await assert.rejects(
        fetchSource(upstream, folder, () => {}),
        BuildFailure,
      );
      return;
    }
    await assert.rejects(fetched, failure(problem, mend));
    assert.deepEqual(readdirSync(join(folder, "source")), [], "nothing is left behind");
  });
}
