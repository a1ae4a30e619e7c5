import { isIP } from "node:net";
import type { JsonNode } from "../../../auth/policy/json.ts";
import type { Bound, Leaf, Rule } from "./policy.ts";
import { FilterProblem, offsetAt, problemAt } from "./problem.ts";

type ObjectNode = Extract<JsonNode, { kind: "object" }>;
type ArrayNode = Extract<JsonNode, { kind: "array" }>;

/** A rule of a list: a value, or an object with one operator. Throws FilterProblem. */
export function readRule(text: string, node: JsonNode): Rule {
  if (node.kind === "object") return readExpression(text, node);
  const value = leafOf(text, node);
  if (value === undefined) {
    const what = "Match value must be String, number, true, false, or null";
    throw problemAt(text, offsetAt(node), what);
  }
  return { kind: "equals", value };
}

function leafOf(text: string, node: JsonNode): Leaf | undefined {
  if (node.kind === "string") return node.text;
  if (node.kind === "number") return numberIn(text, node);
  if (node.kind === "boolean") return node.text === "true";
  return node.kind === "null" ? null : undefined;
}

function readExpression(text: string, node: ObjectNode): Rule {
  const [first, second] = [...node.members];
  // AWS?: the text for `{}`.
  if (!first) throw problemAt(text, node.end, "Match expression name not found");
  const rule = readOperator(text, first[0], first[1]);
  if (second) {
    throw problemAt(text, offsetAt(second[1]), "Only one key allowed in match expression");
  }
  return rule;
}

function readOperator(text: string, name: string, value: JsonNode): Rule {
  const literal = (operator: string) => textOf(text, value, operator);
  switch (name) {
    case "prefix":
    case "suffix":
      return { kind: name, text: literal(name) };
    case "equals-ignore-case":
      return { kind: "ignore-case", text: literal(name) };
    case "anything-but":
      return readAnythingBut(text, value);
    case "numeric":
      return readNumeric(text, value);
    case "exists":
      if (value.kind === "boolean") return { kind: "exists", wanted: value.text === "true" };
      throw problemAt(text, offsetAt(value), "exists match pattern must be either true or false.");
    case "cidr":
      // AWS: recorded with `prefix` in the text.
      return readCidr(literal("prefix"));
    default:
      throw problemAt(text, offsetAt(value), `Unrecognized match type ${name}`);
  }
}

function textOf(text: string, node: JsonNode, operator: string): string {
  if (node.kind === "string") return node.text;
  throw problemAt(text, offsetAt(node), `${operator} match pattern must be a string`);
}

/** AWS?: the texts for lists and words are those of AWS's published rule engine. */
function readAnythingBut(text: string, node: JsonNode): Rule {
  if (node.kind === "string" || node.kind === "number") {
    const value = leafOf(text, node);
    return { kind: "anything-but", values: value === undefined ? [] : [value] };
  }
  if (node.kind === "array") return { kind: "anything-but", values: readExclusions(text, node) };
  if (node.kind === "object") {
    const [first, second] = [...node.members];
    if (!first) throw problemAt(text, node.end, "Empty objects are not allowed");
    const [name, value] = first;
    if (name !== "prefix") {
      throw problemAt(text, offsetAt(value), `Unsupported anything-but pattern: ${name}`);
    }
    const rule: Rule = { kind: "anything-but-prefix", text: textOf(text, value, "prefix") };
    if (second) {
      throw problemAt(text, offsetAt(second[1]), "Only one key allowed in match expression");
    }
    return rule;
  }
  const what = "Value of anything-but must be an array or single string/number value.";
  throw problemAt(text, offsetAt(node), what);
}

function readExclusions(text: string, { items, end }: ArrayNode): readonly Leaf[] {
  if (items.length === 0) throw problemAt(text, end, "Empty arrays are not allowed");
  return items.map((item) => {
    const value = item.kind === "string" || item.kind === "number" ? leafOf(text, item) : undefined;
    if (value !== undefined) return value;
    const what = "Inside anything but list, start|null|boolean is not supported.";
    throw problemAt(text, offsetAt(item), what);
  });
}

