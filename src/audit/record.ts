import { Fault, Refusal } from "../kernel/errors.ts";
import type { FinishedCall } from "../kernel/finished-call.ts";
import type { Json } from "../kernel/json.ts";
import type { AuditResource, ServiceTable } from "../kernel/operation.ts";
import {
  endpointId,
  foreignIdentity,
  secondsTime,
  sourceOf,
  tlsDetails,
  userIdentity,
} from "./identity.ts";
import {
  additionalBytesMax,
  bounded,
  omitted,
  parametersBytesMax,
  recordBytesMax,
  truncate,
} from "./limits.ts";
import { type AuditModel, copyMembers, plainJson } from "./shapes.ts";

/** AWS: the version of the record's form. */
const eventVersion = "1.11";

/** A record on its way: what its copies for several accounts share. */
export interface RecordFacts {
  readonly finished: FinishedCall;
  readonly eventTime: string;
  readonly region: string;
  readonly requestParameters: Json;
  readonly responseElements: Json;
  readonly resources: readonly AuditResource[];
  readonly failure: { readonly errorCode: string; readonly errorMessage: string } | undefined;
  readonly additionalEventData: Json | undefined;
}

export function recordFacts(
  finished: FinishedCall,
  resources: readonly AuditResource[],
  model: AuditModel | undefined,
  nowMs: number,
): RecordFacts {
  const { operation, input, result, table } = finished;
  const { audit } = operation;
  const shapes = model?.operations[operation.name];
  const outcome = "outcome" in result ? result.outcome : undefined;
  const output = outcome?.output;
  const additional = outcome?.audit?.additionalEventData;
  return {
    finished,
    eventTime: secondsTime(nowMs),
    region: eventRegion(finished),
    requestParameters: kept(model, shapes?.input, audit.request, input),
    responseElements:
      typeof output === "object" && output !== null
        ? kept(model, shapes?.output, audit.response, output)
        : null,
    resources,
    failure: "error" in result ? describeError(result.error, table) : undefined,
    additionalEventData: additional === undefined ? undefined : plainJson(additional),
  };
}

type Rule = readonly string[] | ((value: object) => Json) | undefined;

/** INVARIANT: an allow-list; without a rule nothing is kept. */
function kept(
  model: AuditModel | undefined,
  shapeName: string | undefined,
  rule: Rule,
  value: object,
): Json {
  if (rule === undefined) return null;
  const copied =
    typeof rule === "function"
      ? (plainJson(rule(value)) ?? null)
      : model && shapeName !== undefined
        ? copyMembers(model, shapeName, value, rule)
        : null;
  const empty = typeof copied === "object" && copied !== null && Object.keys(copied).length === 0;
  return empty ? null : copied;
}

/** What of the resources a record names. */
export function usedResources({ resources, result }: FinishedCall): readonly AuditResource[] {
  const found = new Map<string, AuditResource>();
  for (const { type, arn, accountId } of resources) {
    if (type !== undefined) found.set(arn, { type, arn, accountId });
  }
  const later = "outcome" in result ? (result.outcome.audit?.resources ?? []) : [];
  for (const resource of later) found.set(resource.arn, resource);
  return [...found.values()];
}

/** AWS: IAM is global and tells its story in us-east-1. */
export function eventRegion({ table, call }: FinishedCall): string {
  return table.name === "iam" ? "us-east-1" : call.region;
}

/** AWS: denials are `AccessDenied`, whatever the service calls them on the wire. */
function describeError(
  error: Error,
  { accessDenied }: ServiceTable,
): { errorCode: string; errorMessage: string } {
  if (error instanceof Refusal) {
    const denied = error.denial !== undefined && error.code === accessDenied.code;
    const errorCode = truncate(denied ? "AccessDenied" : error.code);
    return { errorCode, errorMessage: truncate(error.message) };
  }
  const kind = error instanceof Fault ? `: ${error.kind}` : "";
  return { errorCode: "InternalFailure", errorMessage: `The request failed on our side${kind}` };
}

export interface RecordCopy {
  readonly recipientAccountId: string;
  readonly eventId: string;
  /** Of a call that two accounts are told of. */
  readonly sharedEventId: string | undefined;
  /** The copy for another account than the caller's. */
  readonly foreign: boolean;
}

