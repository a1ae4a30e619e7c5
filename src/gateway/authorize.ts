import {
  type ContextFacts,
  type DecisionRequest,
  decide,
  denialText,
  globalContext,
} from "../auth/policy/index.ts";
import type { Call } from "../kernel/call.ts";
import { callerName } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import { Refusal } from "../kernel/errors.ts";
import type {
  AnyOperation,
  ConditionContext,
  ResourceUse,
  ServiceTable,
} from "../kernel/operation.ts";
import type { IdentityPolicies, NamedPolicy } from "../kernel/policy.ts";

export interface Authorizer {
  /** Decides every resource use; the first denial is thrown as the service's own refusal. */
  authorize(
    table: ServiceTable,
    operation: AnyOperation,
    resources: readonly ResourceUse[],
    call: Call,
  ): Promise<void>;
}

export interface AuthorizerDependencies {
  readonly identityPolicies: IdentityPolicies;
  /** Service time: policies that read aws:CurrentTime follow it. */
  readonly clock: Clock;
}

export function createAuthorizer(deps: AuthorizerDependencies): Authorizer {
  return {
    async authorize(table, operation, resources, call) {
      const action = operation.action === undefined ? undefined : operation.action;
      if (action === null || resources.length === 0) return;
      const identity = await deps.identityPolicies.of(call.records, call.caller);
      for (const use of resources) {
        decideUse(
          deps,
          table,
          use.action ?? action ?? `${table.name}:${operation.name}`,
          use,
          call,
          identity,
        );
      }
    },
  };
}

function decideUse(
  deps: AuthorizerDependencies,
  table: ServiceTable,
  action: string,
  use: ResourceUse,
  call: Call,
  identity: readonly NamedPolicy[],
): void {
  const request: DecisionRequest = {
    caller: call.caller,
    action,
    resource: use.arn,
    resourceAccountId: use.accountId,
    service: table.name,
    context: {
      ...conditionsOf(deps.clock, {
        caller: call.caller,
        transport: call.transport,
        region: call.region,
        via: call.via,
        service: table.name,
        resourceAccountId: use.accountId,
        resourceTags: use.tags,
      }),
      ...use.context,
    },
    identity,
    resourcePolicy: use.policy,
    policyKind: use.policyKind,
  };
  const decision = decide(request);
  if (decision.allowed) return;
  const { accessDenied } = table;
  const name = callerName(call.caller);
  const text = denialText(decision, request, accessDenied.printAction(action), name);
  throw new Refusal(accessDenied.code, text, {
    status: accessDenied.status,
    denial: {
      action,
      resource: use.arn,
      reason: text,
      explicit: decision.explicit,
      statements: decision.statements,
    },
  });
}

/** The global condition keys of a request, at the service's time. */
export function conditionsOf(clock: Clock, facts: Omit<ContextFacts, "nowMs">): ConditionContext {
  return globalContext({ ...facts, nowMs: clock.now() });
}

/**
 * AWS: every request to a topic or queue with SSE-KMS must be HTTPS and signed. A service acting
 * inside the server has no transport of its own.
 */
export function requireSecureTransport(
  table: ServiceTable,
  resources: readonly ResourceUse[],
  call: Call,
  allowInsecure: boolean,
): void {
  if (call.caller.kind === "service" || !resources.some((use) => use.secureTransportOnly)) return;
  if (!table.invalidSecurity) return;
  const { signed, secure } = call.transport;
  if (!signed) {
    throw table.invalidSecurity("Requests to encrypted resources must be signed (Signature V4).");
  }
  if (!secure && !allowInsecure) {
    throw table.invalidSecurity(
      "Requests to encrypted resources must use HTTPS. Use the server's https:// address, or " +
        "start the server with --allow-insecure-sse for local tests.",
    );
  }
}
