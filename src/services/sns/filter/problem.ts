import type { JsonNode } from "../../../auth/policy/json.ts";
import { positionOf } from "../../../auth/policy/json.ts";

/** What is wrong with a filter policy, in AWS's words. */
export class FilterProblem extends Error {
  override readonly name = "FilterProblem";
}

/**
 * AWS: texts end with the place that its reader had come to. The policy itself is left out, as the
 * present reader of AWS does.
 */
export function problemAt(text: string, offset: number, what: string): FilterProblem {
  const { line, column } = positionOf(text, offset);
  const source = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
  return new FilterProblem(`${what}\n at [Source: ${source}; line: ${line}, column: ${column}]`);
}

/**
 * Where AWS's reader stands once it has come upon a value: behind a number or word, but only behind
 * the opening sign of a text, list or object.
 */
export function offsetAt(node: JsonNode): number {
  const opened = node.kind === "string" || node.kind === "array" || node.kind === "object";
  return opened ? node.start + 1 : node.end;
}
