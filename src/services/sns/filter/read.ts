import { type JsonNode, readJson } from "../../../auth/policy/json.ts";
import {
  combinationsOf,
  type FilterScope,
  isNested,
  operatorNames,
  type PolicyMember,
  type PolicyNode,
} from "./policy.ts";
import { FilterProblem, offsetAt, problemAt } from "./problem.ts";
import { readRule } from "./read-rule.ts";

/** AWS: 256 KB of text, 5 keys, 150 combinations. */
const bytesMax = 262_144;
const keysMax = 5;
const combinationsMax = 150;

export type ReadFilter =
  | { readonly policy: PolicyNode }
  /** What goes behind `Invalid parameter: ` (and `Attributes Reason: `). */
  | { readonly problem: string };

/** Reads and checks a filter policy. AWS: `{}` lets everything through. */
export function readFilterPolicy(text: string, scope: FilterScope): ReadFilter {
  try {
    return { policy: readChecked(text, scope) };
  } catch (error) {
    if (!(error instanceof FilterProblem)) throw error;
    return { problem: error.message };
  }
}

function readChecked(text: string, scope: FilterScope): PolicyNode {
  // AWS?: the text.
  if (Buffer.byteLength(text) > bytesMax) throw said("Filter policy is too large");
  const node = parse(text);
  if (node.kind !== "object")
    throw said(problemAt(text, offsetAt(node), "Filter is not an object"));
  let policy: PolicyNode;
  try {
    policy = readNode(text, node, true);
  } catch (error) {
    if (error instanceof FilterProblem) throw said(error);
    throw error;
  }
  if (scope === "MessageAttributes" && isNested(policy)) {
    // AWS: this one has no `FilterPolicy: ` in front.
    throw new FilterProblem(
      "Filter policy scope MessageAttributes does not support nested filter policy",
    );
  }
  if (node.members.size > keysMax) {
    throw said(`Filter policy can not have more than ${keysMax} keys`);
  }
  if (combinationsOf(policy) > combinationsMax) throw said("Filter policy is too complex");
  return policy;
}

function said(what: string | FilterProblem): FilterProblem {
  return new FilterProblem(`FilterPolicy: ${typeof what === "string" ? what : what.message}`);
}

function parse(text: string): JsonNode {
  try {
    return readJson(text);
  } catch (error) {
    throw said(`failed to parse JSON. ${(error as Error).message}`);
  }
}

type ObjectNode = Extract<JsonNode, { kind: "object" }>;
type ArrayNode = Extract<JsonNode, { kind: "array" }>;

function readNode(text: string, { members, end }: ObjectNode, outermost = false): PolicyNode {
  // AWS?: the text for an empty object inside.
  if (members.size === 0 && !outermost) throw problemAt(text, end, "Empty objects are not allowed");
  return [...members].map(([name, value]) => readMember(text, name, value));
}

function readMember(text: string, name: string, value: JsonNode): PolicyMember {
  if (value.kind === "object") return { kind: "nested", name, node: readNode(text, value) };
  if (value.kind !== "array") {
    throw problemAt(text, offsetAt(value), `"${name}" must be an object or an array`);
  }
  const branches = name === "$or" ? branchesOf(value) : undefined;
  if (branches) return { kind: "or", branches: branches.map((each) => readNode(text, each)) };
  if (value.items.length === 0) throw problemAt(text, value.end, "Empty arrays are not allowed");
  return { kind: "rules", name, rules: value.items.map((item) => readRule(text, item)) };
}

/** AWS: `$or` is an operator over two or more objects, none of which reads as an expression. */
function branchesOf({ items }: ArrayNode): readonly ObjectNode[] | undefined {
  const objects = items.filter((item) => item.kind === "object");
  if (objects.length !== items.length || objects.length < 2) return undefined;
  const expression = objects.some(({ members }) =>
    [...members.keys()].some((name) => operatorNames.has(name)),
  );
  return expression ? undefined : objects;
}
