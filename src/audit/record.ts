import { Fault, Refusal } from "../kernel/errors.ts";
import type { FinishedCall } from "../kernel/finished-call.ts";
import type { Json } from "../kernel/json.ts";
import type {
  AnyOperation,
  AuditResource,
  ServiceEvent,
  ServiceTable,
} from "../kernel/operation.ts";
import {
  endpointId,
  foreignIdentity,
  identityText,
  secondsTime,
  sourceOf,
  tlsDetails,
} from "./identity.ts";
import { additionalBytesMax, bounded, omitted, recordBytesMax, truncate } from "./limits.ts";
import { type AuditModel, membersText, plainText } from "./shapes.ts";

/** AWS: the version of the record's form. */
const eventVersion = "1.11";

/** A record on its way: what its copies for several accounts share, as JSON text. */
export interface RecordFacts {
  readonly finished: FinishedCall;
  readonly region: string;
  readonly resources: readonly AuditResource[];
  /** Members from `eventTime` to `requestID`. */
  readonly beginning: string;
  readonly requestParameters: string;
  readonly responseElements: string;
  readonly additionalEventData: string;
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
  const region = eventRegion(finished);
  const request = kept(model, shapes?.input, audit.request, input);
  const told = outcome?.audit?.responseElements;
  const response =
    told !== undefined
      ? notEmpty(plainText(told))
      : typeof output === "object" && output !== null
        ? kept(model, shapes?.output, audit.response, output)
        : "null";
  return {
    finished,
    region,
    resources,
    beginning:
      `"eventTime":"${secondsTime(nowMs)}",${whereText(finished, region)}` +
      ("error" in result ? failureText(result.error, table) : ""),
    requestParameters: bounded(request, "requestParameters"),
    responseElements: bounded(response, "responseElements"),
    additionalEventData:
      additional === undefined
        ? ""
        : `,"additionalEventData":${bounded(
            plainText(additional),
            "additionalEventData",
            additionalBytesMax,
          )}`,
  };
}

interface Where {
  readonly region: string;
  readonly address: string;
  readonly userAgent: string;
  readonly text: string;
}

/** Of each operation the latest: who calls often calls from one place. */
const latestWhere = new WeakMap<AnyOperation, Where>();

