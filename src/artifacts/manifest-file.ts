/**
 * Reads the text of a manifest, which is YAML 1.2 or JSON, and holds it against
 * the published schema. Keeps the place of everything, for what is wrong later.
 */
import { readFileSync } from "node:fs";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { Manifest } from "./manifest.ts";
import { ManifestError, type ManifestProblem, type Place } from "./manifest-error.ts";
import { nearest } from "./nearest.ts";
import { contentFaults, faultText } from "./yaml-fault.ts";

/** Names and indexes on the way to a part of the manifest. */
export type Path = readonly (string | number)[];

const SCHEMA = new URL("../../schemas/manifest.schema.json", import.meta.url);
/** Of more problems nobody reads. */
const MOST = 50;

export class ManifestFile {
  /** As it was named. */
  readonly name: string;
  readonly manifest: Manifest;
  readonly #document: Document;
  readonly #lines: LineCounter;

  /**
   * @param name of the file, for messages.
   * @throws {ManifestError}
   */
  constructor(name: string, text: string) {
    this.name = name;
    this.#lines = new LineCounter();
    // Merge keys (<<) share parts within a manifest, as its profiles do.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      merge: true,
      prettyErrors: false,
      stringKeys: true,
      resolveKnownTags: false,
    });
    const faults = [...this.#document.errors, ...this.#document.warnings];
    if (faults.length > 0) throw this.#error(faults.map((fault) => ({ place: this.#at(fault.pos[0]), message: faultText(fault) })));
    const content: unknown = this.#content();
    const problems = this.#validate(content);
    if (problems.length > 0) throw this.#error(problems);
    this.manifest = content as Manifest;
  }

  /** Where a part stands, or the nearest thing around it that is written out. */
  placeOf(path: Path): Place {
    for (let length = path.length; length > 0; length--) {
      const found = this.#find(path.slice(0, length));
      if (found !== undefined) return this.#at(found);
    }
    return this.#placeOfNode(this.#document.contents);
  }

  /** Whether a part is written out. */
  has(path: Path): boolean {
    return this.#document.getIn(path) !== undefined;
  }

  /** A limit of the parser's own keeps aliases of aliases from growing without end. */
  #content(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 1000 });
    } catch (error) {
      throw this.#error(contentFaults(this.#document, error).map(({ node, message }) => ({ place: this.#placeOfNode(node), message })));
    }
  }

  #error(problems: readonly ManifestProblem[]): ManifestError {
    const more = problems.length - MOST;
    if (more <= 0) return new ManifestError(problems);
    return new ManifestError([...problems.slice(0, MOST), { place: { file: this.name }, message: `and ${more} more of such problems` }]);
  }

  /** Its beginning; of what is nowhere, that of the text. */
  #placeOfNode(node: Node | null | undefined): Place {
    return this.#at(node?.range?.[0] ?? 0);
  }

  #at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.name, line, column: col };
  }

  /** The offset of the key of a part, or of an item of a list. */
  #find(path: Path): number | undefined {
    const parent: unknown = path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    const last = path.at(-1);
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
      const key: unknown = isPair(pair) ? pair.key : undefined;
      return isNode(key) ? key.range?.[0] : undefined;
    }
    const node: unknown = this.#document.getIn(path, true);
    return isNode(node) ? (node as Node).range?.[0] : undefined;
  }

  #validate(content: unknown): ManifestProblem[] {
    const validate = validator();
    if (validate(content)) return [];
    const found = (validate.errors ?? []).filter(isOfItsOwn).map((error) => ({ error, path: pathOf(error) }));
    // What is below a wrong key would say it.
    const wrong = found.filter(({ error }) => isKey(error)).map(({ path }) => path);
    const shown = found.filter(({ error, path }) => isKey(error) || !wrong.some((key) => key.every((part, i) => part === path[i])));
    return shown.map(({ error, path }) => ({
      place: this.placeOf(path),
      message: `${nameOf(isKey(error) ? path.slice(0, -1) : path)}: ${messageOf(error)}`,
    }));
  }
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

/** Of what is not allowed, the path ends in it. */
function pathOf({ instancePath, keyword, params, propertyName }: ErrorObject): Path {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keyword === "additionalProperties") return [...path, String(params["additionalProperty"])];
  return propertyName === undefined ? path : [...path, propertyName];
}

/** hosts.relay1.databases; a name with anything else in it stands in quotes. */
export function nameOf(path: Path): string {
  if (path.length === 0) return "manifest";
  return path.map((part) => (/^[\w-]+$/.test(String(part)) ? String(part) : JSON.stringify(part))).join(".");
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
