import type { ConditionContext, ConditionValue } from "../../kernel/operation.ts";
import { compileArnGlob, matchesArn, splitArn } from "./arns.ts";
import type { ConditionClause, PolicyKind, Statement } from "./document.ts";
import { PolicyError, shown } from "./errors.ts";
import { compileGlob, matchesGlob } from "./glob.ts";
import { isNamedKey } from "./named-keys.ts";
import type { Comparison, Family, Operator } from "./operators.ts";
import { allowsVariables } from "./operators.ts";
import {
  foldCase,
  inRange,
  readAddress,
  readBase64,
  readBoolean,
  readDate,
  readNumber,
  readRange,
} from "./values.ts";
import type { Version } from "./variables.ts";
import { hasVariable, instance, literalText, patternOf, tokenize } from "./variables.ts";

/** One clause of a Condition block, ready to be asked about requests. */
export type Test = (context: ConditionContext) => boolean;

/** Whether one value of the request matches one of the policy's values. */
type Match = (value: string, context: ConditionContext) => boolean;

/** Throws PolicyError if a value is none of its operator's type. */
export function compileCondition(
  clause: ConditionClause & { readonly operator: Operator },
  version: Version,
  kind: PolicyKind,
  effect: Statement["effect"],
): Test {
  const { operator, values, path } = clause;
  const key = clause.key.toLowerCase();
  // AWS: these two are looked at in IAM policies only, never in key policies.
  const unsupported =
    kind === "key" && (key.startsWith("aws:resourcetag/") || key === "kms:resourcealiases");
  const requestValue = (context: ConditionContext) => (unsupported ? undefined : context[key]);
  if (operator.family === "null") return nullTest(values, path, requestValue);
  const match = anyOf(
    values.map((text) => matchOf(operator.family, operator.comparison, text, version, path)),
  );
  const { negated, set, ifExists } = operator;
  const whenAbsent = ifExists || set === "all" || (set === "single" && negated);
  const named = isNamedKey(key);
  return (context) => {
    const value = requestValue(context);
    if (isAbsent(value)) return whenAbsent;
    if (typeof value !== "object") return match(String(value), context) !== negated;
    // AWS?: names that differ only in letter case. An Allow must hold for each of their values, a
    // Deny for one of them, so that no value passes for that of another name.
    if (named) {
      const holds = (one: string) => match(one, context) !== negated;
      return effect === "Allow" ? value.every(holds) : value.some(holds);
    }
    // AWS?: a list without a set operator is undefined in AWS; none may match where negated.
    if (set === "single") return value.some((one) => match(one, context)) !== negated;
    if (set === "any") return value.some((one) => match(one, context) !== negated);
    return value.every((one) => match(one, context) !== negated);
  };
}

function isAbsent(value: ConditionValue | undefined): value is undefined {
  return value === undefined || (typeof value === "object" && value.length === 0);
}

function nullTest(
  values: readonly string[],
  path: string,
  requestValue: (context: ConditionContext) => ConditionValue | undefined,
): Test {
  const wanted = values.map((text) => readBoolean(text) ?? malformed(path, text, "true or false"));
  return (context) => wanted.includes(isAbsent(requestValue(context)));
}

function anyOf(matches: readonly Match[]): Match {
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  return (value, context) => {
    for (const match of matches) if (match(value, context)) return true;
    return false;
  };
}

function matchOf(
  family: Family,
  comparison: Comparison,
  text: string,
  version: Version,
  path: string,
): Match {
  if (family === "like" || family === "arn") return patternMatch(family, text, version, path);
  if (!allowsVariables(family)) return typedMatch(family, comparison, text, path);
  const fold = family === "string-ignore-case" ? foldCase : (same: string) => same;
  const tokens = tokenize(text, version, path, false);
  if (family === "bool") {
    if (!hasVariable(tokens)) return boolMatch(text, path);
    const pattern = patternOf(tokens, (resolved) => readBoolean(literalText(resolved)));
    return (value, context) => {
      const wanted = instance(pattern, context);
      return wanted !== undefined && readBoolean(value) === wanted;
    };
  }
  const pattern = patternOf(tokens, (resolved) => fold(literalText(resolved)));
  if ("fixed" in pattern) return (value) => fold(value) === pattern.fixed;
  return (value, context) => fold(value) === instance(pattern, context);
}

function patternMatch(family: "like" | "arn", text: string, version: Version, path: string): Match {
  const tokens = tokenize(text, version, path);
  if (family === "like") {
    const pattern = patternOf(tokens, compileGlob);
    return (value, context) => {
      const glob = instance(pattern, context);
      return glob !== undefined && matchesGlob(glob, value);
    };
  }
  const pattern = patternOf(tokens, compileArnGlob);
  if ("fixed" in pattern && pattern.fixed === "none") {
    malformed(path, text, "an ARN of six parts or `*`");
  }
  return (value, context) => {
    const glob = instance(pattern, context);
    return glob !== undefined && matchesArn(glob, value, splitArn(value));
  };
}

function boolMatch(text: string, path: string): Match {
  const wanted = readBoolean(text) ?? malformed(path, text, "true or false");
  return (value) => readBoolean(value) === wanted;
}

function typedMatch(family: Family, comparison: Comparison, text: string, path: string): Match {
  if (family === "ip") {
    const range = readRange(text) ?? malformed(path, text, "an IP address or CIDR range");
    return (value) => {
      const address = readAddress(value);
      return address !== undefined && inRange(range, address);
    };
  }
  if (family === "binary") {
    const wanted = readBase64(text) ?? malformed(path, text, "base64 text");
    return (value) => readBase64(value) === wanted;
  }
  const read = family === "date" ? readDate : readNumber;
  const noun = family === "date" ? "an ISO 8601 date or epoch seconds" : "a decimal number";
  const wanted = read(text) ?? malformed(path, text, noun);
  return (value) => {
    const number = read(value);
    return number !== undefined && compares(number, comparison, wanted);
  };
}

function compares(value: number, comparison: Comparison, wanted: number): boolean {
  switch (comparison) {
    case "=":
      return value === wanted;
    case "<":
      return value < wanted;
    case "<=":
      return value <= wanted;
    case ">":
      return value > wanted;
    case ">=":
      return value >= wanted;
  }
}

function malformed(path: string, text: string, noun: string): never {
  throw new PolicyError(path, `\`${shown(text)}\` is not ${noun}`);
}
