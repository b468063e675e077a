/**
 * Logs of findings for services that read SARIF, held against what OASIS says.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/** The part of OASIS SARIF 2.1.0 that is written, and nothing besides (names, types and bounds of its schema). */
const text = { type: "object", required: ["text"], additionalProperties: false, properties: { text: { type: "string", minLength: 1 } } };
const level = { enum: ["error", "warning", "note"] };
const object = (properties: object, optional: readonly string[] = []): object => ({
  type: "object",
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
const list = (items: object, minItems = 0): object => ({ type: "array", minItems, items });
/**
 * @param program the tool that a log has to name.
 * @param optionalColumns those of a region that may be missing.
 */
export function sarifSchema(program: string, optionalColumns: readonly ("startColumn" | "endColumn")[] = []): ValidateFunction {
  return new Ajv2020({ strict: true, allErrors: true }).compile(
    object({
      $schema: { const: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json" },
      version: { const: "2.1.0" },
      runs: {
        ...list(
          object({
            tool: object({
              driver: object({
                name: { const: program },
                semanticVersion: { type: "string", pattern: "^\\d+\\.\\d+\\.\\d+" },
                rules: list(
                  object({
                    id: { type: "string" },
                    shortDescription: text,
                    fullDescription: text,
                    help: text,
                    defaultConfiguration: object({ level }),
                  }),
                ),
              }),
            }),
            columnKind: { const: "unicodeCodePoints" },
            invocations: list(
              object({
                executionSuccessful: { type: "boolean" },
                toolExecutionNotifications: list(object({ level, message: text })),
              }),
              1,
            ),
            results: list(
              object({
                ruleId: { type: "string" },
                ruleIndex: { type: "integer", minimum: 0 },
                level,
                message: text,
                locations: list(
                  object(
                    {
                      physicalLocation: object(
                        {
                          artifactLocation: object({ uri: { type: "string", pattern: "^[A-Za-z0-9._~%!'()*/-]+$" } }),
                          region: object(
                            {
                              startLine: { type: "integer", minimum: 1 },
                              startColumn: { type: "integer", minimum: 1 },
                              endColumn: { type: "integer", minimum: 1 },
                            },
                            optionalColumns,
                          ),
                        },
                        ["region"],
                      ),
                      logicalLocations: list(object({ name: { type: "string" }, kind: { const: "record" } }), 1),
                    },
                    ["logicalLocations"],
                  ),
                  1,
                ),
                partialFingerprints: object({ "tsmapLint/v1": { type: "string", pattern: "^[0-9a-f]{32}$" } }),
              }),
            ),
          }),
        ),
        minItems: 1,
        maxItems: 1,
      },
    }),
  );
}

export interface Sarif {
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string; readonly help: { readonly text: string } }[] } };
      readonly invocations: readonly [{ readonly executionSuccessful: boolean; readonly toolExecutionNotifications: readonly object[] }];
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly message: { readonly text: string };
        readonly level: string;
        readonly locations: readonly [
          { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string }; readonly region?: Record<string, number> } },
        ];
        readonly partialFingerprints: Readonly<Record<string, string>>;
      }[];
    },
  ];
}
