/**
 * The published schema of manifests: it is one, it says what everything means,
 * and the types and the document name the same keys.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import ts from "typescript";
import { CHECK_RULES } from "#src/artifacts/check-rules.js";
import { WAYS } from "#src/artifacts/secret-source.js";
import { rootFolder } from "../support/fixtures.ts";

interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

const root = JSON.parse(readFileSync(`${rootFolder}schemas/manifest.schema.json`, "utf8")) as Schema & {
  readonly definitions: Readonly<Record<string, Schema>>;
};
/** Those of makemap, and details: the schema says them. */
const UNSAID = ["$schema", "comment", "delimiter", "duplicates", "empty-values", "keep-case", "null", "otp-hash", "type"];

const document = readFileSync(`${rootFolder}docs/manifest.md`, "utf8");

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.replace("#/definitions/", "");
  return name === undefined ? schema : (root.definitions[name] as Schema);
}

/** Every object of the schema that has properties, by the interface that is its type. */
const OBJECTS: Readonly<Record<string, Schema>> = {
  Manifest: root,
  ManifestSettings: root.properties?.["settings"] as Schema,
  SecretSource: root.definitions["source"] as Schema,
  Policy: root.properties?.["policy"] as Schema,
  ManifestHost: root.definitions["profile"] as Schema,
  ManifestNamedHost: root.definitions["host"] as Schema,
  ManifestDatabase: root.definitions["database"] as Schema,
  ManifestUser: root.definitions["user"] as Schema,
  ManifestMap: root.definitions["map"] as Schema,
  ManifestEntry: root.definitions["entry"] as Schema,
};

/** For editors alone. */
const WITHOUT_TYPE = ["$schema"];

/** The interfaces of manifest.ts with their members, those that they extend among them: whether each may be left out. */
function interfaces(): Map<string, Map<string, boolean>> {
  const file = "src/artifacts/manifest.ts";
  const source = ts.createSourceFile(file, readFileSync(rootFolder + file, "utf8"), ts.ScriptTarget.Latest);
  const found = new Map<string, Map<string, boolean>>();
  ts.forEachChild(source, (node) => {
    if (!ts.isInterfaceDeclaration(node)) return;
    const parents = (node.heritageClauses ?? []).flatMap(({ types }) => types.map(({ expression }) => expression.getText(source)));
    const inherited = parents.flatMap((name) => [...(found.get(name) ?? assert.fail(name))]);
    found.set(node.name.text, new Map([...inherited, ...node.members.filter(ts.isPropertySignature).map((member) => memberOf(member))]));
  });
  return found;
}

function memberOf({ name, questionToken }: ts.PropertySignature): [string, boolean] {
  assert.ok(ts.isIdentifier(name) || ts.isStringLiteral(name));
  return [name.text, questionToken !== undefined];
}

function* properties(schema: unknown, path = "#"): Generator<readonly [path: string, schema: Schema]> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") for (const [name, part] of Object.entries(value as object)) yield [`${path}/${name}`, part as Schema];
    yield* properties(value, `${path}/${key}`);
  }
}

describe("schemas/manifest.schema.json", () => {
  it("is a schema by draft-07, and a strict one", () => {
    const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false, allowUnionTypes: true });
    assert.ok(ajv.validateSchema(root), ajv.errorsText());
    assert.equal(ajv.compile(root)({ version: 1, hosts: { a: {} } }), true);
  });

  it("says what each property means, where its values do not", () => {
    const all = [...properties(root)];
    assert.ok(all.length > 80, String(all.length));
    const silent = all.filter(
      ([, schema]) =>
        ![schema, resolve(schema)].some(
          (each) => each.description !== undefined || each.enum !== undefined || each.properties !== undefined,
        ),
    );
    assert.deepEqual(
      silent.map(([path]) => path),
      [],
    );
  });

  it("admits no key that it does not know", () => {
    const open = [...Object.entries(OBJECTS), ["plain-text", OBJECTS["Policy"]?.properties?.["plain-text"]] as const].filter(
      ([, schema]) => schema?.additionalProperties !== false,
    );
    assert.deepEqual(open, []);
  });

  it("has the keys of the types, and the same that must be there", () => {
    const types = interfaces();
    // These are parts of others alone.
    assert.deepEqual([...types.keys()].sort(), [...Object.keys(OBJECTS), "ManifestFormat", "ManifestArtifact"].sort());
    for (const [name, { properties: keys = {}, required = [] }] of Object.entries(OBJECTS)) {
      const members = types.get(name) as Map<string, boolean>;
      assert.deepEqual(
        Object.keys(keys)
          .filter((key) => !WITHOUT_TYPE.includes(key))
          .sort(),
        [...members.keys()].sort(),
        name,
      );
      assert.deepEqual(
        [...required].sort(),
        [...members]
          .filter(([, isOptional]) => !isOptional)
          .map(([key]) => key)
          .sort(),
        name,
      );
    }
  });

  it("has the same properties for a profile as for a host, but that a host has profiles", () => {
    const { profile, ...rest } = OBJECTS["ManifestNamedHost"]?.properties ?? {};
    assert.ok(profile !== undefined);
    assert.deepEqual(rest, OBJECTS["ManifestHost"]?.properties);
  });
});

describe("docs/manifest.md", () => {
  /** The first cells of the rows below a heading. */
  const cells = (heading: string): string[] => {
    const [, section = ""] = document.split(`## ${heading}\n`);
    return Array.from((section.split("\n## ")[0] ?? "").matchAll(/^\| ?`?(.*?)`? ?\|/gm), ([, cell = ""]) => cell);
  };

  it("lists the ways of a secret", () => {
    const ways = cells("Where secrets come from")
      .slice(2)
      .map((cell) => cell.split(":")[0]);
    assert.deepEqual(ways, WAYS);
  });

  it("lists the settings", () => {
    const settings = Object.keys(OBJECTS["ManifestSettings"]?.properties ?? {});
    assert.deepEqual(cells("Settings").slice(2).sort(), settings.map((name) => `--${name}`).sort());
    for (const name of settings) assert.ok(document.includes(`\`TSMAP_${name.replaceAll("-", "_").toUpperCase()}\``), name);
  });

  it("lists what check finds", () => {
    const [, section = ""] = document.split("## What check finds\n");
    const codes = Array.from(section.matchAll(/^\|.*\|(.*)\|$/gm), ([, cell = ""]) =>
      Array.from(cell.matchAll(/`([a-z-]+)`/g), ([, code]) => code),
    ).flat();
    assert.deepEqual(codes.sort(), Object.keys(CHECK_RULES).sort());
  });

  it("names every key that a manifest may have", () => {
    const keys = new Set([...properties(root)].map(([path]) => path.split("/").at(-1) as string));
    const unsaid = [...keys].filter((key) => !new RegExp(`\\b${key.replace("$", "\\$")}\\b`).test(document));
    assert.deepEqual(unsaid.sort(), UNSAID);
  });
});
