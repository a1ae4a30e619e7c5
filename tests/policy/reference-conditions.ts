import type { ConditionContext } from "../../src/kernel/operation.ts";

/**
 * Conditions of the reference evaluator: slow and plain, written from the fact sheet alone. Shares
 * no code with src/auth/policy.
 */

/** Wildcards by the textbook table: cell (i, j) says that i pattern atoms match j characters. */
export function globMatches(pattern: readonly Atom[], text: string): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, j) => j === 0);
  for (const atom of pattern) {
    const next = row.map(() => false);
    for (let j = 0; j <= text.length; j++) {
      if (atom === star) next[j] = row[j] === true || (j > 0 && next[j - 1] === true);
      else if (j > 0) next[j] = row[j - 1] === true && (atom === any || atom === text[j - 1]);
    }
    row = next;
  }
  return row[text.length] === true;
}

export const star = Symbol("*");
export const any = Symbol("?");
export type Atom = string | typeof star | typeof any;

/** Characters and wildcards of a value with variables filled in; undefined: one has no value. */
export function expand(
  text: string,
  version: string,
  context: ConditionContext,
): Atom[] | undefined {
  const atoms: Atom[] = [];
  let rest = text;
  while (rest !== "") {
    if (version === "2012-10-17" && rest.startsWith("${")) {
      const end = rest.indexOf("}");
      const inner = rest.slice(2, end);
      rest = rest.slice(end + 1);
      if (inner === "*" || inner === "?" || inner === "$") {
        atoms.push(inner);
        continue;
      }
      const [key = "", quoted] = inner.split(/,\s*/);
      const value = context[key.toLowerCase()];
      const single = value === undefined || Array.isArray(value) ? undefined : String(value);
      const filled = single ?? quoted?.slice(1, -1);
      if (filled === undefined) return undefined;
      atoms.push(...filled.split(""));
      continue;
    }
    const char = rest.charAt(0);
    atoms.push(char === "*" ? star : char === "?" ? any : char);
    rest = rest.slice(1);
  }
  return atoms;
}

const plain = (atoms: readonly Atom[]): string =>
  atoms.map((atom) => (atom === star ? "*" : atom === any ? "?" : String(atom))).join("");

/** ARN patterns: six parts, each for itself; a lone star is everything. */
export function arnMatches(pattern: readonly Atom[], text: string): boolean {
  if (pattern.length === 1 && pattern[0] === star) return true;
  const parts: Atom[][] = [[]];
  for (const atom of pattern) {
    if (atom === ":" && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(atom);
  }
  const words = text.split(":");
  if (parts.length < 6 || words.length < 6) return false;
  const values = [...words.slice(0, 5), words.slice(5).join(":")];
  return parts.every((part, index) => globMatches(part, values[index] ?? ""));
}

function ipBits(text: string): string | undefined {
  const [address = "", prefix] = text.split("/");
  let bits: string;
  if (address.includes(":")) {
    const [head = "", tail] = address.split("::");
    const left = head === "" ? [] : head.split(":");
    const right = tail === undefined || tail === "" ? [] : tail.split(":");
    const gap = Array(8 - left.length - right.length).fill("0");
    bits = [...left, ...gap, ...right]
      .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
      .join("");
  } else {
    const parts = address.split(".").map(Number);
    if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
    bits = parts.map((part) => part.toString(2).padStart(8, "0")).join("");
  }
  return bits.slice(0, prefix === undefined ? bits.length : Number(prefix));
}

function ipMatches(range: string, value: string): boolean {
  const wanted = ipBits(range);
  const found = ipBits(value);
  if (wanted === undefined || found === undefined) return false;
  if (range.includes(":") !== value.includes(":")) return false;
  return found.startsWith(wanted);
}

function when(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) && !/^\d{4}$/.test(text);
  if (seconds) return Number(text) * 1000;
  return /^\d{4}/.test(text) ? Date.parse(text) : Number.NaN;
}

function ordered(name: string, a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  if (name.endsWith("LessThanEquals")) return a <= b;
  if (name.endsWith("GreaterThanEquals")) return a >= b;
  if (name.endsWith("LessThan")) return a < b;
  if (name.endsWith("GreaterThan")) return a > b;
  return a === b;
}

/** One policy value against one request value, for the positive sense of an operator. */
function valueMatches(
  name: string,
  text: string,
  value: string,
  version: string,
  context: ConditionContext,
): boolean {
  if (name.startsWith("Ip")) return ipMatches(text, value);
  if (name.startsWith("Numeric")) {
    const isNumber = /^[+-]?\d+(\.\d+)?$/.test(value);
    return ordered(name, isNumber ? Number(value) : Number.NaN, Number(text));
  }
  if (name.startsWith("Date")) return ordered(name, when(value), when(text));
  if (name === "BinaryEquals") return text === value;
  const atoms = expand(text, version, context);
  if (atoms === undefined) return false;
  if (name.startsWith("Arn")) return arnMatches(atoms, value);
  if (name === "StringLike") return globMatches(atoms, value);
  if (name === "Bool") return plain(atoms).toLowerCase() === value.toLowerCase();
  if (name === "StringEqualsIgnoreCase") return plain(atoms).toLowerCase() === value.toLowerCase();
  return plain(atoms) === value;
}

const positiveOf: Record<string, string> = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  NumericNotEquals: "NumericEquals",
  DateNotEquals: "DateEquals",
  NotIpAddress: "IpAddress",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
};

/** Whether one clause `{Operator: {Key: values}}` holds. */
export function clauseHolds(
  operator: string,
  key: string,
  values: readonly string[],
  version: string,
  context: ConditionContext,
): boolean {
  const found = context[key.toLowerCase()];
  const list = found === undefined ? [] : Array.isArray(found) ? found : [String(found)];
  const absent = list.length === 0;
  if (operator === "Null") return values.some((text) => text.toLowerCase() === String(absent));
  const [, set = "", bare = "", ifExists] =
    /^(ForAllValues:|ForAnyValue:)?(.*?)(IfExists)?$/.exec(operator) ?? [];
  const positive = positiveOf[bare] ?? bare;
  const negated = positive !== bare;
  if (absent) {
    if (ifExists !== undefined || set === "ForAllValues:") return true;
    return set === "" && negated;
  }
  const matches = (value: string) =>
    values.some((text) => valueMatches(positive, text, value, version, context));
  if (set === "ForAllValues:") return list.every((value) => matches(value) !== negated);
  if (set === "ForAnyValue:") return list.some((value) => matches(value) !== negated);
  return negated ? !list.some(matches) : list.some(matches);
}
