import type { Transport } from "../../kernel/call.ts";
import type { ServicePrincipal } from "../../kernel/caller.ts";
import type { EpochMs } from "../../kernel/clock.ts";
import type { ConditionContext, ConditionValue } from "../../kernel/operation.ts";
import { type NamedKeyPrefix, namedKeys } from "./named-keys.ts";
import type { PolicyCaller } from "./principals.ts";

/** What is known of a request, from which the global condition keys are made. */
export interface ContextFacts {
  readonly caller: PolicyCaller;
  readonly transport: Pick<Transport, "secure" | "sourceIp" | "userAgent">;
  /** Service time. */
  readonly nowMs: EpochMs;
  readonly region: string;
  readonly service: string;
  /** Set when a service acts with the caller's identity. */
  readonly via?: ServicePrincipal | undefined;
  readonly resourceAccountId?: string | undefined;
  readonly resourceTags?: Readonly<Record<string, string>> | undefined;
  /** Tags that the request passes. */
  readonly requestTags?: Readonly<Record<string, string>> | undefined;
  /** Tag keys that the request names without values (UntagResource). */
  readonly requestTagKeys?: readonly string[] | undefined;
  readonly session?: SessionFacts | undefined;
  /** The private endpoint that the request came through. */
  readonly endpoint?: EndpointFacts | undefined;
}

/** Facts of temporary credentials; absent for long-term keys. */
export interface SessionFacts {
  readonly issuedMs: EpochMs;
  readonly mfaAgeSeconds?: number | undefined;
  readonly sourceIdentity?: string | undefined;
  readonly federatedProvider?: string | undefined;
}

export interface EndpointFacts {
  readonly endpointId: string;
  readonly vpcId?: string | undefined;
}

type Keys = Record<string, ConditionValue>;

/** AWS: services whose forward access sessions are listed in aws:CalledVia. SNS and SQS are not. */
const calledVia: ReadonlySet<string> = new Set(
  [
    "athena",
    "cloud9",
    "cloudformation",
    "databrew",
    "dataexchange",
    "dynamodb",
    "kms",
    "servicecatalog-appregistry",
    "sqlworkbench",
  ].map((name) => `${name}.amazonaws.com`),
);

/** User agents are as long as their senders like; conditions look at this much. */
const userAgentLengthMax = 512;

/**
 * The `aws:*` keys of a request, and kms:ViaService and kms:CallerAccount on calls to KMS. Names
 * are in lower case. A key that AWS does not set is absent, which conditions can see.
 */
export function globalContext(facts: ContextFacts): ConditionContext {
  const keys: Keys = {
    "aws:currenttime": isoTime(facts.nowMs),
    "aws:epochtime": Math.floor(facts.nowMs / 1000),
    "aws:requestedregion": facts.region,
    "aws:principalisawsservice": facts.caller.kind === "service",
    "aws:viaawsservice": facts.via !== undefined,
  };
  if (facts.resourceAccountId !== undefined) keys["aws:resourceaccount"] = facts.resourceAccountId;
  addCaller(keys, facts.caller);
  addTransport(keys, facts);
  addTags(keys, "aws:resourcetag/", facts.resourceTags);
  addRequestTags(keys, facts);
  if (facts.session !== undefined) addSession(keys, facts.session);
  if (facts.via !== undefined && calledVia.has(facts.via)) {
    keys["aws:calledvia"] = [facts.via];
    keys["aws:calledviafirst"] = facts.via;
    keys["aws:calledvialast"] = facts.via;
  }
  if (facts.service === "kms") addKms(keys, facts);
  return keys;
}

/** The second that was written last: most requests come within the second of another. */
let written = { second: Number.NaN, text: "" };

