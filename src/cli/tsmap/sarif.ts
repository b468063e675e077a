/**
 * Findings as SARIF 2.1.0 (OASIS), which services for code read.
 */
import { createHash } from "node:crypto";
import { relative, resolve, sep } from "node:path";
import { jsonText } from "../../map-file/json-text.ts";

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

export interface SarifRun {
  readonly program: string;
  readonly version: string;
  /** That relative URIs are relative to. */
  readonly folder: string;
}

export interface SarifRule {
  readonly id: string;
  readonly short: string;
  readonly full: string;
  readonly help: string;
  readonly level: "error" | "warning" | "note" | undefined;
}

export interface SarifResult {
  readonly code: string;
  readonly level: "error" | "warning" | "note";
  readonly message: string;
  /** As it was named; "-" for standard input. */
  readonly file: string;
  readonly region?: object;
  /** Of a database: the key of the record. */
  readonly record?: string;
  /** What the finding is, without its place, which moves, and without what stands there, which may be a password. */
  readonly identity: string;
}

/** One log of one run. Everything is returned as text to be written in this order. */
export class SarifLog {
  readonly #run: SarifRun;
  readonly #rules: readonly SarifRule[];
  readonly #seen = new Map<string, number>();
  #separator = "\n";

  constructor(run: SarifRun, rules: readonly SarifRule[]) {
    this.#run = run;
    this.#rules = rules;
  }

  begin(): string {
    const { program, version } = this.#run;
    const tool = { driver: { name: program, semanticVersion: version, rules: this.#rules.map(ruleObject) } };
    return `{"$schema":${jsonText(SCHEMA)},"version":"2.1.0","runs":[{"tool":${jsonText(tool)},
"columnKind":"unicodeCodePoints","results":[`;
  }

  result({ code, level, message, file, region, record, identity }: SarifResult): string {
    const place = `${file}\n${identity}`;
    const count = (this.#seen.get(place) ?? 0) + 1;
    this.#seen.set(place, count);
    const result = {
      ruleId: code,
      ruleIndex: this.#rules.findIndex(({ id }) => id === code),
      level,
      message: { text: message },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: uriOf(file, this.#run.folder) }, ...(region !== undefined && { region }) },
          ...(record !== undefined && { logicalLocations: [{ name: record, kind: "record" }] }),
        },
      ],
      partialFingerprints: { "tsmapLint/v1": createHash("sha256").update(`${identity}\n${count}`).digest("hex").slice(0, 32) },
    };
    const text = `${this.#separator}${jsonText(result)}`;
    this.#separator = ",\n";
    return text;
  }

  /** @param troubles why something could not be looked at. */
  end(troubles: readonly string[]): string {
    const invocation = {
      executionSuccessful: troubles.length === 0,
      toolExecutionNotifications: troubles.map((text) => ({ level: "error", message: { text } })),
    };
    return `],\n"invocations":[${jsonText(invocation)}]}]}\n`;
  }
}

function ruleObject({ id, short, full, help, level }: SarifRule): object {
  return {
    id,
    shortDescription: { text: short },
    fullDescription: { text: full },
    help: { text: help },
    defaultConfiguration: { level },
  };
}

/** Of a general text: what a finding would fill in is left open. */
export function blank(text: string): string {
  return text.replace(/\{\w+\}/g, "…");
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Relative to the folder. */
function uriOf(name: string, folder: string): string {
  if (name === "-") return "stdin";
  return relative(folder, resolve(folder, name)).split(sep).map(encodeURIComponent).join("/");
}
