import {
  type ContextFacts,
  type DecisionRequest,
  decide,
  denialText,
  globalContext,
} from "../auth/policy/index.ts";
import type { Call, Transport } from "../kernel/call.ts";
import { type Caller, callerName } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import { type Denial, Refusal } from "../kernel/errors.ts";
import type {
  AnyOperation,
  ConditionContext,
  ResourceUse,
  ServiceTable,
} from "../kernel/operation.ts";
import type { IdentityPolicies, IdentitySide } from "../kernel/policy.ts";
import { type Soon, soon } from "../kernel/soon.ts";

export interface Authorizer {
  /** Decides every resource use; the first denial is thrown as the service's own refusal. */
  authorize(
    table: ServiceTable,
    operation: AnyOperation,
    resources: readonly ResourceUse[],
    call: Call,
  ): Soon<void>;
}

export interface AuthorizerDependencies {
  readonly identityPolicies: IdentityPolicies;
  /** Service time: policies that read aws:CurrentTime follow it. */
  readonly clock: Clock;
  /** What must hold of an account whatever its policies say. Throws Refusal. */
  readonly checkAccount?: (table: ServiceTable, call: Call) => Soon<void>;
}

export function createAuthorizer(deps: AuthorizerDependencies): Authorizer {
  return {
    authorize(table, operation, resources, call) {
      requireServiceOperation(table, operation, call);
      requireSessionScope(table, operation, call);
      return soon(deps.checkAccount?.(table, call), () => {
        const { action } = operation;
        if (action === null || resources.length === 0) return;
        return soon(deps.identityPolicies.of(call.records, call.caller), (side) => {
          for (const use of resources) {
            const checked = use.action ?? action ?? `${table.name}:${operation.name}`;
            decideUse(deps, table, checked, use, call, side);
          }
        });
      });
    },
  };
}

/** What a service outside may do itself. The key behind topic and queue is used for it by those. */
const serviceOperations: ReadonlySet<string> = new Set([
  "sns:Publish",
  "sns:PublishBatch",
  "sqs:SendMessage",
  "sqs:SendMessageBatch",
  "sqs:GetQueueUrl",
  "sts:GetCallerIdentity",
]);

/** Whether the caller is a service that speaks over the network with a service credential. */
export function isOutsideService(caller: Caller): boolean {
  return caller.kind === "service" && caller.accessKeyId !== undefined;
}

function requireServiceOperation(table: ServiceTable, operation: AnyOperation, call: Call): void {
  if (!isOutsideService(call.caller)) return;
  const action = `${table.name}:${operation.name}`;
  if (serviceOperations.has(action)) return;
  const { accessDenied } = table;
  const text =
    `User: ${callerName(call.caller)} is not authorized to perform: ` +
    `${accessDenied.printAction(action)} because a service credential may only publish and send`;
  const denial = { action, resource: "*", reason: text, explicit: true, statements: [] };
  throw new Refusal(accessDenied.code, text, { status: accessDenied.status, denial });
}

/**
 * AWS: what GetSessionToken and GetFederationToken give never reaches IAM (nobody here has an MFA
 * device that would open it), and of STS only what follows.
 */
function requireSessionScope(table: ServiceTable, operation: AnyOperation, call: Call): void {
  const { caller } = call;
  if (caller.kind === "service" || caller.kind === "anonymous" || !caller.session) return;
  if (caller.kind === "role-session") return;
  if (table.name === "iam") {
    const text = "The security token included in the request is invalid";
    throw new Refusal("InvalidClientTokenId", text, { status: 403 });
  }
  if (table.name !== "sts" || operation.name === "GetCallerIdentity") return;
  if (operation.name === "AssumeRole" && caller.kind !== "federated-user") return;
  const text = `Cannot call ${operation.name} with session credentials`;
  throw new Refusal("AccessDenied", text, { status: 403 });
}

function decideUse(
  deps: AuthorizerDependencies,
  table: ServiceTable,
  action: string,
  use: ResourceUse,
  call: Call,
  side: IdentitySide,
): void {
  const request = decisionRequest(deps.clock, call, action, use, side);
  const decision = decide(request);
  if (decision.allowed) return;
  const { accessDenied } = table;
  const name = callerName(call.caller);
  const text = denialText(decision, request, accessDenied.printAction(action), name);
  const denial: Denial = {
    action,
    resource: use.arn,
    reason: text,
    explicit: decision.explicit,
    statements: decision.statements,
  };
  requestsBehind.set(denial, request);
  throw new Refusal(accessDenied.code, text, { status: accessDenied.status, denial });
}