function isoTime(ms: EpochMs): string {
  const second = Math.floor(ms / 1000);
  if (written.second !== second) {
    written = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` };
  }
  return written.text;
}

const principalTypes = {
  root: "Account",
  user: "User",
  "role-session": "AssumedRole",
  "federated-user": "FederatedUser",
} as const;

/**
 * AWS: the guide of SNS names the services that send the legacy key. CloudTrail is none of them: a
 * trail's topic needs a statement for it.
 */
const withoutSourceOwner: ReadonlySet<string> = new Set(["cloudtrail.amazonaws.com"]);

function addCaller(keys: Keys, caller: PolicyCaller): void {
  switch (caller.kind) {
    case "service":
      keys["aws:principalservicename"] = caller.service;
      keys["aws:principalservicenameslist"] = [caller.service];
      if (caller.sourceArn !== "") keys["aws:sourcearn"] = caller.sourceArn;
      keys["aws:sourceaccount"] = caller.sourceAccountId;
      // AWS: a legacy key of SNS policies, set for services only; the default topic policy is built
      // on it, and gives users of the account nothing.
      if (!withoutSourceOwner.has(caller.service)) {
        keys["aws:sourceowner"] = caller.sourceAccountId;
      }
      return;
    case "anonymous":
    case "web-identity":
      keys["aws:principaltype"] = "Anonymous";
      keys["aws:userid"] = "anonymous";
      return;
    default:
      keys["aws:principaltype"] = principalTypes[caller.kind];
      keys["aws:principalaccount"] = caller.accountId;
      // AWS: for sessions this is the role, not the session.
      keys["aws:principalarn"] = caller.kind === "role-session" ? caller.roleArn : caller.arn;
      keys["aws:userid"] = caller.principalId;
      if (caller.kind === "user") keys["aws:username"] = caller.userName;
      if (caller.kind !== "root") addTags(keys, "aws:principaltag/", caller.tags);
  }
}

/**
 * How the request came. A call between services is a hop of its own: encrypted, without the
 * client's address (AWS?: AWS shows an address of the service there; no policy can know it).
 */
function addTransport(keys: Keys, facts: ContextFacts): void {
  const service = facts.via ?? (facts.caller.kind === "service" ? facts.caller.service : undefined);
  if (service !== undefined) {
    keys["aws:securetransport"] = true;
    keys["aws:useragent"] = service;
    return;
  }
  const { secure, sourceIp, userAgent } = facts.transport;
  keys["aws:securetransport"] = secure;
  if (userAgent !== "") keys["aws:useragent"] = userAgent.slice(0, userAgentLengthMax);
  if (facts.endpoint === undefined) {
    keys["aws:sourceip"] = sourceIp;
    return;
  }
  keys["aws:sourcevpce"] = facts.endpoint.endpointId;
  keys["aws:vpcsourceip"] = sourceIp;
  if (facts.endpoint.vpcId !== undefined) keys["aws:sourcevpc"] = facts.endpoint.vpcId;
}

function addTags(
  keys: Keys,
  prefix: NamedKeyPrefix,
  tags: Readonly<Record<string, string>> | undefined,
): void {
  if (tags !== undefined) Object.assign(keys, namedKeys(prefix, tags));
}

function addRequestTags(keys: Keys, { requestTags, requestTagKeys }: ContextFacts): void {
  if (requestTags === undefined && requestTagKeys === undefined) return;
  addTags(keys, "aws:requesttag/", requestTags);
  keys["aws:tagkeys"] = [...Object.keys(requestTags ?? {}), ...(requestTagKeys ?? [])];
}

function addSession(keys: Keys, session: SessionFacts): void {
  keys["aws:tokenissuetime"] = isoTime(session.issuedMs);
  keys["aws:multifactorauthpresent"] = session.mfaAgeSeconds !== undefined;
  if (session.mfaAgeSeconds !== undefined) keys["aws:multifactorauthage"] = session.mfaAgeSeconds;
  if (session.sourceIdentity !== undefined) keys["aws:sourceidentity"] = session.sourceIdentity;
  if (session.federatedProvider !== undefined) {
    keys["aws:federatedprovider"] = session.federatedProvider;
  }
}

function addKms(keys: Keys, { caller, via, region }: ContextFacts): void {
  if ("accountId" in caller) keys["kms:calleraccount"] = caller.accountId;
  if (via === undefined) return;
  const name = via.slice(0, -".amazonaws.com".length);
  keys["kms:viaservice"] = `${name}.${region}.amazonaws.com`;
}
