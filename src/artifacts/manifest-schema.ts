/**
 * What the published schema says of a manifest, in words.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { nameOf, type Path } from "./manifest-path.ts";
import { nearest } from "./nearest.ts";

const SCHEMA = createRequire(import.meta.url).resolve("tsmakemap/schemas/manifest.schema.json");

export interface SchemaProblem {
  readonly path: Path;
  /** It quotes no value, and no key that is not known. */
  readonly message: string;
}

/** @returns none for a manifest as the schema has it. */
export function schemaProblems(content: unknown): SchemaProblem[] {
  const validate = validator();
  if (validate(content)) return [];
  const found = (validate.errors ?? []).filter(isOfItsOwn).map((error) => ({ error, path: pathOf(error) }));
  // What is below a wrong key would say it.
  const wrong = found.filter(({ error }) => isKey(error)).map(({ path }) => path);
  const shown = found.filter(({ error, path }) => isKey(error) || !wrong.some((key) => key.every((part, i) => part === path[i])));
  return shown.map(({ error, path }) => {
    const name = nameOf(isKey(error) || isMissed(error, path) ? path.slice(0, -1) : path);
    return { path, message: `${name}: ${messageOf(error)}` };
  });
}

let compiled: ValidateFunction | undefined;

function validator(): ValidateFunction {
  compiled ??= new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    strict: true,
    strictRequired: false,
    strictTypes: false,
    // Errors have the part of the schema that they come from, which says more.
    verbose: true,
  }).compile(JSON.parse(readFileSync(SCHEMA, "utf8")) as object);
  return compiled;
}

/** Others say once more what the one within them has said. */
function isOfItsOwn({ keyword }: ErrorObject): boolean {
  return !["if", "allOf", "propertyNames"].includes(keyword);
}

/** Whether it is the key that is wrong. It is not said, since it may be a password in the place of one. */
function isKey({ keyword, propertyName }: ErrorObject): boolean {
  return keyword === "additionalProperties" || propertyName !== undefined;
}

/** A name with nothing behind it: { alice:password } is one in YAML, for want of a blank. It is not said either. */
function isMissed({ data }: ErrorObject, path: Path): boolean {
  return data === null && String(path.at(-1)).includes(":");
}

/** Of what is not allowed, the path ends in it. */
function pathOf({ instancePath, keyword, params, propertyName }: ErrorObject): Path {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keyword === "additionalProperties") return [...path, String(params["additionalProperty"])];
  return propertyName === undefined ? path : [...path, propertyName];
}

/** What the schema says of it, in words; none of them is a value. */
function messageOf({ keyword, params, schema, parentSchema, propertyName }: ErrorObject): string {
  switch (keyword) {
    case "additionalProperties": {
      const known = Object.keys((parentSchema?.["properties"] as object | undefined) ?? {});
      return `a key that is not known here${suggestion(String(params["additionalProperty"]), known)}`;
    }
    case "required":
      return `${String(params["missingProperty"])} is missing`;
    case "type": {
      const wanted = [params["type"] as string | string[]].flat().map((type) => TYPES[type] ?? type);
      return `has to be ${wanted.join(" or ")}${parentSchema?.["pattern"] === MODE ? ': put it in quotes, "0640"' : ""}`;
    }
    case "enum":
      return `has to be ${(params["allowedValues"] as unknown[])
        .map(String)
        .join(", ")
        .replace(/, ([^,]*)$/, " or $1")}`;
    case "const":
      return `has to be ${String(params["allowedValue"])}`;
    case "pattern":
      return propertyName === undefined ? (PATTERNS[String(schema)] ?? PATTERN) : (NAME_PATTERNS[String(schema)] ?? PATTERN);
    case "minLength":
    case "minItems":
    case "minProperties":
      return "must not be empty";
    case "maxLength":
      return `longer than ${String(params["limit"])} characters`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
      return `has to be ${String(params["comparison"])} ${String(params["limit"])}`;
    case "uniqueItems":
      return "has the same item twice";
    default:
      return `not as the schema has it (${keyword})`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  object: "a mapping",
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  null: "nothing (~)",
};

const MODE = "^0?[0-7]{3}$";
const PATTERN = "has characters that it may not have";
const PATTERNS: Readonly<Record<string, string>> = {
  [MODE]: 'has to be three octal digits, in quotes: "0640"',
  "^/": "has to be an absolute path: /etc/mail/…",
  "^\\d{4}-\\d{2}-\\d{2}$": "has to be a day: 2026-11-25",
  "^[A-Za-z_][A-Za-z0-9_]*$": "has to be the name of a variable: letters, digits and underscores",
  "^[A-Za-z0-9_-]{1,20}$": "has to be the name of a mechanism",
  "^[\\x01-\\x7f]$": "has to be one character of ASCII",
  "^[\\x01-\\x7f]?$": "has to be one character of ASCII, or none",
};
const NAME_PATTERNS: Readonly<Record<string, string>> = {
  "^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$": "no name for a file or a folder: letters, digits, dots, dashes and underscores",
  "^[A-Za-z0-9._:\\[\\]-]*$": "no name or address of a server",
};

function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== undefined) return `: ${near}?`;
  return known.length === 0 ? "" : `: it has ${known.filter((name) => name !== "$schema").join(", ")}`;
}