function whereText({ operation, table, call }: FinishedCall, region: string): string {
  const { address, userAgent } = sourceOf(call);
  const latest = latestWhere.get(operation);
  if (
    latest !== undefined &&
    latest.region === region &&
    latest.address === address &&
    latest.userAgent === userAgent
  ) {
    return latest.text;
  }
  const text =
    `"eventSource":"${table.eventSource}","eventName":"${operation.name}"` +
    `,"awsRegion":${quoted(region)},"sourceIPAddress":${quoted(address)}` +
    `,"userAgent":${quoted(truncate(userAgent))}`;
  latestWhere.set(operation, { region, address, userAgent, text });
  return text;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

type Rule = readonly string[] | ((value: object) => Json) | undefined;

/** INVARIANT: an allow-list; without a rule nothing is kept. */
function kept(
  model: AuditModel | undefined,
  shapeName: string | undefined,
  rule: Rule,
  value: object,
): string {
  if (rule === undefined) return "null";
  if (typeof rule === "function") return notEmpty(plainText(rule(value)));
  if (model === undefined || shapeName === undefined) return "null";
  return notEmpty(membersText(model, shapeName, value, rule));
}

function notEmpty(text: string): string {
  return text === "{}" || text === "[]" ? "null" : text;
}

/** What of the resources a record names. */
export function usedResources({ resources, result }: FinishedCall): readonly AuditResource[] {
  const found: AuditResource[] = [];
  const add = (resource: AuditResource): void => {
    const at = found.findIndex(({ arn }) => arn === resource.arn);
    if (at < 0) found.push(resource);
    else found[at] = resource;
  };
  for (const { type, arn, accountId } of resources) {
    if (type !== undefined) add({ type, arn, accountId });
  }
  const later = "outcome" in result ? result.outcome.audit?.resources : undefined;
  for (const resource of later ?? []) add(resource);
  return found;
}

/** AWS: IAM is global and tells its story in us-east-1. */
export function eventRegion({ table, call }: FinishedCall): string {
  return table.name === "iam" ? "us-east-1" : call.region;
}

/** AWS: denials are `AccessDenied`, whatever the service calls them on the wire. */
function failureText(error: Error, table: ServiceTable): string {
  const { code, message } = describeError(error, table);
  return `,"errorCode":${quoted(truncate(code))},"errorMessage":${quoted(truncate(message))}`;
}

function describeError(
  error: Error,
  { accessDenied }: ServiceTable,
): { readonly code: string; readonly message: string } {
  if (error instanceof Refusal) {
    const denied = error.denial !== undefined && error.code === accessDenied.code;
    return { code: denied ? "AccessDenied" : error.code, message: error.message };
  }
  const kind = error instanceof Fault ? `: ${error.kind}` : "";
  return { code: "InternalFailure", message: `The request failed on our side${kind}` };
}

export interface RecordCopy {
  readonly recipientAccountId: string;
  readonly eventId: string;
  /** Of a call that two accounts are told of. */
  readonly sharedEventId: string | undefined;
  /** The copy for another account than the caller's. */
  readonly foreign: boolean;
}

/** The CloudTrail record for one account, as JSON in UTF-8 of at most 256 KB. */
export function recordBytes(facts: RecordFacts, copy: RecordCopy): Buffer {
  const { requestParameters, responseElements, resources } = facts;
  const parts = { requestParameters, responseElements, resources };
  const whole = Buffer.from(recordText(facts, copy, parts));
  if (whole.length <= recordBytesMax) return whole;
  const without = {
    requestParameters: omitted("event", whole.length),
    responseElements: "null",
    resources: [],
  };
  return Buffer.from(recordText(facts, copy, without));
}

type Parts = Pick<RecordFacts, "requestParameters" | "responseElements" | "resources">;

/** One pass over a template: every event of a busy server comes through here. */
function recordText(facts: RecordFacts, copy: RecordCopy, parts: Parts): string {
  const { call, operation, result } = facts.finished;
  const management = operation.audit.category === "management";
  const proven = "outcome" in result ? result.outcome.audit?.identity : undefined;
  const identity = copy.foreign
    ? JSON.stringify(foreignIdentity(call))
    : identityText(call, proven);
  return (
    `{"eventVersion":"${eventVersion}","userIdentity":${identity}` +
    `,${facts.beginning},"requestParameters":${parts.requestParameters}` +
    `,"responseElements":${parts.responseElements}${facts.additionalEventData}` +
    `,"requestID":${quoted(truncate(call.requestId))},"eventID":"${copy.eventId}"` +
    `,"readOnly":${operation.audit.readOnly}${resourcesText(parts.resources)}` +
    `,"eventType":"AwsApiCall","managementEvent":${management}` +
    `,"recipientAccountId":${quoted(copy.recipientAccountId)}` +
    member("sharedEventID", quotedIfAny(copy.sharedEventId)) +
    `,"eventCategory":"${management ? "Management" : "Data"}"` +
    (copy.foreign ? "" : member("vpcEndpointId", quotedIfAny(endpointId(call)))) +
    (copy.foreign ? "" : member("tlsDetails", tlsDetails(call))) +
    "}"
  );
}

/** `json`: of the value. */
function member(name: string, json: string | undefined): string {
  return json === undefined ? "" : `,"${name}":${json}`;
}

function quotedIfAny(text: string | undefined): string | undefined {
  return text === undefined ? undefined : quoted(text);
}

/** AWS: absent where a record has none. */
function resourcesText(resources: readonly AuditResource[]): string {
  if (resources.length === 0) return "";
  const each = resources.map(
    ({ accountId, type, arn }) =>
      `{"accountId":${quoted(accountId)},"type":"${type}","ARN":${quoted(arn)}}`,
  );
  return `,"resources":[${each.join(",")}]`;
}

/** AWS: the record of a service event. */
export function serviceEventBytes(event: ServiceEvent, nowMs: number, eventId: string): Buffer {
  const { accountId, eventSource, eventName, region, readOnly, serviceEventDetails } = event;
  const { eventType = "AwsServiceEvent" } = event;
  const details = serviceEventDetails && JSON.stringify(serviceEventDetails);
  return Buffer.from(
    `{"eventVersion":"${eventVersion}","userIdentity":{"accountId":${quoted(accountId)}` +
      `,"invokedBy":"AWS Internal"},"eventTime":"${secondsTime(nowMs)}"` +
      `,"eventSource":"${eventSource}","eventName":"${eventName}","awsRegion":${quoted(region)}` +
      `,"sourceIPAddress":"AWS Internal","userAgent":"AWS Internal","requestParameters":null` +
      `,"responseElements":null,"eventID":"${eventId}","readOnly":${readOnly ?? false}` +
      `${resourcesText(event.resources)},"eventType":"${eventType}","managementEvent":true` +
      `,"recipientAccountId":${quoted(accountId)}` +
      (details ? `,"serviceEventDetails":${bounded(details, "serviceEventDetails")}` : "") +
      `,"eventCategory":"Management"}`,
  );
}
