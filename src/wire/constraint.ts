import type { Bounds, ModelSimple } from "./model.ts";
import type { SimpleSchema } from "./schema.ts";

/** What a value must satisfy: AWS's text for it, and the test. */
export interface Rule {
  readonly text: string;
  readonly holds: (value: unknown) => boolean;
}

/** IAM leaves the values of an enum out of its texts. */
export interface RuleStyle {
  readonly listsEnums: boolean;
}

/** The rules of a simple shape, in the order in which AWS names them. AWS?: the order. */
export function rulesOf(schema: SimpleSchema, style: RuleStyle): readonly Rule[] {
  const { constraints, type } = schema;
  const lengthOf = type === "blob" ? byteLength : characterLength;
  return [
    ...boundRules(constraints.length, "length", lengthOf),
    ...boundRules(constraints.range, "value", Number),
    ...patternRules(constraints),
    ...enumRules(constraints, style),
  ];
}

/** Rules on the number of entries of a list or map. */
export function countRules(bounds: Bounds | undefined): readonly Rule[] {
  return boundRules(bounds, "length", (value) =>
    Array.isArray(value) ? value.length : Object.keys(value as object).length,
  );
}

function boundRules(
  bounds: Bounds | undefined,
  noun: "length" | "value",
  measure: (value: unknown) => number,
): readonly Rule[] {
  const [min, max] = bounds ?? [null, null];
  const rules: Rule[] = [];
  if (max !== null) {
    rules.push({
      text: `Member must have ${noun} less than or equal to ${max}`,
      holds: (value) => measure(value) <= max,
    });
  }
  // Nothing is shorter than 0, so AWS's text for it can never be the reason.
  if (min !== null) {
    rules.push({
      text: `Member must have ${noun} greater than or equal to ${min}`,
      holds: (value) => measure(value) >= min,
    });
  }
  return rules;
}

function byteLength(value: unknown): number {
  return (value as Uint8Array).byteLength;
}

/** Length in Unicode characters, as the models count. */
function characterLength(value: unknown): number {
  const text = String(value);
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const next = code >= 0xd800 && code < 0xdc00 ? text.charCodeAt(index + 1) : 0;
    if (next >= 0xdc00 && next < 0xe000) index += 1;
    length += 1;
  }
  return length;
}

function patternRules(constraints: ModelSimple): readonly Rule[] {
  const { pattern, length } = constraints;
  if (pattern === undefined) return [];
  const expression = compilePattern(pattern);
  const lengthMax = length?.[1] ?? Number.POSITIVE_INFINITY;
  return [
    {
      text: `Member must satisfy regular expression pattern: ${pattern}`,
      // A text that is too long has its own fault; no pattern ever runs over it.
      holds: (value) => characterLength(value) > lengthMax || expression.test(String(value)),
    },
  ];
}

/**
 * A pattern of the model as AWS's Java matches it: against the whole text. INVARIANT: patterns come
 * from the models only, never from a user; a test runs each against long hostile texts.
 */
export function compilePattern(pattern: string): RegExp {
  const dotAll = pattern.startsWith("(?s)");
  const source = `^(?:${dotAll ? pattern.slice(4) : pattern})$`;
  const flags = dotAll ? "s" : "";
  try {
    return new RegExp(source, `u${flags}`);
  } catch {
    // Some escapes that Java allows are none under `u`.
    return new RegExp(source, flags);
  }
}

function enumRules(constraints: ModelSimple, style: RuleStyle): readonly Rule[] {
  if (constraints.enum === undefined) return [];
  const values: ReadonlySet<unknown> = new Set(constraints.enum);
  const list = style.listsEnums ? `: [${constraints.enum.join(", ")}]` : "";
  return [
    { text: `Member must satisfy enum value set${list}`, holds: (value) => values.has(value) },
  ];
}
