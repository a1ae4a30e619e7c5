import { isIPv4, isIPv6 } from "node:net";

/**
 * Filter policies as the guide of AWS describes them, written for reading, not for speed: every
 * question walks policy and message anew. Shares no line with the product.
 */
type Value = string | number | boolean | null;
type Json = Value | Json[] | { [name: string]: Json };
export interface ReferenceMessage {
  readonly attributes: Readonly<Record<string, { Type: string; Value: string }>> | undefined;
  readonly body: string;
}

export function referenceMatches(policy: string, scope: string, message: ReferenceMessage) {
  const parsed = JSON.parse(policy) as { [name: string]: Json };
  const pairs = scope === "MessageBody" ? bodyPairs(message.body) : attributePairs(message);
  return pairs !== undefined && all(parsed, "", pairs);
}

/** Each value with its path; a name without values has one pair whose value is undefined. */
type Pair = readonly [path: string, value: Value | undefined];

function attributePairs({ attributes }: ReferenceMessage): Pair[] {
  const pairs: Pair[] = [];
  for (const [name, { Type, Value }] of Object.entries(attributes ?? {})) {
    if (Type === "String.Array") {
      pairs.push([name, undefined]);
      for (const value of arrayOrNothing(Value)) pairs.push([name, value]);
    } else if (Type.split(".")[0] === "String") pairs.push([name, Value]);
    else if (Type.split(".")[0] === "Number") {
      pairs.push([name, Number.isNaN(Number.parseFloat(Value)) ? undefined : Number(Value)]);
    }
  }
  return pairs;
}

function arrayOrNothing(text: string): Value[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

function bodyPairs(body: string): Pair[] | undefined {
  let root: Json;
  try {
    root = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof root !== "object" || root === null || Array.isArray(root)) return undefined;
  const pairs: Pair[] = [];
  const walk = (value: Json, names: string[]): void => {
    if (Array.isArray(value)) for (const item of value) walk(item, names);
    else if (typeof value === "object" && value !== null) {
      for (const name of Object.keys(value)) walk(value[name] ?? null, [...names, name]);
    } else pairs.push([names.join("."), value]);
  };
  walk(root, []);
  return pairs;
}

const keywords =
  "exact equals-ignore-case prefix suffix anything-but numeric exists cidr wildcard".split(" ");

function all(policy: { [name: string]: Json }, prefix: string, pairs: Pair[]): boolean {
  for (const name of Object.keys(policy)) {
    const value = policy[name];
    if (name === "$or" && Array.isArray(value) && isChoice(value)) {
      const some = value.some((each) => all(each as { [name: string]: Json }, prefix, pairs));
      if (!some) return false;
    } else if (Array.isArray(value)) {
      const here = pairs.filter(([path]) => path === prefix + name);
      if (!value.some((rule) => ruleHolds(rule, here))) return false;
    } else if (!all(value as { [name: string]: Json }, `${prefix}${name}.`, pairs)) return false;
  }
  return true;
}

function isChoice(items: Json[]): boolean {
  const objects = items.every((item) => item !== null && typeof item === "object");
  if (!objects || items.length < 2 || items.some(Array.isArray)) return false;
  return !items.some((item) => Object.keys(item as object).some((name) => keywords.includes(name)));
}

function ruleHolds(rule: Json, here: Pair[]): boolean {
  const values = here.map(([, value]) => value).filter((value) => value !== undefined);
  if (rule === null || typeof rule !== "object") return values.some((value) => value === rule);
  const [[operator, operand]] = Object.entries(rule) as [[string, Json]];
  if (operator === "exists") return operand === here.length > 0;
  return values.some((value) => operatorHolds(operator, operand, value));
}

function operatorHolds(operator: string, operand: Json, value: Value): boolean {
  const text = typeof value === "string" ? value : undefined;
  if (operator === "prefix") return text?.indexOf(String(operand)) === 0;
  if (operator === "suffix") {
    return text !== undefined && new RegExp(`${quoted(String(operand))}$`, "s").test(text);
  }
  if (operator === "equals-ignore-case") {
    return text !== undefined && new RegExp(`^${quoted(String(operand))}$`, "is").test(text);
  }
  if (operator === "anything-but") {
    if (Array.isArray(operand)) return !operand.includes(value);
    if (typeof operand === "object" && operand !== null) {
      return text === undefined || text.indexOf(String(operand.prefix)) !== 0;
    }
    return operand !== value;
  }
  if (operator === "numeric") return typeof value === "number" && inRange(operand as Json[], value);
  if (operator === "cidr") return text !== undefined && inBlock(String(operand), text);
  throw new Error(`no such operator: ${operator}`);
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function inRange(terms: Json[], value: number): boolean {
  for (let index = 0; index < terms.length; index += 2) {
    const sign = terms[index];
    const bound = Number(terms[index + 1]);
    const holds = { "=": value === bound, "<": value < bound, ">": value > bound }[String(sign)];
    if (!(holds ?? (sign === "<=" ? value <= bound : value >= bound))) return false;
  }
  return true;
}

function inBlock(block: string, address: string): boolean {
  const [network = "", bits = ""] = block.split("/");
  if (isIPv4(network) ? !isIPv4(address) : !isIPv6(address)) return false;
  return bitsOf(network).slice(0, Number(bits)) === bitsOf(address).slice(0, Number(bits));
}

function bitsOf(address: string): string {
  if (isIPv4(address)) {
    return address
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  }
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const middle = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...(tail === undefined ? [] : middle), ...after]
    .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, "0"))
    .join("");
}
