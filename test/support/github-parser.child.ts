/**
 * Prints what GitHub's parser has against an action or a workflow, as JSON:
 *
 *     node github-parser.child.js action|workflow PATH [CONTENT]
 *
 * The parser imports its schemas as JSON in the way of bundlers; Node wants to
 * be told that it is JSON, which has to be before the parser is loaded.
 */
import { readFileSync } from "node:fs";
import { register } from "node:module";

const hook = `export const resolve = async (name, context, next) => {
  const resolved = await next(name, context);
  return name.endsWith(".json") ? { ...resolved, importAttributes: { type: "json" } } : resolved;
};`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const { NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");
const { parseAction } = await import("@actions/workflow-parser/actions/index");

const [kind, name = "", content = readFileSync(name, "utf8")] = process.argv.slice(2);
const parse = kind === "action" ? parseAction : parseWorkflow;
const { context } = parse({ name, content }, new NoOperationTraceWriter());
process.stdout.write(JSON.stringify(context.errors.getErrors().map((error) => error.message)));
