import type { ConditionContext } from "../../kernel/operation.ts";
import type { ArnGlob, ArnParts } from "./arns.ts";
import { compileArnGlob, matchesArn } from "./arns.ts";
import type { Test } from "./conditions.ts";
import { compileCondition } from "./conditions.ts";
import type { PolicyDocument, PolicyKind, Statement } from "./document.ts";
import { parsePolicy } from "./document.ts";
import { PolicyError } from "./errors.ts";
import type { Glob } from "./glob.ts";
import { compileGlob, matchesGlob } from "./glob.ts";
import { readOperator } from "./operators.ts";
import type { Pattern } from "./variables.ts";
import { instance, patternOf, tokenize } from "./variables.ts";

/** A statement whose matchers are ready. */
export interface CompiledStatement {
  readonly statement: Statement;
  /** A condition could not be read: an Allow never matches then, a Deny does. */
  readonly broken: PolicyError | undefined;
  readonly actions: readonly Glob[];
  /** Every resource matches: the kind of policy has no Resource. */
  readonly everyResource: boolean;
  readonly resources: readonly ArnGlob[];
  /** Resources with variables in them. */
  readonly variableResources: readonly Pattern<ArnGlob>[];
  readonly tests: readonly Test[];
}

/**
 * The statements of a policy. Never throws: a text that is no policy denies, and an unreadable
 * condition keeps its Allow from matching and lets its Deny match (fail closed).
 */
export function compilePolicy(text: string, kind: PolicyKind): readonly CompiledStatement[] {
  try {
    return compileDocument(parsePolicy(text, kind), kind, "lenient");
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return [deniesEverything];
  }
}

/** Stands for a text that is no policy. */
const deniesEverything: CompiledStatement = {
  statement: {
    index: -1,
    sid: undefined,
    effect: "Deny",
    principal: { not: false, values: [{ kind: "everyone" }], path: "" },
    action: { not: true, values: [], path: "" },
    resource: undefined,
    conditions: [],
    start: 0,
    end: 0,
  },
  broken: undefined,
  actions: [],
  everyResource: true,
  resources: [],
  variableResources: [],
  tests: [],
};

/** Compiles all statements. `strict` throws PolicyError for what `lenient` notes as broken. */
export function compileDocument(
  document: PolicyDocument,
  kind: PolicyKind,
  mode: "strict" | "lenient",
): readonly CompiledStatement[] {
  return document.statements.map((statement) => {
    try {
      return compileStatement(document, statement, kind);
    } catch (error) {
      if (mode === "strict" || !(error instanceof PolicyError)) throw error;
      const bare = { ...statement, conditions: [] };
      return { ...compileStatement(document, bare, kind), statement, broken: error };
    }
  });
}

function compileStatement(
  document: PolicyDocument,
  statement: Statement,
  kind: PolicyKind,
): CompiledStatement {
  const { version } = document;
  const tests = statement.conditions.map((clause) => {
    const operator = readOperator(clause.operatorName);
    if (operator === undefined) {
      throw new PolicyError(clause.path, "is no condition operator");
    }
    return compileCondition({ ...clause, operator }, version, kind, statement.effect);
  });
  const { action, resource } = statement;
  // Names of actions hold no variables, so the older version reads them as they are.
  const actions = action?.values.map((text) => compileLiteral(text.toLowerCase(), action.path));
  const resources: ArnGlob[] = [];
  const variableResources: Pattern<ArnGlob>[] = [];
  for (const text of resource?.values ?? []) {
    const pattern = patternOf(tokenize(text, version, resource?.path ?? ""), compileArnGlob);
    if ("fixed" in pattern) resources.push(pattern.fixed);
    else variableResources.push(pattern);
  }
  return {
    statement,
    broken: undefined,
    actions: actions ?? [],
    everyResource: kind === "trust",
    resources,
    variableResources,
    tests,
  };
}

function compileLiteral(text: string, path: string): Glob {
  const pattern = patternOf(tokenize(text, "2008-10-17", path), compileGlob);
  if (!("fixed" in pattern)) throw new Error("an action has no variables");
  return pattern.fixed;
}

/** Whether a statement says anything about an action, which is in lower case. */
export function speaksAbout({ statement, actions }: CompiledStatement, action: string): boolean {
  if (statement.action === undefined) return false;
  return actions.some((glob) => matchesGlob(glob, action)) !== statement.action.not;
}

/** The resource of a request, cut once for all statements. */
export interface ResourceName {
  readonly text: string;
  readonly parts: ArnParts | undefined;
}

/** Whether resource and conditions match; the action is known to. */
export function statementHolds(
  compiledStatement: CompiledStatement,
  resource: ResourceName,
  context: ConditionContext,
): boolean {
  const { statement, broken, tests } = compiledStatement;
  if (!resourceMatches(compiledStatement, resource, context)) return false;
  if (broken !== undefined) return statement.effect === "Deny";
  for (const test of tests) if (!test(context)) return false;
  return true;
}

function resourceMatches(
  { statement, everyResource, resources, variableResources }: CompiledStatement,
  resource: ResourceName,
  context: ConditionContext,
): boolean {
  if (everyResource) return true;
  const not = statement.resource?.not ?? false;
  for (const glob of resources) {
    if (matchesArn(glob, resource.text, resource.parts)) return !not;
  }
  let unresolved = false;
  for (const pattern of variableResources) {
    const glob = instance(pattern, context);
    if (glob === undefined) unresolved = true;
    else if (matchesArn(glob, resource.text, resource.parts)) return !not;
  }
  // AWS?: NotResource with a variable that has no value: fail closed, so only a Deny goes on.
  return not && !(unresolved && statement.effect === "Allow");
}