const requestsBehind = new WeakMap<Denial, DecisionRequest>();

/** What a denial was decided on, for explanations; undefined if no policy decided it. */
export function decisionBehind(denial: Denial): DecisionRequest | undefined {
  return requestsBehind.get(denial);
}

/** What a decision needs to know of a call. `service`: the one that is asked. */
export type DecidedCall = Pick<Call, "service" | "caller" | "transport" | "region" | "via">;

/** The question that authorisation asks for one use of a resource; `doctor` asks the same one. */
export function decisionRequest(
  clock: Clock,
  { service, caller, transport, region, via }: DecidedCall,
  action: string,
  use: ResourceUse,
  side: IdentitySide,
): DecisionRequest {
  const inside = via !== undefined || (caller.kind === "service" && !isOutsideService(caller));
  const context = conditionsOf(clock, {
    caller,
    transport,
    region,
    via,
    service,
    resourceAccountId: use.accountId,
    resourceTags: use.tags,
  });
  return {
    identity: side.identity,
    boundary: side.boundary,
    session: side.session,
    caller,
    action,
    resource: use.arn,
    resourceAccountId: use.accountId,
    service,
    context: use.context === undefined ? context : { ...context, ...use.context },
    resourcePolicy: use.policy,
    policyKind: use.policyKind,
    grants: use.grants,
    encryptionContext: use.encryptionContext,
    // A hop between services does not come through the client's endpoint.
    endpoint: inside ? undefined : transport.endpoint?.policy,
  };
}

/** What the global condition keys of a request are made of. */
export type RequestFacts = Omit<
  ContextFacts,
  "nowMs" | "caller" | "transport" | "session" | "endpoint"
> & {
  readonly caller: Caller;
  readonly transport: Pick<Transport, "secure" | "sourceIp" | "userAgent" | "endpoint">;
};

/** The global condition keys of a request, at the service's time. */
export function conditionsOf(clock: Clock, facts: RequestFacts): ConditionContext {
  const { caller, transport, via } = facts;
  // Member by member, since every decision makes one: copying what is there costs twice as much.
  const keys = globalContext({
    caller,
    transport,
    nowMs: clock.now(),
    region: facts.region,
    service: facts.service,
    via,
    resourceAccountId: facts.resourceAccountId,
    resourceTags: facts.resourceTags,
    requestTags: facts.requestTags,
    requestTagKeys: facts.requestTagKeys,
    session: caller.kind === "service" || caller.kind === "anonymous" ? undefined : caller.session,
    endpoint: transport.endpoint,
  });
  if (via !== undefined || caller.kind !== "service") return keys;
  const sourceless = facts.service === "kms" && sourcelessOnKeys.has(caller.service);
  const own = sourceless ? withoutSource(keys) : keys;
  return caller.accessKeyId === undefined ? own : { ...own, ...serviceKeys(transport) };
}

/**
 * AWS: EventBridge names no source when it uses the key of a topic, so a condition on it there
 * keeps its events away.
 */
const sourcelessOnKeys: ReadonlySet<string> = new Set(["events.amazonaws.com"]);

function withoutSource(keys: ConditionContext): ConditionContext {
  const names = ["aws:sourcearn", "aws:sourceaccount", "aws:sourceowner"];
  return Object.fromEntries(Object.entries(keys).filter(([name]) => !names.includes(name)));
}

/** A service outside has a connection of its own, which may be a plain or a private one. */
function serviceKeys({ secure, endpoint, sourceIp }: RequestFacts["transport"]): ConditionContext {
  return {
    "aws:securetransport": secure,
    ...(endpoint && { "aws:sourcevpce": endpoint.endpointId, "aws:vpcsourceip": sourceIp }),
    ...(endpoint?.vpcId !== undefined && { "aws:sourcevpc": endpoint.vpcId }),
  };
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
  const inside = call.caller.kind === "service" && !isOutsideService(call.caller);
  if (inside || !resources.some((use) => use.secureTransportOnly)) return;
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
