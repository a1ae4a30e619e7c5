/** The condition operators and how their names are read. */

export type Family =
  | "string"
  | "string-ignore-case"
  | "like"
  | "numeric"
  | "date"
  | "bool"
  | "binary"
  | "ip"
  | "arn"
  | "null";

export type Comparison = "=" | "<" | "<=" | ">" | ">=";

export interface Operator {
  readonly family: Family;
  readonly comparison: Comparison;
  readonly negated: boolean;
  readonly ifExists: boolean;
  /** `single`: no set operator. */
  readonly set: "single" | "all" | "any";
}

type Base = Pick<Operator, "family" | "comparison" | "negated">;

const bases = new Map<string, Base>();

function define(name: string, family: Family, comparison: Comparison = "=", negated = false) {
  bases.set(name, { family, comparison, negated });
}

define("StringEquals", "string");
define("StringNotEquals", "string", "=", true);
define("StringEqualsIgnoreCase", "string-ignore-case");
define("StringNotEqualsIgnoreCase", "string-ignore-case", "=", true);
define("StringLike", "like");
define("StringNotLike", "like", "=", true);
for (const [prefix, family] of [
  ["Numeric", "numeric"],
  ["Date", "date"],
] as const) {
  define(`${prefix}Equals`, family);
  define(`${prefix}NotEquals`, family, "=", true);
  define(`${prefix}LessThan`, family, "<");
  define(`${prefix}LessThanEquals`, family, "<=");
  define(`${prefix}GreaterThan`, family, ">");
  define(`${prefix}GreaterThanEquals`, family, ">=");
}
define("Bool", "bool");
define("BinaryEquals", "binary");
define("IpAddress", "ip");
define("NotIpAddress", "ip", "=", true);
// AWS: ArnEquals and ArnLike are the same.
define("ArnEquals", "arn");
define("ArnLike", "arn");
define("ArnNotEquals", "arn", "=", true);
define("ArnNotLike", "arn", "=", true);
define("Null", "null");

const sets = { "ForAllValues:": "all", "ForAnyValue:": "any" } as const;

/** Reads `ForAnyValue:StringLikeIfExists`; undefined: there is no such operator. */
export function readOperator(name: string): Operator | undefined {
  let rest = name;
  let set: Operator["set"] = "single";
  for (const [prefix, kind] of Object.entries(sets)) {
    if (!name.startsWith(prefix)) continue;
    set = kind;
    rest = name.slice(prefix.length);
  }
  const ifExists = rest.endsWith("IfExists");
  const base = bases.get(ifExists ? rest.slice(0, -"IfExists".length) : rest);
  if (base === undefined) return undefined;
  if (base.family === "null" && (ifExists || set !== "single")) return undefined;
  return { ...base, ifExists, set };
}

/** Variables are allowed in these families only; elsewhere `${` is a malformed value. */
export function allowsVariables(family: Family): boolean {
  return ["string", "string-ignore-case", "like", "arn", "bool"].includes(family);
}