/** A list read token by token, as AWS does: its texts name the token that did not fit. */
function readNumeric(text: string, node: JsonNode): Rule {
  if (node.kind !== "array") {
    throw problemAt(text, offsetAt(node), "Value of numeric must be an array.");
  }
  const { items, end } = node;
  const [operator, value, second, top] = items;
  if (operator?.kind !== "string") {
    const at = operator ? offsetAt(operator) : end;
    throw problemAt(text, at, `Invalid member in numeric match: ${tokenText(text, operator)}`);
  }
  const afterOperator = value ? offsetAt(value) : end;
  const sign = operator.text;
  if (!["=", ">", ">=", "<", "<="].includes(sign)) {
    throw problemAt(text, afterOperator, `Unrecognized numeric range operator: ${sign}`);
  }
  const number = numberOf(text, value, end, sign === "=" ? "equals" : sign);
  if (sign === "=" || sign.startsWith("<")) {
    if (second) {
      throw problemAt(text, offsetAt(second), "Too many elements in numeric expression");
    }
    const bound: Bound = { value: number, inclusive: sign !== "<" };
    return { kind: "numeric", low: sign === "=" ? bound : undefined, high: bound };
  }
  const low: Bound = { value: number, inclusive: sign === ">=" };
  if (!second) return { kind: "numeric", low, high: undefined };
  if (second.kind !== "string") {
    const what = `Bad value in numeric range: ${tokenText(text, second)}`;
    throw problemAt(text, offsetAt(second), what);
  }
  if (second.text !== "<" && second.text !== "<=") {
    throw problemAt(text, second.end, `Bad numeric range operator: ${second.text}`);
  }
  return { kind: "numeric", low, high: upperBound(text, node, low, second.text, top) };
}

function upperBound(
  text: string,
  { items, end }: ArrayNode,
  low: Bound,
  sign: "<" | "<=",
  top: JsonNode | undefined,
): Bound {
  const value = numberOf(text, top, end, sign);
  const beyond = items[4];
  if (beyond) {
    throw problemAt(text, offsetAt(beyond), "Too many terms in numeric range expression");
  }
  if (low.value >= value) throw problemAt(text, end, "Bottom must be less than top");
  return { value, inclusive: sign === "<=" };
}

/** AWS: numbers of policies. AWS?: the text. */
const numberMax = 1e9;

function numberIn(text: string, node: Extract<JsonNode, { kind: "number" }>): number {
  const number = Number(node.text);
  if (Math.abs(number) <= numberMax) return number;
  throw problemAt(text, node.end, "Value must be between -1.0E9 and 1.0E9, inclusive");
}

function numberOf(text: string, node: JsonNode | undefined, end: number, sign: string): number {
  if (node?.kind === "number") return numberIn(text, node);
  throw problemAt(text, node ? offsetAt(node) : end, `Value of ${sign} must be numeric`);
}

/** The token that a text names: the value, or the sign that opens or closes a list. */
function tokenText(text: string, node: JsonNode | undefined): string {
  if (!node) return "]";
  if (node.kind === "array" || node.kind === "object") return text.charAt(node.start);
  return node.kind === "string" ? node.text : text.slice(node.start, node.end);
}

/** AWS: CIDR texts carry no place. */
function readCidr(block: string): Rule {
  const [address = "", mask = "", ...rest] = block.split("/");
  if (mask === "" || rest.length > 0) throw new FilterProblem("Malformed CIDR, one '/' required");
  if (!/^-?\d{1,9}$/.test(mask)) {
    throw new FilterProblem("Malformed CIDR, mask bits must be an integer");
  }
  const family = isIP(address);
  if (family === 0) throw new FilterProblem(`Nonstandard IP address: ${address}`);
  const bitsMax = family === 4 ? 32 : 128;
  const bits = Number(mask);
  // AWS?: the text, and whether a block of one address is taken.
  if (bits < 0 || bits > bitsMax) {
    throw new FilterProblem(`IPv${family} mask bits must be < ${bitsMax + 1}`);
  }
  return { kind: "cidr", address, bits };
}
