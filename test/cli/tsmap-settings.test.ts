/**
 * The settings of plan, build, check and watch: which layer counts, and what
 * tsmap build --show-settings says of it.
 */
import assert from "node:assert/strict";
import { lstatSync } from "node:fs";
import { describe, it } from "node:test";
import { type BuildFlags, type LayeredSetting, layerSettings, projectSettings } from "#src/cli/tsmap/build-settings.js";
import { Trouble } from "#src/cli/tsmap/trouble.js";
import { FleetBench } from "../support/fleet-bench.ts";

/** A good value of each layer, and the usual one. */
const SETTINGS: Readonly<
  Record<string, readonly [flag: string | boolean, variable: string, manifest: string | number | boolean, usual: string | undefined]>
> = {
  output: ["a", "b", "c", "artifacts"],
  target: ["aix", "native", "aix", undefined],
  "byte-order": ["big", "little", "big", undefined],
  "hash-version": ["7", "8", 9, undefined],
  "page-size": ["512", "1024", 2048, undefined],
  "allow-inline": [true, "false", true, "false"],
  "command-timeout": ["1", "2.5", 3, "60"],
};

const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
const variable = (name: string): string => `TSMAP_${name.replaceAll("-", "_").toUpperCase()}`;

async function layered(
  name: string,
  layers: { flag?: unknown; variable?: unknown; manifest?: unknown },
): Promise<LayeredSetting | undefined> {
  const flags = layers.flag === undefined ? {} : { [camel(name)]: layers.flag };
  const environment = layers.variable === undefined ? {} : { [variable(name)]: String(layers.variable) };
  const settings = layers.manifest === undefined ? {} : { [name]: layers.manifest };
  const all = await layerSettings(flags as BuildFlags, environment, { name: "m.yaml", settings });
  return all.find((setting) => setting.name === name);
}

describe("settings", () => {
  for (const [name, [flag, ofVariable, manifest, usual]] of Object.entries(SETTINGS))
    it(`are of the strongest layer: ${name}`, async () => {
      const cases = [
        [{ flag, variable: ofVariable, manifest }, String(flag), "flag", `--${name}`],
        [{ flag, manifest }, String(flag), "flag", `--${name}`],
        [{ variable: ofVariable, manifest }, ofVariable, "environment", variable(name)],
        [{ variable: ofVariable }, ofVariable, "environment", variable(name)],
        [{ variable: "", manifest }, String(manifest), "manifest", `m.yaml: settings.${name}`],
        [{ manifest }, String(manifest), "manifest", `m.yaml: settings.${name}`],
        [{}, usual, usual === undefined ? "none" : "default", usual === undefined ? "not set" : "default"],
      ] as const;
      for (const [layers, value, layer, origin] of cases) assert.deepEqual(await layered(name, layers), { name, value, layer, origin });
    });

  it("that are wrong name their layer", async () => {
    const wrong: readonly (readonly [name: string, value: string, what: string])[] = [
      ["output", "", "a path"],
      ["target", "solaris", "native or aix"],
      ["byte-order", "middle", "big or little"],
      ["hash-version", "10", "7, 8 or 9"],
      ["hash-version", "09", "7, 8 or 9"],
      ["page-size", "1000", "512, 1024, 2048, 4096, 8192, 16384, 32768 or 65536"],
      ["allow-inline", "yes", "true or false"],
      ["command-timeout", "0", "a number of seconds up to 86400"],
      ["command-timeout", "soon", "a number of seconds up to 86400"],
      ["command-timeout", "86401", "a number of seconds up to 86400"],
      ["command-timeout", "", "a number of seconds up to 86400"],
    ];
    for (const [name, value, what] of wrong) {
      for (const [layers, origin] of [
        [{ flag: value }, `--${name}`],
        [{ variable: value, manifest: "x" }, variable(name)],
      ] as const) {
        // An empty variable says nothing.
        if ("variable" in layers && value === "") continue;
        await assert.rejects(layered(name, layers), (error) => {
          assert.ok(error instanceof Trouble);
          assert.equal(
            error.message.replace(/ is not (native or aix|aix or native)$/, " is not native or aix"),
            `${origin}: "${value}" is not ${what}`,
          );
          return true;
        });
      }
    }
  });

  it("keep what looks like an option or a number", async () => {
    for (const value of ["-x", "--target=aix", "007", "1e3", "a b", '"a"', "a=b", "true", "é"]) {
      assert.equal((await layered("output", { flag: value }))?.value, value);
      assert.equal((await layered("output", { variable: value }))?.value, value);
      assert.equal((await layered("output", { manifest: value }))?.value, value);
    }
  });

  it("of the manifest about formats are left to its parts; those over it are not", async () => {
    const environment = { TSMAP_HASH_VERSION: "8", TSMAP_OUTPUT: "o", TSMAP_ALLOW_INLINE: "true" };
    const manifest = {
      name: "TSMAP.yaml",
      settings: { target: "aix", "page-size": 512, "hash-version": 7, "command-timeout": 5 } as const,
    };
    const settings = projectSettings(await layerSettings({ byteOrder: "big" }, environment, manifest));
    assert.deepEqual(settings, {
      output: "o",
      allowInline: true,
      commandTimeout: 5,
      overrides: { target: undefined, byteOrder: "big", hashVersion: 8, pageSize: undefined },
    });
  });
});

describe("tsmap build --show-settings", () => {
  it("says each setting with its layer, and builds nothing", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest("hosts: { h: { maps: { m: { source: none } } } }\n");
    const env = { TSMAP_PAGE_SIZE: "512", TSMAP_OUTPUT: "o" };
    const { exit, stdout, stderr } = await bench.run(["build", "--show-settings", "--output", "p", "--allow-inline"], { env });
    assert.deepEqual([exit, stderr], [0, ""]);
    assert.equal(
      stdout,
      `output           p     --output
target           aix   tsmap.yaml: settings.target
byte-order             not set
hash-version           not set
page-size        512   TSMAP_PAGE_SIZE
allow-inline     true  --allow-inline
command-timeout  60    default
`,
    );
    const json = await bench.run(["build", "--show-settings", "--json"], { env });
    assert.deepEqual((JSON.parse(json.stdout) as LayeredSetting[]).slice(0, 3), [
      { name: "output", value: "o", origin: "TSMAP_OUTPUT" },
      { name: "target", value: "aix", origin: "tsmap.yaml: settings.target" },
      { name: "byte-order", origin: "not set" },
    ]);
    assert.throws(() => lstatSync(bench.path("p")), { code: "ENOENT" });
  });

  it("refuses a wrong value, and so do the others", async (t) => {
    const bench = new FleetBench(t);
    bench.manifest("hosts: { h: {} }\n");
    for (const [command, exit] of [
      ["build --show-settings", 2],
      ["build", 2],
      ["plan", 1],
      ["check", 2],
    ] as const) {
      const outcome = await bench.run(command.split(" "), { env: { TSMAP_PAGE_SIZE: "1000" } });
      assert.equal(outcome.exit, exit);
      assert.match(outcome.stderr, /^tsmap: TSMAP_PAGE_SIZE: "1000" is not 512, /);
    }
  });
});