/** The CloudTrail record for one account, as JSON text of at most 256 KB. */
export function recordText(facts: RecordFacts, copy: RecordCopy): string {
  const whole = record(facts, copy);
  const text = JSON.stringify(whole);
  // Where the whole is small, no part of it is too large: nearly always.
  if (text.length * utf8BytesMax <= additionalBytesMax) return text;
  const cut = withinBounds(whole);
  const cutText = JSON.stringify(cut);
  const size = Buffer.byteLength(cutText);
  if (size <= recordBytesMax) return cutText;
  return JSON.stringify({
    ...cut,
    requestParameters: omitted("event", size),
    responseElements: null,
    resources: [],
  });
}

/** Bytes of UTF-8 that one unit of a JavaScript text has at most. */
const utf8BytesMax = 3;

/** Absent members are undefined: JSON leaves them out. */
type WholeRecord = { readonly [member: string]: Json | undefined };

function withinBounds(whole: WholeRecord): WholeRecord {
  const parts: { [member: string]: Json } = {};
  for (const [name, bytesMax] of bounds) {
    const part = whole[name];
    if (part !== undefined) parts[name] = bounded(part, name, bytesMax);
  }
  return { ...whole, ...parts };
}

const bounds = [
  ["requestParameters", parametersBytesMax],
  ["responseElements", parametersBytesMax],
  ["additionalEventData", additionalBytesMax],
] as const;

function record(facts: RecordFacts, copy: RecordCopy): WholeRecord {
  const { finished, resources, additionalEventData } = facts;
  const { table, operation, call } = finished;
  const { address, userAgent } = sourceOf(call);
  const management = operation.audit.category === "management";
  const proven = "outcome" in finished.result ? finished.result.outcome.audit?.identity : undefined;
  return {
    eventVersion,
    userIdentity: copy.foreign ? foreignIdentity(call) : userIdentity(call, proven),
    eventTime: facts.eventTime,
    eventSource: table.eventSource,
    eventName: operation.name,
    awsRegion: facts.region,
    sourceIPAddress: address,
    userAgent: truncate(userAgent),
    ...facts.failure,
    requestParameters: facts.requestParameters,
    responseElements: facts.responseElements,
    additionalEventData,
    requestID: truncate(call.requestId),
    eventID: copy.eventId,
    readOnly: operation.audit.readOnly,
    resources:
      resources.length === 0
        ? undefined
        : resources.map(({ accountId, type, arn }) => ({ accountId, type, ARN: arn })),
    eventType: "AwsApiCall",
    managementEvent: management,
    recipientAccountId: copy.recipientAccountId,
    sharedEventID: copy.sharedEventId,
    eventCategory: management ? "Management" : "Data",
    vpcEndpointId: copy.foreign ? undefined : endpointId(call),
    tlsDetails: copy.foreign ? undefined : tlsDetails(call),
  };
}

/** Something a service did by itself: a key deleted at the end of its waiting period. */
export interface ServiceEvent {
  readonly accountId: string;
  readonly region: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly resources: readonly AuditResource[];
  readonly serviceEventDetails?: Json;
  readonly readOnly?: boolean;
}

/** AWS: the record of a service event. */
export function serviceEventText(event: ServiceEvent, nowMs: number, eventId: string): string {
  return JSON.stringify({
    eventVersion,
    userIdentity: { accountId: event.accountId, invokedBy: "AWS Internal" },
    eventTime: secondsTime(nowMs),
    eventSource: event.eventSource,
    eventName: event.eventName,
    awsRegion: event.region,
    sourceIPAddress: "AWS Internal",
    userAgent: "AWS Internal",
    requestParameters: null,
    responseElements: null,
    eventID: eventId,
    readOnly: event.readOnly ?? false,
    resources: event.resources.map(({ accountId, type, arn }) => ({ accountId, type, ARN: arn })),
    eventType: "AwsServiceEvent",
    managementEvent: true,
    recipientAccountId: event.accountId,
    serviceEventDetails:
      event.serviceEventDetails === undefined
        ? undefined
        : bounded(event.serviceEventDetails, "serviceEventDetails"),
    eventCategory: "Management",
  });
}
