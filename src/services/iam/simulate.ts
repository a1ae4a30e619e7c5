import type { ContextEntry, EvaluationResult, Statement } from "@aws-sdk/client-iam";
import {
  checkPolicy,
  type Decision,
  type DecisionRequest,
  decide,
  PolicyError,
  parsePolicy,
  positionOf,
} from "../../auth/policy/index.ts";
import { parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { StatementReference } from "../../kernel/errors.ts";
import type { ConditionContext, ConditionValue } from "../../kernel/operation.ts";
import type { AttachedPolicy, NamedPolicy } from "../../kernel/policy.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { contextKeys } from "./context-keys.ts";
import type { SourcePolicy } from "./policy-sources.ts";
import { principals } from "./ports.ts";
import { invalidInput } from "./refusals.ts";
import { callerByArn, callerContext, type SimulatedCaller } from "./simulated-caller.ts";

/** Members that both simulations have. */
export interface SimulationInput {
  readonly ActionNames: readonly string[];
  readonly ResourceArns?: readonly string[] | undefined;
  readonly ResourcePolicy?: string | undefined;
  readonly ResourceOwner?: string | undefined;
  readonly CallerArn?: string | undefined;
  readonly PermissionsBoundaryPolicyInputList?: readonly string[] | undefined;
  readonly ContextEntries?: readonly Wire<ContextEntry>[] | undefined;
}

export interface Simulation {
  readonly policies: readonly SourcePolicy[];
  readonly boundary: SourcePolicy | undefined;
  /** undefined: the caller is whom the input names, or somebody of the account. */
  readonly caller: SimulatedCaller | undefined;
}

/** Policies given as text. Throws InvalidInput. */
export function givenPolicies(texts: readonly string[], name: string): readonly SourcePolicy[] {
  return texts.map((text, index) => {
    requireReadable(text, name);
    return { sourceId: `${name}.${index + 1}`, policy: { text, principalIds: {} } };
  });
}

function requireReadable(text: string, what: string, kind: "identity" | "resource" = "identity") {
  try {
    return checkPolicy(text, kind);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw invalidInput(`Invalid policy in ${what}: ${error.message}`);
  }
}

/** One result for each action and resource, in the order of the input. */
export async function simulate(
  call: Call,
  input: SimulationInput,
  simulation: Simulation,
): Promise<readonly Wire<EvaluationResult>[]> {
  const { CallerArn, ResourceOwner } = input;
  const caller =
    CallerArn === undefined
      ? (simulation.caller ?? callerByArn(`arn:aws:iam::${call.accountId}:user/anyone`))
      : simulation.caller?.arn === CallerArn
        ? simulation.caller
        : callerByArn(CallerArn);
  const [given] = givenPolicies(
    input.PermissionsBoundaryPolicyInputList ?? [],
    "PermissionsBoundaryPolicyInputList",
  );
  const boundary = given ?? simulation.boundary;
  const resourcePolicy = await boundResourcePolicy(call, input, caller);
  const policies = { ...simulation, boundary };
  const context = { ...callerContext(call, caller), ...givenContext(input.ContextEntries ?? []) };
  const owner = ResourceOwner === undefined ? undefined : accountIn(ResourceOwner);
  const missing = missingKeys([...simulation.policies, ...(boundary ? [boundary] : [])], context);
  return input.ActionNames.flatMap((action) => {
    if (!/^[A-Za-z0-9-]+:[A-Za-z0-9_-]+$/.test(action))
      throw invalidInput(`Invalid Action: ${action}`);
    return (input.ResourceArns ?? ["*"]).map((resource) => {
      const request: DecisionRequest = {
        caller,
        action,
        resource,
        resourceAccountId: owner ?? caller.accountId,
        service: action.slice(0, action.indexOf(":")),
        context,
        identity: simulation.policies.map(named),
        boundary: boundary && named(boundary),
        resourcePolicy,
        policyKind: parseArn(resource)?.service === "kms" && resourcePolicy ? "key" : "resource",
      };
      return shownResult(request, policies, missing);
    });
  });
}

function named({ sourceId, policy }: SourcePolicy): NamedPolicy {
  return { name: sourceId, policy };
}

function accountIn(owner: string): string {
  return parseArn(owner)?.accountId ?? owner;
}

/** A principal that the policy names is the caller if it is the caller's ARN. */
async function boundResourcePolicy(
  call: Call,
  { ResourcePolicy: text }: SimulationInput,
  caller: SimulatedCaller,
): Promise<AttachedPolicy | undefined> {
  if (text === undefined) return undefined;
  const { principals: arns } = requireReadable(text, "ResourcePolicy", "resource");
  const own = caller.kind === "role-session" ? caller.roleId : caller.principalId;
  const pairs = arns.map(async (arn) => {
    const isCaller = arn === caller.arn;
    return [arn, isCaller ? own : ((await principals.resolve(call.records, arn)) ?? arn)] as const;
  });
  return { text, principalIds: Object.fromEntries(await Promise.all(pairs)) };
}

function givenContext(entries: readonly Wire<ContextEntry>[]): ConditionContext {
  const pairs = entries.map(({ ContextKeyName, ContextKeyValues = [], ContextKeyType }) => {
    if (!ContextKeyName) throw invalidInput("A context entry has no ContextKeyName.");
    const list = ContextKeyType?.endsWith("List") === true;
    const value: ConditionValue = list ? ContextKeyValues : (ContextKeyValues[0] ?? "");
    return [ContextKeyName.toLowerCase(), value] as const;
  });
  return Object.fromEntries(pairs);
}

function missingKeys(
  policies: readonly SourcePolicy[],
  context: ConditionContext,
): readonly string[] {
  const all = new Set(policies.flatMap(({ policy }) => contextKeys(policy.text)));
  return [...all].filter((name) => !Object.hasOwn(context, name.toLowerCase()));
}

function shownResult(
  request: DecisionRequest,
  policies: Pick<Simulation, "policies" | "boundary">,
  missing: readonly string[],
): Wire<EvaluationResult> {
  const decision = decide(request);
  const { boundary } = request;
  return {
    EvalActionName: request.action,
    EvalResourceName: request.resource,
    EvalDecision: evalDecision(decision),
    MatchedStatements: decision.statements.flatMap((reference) =>
      shownStatement(reference, request, policies),
    ),
    MissingContextValues: missing,
    ...(boundary && {
      PermissionsBoundaryDecisionDetail: {
        AllowedByPermissionsBoundary: decide({
          ...request,
          identity: [boundary],
          boundary: undefined,
          resourcePolicy: undefined,
          policyKind: "resource",
        }).allowed,
      },
    }),
    EvalDecisionDetails: {},
    ResourceSpecificResults: [],
  };
}

function evalDecision(decision: Decision): "allowed" | "explicitDeny" | "implicitDeny" {
  if (decision.allowed) return "allowed";
  return decision.explicit ? "explicitDeny" : "implicitDeny";
}

function shownStatement(
  { policyKind, policyName, statementIndex }: StatementReference,
  request: DecisionRequest,
  { policies, boundary }: Pick<Simulation, "policies" | "boundary">,
): readonly Wire<Statement>[] {
  const ofResource = policyKind === "resource" || policyKind === "key";
  const source = [...policies, ...(boundary ? [boundary] : [])].find(
    ({ sourceId }) => sourceId === policyName,
  );
  const text = ofResource ? request.resourcePolicy?.text : source?.policy.text;
  if (text === undefined) return [];
  const kind = ofResource ? "resource" : "identity";
  const statement = parsePolicy(text, kind).statements[statementIndex];
  if (statement === undefined) return [];
  const at = (offset: number) => {
    const { line, column } = positionOf(text, offset);
    return { Line: line, Column: column };
  };
  return [
    {
      SourcePolicyId: ofResource ? "ResourcePolicy" : policyName,
      // AWS: what it answers, though the model names other values.
      SourcePolicyType: (ofResource ? "Resource Policy" : "IAM Policy") as "none",
      StartPosition: at(statement.start),
      EndPosition: at(statement.end),
    },
  ];
}
