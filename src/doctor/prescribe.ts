import { type DecisionReason, type DecisionRequest, decide } from "../auth/policy/index.ts";
import type { Json } from "../kernel/json.ts";
import type { JsonObject } from "../kernel/records.ts";
import type { Missing } from "./hop.ts";
import { withStatement } from "./statements.ts";

export interface PrescribeOptions {
  /** The key policy cannot be changed: the key is one of AWS's. */
  readonly fixedKeyPolicy?: boolean;
  /** By what a service's statement is narrowed; default by the source's ARN. */
  readonly narrowBy?: "source-arn" | "source-account" | "nothing";
}

/** As many kinds of policy as can lack a statement; each is mended once. */
const stepsMax = 6;

/**
 * The statements that would allow a denied request, smallest first choice: the caller's own policy
 * where that can help, else the policy of the resource. Empty where no statement can: an explicit
 * denial must go, and some policies cannot be changed.
 */
export function prescribe(
  request: DecisionRequest,
  options: PrescribeOptions = {},
): readonly Missing[] {
  const missing: Missing[] = [];
  let asked = request;
  for (let step = 0; step <= stepsMax; step++) {
    const decision = decide(asked);
    if (decision.allowed) return missing;
    if (decision.explicit) return [];
    const addition = additionFor(asked, decision.reason, options);
    if (!addition) return [];
    missing.push(addition.missing);
    asked = addition.request;
  }
  return [];
}

interface Addition {
  readonly missing: Missing;
  /** The request with the statement in force. */
  readonly request: DecisionRequest;
}

function additionFor(
  request: DecisionRequest,
  reason: DecisionReason,
  options: PrescribeOptions,
): Addition | undefined {
  switch (reason) {
    case "identity":
    case "boundary":
    case "session":
      return callerSide(request, reason, ownStatement(request));
    case "resource":
    case "key":
      return resourceSide(request, options);
    case "endpoint": {
      const { endpoint } = request;
      const statement = { ...ownStatement(request), Principal: "*" };
      const policy = endpoint && withStatement(endpoint.policy, statement);
      if (!endpoint || !policy) return undefined;
      const missing = { attachTo: `endpoint policy ${endpoint.name}`, statement };
      return { missing, request: { ...request, endpoint: { ...endpoint, policy } } };
    }
    default:
      // A role's trust is no hop of a message; organizations have no policies here.
      return undefined;
  }
}

/** What a policy of the caller's own account would say. */
function ownStatement(request: DecisionRequest): JsonObject {
  const { action, resource } = request;
  return { Effect: "Allow", Action: action, Resource: resource, ...condition(request, {}) };
}

function callerSide(
  request: DecisionRequest,
  reason: "identity" | "boundary" | "session",
  statement: JsonObject,
): Addition | undefined {
  const holder = holderOf(request);
  if (holder === undefined) return undefined;
  if (reason === "identity") {
    const policy = withStatement(undefined, statement);
    if (!policy) return undefined;
    const identity = [...request.identity, { name: "new", policy }];
    const missing = { attachTo: `identity policy of ${holder}`, statement };
    return { missing, request: { ...request, identity } };
  }
  const limit = reason === "boundary" ? request.boundary : request.session?.[0];
  const policy = limit && withStatement(limit.policy, statement);
  if (!limit || !policy) return undefined;
  const changed = { ...limit, policy };
  if (reason === "boundary") {
    const missing = { attachTo: `permissions boundary ${limit.name} of ${holder}`, statement };
    return { missing, request: { ...request, boundary: changed } };
  }
  const name = "arn" in request.caller ? request.caller.arn : "";
  const missing = { attachTo: `session policy given when ${name} is made`, statement };
  const session = [changed, ...(request.session ?? []).slice(1)];
  return { missing, request: { ...request, session } };
}

/** Whose policies speak for the caller: for a session those of its role or user. */
function holderOf({ caller }: DecisionRequest): string | undefined {
  if (caller.kind === "user") return caller.arn;
  if (caller.kind === "role-session") return caller.roleArn;
  return caller.kind === "federated-user" ? caller.arn : undefined;
}

const placeNames: Readonly<Record<string, string>> = {
  sns: "topic policy",
  sqs: "queue policy",
  kms: "key policy",
};

function resourceSide(request: DecisionRequest, options: PrescribeOptions): Addition | undefined {
  const key = request.policyKind === "key";
  const named = principalOf(request);
  if (!named || (key && options.fixedKeyPolicy)) return undefined;
  const { action, resource, service } = request;
  const statement: JsonObject = {
    Effect: "Allow",
    Principal: named.principal,
    Action: action,
    Resource: key ? "*" : resource,
    ...condition(request, options),
  };
  const resourcePolicy = withStatement(request.resourcePolicy, statement, named.ids);
  if (!resourcePolicy) return undefined;
  const attachTo = `${placeNames[service] ?? "resource policy"} of ${resource}`;
  return { missing: { attachTo, statement }, request: { ...request, resourcePolicy } };
}

/** How a policy names the caller. undefined: strangers are never offered a statement. */
function principalOf({ caller }: DecisionRequest):
  | {
      readonly principal: JsonObject;
      readonly ids: Readonly<Record<string, string>>;
    }
  | undefined {
  switch (caller.kind) {
    case "service":
      return { principal: { Service: caller.service }, ids: {} };
    case "user":
      return { principal: { AWS: caller.arn }, ids: { [caller.arn]: caller.principalId } };
    case "role-session":
      return { principal: { AWS: caller.roleArn }, ids: { [caller.roleArn]: caller.roleId } };
    case "root":
    case "federated-user":
      return { principal: { AWS: caller.arn }, ids: {} };
    default:
      return undefined;
  }
}

/**
 * Least privilege where it costs nothing: a service only for its source (else any account's could
 * use it, the confused deputy), a key only through the service that asked for it.
 */
function condition(
  { caller, context }: DecisionRequest,
  { narrowBy = "source-arn" }: PrescribeOptions,
): { readonly Condition?: Json } {
  const text = (key: string) => {
    const value = context[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const via = text("kms:viaservice");
  if (via !== undefined) return { Condition: { StringEquals: { "kms:ViaService": via } } };
  if (caller.kind !== "service" || narrowBy === "nothing") return {};
  const sourceArn = text("aws:sourcearn");
  if (narrowBy === "source-arn" && sourceArn !== undefined) {
    return { Condition: { ArnEquals: { "aws:SourceArn": sourceArn } } };
  }
  const sourceAccount = text("aws:sourceaccount");
  if (sourceAccount === undefined) return {};
  return { Condition: { StringEquals: { "aws:SourceAccount": sourceAccount } } };
}
